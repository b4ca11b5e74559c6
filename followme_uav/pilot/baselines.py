"""Simple followers that the pilot is compared with, so that its figures mean something.

Both take the largest detection for the hero, follow it at once, and return to the patrol after six
frames without a detection: no track, no classification, no search. `Original` follows like the
follower of the original project: the depth at the detection gives a point in space, and it flies to
a place behind that point. `Proportional` only multiplies errors in the image. Take-off, patrol,
landing, geofence and limits are the pilot's, so that only the following is compared.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from followme_uav.config import FlightConfig
from followme_uav.geometry import aspect_of, focal_length_px, ray_of_pixel, rotate
from followme_uav.ground import Ground
from followme_uav.messages import (
    Classification,
    Detection,
    Frame,
    Guidance,
    LineOfSight,
    Manoeuvre,
    Mask,
    MissionInputs,
    MissionState,
    Step,
    TrackEstimate,
    Vec3,
)
from followme_uav.perception.detection import detect, pixels_of
from followme_uav.pilot.contact import ContactJudge
from followme_uav.pilot.control import Control
from followme_uav.pilot.guidance.behaviours import Behaviours, Guided
from followme_uav.pilot.guidance.inputs import GuidanceInputs
from followme_uav.pilot.guidance.line_of_sight import line_of_sight_of, line_of_sight_to
from followme_uav.pilot.interface import MaskSource
from followme_uav.pilot.mapless import surroundings_of, ways_of
from followme_uav.pilot.mission import Change, Mission, Rule
from followme_uav.pilot.navigation.route_planner import heading_velocity
from followme_uav.pilot.pilot import FrameClock, mission_inputs

LOST_FRAMES = 6
"""Return to the patrol after this many frames without a detection."""

HERO_AREA_M2 = 0.5
"""Area that the hero shows the camera: turns the area of a detection into a distance."""

GAIN_PER_S = 1.0
"""Speed towards the wanted place, for each metre to it."""

Depth = Callable[[], "NDArray[np.floating] | None"]
"""(height, width) metres along the camera's axis, of the present frame."""


class _Mission(Mission):
    """The pilot's mission, without classification, doubt and search."""

    def _has_lost_hero(self, now: MissionInputs) -> bool:
        return False  # after a fault it patrols

    def _follow_at_once(self, now: MissionInputs) -> Change | None:
        return (MissionState.FOLLOW, "a detection") if now.classification is not None else None

    def _follow_while_detected(self, now: MissionInputs) -> Change | None:
        self._missed_frames = 0 if now.classification is not None else self._missed_frames + 1
        if self._missed_frames >= LOST_FRAMES:
            self._missed_frames = 0
            return MissionState.PATROL, f"no detection in {LOST_FRAMES} frames"
        return None

    _missed_frames = 0
    _rules: ClassVar[dict[MissionState, Rule]] = {
        **Mission._rules,
        MissionState.PATROL: _follow_at_once,  # type: ignore[dict-item]
        MissionState.FOLLOW: _follow_while_detected,  # type: ignore[dict-item]
    }


@dataclass(frozen=True)
class _Aim:
    """Horizontal velocity and line of sight that following asks for."""

    velocity_mps: tuple[float, float]
    sight: LineOfSight
    target_m: Vec3 | None = None


class Baseline(ABC):
    """The common part of both; flies like `pilot.pilot.Pilot`."""

    def __init__(self, config: FlightConfig, mask_source: MaskSource) -> None:
        self.config = config
        self._mask_source = mask_source
        ground = Ground(config.simulator.ground)
        self._clock = FrameClock(config.camera.rate_hz, ground)
        self._mission = _Mission(config.mission, config.duration_s)
        self.surroundings = surroundings_of(config)
        self.ways = ways_of(config, self.surroundings)
        self._behaviours = Behaviours(config, self.ways)
        self._control = Control(config, self.surroundings)
        self._contacts = ContactJudge(config.mission, ground)
        self._aim: _Aim | None = None

    @property
    def state(self) -> MissionState:
        """The present mission state."""
        return self._mission.state

    @abstractmethod
    def follow(self, frame: Frame, mask: Mask, detection: Detection) -> _Aim | None:
        """The aim for a detection; None keeps the last one."""

    def step(self, frame: Frame) -> Step:
        """Detect, decide, guide and control, once."""
        dt_s, altitude_m = self._clock.time_step_s(frame), self._clock.altitude_m(frame)
        if self.surroundings is not None:
            self.surroundings.update(frame, altitude_m)
        mask = None if frame.rgb is None else self._mask_source(frame)
        airborne = self.state not in (MissionState.TAKEOFF, MissionState.DONE)
        found = detect(mask, self.config.detection) if mask is not None and airborne else []
        detection = max(found, key=lambda one: one.area_px, default=None)
        inputs_of_mission = mission_inputs(
            frame,
            altitude_m,
            dt_s,
            has_collided=self._contacts.is_collision(frame.vehicle, self.state),
            classification=None if detection is None else Classification.UNCONFIRMED,
        )
        transition = self._mission.update(inputs_of_mission).transition
        if transition is not None:
            self._behaviours.enter(transition.target, frame.time_s)
            self._aim = None
        inputs = GuidanceInputs(
            frame, altitude_m, detection, None, dt_s, self._clock.next_step_s, mask
        )
        if detection is not None and mask is not None and self.state is MissionState.FOLLOW:
            self._aim = self.follow(frame, mask, detection) or self._aim
        guidance, _ = self._guide(inputs)
        command, loops = self._control.command(guidance, inputs)
        target_m = None if self._aim is None else self._aim.target_m
        return Step(
            frame_index=frame.index,
            time_s=frame.time_s,
            mask=mask,
            detection=detection,
            state=self.state,
            transition=transition,
            track=None if target_m is None else TrackEstimate(target_m, (0.0, 0.0, 0.0), 0.0),
            command=command,
            loops=loops,
            inputs=inputs_of_mission,
            guidance=guidance,
            own_map=None if self.surroundings is None else self.surroundings.progress(),
        )

    def _guide(self, inputs: GuidanceInputs) -> Guided:
        if self.state is not MissionState.FOLLOW:
            return self._behaviours.guide(self.state, inputs)
        aim = self._aim or _Aim((0.0, 0.0), line_of_sight_of(inputs.frame.camera))
        guidance = Guidance(
            Manoeuvre.VELOCITY,
            velocity_mps=aim.velocity_mps,
            altitude_m=self.config.mission.altitude_m,
            line_of_sight=aim.sight,
            heading_rad=aim.sight.azimuth_rad,
        )
        return guidance, ()


class Original(Baseline):
    """The depth at the detection gives a point in space; it flies to a place behind that point."""

    def __init__(self, config: FlightConfig, mask_source: MaskSource, depth: Depth) -> None:
        super().__init__(config, mask_source)
        self._depth = depth

    def follow(self, frame: Frame, mask: Mask, detection: Detection) -> _Aim | None:
        """The place is `wanted_distance_m` from the hero, on the vehicle's side."""
        depth_m = self._depth()
        if depth_m is None:
            return None
        rows, columns = pixels_of(mask, detection, self.config.detection.hero_threshold)
        # The depth image may have another size than the mask: take the pixels at the same places.
        rows = (2 * rows + 1) * depth_m.shape[0] // (2 * mask.shape[0])
        columns = (2 * columns + 1) * depth_m.shape[1] // (2 * mask.shape[1])
        ahead_m = float(np.median(depth_m[rows, columns]))
        ray = ray_of_pixel(frame.camera, detection.u, detection.v, aspect_of(mask.shape))
        forward = rotate(frame.camera.orientation, (1.0, 0.0, 0.0))
        reach_m = ahead_m / sum(r * f for r, f in zip(ray, forward, strict=True))
        camera_m = frame.camera.position_m
        north, east, down = (c + reach_m * r for c, r in zip(camera_m, ray, strict=True))
        here = frame.vehicle.position_m
        drop_m = min(abs(down - here[2]), self.config.control.wanted_distance_m - 1.0)
        behind_m = math.sqrt(self.config.control.wanted_distance_m**2 - drop_m**2)
        away_m = max(math.hypot(north - here[0], east - here[1]), 0.1)
        share = GAIN_PER_S * (away_m - behind_m) / away_m
        return _Aim(
            velocity_mps=(share * (north - here[0]), share * (east - here[1])),
            sight=line_of_sight_to(camera_m, (north, east, down)),
            target_m=(north, east, down),
        )


class Proportional(Baseline):
    """Centroid to camera, area to speed, each by a factor."""

    def follow(self, frame: Frame, mask: Mask, detection: Detection) -> _Aim | None:
        """Along the line of sight, faster the smaller the detection is."""
        control, camera = self.config.control, frame.camera
        sight = line_of_sight_of(camera)
        level = max(math.cos(sight.elevation_rad), 0.3)
        down = detection.v / aspect_of(mask.shape)
        sight = LineOfSight(
            sight.azimuth_rad + control.pan.kp * detection.u / level,
            min(max(sight.elevation_rad - control.tilt.kp * down, -1.5), 0.5),
        )
        distance_m = focal_length_px(camera, mask.shape[1]) * math.sqrt(
            HERO_AREA_M2 / detection.area_px
        )
        speed_mps = control.forward.kp * (distance_m / control.wanted_distance_m - 1.0)
        return _Aim(heading_velocity(speed_mps, sight.azimuth_rad), sight)
