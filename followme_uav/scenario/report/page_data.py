"""The figures of the report page: histograms, hardest draws, and the rows of its table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from followme_uav.scenario.execution.results import Result
from followme_uav.scenario.report.axes import axes_of, value_of
from followme_uav.scenario.report.tables import COLUMNS
from followme_uav.statistics.unpaired import MannWhitney, mann_whitney

_HISTOGRAMS = (
    *("acquire_s", "in_view", "tracked", "losses", "min_clearance_m", "command_rate"),
    "viewed_m2",
)
_BARS, _WIDTH, _HEIGHT = 34, 340, 110
_DIGITS = 4
"""Significant digits of numbers in the page."""


@dataclass(frozen=True)
class Bar:
    """A bar of a histogram, in units of the drawing."""

    x: float
    width: float
    all: float
    """Height for all flights."""
    failed: float


@dataclass(frozen=True)
class Histogram:
    """The distribution of a metric."""

    metric: str
    flights: int
    low: float
    high: float
    most: int
    """Flights in the highest bar."""
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class DrawEffect:
    """The difference of a draw between failed and passed flights."""

    name: str
    test: MannWhitney
    """Failed flights are the first group."""


def histograms(results: Sequence[Result]) -> list[Histogram]:
    """Return a histogram for each metric that is not the same in all flights."""
    found = []
    for metric in _HISTOGRAMS:
        flown = [
            (r.metrics[metric], not r.success)
            for r in results
            if not r.crashed and r.metrics.get(metric) is not None
        ]
        if len({value for value, _ in flown}) < 2:
            continue
        values, failed = np.asarray(flown, float).T
        counts, edges = np.histogram(values, _BARS)
        bad, _ = np.histogram(values[failed > 0.0], edges)
        most, width = int(counts.max()), _WIDTH / _BARS
        scale = _HEIGHT / most
        bars = tuple(
            Bar(
                round(i * width, 1), round(width - 1.0, 1), round(n * scale, 1), round(b * scale, 1)
            )
            for i, (n, b) in enumerate(zip(counts, bad, strict=True))
            if n
        )
        found.append(Histogram(metric, len(flown), float(edges[0]), float(edges[-1]), most, bars))
    return found


def hardest_draws(results: Sequence[Result]) -> list[DrawEffect]:
    """Return the numeric draws, those that differ most between failed and passed flights first."""
    counted = [result for result in results if not result.crashed]
    effects = []
    for name in dict.fromkeys(name for result in counted for name in result.draws):
        values = [(r.draws.get(name), r.success) for r in counted]
        failed = [v for v, success in values if isinstance(v, int | float) and not success]
        passed = [v for v, success in values if isinstance(v, int | float) and success]
        if not failed or not passed or len({*failed, *passed}) < 2:
            continue
        effects.append(DrawEffect(name, mann_whitney(failed, passed)))
    return sorted(effects, key=lambda effect: -abs(effect.test.higher.value - 0.5))


def headings(results: Sequence[Result]) -> list[str]:
    """Return the names of the columns of the table."""
    axes = [axis for axis in axes_of(results) if axis != "scenario"]
    names = ["scenario", "seed", *axes, "outcome", *COLUMNS, *_numeric_draws(results)]
    return [*dict.fromkeys(names), "reason", "key"]


def is_text(name: str, results: Sequence[Result]) -> bool:
    """Whether a column of the table has words."""
    cells = [cell for result in results if (cell := _cell(result, name)) is not None]
    return any(isinstance(cell, str) for cell in cells[:1])


def table_data(results: Sequence[Result], hardest: Sequence[str], drawn: Sequence[str]) -> str:
    """Return the table as JSON that is safe in a page.

    Args:
        results: The rows.
        hardest: The two columns of the scatter plot.
        drawn: Keys of the flights with pictures.
    """
    names = headings(results)
    content = {
        "columns": names,
        "rows": [[_cell(result, name) for name in names] for result in results],
        "hardest": list(hardest),
        "pictures": {key: key for key in drawn},
    }
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c")  # no text can end the element


def _numeric_draws(results: Sequence[Result]) -> list[str]:
    """Return the names of draws that are numbers and differ."""
    values: dict[str, set[Any]] = {}
    for result in results:
        for name, value in result.draws.items():
            if isinstance(value, int | float):
                values.setdefault(name, set()).add(value)
    return [name for name, found in values.items() if len(found) > 1]


def _cell(result: Result, name: str) -> Any:
    if name in ("outcome", "key", "seed"):
        return getattr(result, name)
    if name == "reason":
        return "" if result.success else result.reason
    value = result.metrics.get(name, result.draws.get(name))
    if value is None:
        return value_of(result, name)
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
