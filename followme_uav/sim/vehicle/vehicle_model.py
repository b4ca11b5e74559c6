"""MuJoCo's model of the quadrotor and of every solid that it can hit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from followme_uav.sim.city.obstacles import PERSON_HEIGHT_M, PERSON_RADIUS_M
from followme_uav.sim.city.shapes import corners_of
from followme_uav.sim.city.spawned import Shape, SpawnedObject
from followme_uav.sim.city.world import Collider
from followme_uav.sim.vehicle.vehicle_spec import GRAVITY_MPS2, Airframe

TIME_STEP_NS = 5_000_000
TIME_STEP_S = TIME_STEP_NS * 1e-9

_OBJECT_GROUP = 1
"""MuJoCo's geom group of spawned objects; all other geoms are in group 0."""
_OBSTACLE_BITS = 'contype="1" conaffinity="0"'
"""Obstacles are tested for contact with the vehicle alone, never with each other."""
NOWHERE_M = 1000.0
"""Depth below ground of absent people: nothing can hit them there."""


def model_xml(
    frame: Airframe,
    obstacles: Sequence[Collider],
    people: int,
    cars: Sequence[Collider],
    objects: Sequence[SpawnedObject],
) -> str:
    """MuJoCo's model of the world as XML.

    The order of its geoms is ground, obstacles, people, cars, vehicle, objects; that of its mocap
    bodies people, cars, objects.
    """
    inertia = f'mass="{frame.mass_kg}" diaginertia="{_numbers(frame.inertia_kgm2)}"'
    return f"""<mujoco>
      {_meshes(objects)}
      <option timestep="{TIME_STEP_S}" gravity="0 0 {GRAVITY_MPS2}"/>
      <worldbody>
        <geom type="plane" size="0 0 1" quat="0 1 0 0" {_OBSTACLE_BITS}/>
        {"".join(map(_obstacle, obstacles))}
        {_person() * people}
        {"".join(map(_car, cars))}
        <body><freejoint/>
          <inertial pos="0 0 0" {inertia}/>
          <geom type="box" size="{_numbers(frame.half_size_m)}" contype="0" conaffinity="1"/>
        </body>
        {"".join(_spawned(one, i) for i, one in enumerate(objects))}
      </worldbody>
    </mujoco>"""


def _obstacle(solid: Collider) -> str:
    half = 0.5 * solid.yaw_rad
    north, east, up = solid.half_size_m
    size = f"{north!r} {east!r} {up!r}" if solid.shape == "box" else f"{north!r} {up!r}"
    return (
        f'<geom type="{solid.shape}" size="{size}" pos="{_numbers(solid.centre_m)}" '
        f'quat="{math.cos(half)!r} 0 0 {math.sin(half)!r}" {_OBSTACLE_BITS}/>'
    )


def _person() -> str:
    capsule = f"{PERSON_RADIUS_M} {0.5 * PERSON_HEIGHT_M - PERSON_RADIUS_M}"
    return (
        f'<body mocap="true" pos="0 0 {NOWHERE_M}">'
        f'<geom type="capsule" size="{capsule}" {_OBSTACLE_BITS}/></body>'
    )


def _car(car: Collider) -> str:
    return (
        f'<body mocap="true" pos="{_numbers(car.centre_m)}">'
        f'<geom type="box" size="{_numbers(car.half_size_m)}" {_OBSTACLE_BITS}/></body>'
    )


def _spawned(one: SpawnedObject, index: int) -> str:
    return (
        f'<body mocap="true" pos="{_numbers(one.position_m)}" quat="{_numbers(one.orientation)}">'
        f'<geom {_form(one, index)} group="{_OBJECT_GROUP}" {_OBSTACLE_BITS}/></body>'
    )


def _meshes(objects: Sequence[SpawnedObject]) -> str:
    meshes = [
        f'<mesh name="object{i}" vertex="{_numbers(corners_of(one).ravel())}"/>'
        for i, one in enumerate(objects)
        if _is_mesh(one)
    ]
    return f"<asset>{''.join(meshes)}</asset>" if meshes else ""


def _is_mesh(one: SpawnedObject) -> bool:
    return one.asset.shape in (Shape.CYLINDER, Shape.CONE)


def _form(one: SpawnedObject, index: int) -> str:
    if _is_mesh(one):
        return f'type="mesh" mesh="object{index}"'
    kind = "box" if one.asset.shape is Shape.CUBE else "ellipsoid"
    return f'type="{kind}" size="{_numbers(one.half_size_m)}"'


def _numbers(values: Iterable[Any]) -> str:
    return " ".join(repr(float(v)) for v in values)
