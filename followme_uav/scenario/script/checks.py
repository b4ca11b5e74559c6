"""What a script expects of a flight's metrics, and whether the flight did as expected."""

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


class Limits(Section):
    """Smallest and largest allowed value; of a list, each item is judged."""

    min: Number | None = None
    max: Number | None = None

    @model_validator(mode="after")
    def _possible(self) -> Limits:
        if self.min is None and self.max is None:
            raise ValueError("give min, max or both, or one value")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        return self

    def complaint(self, name: str, value: Any) -> str | None:
        """What is wrong with a metric; None when nothing is."""
        if value is None:
            return None if self == NEVER else f"{name}: there is none"
        if self == NEVER:
            return f"{name} {_number(value)}, which should never be"
        for item in value if isinstance(value, list) else [value]:
            if self.min is not None and item < self.min:
                return f"{name} {_number(item)} < {self.min:g}"
            if self.max is not None and item > self.max:
                return f"{name} {_number(item)} > {self.max:g}"
        return None


NEVER = Limits(max=-1.0)
"""Of a time: it must not come. Written `never`."""


def _short_form(value: Any) -> Any:
    """`0` is `{min: 0, max: 0}`, `never` is for what must not happen at all."""
    if value == "never":
        return NEVER
    if isinstance(value, bool | int | float):
        return {"min": value, "max": value}
    return value


def _known(checks: dict[str, Limits]) -> dict[str, Limits]:
    for name, limits in checks.items():
        if name not in CHECKABLE:
            raise ValueError(f"'{name}' is no metric; choose from {', '.join(sorted(CHECKABLE))}")
        low, high = (0.0, 1.0) if name in SHARES | _FLAGS else (0.0, float("inf"))
        if limits == NEVER and name != "acquire_s":
            raise ValueError(f"'{name}' cannot be never; only acquire_s can")
        impossible = (limits.min is not None and limits.min > high) or (
            limits.max is not None and limits.max < low
        )
        if impossible and limits != NEVER:
            raise ValueError(f"'{name}' lies between {low:g} and {high:g}, so nothing could pass")
    return checks


Expectations = Annotated[
    dict[str, Annotated[Limits, BeforeValidator(_short_form)]], AfterValidator(_known)
]
"""By name of the metric; see docs/metrics.md."""


def complaints(expected: Mapping[str, Limits], metrics: FlightMetrics) -> list[str]:
    """Everything that is not as expected, in the script's order."""
    values = metrics.to_dict()
    found = (limits.complaint(name, values[name]) for name, limits in expected.items())
    return [complaint for complaint in found if complaint is not None]


def _number(value: Any) -> str:
    return str(value) if isinstance(value, bool) else f"{value:.3g}"
