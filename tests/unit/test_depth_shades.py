"""Tests of depth as 8-bit pixels, as AirSim documents it: black is 0 m, white is 100 m."""

import math

import numpy as np
import pytest

from followme_uav.config import load_config
from followme_uav.messages import CameraPose
from followme_uav.rpc.depth import nearest_points
from followme_uav.sim.airsim_api.dialects import AIRSIM
from followme_uav.sim.airsim_api.images import (
    DEPTH_PERSPECTIVE,
    DEPTH_PLANAR,
    DEPTH_VIS,
    image_response,
)
from followme_uav.sim.simulation import Shot
from tests.painted_sky import Painting

FOV_RAD = math.radians(90.0)
WIDTH, HEIGHT = 256, 144
LOOKING_NORTH = CameraPose((0.0, 0.0, -5.0), (1.0, 0.0, 0.0, 0.0), FOV_RAD)
KINDS = (DEPTH_PLANAR, DEPTH_PERSPECTIVE, DEPTH_VIS)


def shades(depth_m, kind):
    """(height, width) of a raw image with the same depth in every pixel."""
    plane = np.full((HEIGHT, WIDTH), depth_m, np.float32)
    nothing = np.zeros((HEIGHT, WIDTH), np.uint8)
    shot = Shot(0, LOOKING_NORTH, Painting(np.zeros((HEIGHT, WIDTH, 3), np.uint8), nothing, plane))
    ids = np.zeros(1, np.uint8)
    forms = {"camera_name": "0", "as_float": False, "compress": False}
    pixels = image_response(shot, AIRSIM, kind, ids, **forms)["image_data_uint8"]
    colours = np.frombuffer(pixels, np.uint8).reshape(HEIGHT, WIDTH, 3)
    assert (colours == colours[..., :1]).all()  # grey
    return colours[..., 0]


@pytest.mark.parametrize("kind", KINDS)
def test_shade_grows_with_depth_up_to_100_m(kind):
    centre = [int(shades(m, kind)[HEIGHT // 2, WIDTH // 2]) for m in (0.0, 25.0, 50.0, 1e4)]
    assert centre[0] == 0
    assert centre[1:3] == pytest.approx([63, 127], abs=1)
    assert centre[3] == 255


def test_perspective_depth_grows_towards_the_edges_and_planar_depth_does_not():
    assert shades(25.0, DEPTH_PERSPECTIVE)[72, 0] == pytest.approx(63 * math.sqrt(2), abs=2)
    assert shades(25.0, DEPTH_PLANAR)[72, 0] == shades(25.0, DEPTH_VIS)[72, 0] == 63


def test_client_reads_the_near_end_of_the_shade():
    """A shade stands for 0.4 m of depth; no obstacle is nearer than its point."""
    config = load_config().depth
    points = nearest_points(shades(6.0, DEPTH_VIS), LOOKING_NORTH, (0.0, 0.0, -5.0), config)
    assert points
    ahead_m = [north for north, _, _ in points]
    assert max(ahead_m) <= 6.0
    assert min(ahead_m) > 6.0 - 0.4 - 1e-6
