"""After a gap, a detection that is too far away to classify counts only when seen twice.

A false alarm near the place where the hero vanished would turn the track to it.
"""

from __future__ import annotations

from dataclasses import replace

from followme_uav.config import FlightConfig
from followme_uav.messages import Candidate, Classification, Outcome
from followme_uav.pilot.tracking.association import Association
from followme_uav.pilot.tracking.track import Track, start_track

UNSEEN_S = 0.3
"""A gap is a longer time without a detection of the track."""
TWICE_WITHIN_S = 0.6
"""Longest time between the two."""


def is_doubtful(selected: Candidate, time_s: float, track: Track) -> bool:
    """Whether this detection, which continues the track, has to be seen twice."""
    return (
        selected.classification is Classification.UNCONFIRMED and time_s - track.time_s > UNSEEN_S
    )


def seen_once(selected: Candidate, time_s: float, config: FlightConfig) -> Track | None:
    """The track of a person who was seen once; None without a place on the ground."""
    if selected.measurement is None:
        return None
    return start_track(time_s, selected.measurement, config.track)


def is_seen_again(
    selected: Candidate, time_s: float, before: Track | None, config: FlightConfig
) -> bool:
    """Whether the earlier detection `before` was probably of the same person."""
    if before is None or selected.measurement is None:
        return False
    if not 0.0 < time_s - before.time_s <= TWICE_WITHIN_S:
        return False
    now = before.predict(time_s, config.track)
    return now.mahalanobis_sq(selected.measurement) <= config.association.gate


def without(association: Association, selected: Candidate) -> Association:
    """The association without its selection, which was seen only once."""
    once = replace(selected, outcome=Outcome.SEEN_ONCE)
    candidates = tuple(once if one is selected else one for one in association.candidates)
    return Association(candidates, selected=None, is_expected=False)
