"""A rule that ends a campaign when its interval is narrow enough, and keeps the interval honest.

An ordinary interval holds for a number of flights that was fixed before. Looked at again and again
until it is narrow, it is wrong more often than it says. A confidence sequence holds at all numbers
of flights at once, so that a campaign may stop at any of them (H. Robbins, "Statistical methods
related to the law of the iterated logarithm", Annals of Mathematical Statistics 41, 1970; S. R.
Howard, A. Ramdas, J. McAuliffe, J. Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence
sequences", Annals of Statistics 49, 2021).

The sequence used is the beta-binomial mixture: with k successes in n flights, a share p is
excluded where

    B(k + a, n - k + b) / B(a, b) >= p^k (1 - p)^(n - k) / alpha .

The left side over the likelihood is a martingale of mean 1 under p. By Ville's inequality it ever
exceeds 1 / alpha with a probability of at most alpha.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from followme_uav.statistics.intervals import CONFIDENCE, Interval

_PRIOR = 0.5
"""a = b = 1/2: narrow for shares near 0 and 1."""
_TINY = 1e-12
MIN_FLIGHTS = 20
"""For each variant, before the rule may end a campaign."""


def sequence_interval(passed: int, flights: int) -> Interval:
    """Return the interval of the confidence sequence after so many flights."""
    from scipy.optimize import brentq  # slow to import
    from scipy.special import betaln

    if not flights:
        return Interval(0.0, 0.0, 1.0)
    failed, share = flights - passed, passed / flights
    limit = math.log(1.0 - CONFIDENCE)
    mixture = float(betaln(passed + _PRIOR, failed + _PRIOR) - betaln(_PRIOR, _PRIOR))

    def excess(p: float) -> float:
        """Above 0 where p is excluded."""
        likelihood = (passed * math.log(p) if passed else 0.0) + (
            failed * math.log1p(-p) if failed else 0.0
        )
        return mixture - likelihood + limit

    middle = min(max(share, _TINY), 1.0 - _TINY)
    low = brentq(excess, _TINY, middle, xtol=_TINY) if passed else 0.0
    high = brentq(excess, middle, 1.0 - _TINY, xtol=_TINY) if failed else 1.0
    return Interval(share, float(low), float(high))


class Stopping:
    """Ends a campaign at the first flight of a fixed order after which all intervals are narrow.

    The order is that of `flights`, not that in which flights end: short flights end first, and
    failures may be short. So the result is the same with any number of workers.

    Args:
        flights: The variant of each flight, in the order in which they count.
        half_width: Of the interval of the success of each variant.
    """

    def __init__(self, flights: Sequence[str], half_width: float) -> None:
        self._flights, self._half_width = flights, half_width
        self._next = 0
        self._counts = {variant: [0, 0] for variant in flights}
        self.stopped_after: int | None = None
        """Number of flights that count; None: go on."""

    def update(self, outcomes: Mapping[int, bool | None]) -> None:
        """Look at the flights that are done.

        Args:
            outcomes: Success by the number of the flight; None: crashed, which does not count.
        """
        while self.stopped_after is None and self._next in outcomes:
            success = outcomes[self._next]
            if success is not None:
                count = self._counts[self._flights[self._next]]
                count[0] += success
                count[1] += 1
            self._next += 1
            if success is not None and self._all_narrow():
                self.stopped_after = self._next

    def intervals(self) -> dict[str, Interval]:
        """Return the interval of each variant so far."""
        return {variant: sequence_interval(*count) for variant, count in self._counts.items()}

    def _all_narrow(self) -> bool:
        if min(count[1] for count in self._counts.values()) < MIN_FLIGHTS:
            return False
        return all(i.high - i.low <= 2.0 * self._half_width for i in self.intervals().values())
