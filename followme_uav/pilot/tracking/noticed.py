"""People who are not approached now, but seen again and again.

Until the camera has looked all around, only people nearby are approached. In one flight in ten the
hero was seen then, farther away; the patrol flew on, and came by again minutes later. So those who
were too far away are looked at again after it.

A place that was rejected after one detection is ignored for a while. If somebody is detected there
again and again, the place is no longer ignored.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from followme_uav.config import FlightConfig
from followme_uav.messages import Candidate, Classification, Measurement, Outcome
from followme_uav.pilot.tracking.association import unclear
from followme_uav.pilot.tracking.rejected_regions import radius_m_at
from followme_uav.pilot.tracking.track import Track, start_track, update_track

FRAMES = 3
"""Seen in fewer frames, it is most often a false alarm."""
WITHIN_S = 0.75
"""In a rejected region, each of those frames comes within this time after the last."""
LOOK_S = 1.5
"""Duration of the look at the place: time to turn the camera, and some ten frames."""


@dataclass(frozen=True)
class Noticed:
    """Somebody who was seen, and not approached."""

    track: Track
    distance_m: float
    """From which the last detection was seen."""
    frames: int
    """In which the person was detected."""


def with_candidates(
    noticed: tuple[Noticed, ...],
    time_s: float,
    candidates: Iterable[Candidate],
    outcome: Outcome,
    config: FlightConfig,
) -> tuple[Noticed, ...]:
    """Add the candidates of one frame that are not approached for one reason only.

    Args:
        noticed: People noticed so far.
        time_s: Time of the frame; one that is not later adds nothing.
        candidates: All of the frame.
        outcome: That reason.
        config: The flight's configuration.
    """
    for candidate in candidates:
        place = candidate.measurement
        if place is None or candidate.outcome is not outcome or not _is_worth(candidate, config):
            continue
        number = _nearest(noticed, time_s, place, config)
        if number is None:
            track = start_track(time_s, place, config.track)
            noticed = (*noticed, Noticed(track, place.distance_m, 1))
        elif noticed[number].track.time_s < time_s:
            track = update_track(noticed[number].track, time_s, place, config.track)
            again = Noticed(track, place.distance_m, noticed[number].frames + 1)
            noticed = (*noticed[:number], again, *noticed[number + 1 :])
    return noticed


def _is_worth(candidate: Candidate, config: FlightConfig) -> bool:
    """Whether a candidate would be approached but for that reason."""
    place, limits = candidate.measurement, config.association
    return (
        place is not None
        and candidate.classification is not Classification.REJECTED
        and place.distance_m <= limits.approach_distance_m
        and unclear(candidate.detection, place, limits) is None
    )


def _nearest(
    noticed: tuple[Noticed, ...], time_s: float, place: Measurement, config: FlightConfig
) -> int | None:
    """Number of the one who most probably is at the place; None for nobody."""
    found, least_sq = None, config.association.gate
    radius_m = radius_m_at(place.distance_m, config.association)
    for number, one in enumerate(noticed):
        apart_sq = one.track.predict(time_s, config.track).mahalanobis_sq(place)
        apart_m = math.dist(one.track.position_m, place.position_m)
        if apart_sq <= least_sq and apart_m <= radius_m:
            found, least_sq = number, apart_sq
    return found


def recent(noticed: tuple[Noticed, ...], time_s: float) -> tuple[Noticed, ...]:
    """Those seen within the last `WITHIN_S`."""
    return tuple(one for one in noticed if time_s - one.track.time_s <= WITHIN_S)


def seen_most(noticed: Iterable[Noticed]) -> Noticed | None:
    """The one detected in most frames, the first of several; None if all had fewer than three."""
    best = max(noticed, key=lambda one: one.frames, default=None)
    return None if best is None or best.frames < FRAMES else best
