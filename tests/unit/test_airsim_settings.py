"""AirSim's settings.json: supported keys, warnings on ignored keys, errors that name the key."""

import json
import math
from pathlib import Path

import pytest

from followme_uav.errors import ConfigError
from followme_uav.geometry import quaternion_from_euler, rotate
from followme_uav.sim.airsim_api.airsim_settings import read_settings
from followme_uav.sim.server import main
from followme_uav.sim.vehicle.camera_rig import CameraRig
from followme_uav.sim.vehicle.vehicle import Vehicle

DEFAULT_PX = (256, 144)
SIZE_PX = (96, 64)
"""Size of images for which the settings name none."""


@pytest.fixture
def read(tmp_path):
    def read(data):
        path = tmp_path / "settings.json"
        path.write_text(data if isinstance(data, str) else json.dumps(data))
        return read_settings(path)

    return read


def vehicle(**parts):
    return {"Vehicles": {"Scout": {"VehicleType": "SimpleFlight", **parts}}}


def rig_of(settings):
    return CameraRig(Vehicle(), settings.equipment, SIZE_PX)


def test_empty_file_has_the_defaults_and_no_warning(read):
    found = read({"SettingsVersion": 1.2, "SeeDocsAt": "somewhere", "SimMode": "Multirotor"})
    assert found.equipment.vehicle_name == "Drone1"
    assert list(found.equipment.distance_sensors) == ["Distance", "DistanceDown"]
    assert found.equipment.lidars == {}
    assert (found.clock_speed, found.host, found.port, found.ignored) == (1.0, None, None, ())
    assert rig_of(found).size_px(0) == SIZE_PX


def test_text_of_the_file_is_kept(read):
    text = '{ "SettingsVersion":  1.2 }\n'
    assert read(text).text == text


def test_byte_order_mark_is_accepted(tmp_path):
    path = tmp_path / "settings.json"
    path.write_bytes(b'\xef\xbb\xbf{"ClockSpeed": 2}')
    assert read_settings(path).clock_speed == 2.0


# -- cameras ---------------------------------------------------------------------------------


def test_each_image_type_of_a_camera_has_its_own_size_and_field_of_view(read):
    captures = [
        {"ImageType": 0, "Width": 640, "Height": 360, "FOV_Degrees": 120},
        {"ImageType": 1, "Width": 320, "Height": 180},
    ]
    found = read(vehicle(Cameras={"high": {"CaptureSettings": captures}}))
    rig, number = rig_of(found), found.equipment.camera_number("high")
    assert rig.size_px(number, 0) == (640, 360)
    assert rig.size_px(number, 1) == (320, 180)
    assert rig.size_px(number, 5) == SIZE_PX  # not set: the default
    assert math.degrees(rig.pose(number, 0).fov_rad) == pytest.approx(120)
    assert math.degrees(rig.pose(number, 1).fov_rad) == pytest.approx(90)  # AirSim's default
    rig.set_fov(number, math.radians(50))
    assert {round(math.degrees(rig.pose(number, kind).fov_rad)) for kind in range(8)} == {50}


def test_missing_width_or_height_has_airsims_default(read):
    found = read(vehicle(Cameras={"c": {"CaptureSettings": [{"Width": 512}]}}))
    assert rig_of(found).size_px(found.equipment.camera_number("c")) == (512, 144)


def test_camera_has_the_position_and_orientation_of_its_settings(read):
    camera = {"X": 0.5, "Y": -0.1, "Z": 0.2, "Pitch": -90, "Yaw": 90, "Roll": 0}
    found = read(vehicle(Cameras={"down": camera}))
    pose = rig_of(found).pose(found.equipment.camera_number("down"))
    start = Vehicle().start_m
    assert pose.position_m == pytest.approx((0.5, -0.1, start[2] + 0.2))
    assert rotate(pose.orientation, (1.0, 0.0, 0.0)) == pytest.approx((0.0, 0.0, 1.0), abs=1e-9)


def test_camera_defaults_apply_only_to_cameras_without_capture_settings(read):
    """As on AirSim, the two are not merged."""
    found = read(
        {
            "CameraDefaults": {"CaptureSettings": [{"ImageType": 0, "Width": 400, "Height": 300}]},
            **vehicle(
                Cameras={
                    "plain": {"X": 0.3},
                    "own": {"CaptureSettings": [{"ImageType": 5, "Width": 64, "Height": 48}]},
                }
            ),
        }
    )
    rig, number = rig_of(found), found.equipment.camera_number
    assert [rig.size_px(n) for n in (0, 4, number("plain"))] == [(400, 300)] * 3
    assert rig.size_px(number("own"), 0) == SIZE_PX
    assert rig.size_px(number("own"), 5) == (64, 48)
    assert math.degrees(rig.pose(0).fov_rad) == pytest.approx(60)  # that of the built-in camera


def test_external_cameras_are_fixed_in_the_world(read):
    found = read({"ExternalCameras": {"tower": {"X": 3, "Y": 4, "Z": -20, "Pitch": -90}}})
    rig, number = rig_of(found), found.equipment.external_number("tower")
    assert rig.pose(number).position_m == (3, 4, -20)
    assert found.equipment.camera_number("tower") is None


# -- sensors ---------------------------------------------------------------------------------


def test_lidar_has_airsims_defaults_for_multirotors(read):
    found = read(vehicle(Sensors={"L": {"SensorType": 6, "Enabled": True}}))
    lidar = found.equipment.lidars["L"]
    assert (lidar.channels, lidar.points_per_second, lidar.rotations_per_second) == (16, 100000, 10)
    assert (lidar.horizontal_deg, lidar.vertical_deg) == ((0, 359), (-15, -45))
    assert (lidar.range_m, lidar.in_sensor_frame, lidar.position_m) == (100, False, (0, 0, 0))


def test_lidar_accepts_every_key_of_airsims_documentation(read):
    keys = {
        "NumberOfChannels": 4,
        "PointsPerSecond": 10000,
        "RotationsPerSecond": 5,
        "Range": 30.5,
        "HorizontalFOVStart": -20,
        "HorizontalFOVEnd": 20,
        "VerticalFOVUpper": 5,
        "VerticalFOVLower": -25,
        "X": 0.1,
        "Y": 0.2,
        "Z": -1,
        "Roll": 1,
        "Pitch": 2,
        "Yaw": 3,
        "DataFrame": "SensorLocalFrame",
    }
    found = read(vehicle(Sensors={"L": {"SensorType": 6, "Enabled": True, **keys}}))
    lidar = found.equipment.lidars["L"]
    assert (lidar.channels, lidar.points_per_second, lidar.rotations_per_second) == (4, 10000, 5)
    assert (lidar.horizontal_deg, lidar.vertical_deg) == ((-20, 20), (5, -25))
    assert (lidar.range_m, lidar.in_sensor_frame) == (30.5, True)
    assert lidar.position_m == (0.1, 0.2, -1)
    assert lidar.orientation == pytest.approx(
        quaternion_from_euler(*(math.radians(v) for v in (1, 2, 3)))
    )
    assert found.ignored == ()


def test_sensors_of_the_file_come_first_and_replace_those_of_the_same_name(read):
    sensors = {
        "side": {"SensorType": 5, "Enabled": True, "Yaw": 90, "MaxDistance": 10},
        "distancedown": {"SensorType": 5, "Enabled": False},
        "imu_2": {"SensorType": 2, "Enabled": True},
        "Gps": {"SensorType": 3, "Enabled": False},
    }
    equipment = read(vehicle(Sensors=sensors)).equipment
    assert list(equipment.distance_sensors) == ["side", "Distance"]
    assert equipment.distance_sensors["side"].max_m == 10
    assert equipment.sensor_names[2] == ("imu_2", "Imu")
    assert equipment.sensor_names[3] == ()


def test_default_sensors_replace_the_built_in_ones(read):
    equipment = read({"DefaultSensors": {"b": {"SensorType": 1, "Enabled": True}}}).equipment
    assert equipment.sensor_names == {1: ("b",), 2: (), 3: (), 4: ()}
    assert equipment.distance_sensors == {}


def test_sensor_without_enabled_is_off_as_on_airsim_with_a_warning(read):
    found = read(vehicle(Sensors={"L": {"SensorType": 6}}))
    assert found.equipment.lidars == {}
    assert any("Sensors.L is off" in line for line in found.ignored)


# -- clock, home, address --------------------------------------------------------------------


def test_name_clock_speed_home_and_port_are_read(read):
    found = read(
        {
            "ClockSpeed": 2.5,
            "ApiServerPort": 41999,
            "LocalHostIp": "127.0.0.1",
            "OriginGeopoint": {"Latitude": 50.1, "Longitude": 8.6, "Altitude": 100},
            **vehicle(),
        }
    )
    assert (found.clock_speed, found.port, found.host) == (2.5, 41999, "127.0.0.1")
    home = found.equipment.home
    assert (home.latitude_deg, home.longitude_deg, home.altitude_m) == (50.1, 8.6, 100)
    assert found.equipment.vehicle_name == "Scout"


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.7", "example.org"])
def test_file_cannot_open_the_simulator_to_the_network(read, address):
    found = read({"LocalHostIp": address})
    assert found.host is None
    [line] = found.ignored
    assert "--host" in line


# -- ignored keys and errors -----------------------------------------------------------------


def test_each_ignored_key_gives_one_line_with_its_path(read):
    found = read(
        {
            "ViewMode": "Fpv",
            "SubWindows": [{"WindowID": 0}],
            "SimMode": "Car",
            "CameraDefaults": {"CaptureSettings": [{"ImageType": -1, "TargetGamma": 1.5}]},
            **vehicle(
                X=3,
                PawnPath="x",
                Cameras={"c": {"Gimbal": {}}},
                Sensors={"L": {"SensorType": 6, "Enabled": True, "DrawDebugPoints": True}},
            ),
        }
    )
    said = "\n".join(found.ignored)
    for key in (
        "ViewMode",
        "SubWindows",
        "SimMode 'Car'",
        "CameraDefaults.CaptureSettings.0.TargetGamma",
        "ImageType -1",
        "X, Y, Z",
        "Vehicles.Scout.PawnPath",
        "Vehicles.Scout.Cameras.c.Gimbal",
        "Vehicles.Scout.Sensors.L.DrawDebugPoints",
    ):
        assert key in said
    assert len(found.ignored) == 9
    assert all(line.startswith(found.ignored[0].split(":")[0]) for line in found.ignored)


BAD = {
    "not JSON": ("{", "line 1, column 2"),
    "a list": ("[]", "top level"),
    "nothing": ("", "not valid JSON"),
    "NaN": ('{"ClockSpeed": NaN}', "NaN"),
    "too deep": ("[" * 100_000, "not valid JSON"),
    "a text for a number": ({"ClockSpeed": "2"}, "ClockSpeed"),
    "a clock that stands": ({"ClockSpeed": 0}, "ClockSpeed"),
    "a port": ({"ApiServerPort": 70000}, "ApiServerPort"),
    "a mode": ({"SimMode": "Submarine"}, "SimMode"),
    "the pole": ({"OriginGeopoint": {"Latitude": 90}}, "OriginGeopoint.Latitude"),
    "two vehicles": ({"Vehicles": {"A": {}, "B": {}}}, "Vehicles: A, B"),
    "a car": ({"Vehicles": {"A": {"VehicleType": "PhysXCar"}}}, "Vehicles.A.VehicleType"),
    "an empty name": ({"Vehicles": {"": {}}}, "Vehicles"),
    "a huge image": (
        vehicle(Cameras={"c": {"CaptureSettings": [{"Width": 100000}]}}),
        "Vehicles.Scout.Cameras.c.CaptureSettings.0.Width",
    ),
    "a fraction of a pixel": (
        vehicle(Cameras={"c": {"CaptureSettings": [{"Height": 10.5}]}}),
        "CaptureSettings.0.Height",
    ),
    "a lens": (
        {"CameraDefaults": {"CaptureSettings": [{"FOV_Degrees": 180}]}},
        "CameraDefaults.CaptureSettings.0.FOV_Degrees",
    ),
    "captures that are no list": (
        {"CameraDefaults": {"CaptureSettings": {"Width": 1}}},
        "CameraDefaults.CaptureSettings",
    ),
    "an unknown sensor": (vehicle(Sensors={"s": {"SensorType": 9}}), "Sensors.s.SensorType"),
    "no type of sensor": (vehicle(Sensors={"s": {"Enabled": True}}), "Sensors.s.SensorType"),
    "no channels": (
        vehicle(Sensors={"s": {"SensorType": 6, "NumberOfChannels": 0}}),
        "Sensors.s.NumberOfChannels",
    ),
    "a frame": (vehicle(Sensors={"s": {"SensorType": 6, "DataFrame": "World"}}), "DataFrame"),
    "limits the wrong way round": (
        vehicle(Sensors={"s": {"SensorType": 5, "MinDistance": 50}}),
        "Sensors.s.MinDistance",
    ),
    "enabled as a text": (vehicle(Sensors={"s": {"SensorType": 6, "Enabled": "yes"}}), "Enabled"),
}


@pytest.mark.parametrize(("data", "said"), BAD.values(), ids=BAD)
def test_invalid_value_is_refused_in_one_line_that_names_the_key(read, data, said):
    with pytest.raises(ConfigError) as error:
        read(data)
    assert said in str(error.value)
    assert "settings.json" in str(error.value)
    assert "\n" not in str(error.value)


def test_unreadable_file_is_refused_in_one_line(tmp_path):
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(ConfigError, match=r"settings\.json$|none\.json"):
            read_settings(path)
    path = tmp_path / "latin.json"
    path.write_bytes(b'{"a": "\xe4"}')
    with pytest.raises(ConfigError, match="UTF-8"):
        read_settings(path)
    path.write_bytes(b" " * (2**20 + 1))
    with pytest.raises(ConfigError, match="larger"):
        read_settings(path)


def test_simulator_exits_with_2_and_one_line_for_an_invalid_file(tmp_path, capsys):
    path = tmp_path / "settings.json"
    path.write_text('{"ClockSpeed": -1}')
    assert main(["--settings", str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_example_of_the_documentation_is_read_without_a_warning(read):
    page = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text()
    example = page.partition("```json\n")[2].partition("```")[0]
    found = read(example)
    assert found.ignored == ()
    assert found.equipment.vehicle_name == "Scout"
    assert list(found.equipment.lidars) == ["Lidar1"]
