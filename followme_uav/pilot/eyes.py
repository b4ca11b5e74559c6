"""Mask -> Observation -> belief: what the pilot sees and where it believes her to be."""

from __future__ import annotations

import math

from followme_uav.config import FlightConfig
from followme_uav.messages import Frame, Mask, Observation
from followme_uav.perception.observe import observe
from followme_uav.pilot import tracker
from followme_uav.pilot.tracker import HeroTrack


class Eyes:
    """Picks the hero's blob out of each mask and keeps the track of her."""

    def __init__(self, config: FlightConfig) -> None:
        self._observe = config.observe
        self._tracker = config.tracker
        self._track: HeroTrack | None = None

    def look(self, frame: Frame, mask: Mask, expect_her: bool) -> Observation | None:
        """The hero's blob, if any; with `expect_her` only near the place where she should be."""
        expected = self.expected(frame.time_s) if expect_her else None

        def plausible(blob: Observation) -> bool:
            return tracker.has_human_size(
                frame.camera, blob, mask.shape, self._observe, self._tracker
            ) and (expected is None or self._is_near(frame, blob, expected))

        observation = observe(mask, self._observe, plausible)
        if observation is not None:
            place = tracker.locate(frame.camera, observation, self._tracker)
            if place is not None:
                known = self._track if expect_her else None
                self._track = tracker.update(known, frame.time_s, place, self._tracker)
        return observation

    def expected(self, time_s: float) -> HeroTrack | None:
        """The belief about her at `time_s`; None before the first sighting."""
        return None if self._track is None else self._track.predict(time_s, self._tracker)

    def _is_near(self, frame: Frame, blob: Observation, expected: HeroTrack) -> bool:
        place = tracker.locate(frame.camera, blob, self._tracker)
        if place is None:
            return False
        distance_m = math.dist(frame.camera.position_m, expected.position_m)
        gate_m = max(self._observe.gate_m, self._observe.gate_share * distance_m)
        return math.dist(place, expected.position_m) <= gate_m
