"""The motion of the vehicle `simpleflight` against values measured on AirSim's own."""

import importlib

import pytest

from tests.direct_session import DirectSession
from tests.unit.tool_parts import imported_tool

ELSEWHERE = {"hover_5_ends", "reversal_climb", "rate_turns_on"}
"""Exceptions that docs/simulator.md explains, and a row at the edge of its tolerance."""
CHECKED = (
    *("takeoff", "speed 5", "climb", "velocity and z", "reversal"),
    *("yaw", "position", "attitude", "burst"),
)


@pytest.fixture(scope="module")
def table():
    with imported_tool("vehicle_table") as module:
        yield module


@pytest.fixture(scope="module")
def flyer(table):
    return importlib.import_module("vehicle_rows").Flyer(DirectSession("simpleflight"))


@pytest.mark.slow
@pytest.mark.parametrize("name", CHECKED)
def test_motion_agrees_with_the_real_one_within_15_percent_or_a_tenth(table, flyer, name):
    values = table.MEASUREMENTS[name](flyer)
    rows = table.rows_of(values)
    assert {row["key"] for row in rows} == set(values)  # each has a real value
    assert not [row for row in rows if not row["agrees"] and row["key"] not in ELSEWHERE]


def test_measurement_repeats_to_the_last_digit(table, flyer):
    """Also when the clock shows another time, in which seconds have other last digits."""
    first = table.MEASUREMENTS["takeoff"](flyer)
    for _ in range(3):
        assert table.MEASUREMENTS["takeoff"](flyer) == first


@pytest.mark.parametrize(
    ("real", "ours", "expected"),
    [
        (10.0, 11.4, True),
        (10.0, 11.6, False),
        (0.2, 0.29, True),
        (0.2, 0.31, False),
        ("FTTTT", "FFFFT", False),
        (1.0, float("nan"), False),
    ],
)
def test_rows_agree_within_15_percent_or_a_tenth_of_the_unit(table, real, ours, expected):
    assert table.agrees(real, ours) is expected
