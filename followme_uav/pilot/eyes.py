"""Mask -> Sighting -> belief: whom the pilot sees, and where it believes the hero to be."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from followme_uav.config import FlightConfig, ObserveConfig
from followme_uav.messages import Frame, Mask, MissionState, Vec3
from followme_uav.perception.observe import observe
from followme_uav.pilot import tracker
from followme_uav.pilot.sighting import Sighting, fix, sight
from followme_uav.pilot.tracker import Fix, HeroTrack


class Verdict(Enum):
    """What a blob is taken for."""

    NOTHING_SEEN = "nothing seen"
    TOO_FAR = "too far to tell"
    LIKE_HER = "like the hero from there"
    HERO = "hero"
    SOMEBODY_ELSE = "somebody else"


class Eyes:
    """Picks the hero's blob out of each mask and keeps the track of her."""

    def __init__(self, config: FlightConfig) -> None:
        self._observe = config.observe
        self._tracker = config.tracker
        self._hero_area_m2 = config.control.hero_area_m2
        self._track: HeroTrack | None = None
        self._followed: HeroTrack | None = None
        """The track of her who was followed last."""
        self._overlooked = Overlooked(config.observe)

    def look(self, frame: Frame, mask: Mask, state: MissionState) -> Sighting | None:
        """The hero's blob, if any.

        While she is followed, only where she may be by now. While she is approached there first,
        but somebody who surely is she counts more than something far away that may be.
        """
        track, time_s = self._track, frame.time_s
        expected = None if track is None else self._allowing_turns(track, time_s)
        seen = self._choose(frame, self._sightings(frame, mask), state, expected)
        if seen is None or (track is not None and time_s <= track.time_s):
            return seen  # an image that came twice tells nothing new
        place = self._fix(frame, seen)
        if track is None or expected is None or expected.surprise(place) > self._tracker.gate:
            self._track = tracker.start(time_s, place, self._tracker)
        else:
            self._track = tracker.update(track, time_s, place, self._tracker)
        if state is MissionState.FOLLOW:
            self._followed = self._track
        return seen

    def judge(self, seen: Sighting | None, *, is_expected: bool = False) -> Verdict:
        """Whether the blob is the hero.

        Somebody in a red jacket over blue jeans is half a hero with doubt at the edges; a red car
        has more area than she has. From afar all of them look alike, and a rust-coloured coat does
        until it is quite near. But she who was lost and is expected there counts from there, too.
        """
        config = self._observe
        if seen is None:
            return Verdict.NOTHING_SEEN
        is_near = seen.distance_m <= config.sure_distance_m
        may_tell = is_near or (is_expected and seen.distance_m <= config.expected_distance_m)
        confidence = config.sure_confidence if is_near else config.expected_confidence
        is_she = (
            may_tell
            and seen.observation.confidence >= confidence
            and seen.observation.purity >= config.sure_purity
            and config.sure_height_min <= seen.height <= config.sure_height_max
            and config.sure_area_min <= seen.area <= config.sure_area_max
        )
        if is_she:
            is_close = seen.distance_m <= config.close_distance_m
            return Verdict.HERO if is_close or is_expected else Verdict.LIKE_HER
        return Verdict.SOMEBODY_ELSE if is_near else Verdict.TOO_FAR

    def is_expected(self, frame: Frame, seen: Sighting | None) -> bool:
        """Whether she who was followed last may have come there meanwhile."""
        if seen is None or self._followed is None:
            return False
        expected = self._allowing_turns(self._followed, frame.time_s)
        return expected.surprise(self._fix(frame, seen)) <= self._tracker.gate

    def expected(self, time_s: float) -> HeroTrack | None:
        """The belief about her at `time_s`; None before the first sighting."""
        return None if self._track is None else self._track.predict(time_s, self._tracker)

    def expect_nobody(self) -> None:
        """Who was followed may not be she, or has been looked for in vain."""
        self._followed = None

    def search_again(self) -> None:
        """What was approached was not she: believe again what was believed of her before."""
        if self._followed is not None:
            self._track = self._followed

    def reject(self, now_s: float, duration_s: float, *, is_certain: bool) -> None:
        """What was last seen is not the hero, it seems: overlook that place for a while.

        When that is certain, also if for once somebody there looks just like her.
        """
        if self._track is not None:
            self._overlooked.add(self._track.position_m, now_s, duration_s, is_certain=is_certain)

    def _choose(
        self,
        frame: Frame,
        sightings: list[Sighting],
        state: MissionState,
        expected: HeroTrack | None,
    ) -> Sighting | None:
        """The sightings come with the most prominent first."""
        if state is not MissionState.FOLLOW:
            surely = next((s for s in sightings if self._is_surely_she(frame, s)), None)
            if surely is not None:
                return surely
        if expected is not None and state in (MissionState.ACQUIRE, MissionState.FOLLOW):
            likely = [(self._unlikeness(expected, frame, s), s) for s in sightings]
            unlikeness, seen = min(likely, key=lambda pair: pair[0], default=(math.inf, None))
            if math.isfinite(unlikeness):
                return seen
            if state is MissionState.FOLLOW:
                return self._surely_beside(expected, frame, sightings)
        return next((s for s in sightings if self._is_worth_a_look(frame, s)), None)

    def _surely_beside(
        self, expected: HeroTrack, frame: Frame, sightings: list[Sighting]
    ) -> Sighting | None:
        """Who surely is she, a little beyond where she can be: she was located badly just before.

        She ran towards the vehicle out of a blob that was she and somebody behind her.
        """
        for seen in sightings:
            is_beside = expected.surprise(self._fix(frame, seen)) <= self._tracker.wide_gate
            if is_beside and self.judge(seen) is Verdict.HERO:
                return seen
        return None

    def _sightings(self, frame: Frame, mask: Mask) -> list[Sighting]:
        """Blobs of a person's height on the ground, the most prominent first."""
        blobs = observe(mask, self._observe)
        size, area_m2 = mask.shape, self._hero_area_m2
        seen = [sight(frame.camera, blob, size, self._tracker, area_m2) for blob in blobs]
        return [s for s in seen if s is not None and self._may_be_her(s)]

    def _is_surely_she(self, frame: Frame, seen: Sighting) -> bool:
        verdict = self.judge(seen, is_expected=self.is_expected(frame, seen))
        return verdict in (Verdict.HERO, Verdict.LIKE_HER) and not self._overlooked.holds(
            seen, frame.time_s, only_certain=seen.distance_m <= self._observe.sure_distance_m
        )

    def _may_be_her(self, seen: Sighting) -> bool:
        config = self._observe
        if seen.height > config.height_max:
            return False
        return seen.is_cut_off or seen.height >= config.height_min

    def _is_worth_a_look(self, frame: Frame, seen: Sighting) -> bool:
        """Clear and large enough for her, near enough to tell, and at no rejected place."""
        config = self._observe
        return (
            seen.distance_m <= config.notice_distance_m
            and seen.observation.confidence >= config.notice_confidence
            and (seen.is_cut_off or seen.area >= config.notice_area_min)
            and not self._overlooked.holds(seen, frame.time_s)
        )

    def _unlikeness(self, expected: HeroTrack, frame: Frame, seen: Sighting) -> float:
        """How little the blob is like her in place, size and colours.

        Infinite where she cannot be by now, and for specks, doubtful ones and what is much larger.
        """
        config = self._observe
        surprise = expected.surprise(self._fix(frame, seen))
        is_speck = seen.area < config.follow_area_min and not seen.is_cut_off
        is_doubtful = seen.observation.confidence < config.follow_confidence
        if surprise > self._tracker.gate or seen.area > config.follow_area_max:
            return math.inf
        if is_speck or is_doubtful:
            return math.inf
        size = math.log(seen.area) / config.area_log_sigma
        impurity = (1.0 - seen.observation.purity) / config.purity_sigma
        return surprise + size**2 + impurity**2

    def _allowing_turns(self, track: HeroTrack, time_s: float) -> HeroTrack:
        """The belief at that time if she may have turned just after she was last seen."""
        unseen_s = max(time_s - track.time_s, 0.0)
        return track.predict(time_s, self._tracker).turned(unseen_s, self._tracker)

    def _fix(self, frame: Frame, seen: Sighting) -> Fix:
        return fix(seen, frame.camera.position_m, self._tracker)


@dataclass(frozen=True)
class Spot:
    """Something red that was not she."""

    place_m: Vec3
    until_s: float
    times: int
    is_certain: bool
    """It was judged from nearby, not just lost from sight."""


class Overlooked:
    """Places where something red was not the hero: each time again, for twice as long."""

    def __init__(self, config: ObserveConfig) -> None:
        self._config = config
        self._spots: list[Spot] = []

    def add(self, place_m: Vec3, now_s: float, duration_s: float, *, is_certain: bool) -> None:
        """Overlook what is seen there."""
        radius_m = self._config.reject_radius_m
        near = [spot for spot in self._spots if math.dist(spot.place_m, place_m) <= radius_m]
        times = 1 + max((spot.times for spot in near), default=0)
        until_s = now_s + duration_s * 2.0 ** (times - 1)
        self._spots = [spot for spot in self._spots if spot not in near]
        self._spots.append(Spot(place_m, until_s, times, is_certain))

    def holds(self, seen: Sighting, now_s: float, *, only_certain: bool = False) -> bool:
        """Whether that is one of them; distance is known badly, so from afar they are larger."""
        config = self._config
        radius_m = max(config.reject_radius_m, config.reject_share * seen.distance_m)
        return any(
            now_s < spot.until_s
            and math.dist(seen.place_m, spot.place_m) <= radius_m
            and (spot.is_certain or not only_certain)
            for spot in self._spots
        )
