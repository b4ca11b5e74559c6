"""Tests of faults that last: they must neither fill the log nor be silent."""

import logging

import pytest

from followme_uav.recurring import RecurringFault

logger = logging.getLogger("followme_uav.some")


@pytest.fixture
def fault(caplog):
    caplog.set_level(logging.DEBUG, "followme_uav")
    return RecurringFault(logger, "lost frames")


def warnings_of(caplog):
    return [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]


def test_lasting_fault_gives_a_line_when_it_begins_and_one_when_it_ends(fault, caplog):
    for number in range(10):
        fault.occurs(5.0 + 0.1 * number, "frame %d is lost", number)
    fault.passes(6.0)
    assert warnings_of(caplog) == ["frame 0 is lost"], "it may go on"
    fault.passes(7.0)
    fault.passes(8.0)
    assert warnings_of(caplog) == ["frame 0 is lost", "lost frames: 10 in 0.9 s, none since"]
    assert len(caplog.records) == 11, "the lines in between have the level DEBUG"


def test_fault_of_every_other_frame_is_one_fault(fault, caplog):
    for number in range(100):
        if number % 2:
            fault.passes(0.1 * number)
        else:
            fault.occurs(0.1 * number, "frame %d is lost", number)
    fault.close()
    assert warnings_of(caplog) == ["frame 0 is lost", "lost frames: 50 in 9.8 s, until the end"]


def test_second_fault_is_counted_anew(fault, caplog):
    for start_s in (0.0, 10.0):
        fault.occurs(start_s, "lost")
        fault.passes(start_s + 5.0)
    assert warnings_of(caplog) == 2 * ["lost", "lost frames: 1 in 0.0 s, none since"]


def test_single_fault_at_the_end_needs_no_second_line(fault, caplog):
    fault.occurs(0.0, "lost")
    fault.close()
    fault.close()
    assert warnings_of(caplog) == ["lost"]
