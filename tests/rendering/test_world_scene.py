"""Images of a world: masks and names, depth that agrees with rays, ground that slopes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from followme_uav.messages import CameraPose
from followme_uav.sim.agents.people import Crowd
from followme_uav.sim.agents.traffic_of import traffic_of
from followme_uav.sim.city.rays import RayField
from followme_uav.sim.city.world_place import WorldPlace
from followme_uav.sim.rendering.scene import Scene
from followme_uav.worlds import world as w
from followme_uav.worlds.terrain import ground_height_m
from tests.unit.world_parts import crossing, square

SIZE_PX = 96
DOWN = (math.sqrt(0.5), 0.0, -math.sqrt(0.5), 0.0)
"""A camera that looks straight down; north is up in its image."""


def _place() -> WorldPlace:
    n, e = np.mgrid[-60:61:10, -60:61:10]
    heights = 0.05 * n + 1.5 * np.sin(e / 25.0)
    terrain = w.Terrain(-60.0, -60.0, 10.0, tuple(tuple(map(float, row)) for row in heights))
    l_shape = ((10.0, 10.0), (34.0, 10.0), (34.0, 20.0), (20.0, 20.0), (20.0, 34.0), (10.0, 34.0))
    bridge = w.Street(
        "bridge", 3.0, ((-50.0, -30.0), (-20.0, -35.0)), heights_m=(4.0, 6.0),
        supports_m=((-35.0, -32.5),),
    )  # fmt: skip
    world = crossing(
        terrain=terrain,
        streets=(*crossing().streets, bridge),
        buildings=(
            w.Building(l_shape, 9.0, 3, "block"),
            w.Building(square(-20.0, 20.0, 7.0), 5.0, 2, "house", "gable"),
            w.Building(square(22.0, -22.0, 7.0), 6.0, 1, "hall"),
        ),
        trees=(w.Tree((-12.0, -12.0)),),
        lamps=(w.Lamp((7.0, 14.0)),),
        benches=(w.Bench((12.0, -9.0)),),
        planters=(w.Planter((-9.0, 9.0)),),
        containers=(w.Container((-12.0, -40.0)),),
        parked_cars=(w.ParkedCar((-40.0, 12.0)),),
        barriers=(w.Barrier("hedge", ((-40.0, 30.0), (-30.0, 40.0))),),
    )
    return WorldPlace(world, 4)


@pytest.fixture(scope="module")
def place() -> WorldPlace:
    return _place()


@pytest.fixture(scope="module")
def scene(place: WorldPlace):
    made = Scene(place, people=6)
    yield made
    made.close()


def _look(place, north, east, up_m, orientation=DOWN):
    floor_m = place.floor_height_m(north, east)
    return CameraPose((north, east, -floor_m - up_m), orientation, math.radians(60.0))


def test_each_object_of_the_world_is_drawn_with_its_number(place: WorldPlace, scene: Scene):
    names = scene.object_names
    assert len(names) == len(set(names))
    spots = {
        "building_0": (15.0, 15.0), "building_1": (-20.0, 20.0), "building_2": (22.0, -22.0),
        "tree_0_crown": (-12.0, -12.0), "bench_0": (12.0, -9.0), "planter_0": (-9.0, 9.0),
        "container_0": (-12.0, -40.0), "car_0": (-40.0, 12.0), "barrier_0": (-35.0, 35.0),
        "deck_2": (-30.0, -33.3), "ground": (0.0, 30.0),
    }  # fmt: skip
    for name, (north, east) in spots.items():
        image = scene.render(_look(place, north, east, 14.0), SIZE_PX, SIZE_PX, ())
        middle = slice(SIZE_PX // 2 - 3, SIZE_PX // 2 + 3)
        seen = {names[i] for i in np.unique(image.object_id[middle, middle])}
        assert name in seen, f"{name}: {seen}"


def test_depth_agrees_with_rays_to_walls_decks_and_sloping_ground(place: WorldPlace, scene: Scene):
    rays = RayField(place.colliders, place.terrain)
    checked = 0
    level = (1.0, 0.0, 0.0, 0.0)
    for north, east, up_m, pose in (
        (-30.0, 0.0, 3.0, level), (0.0, 15.0, 2.0, level), (-45.0, -33.0, 10.0, DOWN),
        (40.0, 40.0, 12.0, DOWN),
    ):  # fmt: skip
        camera = _look(place, north, east, up_m, pose)
        depth_m = scene.render(camera, SIZE_PX, SIZE_PX, ()).depth_m
        along = (1.0, 0.0, 0.0) if pose is level else (0.0, 0.0, 1.0)
        expected_m = rays.distance_m(camera.position_m, along, ())
        if expected_m < 60.0:
            seen_m = float(np.median(depth_m[SIZE_PX // 2 - 1 : SIZE_PX // 2 + 1, SIZE_PX // 2]))
            # A bridge is solid up to its railing, and cornices and plinths stand out a little.
            tolerance_m = 1.2 if north == -45.0 else 0.35
            assert seen_m == pytest.approx(expected_m, abs=tolerance_m)
            checked += 1
    assert checked >= 3


def test_ground_is_drawn_at_its_height_everywhere(place: WorldPlace, scene: Scene):
    for north, east in ((-55.0, 55.0), (3.0, -50.0), (44.0, 2.0), (55.0, -55.0)):
        up_m = 20.0
        depth_m = scene.render(_look(place, north, east, up_m), SIZE_PX, SIZE_PX, ()).depth_m
        expected_m = ground_height_m(place.terrain, north, east)
        drawn_m = expected_m + up_m - float(depth_m[SIZE_PX // 2, SIZE_PX // 2])
        assert drawn_m == pytest.approx(expected_m, abs=0.2)


def test_people_and_cars_are_drawn_on_the_slope_and_in_the_masks(place: WorldPlace, scene: Scene):
    crowd, traffic = Crowd(place, 4, 6), traffic_of(place, 4, 1)
    hero = crowd.people[0]
    north, east, down = hero.position_m
    assert -down == pytest.approx(place.floor_height_m(north, east), abs=0.02)
    image = scene.render(
        _look(place, north, east, 8.0), SIZE_PX, SIZE_PX, crowd.people, traffic.cars
    )
    _, mask = scene.class_masks(image.object_id)
    assert mask.any()
    assert float(image.depth_m[mask].min()) == pytest.approx(8.0 - 1.75, abs=0.35)
    for car in traffic.cars:
        image = scene.render(
            _look(place, car.north_m, car.east_m, 8.0), SIZE_PX, SIZE_PX, (), traffic.cars
        )
        name = scene.object_names[image.object_id[SIZE_PX // 2, SIZE_PX // 2]]
        assert name == "car_1"


def test_equal_worlds_give_equal_images(place: WorldPlace, scene: Scene):
    camera = _look(place, -30.0, 0.0, 3.0, (1.0, 0.0, 0.0, 0.0))
    one = scene.render(camera, SIZE_PX, SIZE_PX, ()).rgb
    other = Scene(_place(), people=6)
    try:
        assert np.array_equal(one, other.render(camera, SIZE_PX, SIZE_PX, ()).rgb)
    finally:
        other.close()
