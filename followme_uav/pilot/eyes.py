"""Mask -> Sighting -> belief: whom the pilot sees, and where it believes the hero to be."""

from __future__ import annotations

import math
from enum import Enum

from followme_uav.config import FlightConfig
from followme_uav.messages import CameraPose, Frame, HeroEstimate, Mask, MissionState, Vec3
from followme_uav.perception.observe import observe
from followme_uav.pilot import tracker
from followme_uav.pilot.sighting import Sighting, sight
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

    def look(self, frame: Frame, mask: Mask, state: MissionState) -> Sighting | None:
        """The hero's blob, if any.

        While she is followed, only near the place where she should be. While she is approached
        there too, but somebody who surely is she counts more than something far away that may be.
        """
        self._rejected = [(until, spot) for until, spot in self._rejected if until > frame.time_s]
        sightings = self._sightings(frame, mask)
        track = self._track if state in (MissionState.ACQUIRE, MissionState.FOLLOW) else None
        seen = None
        if state is not MissionState.FOLLOW:
            seen = next((s for s in sightings if self._is_surely_she(frame.camera, s)), None)
        if seen is None:
            seen = next((s for s in sightings if self._is_wanted(frame, s, track)), None)
        elif track is not None and not self._is_where_she_is(frame, seen, track):
            track = None
        if seen is not None:
            self._track = tracker.update(track, frame.time_s, seen.place_m, self._tracker)
        return seen

    def judge(self, seen: Sighting | None) -> Verdict:
        """Whether the blob is the hero.

        Somebody in a red jacket over blue jeans is half a hero with doubt at the edges; a red car
        has more area than she has. From afar all of them look alike.
        """
        config = self._observe
        if seen is None:
            return Verdict.NOTHING_SEEN
        if seen.distance_m > config.sure_distance_m:
            return Verdict.TOO_FAR
        is_she = (
            seen.observation.confidence >= config.sure_confidence
            and config.sure_height_min <= seen.height <= config.sure_height_max
            and config.sure_area_min <= seen.area <= config.sure_area_max
        )
        return Verdict.HERO if is_she else Verdict.SOMEBODY_ELSE

    def expected(self, time_s: float) -> HeroTrack | None:
        """The belief about her at `time_s`; None before the first sighting."""
        return None if self._track is None else self._track.predict(time_s, self._tracker)

    def estimate(self, frame: Frame) -> HeroEstimate | None:
        """The same for the log and for viewers, with how far off it may be."""
        track = self.expected(frame.time_s)
        if track is None or self._track is None:
            return None
        unseen_s = frame.time_s - self._track.time_s
        sigma_m = self._observe.gate_across_m + self._observe.gate_growth_mps * unseen_s
        return HeroEstimate(track.position_m, (*track.velocity_mps, 0.0), sigma_m)

    def reject(self, until_s: float) -> None:
        """What was last seen is not the hero, it seems: overlook that place for a while."""
        if self._track is not None:
            self._rejected.append((until_s, self._track.position_m))

    def _sightings(self, frame: Frame, mask: Mask) -> list[Sighting]:
        """Blobs of a person's height on the ground, the most prominent first."""
        blobs = observe(mask, self._observe)
        size, area_m2 = mask.shape, self._hero_area_m2
        seen = [sight(frame.camera, blob, size, self._tracker, area_m2) for blob in blobs]
        return [s for s in seen if s is not None and self._may_be_her(s)]

    def _is_surely_she(self, camera: CameraPose, seen: Sighting) -> bool:
        return self.judge(seen) is Verdict.HERO and self._is_worth_a_look(camera, seen)

    def _is_wanted(self, frame: Frame, seen: Sighting, track: HeroTrack | None) -> bool:
        if track is None:
            return self._is_worth_a_look(frame.camera, seen)
        return self._is_where_she_is(frame, seen, track)

    def _may_be_her(self, seen: Sighting) -> bool:
        config = self._observe
        if seen.height > config.height_max:
            return False
        return seen.is_cut_off or seen.height >= config.height_min

    def _is_worth_a_look(self, camera: CameraPose, seen: Sighting) -> bool:
        """Clear and large enough for her, near enough to tell, and at no rejected place."""
        config = self._observe
        if seen.distance_m > config.notice_distance_m:
            return False
        if seen.observation.confidence < config.notice_confidence:
            return False
        if not seen.is_cut_off and seen.area < config.notice_area_min:
            return False
        return not any(
            math.dist(seen.place_m, spot)
            <= self._uncertainty_m(camera, spot, config.reject_radius_m)
            for _, spot in self._rejected
        )

    def _is_where_she_is(self, frame: Frame, seen: Sighting, track: HeroTrack) -> bool:
        """Within the gate around the expected place: narrow across the line of sight, long along.

        A sighting tells direction well and distance badly. She may turn while she is not seen.
        """
        config, here = self._observe, frame.camera.position_m
        expected_m = track.predict(frame.time_s, self._tracker).position_m
        unseen_s = frame.time_s - track.time_s
        angle_rad = math.atan2(seen.place_m[1] - here[1], seen.place_m[0] - here[0]) - math.atan2(
            expected_m[1] - here[1], expected_m[0] - here[0]
        )
        across_m = math.dist(expected_m[:2], here[:2]) * abs(math.sin(angle_rad))
        gate_m = self._uncertainty_m(frame.camera, expected_m, config.gate_m)
        gate_across_m = config.gate_across_m + config.gate_growth_mps * unseen_s
        return across_m <= gate_across_m and math.dist(seen.place_m, expected_m) <= gate_m

    def _uncertainty_m(self, camera: CameraPose, place_m: Vec3, least_m: float) -> float:
        """How far off a sighting of that place may be: grows with its distance."""
        return max(least_m, self._observe.gate_share * math.dist(camera.position_m, place_m))
