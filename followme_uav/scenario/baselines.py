"""Simple followers that the pilot is compared with, so that its numbers mean something.

Both take the largest blob for the hero, follow it at once, and go on patrol again after six frames
without one: no track, no doubt, no search. `Original` follows as the follower of the original
project did: the blob's depth gives a point in space, and it flies to a place behind it.
`Proportional` only multiplies errors in the image. Take-off, patrol, landing, streets and limits of
speed are the pilot's, so that what is compared is the following.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from followme_uav.config import FlightConfig
from followme_uav.errors import RpcError
from followme_uav.flight.replay import Logged
from followme_uav.geometry import aspect_of, focal_length_px, ray_of_pixel, rotate
from followme_uav.messages import (
    Command,
    Frame,
    HeroEstimate,
    LoopTerms,
    Manoeuvre,
    Mask,
    MaskClass,
    MissionState,
    Observation,
    Step,
    Vec3,
)
from followme_uav.perception.observe import observe
from followme_uav.pilot.contact import ContactJudge
from followme_uav.pilot.control import (
    LineOfSight,
    Loops,
    VelocityLimiter,
    heading_velocity,
    pan_of,
)
from followme_uav.pilot.eyes import Verdict
from followme_uav.pilot.keep_in import limit_velocity
from followme_uav.pilot.mission import Change, Mission, Rule, Situation
from followme_uav.pilot.pilot import AT_REST_MPS, MaskSource
from followme_uav.pilot.steering import Steering, View
from followme_uav.rpc.session import RpcSession, open_session

LOST_FRAMES = 6
"""Without the target so long: patrol."""

HERO_AREA_M2 = 0.5
"""Area that she shows the camera: turns her blob's area into a distance."""

GAIN_PER_S = 1.0
"""Speed towards the wanted place, for each metre to it."""

Depth = Callable[[], "NDArray[np.floating] | None"]
"""(height, width) metres along the camera's axis, of the present frame."""


class _Mission(Mission):
    """The pilot's, without its caution and its memory."""

    def _is_after_her(self, now: Situation) -> bool:
        return False  # it patrols after a fault, too: it knows no search

    def _notice(self, now: Situation) -> Change | None:
        return (MissionState.FOLLOW, "a blob") if now.hero_seen else None

    def _keep(self, now: Situation) -> Change | None:
        self._unseen = 0 if now.hero_seen else self._unseen + 1
        if self._unseen >= LOST_FRAMES:
            self._unseen = 0
            return MissionState.PATROL, f"no blob in {LOST_FRAMES} frames"
        return None

    _unseen = 0
    _rules: ClassVar[dict[MissionState, Rule]] = {
        **Mission._rules,
        MissionState.PATROL: _notice,  # type: ignore[dict-item]
        MissionState.FOLLOW: _keep,  # type: ignore[dict-item]
    }


@dataclass(frozen=True)
class _Aim:
    """What following asks for: horizontal velocity and line of sight."""

    velocity_mps: tuple[float, float]
    sight: LineOfSight
    target_m: Vec3 | None = None


class Baseline(ABC):
    """What the two have in common; flies like `pilot.pilot.Pilot`."""

    def __init__(self, config: FlightConfig, mask_source: MaskSource) -> None:
        self.config = config
        self.loops = Loops(config.control)
        self._mask_source = mask_source
        self._mission = _Mission(config.mission, config.duration_s)
        self._steering = Steering(config)
        self._contacts = ContactJudge(config.mission)
        self._limiter = VelocityLimiter(config.limits)
        self._last_s: float | None = None
        self._start_down_m: float | None = None
        self._aim: _Aim | None = None

    @property
    def state(self) -> MissionState:
        """The present mission state."""
        return self._mission.state

    @abstractmethod
    def follow(self, frame: Frame, mask: Mask, seen: Observation) -> _Aim | None:
        """Where to go and look for a blob; None keeps the last aim."""

    def step(self, frame: Frame) -> Step:
        """See, decide and steer, once."""
        rate_s = 1.0 / self.config.camera.rate_hz
        dt_s = rate_s if self._last_s is None else max(frame.time_s - self._last_s, 0.0) or rate_s
        self._last_s = frame.time_s
        down_m = frame.vehicle.position_m[2]
        if self._start_down_m is None:
            self._start_down_m = down_m
        altitude_m = self._start_down_m - down_m
        mask = None if frame.rgb is None else self._mask_source(frame)
        airborne = self.state not in (MissionState.TAKEOFF, MissionState.DONE)
        blobs = observe(mask, self.config.observe) if mask is not None and airborne else []
        seen = max(blobs, key=lambda blob: blob.area_px, default=None)
        transition = self._mission.update(self._situation(frame, altitude_m, seen, dt_s))
        view = View(frame, altitude_m, seen, None, dt_s)
        if transition is not None:
            self._steering.enter(transition.target, view)
            self._aim = None
        loops: tuple[LoopTerms, ...] = ()
        if self.state is MissionState.FOLLOW:
            if seen is not None and mask is not None:
                self._aim = self.follow(frame, mask, seen) or self._aim
            command = self._fly(view)
            loops = self.loops.take_terms()
        else:
            command, loops = self._steering.command(self.state, view)
        target_m = None if self._aim is None else self._aim.target_m
        return Step(
            frame_index=frame.index,
            time_s=frame.time_s,
            mask=mask,
            observation=seen,
            state=self.state,
            transition=transition,
            hero=None if target_m is None else HeroEstimate(target_m, (0.0, 0.0, 0.0), 0.0),
            command=command,
            loops=loops,
        )

    def _fly(self, view: View) -> Command:
        frame, config = view.frame, self.config
        aim = self._aim or _Aim((0.0, 0.0), LineOfSight.of(frame.camera))
        smooth = self._limiter.limit(aim.velocity_mps, view.dt_s)
        north, east = limit_velocity(view.here, smooth, config.simulator.flyable_m, config.limits)
        self._limiter.reset((north, east))
        body = frame.vehicle.orientation
        pan_rad, tilt_rad = aim.sight.pan_tilt(body)
        climb_mps = self.loops.climb_mps(view.altitude_m, config.mission.altitude_m, view.dt_s)
        return Command(
            manoeuvre=Manoeuvre.VELOCITY,
            velocity_mps=(north, east, -climb_mps),
            yaw_rate_radps=self.loops.yaw_rate_radps(pan_of(aim.sight, body), view.dt_s),
            camera_pan_rad=pan_rad,
            camera_tilt_rad=tilt_rad,
        )

    def _situation(
        self, frame: Frame, altitude_m: float, seen: Observation | None, dt_s: float
    ) -> Situation:
        return Situation(
            time_s=frame.time_s,
            gap_s=dt_s,
            has_image=frame.rgb is not None,
            has_collided=self._contacts.is_collision(frame.vehicle, self.state),
            land_requested=frame.land_requested,
            altitude_m=altitude_m,
            is_at_rest=math.hypot(*frame.vehicle.velocity_mps) < AT_REST_MPS,
            verdict=Verdict.NOTHING_SEEN if seen is None else Verdict.TOO_FAR,
            is_expected=False,
            control_loss=frame.control_loss,
        )


class Original(Baseline):
    """Depth at the blob gives a point in space; it flies to a place behind it, nose towards it."""

    def __init__(
        self, config: FlightConfig, mask_source: MaskSource, depth: Depth | None = None
    ) -> None:
        super().__init__(config, mask_source)
        self._depth = depth or _DepthCamera(config)

    def follow(self, frame: Frame, mask: Mask, seen: Observation) -> _Aim | None:
        """The place is `wanted_distance_m` from her, on the vehicle's side of her."""
        depth_m = self._depth()
        if depth_m is None:
            return None
        rows, columns = np.nonzero(_pixels_of(mask, seen, self.config.observe.hero_threshold))
        ahead_m = float(np.median(depth_m[rows, columns]))
        ray = ray_of_pixel(frame.camera, seen.u, seen.v, aspect_of(mask.shape))
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
            sight=LineOfSight.towards(camera_m, (north, east, down)),
            target_m=(north, east, down),
        )


class Proportional(Baseline):
    """Centroid to camera, area to speed, each by a factor."""

    def follow(self, frame: Frame, mask: Mask, seen: Observation) -> _Aim | None:
        """Along the line of sight, as fast as the blob is too small."""
        control, camera = self.config.control, frame.camera
        sight = LineOfSight.of(camera)
        level = max(math.cos(sight.elevation_rad), 0.3)
        down = seen.v / aspect_of(mask.shape)
        sight = LineOfSight(
            sight.azimuth_rad + control.pan.kp * seen.u / level,
            min(max(sight.elevation_rad - control.tilt.kp * down, -1.5), 0.5),
        )
        distance_m = focal_length_px(camera, mask.shape[1]) * math.sqrt(HERO_AREA_M2 / seen.area_px)
        speed_mps = control.forward.kp * (distance_m / control.wanted_distance_m - 1.0)
        return _Aim(heading_velocity(speed_mps, sight.azimuth_rad), sight)


class _DepthCamera:
    """The simulator's depth image of this very instant, over a connection of its own."""

    def __init__(self, config: FlightConfig) -> None:
        self._config = config

    @cached_property
    def _session(self) -> RpcSession:
        """Made at the first use: to have a pilot is not yet to fly."""
        config = self._config
        return open_session(
            config.rpc.backend,
            config.simulator.host,
            config.simulator.port,
            deadline_s=config.rpc.deadline_s,
            connect_deadline_s=config.rpc.connect_deadline_s,
            max_message_bytes=config.rpc.max_message_bytes,
        )

    def __call__(self) -> NDArray[np.float32] | None:
        simulator = self._config.simulator
        request = {
            "camera_name": simulator.camera_name,
            "image_type": 1,  # DepthPlanar
            "pixels_as_float": True,
            "compress": False,
        }
        session = self._session
        try:
            reply = session.call("simGetImages", [request], simulator.vehicle_name, False)
        except RpcError:
            return None
        image = reply[0]
        numbers = np.asarray(image["image_data_float"], np.float32)
        return numbers.reshape(image["height"], image["width"])


class LoggedDepth:
    """The depth at the hero that a flight measured, out of its log.

    A log has no depth images, but the point that the depth gave. It stays as it was where the
    simulator gave no depth.
    """

    def __init__(self, logged: Logged) -> None:
        self._logged = logged

    def __call__(self) -> NDArray[np.float64] | None:
        """(height, width) metres along the camera's axis, everywhere those of the hero."""
        entry, before = self._logged.entry, self._logged.before
        if entry is None or entry.step.hero is None or entry.step.mask is None:
            return None
        hero_m = entry.step.hero.position_m
        known = None if before is None else before.step.hero
        if known is not None and known.position_m == hero_m:
            return None
        camera = entry.frame.camera
        forward = rotate(camera.orientation, (1.0, 0.0, 0.0))
        ahead_m = sum(
            (h - c) * f for h, c, f in zip(hero_m, camera.position_m, forward, strict=True)
        )
        return np.full(entry.step.mask.shape[:2], ahead_m)


def _pixels_of(mask: Mask, seen: Observation, threshold: float) -> NDArray[np.bool_]:
    """The hero's pixels in a blob's box; at least its centre."""
    height, width, _ = mask.shape
    column, row = (seen.u + 1.0) / 2.0 * width, (seen.v + 1.0) / 2.0 * height
    box = np.zeros((height, width), bool)
    half = (seen.height_px / 2.0, seen.width_px / 2.0)
    box[
        max(0, int(row - half[0])) : int(row + half[0]) + 1,
        max(0, int(column - half[1])) : int(column + half[1]) + 1,
    ] = True
    inside = box & (mask[..., MaskClass.HERO] > threshold * 255.0)
    if not inside.any():
        inside[min(int(row), height - 1), min(int(column), width - 1)] = True
    return inside
