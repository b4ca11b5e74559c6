"""Images of the scene: reproducible, exact masks, metric depth, correct geometry."""

import gc
import math
from dataclasses import replace

import numpy as np
import pytest
from panda3d import core

from followme_uav.errors import EnvironmentSetupError
from followme_uav.messages import CameraPose, Quaternion
from followme_uav.sim.agents.people import Crowd, Person
from followme_uav.sim.agents.routes import HeroMode
from followme_uav.sim.city.atmosphere import PRESETS, atmosphere
from followme_uav.sim.city.layout import Car
from followme_uav.sim.city.spawned import SLOT_NAMES, SpawnedObject, find_asset
from followme_uav.sim.city.styles import STYLES
from followme_uav.sim.city.world import City, make_city
from followme_uav.sim.pose import Pose
from followme_uav.sim.rendering import offscreen
from followme_uav.sim.rendering.objects import GROUND_ID, HERO_ID, SKY_ID
from followme_uav.sim.rendering.rendered_image import SKY_DEPTH_M
from followme_uav.sim.rendering.scene import Scene

FOV_RAD = math.radians(70.0)


@pytest.fixture(scope="module")
def city() -> City:
    return make_city(11)


@pytest.fixture(scope="module")
def scene(city: City):
    made = Scene(city)
    yield made
    made.close()


def _look(yaw_rad: float, pitch_rad: float) -> Quaternion:
    cy, sy = math.cos(yaw_rad / 2), math.sin(yaw_rad / 2)
    cp, sp = math.cos(pitch_rad / 2), math.sin(pitch_rad / 2)
    return (cy * cp, -sy * sp, cy * sp, sy * cp)


def _camera(north_m: float, east_m: float, up_m: float, yaw: float, pitch: float) -> CameraPose:
    return CameraPose((north_m, east_m, -up_m), _look(yaw, pitch), FOV_RAD)


def _standing(north_m: float, east_m: float) -> tuple[Person, ...]:
    return (Person((north_m, east_m, 0.0), 0.0, 0.0, 0.0, 0),)


def test_equal_inputs_give_equal_images(city: City, scene: Scene):
    """Deterministic flights need images that are equal to the last bit."""
    crowd = Crowd(city, 11)
    before = crowd.people
    camera = _camera(20.0, 20.0, 6.0, 0.7, -0.3)
    first = scene.render(camera, 160, 160, before)
    for _ in range(40):
        crowd.advance(0.05)
    other = scene.render(_camera(0.0, 0.0, 8.0, 2.0, -0.2), 96, 64, crowd.people)
    assert other.rgb.shape == (64, 96, 3)
    again = scene.render(camera, 160, 160, before)
    for name in ("rgb", "object_id", "depth_m"):
        assert np.array_equal(getattr(first, name), getattr(again, name)), name
    walked = scene.render(camera, 160, 160, crowd.people)
    assert not np.array_equal(first.object_id, walked.object_id)
    second_scene = Scene(city)
    assert np.array_equal(second_scene.render(camera, 160, 160, before).rgb, first.rgb)
    second_scene.close()


@pytest.mark.parametrize("yaw_rad", [0.0, math.pi / 2, math.pi, -math.pi / 2])
def test_hero_appears_at_the_projected_position(scene: Scene, yaw_rad: float):
    """A mirrored or rotated image would make the pilot steer the wrong way."""
    forward, right = 10.0, 2.5
    north_m = forward * math.cos(yaw_rad) - right * math.sin(yaw_rad)
    east_m = forward * math.sin(yaw_rad) + right * math.cos(yaw_rad)
    shown = scene.render(_camera(0.0, 0.0, 3.0, yaw_rad, 0.0), 160, 120, _standing(north_m, east_m))
    rows, cols = np.nonzero(shown.object_id == HERO_ID)
    focal_px = 80 / math.tan(FOV_RAD / 2)
    assert cols.mean() == pytest.approx(79.5 + focal_px * right / forward, abs=1.5)
    # Feet 3 m below the axis, crown about 1.72 m higher.
    assert rows.max() == pytest.approx(59.5 + focal_px * 3.0 / forward, abs=1.5)
    assert rows.min() == pytest.approx(59.5 + focal_px * (3.0 - 1.74) / forward, abs=1.5)
    depth_m = np.median(shown.depth_m[rows, cols])
    assert depth_m == pytest.approx(forward, abs=0.25)


def test_depth_is_planar_and_metric(scene: Scene):
    """Depth in other units or along rays would displace each measured obstacle."""
    down = scene.render(_camera(0.0, 0.0, 10.0, 0.0, -math.pi / 2), 64, 64, ())
    assert (down.object_id == GROUND_ID).all()
    assert down.depth_m.dtype == np.float32
    assert down.depth_m == pytest.approx(10.0, abs=0.16)  # kerbs and pavements stand out by 0.13 m
    up = scene.render(_camera(0.0, 0.0, 10.0, 0.0, math.pi / 2), 64, 64, ())
    assert (up.object_id == SKY_ID).all()
    assert (up.depth_m == SKY_DEPTH_M).all()


def test_depth_agrees_with_the_colliders(city: City, scene: Scene):
    """The rendered city and the city that the vehicle collides with must be one."""
    checked = 0
    for number, house in enumerate(city.buildings[:20]):
        gap_m = 6.0
        camera = _camera(
            house.north_m - house.size_north_m / 2 - gap_m, house.east_m, 5.0, 0.0, 0.0
        )
        shown = scene.render(camera, 32, 32, ())
        if scene.object_names[shown.object_id[16, 16]] == f"building_{number}":
            assert shown.depth_m[16, 16] == pytest.approx(gap_m, abs=0.5)
            checked += 1
    assert checked >= 5


def test_masks_separate_hero_and_people(city: City, scene: Scene):
    """The exact mask is the ground truth of training and of all scores."""
    crowd = Crowd(city, 11)
    hero = crowd.people[0].position_m
    near = (crowd.people[0], Person((hero[0] + 1.5, hero[1], hero[2]), 0.0, 0.0, 0.0, 1))
    shown = scene.render(_camera(hero[0] - 6.0, hero[1] - 1.0, 4.0, 0.2, -0.35), 160, 160, near)
    people, heroes = scene.class_masks(shown.object_id)
    assert heroes.sum() > 100
    assert people.sum() > 50
    assert not (people & heroes).any()
    assert scene.object_names[HERO_ID] == "hero"
    present = {scene.object_names[i] for i in np.unique(shown.object_id)}
    assert {"hero", "person_01", "ground"} <= present
    red, green, blue = shown.rgb[heroes].mean(axis=0)
    assert red > 2.0 * green
    assert red > 2.0 * blue
    empty = scene.render(_camera(hero[0] - 6.0, hero[1] - 1.0, 4.0, 0.2, -0.35), 160, 160, ())
    assert not any(mask.any() for mask in scene.class_masks(empty.object_id))


def test_gait_moves_the_limbs(scene: Scene):
    """A network trained on stiff figures would miss people who walk."""
    camera = _camera(0.0, 0.0, 2.0, 0.0, -0.1)
    masks = []
    for phase_rad in (0.3, 1.6, 3.4):
        walker = (Person((5.0, 0.0, 0.0), math.pi / 2, 1.4, phase_rad, 0),)
        masks.append(scene.render(camera, 160, 160, walker).object_id == HERO_ID)
    assert (masks[0] ^ masks[1]).sum() > 20
    assert (masks[1] ^ masks[2]).sum() > 20


def test_vehicle_is_drawn_only_with_a_given_pose(scene: Scene):
    """It must not cover its own camera, and must show in a chase view."""
    camera = _camera(-3.0, 0.0, 5.0, 0.0, 0.0)
    vehicle_id = scene.object_names.index("Drone1")
    pose = Pose((0.0, 0.0, -5.0), (1.0, 0.0, 0.0, 0.0))
    assert vehicle_id in scene.render(camera, 96, 96, (), vehicle=pose).object_id
    assert vehicle_id not in scene.render(camera, 96, 96, ()).object_id


def test_driving_car_appears_at_the_projected_position_as_background(city: City, scene: Scene):
    """A car hides people behind it in mask and depth alike; its shadow changes neither."""
    hero = _standing(16.0, 0.0)
    camera = _camera(0.0, 0.0, 1.4, 0.0, 0.0)
    car = Car(10.0, 0.0, math.pi / 2, 4.3, 1.78, 1.5, (0.2, 0.2, 0.2))
    plain = scene.render(camera, 160, 160, hero)
    shown = scene.render(camera, 160, 160, hero, (car,))
    car_id = scene.object_names.index(f"car_{len(city.cars)}")  # numbers of parked cars come first
    new = shown.object_id == car_id
    columns = np.nonzero(new)[1]
    focal_px = 80 / math.tan(FOV_RAD / 2)
    assert np.ptp(columns) == pytest.approx(focal_px * 4.3 / (10.0 - 0.89), abs=3.0)
    assert np.median(shown.depth_m[new]) == pytest.approx(10.0 - 0.89, abs=0.3)
    assert (shown.object_id == HERO_ID).sum() < 0.6 * (plain.object_id == HERO_ID).sum()
    assert not any((mask & new).any() for mask in scene.class_masks(shown.object_id))
    assert np.array_equal(shown.object_id[~new], plain.object_id[~new])
    assert np.array_equal(shown.depth_m[~new], plain.depth_m[~new])
    moved = scene.render(camera, 160, 160, hero, (replace(car, east_m=3.0),))
    assert np.nonzero(moved.object_id == car_id)[1].mean() > columns.mean() + 10
    again = scene.render(camera, 160, 160, hero)
    for name in ("rgb", "object_id", "depth_m"):
        assert np.array_equal(getattr(again, name), getattr(plain, name))


def test_each_driving_car_has_its_own_object_number(city: City, scene: Scene):
    """With one number for equal cars, the label of one would be that of all."""
    camera = _camera(0.0, 0.0, 2.0, 0.0, -0.1)
    looks = (4.3, 1.78, 1.5, (0.2, 0.2, 0.2))
    cars = tuple(Car(9.0 + 4.0 * i, -4.0 + 4.0 * i, 0.3, *looks) for i in range(3))
    shown = scene.render(camera, 160, 160, (), cars)
    columns = []
    for i in range(3):
        number = scene.object_names.index(f"car_{len(city.cars) + i}")
        columns.append(np.nonzero(shown.object_id == number)[1].mean())
    assert columns == sorted(columns)
    swapped = scene.render(camera, 160, 160, (), cars[::-1])
    first = scene.object_names.index(f"car_{len(city.cars)}")
    assert np.nonzero(swapped.object_id == first)[1].mean() == pytest.approx(columns[2], abs=1.0)


def test_absent_hero_is_in_no_image(city: City, scene: Scene):
    """A scenario without the hero must not show the hero."""
    crowd = Crowd(city, 11, hero=HeroMode.ABSENT)
    for yaw_rad in (0.0, 2.0, 4.0):
        shown = scene.render(_camera(10.0, 10.0, 8.0, yaw_rad, -0.3), 160, 160, crowd.people)
        assert HERO_ID not in shown.object_id


def test_masks_and_depth_do_not_depend_on_the_weather(city: City, scene: Scene):
    """A shadow or fog in the mask would be a wrong label."""
    crowd = Crowd(city, 11).people
    hero = crowd[0].position_m
    camera = _camera(hero[0] - 9.0, hero[1] - 1.0, 5.0, 0.1, -0.35)
    before = scene.atmosphere
    plain = scene.render(camera, 160, 160, crowd)
    images = [plain.rgb]
    for light in PRESETS.values():
        scene.set_atmosphere(light)
        shown = scene.render(camera, 160, 160, crowd)
        assert np.array_equal(shown.object_id, plain.object_id)
        assert np.array_equal(shown.depth_m, plain.depth_m)
        assert all(not np.array_equal(shown.rgb, other) for other in images)
        images.append(shown.rgb)
    scene.set_atmosphere(before)
    assert np.array_equal(scene.render(camera, 160, 160, crowd).rgb, plain.rgb)


def test_fog_hides_far_surfaces_and_spares_near_ones(scene: Scene):
    """Fog that does not grow with distance would be a grey filter."""
    camera = _camera(0.0, -90.0, 4.0, math.pi / 2, 0.0)
    before = scene.atmosphere
    scene.set_atmosphere(PRESETS["overcast"])
    clear = scene.render(camera, 160, 160, ())
    scene.set_atmosphere(PRESETS["fog"])
    foggy = scene.render(camera, 160, 160, ())
    scene.set_atmosphere(before)
    mist = np.array(PRESETS["fog"].fog) * 255.0
    gap = np.abs(foggy.rgb - mist).mean(axis=2)
    near, far = clear.depth_m < 12.0, (clear.depth_m > 100.0) & (clear.object_id != SKY_ID)
    assert far.sum() > 50
    assert gap[far].mean() < 0.4 * np.abs(clear.rgb - mist).mean(axis=2)[far].mean()
    assert gap[near].mean() > 3.0 * gap[far].mean()


def test_buildings_and_people_cast_shadows_away_from_the_sun(city: City):
    """Shadows on the sunny side would be wrong training data."""
    house = city.buildings[0]
    scene = Scene(replace(city, buildings=(house,), trees=(), bushes=(), lamps=()), people=0)
    beside = 2.0
    light = []
    for side in (-1.0, 1.0):
        at_m = house.north_m + side * (house.size_north_m / 2 + beside)
        looking_down = _camera(at_m, house.east_m, 1.2, 0.0, -math.pi / 2)
        scene.set_atmosphere(atmosphere(0.0, 60.0))  # the sun in the north
        sunny = scene.render(looking_down, 32, 32, ()).rgb.mean()
        scene.set_atmosphere(atmosphere(180.0, 60.0))
        light.append(sunny / scene.render(looking_down, 32, 32, ()).rgb.mean())
    assert light[0] < 0.85
    assert light[1] > 1.15
    scene.set_atmosphere(atmosphere(0.0, 45.0))
    above = _camera(-5.0, 0.0, 6.0, 0.0, -0.9)
    empty = scene.render(above, 160, 160, ())
    stands = scene.render(above, 160, 160, _standing(0.0, 0.0))
    darker = (stands.rgb.sum(axis=2) < 0.9 * empty.rgb.sum(axis=2)) & (
        stands.object_id == GROUND_ID
    )
    feet = np.nonzero(stands.object_id == HERO_ID)[0].max()
    assert darker.sum() > 30
    assert (
        np.nonzero(darker)[0].mean() > feet - 10
    )  # the shadow falls southwards, towards the camera
    scene.close()


def test_styles_differ_in_colour_and_share_the_streets():
    """Training needs varied cities; the pilot relies on one street map."""
    camera = _camera(-40.0, 0.0, 8.0, 0.3, -0.3)
    images, grounds = [], []
    for style in STYLES:
        made = Scene(make_city(11, style), people=0)
        shown = made.render(camera, 96, 96, ())
        made.close()
        images.append(shown.rgb[shown.object_id == GROUND_ID].mean(axis=0))
        grounds.append(shown.object_id == GROUND_ID)
    for i, colour in enumerate(images):
        for other in images[:i]:
            assert np.abs(colour - other).max() > 2.0
    assert np.mean(grounds[0] == grounds[2]) > 0.7


def test_missing_egl_names_the_package_to_install(city: City, monkeypatch):
    """A user of a bare machine learns what to install instead of reading a stack trace."""
    monkeypatch.setattr(offscreen, "_PIPE", "p3nothing")
    with pytest.raises(EnvironmentSetupError, match="apt-get install libegl1"):
        Scene(city)


def test_scene_renders_after_other_scenes_were_closed(city: City, scene: Scene):
    """Data of several cities is collected in one process."""
    for _ in range(2):
        other = Scene(city, people=0)
        other.render(_camera(0.0, 0.0, 3.0, 0.0, 0.0), 32, 32, ())
        other.close()
        del other
        gc.collect()
    for size_px in (32, 48):  # the second size needs a new buffer
        assert scene.render(_camera(0.0, 0.0, 3.0, 0.0, 0.0), size_px, size_px, ()).rgb.any()


def test_rendering_does_not_accumulate_states(scene: Scene, city: City):
    """A simulator that runs for days must not fill the memory with states of past poses."""

    def draw(count: int) -> int:
        crowd = Crowd(city, 11)
        for _ in range(count):
            crowd.advance(0.1)
            north, east, _ = crowd.people[0].position_m
            scene.render(_camera(north - 6.0, east, 4.0, 0.0, -0.4), 64, 64, crowd.people)
        return core.TransformState.get_num_states() + core.RenderState.get_num_states()

    first = draw(10)
    assert draw(60) < first + 50


def _spawned(asset: str, north_m: float, number: int, **changes) -> SpawnedObject:
    place = (north_m, 0.0, -8.0)
    one = SpawnedObject("it", find_asset(asset), place, (1.0, 0.0, 0.0, 0.0), (2.0, 2.0, 2.0))
    return replace(one, number=number, **changes)


@pytest.mark.parametrize(
    ("asset", "front_m", "share"),
    [("Cube", 1.0, 1.0), ("Sphere", 1.0, math.pi / 4), ("Cylinder", 1.0, 1.0), ("Cone", 0.5, 0.5)],
)
def test_spawned_solid_is_in_image_mask_and_depth(scene, asset, front_m, share):
    """`share` is the part of its bounding box that the outline fills."""
    camera, number = _camera(0.0, 0.0, 8.0, 0.0, 0.0), scene.object_names.index(SLOT_NAMES[0])
    before = scene.render(camera, 160, 160, ())
    bytes_before = before.rgb.tobytes(), before.object_id.tobytes()
    assert number not in before.object_id
    red = (0.8, 0.05, 0.05)
    scene.set_objects([_spawned(asset, 6.0, number, colour=red)])
    seen = scene.render(camera, 160, 160, ())
    mask = seen.object_id == number
    rows, columns = np.nonzero(mask)
    width, height = np.ptp(columns) + 1, np.ptp(rows) + 1
    assert mask.sum() / (width * height) == pytest.approx(share, abs=0.08)
    assert seen.depth_m[80, 80] == pytest.approx(6.0 - front_m, abs=0.05)
    r, g, b = seen.rgb[mask].mean(axis=0)
    assert r > 2 * max(g, b)
    scene.set_objects([])
    after = scene.render(camera, 160, 160, ())
    assert (after.rgb.tobytes(), after.object_id.tobytes()) == bytes_before


def test_brightness_of_a_light_follows_its_intensity(scene):
    camera, number = _camera(0.0, 0.0, 8.0, 0.0, 0.0), scene.object_names.index(SLOT_NAMES[1])
    shades = []
    for intensity in (0.0, 1000.0, 5000.0):
        scene.set_objects([_spawned("PointLightBP", 1.0, number, intensity=intensity)])
        seen = scene.render(camera, 160, 160, ())
        shades.append(seen.rgb[seen.object_id == number].mean())
    scene.set_objects([])
    assert shades[0] + 20 < shades[1] < shades[2] - 20
