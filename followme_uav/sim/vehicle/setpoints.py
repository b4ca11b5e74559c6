"""What the autopilot can be asked for, from the most help to none.

A velocity (the usual case), an attitude, body rates, or the bare rotors. World NED, body FRD:
a positive roll leans right, a positive pitch lifts the nose, a positive yaw turns clockwise.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Velocity:
    """A motion over ground. Exactly one of each pair (climb, heading) is set."""

    north_mps: float
    east_mps: float
    down_mps: float | None = None
    z_m: float | None = None
    yaw_rate_radps: float | None = None
    yaw_rad: float | None = None


@dataclass(frozen=True)
class Attitude:
    """A lean. Exactly one of each pair (heading, lift) is set."""

    roll_rad: float
    pitch_rad: float
    yaw_rate_radps: float | None = None
    yaw_rad: float | None = None
    z_m: float | None = None
    throttle: float | None = None
    """0..1, all four rotors alike; see `Airframe.full_throttle_n`."""


@dataclass(frozen=True)
class BodyRates:
    """Turn rates about the body's axes. Exactly one of `z_m` and `throttle` is set."""

    roll_radps: float
    pitch_radps: float
    yaw_radps: float
    z_m: float | None = None
    throttle: float | None = None


@dataclass(frozen=True)
class Rotors:
    """Throttle of each rotor, 0..1, and nothing that keeps the vehicle upright."""

    front_right: float
    rear_left: float
    front_left: float
    rear_right: float


SetPoint = Velocity | Attitude | BodyRates | Rotors
