"""The sticks of a remote control, as a client moves them with moveByRC.

Without API control they fly the vehicle, by leaning or (first switch on) by turn rates; under API
control they count for moveByManual only. All sticks rest at 0 and reach from -1 to 1; the
throttle of direct flight is 0 to 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from followme_uav.sim.vehicle.control_loops import MAX_LEAN_RAD, MAX_RATE_RADPS
from followme_uav.sim.vehicle.setpoints import Attitude, BodyRates

LIFE_NS = 100_000_000
"""Sticks with a time stamp count for so long; without one (0), until others come."""

_RATE_SWITCH = 1


@dataclass(frozen=True)
class RemoteControl:
    """AirSim's RCData."""

    timestamp_ns: int = 0
    pitch: float = 0.0
    """Forward is positive: it lowers the nose."""
    roll: float = 0.0
    """To the right is positive."""
    throttle: float = 0.0
    yaw: float = 0.0
    """Clockwise is positive."""
    left_z: float = 0.0
    right_z: float = 0.0
    switches: int = 0
    """One bit per switch."""
    vendor_id: str = ""
    is_initialized: bool = False
    is_valid: bool = False

    def counts(self, age_ns: int) -> bool:
        """Whether to obey sticks that came so long ago."""
        return self.is_valid and (self.timestamp_ns == 0 or age_ns <= LIFE_NS)

    def set_point(self) -> Attitude | BodyRates:
        """What the sticks ask for in direct flight."""
        throttle = max(self.throttle, 0.0)
        yaw_rate = math.pi * self.yaw  # the autopilot limits it, as SimpleFlight does
        if self.switches & _RATE_SWITCH:
            roll_rate, pitch_rate = MAX_RATE_RADPS * self.roll, -MAX_RATE_RADPS * self.pitch
            return BodyRates(roll_rate, pitch_rate, yaw_rate, throttle=throttle)
        roll, pitch = MAX_LEAN_RAD * self.roll, -MAX_LEAN_RAD * self.pitch
        return Attitude(roll, pitch, yaw_rate_radps=yaw_rate, throttle=throttle)


NO_REMOTE_CONTROL = RemoteControl()
"""A radio that is switched off."""
