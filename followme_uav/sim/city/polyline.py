"""A polyline that a person or a vehicle follows."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Sequence

from followme_uav.messages import Vec3


class Path:
    """A polyline and the progress along it, which never decreases.

    Args:
        points_m: at least one; equal neighbours are allowed.

    Attributes:
        done_m: the progress, as a distance along the polyline.
    """

    def __init__(self, points_m: Sequence[Vec3]) -> None:
        self.points_m = points_m
        lengths = (math.dist(a, b) for a, b in itertools.pairwise(points_m))
        self._starts_m = list(itertools.accumulate(lengths, initial=0.0))
        self.length_m = self._starts_m[-1]
        self.done_m = 0.0

    def at(self, distance_m: float) -> Vec3:
        """The point at a distance along the path."""
        starts = self._starts_m
        i = bisect.bisect_right(starts, distance_m) - 1
        if i >= len(starts) - 1:
            return self.points_m[-1]
        share = (distance_m - starts[i]) / (starts[i + 1] - starts[i])
        (an, ae, ad), (bn, be, bd) = self.points_m[i], self.points_m[i + 1]
        return an + share * (bn - an), ae + share * (be - ae), ad + share * (bd - ad)

    def progress(self, position_m: Vec3, window_m: float) -> float:
        """Advance to the nearest point within the window ahead; return the distance to it."""
        end_m = min(self.done_m + window_m, self.length_m)
        best_m, nearest_m = self.done_m, math.dist(position_m, self.at(self.done_m))
        starts = self._starts_m
        for i in range(bisect.bisect_right(starts, self.done_m) - 1, len(starts) - 1):
            if starts[i] > end_m:
                break
            along_m = _project(self.points_m[i], self.points_m[i + 1], position_m)
            here_m = min(max(starts[i] + along_m, self.done_m), end_m)
            off_m = math.dist(position_m, self.at(here_m))
            if off_m < nearest_m:
                best_m, nearest_m = here_m, off_m
        self.done_m = best_m
        return nearest_m


def _project(a: Vec3, b: Vec3, point: Vec3) -> float:
    """Distance from a to the foot of a point on the line from a to b; it may lie outside."""
    length_m = math.dist(a, b)
    if length_m == 0.0:
        return 0.0
    return sum((q - p) * (r - p) for p, q, r in zip(a, b, point, strict=True)) / length_m
