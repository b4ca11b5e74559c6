"""The progress of a run as JSON for the page; its size does not grow with the flights."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from followme_uav.scenario.live.progress import VARIANT, Begun, Ended, Snapshot
from followme_uav.scenario.script.random_draws import AXES
from followme_uav.statistics.intervals import Interval, wilson
from followme_uav.statistics.stopping import sequence_interval

MOST_VALUES = 20
"""Of one axis; those with the lowest share of passed flights are shown."""
MOST_RUNNING = 40
"""Flights under way that are shown, the longest first."""
_LONGEST_TEXT = 300

Counts = Mapping[str, Mapping[str, tuple[int, int]]]


def state_of(snapshot: Snapshot, name: str) -> dict[str, Any]:
    """Return the state of a run for JSON.

    Args:
        snapshot: The run at one time.
        name: Of the run.
    """
    figures, now_s = snapshot.figures, snapshot.now_s
    counted = figures.passed + figures.failed
    axes, left_out = _axes(snapshot.counts)
    longest = sorted(snapshot.running, key=lambda flight: flight.since_s)[:MOST_RUNNING]
    return {
        "run": _text(name),
        "stage": snapshot.stage,
        "has_report": snapshot.has_report,
        "stops_early": snapshot.stops_early,
        "flights": figures.flights,
        "done": figures.done,
        "before": figures.before,
        "passed": figures.passed,
        "failed": figures.failed,
        "crashed": figures.crashed,
        "elapsed_s": round(figures.elapsed_s, 1),
        "per_hour": None if figures.per_hour is None else round(figures.per_hour, 2),
        "left_s": None if figures.left_s is None else round(figures.left_s, 1),
        "success": _interval(figures.passed, counted, early=snapshot.stops_early),
        "axes": axes,
        "values_left_out": left_out,
        "running": [_begun(flight, now_s) for flight in longest],
        "running_count": len(snapshot.running),
        "failures": [_ended(flight, now_s) for flight in snapshot.failures],
        "crashes": [_ended(flight, now_s) for flight in snapshot.crashes],
    }


def _axes(counts: Counts) -> tuple[list[dict[str, Any]], int]:
    """Return the rows of the axes with several values, and the number of values left out."""
    varied = [axis for axis, values in counts.items() if len(values) > 1]
    plan = [axis for axis in varied if axis not in (*AXES, VARIANT)]
    # With one axis in the plan, the variants are its values.
    names = [*plan, *([VARIANT] if VARIANT in varied and len(plan) != 1 else [])]
    rows, left_out = [], 0
    for axis in (*names, *(axis for axis in AXES if axis in varied)):
        values = sorted(counts[axis].items())
        if len(values) > MOST_VALUES:
            values.sort(key=lambda item: item[1][1] / item[1][0])
        left_out += len(values[MOST_VALUES:])
        rows += [
            {
                "axis": axis,
                "value": _text(value),
                "flights": flights,
                "passed": passed,
                "success": _interval(passed, flights, early=False),
            }
            for value, (flights, passed) in values[:MOST_VALUES]
        ]
    return rows, left_out


def _interval(passed: int, flights: int, *, early: bool) -> dict[str, float]:
    found = _estimate(passed, flights, early)
    return {"value": found.value, "low": round(found.low, 6), "high": round(found.high, 6)}


@lru_cache(maxsize=1024)  # most counts are those of the request before
def _estimate(passed: int, flights: int, early: bool) -> Interval:
    return (sequence_interval if early else wilson)(passed, flights)


def _begun(flight: Begun, now_s: float) -> dict[str, Any]:
    return {
        "scenario": _text(flight.name),
        "seed": flight.seed,
        "variant": _text(flight.variant),
        "for_s": round(now_s - flight.since_s, 1),
        "attempt": flight.attempt,
    }


def _ended(flight: Ended, now_s: float) -> dict[str, Any]:
    return {
        "scenario": _text(flight.name),
        "seed": flight.seed,
        "variant": _text(flight.variant),
        "reason": _text(flight.reason),
        "ago_s": round(now_s - flight.at_s, 1),
    }


def _text(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
