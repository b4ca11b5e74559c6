"""Overlays of the window: true status, the right people tinted, everything in its place."""

from dataclasses import replace

import numpy as np
import pytest

from followme_uav.sim.viewer.chase_view import ChaseView
from followme_uav.sim.viewer.key_bindings import KEY_BINDINGS
from followme_uav.sim.viewer.overlay import (
    BAR_PX,
    INSET_PX,
    PANEL,
    compose,
    enlarged,
    help_spans,
    status_spans,
    tinted,
)
from followme_uav.sim.viewer.status import RateMeter, Status

FLYING = Status(
    flown_s=75.25,
    speed=2.0,
    rate=2.0,
    held=False,
    standing=False,
    armed=True,
    landed=False,
    height_m=4.5,
    speed_mps=1.25,
    api_control=True,
)


def text(status):
    return " | ".join(span for span, _ in status_spans(status))


def test_status_shows_time_speed_and_state_of_a_flight():
    assert text(FLYING) == "01:15.2 | 2x | flying 4.5 m up, 1.2 m/s | API control"


def test_status_shows_a_pause_and_a_wait_for_a_client():
    assert "PAUSED" in text(replace(FLYING, held=True))
    assert "PAUSED" not in text(FLYING)
    assert "waiting for a client" in text(replace(FLYING, standing=True))


def test_status_shows_the_reached_speed_on_a_slow_machine():
    assert "4x (reaches 2.1x)" in text(replace(FLYING, speed=4.0, rate=2.1))
    assert "reaches" not in text(replace(FLYING, speed=4.0, rate=2.1, held=True))


def test_status_on_the_ground_shows_whether_the_vehicle_is_armed():
    assert "on the ground, disarmed" in text(replace(FLYING, landed=True, armed=False))


def test_help_names_each_key():
    words = [word for word, _ in help_spans()]
    assert all(key.label in words and key.does in words for key in KEY_BINDINGS)


def test_hero_is_tinted_blue_people_green_and_the_rest_stays():
    rgb = np.full((2, 3, 3), 100, np.uint8)
    hero, people = np.zeros((2, 3), bool), np.zeros((2, 3), bool)
    hero[0, 0], people[1, 2] = True, True
    out = tinted(rgb, people, hero).astype(int)
    assert out[0, 0].argmax() == 2 and out[1, 2].argmax() == 1
    out[0, 0] = out[1, 2] = 100
    assert (out == 100).all() and (rgb == 100).all()


@pytest.mark.parametrize("shape", [(16, 16), (160, 160), (480, 640), (300, 20)])
def test_image_of_any_size_fits_the_inset_with_its_corners(shape):
    picture = np.zeros((*shape, 3), np.uint8)
    picture[0, 0], picture[-1, -1] = 10, 20
    out = enlarged(picture, INSET_PX)
    assert max(out.shape[:2]) == INSET_PX
    assert out[0, 0, 0] == 10
    if shape[0] <= INSET_PX:
        assert out[-1, -1, 0] == 20


def test_text_and_inset_do_not_change_the_rest_of_the_view():
    city = np.full((640, 960, 3), 120, np.uint8)
    inset = np.full((160, 160, 3), 200, np.uint8)
    out = compose(city.copy(), inset, FLYING, ChaseView())
    assert (out[BAR_PX : 640 - BAR_PX, :480] == 120).all()
    assert (out == 200).all(axis=2).sum() == INSET_PX**2
    assert (out[:BAR_PX].max(axis=2) > 200).any()  # there is text
    assert (out[-BAR_PX:].max(axis=2) > 200).any()


def test_no_bar_below_without_help_and_no_frame_without_inset():
    city = np.full((640, 960, 3), 120, np.uint8)
    out = compose(city.copy(), None, FLYING, ChaseView(help=False))
    assert (out[BAR_PX:] == 120).all()
    assert not (out == PANEL).all(axis=2).any()


def test_rate_is_measured_over_the_last_seconds():
    meter = RateMeter()
    for tick in range(40):
        rate, standing = meter.update(0.1 * tick, 0.25 * tick)
    assert rate == pytest.approx(2.5)
    assert not standing


def test_rate_is_unknown_after_a_reset():
    meter = RateMeter()
    for tick in range(40):
        meter.update(0.1 * tick, 0.1 * tick)
    rate, _ = meter.update(4.0, 0.0)
    assert rate is None


def test_standstill_is_reported_after_a_second():
    meter = RateMeter()
    assert meter.update(0.0, 5.0) == (None, False)
    assert not meter.update(0.9, 5.0)[1]
    assert meter.update(1.1, 5.0)[1]
    assert not meter.update(1.2, 5.1)[1]
