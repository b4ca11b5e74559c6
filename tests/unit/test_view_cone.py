"""The cone of an image: it holds all that the image shows, and little of what is behind."""

import math

import numpy as np
import pytest

from followme_uav.geometry import quaternion_from_pan_tilt
from followme_uav.messages import CameraPose
from followme_uav.sim.rendering.view_cone import ViewCone

EYE_M = (3.0, -5.0, -8.0)
FOV_RAD = math.radians(70.0)


def _cone(pan_rad: float, tilt_rad: float) -> ViewCone:
    camera = CameraPose(EYE_M, quaternion_from_pan_tilt(pan_rad, tilt_rad), FOV_RAD)
    return ViewCone(camera, 160, 120)


@pytest.mark.parametrize("pan_rad", [0.0, 2.0, -2.5])
def test_cone_holds_a_sphere_that_touches_a_corner_of_the_image(pan_rad: float):
    """A figure that is left out although a foot shows would be missing in image and mask."""
    right = math.tan(FOV_RAD / 2)
    corner = np.array((1.0, right, right * 120 / 160))
    beside_m = 1.5 * np.array((0.0, corner[1], corner[2])) / math.hypot(corner[1], corner[2])
    c, s = math.cos(pan_rad), math.sin(pan_rad)
    turn = np.array([(c, -s, 0.0), (s, c, 0.0), (0.0, 0.0, 1.0)])
    centres_m = np.array([turn @ (20.0 * corner + beside_m), turn @ (20.0 * corner + 4 * beside_m)])
    shown = _cone(pan_rad, 0.0).may_show(centres_m + EYE_M, 1.6)
    assert shown.tolist() == [True, False]


def test_cone_leaves_out_what_is_behind_and_who_is_absent():
    points_m = np.array([(-30.0, -5.0, -8.0), (math.nan, math.nan, math.nan), (23.0, -5.0, -8.0)])
    assert _cone(0.0, 0.0).may_show(points_m, 1.6).tolist() == [False, False, True]


def test_cone_measures_distance_and_angular_resolution():
    cone = _cone(0.0, -0.4)
    assert cone.distances_m(np.array([(6.0, -1.0, -8.0)])) == pytest.approx([5.0])
    assert cone.px_per_rad == pytest.approx(80 / math.tan(FOV_RAD / 2))
