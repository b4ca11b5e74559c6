"""If these fail, the camera turns away after a late frame, or lags behind on a slow simulator."""

import pytest

from followme_uav.messages import CameraPose, Frame, VehicleState
from followme_uav.pilot.pilot import FrameClock

LEVEL = (1.0, 0.0, 0.0, 0.0)
HERE = (0.0, 0.0, -4.5)


def next_steps(*times_s):
    clock, found = FrameClock(10.0), []
    for time_s in times_s:
        vehicle = VehicleState(time_s, HERE, (0.0, 0.0, 0.0), LEVEL, (0.0, 0.0, 0.0))
        clock.time_step_s(Frame(0, time_s, None, CameraPose(HERE, LEVEL, 1.0), vehicle))
        found.append(clock.next_step_s)
    return pytest.approx(found)


def test_one_late_frame_does_not_make_the_next_one_late():
    assert next_steps(0.0, 0.1, 0.9, 1.0) == [0.1, 0.1, 0.1, 0.1]


def test_frames_that_are_late_each_time_are_expected_late():
    assert next_steps(0.0, 0.2, 0.4, 0.6) == [0.1, 0.1, 0.2, 0.2]
