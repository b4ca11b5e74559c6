"""`Pilot.step(frame) -> Step`: everything between a camera frame and the command it leads to.

The pilot keeps a little memory (mission state, belief about the hero, loop integrators) and nothing
else: the same frames in the same order give the same steps, in flight, in replay and in the tests.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Protocol

from followme_uav.config import FlightConfig
from followme_uav.messages import Frame, Mask, MissionState, Step, Transition
from followme_uav.pilot.contact import ContactJudge
from followme_uav.pilot.eyes import Eyes, Verdict
from followme_uav.pilot.helm import View
from followme_uav.pilot.mission import Mission, Situation
from followme_uav.pilot.steering import Steering

AT_REST_MPS, SLOW_MPS = 0.1, 0.5


class MaskSource(Protocol):
    """Turns a frame into a mask: the network, a logged mask, or the truth."""

    def __call__(self, frame: Frame) -> Mask:
        """Class probabilities of the frame's image; only called when there is one."""
        ...


class Pilot:
    """Flies one mission."""

    def __init__(self, config: FlightConfig, mask_source: MaskSource) -> None:
        self._config = config
        self._mask_source = mask_source
        self._eyes = Eyes(config)
        self._mission = Mission(config.mission, config.duration_s)
        self._steering = Steering(config)
        self._contacts = ContactJudge(config.mission)
        self._last_frame_s: float | None = None
        self._start_down_m: float | None = None

    @property
    def state(self) -> MissionState:
        """The present mission state."""
        return self._mission.state

    def step(self, frame: Frame) -> Step:
        """See, decide and steer, once."""
        dt_s = self._time_since_last(frame)
        altitude_m = self._altitude_m(frame)
        mask = None if frame.rgb is None else self._mask_source(frame)
        seen = None
        # From lower down a ray meets the ground at too flat an angle to tell where she stands.
        limits = self._config.limits
        if mask is not None and altitude_m >= limits.min_altitude_m - limits.sink_m:
            seen = self._eyes.look(frame, mask, self.state)
        observation = None if seen is None else seen.observation
        is_expected = self._eyes.is_expected(frame, seen)
        verdict = self._eyes.judge(seen, is_expected=is_expected)
        situation = self._situation(frame, altitude_m, verdict, is_expected, dt_s)
        transition = self._mission.update(situation)
        hero = self._eyes.expected(frame.time_s)
        view = View(frame, altitude_m, observation, hero, dt_s)
        if transition is not None:
            self._reconsider(transition, verdict, frame.time_s)
            view = replace(view, hero=self._eyes.expected(frame.time_s))
            self._steering.enter(transition.target, view)
        command, loops = self._steering.command(self.state, view)
        return Step(
            frame_index=frame.index,
            time_s=frame.time_s,
            mask=mask,
            observation=observation,
            state=self.state,
            transition=transition,
            hero=None if view.hero is None else view.hero.estimate(),
            command=command,
            loops=loops,
        )

    def _reconsider(self, transition: Transition, verdict: Verdict, now_s: float) -> None:
        """After an approach that led nowhere: overlook the place, and remember her of before."""
        source, target = transition.source, transition.target
        is_doubted = source is MissionState.FOLLOW and target is MissionState.ACQUIRE
        if is_doubted or target is MissionState.PATROL:
            self._eyes.expect_nobody()
        if source is not MissionState.ACQUIRE:
            return
        mission, is_gone = self._config.mission, verdict is Verdict.NOTHING_SEEN
        # In a search she may appear again where she has just vanished.
        if target is MissionState.PATROL or (target is MissionState.SEARCH and not is_gone):
            self._eyes.reject(
                now_s,
                mission.glimpse_s if is_gone else mission.reject_s,
                is_certain=verdict is Verdict.SOMEBODY_ELSE,
            )
        if target is MissionState.SEARCH and not is_gone:
            self._eyes.search_again()

    def _time_since_last(self, frame: Frame) -> float:
        """Seconds; the first frame, or one that brings no new time, counts as on schedule."""
        last_s, self._last_frame_s = self._last_frame_s, frame.time_s
        if last_s is None or frame.time_s <= last_s:
            return 1.0 / self._config.camera.rate_hz
        return frame.time_s - last_s

    def _altitude_m(self, frame: Frame) -> float:
        """Above the start."""
        down_m = frame.vehicle.position_m[2]
        if self._start_down_m is None:
            self._start_down_m = down_m
        return self._start_down_m - down_m

    def _situation(
        self, frame: Frame, altitude_m: float, verdict: Verdict, is_expected: bool, dt_s: float
    ) -> Situation:
        vehicle = frame.vehicle
        return Situation(
            time_s=frame.time_s,
            gap_s=dt_s,
            has_image=frame.rgb is not None,
            has_collided=self._contacts.is_collision(vehicle, self.state),
            land_requested=frame.land_requested,
            altitude_m=altitude_m,
            is_at_rest=math.hypot(*vehicle.velocity_mps) < AT_REST_MPS,
            verdict=verdict,
            is_slow=math.hypot(*vehicle.velocity_mps) < SLOW_MPS,
            is_expected=is_expected,
            control_loss=frame.control_loss,
        )
