"""The sticks of a remote control, as a client sets them with moveByRC.

Without API control they fly the vehicle: roll and pitch sticks set the attitude or, with the first
switch on, body rates. Under API control only moveByManual reads them. All sticks rest at 0 and
range from -1 to 1; the throttle of direct flight ranges from 0 to 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from followme_uav.sim.vehicle.control_loops import MAX_LEAN_RAD, MAX_RATE_RADPS
from followme_uav.sim.vehicle.setpoints import Attitude, BodyRates

LIFE_NS = 100_000_000
"""Validity of sticks with a time stamp; without one (0) they are valid until the next ones."""

_RATE_SWITCH = 1


@dataclass(frozen=True)
class RemoteControl:
    """AirSim's RCData."""

    timestamp_ns: int = 0
    pitch: float = 0.0
    """Positive is forward: it lowers the nose."""
    roll: float = 0.0
    """Positive is right."""
    throttle: float = 0.0
    yaw: float = 0.0
    """Positive is clockwise."""
    left_z: float = 0.0
    right_z: float = 0.0
    switches: int = 0
    """One bit per switch."""
    vendor_id: str = ""
    is_initialized: bool = False
    is_valid: bool = False

    def counts(self, age_ns: int) -> bool:
        """Whether sticks of this age are valid."""
        return self.is_valid and (self.timestamp_ns == 0 or age_ns <= LIFE_NS)

    def set_point(self) -> Attitude | BodyRates:
        """The set point of the sticks in direct flight."""
        throttle = max(self.throttle, 0.0)
        yaw_rate = math.pi * self.yaw  # the autopilot limits it, as SimpleFlight does
        if self.switches & _RATE_SWITCH:
            roll_rate, pitch_rate = MAX_RATE_RADPS * self.roll, -MAX_RATE_RADPS * self.pitch
            return BodyRates(roll_rate, pitch_rate, yaw_rate, throttle=throttle)
        roll, pitch = MAX_LEAN_RAD * self.roll, -MAX_LEAN_RAD * self.pitch
        return Attitude(roll, pitch, yaw_rate_radps=yaw_rate, throttle=throttle)


NO_REMOTE_CONTROL = RemoteControl()
"""A remote control that is switched off."""
