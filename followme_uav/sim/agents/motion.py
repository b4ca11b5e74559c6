"""The motion of people during one time step: the intent, as far as obstacles permit it."""

from __future__ import annotations

import math

import numpy as np

from followme_uav.messages import Vec3
from followme_uav.sim.agents.avoidance import hold_back, separate
from followme_uav.sim.agents.crowd_state import Bodies, Intent, Surroundings
from followme_uav.sim.agents.gait import stride_m
from followme_uav.sim.agents.ground_contact import keep_off_vehicle, push_out, push_out_one
from followme_uav.sim.agents.traffic import MovingCars
from followme_uav.sim.agents.walkways import Walkways
from followme_uav.sim.city.arrays import Floats

ACCELERATION_MPS2 = 2.0
HARD_BRAKING_MPS2 = 5.0

_TURN_RATE_RADPS = 4.0
_STANDING_MASS = 4.0  # a person who stands is pushed aside less than one who walks


def move(
    bodies: Bodies,
    intent: Intent,
    surroundings: Surroundings,
    walkways: Walkways,
    traffic: MovingCars | None,
    dt_s: float,
    vehicle_m: Vec3 | None = None,
) -> Bodies:
    """Move all people by one time step.

    Args:
        bodies: all people before the step.
        intent: what they do.
        surroundings: what they may touch.
        walkways: the obstacles on them.
        traffic: cars that they may touch.
        dt_s: length of the step.
        vehicle_m: north, east and ground height of a vehicle among them.
    """
    change = intent.speed_mps - bodies.speed_mps
    change = np.minimum(np.maximum(change, -intent.braking_mps2 * dt_s), ACCELERATION_MPS2 * dt_s)
    speed_mps = bodies.speed_mps + change
    wanted = bodies.position + (intent.direction * speed_mps[:, None] + intent.sidestep_mps) * dt_s
    position = _resolved(
        bodies.position, wanted, speed_mps, surroundings, walkways, traffic, vehicle_m
    )
    # The speed follows the distance walked, so that the legs of a blocked person stop.
    moved = position - bodies.position
    moved_mps = np.sqrt(np.einsum("ij,ij->i", moved, moved)) / dt_s
    least_mps = np.maximum(moved_mps, speed_mps - HARD_BRAKING_MPS2 * dt_s)
    speed_mps = np.minimum(speed_mps, least_mps)
    cycles_hz = speed_mps / np.maximum(stride_m(speed_mps), 1e-3)
    return Bodies(
        position=position,
        heading_rad=_turned(bodies.heading_rad, intent, speed_mps, dt_s),
        speed_mps=speed_mps,
        gait_phase_rad=(bodies.gait_phase_rad + 2 * math.pi * dt_s * cycles_hz) % (2 * math.pi),
    )


def _resolved(
    before: Floats,
    wanted: Floats,
    speed_mps: Floats,
    surroundings: Surroundings,
    walkways: Walkways,
    traffic: MovingCars | None,
    vehicle_m: Vec3 | None,
) -> Floats:
    """(people, 2) positions nearest to the wanted ones that touch nothing."""
    mass = np.where(speed_mps < 0.1, _STANDING_MASS, 1.0)
    after = separate(wanted, surroundings.pairs, mass)
    push_out(after, walkways.circles, surroundings.obstacles)
    if traffic is not None:
        for i in surroundings.on_road.tolist():
            height_m = float(surroundings.height_m[i])
            north, east = after[i].tolist()
            for circle in traffic.circles_near(north, east, height_m):
                push_out_one(after, i, circle)
    if vehicle_m is not None:
        keep_off_vehicle(before, after, surroundings.height_m, vehicle_m)
    walkways.keep_out(before, after)
    hold_back(before, after, surroundings.pairs)
    return after


def _turned(heading_rad: Floats, intent: Intent, speed_mps: Floats, dt_s: float) -> Floats:
    """(people,) headings, turned towards the course; people who stand keep theirs."""
    turning = speed_mps > 0.05
    turning[intent.turning_in_place] = True
    turn = (intent.course_rad - heading_rad + math.pi) % (2 * math.pi) - math.pi
    limit = np.where(turning, _TURN_RATE_RADPS * dt_s, 0.0)
    turned = heading_rad + np.minimum(np.maximum(turn, -limit), limit)
    wrapped: Floats = (turned + math.pi) % (2 * math.pi) - math.pi
    return wrapped
