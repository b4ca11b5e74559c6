"""Metrics of a track that need no ground truth: for simulators that tell none, and for logs."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from followme_uav.log.entry import FlightEntry
from followme_uav.messages import MissionState, Vec3


@dataclass(frozen=True)
class TrackMetrics:
    """How steadily a flight had a track of the hero."""

    frames: int
    with_image: int
    """Frames with an image."""
    tracked: float | None
    """Share of the frames in FOLLOW; None without frames."""
    detected: float | None
    """Share of the frames in FOLLOW that have a selected detection; None without FOLLOW."""
    losses: int
    """Number of times that FOLLOW ended, except for a landing."""
    longest_follow_s: float
    jitter_m: float | None
    """Root mean square of the distance of the track from the middle between its neighbours, over
    three frames of FOLLOW in a row; None without them."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


class TrackMetricsAccumulator:
    """Takes the entries of one flight in order; the metrics so far are available at any time."""

    def __init__(self) -> None:
        self._frames = self._with_image = self._tracked = self._detected = self._losses = 0
        self._followed_from_s: float | None = None
        self._longest_s = 0.0
        self._places: list[Vec3] = []
        """The last two of this FOLLOW."""
        self._squares_m2 = 0.0
        self._triples = 0

    def add(self, entry: FlightEntry) -> None:
        """Take the next entry."""
        step = entry.step
        self._frames += 1
        self._with_image += step.mask is not None or entry.encoded_image is not None
        if step.state is not MissionState.FOLLOW:
            is_landing = step.state in (MissionState.LAND, MissionState.DONE)
            self._losses += self._followed_from_s is not None and not is_landing
            self._followed_from_s, self._places = None, []
            return
        if self._followed_from_s is None:
            self._followed_from_s = step.time_s
        self._tracked += 1
        self._detected += step.detection is not None
        self._longest_s = max(self._longest_s, step.time_s - self._followed_from_s)
        if step.track is None:
            self._places = []
            return
        self._add_place(step.track.position_m)

    def _add_place(self, place_m: Vec3) -> None:
        if len(self._places) == 2:
            first, middle = self._places
            off_m = (m - (a + b) / 2.0 for a, m, b in zip(first, middle, place_m, strict=True))
            self._squares_m2 += sum(part**2 for part in off_m)
            self._triples += 1
        self._places = [*self._places[-1:], place_m]

    def result(self) -> TrackMetrics:
        """Return the metrics so far."""
        return TrackMetrics(
            frames=self._frames,
            with_image=self._with_image,
            tracked=self._tracked / self._frames if self._frames else None,
            detected=self._detected / self._tracked if self._tracked else None,
            losses=self._losses,
            longest_follow_s=self._longest_s,
            jitter_m=math.sqrt(self._squares_m2 / self._triples) if self._triples else None,
        )
