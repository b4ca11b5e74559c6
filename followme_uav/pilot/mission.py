"""The mission's states and the rules that lead from one to the next.

One function, `Mission.update`, looks at the situation once per frame; the urgent exits come first.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from followme_uav.config import MissionConfig
from followme_uav.messages import MissionState, Transition
from followme_uav.pilot.eyes import Verdict


@dataclass(frozen=True)
class Situation:
    """All that the rules ask about, at one frame."""

    time_s: float
    gap_s: float
    """Time since the previous frame."""
    has_image: bool
    has_collided: bool
    """A collision, not the ground on which it stands or lands."""
    land_requested: bool
    altitude_m: float
    is_at_rest: bool
    verdict: Verdict
    """What the blob in the image is taken for."""
    is_slow: bool = False
    """The vehicle hardly moves."""
    is_expected: bool = False
    """It is where she who was followed last may be by now."""
    control_loss: str = ""
    """Why this flight may not be in control of the vehicle."""

    @property
    def hero_seen(self) -> bool:
        """A blob that may be the hero is in the image."""
        return self.verdict is not Verdict.NOTHING_SEEN


Change = tuple[MissionState, str]
"""The state to go to, and the reason."""

Rule = Callable[["Mission", Situation], Change | None]


class Mission:
    """Holds the present state, since when, and what was seen in it."""

    def __init__(self, config: MissionConfig, duration_s: float) -> None:
        self._config = config
        self._duration_s = duration_s
        self._deadline_s: float | None = None
        self._entered_s = 0.0
        self._image_s = 0.0
        self._seen_s = 0.0
        self._doubt = 0.0
        self._fault_s = 0.0
        self._lost_control = False
        """That was the last fault."""
        self._nearing_s = 0.0
        self._lost_s = -math.inf
        self._was_after_her = False
        self._evidence = 0.0
        self._misses = 0.0
        self._sightings = 0
        self.state = MissionState.TAKEOFF

    def update(self, now: Situation) -> Transition | None:
        """Go to the state that the situation asks for; returns the change, or None."""
        if self._deadline_s is None:
            self._entered_s = self._image_s = now.time_s
            self._deadline_s = now.time_s + self._duration_s
        if now.has_image:
            self._image_s = now.time_s
        if now.hero_seen:
            self._seen_s = now.time_s
            self._weigh_doubt(now)
        change = self._urgent(now) or self._rules[self.state](self, now)
        if change is None:
            return None
        target, reason = change
        transition = Transition(self.state, target, reason)
        if target is MissionState.FAILSAFE:
            self._was_after_her = self._is_after_her(now)
        if self.state in (MissionState.FOLLOW, MissionState.FAILSAFE):
            self._lost_s = now.time_s if target is not MissionState.PATROL else -math.inf
        self.state = target
        self._entered_s = now.time_s
        self._evidence = 0.0
        self._doubt = 0.0
        self._misses = 0.0
        self._sightings = 0
        return transition

    def _weigh_doubt(self, now: Situation) -> None:
        """Of late, the share of the sightings that look like somebody else."""
        looks_wrong = now.verdict is Verdict.SOMEBODY_ELSE
        newest = -math.expm1(-now.gap_s / self._config.follow_doubt_s)
        self._doubt += newest * (looks_wrong - self._doubt)

    def _is_after_her(self, now: Situation) -> bool:
        """Whether somebody was followed who is worth looking for."""
        return self.state is MissionState.FOLLOW or (
            self.state in (MissionState.ACQUIRE, MissionState.SEARCH)
            and now.time_s - self._lost_s <= self._config.search_timeout_s
        )

    def _in_state_s(self, now: Situation) -> float:
        return now.time_s - self._entered_s

    def _unseen_s(self, now: Situation) -> float:
        return now.time_s - max(self._seen_s, self._entered_s)

    def _urgent(self, now: Situation) -> Change | None:
        """What matters more than the present state: faults, then the end of the flight."""
        if self.state in (MissionState.LAND, MissionState.DONE):
            return None
        fault = self._fault(now)
        if fault is not None:
            self._fault_s = now.time_s
            self._lost_control = bool(now.control_loss)
            if self.state is not MissionState.FAILSAFE:
                return MissionState.FAILSAFE, fault
        if now.land_requested:
            return MissionState.LAND, "landing requested"
        if self._deadline_s is not None and now.time_s >= self._deadline_s:
            return MissionState.LAND, f"flight time of {self._duration_s:g} s is over"
        return None

    def _fault(self, now: Situation) -> str | None:
        if now.control_loss:
            return now.control_loss
        if now.time_s - self._image_s > self._config.image_gap_s:
            return f"no camera image for {now.time_s - self._image_s:.1f} s"
        if now.gap_s > self._config.frame_gap_s:
            return f"no frame for {now.gap_s:.1f} s"
        if now.has_collided:
            return "hit something"
        return None

    def _takeoff(self, now: Situation) -> Change | None:
        if now.altitude_m >= self._config.takeoff_done_altitude_m:
            return MissionState.PATROL, f"airborne at {now.altitude_m:.1f} m"
        if self._in_state_s(now) > self._config.takeoff_timeout_s:
            return MissionState.LAND, f"not airborne after {self._config.takeoff_timeout_s:g} s"
        return None

    def _patrol(self, now: Situation) -> Change | None:
        if now.hero_seen:
            return MissionState.ACQUIRE, "hero in sight"
        return None

    def _acquire(self, now: Situation) -> Change | None:
        config = self._config
        looks_wrong = now.verdict is Verdict.SOMEBODY_ELSE
        self._evidence += (
            (now.verdict is Verdict.HERO)
            + config.distant_weight * (now.verdict is Verdict.LIKE_HER)
            - config.wrong_weight * looks_wrong
        )
        # Seen in less than half of the frames it will not be she; seen again counts half.
        self._misses = max(0.0, self._misses + (-0.5 if now.hero_seen else 1.0) * now.has_image)
        self._sightings += now.hero_seen and not looks_wrong
        allowed = min(config.acquire_misses, config.glimpse_misses + 2.0 * self._sightings)
        if not now.is_slow or now.verdict is not Verdict.TOO_FAR:
            self._nearing_s = now.time_s
        otherwise = MissionState.SEARCH if self._is_after_her(now) else MissionState.PATROL
        enough = config.reacquire_frames if now.is_expected else config.acquire_frames
        if self._evidence >= enough:
            return MissionState.FOLLOW, f"hero confirmed in {enough} frames"
        if self._evidence <= -config.reject_frames:
            return otherwise, "it is somebody else"
        if self._misses > allowed:
            return otherwise, f"not seen in {self._misses:.0f} frames more than seen"
        if now.time_s - max(self._nearing_s, self._entered_s) > config.acquire_stuck_s:
            return otherwise, "too far to tell, and no way to come nearer"
        if self._in_state_s(now) > config.acquire_timeout_s:
            return otherwise, f"not confirmed within {config.acquire_timeout_s:g} s"
        return None

    def _follow(self, now: Situation) -> Change | None:
        if self._unseen_s(now) > self._config.follow_lost_s:
            return MissionState.SEARCH, f"hero not seen for {self._config.follow_lost_s:g} s"
        if self._doubt > self._config.follow_doubt_share:
            return MissionState.ACQUIRE, f"{self._doubt:.0%} of what was seen looks like another"
        return None

    def _search(self, now: Situation) -> Change | None:
        if now.hero_seen:
            return MissionState.ACQUIRE, "hero in sight again"
        if now.time_s - self._lost_s > self._config.search_timeout_s:
            return MissionState.PATROL, f"not found within {self._config.search_timeout_s:g} s"
        return None

    def _failsafe(self, now: Situation) -> Change | None:
        if now.time_s - self._fault_s > self._config.failsafe_hover_s:
            mended = "control is back" if self._lost_control else "frames are back"
            is_low = now.altitude_m < self._config.takeoff_done_altitude_m
            if self._lost_control and is_low and now.is_at_rest:
                return MissionState.TAKEOFF, f"{mended}, on the ground"
            if self._was_after_her:
                return MissionState.SEARCH, f"{mended}, hero remembered"
            return MissionState.PATROL, mended
        if self._in_state_s(now) > self._config.failsafe_land_s:
            return MissionState.LAND, f"fault lasted {self._config.failsafe_land_s:g} s"
        return None

    def _land(self, now: Situation) -> Change | None:
        if now.altitude_m < self._config.landed_altitude_m and now.is_at_rest:
            return MissionState.DONE, "landed"
        if self._in_state_s(now) > self._config.land_timeout_s:
            return MissionState.DONE, f"not on the ground after {self._config.land_timeout_s:g} s"
        return None

    def _done(self, now: Situation) -> Change | None:
        return None

    _rules: ClassVar[dict[MissionState, Rule]] = {
        MissionState.TAKEOFF: _takeoff,
        MissionState.PATROL: _patrol,
        MissionState.ACQUIRE: _acquire,
        MissionState.FOLLOW: _follow,
        MissionState.SEARCH: _search,
        MissionState.FAILSAFE: _failsafe,
        MissionState.LAND: _land,
        MissionState.DONE: _done,
    }
