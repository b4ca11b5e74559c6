"""The set points of the autopilot, from the most to the least stabilised.

A velocity (the usual case), a position, an attitude, body rates, or rotor throttles. World NED,
body FRD: a positive roll leans right, a positive pitch lifts the nose, a positive yaw turns
clockwise.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Velocity:
    """A velocity over ground.

    Exactly one of `down_mps` and `z_m` is set, and exactly one of `yaw_rate_radps` and `yaw_rad`.
    """

    north_mps: float
    east_mps: float
    down_mps: float | None = None
    z_m: float | None = None
    yaw_rate_radps: float | None = None
    yaw_rad: float | None = None


@dataclass(frozen=True)
class Position:
    """A position to hold. Exactly one of `yaw_rate_radps` and `yaw_rad` is set."""

    north_m: float
    east_m: float
    z_m: float
    yaw_rate_radps: float | None = None
    yaw_rad: float | None = None


@dataclass(frozen=True)
class Attitude:
    """An attitude.

    Exactly one of `yaw_rate_radps` and `yaw_rad` is set, and exactly one of `z_m` and `throttle`.
    """

    roll_rad: float
    pitch_rad: float
    yaw_rate_radps: float | None = None
    yaw_rad: float | None = None
    z_m: float | None = None
    throttle: float | None = None
    """0..1, the same for all four rotors; see `Airframe.throttle_thrust_n`."""


@dataclass(frozen=True)
class BodyRates:
    """Rates about the body's axes. Exactly one of `z_m` and `throttle` is set."""

    roll_radps: float
    pitch_radps: float
    yaw_radps: float
    z_m: float | None = None
    throttle: float | None = None


@dataclass(frozen=True)
class Rotors:
    """Throttle of each rotor, 0..1, without stabilisation."""

    front_right: float
    rear_left: float
    front_left: float
    rear_right: float


SetPoint = Velocity | Position | Attitude | BodyRates | Rotors
