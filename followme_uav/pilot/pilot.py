"""`Pilot.step(frame) -> Step`: everything between a camera frame and the command it leads to.

The pilot keeps a small memory (track, mission state, integrals of the PID loops) and nothing else:
the same frames in the same order give the same steps, in flight, in replay and in the tests.
"""

from __future__ import annotations

import math

from followme_uav.config import FlightConfig
from followme_uav.ground import LEVEL, Altimeter, Ground
from followme_uav.messages import Classification, Frame, Mask, MissionInputs, MissionState, Step
from followme_uav.perception.detection import detect
from followme_uav.pilot.contact import ContactJudge
from followme_uav.pilot.control import Control
from followme_uav.pilot.guidance.behaviours import Behaviours
from followme_uav.pilot.guidance.inputs import GuidanceInputs
from followme_uav.pilot.interface import MaskSource
from followme_uav.pilot.mapless import surroundings_of, ways_of
from followme_uav.pilot.mission import Mission
from followme_uav.pilot.tracking.tracker import Tracker, TrackFeedback, Tracking


class FrameClock:
    """Time step and altitude, derived from the sequence of frames.

    Args:
        rate_hz: Of the camera.
        ground: Over which the vehicle flies.
    """

    def __init__(self, rate_hz: float, ground: Ground = LEVEL) -> None:
        self._rate_hz = rate_hz
        self._last_frame_s: float | None = None
        self._steps_s = (1.0 / rate_hz, 1.0 / rate_hz)
        """The last two."""
        self._altimeter = Altimeter(ground)

    def time_step_s(self, frame: Frame) -> float:
        """Since the last frame; a first frame, or a repeated time stamp, counts as on schedule."""
        last_s, self._last_frame_s = self._last_frame_s, frame.time_s
        step_s = 1.0 / self._rate_hz
        if last_s is not None and frame.time_s > last_s:
            step_s = frame.time_s - last_s
        self._steps_s = (self._steps_s[1], step_s)
        return step_s

    @property
    def next_step_s(self) -> float:
        """Time until the next frame, as far as can be known: the shorter of the last two steps.

        One late frame does not make the next one late; a slow simulator is late each time.
        """
        return min(self._steps_s)

    def altitude_m(self, frame: Frame) -> float:
        """Above the ground, and 0 at the start."""
        return self._altimeter.altitude_m(frame.vehicle.position_m)


class Pilot:
    """Flies one mission: the pilot of `fly`, and a part for pilots of your own.

    Args:
        config: The flight's configuration.
        mask_source: Computes the masks.

    Example:
        >>> from dataclasses import replace
        >>> from followme_uav import Frame, Pilot, Step
        >>> class Slow:
        ...     def __init__(self, config, masks):
        ...         self._pilot = Pilot(config, masks)
        ...     @property
        ...     def state(self):
        ...         return self._pilot.state
        ...     def step(self, frame: Frame) -> Step:
        ...         step = self._pilot.step(frame)
        ...         north, east, down = step.command.velocity_mps
        ...         slow = replace(step.command, velocity_mps=(north / 2, east / 2, down))
        ...         return replace(step, command=slow)
    """

    def __init__(self, config: FlightConfig, mask_source: MaskSource) -> None:
        self._config = config
        self._mask_source = mask_source
        ground = Ground(config.simulator.ground)
        self._clock = FrameClock(config.camera.rate_hz, ground)
        self._contacts = ContactJudge(config.mission, ground)
        self._tracker = Tracker(config)
        self._mission = Mission(config.mission, config.duration_s)
        self.surroundings = surroundings_of(config)
        self.ways = ways_of(config, self.surroundings)
        self._behaviours = Behaviours(config, self.ways)
        self._control = Control(config, self.surroundings)
        self._feedback: TrackFeedback | None = None

    @property
    def state(self) -> MissionState:
        """The present mission state."""
        return self._mission.state

    def step(self, frame: Frame) -> Step:
        """Detect, track, decide, guide and control, once."""
        dt_s, altitude_m = self._clock.time_step_s(frame), self._clock.altitude_m(frame)
        if self.surroundings is not None:
            self.surroundings.update(frame, altitude_m)
        mask = None if frame.rgb is None else self._mask_source(frame)
        tracking = self._track(frame, mask, altitude_m)
        has_collided = self._contacts.is_collision(frame.vehicle, self.state)
        inputs = mission_inputs(
            frame,
            altitude_m,
            dt_s,
            has_collided=has_collided,
            classification=tracking.classification,
            is_expected=tracking.is_expected,
        )
        decision = self._mission.update(inputs)
        self._feedback = decision.feedback
        transition, track = decision.transition, tracking.track
        resumes = decision.feedback is not None and decision.feedback.resume_followed
        if resumes:
            track = tracking.followed or track
        if transition is not None:
            self._behaviours.enter(transition.target, frame.time_s, resumes=resumes)
            if transition.target is MissionState.FAILSAFE:
                self._control.stop()
        detection = None if tracking.selected is None else tracking.selected.detection
        guidance_inputs = GuidanceInputs(
            frame,
            altitude_m,
            detection,
            track,
            dt_s,
            self._clock.next_step_s,
            mask,
            tracking.noticed,
        )
        guidance, guidance_loops = self._behaviours.guide(self.state, guidance_inputs)
        command, control_loops = self._control.command(guidance, guidance_inputs)
        return Step(
            frame_index=frame.index,
            time_s=frame.time_s,
            mask=mask,
            detection=detection,
            state=self.state,
            transition=transition,
            track=None if track is None else track.estimate(),
            command=command,
            loops=(*guidance_loops, *control_loops),
            candidates=tracking.candidates,
            inputs=inputs,
            guidance=guidance,
            response=self._control.response,
            own_map=None if self.surroundings is None else self.surroundings.progress(),
        )

    def _track(self, frame: Frame, mask: Mask | None, altitude_m: float) -> Tracking:
        """The track after this frame.

        From lower than the least altitude, lines of sight meet the ground at too flat an angle to
        locate anybody: detections do not count there.
        """
        if mask is None or altitude_m < self._config.limits.low_altitude_m:
            return self._tracker.update(frame, (), (), self.state, self._feedback)
        detections = detect(mask, self._config.detection)
        return self._tracker.update(frame, detections, mask.shape, self.state, self._feedback)


def mission_inputs(
    frame: Frame,
    altitude_m: float,
    dt_s: float,
    *,
    has_collided: bool,
    classification: Classification | None,
    is_expected: bool = False,
) -> MissionInputs:
    """The inputs of the mission, from a frame and from the detection that was selected."""
    return MissionInputs(
        time_s=frame.time_s,
        gap_s=dt_s,
        has_image=frame.rgb is not None,
        has_collided=has_collided,
        land_requested=frame.land_requested,
        altitude_m=altitude_m,
        speed_mps=math.hypot(*frame.vehicle.velocity_mps),
        classification=classification,
        is_expected=is_expected,
        control_loss=frame.control_loss,
    )
