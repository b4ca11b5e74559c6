"""Confidence intervals of 95 %: Wilson's for shares, the bootstrap for other figures.

E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the
American Statistical Association 22 (1927). B. Efron, R. Tibshirani, "An Introduction to the
Bootstrap" (1993), percentile intervals. The bootstrap draws whole flights, or whole frames, from a
fixed seed.
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


def wilson(passed: int, total: int) -> Interval:
    """Return the share that passed with Wilson's interval; 0 to 1 if the total is 0."""
    from scipy.stats import binomtest  # slow to import

    if not total:
        return Interval(0.0, 0.0, 1.0)
    limits = binomtest(passed, total).proportion_ci(CONFIDENCE, method="wilson")
    return Interval(passed / total, float(limits.low), float(limits.high))


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


def grouped_interval(sizes: Sequence[int], statistic: Callable[..., Any]) -> Interval:
    """Return a statistic of several groups and its interval; members are drawn within their group.

    Args:
        sizes: Number of members of each group, at least 1.
        statistic: A function of one array of member indices (..., members) for each group, and of
            `axis`, which is -1.
    """
    return _bootstrap(tuple(np.arange(size) for size in sizes), statistic, paired=False)


def _bootstrap(
    samples: tuple[NDArray[Any], ...], statistic: Callable[..., Any], paired: bool = True
) -> Interval:
    from scipy.stats import bootstrap

    value = float(statistic(*samples, axis=-1))
    drawn = tuple(sample for sample in samples if len(sample) > 1)
    if not drawn:
        return Interval(value, value, value)

    def of_drawn(*parts: NDArray[Any], axis: int = -1) -> Any:
        """The statistic; a sample of one member is always drawn as it is."""
        given = iter(parts)
        return statistic(*(next(given) if len(s) > 1 else s for s in samples), axis=axis)

    limits = bootstrap(
        drawn,
        statistic if len(drawn) == len(samples) else of_drawn,
        n_resamples=RESAMPLES,
        batch=_BATCH,
        vectorized=True,
        paired=paired and len(drawn) > 1,
        confidence_level=CONFIDENCE,
        method="percentile",
        random_state=np.random.default_rng(_SEED),
    ).confidence_interval
    return Interval(value, float(limits.low), float(limits.high))
