"""Confidence intervals of 95 %: Wilson's for shares of flights, the bootstrap for other figures.

E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the
American Statistical Association 22 (1927). B. Efron, R. Tibshirani, "An Introduction to the
Bootstrap" (1993), percentile intervals. The bootstrap draws whole flights, from a fixed seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

CONFIDENCE = 0.95
RESAMPLES = 2000
_SEED = 1927
_BATCH = 100
"""Resamples at a time: 10,000 flights need 8 MB for each figure."""


@dataclass(frozen=True)
class Interval:
    """An estimate and its confidence interval."""

    value: float
    low: float
    high: float


def wilson(passed: int, flights: int) -> Interval:
    """Return the share of flights with Wilson's interval; 0 to 1 without flights."""
    from scipy.stats import binomtest  # slow to import

    if not flights:
        return Interval(0.0, 0.0, 1.0)
    limits = binomtest(passed, flights).proportion_ci(CONFIDENCE, method="wilson")
    return Interval(passed / flights, float(limits.low), float(limits.high))


def bootstrap_interval(
    values: ArrayLike, statistic: Callable[..., Any] = np.mean
) -> Interval | None:
    """Return a statistic of values, one for each flight, and its interval; None without values.

    Args:
        values: (flights,).
        statistic: A function of an array with the argument `axis`.
    """
    data = np.asarray(values, float)
    return _bootstrap((data,), statistic) if data.size else None


def share_interval(parts: Sequence[float], wholes: Sequence[float]) -> Interval | None:
    """Return the sum of parts over the sum of wholes; None where the latter is 0.

    Args:
        parts: One for each flight, for example the seconds in which the hero was tracked.
        wholes: One for each flight, for example the seconds after the hero was found.
    """
    judged = [(part, whole) for part, whole in zip(parts, wholes, strict=True) if whole > 0.0]
    if not judged:
        return None
    part, whole = np.asarray(judged, float).T

    def ratio(part: NDArray[Any], whole: NDArray[Any], axis: int = -1) -> Any:
        return part.sum(axis=axis) / whole.sum(axis=axis)

    return _bootstrap((part, whole), ratio)


def median_interval(groups: Sequence[Sequence[float]]) -> Interval | None:
    """Return the median of all values, and its interval; None without values.

    Args:
        groups: The values of each flight: those of one flight are drawn together.
    """
    flights = [values for values in groups if values]
    if not flights:
        return None
    owner = np.repeat(np.arange(len(flights)), [len(values) for values in flights])
    data = np.concatenate([np.asarray(values, float) for values in flights])
    order = np.argsort(data)
    data, owner = data[order], owner[order]
    rng = np.random.default_rng(_SEED)
    medians = []
    for _ in range(RESAMPLES):
        counts = np.bincount(rng.integers(len(flights), size=len(flights)), minlength=len(flights))
        medians.append(float(np.median(np.repeat(data, counts[owner]))))
    low, high = np.quantile(medians, [0.5 - CONFIDENCE / 2.0, 0.5 + CONFIDENCE / 2.0])
    return Interval(float(np.median(data)), float(low), float(high))


def _bootstrap(samples: tuple[NDArray[Any], ...], statistic: Callable[..., Any]) -> Interval:
    from scipy.stats import bootstrap

    value = float(statistic(*samples, axis=-1))
    if len(samples[0]) < 2:
        return Interval(value, value, value)
    limits = bootstrap(
        samples,
        statistic,
        n_resamples=RESAMPLES,
        batch=_BATCH,
        vectorized=True,
        paired=len(samples) > 1,
        confidence_level=CONFIDENCE,
        method="percentile",
        random_state=np.random.default_rng(_SEED),
    ).confidence_interval
    return Interval(value, float(limits.low), float(limits.high))
