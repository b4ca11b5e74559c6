"""RPC methods of time of day, weather and wind."""

from __future__ import annotations

from concurrent.futures import Future
from datetime import datetime
from typing import Any

from followme_uav.rpc.server import HandlerError
from followme_uav.sim.airsim_api import structs
from followme_uav.sim.airsim_api.service import Handlers, Service
from followme_uav.sim.airsim_api.structs import read_bool, read_int, read_number, read_text
from followme_uav.sim.city.environment import TimeOfDay
from followme_uav.sim.simulation import Simulation

DEFAULT_HOUR_H = 12.0
MAX_CLOCK_SPEED = 86_400.0
MIN_UPDATE_S, MAX_UPDATE_S = 0.1, 86_400.0
MAX_WIND_MPS = 30.0
DATE_FORMAT = "%Y-%m-%d %H:%M:%S"

# AirSim's WeatherParameter. Snow and leaves are accepted, but not rendered.
RAIN, DUST, FOG, LAST_PARAMETER = 0, 6, 7, 7
_DRAWN = {RAIN: "rain", DUST: "dust", FOG: "fog"}


class EnvironmentMethods(Service):
    """simSetTimeOfDay, simEnableWeather, simSetWeatherParameter and simSetWind."""

    def handlers(self) -> Handlers:
        """Method name to function."""
        return {
            "simSetTimeOfDay": self._set_time_of_day,
            "simEnableWeather": self._enable_weather,
            "simSetWeatherParameter": self._set_weather_parameter,
            "simSetWind": self._set_wind,
        }

    def _set_time_of_day(
        self,
        is_enabled: Any,
        start_datetime: Any,
        is_start_datetime_dst: Any,
        celestial_clock_speed: Any,
        update_interval_secs: Any,
        move_sun: Any,
    ) -> Future[None]:
        hour_h = _hour_h(read_text(start_datetime, "start_datetime"))
        if read_bool(is_start_datetime_dst, "is_start_datetime_dst"):
            hour_h = (hour_h - 1.0) % 24.0
        speed = read_number(celestial_clock_speed, "celestial_clock_speed", 0.0, MAX_CLOCK_SPEED)
        update_s = read_number(
            update_interval_secs, "update_interval_secs", MIN_UPDATE_S, MAX_UPDATE_S
        )
        clock = TimeOfDay(hour_h, speed if read_bool(move_sun, "move_sun") else 0.0, update_s)
        enabled = read_bool(is_enabled, "is_enabled")

        def job(simulation: Simulation) -> None:
            simulation.environment.set_time_of_day(clock if enabled else None, simulation.time_ns)
            simulation.changed()

        return self.call(job)

    def _enable_weather(self, enable: Any) -> Future[None]:
        enabled = read_bool(enable, "enable")

        def job(simulation: Simulation) -> None:
            simulation.environment.enable_weather(enabled)
            simulation.changed()

        return self.call(job)

    def _set_weather_parameter(self, param: Any, val: Any) -> Future[None]:
        number = read_int(param, "param", 0, LAST_PARAMETER)
        amount = read_number(val, "val", 0.0, 1.0)

        def job(simulation: Simulation) -> None:
            if number in _DRAWN:
                simulation.environment.set_weather(**{_DRAWN[number]: amount})
                simulation.changed()

        return self.call(job)

    def _set_wind(self, wind: Any) -> Future[None]:
        velocity = structs.read_vector(wind, "wind", MAX_WIND_MPS)

        def job(simulation: Simulation) -> None:
            simulation.vehicle.wind_mps = velocity

        return self.call(job)


def _hour_h(text: str) -> float:
    """Hour of the day of a date and time; noon for an empty text."""
    if not text:
        return DEFAULT_HOUR_H
    try:
        when = datetime.strptime(text, DATE_FORMAT)
    except ValueError:
        raise HandlerError(f"start_datetime '{text}': use the form 2024-06-21 18:30:00") from None
    return when.hour + when.minute / 60.0 + when.second / 3600.0
