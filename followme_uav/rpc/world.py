"""What a script changes in the world while a flight is on: wind, light, people's places.

On a connection of its own, so that nothing that a pilot asks for waits. AirSim's methods, on a
simulator that takes structs as maps.
"""

from __future__ import annotations

from typing import Any

from followme_uav.config import RpcConfig, SimulatorProfile
from followme_uav.errors import SimulatorError
from followme_uav.geometry import quaternion_from_euler
from followme_uav.rpc.backends import open_session
from followme_uav.rpc.convert import pose_struct

WEATHER = {"rain": 0, "dust": 6, "fog": 7}
"""AirSim's WeatherParameter, as far as it is drawn."""

_AXES = ("x_val", "y_val", "z_val")


class WorldConnection:
    """Hands on the world; every method raises a `SimulatorError` of one line where it fails."""

    def __init__(self, profile: SimulatorProfile, rpc: RpcConfig) -> None:
        self._address = f"{profile.host}:{profile.port}"
        self._session = open_session(
            rpc.backend,
            profile.host,
            profile.port,
            deadline_s=rpc.deadline_s,
            connect_deadline_s=rpc.connect_deadline_s,
            max_message_bytes=rpc.max_message_bytes,
        )

    def close(self) -> None:
        """Hang up."""
        self._session.close()

    def set_wind(self, north_mps: float, east_mps: float) -> None:
        """From now on the air moves that fast."""
        self._call("simSetWind", dict(zip(_AXES, (north_mps, east_mps, 0.0), strict=True)))

    def move(self, who: str, north_m: float, east_m: float, heading_rad: float) -> None:
        """Put somebody somewhere at once; they walk on from there.

        Raises:
            SimulatorError: There is nobody of that name.
        """
        pose = pose_struct((north_m, east_m, 0.0), quaternion_from_euler(0.0, 0.0, heading_rad))
        if not self._call("simSetObjectPose", who, pose, True):
            raise SimulatorError(f"{self._address} has nobody called '{who}' to be moved")

    def set_hour(self, hour_h: float) -> None:
        """Make it that time of the day, 0 to 24; the sun stays there."""
        minutes = round(hour_h * 60.0)
        start = f"2024-06-21 {minutes // 60 % 24:02d}:{minutes % 60:02d}:00"
        self._call("simSetTimeOfDay", True, start, False, 1.0, 60.0, False)

    def set_weather(self, **amounts: float) -> None:
        """Amounts of rain, dust, fog, each 0 to 1; those not given stay."""
        self._call("simEnableWeather", True)
        for name, amount in amounts.items():
            self._call("simSetWeatherParameter", WEATHER[name], amount)

    def _call(self, method: str, *params: Any) -> Any:
        return self._session.call(method, *params)
