"""The arrays of a flight, from which plots and reports are drawn."""

import math

import numpy as np

from followme_uav.messages import (
    Candidate,
    LoopTerms,
    MissionState,
    Outcome,
    TrackEstimate,
    Transition,
)
from followme_uav.view.history import history_of
from followme_uav.view.panels import ALL_PANELS, FLIGHT_PANELS, LOOP_PANELS
from tests.conftest import detection_at, hero_mask, make_entry

PATROL, FOLLOW, LAND = MissionState.PATROL, MissionState.FOLLOW, MissionState.LAND
TERMS = LoopTerms("forward", 0.5, 2.0, 0.25, -0.125, 2.125)
HERO = TrackEstimate((3.0, 4.0, 0.0), (0.6, 0.8, 0.0), math.inf)


def flight():
    yield make_entry(0, PATROL, time_s=100.0)
    change = Transition(PATROL, FOLLOW, "hero confirmed")
    yield make_entry(
        1,
        FOLLOW,
        time_s=100.1,
        transition=change,
        track=HERO,
        loops=(TERMS,),
        detection=detection_at((20, 10)),
        candidates=(
            Candidate(detection_at((3, 3)), None, 50.0, None, Outcome.OUTSIDE_GATE),
            Candidate(detection_at((20, 10)), None, 2.5, None, Outcome.SELECTED),
        ),
        mask=hero_mask((20, 10)),
        truth_mask=hero_mask((20, 10)),
    )
    yield make_entry(2, FOLLOW, time_s=100.2, truth_mask=hero_mask(None))
    yield make_entry(3, LAND, time_s=100.3)


def history(config, entries=None):
    return history_of(flight() if entries is None else entries, config)


def value(of, panel, label, index=1):
    return of.values[panel, label][index]


def test_time_counts_from_the_first_frame_and_states_have_spans(config):
    shown = history(config)
    spans = [(s, round(a, 6), round(b, 6)) for s, a, b in shown.state_spans]
    assert spans == [(PATROL, 0.0, 0.1), (FOLLOW, 0.1, 0.3), (LAND, 0.3, 0.3)]
    assert [round(time_s, 6) for time_s, _ in shown.transitions] == [0.1]


def test_lines_have_the_values_of_the_entries(config):
    shown = history(config)
    assert value(shown, "distance", "track") == 5.0
    assert value(shown, "speed", "hero, track") == 1.0
    assert value(shown, "hero_pixels", "true") == 25.0
    assert value(shown, "hero_pixels", "detected") == 25.0
    assert value(shown, "gate", "selected detection") == 2.5
    assert value(shown, "gate", "gate") == config.association.gate
    assert value(shown, "image_error", "to the right") == detection_at((20, 10)).u
    assert value(shown, "image_error", "down") == detection_at((20, 10)).v
    assert value(shown, "pid_forward", "P") == 2.0
    assert value(shown, "pid_forward", "output") == 2.125
    assert value(shown, "loop_times", "network") == 0.25
    assert list(shown.hero_in_view) == [False, True, False, False]
    assert shown.track_m[1].tolist() == [3.0, 4.0, 0.0]


def test_line_has_a_gap_where_there_is_no_value(config):
    shown = history(config)
    assert math.isnan(value(shown, "distance", "track", 0))
    assert math.isnan(value(shown, "distance", "true", 0))
    assert math.isnan(value(shown, "distance", "uncertainty"))  # a log of version 1: infinite
    assert math.isnan(value(shown, "pid_pan", "P"))
    assert math.isnan(value(shown, "gate", "selected detection", 2))
    assert np.isnan(shown.hero_m[0]).all()


def test_panel_without_any_value_is_left_out(config):
    shown = history(config)
    shown_keys = {panel.key for panel in LOOP_PANELS if shown.has(panel)}
    assert shown_keys == {"pid_forward"}


def test_flight_without_frames_has_empty_lines(config):
    shown = history(config, [])
    assert shown.state_spans == ()
    assert not any(shown.has(panel) for panel in FLIGHT_PANELS)


def test_no_two_lines_share_a_name():
    """Lines of the same name would overwrite each other in the viewer and in the arrays."""
    names = [(panel.key, line.label) for panel in ALL_PANELS for line in panel.lines]
    assert len(names) == len(set(names))
