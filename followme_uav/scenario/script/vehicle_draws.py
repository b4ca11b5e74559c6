"""Vehicles drawn from the seed of a flight: heavier, draggier or slower than those of the files.

They test whether the pilot depends on one vehicle. Each is one of `BASES` with other mass, drag,
rotors and gains, within the ranges below, which are shares of the file's own values. In a random
scenario the link to it is slow, too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from followme_uav.sim.vehicle.vehicle_spec import (
    DEFAULT_VEHICLE,
    SimpleFlightController,
    VehicleChoice,
    VehicleSpec,
    content_of,
    load_vehicle,
)

DRAWN = "drawn"
"""In place of a vehicle's name: each flight has one of its own."""
BASES = ("simpleflight", "nimble")
ONE_WAY_MS = (0.0, 150.0)
MASS, DRAG, ROTOR_LAG, GAINS = (0.75, 1.25), (0.2, 5.0), (0.5, 3.0), (0.7, 1.3)


def draw_vehicle(seed: int) -> dict[str, Any]:
    """Draw the vehicle that belongs to a seed, as the content of a vehicle file.

    The integral of SimpleFlight's vertical loop stays: it carries the weight.
    """
    rng = np.random.default_rng([seed, 41])
    base = BASES[int(rng.integers(len(BASES)))]
    spec = load_vehicle(base)
    mass, gains = float(rng.uniform(*MASS)), float(rng.uniform(*GAINS))
    drag, lag = (float(math.exp(rng.uniform(*np.log(limits)))) for limits in (DRAG, ROTOR_LAG))
    frame = spec.airframe
    airframe = {
        "mass_kg": frame.mass_kg * mass,
        "inertia_kgm2": [mass * inertia for inertia in frame.inertia_kgm2],
        "rotor_lag_s": frame.rotor_lag_s * lag,
        "linear_drag_ns_per_m": frame.linear_drag_ns_per_m * drag,
        "quadratic_drag_ns2_per_m2": [drag * axis for axis in frame.quadratic_drag_ns2_per_m2],
    }
    return {"extends": base, "airframe": airframe, "controller": _controller(spec, gains)}


def draw_delay(seed: int) -> dict[str, Any]:
    """Draw the event of a slow link to the vehicle, the same time for frames and commands."""
    way_ms = round(float(np.random.default_rng([seed, 42]).uniform(*ONE_WAY_MS)))
    return {"delay": {"frames_ms": way_ms, "commands_ms": way_ms, "jitter_ms": round(way_ms / 3)}}


def vehicle_draws_of(vehicle: VehicleChoice | None) -> dict[str, Any]:
    """The vehicle of a world by the names in `random_draws.DRAWS`: its base, and shares of it."""
    base = vehicle or DEFAULT_VEHICLE
    if isinstance(base, Mapping):
        base = str(base.get("extends", ""))
    draws: dict[str, Any] = {"vehicle": Path(base).stem or "own"}
    if not isinstance(vehicle, Mapping) or not base:
        return {**draws, "mass": 1.0, "drag": 1.0, "rotor_lag": 1.0, "gains": 1.0}
    own, of_file = load_vehicle(vehicle), load_vehicle(base)
    ratios = {
        "mass": (own.airframe.mass_kg, of_file.airframe.mass_kg),
        "drag": (_drag(own), _drag(of_file)),
        "rotor_lag": (own.airframe.rotor_lag_s, of_file.airframe.rotor_lag_s),
        "gains": (_gain(own), _gain(of_file)),
    }
    return {**draws, **{name: round(a / b, 3) if b else 1.0 for name, (a, b) in ratios.items()}}


def chosen_vehicle(vehicle: str | Path) -> VehicleChoice:
    """`DRAWN`, or the content of a vehicle file by name or path.

    Raises:
        ConfigError: As `load_vehicle`.
    """
    return DRAWN if vehicle == DRAWN else content_of(vehicle)


def _controller(spec: VehicleSpec, gains: float) -> dict[str, Any]:
    """The gains of the velocity, angle and rate loops, all by the same share."""
    controller = spec.controller
    if isinstance(controller, SimpleFlightController):
        return {
            name: {"kp": [gains * kp for kp in loop.kp]}
            for name, loop in (
                ("velocity", controller.velocity),
                ("angle", controller.angle),
                ("rate", controller.rate),
            )
        }
    return {
        "velocity_per_s": [gains * gain for gain in controller.velocity_per_s],
        "angle_per_s": [gains * gain for gain in controller.angle_per_s],
        "rate_per_s": gains * controller.rate_per_s,
    }


def _drag(spec: VehicleSpec) -> float:
    return spec.airframe.linear_drag_ns_per_m or spec.airframe.quadratic_drag_ns2_per_m2[0]


def _gain(spec: VehicleSpec) -> float:
    controller = spec.controller
    if isinstance(controller, SimpleFlightController):
        return controller.velocity.kp[0]
    return controller.velocity_per_s[0]
