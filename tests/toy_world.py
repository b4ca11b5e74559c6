"""A small world for tests of the pilot: a point mass that flies, a hero that walks, exact masks."""

import math
from dataclasses import dataclass, field

import numpy as np

from followme_uav.geometry import (
    multiply,
    pixel_of_point,
    quaternion_from_euler,
    quaternion_from_pan_tilt,
    wrap_angle,
)
from followme_uav.messages import (
    CameraPose,
    Command,
    Frame,
    Manoeuvre,
    MaskClass,
    VehicleState,
)

SIZE_PX = 160
HERO_HEIGHT_M = 1.7
HERO_WIDTH_M = 0.3
VELOCITY_LAG_S = 0.4
LEAN_LAG_S = 0.2
GRAVITY_MPS2 = 9.81


@dataclass
class ToyWorld:
    """A simulation that advances by whole frames.

    `route(time_s)` is the hero's position on the ground; None: absent. `others` are routes of
    pedestrians with the hero's appearance. Within each interval of `hidden` all are invisible.
    """

    route: object
    others: tuple = ()
    hidden: tuple = ()
    fov_rad: float = math.radians(60)
    size_px: tuple = (SIZE_PX, SIZE_PX)  # width and height
    frame_s: float = 0.1
    time_s: float = 0.0
    index: int = 0
    position: tuple = (0.0, 0.0, 0.0)
    velocity: tuple = (0.0, 0.0, 0.0)
    yaw_rad: float = 0.0
    yaw_rate_radps: float = 0.0
    lean: tuple = (0.0, 0.0)  # roll and pitch, as a multirotor tilts to accelerate
    lean_rate: tuple = (0.0, 0.0)
    camera: tuple = (0.0, 0.0)
    blind: bool = False
    history: list = field(default_factory=list)

    def frame(self, **changes) -> Frame:
        body = quaternion_from_euler(*self.lean, self.yaw_rad)
        rates = (*self.lean_rate, self.yaw_rate_radps)
        vehicle = VehicleState(self.time_s, self.position, self.velocity, body, rates)
        pose = CameraPose(
            self.position, multiply(body, quaternion_from_pan_tilt(*self.camera)), self.fov_rad
        )
        rgb = None if self.blind else np.zeros((*self.size_px[::-1], 3), np.uint8)
        frame = Frame(self.index, self.time_s, rgb, pose, vehicle, **changes)
        self.index += 1
        return frame

    def mask(self, frame: Frame):
        """Return the exact mask of a frame."""
        mask = np.zeros((*self.size_px[::-1], 3), np.uint8)
        if not any(start <= frame.time_s < end for start, end in self.hidden):
            for route in (self.route, *self.others):
                self._paint(mask, frame.camera, route(frame.time_s))
        mask[..., MaskClass.BACKGROUND] = 255 - mask[..., MaskClass.HERO]
        return mask

    def _paint(self, mask, camera: CameraPose, place) -> None:
        if place is None:
            return
        width_px, height_px = self.size_px
        aspect = width_px / height_px
        head = pixel_of_point(camera, (*place, -HERO_HEIGHT_M), aspect)
        feet = pixel_of_point(camera, (*place, 0.0), aspect)
        if head is None or feet is None:
            return
        half_px = 0.5 * HERO_WIDTH_M * width_px / (2 * math.tan(self.fov_rad / 2) * head[2])
        column = (head[0] + 1) * width_px / 2
        rows = sorted((point[1] + 1) * height_px / 2 for point in (head, feet))
        mask[
            max(0, round(rows[0])) : max(0, round(rows[1])),
            max(0, round(column - half_px)) : max(0, round(column + half_px)),
            MaskClass.HERO,
        ] = 255

    def obey(self, command: Command) -> None:
        """Advance by one frame time under a command."""
        wanted = {
            Manoeuvre.TAKEOFF: (0.0, 0.0, -0.5 if self.position[2] > -1.5 else 0.0),
            Manoeuvre.LAND: (0.0, 0.0, 0.2 if self.position[2] < 0.0 else 0.0),
            Manoeuvre.HOVER: (0.0, 0.0, 0.0),
            Manoeuvre.VELOCITY: command.velocity_mps,
        }[command.manoeuvre]
        share = self.frame_s / (VELOCITY_LAG_S + self.frame_s)
        before = self.velocity
        self.velocity = tuple(
            v + share * (w - v) for v, w in zip(self.velocity, wanted, strict=True)
        )
        self._lean([(v - b) / self.frame_s for v, b in zip(self.velocity, before, strict=True)])
        north, east, down = (
            p + self.frame_s * v for p, v in zip(self.position, self.velocity, strict=True)
        )
        self.position = (north, east, min(down, 0.0))
        self.yaw_rate_radps = command.yaw_rate_radps
        self.yaw_rad = wrap_angle(self.yaw_rad + self.frame_s * command.yaw_rate_radps)
        self.camera = (command.camera_pan_rad, command.camera_tilt_rad)
        self.time_s = round(self.time_s + self.frame_s, 6)

    def _lean(self, acceleration_mps2) -> None:
        north, east, _ = acceleration_mps2
        ahead = north * math.cos(self.yaw_rad) + east * math.sin(self.yaw_rad)
        right = east * math.cos(self.yaw_rad) - north * math.sin(self.yaw_rad)
        wanted = math.atan2(right, GRAVITY_MPS2), -math.atan2(ahead, GRAVITY_MPS2)
        share = self.frame_s / (LEAN_LAG_S + self.frame_s)
        self.lean = tuple(
            now + share * (goal - now) for now, goal in zip(self.lean, wanted, strict=True)
        )
        self.lean_rate = tuple(
            (goal - now) / (LEAN_LAG_S + self.frame_s)
            for now, goal in zip(self.lean, wanted, strict=True)
        )

    def fly(self, pilot, seconds):
        """Fly for that time and return the steps of the pilot."""
        steps = []
        for _ in range(round(seconds / self.frame_s)):
            steps.append(pilot.step(self.frame()))
            self.obey(steps[-1].command)
        return steps

    def distance_m(self) -> float:
        """Distance from the vehicle to the centroid of the hero."""
        return math.dist(self.position, (*self.route(self.time_s), -0.95))
