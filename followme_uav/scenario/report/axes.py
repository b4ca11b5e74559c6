"""Success by axis: by scenario, conditions of the flight, and variant of the plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from followme_uav.scenario.execution.results import Result
from followme_uav.scenario.script.random_draws import AXES
from followme_uav.statistics.intervals import Interval, wilson


@dataclass(frozen=True)
class AxisRow:
    """The flights with one value of one axis."""

    axis: str
    value: str
    flights: int
    """Without crashed ones."""
    passed: int
    success: Interval


def value_of(result: Result, axis: str) -> str | None:
    """Return the value of an axis for a flight; None where it has none."""
    if axis == "scenario":
        return result.name
    value = result.axes.get(axis, result.draws.get(axis))
    return None if value is None else str(value)


def axes_of(results: Sequence[Result]) -> list[str]:
    """Return the axes with more than one value among the flights: those of the plan come first."""
    plan = list(dict.fromkeys(axis for result in results for axis in result.axes))
    names = list(dict.fromkeys([*plan, *AXES]))
    return [axis for axis in names if len({value_of(r, axis) for r in results} - {None}) > 1]


def by_axis(results: Sequence[Result]) -> list[AxisRow]:
    """Return the success by each value of each axis, with Wilson intervals."""
    counted = [result for result in results if not result.crashed]
    rows = []
    for axis in axes_of(counted):
        groups: dict[str, list[bool]] = {}
        for result in counted:
            value = value_of(result, axis)
            if value is not None:
                groups.setdefault(value, []).append(result.success)
        for value, successes in sorted(groups.items()):
            passed = sum(successes)
            success = wilson(passed, len(successes))
            rows.append(AxisRow(axis, value, len(successes), passed, success))
    return rows
