"""Time of day and weather, set by clients; without a client the light is constant.

The sun moves with the simulated time only, so that equal flights have equal shadows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from followme_uav.sim.city.atmosphere import CLEAR, Atmosphere, Weather, at_time, day_of


@dataclass(frozen=True)
class TimeOfDay:
    """The course of the time of day, which moves the sun."""

    start_hour_h: float
    """0 to 24."""
    speed: float = 1.0
    """Hours of the day per simulated hour."""
    update_s: float = 60.0
    """Simulated time between two moves of the sun."""


class Environment:
    """Time of day and weather of a simulation.

    Args:
        seed: of the city; it draws the sun until a client sets the time of day.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._time_of_day: TimeOfDay | None = None
        self._start_ns = 0
        self._weather = CLEAR
        self._weather_shown = False
        self._is_set = False

    def set_time_of_day(self, time_of_day: TimeOfDay | None, now_ns: int) -> None:
        """Move the sun by this time of day from now on; None: the sun drawn by the seed."""
        self._time_of_day, self._start_ns, self._is_set = time_of_day, now_ns, True

    def restart_time_of_day(self, now_ns: int) -> None:
        """Return to the hour at which the time of day starts."""
        self._start_ns = now_ns

    def enable_weather(self, enabled: bool) -> None:
        """Show or hide the weather that is set."""
        self._weather_shown, self._is_set = enabled, True

    def set_weather(self, **amounts: float) -> None:
        """Change some amounts of `Weather`, each 0 to 1; keep the others."""
        self._weather, self._is_set = replace(self._weather, **amounts), True

    def atmosphere(self, now_ns: int) -> Atmosphere | None:
        """The light as of now; None while no client has set time or weather."""
        if not self._is_set:
            return None
        weather = self._weather if self._weather_shown else Weather()
        if self._time_of_day is None:
            return day_of(self._seed, weather)
        course = self._time_of_day
        passed_s = (now_ns - self._start_ns) * 1e-9
        passed_s = passed_s // course.update_s * course.update_s
        return at_time((course.start_hour_h + course.speed * passed_s / 3600.0) % 24.0, weather)
