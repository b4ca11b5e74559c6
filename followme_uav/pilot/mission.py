"""The mission: its states, and the rules that lead from one to the next.

`Mission.update` looks at the inputs once per frame; the urgent exits come first. The counts of a
state start anew when the state is entered.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from followme_uav.config import MissionConfig
from followme_uav.messages import Classification, MissionInputs, MissionState, Transition
from followme_uav.pilot.tracking.tracker import Rejection, TrackFeedback

AT_REST_MPS = 0.1
"""A vehicle slower than this is at rest."""
SLOW_MPS = 0.5
"""A vehicle slower than this no longer comes nearer."""
MISSES_PER_DETECTION = 2.0
"""Frames without a detection that each frame with one earns in ACQUIRE."""
PATIENCE = 3.0
"""If the patrol follows, and not a search, ACQUIRE allows this many times `acquire_misses`. One in
three people who vanish after seven detections or more is the hero, behind a corner."""
UNLIKE_WEIGHT = 0.5
"""Weight of a frame that does not resemble the hero, against one that does, where the hero is
expected: the ratio of their log-likelihood ratios. From far away, 55 % of the frames of the hero
resemble the hero, and 14 % of those of others."""


@dataclass(frozen=True)
class AcquireMemory:
    """Counts of ACQUIRE."""

    evidence: float = 0.0
    """Frames with the hero, less those with another person, weighted."""
    misses: float = 0.0
    """Frames without a detection, less half of those with one, never negative."""
    detected_frames: int = 0
    """Frames with a detection that was not rejected."""
    approaching_s: float = -math.inf
    """When the vehicle last came nearer, or the detection was near enough to tell."""
    is_expected: bool = False
    """A detection was where the hero that was followed last may be by now."""


@dataclass(frozen=True)
class FollowMemory:
    """Counts of FOLLOW."""

    detected_s: float
    """When the hero was last detected."""
    doubt: float = 0.0
    """Running mean of the share of detections that were rejected."""


@dataclass(frozen=True)
class FailsafeMemory:
    """Memory of FAILSAFE."""

    fault_s: float
    """When the fault was last present."""
    next_state: MissionState
    """After the fault: SEARCH when there is a hero to look for, else PATROL."""
    lost_control: bool = False
    """The last fault was a loss of control."""


StateMemory = AcquireMemory | FollowMemory | FailsafeMemory | None

Change = tuple[MissionState, str]
"""The state to go to, and the reason."""

Rule = Callable[["Mission", MissionInputs], Change | None]


@dataclass(frozen=True)
class Decision:
    """The changes that one frame leads to."""

    transition: Transition | None = None
    feedback: TrackFeedback | None = None
    """The consequence of the transition for the tracker."""


class Mission:
    """The state machine.

    Attributes:
        state: The present state.
    """

    def __init__(self, config: MissionConfig, duration_s: float) -> None:
        self.state = MissionState.TAKEOFF
        self._config = config
        self._duration_s = duration_s
        self._deadline_s = math.inf
        self._entered_s = -math.inf
        self._image_s = 0.0
        self._lost_s = -math.inf
        """When the hero was lost; kept through SEARCH and ACQUIRE, which share one time limit, and
        moved on by the duration of a fault, in which nobody searches."""
        self._memory: StateMemory = None

    def update(self, now: MissionInputs) -> Decision:
        """Go to the state that the inputs ask for."""
        if self._entered_s == -math.inf:
            self._entered_s = self._image_s = now.time_s
            self._deadline_s = now.time_s + self._duration_s
        if now.has_image:
            self._image_s = now.time_s
        change = self._urgent(now) or self._rules[self.state](self, now)
        if change is None:
            return Decision()
        transition = Transition(self.state, *change)
        memory = self._memory_of(transition.target, now)
        if transition.target in (MissionState.PATROL, MissionState.TAKEOFF):
            self._lost_s = -math.inf
        elif self.state is MissionState.FOLLOW:
            self._lost_s = now.time_s
        elif self.state is MissionState.FAILSAFE:
            self._lost_s += self._in_state_s(now)
        feedback = self._feedback(transition, now)
        self.state, self._entered_s, self._memory = transition.target, now.time_s, memory
        return Decision(transition, feedback)

    def _memory_of(self, state: MissionState, now: MissionInputs) -> StateMemory:
        """Of a state that is entered now."""
        if state is MissionState.ACQUIRE:
            return AcquireMemory()
        if state is MissionState.FOLLOW:
            return FollowMemory(detected_s=now.time_s)
        if state is MissionState.FAILSAFE:
            has_hero = self._has_lost_hero(now)
            return FailsafeMemory(
                now.time_s,
                MissionState.SEARCH if has_hero else MissionState.PATROL,
                lost_control=bool(now.control_loss),
            )
        return None

    def _feedback(self, transition: Transition, now: MissionInputs) -> TrackFeedback | None:
        """After an approach that led nowhere: reject the place, go back to the former track.

        A detection that vanished is no reason to go back if it resembled the hero where the hero
        may have been: it is then the newest that is known of the hero.
        """
        source, target = transition.source, transition.target
        is_doubted = source is MissionState.FOLLOW and target is MissionState.ACQUIRE
        feedback = TrackFeedback(
            now.time_s, forget_followed=is_doubted or target is MissionState.PATROL
        )
        if source is MissionState.ACQUIRE:
            is_gone = now.classification is None
            # A lost hero may appear again where it has just vanished: no rejection in a search.
            is_wrong = target is MissionState.SEARCH and not is_gone
            is_another = (
                target in (MissionState.SEARCH, MissionState.FAILSAFE)
                and not self._may_have_been_hero
            )
            feedback = replace(feedback, resume_followed=is_wrong or is_another)
            if is_wrong or target is MissionState.PATROL:
                config = self._config
                rejection = Rejection(
                    config.vanished_s if is_gone else config.reject_s,
                    is_certain=now.classification is Classification.REJECTED,
                )
                feedback = replace(feedback, rejection=rejection)
        return feedback

    @property
    def _may_have_been_hero(self) -> bool:
        """Whether ACQUIRE has seen somebody like the hero where the hero may be by now."""
        memory = self._memory
        return isinstance(memory, AcquireMemory) and memory.is_expected and memory.evidence > 0.0

    def _has_lost_hero(self, now: MissionInputs) -> bool:
        """Whether a hero was followed that is worth a search."""
        return self.state is MissionState.FOLLOW or (
            self.state in (MissionState.ACQUIRE, MissionState.SEARCH)
            and now.time_s - self._lost_s <= self._config.search_timeout_s
        )

    def _in_state_s(self, now: MissionInputs) -> float:
        return now.time_s - self._entered_s

    def _urgent(self, now: MissionInputs) -> Change | None:
        """Changes with priority over the rules of the state: faults, then the end of the flight."""
        if self.state in (MissionState.LAND, MissionState.DONE):
            return None
        fault = self._fault(now)
        if fault is not None:
            if not isinstance(self._memory, FailsafeMemory):
                return MissionState.FAILSAFE, fault
            self._memory = replace(
                self._memory, fault_s=now.time_s, lost_control=bool(now.control_loss)
            )
        if now.land_requested:
            return MissionState.LAND, "landing requested"
        if now.time_s >= self._deadline_s:
            return MissionState.LAND, f"flight time of {self._duration_s:g} s is over"
        return None

    def _fault(self, now: MissionInputs) -> str | None:
        if now.control_loss:
            return now.control_loss
        if now.time_s - self._image_s > self._config.image_gap_s:
            return f"no camera image for {now.time_s - self._image_s:.1f} s"
        if now.gap_s > self._config.frame_gap_s:
            return f"no frame for {now.gap_s:.1f} s"
        if now.has_collided:
            return "collision"
        return None

    # One rule for each state.

    def _takeoff(self, now: MissionInputs) -> Change | None:
        if now.altitude_m >= self._config.takeoff_done_altitude_m:
            return MissionState.PATROL, f"airborne at {now.altitude_m:.1f} m"
        if self._in_state_s(now) > self._config.takeoff_timeout_s:
            return MissionState.LAND, f"not airborne after {self._config.takeoff_timeout_s:g} s"
        return None

    def _patrol(self, now: MissionInputs) -> Change | None:
        if now.classification is not None:
            return MissionState.ACQUIRE, "possible hero detected"
        return None

    def _acquire(self, now: MissionInputs) -> Change | None:
        config, memory = self._config, self._weighed(now)
        self._memory = memory
        otherwise = MissionState.SEARCH if self._has_lost_hero(now) else MissionState.PATROL
        patience = PATIENCE if otherwise is MissionState.PATROL else 1.0
        # One frame alone is most often a false alarm: it earns less time than several.
        allowed = min(
            patience * config.acquire_misses,
            config.first_misses + MISSES_PER_DETECTION * memory.detected_frames,
        )
        enough = config.reacquire_frames if now.is_expected else config.acquire_frames
        if memory.evidence >= enough:
            return MissionState.FOLLOW, f"hero confirmed in {enough} frames"
        if memory.evidence <= -config.reject_frames:
            return otherwise, "not the hero"
        if memory.misses > allowed:
            return otherwise, f"not detected in {memory.misses:.0f} frames more than detected"
        if now.time_s - max(memory.approaching_s, self._entered_s) > config.acquire_stuck_s:
            return otherwise, "too far away to tell, and no way to come nearer"
        if self._in_state_s(now) > config.acquire_timeout_s:
            return otherwise, f"not confirmed within {config.acquire_timeout_s:g} s"
        return None

    def _weighed(self, now: MissionInputs) -> AcquireMemory:
        """The memory of ACQUIRE with this frame."""
        config, seen = self._config, now.classification
        memory = self._memory if isinstance(self._memory, AcquireMemory) else AcquireMemory()
        is_rejected, is_detected = seen is Classification.REJECTED, seen is not None
        gathered = memory.evidence
        if seen is Classification.UNCONFIRMED and now.is_expected and gathered > 0.0:
            gathered = max(0.0, gathered - UNLIKE_WEIGHT)
        evidence = (
            (seen is Classification.CONFIRMED)
            + config.probable_weight * (seen is Classification.PROBABLE)
            - config.rejected_weight * is_rejected
        )
        misses = memory.misses + (-0.5 if is_detected else 1.0) * now.has_image
        comes_nearer = now.speed_mps >= SLOW_MPS or seen is not Classification.UNCONFIRMED
        return AcquireMemory(
            evidence=gathered + evidence,
            misses=max(0.0, misses),
            detected_frames=memory.detected_frames + (is_detected and not is_rejected),
            approaching_s=now.time_s if comes_nearer else memory.approaching_s,
            is_expected=memory.is_expected or now.is_expected,
        )

    def _follow(self, now: MissionInputs) -> Change | None:
        config = self._config
        memory = self._memory if isinstance(self._memory, FollowMemory) else None
        memory = memory or FollowMemory(detected_s=self._entered_s)
        if now.classification is not None:
            newest = -math.expm1(-now.gap_s / config.doubt_time_s)
            is_rejected = now.classification is Classification.REJECTED
            doubt = memory.doubt + newest * (is_rejected - memory.doubt)
            memory = FollowMemory(detected_s=now.time_s, doubt=doubt)
        self._memory = memory
        if now.time_s - memory.detected_s > config.follow_lost_s:
            return MissionState.SEARCH, f"hero not detected for {config.follow_lost_s:g} s"
        if memory.doubt > config.doubt_share:
            return MissionState.ACQUIRE, f"{memory.doubt:.0%} of the detections were rejected"
        return None

    def _search(self, now: MissionInputs) -> Change | None:
        if now.classification is not None:
            return MissionState.ACQUIRE, "possible hero detected again"
        if now.time_s - self._lost_s > self._config.search_timeout_s:
            return MissionState.PATROL, f"not found within {self._config.search_timeout_s:g} s"
        return None

    def _failsafe(self, now: MissionInputs) -> Change | None:
        memory = self._memory
        if not isinstance(memory, FailsafeMemory):
            raise TypeError("FAILSAFE is entered with a memory of the fault")
        if now.time_s - memory.fault_s > self._config.failsafe_hover_s:
            mended = "control is back" if memory.lost_control else "the fault is over"
            is_low = now.altitude_m < self._config.takeoff_done_altitude_m
            if memory.lost_control and is_low and now.speed_mps < AT_REST_MPS:
                return MissionState.TAKEOFF, f"{mended}, on the ground"
            if memory.next_state is MissionState.SEARCH:
                return MissionState.SEARCH, f"{mended}, search for the hero"
            return MissionState.PATROL, mended
        if self._in_state_s(now) > self._config.failsafe_land_s:
            return MissionState.LAND, f"fault lasted {self._config.failsafe_land_s:g} s"
        return None

    def _land(self, now: MissionInputs) -> Change | None:
        if now.altitude_m < self._config.landed_altitude_m and now.speed_mps < AT_REST_MPS:
            return MissionState.DONE, "landed"
        if self._in_state_s(now) > self._config.land_timeout_s:
            return MissionState.DONE, f"not on the ground after {self._config.land_timeout_s:g} s"
        return None

    def _done(self, now: MissionInputs) -> Change | None:
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
