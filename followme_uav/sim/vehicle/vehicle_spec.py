"""The parameters of a vehicle: airframe, flight controller, rules of its tasks.

A vehicle file, `configs/vehicles/NAME.yaml`, has them all; `extends: NAME` takes from another file
the keys that a file lacks:

    extends: simpleflight
    airframe: {mass_kg: 1.25}
    tasks: {safe_landing: true}

Frames: body is forward, right, down; world is north, east, down.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from followme_uav import resources
from followme_uav.config import (
    Allowed,
    NonNegative,
    Positive,
    Section,
    merged,
    read_extending,
    validated,
)
from followme_uav.errors import ConfigError

DEFAULT_VEHICLE = "simpleflight"
"""The vehicle where none is named."""
FOLDER = "vehicles"

GRAVITY_MPS2 = 9.81

_Inertia = Annotated[Positive, Allowed(1e-4, 1.0)]
_Metres = Annotated[Positive, Allowed(0.02, 1.0)]
_Drag = Annotated[NonNegative, Allowed(0.0, 2.0)]
_PerSecond = Annotated[Positive, Allowed(0.05, 40.0)]
_Throttle = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_Gain = Annotated[NonNegative, Allowed(0.0, 100.0)]

GainTriple = tuple[_Gain, _Gain, _Gain]
_NONE: GainTriple = (0.0, 0.0, 0.0)


class Airframe(Section):
    """A rigid body with four rotors."""

    mass_kg: Annotated[Positive, Allowed(0.2, 10.0)]
    """Mass."""
    inertia_kgm2: tuple[_Inertia, _Inertia, _Inertia]
    """Moments of inertia about the body's forward, right and down axes."""
    half_size_m: tuple[_Metres, _Metres, _Metres]
    """Half of the collision box; at rest the centre is half the height above the ground."""
    rotor_x_m: _Metres
    """Distance of the rotors ahead of and behind the centre."""
    rotor_y_m: _Metres
    """Distance of the rotors to the right and left of the centre."""
    rotor_max_n: Annotated[Positive, Allowed(0.5, 100.0)]
    """Largest thrust of one rotor."""
    rotor_lag_s: Annotated[Positive, Allowed(0.001, 0.3)]
    """Time constant of a rotor's thrust."""
    rotor_delay_s: Annotated[NonNegative, Allowed(0.0, 0.1)] = 0.0
    """Time before a rotor begins to follow its command."""
    yaw_torque_per_thrust_m: Annotated[Positive, Allowed(0.001, 0.1)]
    """Torque of a rotor about its axis over its thrust."""
    linear_drag_ns_per_m: _Drag = 0.0
    """Drag force over airspeed, the same in all directions."""
    quadratic_drag_ns2_per_m2: tuple[_Drag, _Drag, _Drag] = (0.0, 0.0, 0.0)
    """Drag force over the square of the airspeed, along each axis of the body."""
    angular_drag_nms: Annotated[NonNegative, Allowed(0.0, 0.1)] = 0.0
    """Torque over turn rate that resists a turn."""
    hover_throttle: Annotated[_Throttle, Allowed(0.05, 0.95)] | None = None
    """Throttle (0 to 1, in proportion to thrust) that carries the weight."""
    full_throttle_n: Annotated[Positive, Allowed(0.5, 100.0)] | None = None
    """Thrust of one rotor at throttle 1, in place of `hover_throttle`."""

    @model_validator(mode="after")
    def _check(self) -> Airframe:
        if (self.hover_throttle is None) == (self.full_throttle_n is None):
            raise ValueError("set either hover_throttle or full_throttle_n")
        if 4.0 * min(self.rotor_max_n, self.throttle_thrust_n) <= 1.05 * self.weight_n:
            raise ValueError(
                f"four rotors of {min(self.rotor_max_n, self.throttle_thrust_n):.2f} N do not lift "
                f"{self.mass_kg:g} kg; lower mass_kg or raise the thrust"
            )
        return self

    @property
    def weight_n(self) -> float:
        """Weight of the vehicle."""
        return self.mass_kg * GRAVITY_MPS2

    @property
    def throttle_thrust_n(self) -> float:
        """Thrust of one rotor at throttle 1."""
        if self.full_throttle_n is not None:
            return self.full_throttle_n
        assert self.hover_throttle is not None  # noqa: S101 - checked by the validator
        return 0.25 * self.mass_kg * GRAVITY_MPS2 / self.hover_throttle


class ObserverController(Section):
    """A cascade of proportional loops with a disturbance observer, see `control_loops`."""

    kind: Literal["observer"]
    position_per_s: tuple[_PerSecond, _PerSecond, _PerSecond]
    """Speed over distance, axes x, y, z."""
    velocity_per_s: tuple[_PerSecond, _PerSecond, _PerSecond]
    """Acceleration over speed, axes forward, right, down."""
    angle_per_s: tuple[_PerSecond, _PerSecond, _PerSecond]
    """Turn rate over angle, axes roll, pitch, yaw."""
    rate_per_s: _PerSecond
    """Angular acceleration over turn rate."""
    turn_rate_radps: Annotated[Positive, Allowed(0.1, 2.5)]
    """Limit of the yaw rate while turning to an angle."""
    disturbance_time_s: Annotated[Positive, Allowed(0.05, 10.0)]
    """Time constant of the observer."""
    max_disturbance_mps2: Annotated[NonNegative, Allowed(0.0, 9.0)]
    """Limit of the observed disturbance, along each axis."""
    max_yaw_torque_nm: Annotated[Positive, Allowed(0.001, 2.0)]
    """Limit of the torque for yaw."""


class PidSpec(Section):
    """Gains of one of SimpleFlight's loops, in the order in which clients send them."""

    kp: GainTriple
    ki: GainTriple = _NONE
    kd: GainTriple = _NONE


class SimpleFlightController(Section):
    """AirSim's SimpleFlight, see `simple_flight`."""

    kind: Literal["simple_flight"]
    position: PidSpec
    """Axes x, y, z; error in metres, output a share of `max_speed_mps`."""
    velocity: PidSpec
    """Axes x, y, z; error in m/s, output a share of `max_lean_rad`, or of the throttle."""
    angle: PidSpec
    """Axes roll, pitch, yaw; error in radians, output a share of `max_rate_radps`."""
    rate: PidSpec
    """Axes roll, pitch, yaw; error in rad/s, output a share of the full throttle."""
    max_speed_mps: Annotated[Positive, Allowed(0.5, 30.0)]
    """Speed that the position loop asks for at most, along each axis."""
    max_lean_rad: Annotated[Positive, Allowed(0.05, 1.2)]
    """Roll and pitch that the velocity loop asks for at most."""
    max_rate_radps: Annotated[Positive, Allowed(0.2, 10.0)]
    """Turn rate that the angle loop asks for at most."""
    integral_leak_s: Annotated[Positive, Allowed(0.1, 1e6)]
    """Time constant with which the integral of the vertical speed's error decays."""
    min_throttle: Annotated[_Throttle, Allowed(0.0, 0.9)]
    """Least throttle of the vertical velocity loop."""
    min_mixing_throttle: Annotated[_Throttle, Allowed(0.0, 0.5)]
    """Below this throttle all rotors get the same, and attitude is not controlled."""
    idle_throttle: Annotated[_Throttle, Allowed(0.0, 0.5)]
    """Throttle without API control, with the remote control switched off."""


class TaskRules(Section):
    """How motion calls behave."""

    rules: Literal["own", "airsim"]
    """`own`: they answer true on arrival and supersede each other; `airsim`: as measured there."""
    safe_landing: bool = False
    """`land` goes on until the vehicle stands on something, also with AirSim's rules."""
    safe_return: bool = False
    """`goHome` flies level to a point above the start, also with AirSim's rules."""


class VehicleSpec(Section):
    """All parameters of a vehicle."""

    airframe: Airframe
    controller: Annotated[ObserverController | SimpleFlightController, Field(discriminator="kind")]
    tasks: TaskRules


VehicleChoice = str | dict[str, Any]
"""Name or path of a vehicle file, or the content of one."""


def load_vehicle(vehicle: str | Path | Mapping[str, Any] | None = None) -> VehicleSpec:
    """Read the parameters of a vehicle.

    Args:
        vehicle: Name of a shipped or own file in `configs/vehicles`, or a path; or the content of
            a file, complete unless `extends` names another one. None: `DEFAULT_VEHICLE`.

    Raises:
        ConfigError: The name is unknown, or a value is wrong; one line with file and key.
    """
    if isinstance(vehicle, Mapping):
        data = dict(vehicle)
        base = data.pop("extends", None)
        if base is not None:
            if not isinstance(base, str):
                raise ConfigError("vehicle: extends: write the name of a vehicle")
            data = merged(read_extending(_file(base), FOLDER), data)
        return validated(VehicleSpec, data, "vehicle")
    path = _file(vehicle or DEFAULT_VEHICLE)
    return validated(VehicleSpec, read_extending(path, FOLDER), path)


def content_of(vehicle: str | Path) -> dict[str, Any]:
    """The content of a vehicle file and of those that it extends, for example for a world file.

    Raises:
        ConfigError: As `load_vehicle`.
    """
    return load_vehicle(vehicle).model_dump(mode="json", exclude_unset=True)


def _file(name: str | Path) -> Path:
    return resources.named(name, FOLDER, "vehicle")
