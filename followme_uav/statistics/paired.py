"""Paired tests: each flight of two runs, or each frame of two networks, is compared with itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from followme_uav.statistics.intervals import Interval, bootstrap_interval


@dataclass(frozen=True)
class McNemar:
    """McNemar's exact test: whether as many results got better as got worse.

    Q. McNemar, "Note on the sampling error of the difference between correlated proportions or
    percentages", Psychometrika 12 (1947). Equal results say nothing.
    """

    better: int
    """Failed before, and pass now."""
    worse: int
    p_value: float
    """Probability of a difference as large as this, or larger, if both are equally good."""


def mcnemar(before: ArrayLike, after: ArrayLike) -> McNemar:
    """Test the successes of the same flights or frames; both (n,) bool."""
    from scipy.stats import binomtest  # slow to import

    was, now = np.asarray(before, bool), np.asarray(after, bool)
    better, worse = int((~was & now).sum()), int((was & ~now).sum())
    if not better + worse:
        return McNemar(0, 0, 1.0)
    return McNemar(better, worse, float(binomtest(better, better + worse, 0.5).pvalue))


def difference(before: ArrayLike, after: ArrayLike) -> Interval | None:
    """Return the mean difference of the same flights or frames with its bootstrap interval.

    Args:
        before: (n,).
        after: (n,), in the same order.
    """
    return bootstrap_interval(np.asarray(after, float) - np.asarray(before, float))
