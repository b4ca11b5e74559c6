"""Time of day and weather as somebody asks for them; without being asked, nothing changes.

The sun moves with the simulated time only, so that equal flights see equal shadows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from followme_uav.sim.city.atmosphere import CLEAR, Atmosphere, Weather, at_time, day_of


@dataclass(frozen=True)
class TimeOfDay:
    """The time of day that the sun goes by."""

    start_hour_h: float
    """0 to 24."""
    speed: float = 1.0
    """Hours of the day per simulated hour."""
    update_s: float = 60.0
    """The sun moves in steps that are this long in simulated time."""


class Environment:
    """What the light of a simulation depends on.

    Args:
        seed: of the city; it has a sun of its own until somebody sets the time.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._clock: TimeOfDay | None = None
        self._clock_start_ns = 0
        self._weather = CLEAR
        self._weather_counts = False
        self._touched = False

    def set_time_of_day(self, clock: TimeOfDay | None, now_ns: int) -> None:
        """Let the sun go by this clock from now on; None: the sun of the seed."""
        self._clock, self._clock_start_ns, self._touched = clock, now_ns, True

    def restart_time_of_day(self, now_ns: int) -> None:
        """The clock shows its start again."""
        self._clock_start_ns = now_ns

    def enable_weather(self, enabled: bool) -> None:
        """Whether the weather that was set can be seen."""
        self._weather_counts, self._touched = enabled, True

    def set_weather(self, **amounts: float) -> None:
        """Change some of the amounts of `Weather`, each 0 to 1; the others stay."""
        self._weather, self._touched = replace(self._weather, **amounts), True

    def atmosphere(self, now_ns: int) -> Atmosphere | None:
        """The light as of now; None while nobody has asked for any."""
        if not self._touched:
            return None
        weather = self._weather if self._weather_counts else Weather()
        if self._clock is None:
            return day_of(self._seed, weather)
        clock = self._clock
        passed_s = (now_ns - self._clock_start_ns) * 1e-9
        passed_s = passed_s // clock.update_s * clock.update_s
        return at_time((clock.start_hour_h + clock.speed * passed_s / 3600.0) % 24.0, weather)
