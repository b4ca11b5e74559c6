"""Film strips and videos show image, mask, detections and track."""

import numpy as np
import pytest

from followme_uav.messages import (
    CameraPose,
    Candidate,
    Detection,
    MissionState,
    Outcome,
    TrackEstimate,
)
from followme_uav.view.colours import GREY, HERO, OUTLINE, PEOPLE, STATES, TRACK, rgb
from followme_uav.view.pictures import (
    NIGHT,
    PANEL,
    camera_picture,
    chosen_times,
    coloured_mask,
    film_strip,
    mask_picture,
)
from tests.conftest import SIZE_PX, detection_at, hero_mask, make_entry

SIDE_PX = 320
SCALE = SIDE_PX // SIZE_PX
GREEN = (40, 120, 60)


def lawn():
    return np.full((SIZE_PX, SIZE_PX, 3), GREEN, np.uint8)


def where(picture, colour):
    """(left, top, right, bottom) of the pixels near this colour; None if there are none."""
    off = np.abs(np.asarray(picture).astype(int) - rgb(colour)).sum(axis=2)
    rows, columns = np.nonzero(off < 40)
    if not len(rows):
        return None
    return columns.min(), rows.min(), columns.max(), rows.max()


def test_outline_encloses_the_hero_pixels_of_the_mask():
    picture = camera_picture(make_entry(rgb=lawn(), mask=hero_mask((20, 10))), SIDE_PX)
    left, top, right, bottom = where(picture, OUTLINE)
    assert left == pytest.approx(18 * SCALE, abs=6)
    assert right == pytest.approx(23 * SCALE, abs=6)
    assert top == pytest.approx(8 * SCALE, abs=6)
    assert bottom == pytest.approx(13 * SCALE, abs=6)


def test_white_box_encloses_the_selected_detection():
    entry = make_entry(rgb=lawn(), detection=detection_at((20, 10)))
    left, top, right, bottom = where(camera_picture(entry, SIDE_PX), "#ffffff")
    assert (left + right) / 2 == pytest.approx(20.5 * SCALE, abs=2)
    assert (top + bottom) / 2 == pytest.approx(10.5 * SCALE, abs=2)


def test_grey_boxes_enclose_the_detections_that_were_not_selected():
    found, other = detection_at((24, 8)), detection_at((6, 22))
    candidates = (
        Candidate(found, None, 1.0, None, Outcome.SELECTED),
        Candidate(other, None, 99.0, None, Outcome.OUTSIDE_GATE),
    )
    entry = make_entry(rgb=lawn(), detection=found, candidates=candidates)
    small = camera_picture(entry, 160)  # too small for the reason beside the box
    left, top, right, bottom = where(small, GREY)
    assert (left + right) / 2 == pytest.approx(6.5 * 160 / SIZE_PX, abs=2)
    assert (top + bottom) / 2 == pytest.approx(22.5 * 160 / SIZE_PX, abs=2)
    left, top, right, bottom = where(small, "#ffffff")
    assert (left + right) / 2 == pytest.approx(24.5 * 160 / SIZE_PX, abs=2)
    assert (top + bottom) / 2 == pytest.approx(8.5 * 160 / SIZE_PX, abs=2)


def test_cross_marks_the_track_only_inside_the_image():
    def cross(place_m):
        entry = make_entry(rgb=lawn(), track=TrackEstimate(place_m, (0.0, 0.0, 0.0), 1.0))
        return where(camera_picture(entry, SIDE_PX), TRACK)

    left, top, right, bottom = cross((10.0, 0.0, 0.0))
    assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx((160, 160), abs=2)
    assert cross((-10.0, 0.0, 0.0)) is None
    assert cross((1.0, 10.0, 0.0)) is None


def test_frame_without_an_image_is_dark_with_a_text():
    for picture in (camera_picture(make_entry(), SIDE_PX), mask_picture(None, SIDE_PX)):
        shown = np.asarray(picture)
        assert tuple(shown[0, 0]) == NIGHT
        assert (shown != NIGHT).any()


def test_classes_have_their_colours_by_probability():
    mask = np.zeros((1, 4, 3), np.uint8)
    mask[0, 0, 0] = mask[0, 1, 1] = mask[0, 2, 2] = 255
    mask[0, 3] = (127, 0, 128)
    shown = coloured_mask(mask)[0].tolist()
    assert shown[:3] == [list(PANEL), list(rgb(PEOPLE)), list(rgb(HERO))]
    assert all(
        min(a, b) <= c <= max(a, b) for a, b, c in zip(PANEL, rgb(HERO), shown[3], strict=True)
    )


def test_marks_keep_their_place_in_a_wide_image():
    wide = np.full((32, 64, 3), GREEN, np.uint8)
    entry = make_entry(rgb=wide, track=TrackEstimate((10.0, 0.0, 0.0), (0.0, 0.0, 0.0), 1.0))
    assert isinstance(entry.frame.camera, CameraPose)
    left, top, right, bottom = where(camera_picture(entry, SIDE_PX), TRACK)
    assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx((160, 160), abs=2)


def test_film_strip_has_a_picture_for_each_entry_with_its_state():
    states = [MissionState.PATROL, MissionState.FOLLOW, MissionState.LAND]
    strip = film_strip([make_entry(i, s, rgb=lawn()) for i, s in enumerate(states)], 2, 100)
    shown = {colour for _, colour in strip.getcolors(1 << 24)}
    assert {rgb(STATES[state]) for state in states} | {GREEN} <= shown
    assert strip.size == (206, 250)
    assert film_strip([]).size > (100, 100)


def test_transitions_are_in_the_film_strip():
    times = [0.1 * i for i in range(1000)]
    chosen = chosen_times(times, [12.0, 50.0], 10)
    assert {120, 500, 0, 999} <= set(chosen)
    assert len(chosen) == len(set(chosen)) == 10
    assert 6 <= len(chosen_times(times, times, 12)) <= 12
    assert chosen_times([], [], 5) == []


@pytest.mark.parametrize("size_px", [(64, 32), (32, 64)])
def test_image_that_is_not_square_keeps_its_aspect_ratio(size_px):
    """Stretched into a square, it would distort people, and marks would be beside them."""
    width_px, height_px = size_px
    image = np.full((height_px, width_px, 3), GREEN, np.uint8)
    image[height_px // 2, width_px // 2] = (255, 255, 255)
    detection = Detection(1 / width_px, 1 / height_px, 9, 3, 3, 0.9)
    picture = camera_picture(make_entry(rgb=image, detection=detection), SIDE_PX)
    assert picture.size == (SIDE_PX, SIDE_PX)
    left, top, right, bottom = where(picture, "#{:02x}{:02x}{:02x}".format(*GREEN))
    assert (right - left + 1) / (bottom - top + 1) == pytest.approx(width_px / height_px, abs=0.02)
    box = where(picture, "#ffffff")
    assert ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2) == pytest.approx((160, 160), abs=4)
    mask = np.zeros((height_px, width_px, 3), np.uint8)
    mask[..., 1] = 255
    left, top, right, bottom = where(mask_picture(mask, SIDE_PX), PEOPLE)
    assert (right - left + 1) / (bottom - top + 1) == pytest.approx(width_px / height_px, abs=0.02)
