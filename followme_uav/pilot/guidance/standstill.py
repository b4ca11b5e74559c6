"""A vehicle that stands although it should fly: something holds it up."""

from __future__ import annotations

import math

from followme_uav.pilot.guidance.inputs import GuidanceInputs

SLOW_MPS, STUCK_S = 0.5, 5.0
"""A vehicle that is slower than this for so long, although it should fly on, is stuck."""


class Standstill:
    """Notices that the vehicle is stuck, as in a gap too narrow for it.

    Args:
        low_altitude_m: Below this, a vehicle climbs first.
    """

    def __init__(self, low_altitude_m: float) -> None:
        self._low_altitude_m = low_altitude_m
        self._stands_s = 0.0

    def is_stuck(self, inputs: GuidanceInputs, wanted_mps: float) -> bool:
        """Whether the vehicle is stuck, given the speed it should have; once in `STUCK_S`."""
        stands = math.hypot(*inputs.frame.vehicle.velocity_mps[:2]) < SLOW_MPS < wanted_mps
        flies = inputs.altitude_m >= self._low_altitude_m
        self._stands_s = self._stands_s + inputs.dt_s if stands and flies else 0.0
        if self._stands_s < STUCK_S:
            return False
        self._stands_s = 0.0
        return True
