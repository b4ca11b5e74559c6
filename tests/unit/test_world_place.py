"""A world as a place: solids, rays and distances agree with MuJoCo's."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from followme_uav.sim.city.obstacles import ClearanceField
from followme_uav.sim.city.rays import RayField
from followme_uav.sim.city.slopes import ray_to_terrain_m
from followme_uav.sim.city.world_place import WorldPlace
from followme_uav.sim.rendering.meshes.city_cells import CityMesh
from followme_uav.sim.rendering.meshes.world_structures import add_barrier
from followme_uav.sim.vehicle.vehicle import Vehicle
from followme_uav.worlds import world as w
from followme_uav.worlds.terrain import ground_height_m

_L_SHAPE = ((10.0, 10.0), (30.0, 10.0), (30.0, 18.0), (18.0, 18.0), (18.0, 30.0), (10.0, 30.0))
_TURNED = ((-20.0, 5.0), (-14.0, 13.0), (-22.0, 19.0), (-28.0, 11.0))
"""A rectangle of 10 m by 10 m."""


def _world(terrain: w.Terrain | None = None) -> w.World:
    return w.World(
        name="corner",
        bounds=w.Bounds(-50.0, -50.0, 50.0, 50.0),
        terrain=terrain,
        start_m=(-5.0, -20.0),
        streets=(
            w.Street("street", 8.0, ((-40.0, -20.0), (40.0, -20.0)), 2.0),
            w.Street("bridge", 3.0, ((-30.0, -5.0), (30.0, -2.0)), heights_m=(3.0, 8.0)),
        ),
        buildings=(w.Building(_L_SHAPE, 9.0, 3), w.Building(_TURNED, 6.0, 2, base_m=3.0)),
        trees=(w.Tree((5.0, -30.0)),),
    )


def _slope() -> w.Terrain:
    n, e = np.mgrid[-50:51:10, -50:51:10]
    heights = 2.0 * np.sin(n / 20.0) + 0.05 * e + 1e-3 * n * e
    return w.Terrain(-50.0, -50.0, 10.0, tuple(tuple(map(float, row)) for row in heights))


def test_rectangles_become_boxes_and_other_outlines_hulls():
    solids = {c.name: c for c in WorldPlace(_world(), 1).colliders if c.name == "building_1"}
    box = solids["building_1"]
    assert box.shape == "box"
    assert box.half_size_m == pytest.approx((5.0, 5.0, 1.5))
    assert box.centre_m == pytest.approx((-21.0, 12.0, -4.5))
    parts = [c for c in WorldPlace(_world(), 1).colliders if c.name == "building_0"]
    assert len(parts) >= 2


def test_distances_to_hulls_are_exact():
    field = ClearanceField(WorldPlace(_world(), 1).colliders)
    assert field.clearance_m((20.0, 25.0, -4.0)) == pytest.approx(2.0)  # in the notch of the L
    assert field.clearance_m((12.0, 12.0, -4.0)) == 0.0
    assert field.clearance_m((33.0, 14.0, -13.0)) == pytest.approx(5.0)  # across the eaves
    assert field.clearance_m((-21.0, 12.0, -1.0)) == pytest.approx(2.0)  # below a passage's ceiling


@pytest.mark.parametrize("terrain", [None, _slope()], ids=["level", "slope"])
def test_rays_and_lines_of_sight_agree_with_the_physics_world(terrain: w.Terrain | None):
    place = WorldPlace(_world(terrain), 1)
    field, rays = ClearanceField(place.colliders), RayField(place.colliders, terrain)
    vehicle = Vehicle(place.colliders, terrain=terrain)
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(150):
        north, east = rng.uniform(-45.0, 45.0, 2).tolist()
        start = (north, east, -ground_height_m(terrain, north, east) - rng.uniform(0.5, 12.0))
        if field.clearance_m(start) < 0.05:
            continue
        along = rng.normal(size=3)
        along[2] = abs(along[2])  # downwards, where the physics world has ground beyond the grid
        along /= np.linalg.norm(along)
        ours = rays.distance_m(start, tuple(along.tolist()), ())
        (theirs,), _ = vehicle.cast(start, along[None], 1e4)
        inside = max(abs(start[0] + ours * along[0]), abs(start[1] + ours * along[1])) < 50.0
        if inside:
            # MuJoCo divides the cells of the ground into triangles; rays follow the bilinear one.
            assert ours == pytest.approx(theirs, abs=1e-5 if terrain is None else 0.35)
            hits += 1
            end = tuple(s + (ours - 0.4) * a for s, a in zip(start, along.tolist(), strict=True))
            assert ours < 0.4 or rays.sees(start, end, ())
    assert hits > 60


def test_ray_meets_the_bilinear_ground_exactly():
    terrain = _slope()
    for start, along in (
        ((-30.0, -30.0, -9.0), (0.6, 0.64, 0.48)),
        ((44.0, 3.0, -1.95), (-1, 0, 0)),
    ):
        length_m = ray_to_terrain_m(terrain, start, along)
        assert 0.0 < length_m < 100.0
        n, e, d = (s + length_m * a for s, a in zip(start, along, strict=True))
        assert -d == pytest.approx(ground_height_m(terrain, n, e), abs=1e-6)
    assert ray_to_terrain_m(terrain, (0.0, 0.0, 50.0), (1.0, 0.0, 0.0)) == 0.0
    assert math.isinf(ray_to_terrain_m(terrain, (0.0, 0.0, -50.0), (0.0, 0.6, -0.8)))


def test_vehicle_stands_on_the_slope_at_the_start_without_a_collision():
    place = WorldPlace(_world(_slope()), 1)
    floor_m = place.floor_height_m(*place.start_m)
    vehicle = Vehicle(
        place.colliders, start_m=place.start_m, floor_m=floor_m, terrain=place.terrain
    )
    for _ in range(200):
        vehicle.step((0.0, 0.0, 0.0, 0.0))
    assert vehicle.collision is None
    assert vehicle.in_contact
    assert vehicle.position_m == pytest.approx((-5.0, -20.0, vehicle.start_m[2]), abs=0.1)


@pytest.mark.parametrize("kind", ["hedge", "wall", "fence"])
def test_barrier_on_a_slope_is_drawn_as_high_above_the_ground_as_on_level_ground(kind: str):
    barrier = w.Barrier(kind, ((-40.0, 0.0), (0.0, 10.0), (40.0, 10.0)), 1.5, 0.4)

    def ground_m(north_m: float, east_m: float) -> float:
        return 5.0 * math.sin(north_m / 15.0)  # a slope of a third

    out = CityMesh()
    add_barrier(out, barrier, ground_m, 7, on_slope=True)
    meshes = [*out.solids.values(), *out.details.values()]
    points = np.vstack([m.vertices["position"] for m in meshes if not m.is_empty])
    above_m = [-down - ground_m(north, east) for north, east, down in points.tolist()]
    assert 1.4 < max(above_m) < 1.5 + 3.0 / 3.0 + 0.2
    assert min(above_m) > -0.3 - 3.0 / 3.0 - 0.2


def test_style_of_the_world_counts_unless_another_one_is_asked_for():
    world = dataclasses.replace(_world(), style="modern")
    assert WorldPlace(world, 1).style == "modern"
    assert WorldPlace(world, 1, "old_town").style == "old_town"
