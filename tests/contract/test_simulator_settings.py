"""Effects of settings.json over real sockets: names, cameras, sensors and home."""

import json
import math
import threading
import time

import numpy as np
import pytest

from followme_uav.config import load_config
from followme_uav.errors import ConfigError, RemoteError
from followme_uav.flight.embedded import EmbeddedSimulator, simulator_for
from followme_uav.rpc.backends import open_session
from followme_uav.sim.airsim_api.airsim_settings import read_settings
from followme_uav.sim.simulation import EPOCH_NS, Simulation
from followme_uav.sim.simulation_runner import SimulationRunner
from followme_uav.sim.vehicle.equipment import Equipment
from tests.contract.test_simulator import HEIGHT, WIDTH, orientation, request, serving, vector, xyz
from tests.painted_sky import PaintedSky

NAME = "Scout"
SETTINGS = {
    "SettingsVersion": 1.2,
    "SimMode": "Multirotor",
    "OriginGeopoint": {"Latitude": 50.0, "Longitude": 8.0, "Altitude": 100.0},
    "ExternalCameras": {"tower": {"X": 3, "Y": 4, "Z": -20, "Pitch": -90}},
    "Vehicles": {
        NAME: {
            "VehicleType": "SimpleFlight",
            "Cameras": {
                "high": {
                    "CaptureSettings": [
                        {"ImageType": 0, "Width": 64, "Height": 36, "FOV_Degrees": 100},
                        {"ImageType": 3, "Width": 32, "Height": 24},
                    ],
                    "X": 0.5,
                },
                "huge": {"CaptureSettings": [{"ImageType": 0, "Width": 4320, "Height": 2160}]},
            },
            "Sensors": {
                "Lidar1": {
                    "SensorType": 6,
                    "Enabled": True,
                    "PointsPerSecond": 20000,
                    "Z": -1,
                    "DataFrame": "SensorLocalFrame",
                },
                "Lidar2": {"SensorType": 6, "Enabled": True, "PointsPerSecond": 1000},
                "Side": {"SensorType": 5, "Enabled": True, "Yaw": 90, "MaxDistance": 15},
                "Gps": {"SensorType": 3, "Enabled": False},
            },
        }
    },
}


@pytest.fixture(scope="module")
def equipment(tmp_path_factory):
    path = tmp_path_factory.mktemp("settings") / "settings.json"
    path.write_text(json.dumps(SETTINGS))
    return read_settings(path).equipment


@pytest.fixture(scope="module")
def session(equipment):
    with serving(equipment=equipment) as (connect, _):
        yield connect()


@pytest.fixture
def call(session):
    session.call("reset")
    session.call("simFollowMePlaceVehicle", vector(0.0, 0.0, -8.0), 0.0, NAME)
    return session


def images(session, *requests, external=False, vehicle=NAME):
    return session.call("simGetImages", list(requests), vehicle, external)


def test_vehicle_has_the_settings_name_and_no_other(call):
    assert call.call("listVehicles") == [NAME]
    assert NAME in call.call("simListSceneObjects", ".*")
    pose = call.call("simGetVehiclePose", NAME)
    assert pose == call.call("simGetVehiclePose", "") == call.call("simGetObjectPose", NAME)
    with pytest.raises(RemoteError, match="'Drone1' is not available"):
        call.call("simGetVehiclePose", "Drone1")


def test_vehicle_is_an_object_of_the_settings_name(call):
    """Methods that list, pose, move and label objects do not know `Drone1`."""
    names = call.call("simListSceneObjects", ".*")
    assert names.count(NAME) == 1
    assert "Drone1" not in names
    there = {"position": vector(1.0, 2.0, -9.0), "orientation": {"w_val": 1.0}}
    assert call.call("simSetObjectPose", NAME.upper(), there, True) is True
    assert xyz(call.call("simGetObjectPose", NAME)["position"]) == pytest.approx((1, 2, -9))
    assert call.call("simSetObjectPose", "Drone1", there, True) is False
    first = call.call("simGetSegmentationObjectID", NAME)
    labelled = [call.call("simGetSegmentationObjectID", name) for name in names]
    assert labelled.count(first) >= 1
    assert call.call("simSetSegmentationObjectID", NAME, 99, False) is True
    assert call.call("simGetSegmentationObjectID", NAME.lower()) == 99
    assert call.call("simGetSegmentationObjectID", "Drone1") == -1
    call.call("simSetSegmentationObjectID", NAME, first, False)


@pytest.mark.parametrize("name", ["hero", "Person_01", "building_0", "ground"])
def test_vehicle_cannot_have_the_name_of_an_object_of_the_city(name):
    """Two objects of one name would be ambiguous."""
    with pytest.raises(ConfigError, match=f"vehicle '{name}': something in the city"):
        Simulation(1, 2, equipment=Equipment(vehicle_name=name))


def test_home_is_that_of_the_settings(call):
    home = call.call("getHomeGeoPoint", NAME)
    assert (home["latitude"], home["longitude"], home["altitude"]) == (50.0, 8.0, 100.0)
    assert call.call("getBarometerData", "", NAME)["altitude"] == pytest.approx(108.0, abs=0.1)
    above = {**home, "altitude": 130.0}
    assert call.call("simTestLineOfSightToPoint", above, NAME) is True
    low, high = call.call("simGetWorldExtents")
    assert low["latitude"] < 50.0 < high["latitude"]


# -- cameras ---------------------------------------------------------------------------------


def test_images_of_each_type_have_their_size(call):
    wanted = [request(kind, camera="high") for kind in (0, 3, 5)] + [request(camera="0")]
    sizes = [(one["width"], one["height"]) for one in images(call, *wanted)]
    assert sizes == [(64, 36), (32, 24), (WIDTH, HEIGHT), (WIDTH, HEIGHT)]
    assert [len(one["image_data_uint8"]) for one in images(call, *wanted)] == [
        3 * width * height for width, height in sizes
    ]


def test_camera_of_the_settings_has_its_pose_and_field_of_view(call):
    info = call.call("simGetCameraInfo", "high", NAME, False)
    assert info["fov"] == pytest.approx(100.0)
    assert xyz(info["pose"]["position"]) == pytest.approx((0.5, 0.0, -8.0), abs=1e-6)
    matrix = info["proj_mat"]["matrix"]
    assert matrix[1][1] / matrix[0][0] == pytest.approx(64 / 36)
    call.call("simSetCameraFov", "high", 60.0, NAME, False)
    assert call.call("simGetCameraInfo", "high", NAME, False)["fov"] == pytest.approx(60.0)
    call.call("simSetCameraFov", "high", 100.0, NAME, False)


def test_built_in_cameras_exist_beside_those_of_the_settings(call):
    for camera in ("0", "front_center", "3", "", "high"):
        assert images(call, request(camera=camera))[0]["camera_name"] == camera
    with pytest.raises(RemoteError, match=r"camera 'low' does not exist; there are .*'high'"):
        images(call, request(camera="low"))


def test_external_camera_is_found_moved_and_reset(call):
    [shot] = images(call, request(camera="tower"), external=True)
    assert xyz(shot["camera_position"]) == (3, 4, -20)
    there = {"position": vector(1.0, 2.0, -5.0), "orientation": orientation(0.3)}
    call.call("simSetCameraPose", "tower", there, "", True)
    info = call.call("simGetCameraInfo", "tower", "", True)
    assert xyz(info["pose"]["position"]) == (1.0, 2.0, -5.0)
    call.call("simSetCameraFov", "tower", 120.0, "", True)
    assert call.call("simGetCameraInfo", "tower", "", True)["fov"] == pytest.approx(120.0)
    call.call("reset")
    info = call.call("simGetCameraInfo", "tower", "", True)
    assert xyz(info["pose"]["position"]) == (3, 4, -20)


def test_external_camera_sees_the_vehicle_and_its_own_cameras_do_not(equipment):
    """Scripts film the flight with it; the vehicle was missing from these images."""
    with serving(equipment=equipment) as (connect, simulation):
        session = connect()
        session.call("simFollowMePlaceVehicle", vector(0.0, 0.0, -8.0), 0.0, NAME)
        images(session, request(camera="0"))
        assert simulation.renderer.vehicle is None
        images(session, request(camera="tower"), external=True)
        assert simulation.renderer.vehicle.position_m == simulation.vehicle.position_m
        images(session, request(camera="high"))
        assert simulation.renderer.vehicle is None


def test_own_and_external_cameras_have_separate_names(call):
    with pytest.raises(RemoteError, match="camera 'tower' does not exist"):
        images(call, request(camera="tower"))
    with pytest.raises(RemoteError, match=r"camera 'high' does not exist; there are 'tower'"):
        images(call, request(camera="high"), external=True)


def test_answer_over_the_size_limit_is_refused_by_name(call):
    huge = request(camera="huge", compress=True)
    assert images(call, huge)[0]["width"] == 4320
    with pytest.raises(RemoteError, match="at most 48"):
        images(call, huge, huge)
    assert call.call("ping") is True


def test_external_camera_is_refused_without_one_in_the_settings():
    with serving() as (connect, _), pytest.raises(RemoteError, match="no external cameras"):
        images(connect(), request(), external=True, vehicle="Drone1")


def test_unity_has_no_external_cameras(equipment):
    with (
        serving("unity", equipment=equipment) as (connect, _),
        pytest.raises(RemoteError, match="no external cameras"),
    ):
        images(connect(), request(camera="tower"), external=True)


# -- sensors ---------------------------------------------------------------------------------


def test_lidar_data_has_exactly_airsims_keys(call):
    data = call.call("getLidarData", "Lidar1", NAME)
    assert list(data) == ["time_stamp", "point_cloud", "pose", "segmentation"]
    assert data["time_stamp"] == EPOCH_NS
    points = np.reshape(data["point_cloud"], (-1, 3))
    assert len(points) == len(data["segmentation"]) > 100
    assert xyz(data["pose"]["position"]) == pytest.approx((0.0, 0.0, -9.0), abs=1e-6)
    ground = call.call("simGetSegmentationObjectID", "ground")
    on_ground = points[np.array(data["segmentation"]) == ground]
    assert on_ground[:, 2] == pytest.approx(np.full(len(on_ground), 9.0), abs=1e-5)


def test_lidar_in_the_inertial_frame_gives_points_in_the_world(call):
    data = call.call("getLidarData", "Lidar2", NAME)
    points = np.reshape(data["point_cloud"], (-1, 3))
    assert points[:, 2].max() == pytest.approx(0.0, abs=1e-5)  # the ground, with down positive


def test_empty_name_stands_for_the_first_lidar(call):
    assert call.call("getLidarData", "", NAME) == call.call("getLidarData", "Lidar1", NAME)
    with pytest.raises(RemoteError, match="No lidar with name Lidar3"):
        call.call("getLidarData", "Lidar3", NAME)


def test_lidar_hits_spawned_objects_and_reports_their_ids(call):
    where = {"position": vector(3.0, 0.0, -7.0), "orientation": {"w_val": 1.0}}
    call.call("simSpawnObject", "plate", "Cube", where, vector(1.0, 3.0, 3.0), False, False)
    call.call("simSetSegmentationObjectID", "plate", 99, False)
    data = call.call("getLidarData", "Lidar2", NAME)
    points = np.reshape(data["point_cloud"], (-1, 3))[np.array(data["segmentation"]) == 99]
    assert len(points) > 0
    assert points[:, 0].min() == pytest.approx(2.5, abs=1e-5)
    call.call("simDestroyObject", "plate")
    assert 99 not in call.call("getLidarData", "Lidar2", NAME)["segmentation"]


def test_distance_sensors_of_the_settings_come_first(call):
    side = call.call("getDistanceSensorData", "", NAME)
    assert (side["min_distance"], side["max_distance"]) == (pytest.approx(0.2), 15.0)
    where = {"position": vector(0.0, 6.0, -8.0), "orientation": {"w_val": 1.0}}
    call.call("simSpawnObject", "wall", "Cube", where, vector(1.0, 1.0, 1.0), False, False)
    assert call.call("getDistanceSensorData", "Side", NAME)["distance"] == pytest.approx(5.5, 0.01)
    call.call("simDestroyObject", "wall")


def test_disabled_sensor_does_not_exist(call):
    with pytest.raises(RemoteError, match="No gps"):
        call.call("getGpsData", "", NAME)
    assert call.call("getImuData", "Imu", NAME)["time_stamp"] == EPOCH_NS


def test_colosseum_sends_lidar_data_as_an_array(equipment):
    with serving("colosseum", equipment=equipment) as (connect, _):
        stamp, points, pose, ids = connect().call("getLidarData", "Lidar2", NAME)
        assert len(points) == 3 * len(ids) > 0
        assert len(pose[0]) == 3
        assert stamp == EPOCH_NS


def test_cosys_reports_the_name_of_each_points_object(equipment):
    with serving("cosys", equipment=equipment) as (connect, _):
        data = connect().call("getLidarData", "Lidar2", NAME)
        assert list(data) == ["time_stamp", "point_cloud", "groundtruth", "pose"]
        assert len(data["groundtruth"]) == len(data["point_cloud"]) // 3 > 0
        assert "ground" in data["groundtruth"]


# -- the server as a process -----------------------------------------------------------------


def test_clock_speed_multiplies_real_time():
    """At twenty times real time, 2 s pass long before 2 s of wall time."""
    simulation = Simulation(1, 2, PaintedSky, (16, 16))
    simulator = SimulationRunner(simulation, clock_speed=20.0)
    thread = threading.Thread(target=simulator.run, daemon=True)
    began = time.monotonic()
    thread.start()
    while simulation.time_ns - EPOCH_NS < 2_000_000_000 and time.monotonic() - began < 30.0:
        time.sleep(0.002)
    passed_s, wall_s = (simulation.time_ns - EPOCH_NS) * 1e-9, time.monotonic() - began
    simulator.stop()
    thread.join(5.0)
    assert passed_s >= 2.0
    assert passed_s <= 20.0 * wall_s + 0.1  # never faster than requested


def test_flights_request_their_own_image_size():
    """They must not depend on the simulator's default."""
    config = load_config()
    command = simulator_for(config, 1, paused=True)._command
    size = command[command.index("--image-size") + 1]
    assert size == f"{config.camera.width_px}x{config.camera.height_px}"


@pytest.mark.slow
def test_default_image_size_is_airsims_256x144(tmp_path):
    path = tmp_path / "settings.json"
    text = json.dumps({"ViewMode": "Fpv", "Vehicles": {NAME: {}}})
    path.write_text(text)
    with EmbeddedSimulator(1, "--paused", "--settings", str(path)) as server:
        session = open_session(
            *("builtin", server.host, server.port),
            deadline_s=30.0,
            connect_deadline_s=5.0,
            max_message_bytes=2**24,
        )
        try:
            [shot] = session.call("simGetImages", [request()], NAME, False)
            assert (shot["width"], shot["height"]) == (256, 144)
            assert session.call("getSettingsString") == text
            assert math.isclose(session.call("simGetCameraInfo", "0", NAME, False)["fov"], 60.0)
        finally:
            session.close()
