"""Changes to the world during a scripted flight: wind, light, positions of people.

They go on a connection of their own, so that no call of the pilot waits for them. Structs are sent
as maps: the methods are used with the embedded simulator.
"""

from __future__ import annotations

from typing import Any

from followme_uav.config import RpcConfig, SimulatorProfile
from followme_uav.errors import SimulatorError
from followme_uav.geometry import quaternion_from_euler
from followme_uav.rpc.backends import open_simulator_session
from followme_uav.rpc.convert import pose_struct, vector_struct

WEATHER = {"rain": 0, "dust": 6, "fog": 7}
"""Members of AirSim's WeatherParameter that the embedded simulator renders."""


class WorldConnection:
    """Changes the world; every method raises a `SimulatorError` of one line when it fails."""

    def __init__(self, profile: SimulatorProfile, rpc: RpcConfig) -> None:
        self._address = f"{profile.host}:{profile.port}"
        self._session = open_simulator_session(profile, rpc)

    def close(self) -> None:
        """Disconnect."""
        self._session.close()

    def set_wind(self, north_mps: float, east_mps: float) -> None:
        """Set the velocity of the air."""
        self._session.call("simSetWind", vector_struct((north_mps, east_mps, 0.0)))

    def move(self, who: str, north_m: float, east_m: float, heading_rad: float) -> None:
        """Put a person at a position at once, from which the person walks on.

        Raises:
            SimulatorError: No person has that name.
        """
        pose = pose_struct((north_m, east_m, 0.0), quaternion_from_euler(0.0, 0.0, heading_rad))
        if not self._session.call("simSetObjectPose", who, pose, True):
            raise SimulatorError(f"{self._address} has no person named '{who}' to move")

    def set_hour(self, hour_h: float) -> None:
        """Set the time of day, 0 to 24, at which the sun stays."""
        self._session.call("simSetTimeOfDay", *time_of_day_params(hour_h))

    def set_weather(self, **amounts: float) -> None:
        """Set amounts of rain, dust and fog, each 0 to 1; those not given stay."""
        self._session.call("simEnableWeather", True)
        for name, amount in amounts.items():
            self._session.call("simSetWeatherParameter", WEATHER[name], amount)


def time_of_day_params(hour_h: float | None) -> tuple[Any, ...]:
    """Parameters of simSetTimeOfDay that stop the sun at an hour; None: as the simulator has it."""
    minutes = round((hour_h or 0.0) * 60.0)
    start = f"2024-06-21 {minutes // 60 % 24:02d}:{minutes % 60:02d}:00"
    return hour_h is not None, start, False, 1.0, 60.0, False
