"""MuJoCo's model of the quadrotor and of every solid that it can hit."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from followme_uav.sim.city.obstacles import PERSON_HEIGHT_M, PERSON_RADIUS_M
from followme_uav.sim.city.shapes import corners_of
from followme_uav.sim.city.spawned import Shape, SpawnedObject
from followme_uav.sim.city.world import Collider
from followme_uav.sim.vehicle.vehicle_spec import GRAVITY_MPS2, Airframe
from followme_uav.worlds.world import Terrain

TIME_STEP_NS = 5_000_000
TIME_STEP_S = TIME_STEP_NS * 1e-9

_OBJECT_GROUP = 1
"""MuJoCo's geom group of spawned objects; all other geoms are in group 0."""
_OBSTACLE_BITS = 'contype="1" conaffinity="0"'
"""Obstacles are tested for contact with the vehicle alone, never with each other."""
_FIELD_BITS, _CORNER_BITS = 'contype="2" conaffinity="0"', 'contype="0" conaffinity="2"'
"""The height field is tested for contact with the corners of the vehicle alone."""
_CORNERS = tuple(itertools.product((-1.0, 1.0), repeat=3))
NOWHERE_M = 1000.0
"""Depth below ground of absent people: nothing can hit them there."""
_BEYOND_M = 150.0
"""The height field continues level for so far beyond the terrain's grid."""
_BELOW_M = 5.0
"""Thickness of the height field below its lowest point."""
_CORNER_SHARE = 0.8
"""The balls at the corners of the vehicle's box, as large as this share of the least half size of
the box, stand on a height field in its place: MuJoCo finds too few points of contact between a box
and a height field, so that the box rocks. The middle of a smaller ball may come below the field,
and is then pushed sideways."""


def model_xml(
    frame: Airframe,
    obstacles: Sequence[Collider],
    people: int,
    cars: Sequence[Collider],
    objects: Sequence[SpawnedObject],
    terrain: Terrain | None = None,
) -> str:
    """MuJoCo's model of the world as XML.

    The heights of a terrain are not part of it; write those of `field_heights` into the model.

    The order of its geoms is ground, obstacles, people, cars, vehicle, objects; that of its mocap
    bodies people, cars, objects. `vehicle_geoms` tells how many geoms the vehicle has.
    """
    inertia = f'mass="{frame.mass_kg}" diaginertia="{_numbers(frame.inertia_kgm2)}"'
    return f"""<mujoco>
      {_assets(obstacles, objects, terrain)}
      <option timestep="{TIME_STEP_S}" gravity="0 0 {GRAVITY_MPS2}"/>
      <worldbody>
        {_ground(terrain)}
        {"".join(_obstacle(one, i) for i, one in enumerate(obstacles))}
        {_person() * people}
        {"".join(map(_car, cars))}
        <body><freejoint/>
          <inertial pos="0 0 0" {inertia}/>
          <geom type="box" size="{_numbers(frame.half_size_m)}" contype="0" conaffinity="1"/>
          {"" if terrain is None else "".join(_corners(frame))}
        </body>
        {"".join(_spawned(one, i) for i, one in enumerate(objects))}
      </worldbody>
    </mujoco>"""


def vehicle_geoms(terrain: Terrain | None) -> int:
    """Number of geoms of the vehicle."""
    return 1 if terrain is None else 1 + len(_CORNERS)


def field_heights(terrain: Terrain) -> NDArray[np.float64]:
    """Heights of the ground for `mjModel.hfield_data`: 0 is the lowest point, 1 the highest.

    Its rows run from east to west, because the field lies upside down in a world with z down.
    """
    heights = _padded(terrain)
    low, high = heights.min(), heights.max()
    shares: NDArray[np.float64] = (heights.T[::-1] - low) / max(high - low, 1e-9)
    return shares


def _padded(terrain: Terrain) -> NDArray[np.float64]:
    border = max(round(_BEYOND_M / terrain.spacing_m), 1)
    return np.pad(terrain.grid, border, mode="edge")


def _ground(terrain: Terrain | None) -> str:
    if terrain is None:
        return f'<geom type="plane" size="0 0 1" quat="0 1 0 0" {_OBSTACLE_BITS}/>'
    rows, columns = len(terrain.heights_m), len(terrain.heights_m[0])
    north_m = terrain.south_m + 0.5 * (rows - 1) * terrain.spacing_m
    east_m = terrain.west_m + 0.5 * (columns - 1) * terrain.spacing_m
    place = _numbers((north_m, east_m, -_padded(terrain).min()))
    return f'<geom type="hfield" hfield="ground" pos="{place}" quat="0 1 0 0" {_FIELD_BITS}/>'


def _corners(frame: Airframe) -> list[str]:
    """The balls at the corners of the vehicle's box, inside of it."""
    radius_m = _CORNER_SHARE * min(frame.half_size_m)
    places = [
        [side * (half - radius_m) for side, half in zip(corner, frame.half_size_m, strict=True)]
        for corner in _CORNERS
    ]
    return [
        f'<geom type="sphere" size="{radius_m!r}" pos="{_numbers(place)}" {_CORNER_BITS}/>'
        for place in places
    ]


def _field(terrain: Terrain) -> str:
    heights = _padded(terrain)
    north_m, east_m = (0.5 * (count - 1) * terrain.spacing_m for count in heights.shape)
    size = _numbers((north_m, east_m, max(heights.max() - heights.min(), 1e-3), _BELOW_M))
    rows, columns = heights.T.shape
    return f'<hfield name="ground" nrow="{rows}" ncol="{columns}" size="{size}"/>'


def _obstacle(solid: Collider, number: int) -> str:
    if solid.shape == "hull":
        return f'<geom type="mesh" mesh="solid{number}" {_OBSTACLE_BITS}/>'
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


def _assets(
    obstacles: Sequence[Collider], objects: Sequence[SpawnedObject], terrain: Terrain | None
) -> str:
    """Height field and meshes; MuJoCo takes the convex hull of the vertices of a mesh."""
    found = [_field(terrain)] if terrain is not None else []
    found += [
        f'<mesh name="solid{i}" vertex="{_numbers(v for p in one.corners_m for v in p)}"/>'
        for i, one in enumerate(obstacles)
        if one.shape == "hull"
    ]
    found += [
        f'<mesh name="object{i}" vertex="{_numbers(corners_of(one).ravel())}"/>'
        for i, one in enumerate(objects)
        if _is_mesh(one)
    ]
    return f"<asset>{''.join(found)}</asset>" if found else ""


def _is_mesh(one: SpawnedObject) -> bool:
    return one.asset.shape in (Shape.CYLINDER, Shape.CONE)


def _form(one: SpawnedObject, index: int) -> str:
    if _is_mesh(one):
        return f'type="mesh" mesh="object{index}"'
    kind = "box" if one.asset.shape is Shape.CUBE else "ellipsoid"
    return f'type="{kind}" size="{_numbers(one.half_size_m)}"'


def _numbers(values: Iterable[Any]) -> str:
    return " ".join(repr(float(v)) for v in values)
