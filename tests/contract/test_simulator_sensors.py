"""Sensors, images and world methods of the embedded simulator, over real sockets.

AirSim scripts call these; each test pins a property that such a script computes with. The image is
synthetic (see `painted_sky`), except in tests that say otherwise.
"""

import math

import numpy as np
import pytest

from followme_uav.errors import RemoteError
from followme_uav.sim.airsim_api.images import interleaved_palette
from followme_uav.sim.simulation import EPOCH_NS
from tests.contract.test_simulator import (
    HEIGHT,
    NAME,
    WIDTH,
    fresh,
    image,
    pixels,
    request,
    serving,
    vector,
    xyz,
)
from tests.painted_sky import HERO_ROW, PERSON_ROW

AIRBORNE = (0.0, 0.0, -8.0)
HOME = {"latitude": 47.641468, "longitude": -122.140165, "altitude": 122.0}


@pytest.fixture(scope="module")
def airsim():
    with serving() as (connect, _):
        yield connect()


@pytest.fixture
def call(airsim):
    """At the start, paused, hovering with the nose to the north."""
    session = fresh(airsim)
    session.call("simFollowMePlaceVehicle", vector(*AIRBORNE), 0.0, NAME)
    return session


def pose(x=0.0, y=0.0, z=0.0):
    return {"position": vector(x, y, z), "orientation": {"w_val": 1.0}}


# -- sensors ---------------------------------------------------------------------------------


def test_imu_at_rest_measures_gravity_upwards(call):
    call.call("reset")
    call.call("simContinueForTime", 1.0)
    imu = call.call("getImuData", "", NAME)
    assert list(imu) == ["time_stamp", "orientation", "angular_velocity", "linear_acceleration"]
    assert imu["time_stamp"] == EPOCH_NS + 1_000_000_000
    assert xyz(imu["linear_acceleration"]) == pytest.approx((0.0, 0.0, -9.81), abs=0.05)
    assert xyz(imu["angular_velocity"]) == pytest.approx((0.0, 0.0, 0.0), abs=0.01)


def test_barometer_gives_the_altitude_above_sea_level(call):
    barometer = call.call("getBarometerData", "Barometer", NAME)
    assert list(barometer) == ["time_stamp", "altitude", "pressure", "qnh"]
    assert barometer["altitude"] == pytest.approx(122.0 + 8.0, abs=0.02)
    assert barometer["pressure"] == pytest.approx(99_770.0, abs=20.0)  # standard air, 130 m up
    assert barometer["qnh"] == pytest.approx(1013.25)


def test_magnetometer_turns_with_the_body(call):
    """Near Seattle the field is half a gauss, dips steeply and points east of north."""
    reply = call.call("getMagnetometerData", "", "")
    assert list(reply) == ["time_stamp", "magnetic_field_body", "magnetic_field_covariance"]
    north, east, down = xyz(reply["magnetic_field_body"])
    assert math.hypot(north, east, down) == pytest.approx(0.54, abs=0.03)
    assert 0.0 < east < north < down
    call.call("simFollowMePlaceVehicle", vector(*AIRBORNE), math.pi / 2, NAME)
    turned = xyz(call.call("getMagnetometerData", "", "")["magnetic_field_body"])
    assert turned == pytest.approx((east, -north, down), abs=1e-4)


def test_gps_gives_position_and_velocity(call):
    gps = call.call("getGpsData", "", NAME)
    assert list(gps) == ["time_stamp", "gnss", "is_valid"]
    fix = ["geo_point", "eph", "epv", "velocity", "fix_type", "time_utc"]
    assert list(gps["gnss"]) == fix
    assert gps["gnss"]["fix_type"] == 3
    assert gps["gnss"]["geo_point"] == call.call("getMultirotorState", NAME)["gps_location"]
    assert gps["gnss"]["time_utc"] * 1000 == gps["time_stamp"]


def test_distance_sensors_measure_ground_and_people(call):
    down = call.call("getDistanceSensorData", "DistanceDown", NAME)
    keys = ["time_stamp", "distance", "min_distance", "max_distance", "relative_pose"]
    assert list(down) == keys
    assert down["distance"] == pytest.approx(8.0, abs=1e-3)
    call.call("simFollowMePlaceVehicle", vector(0.0, 0.0, -1.2), 0.0, NAME)
    assert call.call("simSetObjectPose", "hero", pose(4.0), True) is True
    assert call.call("getDistanceSensorData", "", NAME)["distance"] == pytest.approx(3.7, abs=1e-3)


def test_unknown_sensor_is_refused_by_name(call):
    with pytest.raises(RemoteError, match="No distance sensor with name Sonar"):
        call.call("getDistanceSensorData", "Sonar", NAME)
    with pytest.raises(RemoteError, match="No lidar"):
        call.call("getLidarData", "", NAME)


def test_environment_is_the_standard_atmosphere(call):
    air = call.call("simGetGroundTruthEnvironment", NAME)
    keys = ["position", "geo_point", "gravity", "air_pressure", "temperature", "air_density"]
    assert list(air) == keys
    assert air["temperature"] == pytest.approx(288.15 - 0.0065 * 130.0, abs=0.01)
    assert air["air_density"] == pytest.approx(1.21, abs=0.01)
    assert air["gravity"]["z_val"] == pytest.approx(9.81)


def test_noise_depends_on_the_seed_and_repeats():
    """A test of an estimator with noise must be repeatable."""

    def readings(seed):
        with serving(noise_seed=seed) as (connect, _):
            session = connect()
            series = []
            for _ in range(40):
                session.call("simContinueForTime", 0.01)
                imu = session.call("getImuData", "", NAME)
                assert session.call("getImuData", "", NAME) == imu
                series.append(xyz(imu["angular_velocity"]))
            return np.array(series), session.call("getBarometerData", "", NAME)["pressure"]

    gyro, pressure = readings(1)
    again, same = readings(1)
    other, different = readings(2)
    assert (gyro == again).all()
    assert pressure == same != different
    assert 5e-4 < gyro.std(axis=0).mean() < 3e-3
    assert not (gyro == other).any()


# -- images ----------------------------------------------------------------------------------


@pytest.mark.parametrize("as_float", [False, True])
@pytest.mark.parametrize("compress", [False, True])
def test_every_image_type_has_its_stated_size(call, as_float, compress):
    replies = call.call(
        "simGetImages", [request(i, as_float, compress) for i in range(8)], NAME, False
    )
    assert [r["image_type"] for r in replies] == list(range(8))
    for reply in replies:
        assert (reply["width"], reply["height"]) == (WIDTH, HEIGHT)
        floats, data = reply["image_data_float"], reply["image_data_uint8"]
        assert len(floats) == (WIDTH * HEIGHT if as_float else 0)
        if as_float:
            assert data == b""
        elif compress:
            assert data.startswith(b"\x89PNG")
        else:
            assert len(data) == WIDTH * HEIGHT * 3


def test_normals_of_a_wall_face_the_camera(call):
    """Synthetic depth is 25 m in every pixel: a wall to the north, with the nose to the north."""
    call.call("simContinueForTime", 1.0)
    assert np.abs(pixels(image(call, 6)).astype(int) - (128, 128, 0)).max() <= 3  # B, G, R


def test_infrared_is_the_segmentation_id_as_grey_level(call):
    call.call("simSetSegmentationObjectID", "hero", 42, False)
    assert (pixels(image(call, 7))[HERO_ROW] == 42).all()


def test_disparity_is_the_inverse_of_depth(call):
    assert image(call, 4, as_float=True)["image_data_float"][0] == pytest.approx(1.0 / 25.0)


# -- the world -------------------------------------------------------------------------------


def test_scene_objects_are_listed_by_regular_expression(call):
    assert call.call("simListSceneObjects", "hero|person_0[12]") == [
        "hero",
        "person_01",
        "person_02",
    ]
    everything = call.call("simListSceneObjects", ".*")
    assert {NAME, "ground", "building_0"} < set(everything)
    for name in everything[1:4]:
        assert math.isfinite(call.call("simGetObjectPose", name)["position"]["x_val"])


def test_placed_people_stand_on_the_ground_and_walk_on(call):
    assert call.call("simSetObjectPose", "person_01", pose(20.0, -4.0, -50.0), True) is True
    north, east, down = xyz(call.call("simGetObjectPose", "person_01")["position"])
    assert (north, east) == pytest.approx((20.0, -4.0))
    assert -0.3 < down <= 0.0  # on the ground, with any z of the client
    call.call("simContinueForTime", 3.0)
    now = xyz(call.call("simGetObjectPose", "person_01")["position"])
    assert 0.5 < math.dist((north, east, down), now) < 12.0
    call.call("reset")
    assert xyz(call.call("simGetObjectPose", "person_01")["position"]) != now


def test_static_objects_cannot_be_moved(call):
    before = call.call("simGetObjectPose", "building_0")
    assert call.call("simSetObjectPose", "building_0", pose(), True) is False
    assert call.call("simSetObjectPose", "dragon", pose(), True) is False
    assert call.call("simGetObjectPose", "building_0") == before
    inside = xyz(before["position"])
    assert call.call("simSetObjectPose", NAME, pose(*inside), True) is False
    assert call.call("simSetObjectPose", NAME, pose(1.0, 2.0, -6.0), True) is True
    assert xyz(call.call("simGetVehiclePose", NAME)["position"]) == pytest.approx((1.0, 2.0, -6.0))


def test_unknown_names_are_answered_before_values_are_checked(call):
    """AirSim's objects.py sends back the pose that it received for an unknown name."""
    nowhere = call.call("simGetObjectPose", "OrangeBall")
    assert math.isnan(nowhere["position"]["x_val"])
    assert call.call("simSetObjectPose", "OrangeBall", nowhere, True) is False
    flat = {"orientation": {"w_val": 0.0}}
    assert call.call("simSetObjectPose", "OrangeBall", flat, False) is False
    assert call.call("simSetSegmentationObjectID", "OrangeBall", 9999, False) is False
    assert call.call("simSetSegmentationObjectID", "Orange.*", -1, True) is False
    for known in ("hero", "building_0", NAME):
        with pytest.raises(RemoteError, match=r"pose\.position\.x_val is nan"):
            call.call("simSetObjectPose", known, nowhere, True)
    with pytest.raises(RemoteError, match="object_id is 9999"):
        call.call("simSetSegmentationObjectID", "building.*", 9999, True)
    with pytest.raises(RemoteError, match=r"std::bad_cast: pose\.position must be a struct"):
        call.call("simSetObjectPose", "OrangeBall", {"position": 1.0}, True)


def test_every_listed_object_has_a_pose_and_a_segmentation_id(call):
    """A name that one method lists must be known to the others."""
    names = call.call("simListSceneObjects", ".*")
    assert len(set(names)) == len(names) > 300
    assert {"ground", "sky", NAME, "hero", "tree_0_crown", "highway_deck"} < set(names)
    before = {name: call.call("simGetSegmentationObjectID", name) for name in names}
    assert all(0 <= number <= 255 for number in before.values())
    assert before["tree_0_crown"] == before["tree_1_trunk"] != before["lamp_0"]
    for i, name in enumerate(names):
        pose = call.call("simGetObjectPose", name)
        assert all(map(math.isfinite, (*xyz(pose["position"]), pose["orientation"]["w_val"])))
        assert call.call("simSetSegmentationObjectID", name, i % 256, False) is True
    after = [call.call("simGetSegmentationObjectID", name) for name in names]
    assert after == [i % 256 for i in range(len(names))]
    for name, number in before.items():
        call.call("simSetSegmentationObjectID", name, number, False)


def test_case_of_names_matters_only_where_it_does_on_airsim(call):
    """Only the regular expression of the list is case-sensitive."""
    assert call.call("simListSceneObjects", "Hero|LAMP_1") == []
    assert call.call("simListSceneObjects", "hero|lamp_1") == ["hero", "lamp_1"]
    assert call.call("simGetObjectPose", "HERO") == call.call("simGetObjectPose", "hero")
    assert call.call("simSetObjectPose", "Hero", pose(9.0, 1.0), True) is True
    assert call.call("simGetObjectPose", "hero")["position"]["x_val"] == pytest.approx(9.0)
    before = call.call("simGetSegmentationObjectID", "hero")
    assert call.call("simSetSegmentationObjectID", "H.RO", 77, True) is True
    assert call.call("simGetSegmentationObjectID", "Hero") == 77
    call.call("simSetSegmentationObjectID", "Hero", before, False)


@pytest.mark.parametrize("name", ["tree", "car", "building_9999", "car_9999", "person_99", ""])
def test_names_that_are_not_listed_are_unknown_to_every_method(call, name):
    assert name not in call.call("simListSceneObjects", ".*")
    assert call.call("simSetSegmentationObjectID", name, 1, False) is False
    assert call.call("simGetSegmentationObjectID", name) == -1
    assert math.isnan(call.call("simGetObjectPose", name)["position"]["x_val"])
    assert call.call("simSetObjectPose", name, pose(), True) is False


def geo(session, x, y, z):
    """The GeoPoint of a position, as a client computes it on a flat Earth."""
    home = session.call("getHomeGeoPoint", "")
    latitude = home["latitude"] + math.degrees(x / 6378137.0)
    shrink = math.cos(math.radians(home["latitude"]))
    longitude = home["longitude"] + math.degrees(y / 6378137.0 / shrink)
    return {"latitude": latitude, "longitude": longitude, "altitude": home["altitude"] - z}


def test_lines_of_sight_end_at_walls(call):
    centre = xyz(call.call("simGetObjectPose", "building_0")["position"])
    behind = geo(call, centre[0], centre[1], centre[2])
    assert call.call("simTestLineOfSightToPoint", geo(call, 10.0, 0.0, -8.0), NAME) is True
    assert call.call("simTestLineOfSightToPoint", behind, NAME) is False
    sky, more_sky = geo(call, -90.0, -90.0, -90.0), geo(call, 90.0, 90.0, -90.0)
    assert call.call("simTestLineOfSightBetweenPoints", sky, more_sky) is True


def test_detections_frame_the_pixels_of_people(call):
    hero_at = (12.0, 1.0)
    call.call("simSetObjectPose", "hero", pose(*hero_at), True)
    camera = ("0", 0)
    assert call.call("simGetDetections", *camera, NAME, False) == []
    call.call("simAddDetectionFilterMeshName", *camera, "hero*", NAME, False)
    (hero,) = call.call("simGetDetections", *camera, NAME, False)
    assert list(hero) == ["name", "geo_point", "box2D", "box3D", "relative_pose"]
    assert hero["name"] == "hero"
    assert hero["box2D"] == {
        "min": {"x_val": 0.0, "y_val": HERO_ROW},
        "max": {"x_val": WIDTH, "y_val": HERO_ROW + 1},
    }
    forward, right, _ = xyz(hero["relative_pose"]["position"])
    assert (forward, right) == pytest.approx((12.0 - 0.2, 1.0), abs=0.01)  # camera 0.2 m ahead
    low, high = xyz(hero["box3D"]["min"]), xyz(hero["box3D"]["max"])
    assert high[2] - low[2] == pytest.approx(1.75, abs=0.01)
    call.call("simAddDetectionFilterMeshName", *camera, "person_0?", NAME, False)
    assert len(call.call("simGetDetections", *camera, NAME, False)) == 2
    call.call("simSetDetectionFilterRadius", *camera, 500.0, NAME, False)
    assert call.call("simGetDetections", *camera, NAME, False) == []
    call.call("simClearDetectionMeshNames", *camera, NAME, False)
    call.call("simSetDetectionFilterRadius", *camera, 20000.0, NAME, False)
    assert call.call("simGetDetections", *camera, NAME, False) == []
    assert PERSON_ROW != HERO_ROW


def test_frames_advance_time_which_then_stops(call):
    before = call.call("getMultirotorState", NAME)["timestamp"]
    call.call("simContinueForFrames", 5)
    assert call.call("getMultirotorState", NAME)["timestamp"] - before == 5 * 20_000_000
    assert call.call("simIsPaused") is True


def test_messages_and_markers_are_accepted(call):
    """A script that draws its plan must go on, although nothing is drawn."""
    assert call.call("simPrintLogMessage", "altitude", "5", 1) is None
    line = [vector(), vector(1.0)]
    assert call.call("simPlotLineStrip", line, [1, 0, 0, 1], 10.0, 1.0, False) is None
    assert call.call("simFlushPersistentMarkers") is None


def test_recording_writes_airsims_table_and_images(tmp_path):
    with serving(recordings=tmp_path) as (connect, _):
        session = connect()
        assert session.call("isRecording") is False
        session.call("startRecording")
        session.call("simContinueForTime", 0.25)
        assert session.call("isRecording") is True
        session.call("stopRecording")
        session.call("simContinueForTime", 0.25)
    table = [line.split("\t") for line in next(tmp_path.glob("*/airsim_rec.txt")).open()]
    columns = [
        "VehicleName",
        "TimeStamp",
        "POS_X",
        "POS_Y",
        "POS_Z",
        "Q_W",
        "Q_X",
        "Q_Y",
        "Q_Z",
        "ImageFile",
    ]
    assert [field.strip() for field in table[0]] == columns
    assert len(table) == 1 + 5  # every 50 ms
    assert int(table[1][1]) == EPOCH_NS // 1_000_000 + 50
    for row in table[1:]:
        assert row[0] == NAME
        assert next(tmp_path.glob(f"*/images/{row[-1].strip()}")).stat().st_size > 0


def test_recording_without_a_folder_names_the_option(call):
    with pytest.raises(RemoteError, match="--recordings"):
        call.call("startRecording")


@pytest.mark.parametrize(
    ("method", "params", "named"),
    [
        ("simListSceneObjects", ["("], "name_regex"),
        ("simListSceneObjects", ["(a+)+b"], "name_regex"),
        ("simListSceneObjects", [".*" * 40_000], "name_regex"),
        ("simListSceneObjects", [7], "bad_cast"),
        ("simSetObjectPose", ["hero", {"position": vector(math.nan)}, True], "pose.position"),
        ("simSetObjectPose", ["hero", {"orientation": {"w_val": 0.0}}, True], "pose.orientation"),
        ("simTestLineOfSightToPoint", [{"latitude": math.inf}, NAME], "point.latitude"),
        ("simTestLineOfSightBetweenPoints", [HOME, {"longitude": 1e9}], "point2.longitude"),
        ("simContinueForFrames", [-1], "frames"),
        ("simContinueForFrames", [10**9], "frames"),
        ("simPrintLogMessage", ["a", "b", 256], "severity"),
        ("simGetDetections", ["nose", 0, NAME, False], "camera 'nose'"),
        ("simGetDetections", ["0", 8, NAME, False], "image_type"),
        ("simSetDetectionFilterRadius", ["0", 0, math.nan, NAME, False], "radius_cm"),
        ("simAddDetectionFilterMeshName", ["0", 0, "x" * 1000, NAME, False], "mesh_name"),
        ("simGetImages", [[request(8)], NAME, False], "image_type"),
    ],
)
def test_invalid_parameters_are_refused_by_name(call, method, params, named):
    with pytest.raises(RemoteError, match=method) as refusal:
        call.call(method, *params)
    assert named in str(refusal.value)
    assert call.call("ping") is True


# -- dialects --------------------------------------------------------------------------------


def test_unity_lacks_the_methods_of_the_unity_build():
    """A script developed on this dialect must not use methods that fail on Unity."""
    with serving("unity") as (connect, _):
        session = fresh(connect())
        for method, params in (
            ("simListSceneObjects", [".*"]),
            ("simContinueForFrames", [1]),
            ("startRecording", []),
            ("simGetDetections", ["0", 0, NAME, False]),
        ):
            with pytest.raises(RemoteError, match="Not implemented on Unity"):
                session.call(method, *params)
        with pytest.raises(RemoteError, match="Object reference not set"):
            session.call("simSetObjectPose", "hero", pose(), True)
        scene = pixels(image(session)).tolist()
        for other in (1, 2, 4, 6, 7):
            assert pixels(image(session, other)).tolist() == scene
        session.call("simSetSegmentationObjectID", ".*", 3, True)
        colour = pixels(image(session, 5))[0, 0]
        assert colour.tolist() == interleaved_palette()[3].tolist()
        assert len(np.unique(interleaved_palette(), axis=0)) == 256


def test_unity_colours_interleave_the_bits():
    """Id 3: bytes 5, 4, 3 = bits 0 and 2, bit 2, bits 0 and 1."""
    number = (1 << 23) | (1 << 17) | (1 << 16) | (1 << 21) | (1 << 18)
    red, green, blue = interleaved_palette()[3].tolist()
    assert (green << 16) | (red << 8) | blue == number


def test_colosseum_sends_and_accepts_arrays():
    with serving("colosseum") as (connect, _):
        session = connect()
        session.call("enableApiControl", True, NAME)
        session.call("armDisarm", True, NAME)
        session.call("simFollowMePlaceVehicle", [0.0, 0.0, -8.0], 0.0, NAME)
        state = session.call("getMultirotorState", NAME)
        assert state[1][0] == [0.0, 0.0, -8.0]
        assert state[6:] == [True, "", True]
        session.call_async("moveByVelocity", 2.0, 0.0, 0.0, 5.0, 0, [True, 0.0], NAME)
        session.call("simContinueForTime", 2.0)
        assert session.call("getMultirotorState", NAME)[1][2][0] > 1.5
        (reply,) = session.call("simGetImages", [["0", 0, False, False]], NAME, False)
        assert (reply[9], reply[10], len(reply[0])) == (WIDTH, HEIGHT, WIDTH * HEIGHT * 3)
        session.call("simSetObjectPose", "hero", [[5.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]], True)
        assert session.call("simGetObjectPose", "hero")[0][0] == 5.0
        with pytest.raises(RemoteError, match="bad_cast"):
            session.call("simSetWind", vector())


def test_cosys_has_its_own_parameters():
    with serving("cosys") as (connect, _):
        session = connect()
        assert session.call("getServerVersion") == 4
        (reply,) = session.call("simGetImages", [{**request(), "annotation_name": ""}], NAME)
        assert reply["annotation_name"] == ""
        assert session.call("simGetImage", "0", 0, NAME, "").startswith(b"\x89PNG")
        session.call("simSetCameraFov", "0", 70.0, NAME)
        assert session.call("simGetCameraInfo", "0", NAME)["fov"] == pytest.approx(70.0)
        session.call("simAddDetectionFilterMeshName", "0", 0, "hero", NAME, "")
        assert session.call("simGetDetections", "0", 0, NAME, "")[0]["name"] == "hero"
        assert session.call("simGetObjectPose", "hero", True)["position"]["x_val"] != 0.0
        with pytest.raises(RemoteError, match="ned"):
            session.call("simGetObjectPose", "hero", False)
        with pytest.raises(RemoteError, match="number of arguments"):
            session.call("simGetImages", [request()], NAME, False)


# -- wrong types ---------------------------------------------------------------------------------


WRONG = {
    "name": ("simGetObjectPose", (None,), "object_name must be a text"),
    "array": ("simGetImages", (None, NAME, False), "requests must be a list of structs"),
    "camera": ("simGetCameraInfo", (None, NAME, False), "camera_name must be a text"),
    "detection": (
        "simAddDetectionFilterMeshName",
        ("0", 0, None, NAME, False),
        "mesh_name must be a text",
    ),
    "external": ("simGetCameraInfo", ("0", NAME, None), "external must be true or false"),
    "image type": ("simGetImage", ("0", "Scene", NAME, False), "image_type must be a whole number"),
    "lens": ("simSetCameraFov", ("0", None, NAME, False), "fov_degrees must be a number"),
    "light": (
        "simSetTimeOfDay",
        (True, None, False, 1.0, 60.0, True),
        "start_datetime must be a text",
    ),
    "message": ("simPrintLogMessage", ("", None, 0), "message_param must be a text"),
    "object": ("simSetObjectPose", ("hero", None, True), "pose must be a struct"),
    "pause": ("simPause", (None,), "is_paused must be true or false"),
    "pixels": (
        "simGetImages",
        ([{"pixels_as_float": 1}], NAME, False),
        "pixels_as_float must be true or false",
    ),
    "place": ("simTestLineOfSightToPoint", ({"latitude": ""}, NAME), "point.latitude must be a"),
    "request": ("simGetImages", ([{}, None], NAME, False), r"requests\[1\] must be a struct"),
    "sensor": ("getDistanceSensorData", (None, NAME), "distance_sensor_name must be a text"),
    "tilt": (
        "simSetCameraPose",
        ("0", {"orientation": None}, NAME, False),
        "pose.orientation must be a struct",
    ),
    "weather": ("simEnableWeather", (None,), "enable must be true or false"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_type_is_refused_with_the_parameters_name(call, what):
    """A script that swaps two of six parameters is told which one is wrong."""
    method, params, text = WRONG[what]
    with pytest.raises(RemoteError, match=f"std::bad_cast: {text}"):
        call.call(method, *params)


def test_line_of_sight_to_the_other_side_of_the_earth_is_refused(call):
    with pytest.raises(RemoteError, match=r"point\.latitude 0\.0.* more than 1000 km from home"):
        call.call("simTestLineOfSightToPoint", {}, NAME)
