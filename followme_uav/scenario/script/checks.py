"""The metrics that a script expects of a flight, and the check of a flight against them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, model_validator

from followme_uav.config import Number, Section
from followme_uav.flight.metrics import FlightMetrics

SHARES = frozenset({"in_view", "tracked"})

_WORDS = frozenset({"final_state"})
_FLAGS = frozenset({"landed"})
_OF_THE_MACHINE = frozenset({"loop_p50_ms", "loop_p99_ms", "real_time_factor"})
CHECKABLE = {
    f.name for f in fields(FlightMetrics) if f.name not in _WORDS | _OF_THE_MACHINE
} | _FLAGS


class MetricBounds(Section):
    """Smallest and largest allowed value of a metric; of a list, each item is checked."""

    min: Number | None = None
    max: Number | None = None

    @model_validator(mode="after")
    def _possible(self) -> MetricBounds:
        if self.min is None and self.max is None:
            raise ValueError("give min, max or both, or one value")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        return self

    def complaint(self, name: str, value: Any) -> str | None:
        """Return what is wrong with the value of a metric, or None."""
        if value is None:
            return None if self == NEVER else f"{name}: has no value"
        if self == NEVER:
            return f"{name} {_number(value)}, expected never"
        for item in value if isinstance(value, list) else [value]:
            if self.min is not None and item < self.min:
                return f"{name} {_number(item)} < {self.min:g}"
            if self.max is not None and item > self.max:
                return f"{name} {_number(item)} > {self.max:g}"
        return None


NEVER = MetricBounds(max=-1.0)
"""An event must not occur, so that its time has no value. Written `never`."""


def _short_form(value: Any) -> Any:
    """Expand a single value to `{min: value, max: value}`, and the word `never`."""
    if value == "never":
        return NEVER
    if isinstance(value, bool | int | float):
        return {"min": value, "max": value}
    return value


def _known(checks: dict[str, MetricBounds]) -> dict[str, MetricBounds]:
    for name, bounds in checks.items():
        if name not in CHECKABLE:
            raise ValueError(f"'{name}' is no metric; choose from {', '.join(sorted(CHECKABLE))}")
        low, high = (0.0, 1.0) if name in SHARES | _FLAGS else (0.0, float("inf"))
        if bounds == NEVER and name != "acquire_s":
            raise ValueError(f"'{name}' cannot be never; only acquire_s can")
        impossible = (bounds.min is not None and bounds.min > high) or (
            bounds.max is not None and bounds.max < low
        )
        if impossible and bounds != NEVER:
            raise ValueError(f"'{name}' lies between {low:g} and {high:g}: no flight could pass")
    return checks


Expectations = Annotated[
    dict[str, Annotated[MetricBounds, BeforeValidator(_short_form)]], AfterValidator(_known)
]
"""Bounds by the name of the metric; see docs/metrics.md."""


def complaints(expected: Mapping[str, MetricBounds], metrics: FlightMetrics) -> list[str]:
    """Return what is not as expected, in the order of the script."""
    values = metrics.to_dict()
    found = (bounds.complaint(name, values[name]) for name, bounds in expected.items())
    return [complaint for complaint in found if complaint is not None]


def _number(value: Any) -> str:
    return str(value) if isinstance(value, bool) else f"{value:.3g}"
