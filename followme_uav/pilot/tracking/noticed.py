"""People who are not approached, but seen again and again.

Until the camera has looked all around, only people nearby are approached. In one flight in ten the
hero was seen then, farther away; the patrol flew on, and came by again minutes later. So those who
were too far away are looked at again after it.

A place that was rejected after one detection is ignored for a while. If somebody is detected there
again and again, it is no longer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from followme_uav.config import FlightConfig
from followme_uav.messages import Candidate, Classification, Outcome
from followme_uav.pilot.tracking.track import Track, start_track, update_track

FRAMES = 3
"""Seen in fewer frames, it is most often a false alarm."""
WITHIN_S = 0.75
"""In a rejected region, each of those frames comes within this time after the last."""
LOOK_S = 1.5
"""Duration of the look at the place: time to turn the camera, and some ten frames."""


@dataclass(frozen=True)
class Noticed:
    """Somebody far away."""

    track: Track
    frames: int
    """In which the person was detected."""


def with_candidates(
    noticed: tuple[Noticed, ...],
    time_s: float,
    candidates: Iterable[Candidate],
    outcome: Outcome,
    config: FlightConfig,
) -> tuple[Noticed, ...]:
    """Those noticed so far, and those of the candidates with an outcome that would be approached.

    Args:
        noticed: Those so far.
        time_s: Of the frame.
        candidates: Of the frame.
        outcome: The reason why they are not approached.
        config: Of the flight.
    """
    for candidate in candidates:
        place = candidate.measurement
        if (
            place is None
            or candidate.outcome is not outcome
            or candidate.classification is Classification.REJECTED
            or place.distance_m > config.association.approach_distance_m
            or candidate.detection.confidence < config.association.approach_confidence_min
        ):
            continue
        for number, one in enumerate(noticed):
            now = one.track.predict(time_s, config.track)
            if now.mahalanobis_sq(place) <= config.association.gate:
                again = Noticed(
                    update_track(one.track, time_s, place, config.track), one.frames + 1
                )
                noticed = (*noticed[:number], again, *noticed[number + 1 :])
                break
        else:
            noticed = (*noticed, Noticed(start_track(time_s, place, config.track), 1))
    return noticed


def recent(noticed: tuple[Noticed, ...], time_s: float) -> tuple[Noticed, ...]:
    """Those seen within the last `WITHIN_S`."""
    return tuple(one for one in noticed if time_s - one.track.time_s <= WITHIN_S)


def worth_a_look(noticed: Iterable[Noticed]) -> Track | None:
    """The one that was detected in most frames, the first of several; None if all had too few."""
    best = max(noticed, key=lambda one: one.frames, default=None)
    return None if best is None or best.frames < FRAMES else best.track
