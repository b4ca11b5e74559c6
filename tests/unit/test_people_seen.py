"""The pilot finds people in masks. If these fail, it lands on somebody, or never."""

import math

import numpy as np
import pytest

from followme_uav.config import load_config
from followme_uav.geometry import pixel_of_point
from followme_uav.messages import MaskClass
from followme_uav.pilot.tracking.people import MEMORY_S, People
from tests.scan_world import frame_at

CONFIG = load_config()


def mask_of(frame, place_m, height_m=1.7, mask_class=MaskClass.PEOPLE, confidence=1.0):
    """The mask of a frame that shows a person of this height at this place."""
    mask = np.zeros((160, 160, 3), np.uint8)
    (u, top, _), (_, bottom, _) = (
        pixel_of_point(frame.camera, (*place_m, down)) for down in (-height_m, 0.0)
    )
    metre_px = 139.0 / math.dist(frame.camera.position_m, (*place_m, 0.0))
    half_px = max(round(0.2 * metre_px), 1)
    column, rows = round(80 * (u + 1)), [round(80 * (v + 1)) for v in (top, bottom)]
    mask[..., MaskClass.BACKGROUND] = 255
    person = slice(*rows), slice(column - half_px, column + half_px)
    mask[person] = round(255 * (1.0 - confidence))
    mask[(*person, mask_class)] = round(255 * confidence)
    return mask


def see(people, place_m, time_s=3.0, **kind):
    """Look at a person at this place, from 4.5 m above the origin."""
    azimuth_deg = math.degrees(math.atan2(place_m[1], place_m[0]))
    frame = frame_at((0.0, 0.0), [], time_s=time_s, pan_deg=azimuth_deg, tilt_deg=-25.0)
    people.update(frame, mask_of(frame, place_m, **kind))
    return people


def distance_m(people, place_m):
    return float(people.distances_m(np.array([place_m]))[0])


@pytest.mark.parametrize("kind", [MaskClass.PEOPLE, MaskClass.HERO])
@pytest.mark.parametrize("place_m", [(8.0, 0.0), (0.0, -12.0), (-9.0, 9.0)])
def test_person_is_where_the_feet_are(place_m, kind):
    people = see(People(CONFIG), place_m, mask_class=kind)
    assert distance_m(people, place_m) < 1.0
    assert distance_m(people, (0.0, 0.0)) == pytest.approx(math.hypot(*place_m), abs=1.0)


def test_without_people_every_distance_is_infinite():
    assert distance_m(People(CONFIG), (3.0, 4.0)) == math.inf


def test_marks_on_the_road_are_nobody():
    assert distance_m(see(People(CONFIG), (8.0, 0.0), height_m=0.3), (8.0, 0.0)) == math.inf


def test_things_that_the_network_is_not_sure_about_are_nobody():
    """At dusk it takes marks on a road for people, with a confidence of 0.7."""
    place_m = 8.0, 0.0
    assert distance_m(see(People(CONFIG), place_m, confidence=0.72), place_m) == math.inf
    assert distance_m(see(People(CONFIG), place_m, confidence=0.9), place_m) < 1.0


def test_people_are_forgotten():
    people = see(People(CONFIG), (8.0, 0.0), time_s=3.0)
    see(people, (0.0, 8.0), 3.0 + MEMORY_S)
    assert distance_m(people, (8.0, 0.0)) < 1.0
    see(people, (0.0, 8.0), 3.1 + MEMORY_S)
    assert distance_m(people, (8.0, 0.0)) > 5.0
    assert distance_m(people, (0.0, 8.0)) < 1.0
