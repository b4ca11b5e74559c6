"""The sweep of the camera from side to side."""

from __future__ import annotations

import math

from followme_uav.messages import LineOfSight


class Sweep:
    """A triangle wave in azimuth.

    The phase goes on after an interruption. A sweep that began anew after each false alarm would
    always turn to the same side first, and might never reach the other.
    """

    def __init__(self) -> None:
        self._periods = 0.0

    def restart(self) -> None:
        """Begin in the middle, turning right."""
        self._periods = 0.0

    def around(
        self, centre: LineOfSight, amplitude_deg: float, period_s: float, dt_s: float
    ) -> LineOfSight:
        """The next direction, `dt_s` after the last one, at the elevation of `centre`."""
        self._periods += dt_s / period_s
        triangle = 2.0 / math.pi * math.asin(math.sin(2.0 * math.pi * self._periods))
        swing_rad = math.radians(amplitude_deg) * triangle
        return LineOfSight(centre.azimuth_rad + swing_rad, centre.elevation_rad)
