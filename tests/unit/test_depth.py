"""Tests of the reduction of a depth image to obstacle points."""

import math

import numpy as np
import pytest

from followme_uav.config import load_config
from followme_uav.geometry import pixel_of_point, quaternion_from_pan_tilt
from followme_uav.messages import CameraPose
from followme_uav.rpc.depth import nearest_points
from followme_uav.rpc.depth_camera import DepthCamera
from followme_uav.rpc.server import RpcServer

CONFIG = load_config().depth
PLACE = (5.0, -3.0, -4.5)


def camera(pan_deg=0.0, tilt_deg=0.0):
    orientation = quaternion_from_pan_tilt(math.radians(pan_deg), math.radians(tilt_deg))
    return CameraPose(PLACE, orientation, math.radians(60))


def shades(depth_m):
    return np.minimum(np.asarray(depth_m) * 2.55, 255.0).astype(np.uint8)


def street(eye, rows=160, columns=160):
    """Depth of empty ground below."""
    v = 2.0 * (np.arange(rows) + 0.5) / rows - 1.0
    slope = np.tan(eye.fov_rad / 2) * v * rows / columns
    depth_m = np.where(slope > 0.0, -PLACE[2] / np.maximum(slope, 1e-9), 1e4)
    return np.repeat(depth_m[:, None], columns, axis=1)


def points(depth_m, eye=None):
    return nearest_points(shades(depth_m), eye or camera(), PLACE, CONFIG)


def test_ground_and_sky_are_no_obstacles():
    assert points(street(camera())) == ()


@pytest.mark.parametrize("pan_deg", [0.0, 75.0, -160.0])
def test_wall_ahead_is_located_within_the_depth_resolution(pan_deg):
    eye = camera(pan_deg)
    found = points(np.full((160, 160), 8.0), eye)
    assert len(found) == CONFIG.strips
    ahead = (math.cos(math.radians(pan_deg)), math.sin(math.radians(pan_deg)))
    for north, east, down in found:
        depth_m = (north - PLACE[0]) * ahead[0] + (east - PLACE[1]) * ahead[1]
        assert depth_m == pytest.approx(8.0, abs=0.5)
        assert depth_m <= 8.0
        assert abs(down - PLACE[2]) <= CONFIG.band_m


def test_pole_is_located_in_its_direction():
    depth_m = street(camera())
    u, _, _ = pixel_of_point(camera(), (PLACE[0] + 6.0, PLACE[1] + 2.0, PLACE[2]))
    column = round((u + 1.0) * 80)
    depth_m[:, column - 2 : column + 2] = 6.0
    ((north, east, _),) = points(depth_m)
    assert (north - PLACE[0], east - PLACE[1]) == pytest.approx((6.0, 2.0), abs=0.4)


def test_points_beyond_range_and_of_the_vehicle_itself_are_no_obstacles():
    assert points(np.full((160, 160), CONFIG.range_m + 2.0)) == ()
    assert points(np.full((160, 160), 0.3)) == ()


def test_every_strip_has_a_point_in_an_image_that_is_not_square():
    depth_m = np.full((144, 256), 5.0)
    assert len(points(depth_m)) == CONFIG.strips


def test_points_below_the_height_band_are_no_obstacles_for_a_tilted_camera():
    """The roof of a car below must not stop the vehicle."""
    eye = camera(tilt_deg=-50.0)
    assert points(np.full((160, 160), 4.0), eye) == ()


def test_depth_camera_sees_again_when_its_simulator_is_back():
    image = {"image_data_float": [1.0] * 6, "height": 2, "width": 3}

    def served(port):
        server = RpcServer({"simGetImages": lambda requests, name, external: [image]}, port=port)
        server.start()
        return server

    server = served(0)
    port = server.address[1]
    overrides = [f"simulator.port={port}", "simulator.dialect=maps"]
    depth = DepthCamera(load_config(overrides=overrides))
    try:
        assert depth().shape == (2, 3)
        server.stop()
        assert depth() is None
        server = served(port)
        assert depth().shape == (2, 3)
    finally:
        server.stop()
        depth._session.close()


IMAGE = {
    "image_data_uint8": b"",
    "image_data_float": [1.0, 2.0],
    "camera_position": {"x_val": 0.0, "y_val": 0.0, "z_val": 0.0},
    "camera_name": "0",
    "camera_orientation": {"w_val": 1.0, "x_val": 0.0, "y_val": 0.0, "z_val": 0.0},
    "time_stamp": 1,
    "message": "",
    "pixels_as_float": True,
    "compress": False,
    "width": 2,
    "height": 1,
    "image_type": 1,
}


def depth_from(handler, dialect, *, array_structs=False):
    server = RpcServer({"simGetImages": handler}, array_structs=array_structs)
    server.start()
    port = server.address[1]
    overrides = [f"simulator.port={port}", f"simulator.dialect={dialect}"]
    depth = DepthCamera(load_config(overrides=overrides))
    try:
        return depth()
    finally:
        depth._session.close()
        server.stop()


def test_depth_camera_speaks_the_dialect_of_its_simulator():
    requested = []

    def with_external(requests, name, external):
        requested.extend(requests)
        return [IMAGE]

    def without_external(requests, name):
        return with_external(requests, name, False)

    assert depth_from(with_external, "maps").tolist() == [[1.0, 2.0]]
    assert depth_from(with_external, "arrays", array_structs=True).tolist() == [[1.0, 2.0]]
    assert depth_from(without_external, "cosys").tolist() == [[1.0, 2.0]]
    maps, arrays, cosys = requested
    assert arrays == list(maps.values())
    assert cosys == {**maps, "annotation_name": ""} and maps["pixels_as_float"] is True


@pytest.mark.parametrize(
    "reply", [None, [], [7], [{**IMAGE, "width": 3}], [{**IMAGE, "image_data_float": []}]]
)
def test_depth_camera_takes_no_image_from_a_malformed_reply(reply):
    assert depth_from(lambda requests, name, external: reply, "maps") is None


def test_depth_camera_without_a_simulator_sees_nothing():
    assert DepthCamera(load_config(overrides=["simulator.port=1"]))() is None
