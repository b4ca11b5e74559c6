"""Comparison of a figure between two groups of flights: the Mann-Whitney test and its effect."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from followme_uav.statistics.intervals import CONFIDENCE, Interval

_TINY = 1e-9


@dataclass(frozen=True)
class MannWhitney:
    """The difference of a figure between two groups of flights."""

    higher: Interval
    """Share of the pairs, one flight of each group, in which that of the first group has the larger
    value, equal values counted half; 0.5: no difference."""
    p_value: float


def mann_whitney(first: ArrayLike, second: ArrayLike) -> MannWhitney:
    """Compare the values of two groups of flights, each with at least one.

    H. B. Mann, D. R. Whitney, "On a test of whether one of two random variables is stochastically
    larger than the other", Annals of Mathematical Statistics 18 (1947), normal approximation.

    Args:
        first: (flights,).
        second: (flights,), as many or not.
    """
    from scipy.stats import mannwhitneyu  # slow to import

    x, y = np.asarray(first, float), np.asarray(second, float)
    test = mannwhitneyu(x, y, method="asymptotic")
    share = float(test.statistic) / (x.size * y.size)
    return MannWhitney(_higher_interval(share, x.size, y.size), float(test.pvalue))


def _higher_interval(share: float, first: int, second: int) -> Interval:
    """Return the interval of the effect: method 5 of Newcombe.

    R. G. Newcombe, "Confidence intervals for an effect size measure based on the Mann-Whitney
    statistic. Part 2: asymptotic methods and evaluation", Statistics in Medicine 25 (2006). The
    limits are the shares t with |share - t| = z sqrt(V(t)), where V is the variance of J. A. Hanley
    and B. J. McNeil (Radiology 143, 1982) with both group sizes replaced by their mean. Unlike the
    bootstrap, it has a width where all pairs agree.
    """
    from scipy.optimize import brentq
    from scipy.stats import norm

    z = float(norm.ppf(0.5 + CONFIDENCE / 2.0))
    more = (first + second) / 2.0 - 1.0

    def excess(t: float) -> float:
        """Above 0 where t is excluded."""
        weight = 1.0 + more * (1.0 - t) / (2.0 - t) + more * t / (1.0 + t)
        return abs(share - t) - z * math.sqrt(t * (1.0 - t) * weight / (first * second))

    middle = min(max(share, _TINY), 1.0 - _TINY)
    low = brentq(excess, 0.0, middle) if share > _TINY else 0.0
    high = brentq(excess, middle, 1.0) if share < 1.0 - _TINY else 1.0
    return Interval(share, float(low), float(high))
