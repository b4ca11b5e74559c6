"""Places where a detection was rejected: ignored for a while, twice as long each further time.

A place that was rejected from far away is looked at again from nearer, where it shows more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from followme_uav.config import AssociationConfig
from followme_uav.messages import Measurement, Vec3

NEARER = math.sqrt(0.5)
"""From this share of the distance a place shows twice the pixels."""


class Tried(NamedTuple):
    """A place of detections that were approached."""

    position_m: Vec3
    distance_m: float
    """From which the last of them was seen."""


@dataclass(frozen=True)
class RejectedRegion:
    """A circle on the ground in which detections are ignored."""

    centre_m: Vec3
    distance_m: float
    """From which the detection was rejected."""
    until_s: float
    times: int
    """How often a detection was rejected here."""
    is_certain: bool
    """The detection was classified from nearby, not only lost from sight."""


Regions = tuple[RejectedRegion, ...]


def with_rejections(
    regions: Regions,
    places: Sequence[Tried],
    time_s: float,
    duration_s: float,
    config: AssociationConfig,
    *,
    is_certain: bool,
) -> Regions:
    """The regions after an approach that led to these places, the last one first.

    Only of the last one it may be certain that the hero is not there. Places that are near one
    another count once.
    """
    apart_m: list[Vec3] = []
    for place in places:
        if any(math.dist(place.position_m, other) <= config.reject_radius_m for other in apart_m):
            continue
        last = is_certain and not apart_m
        regions = with_rejection(regions, place, time_s, duration_s, config, is_certain=last)
        apart_m.append(place.position_m)
    return regions


def with_rejection(
    regions: Regions,
    place: Tried,
    time_s: float,
    duration_s: float,
    config: AssociationConfig,
    *,
    is_certain: bool,
) -> Regions:
    """The regions after one more rejection; regions around the same place become one."""
    near = [r for r in regions if math.dist(r.centre_m, place.position_m) <= config.reject_radius_m]
    active = [region for region in near if time_s < region.until_s]
    times = 1 + max((region.times for region in near), default=0)
    newest = RejectedRegion(
        centre_m=place.position_m,
        distance_m=min((place.distance_m, *(region.distance_m for region in active))),
        until_s=time_s + duration_s * 2.0 ** (times - 1),
        times=times,
        is_certain=is_certain or any(region.is_certain for region in active),
    )
    return (*(region for region in regions if region not in near), newest)


def reconsidered(
    regions: Regions, place: Tried, time_s: float, config: AssociationConfig
) -> Regions:
    """The regions after somebody was seen again and again: those around the place end now.

    Certain rejections stay, and those of a place that was rejected before: something that always
    looks like a person would be approached for ever.
    """
    radius_m = radius_m_at(place.distance_m, config)
    return tuple(
        replace(region, until_s=min(region.until_s, time_s))
        if region.times == 1
        and not region.is_certain
        and math.dist(region.centre_m, place.position_m) <= radius_m
        else region
        for region in regions
    )


def radius_m_at(distance_m: float, config: AssociationConfig) -> float:
    """Radius of a region for detections at this distance: their error grows with it."""
    return max(config.reject_radius_m, config.reject_share * distance_m)


def is_rejected(
    regions: Iterable[RejectedRegion],
    measurement: Measurement,
    time_s: float,
    config: AssociationConfig,
    *,
    only_certain: bool = False,
) -> bool:
    """Whether the measurement lies in a region that is still ignored from its distance."""
    radius_m = radius_m_at(measurement.distance_m, config)
    return any(
        time_s < region.until_s
        and math.dist(measurement.position_m, region.centre_m) <= radius_m
        and (region.is_certain or not only_certain)
        and (region.is_certain or measurement.distance_m > NEARER * region.distance_m)
        for region in regions
    )
