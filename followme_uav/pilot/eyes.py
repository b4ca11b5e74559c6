"""Mask -> Observation -> belief: what the pilot sees and where it believes her to be."""

from __future__ import annotations

import math
from enum import Enum

from followme_uav.config import FlightConfig
from followme_uav.messages import Frame, Mask, Observation, Vec3
from followme_uav.perception.observe import observe
from followme_uav.pilot import tracker
from followme_uav.pilot.tracker import HeroTrack


class Verdict(Enum):
    """What a blob is taken for."""

    NOTHING_SEEN = "nothing seen"
    TOO_FAR = "too far to tell"
    HERO = "hero"
    SOMEBODY_ELSE = "somebody else"


class Eyes:
    """Picks the hero's blob out of each mask and keeps the track of her."""

    def __init__(self, config: FlightConfig) -> None:
        self._observe = config.observe
        self._tracker = config.tracker
        self._hero_area_m2 = config.control.hero_area_m2
        self._track: HeroTrack | None = None
        self._rejected: list[tuple[float, Vec3]] = []

    def look(self, frame: Frame, mask: Mask, expect_her: bool) -> Observation | None:
        """The hero's blob, if any; with `expect_her` only near the place where she should be."""
        expected = self.expected(frame.time_s) if expect_her else None

        def plausible(blob: Observation) -> bool:
            return self._may_be_her(frame, blob, mask.shape) and self._is_welcome(
                frame, blob, expected
            )

        observation = observe(mask, self._observe, plausible)
        if observation is not None:
            place = tracker.locate(frame.camera, observation, self._tracker)
            if place is not None:
                known = self._track if expect_her else None
                self._track = tracker.update(known, frame.time_s, place, self._tracker)
        return observation

    def judge(self, frame: Frame, mask: Mask, observation: Observation) -> Verdict:
        """Whether the blob is the hero.

        Somebody in a red jacket over blue jeans is half a hero with doubt at the edges; a red car
        has more area than she has. From afar all of them look alike.
        """
        config = self._observe
        place = tracker.locate(frame.camera, observation, self._tracker)
        stature = self._stature(frame, observation, mask.shape)
        if place is None or stature is None:
            return Verdict.SOMEBODY_ELSE
        if math.dist(place, frame.camera.position_m) > config.sure_distance_m:
            return Verdict.TOO_FAR
        is_she = (
            observation.confidence >= config.sure_confidence
            and config.sure_height_min <= stature.height <= config.sure_height_max
            and config.sure_area_min <= stature.area <= config.sure_area_max
        )
        return Verdict.HERO if is_she else Verdict.SOMEBODY_ELSE

    def expected(self, time_s: float) -> HeroTrack | None:
        """The belief about her at `time_s`; None before the first sighting."""
        return None if self._track is None else self._track.predict(time_s, self._tracker)

    def reject(self, until_s: float) -> None:
        """What was last seen is not the hero, it seems: overlook that place for a while."""
        if self._track is not None:
            self._rejected.append((until_s, self._track.position_m))

    def _stature(
        self, frame: Frame, blob: Observation, shape: tuple[int, ...]
    ) -> tracker.Stature | None:
        return tracker.stature(frame.camera, blob, shape, self._tracker, self._hero_area_m2)

    def _may_be_her(self, frame: Frame, blob: Observation, shape: tuple[int, ...]) -> bool:
        stature = self._stature(frame, blob, shape)
        if stature is None or stature.height > self._observe.height_max:
            return False
        return stature.is_cut_off or stature.height >= self._observe.height_min

    def _is_welcome(self, frame: Frame, blob: Observation, expected: HeroTrack | None) -> bool:
        """Near the place where she should be, if there is one; and at no rejected place."""
        place = tracker.locate(frame.camera, blob, self._tracker)
        if place is None:
            return False
        if expected is not None:
            return self._are_close(frame, place, expected.position_m, self._observe.gate_m)
        self._rejected = [(until, spot) for until, spot in self._rejected if until > frame.time_s]
        return not any(
            self._are_close(frame, place, spot, self._observe.reject_radius_m)
            for _, spot in self._rejected
        )

    def _are_close(self, frame: Frame, place_m: Vec3, other_m: Vec3, gate_m: float) -> bool:
        """Within the gate, which widens with distance as the uncertainty of a sighting does."""
        distance_m = math.dist(frame.camera.position_m, other_m)
        return math.dist(place_m, other_m) <= max(gate_m, self._observe.gate_share * distance_m)
