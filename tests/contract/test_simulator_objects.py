"""Spawned objects over real sockets, in every dialect: properties that scene scripts rely on.

The image is synthetic (see `painted_sky`) and keeps three object ids for spawned objects.
"""

import math

import pytest

from followme_uav.errors import RemoteError
from tests.contract.test_simulator import NAME, fresh, image, pixels, serving, vector, xyz

AIRBORNE = (0.0, 0.0, -8.0)
HOME = {"latitude": 47.641468, "longitude": -122.140165, "altitude": 122.0}


@pytest.fixture(scope="module")
def airsim():
    with serving() as (connect, simulation):
        yield connect(), simulation


@pytest.fixture
def call(airsim):
    """At the start, hovering with the nose to the north, without spawned objects."""
    session, simulation = airsim
    for one in list(simulation.objects):
        session.call("simDestroyObject", one.name)
    fresh(session)
    session.call("simFollowMePlaceVehicle", vector(*AIRBORNE), 0.0, NAME)
    return session


def pose(x=6.0, y=0.0, z=-8.0):
    return {"position": vector(x, y, z), "orientation": {"w_val": 1.0}}


def spawn(session, name="crate", asset="Cube", where=None, scale=(1.0, 1.0, 1.0), **changes):
    flags = {"physics_enabled": False, "is_blueprint": False} | changes
    where = pose() if where is None else where
    return session.call("simSpawnObject", name, asset, where, vector(*scale), *flags.values())


def ahead_m(session):
    return session.call("getDistanceSensorData", "Distance", NAME)["distance"]


def test_spawned_object_is_listed_placed_and_an_obstacle(call):
    assert spawn(call) == "crate"
    assert "crate" in call.call("simListSceneObjects", "cr.*")
    assert xyz(call.call("simGetObjectPose", "crate")["position"]) == (6.0, 0.0, -8.0)
    assert ahead_m(call) == pytest.approx(5.5, abs=0.05)
    north = {**HOME, "latitude": HOME["latitude"] + 20.0 / 111_319.5, "altitude": 130.0}
    assert call.call("simTestLineOfSightToPoint", north, NAME) is False
    assert call.call("simDestroyObject", "crate") is True
    assert call.call("simTestLineOfSightToPoint", north, NAME) is True
    assert call.call("simListSceneObjects", "cr.*") == []


def test_every_listed_asset_can_be_spawned(call):
    assets = call.call("simListAssets")
    assert {"Cube", "Sphere", "Cylinder", "Cone", "1M_Cube_Chamfer"} < set(assets)
    for asset in assets:
        name = spawn(call, f"one {asset}", asset, is_blueprint=asset.endswith("BP"))
        assert ahead_m(call) < 6.1
        assert call.call("simDestroyObject", name) is True


def test_similar_names_are_numbered_as_on_airsim(call):
    assert [spawn(call, "box") for _ in range(3)] == ["box", "box1", "box2"]
    call.call("simDestroyObject", "box")
    assert spawn(call, "BO") == "BO3"  # it is part of the others, ignoring case


def test_names_of_the_city_are_not_shadowed(call):
    """A script may use a building's name for its object: the building keeps it."""
    before = call.call("simGetObjectPose", "building_1")
    name = spawn(call, "building_1")
    assert name != "building_1"
    assert call.call("simGetObjectPose", "building_1") == before


def test_moved_object_shows_in_the_next_image(call, airsim):
    spawn(call)
    image(call)
    drawn = airsim[1].renderer.renderings
    assert call.call("simSetObjectPose", "crate", pose(9.0), True) is True
    image(call)
    assert airsim[1].renderer.renderings == drawn + 1
    assert airsim[1].renderer.objects[0].position_m == (9.0, 0.0, -8.0)
    assert ahead_m(call) == pytest.approx(8.5, abs=0.05)


def test_case_of_a_spawned_name_is_ignored(call, airsim):
    """As for every other name."""
    spawn(call)
    assert xyz(call.call("simGetObjectPose", "CRATE")["position"]) == (6.0, 0.0, -8.0)
    assert call.call("simSetObjectPose", "Crate", pose(9.0), True) is True
    assert call.call("simSetObjectScale", "CRATE", vector(2.0, 2.0, 2.0)) is True
    assert xyz(call.call("simGetObjectScale", "cRate")) == (2.0, 2.0, 2.0)
    assert call.call("simSetObjectMaterial", "CRATE", "red", 0) is True
    assert call.call("simSetSegmentationObjectID", "Crate", 9, False) is True
    assert call.call("simGetSegmentationObjectID", "CRATE") == 9
    assert ahead_m(call) == pytest.approx(8.0, abs=0.05)
    assert call.call("simDestroyObject", "CRATE") is True
    assert len(airsim[1].objects) == 0


def test_invalid_pose_of_a_spawned_object_is_refused(call):
    spawn(call)
    with pytest.raises(RemoteError, match=r"pose\.position\.x_val is nan"):
        call.call("simSetObjectPose", "crate", pose(math.nan), True)
    assert call.call("simSetObjectPose", "crate2", pose(math.nan), True) is False


def test_scale_of_spawned_static_and_unknown_objects(call):
    spawn(call, scale=(1.0, 2.0, 3.0))
    scale = [xyz(call.call("simGetObjectScale", n)) for n in ("crate", "building_1", NAME, "no")]
    assert scale == [(1.0, 2.0, 3.0), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)]
    assert call.call("simSetObjectScale", "crate", vector(4.0, 1.0, 1.0)) is True
    assert ahead_m(call) == pytest.approx(4.0, abs=0.05)
    for name in ("building_1", "no"):
        assert call.call("simSetObjectScale", name, vector(2.0, 2.0, 2.0)) is False


def test_materials_are_colours_and_reach_the_renderer(call, airsim):
    spawn(call)
    assert call.call("simSetObjectMaterial", "crate", "Red", 0) is True
    red, green, blue = airsim[1].renderer.objects[0].colour
    assert red > 4 * max(green, blue)
    for name, material in (("crate", "/Game/M_Red"), ("building_1", "red"), ("no", "red")):
        assert call.call("simSetObjectMaterial", name, material, 0) is False


def test_intensity_applies_to_lights_only(call, airsim):
    spawn(call)
    light = spawn(call, "PointLight", "PointLightBP", is_blueprint=True)
    assert call.call("simSetLightIntensity", light, 250.0) is True
    assert airsim[1].renderer.objects[1].intensity == 250.0
    assert call.call("simSetLightIntensity", "crate", 1.0) is False
    assert call.call("simSetLightIntensity", "no", 1.0) is False


def test_object_has_a_segmentation_id_of_its_own(call):
    spawn(call)
    first = call.call("simGetSegmentationObjectID", "crate")
    assert first not in (-1, call.call("simGetSegmentationObjectID", "hero"))
    assert call.call("simSetSegmentationObjectID", "cra.*", 77, True) is True
    assert call.call("simGetSegmentationObjectID", "crate") == 77
    call.call("simDestroyObject", "crate")
    assert call.call("simGetSegmentationObjectID", "crate") == -1
    assert call.call("simSetSegmentationObjectID", "crate", 1, False) is False


def test_city_and_people_cannot_be_destroyed(call):
    for name in ("building_1", "hero", NAME, "ground", "no"):
        assert call.call("simDestroyObject", name) is False


def test_number_of_objects_is_limited(call):
    for i in range(3):
        spawn(call, f"n{i}")
    with pytest.raises(RemoteError, match="no room for more"):
        spawn(call, "one too many")
    call.call("simDestroyObject", "n0")
    assert spawn(call, "again") == "again"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"asset": "Teapot"}, "no objects with name Teapot"),
        ({"name": ""}, "object_name"),
        ({"name": "a" * 61}, "object_name"),
        ({"name": "a\nb"}, "object_name"),
        ({"where": pose(math.nan)}, "pose.position.x_val"),
        ({"scale": (0.0, 1.0, 1.0)}, "scale.x_val"),
        ({"scale": (1.0, -1.0, 1.0)}, "scale.y_val"),
        ({"scale": (1.0, 1.0, math.inf)}, "scale.z_val"),
        ({"is_blueprint": True}, "is_blueprint"),
        ({"asset": "PointLightBP"}, "is_blueprint"),
    ],
)
def test_invalid_spawn_is_refused_by_name(call, changes, said):
    with pytest.raises(RemoteError, match=said):
        spawn(call, **changes)
    assert call.call("simListSceneObjects", "crate.*") == []


def test_extents_contain_every_object(call):
    low, high = call.call("simGetWorldExtents")
    assert low["altitude"] == pytest.approx(122.0)
    assert low["latitude"] < HOME["latitude"] < high["latitude"]
    assert low["longitude"] < HOME["longitude"] < high["longitude"]
    assert high["altitude"] > 132.0
    spawn(call, where=pose(0.0, 900.0, -300.0))
    _, higher = call.call("simGetWorldExtents")
    assert higher["longitude"] > high["longitude"]
    assert higher["altitude"] > 420.0


def test_console_commands_fail(call):
    assert call.call("simRunConsoleCommand", "stat fps") is False


@pytest.mark.parametrize(
    ("north_deg", "east_deg"), [(-1.0, 0.0), (1.0, 0.0), (0.0, 1.0), (-2.0, 3.0)]
)
def test_line_of_sight_reaches_places_some_degrees_away(call, north_deg, east_deg):
    """High above the city it is free in every direction."""
    high = {**HOME, "altitude": 122.0 + 300.0}
    place = {
        "latitude": HOME["latitude"] + north_deg,
        "longitude": HOME["longitude"] + east_deg,
        "altitude": high["altitude"],
    }
    assert call.call("simTestLineOfSightBetweenPoints", high, place) is True
    below = {**HOME, "altitude": 100.0}  # below the ground
    assert call.call("simTestLineOfSightBetweenPoints", below, place) is False


def test_flight_to_a_place_one_degree_away_is_refused(call):
    there = (HOME["latitude"] - 1.0, HOME["longitude"], 130.0)
    with pytest.raises(RemoteError, match="100 km"):
        call.call("moveToGPS", *there, 5.0, 1.0, 0, {}, -1.0, 1.0, NAME)


# -- dialects --------------------------------------------------------------------------------


def test_colosseum_sends_poses_and_scales_as_arrays():
    with serving("colosseum") as (connect, simulation):
        session = connect()
        where = [[6.0, 1.0, -2.0], [1.0, 0.0, 0.0, 0.0]]
        session.call("simSpawnObject", "crate", "Cube", where, [1.0, 2.0, 3.0], False, False)
        assert session.call("simGetObjectScale", "crate") == [1.0, 2.0, 3.0]
        assert session.call("simSetObjectScale", "crate", [2.0, 2.0, 2.0]) is True
        assert simulation.objects.find("crate").scale == (2.0, 2.0, 2.0)
        assert len(session.call("simGetWorldExtents")[0]) == 3


def test_cosys_has_another_name_for_lights():
    with serving("cosys") as (connect, _):
        session = connect()
        lamp = spawn(session, "my lamp", "PointLightBP", is_blueprint=True)
        assert session.call("simSetWorldLightIntensity", lamp, 10.0) is True
        with pytest.raises(RemoteError, match="could not find function"):
            session.call("simSetLightIntensity", lamp, 10.0)
        assert xyz(session.call("simGetObjectPose", lamp, True)["position"]) == (6.0, 0.0, -8.0)


def test_unity_refuses_spawned_objects_and_has_no_scales():
    with serving("unity") as (connect, _):
        session = connect()
        for method, params in {
            "simListAssets": (),
            "simSpawnObject": ("a", "Cube", pose(), vector(1, 1, 1), False, False),
            "simDestroyObject": ("a",),
            "simSetObjectMaterial": ("a", "red", 0),
            "simSetLightIntensity": ("a", 1.0),
            "simGetWorldExtents": (),
            "simRunConsoleCommand": ("stat fps",),
        }.items():
            with pytest.raises(RemoteError, match="Not implemented on Unity"):
                session.call(method, *params)
        assert xyz(session.call("simGetObjectScale", NAME)) == (0.0, 0.0, 0.0)
        assert session.call("simSetObjectScale", NAME, vector(2, 2, 2)) is False


def test_segmentation_image_shows_a_changed_id(call):
    """The synthetic image shows the ground in all but two rows, so its id changes."""
    spawn(call)
    assert call.call("simSetSegmentationObjectID", "crate", 9, False) is True
    before = pixels(image(call, 5)).tolist()
    assert call.call("simSetSegmentationObjectID", "ground", 200, False) is True
    assert pixels(image(call, 5)).tolist() != before
