"""QuadSim's frames -> frames of the pilot: axes, units and time."""

from __future__ import annotations

import logging
import math
from typing import Literal

from followme_uav.geometry import quaternion_from_euler
from followme_uav.messages import CameraPose, Frame, Quaternion, Vec3, VehicleState
from followme_uav.quadsim.sensor_frame import RawPose, SensorFrame

logger = logging.getLogger(__name__)

AngleUnit = Literal["auto", "degrees", "radians"]
LARGEST_RADIANS = 2.0 * math.pi + 0.01
"""A larger angle is in degrees."""
LEAST_STEP_S = 1e-3
"""Time between two frames that came at once."""
LONGEST_STEP_S = 60.0
"""Time stamps farther apart are of two clocks."""


class FrameBuilder:
    """Makes the frames of one session; a client that comes again continues it.

    The world frame is NED with the origin and the direction of QuadSim's: north is x, east is -y,
    down is -z. Time is that of the simulator where its time stamps have fractions of a second and
    increase by a possible time, else that of the receiver.

    Args:
        fov_rad: Field of view of the camera.
        angles: Unit of the angles. "auto" takes them as radians until one is larger than a turn,
            and as degrees from then on.
    """

    def __init__(self, fov_rad: float, angles: AngleUnit) -> None:
        self._fov_rad = fov_rad
        self._is_degrees = angles == "degrees"
        self._may_be_degrees = angles == "auto"
        self._index = 0
        self._time_s = 0.0
        self._stamp_s: float | None = None
        self._received_s: float | None = None
        self._place_m: Vec3 | None = None
        if angles == "auto":
            logger.info("The angles are taken as radians until one is larger than a turn.")

    def build(self, sensor: SensorFrame, received_s: float) -> Frame:
        """The next frame; `received_s` is the time of any steady clock."""
        self._learn_unit((*sensor.vehicle.angles, *sensor.camera.angles))
        step_s = self._step_s(sensor.timestamp_s, received_s)
        self._time_s += step_s
        place_m = _ned(sensor.vehicle)
        velocity_mps = (0.0, 0.0, 0.0)
        if self._place_m is not None and step_s > 0.0:
            north, east, down = (
                (now - before) / step_s for now, before in zip(place_m, self._place_m, strict=True)
            )
            velocity_mps = (north, east, down)
        frame = Frame(
            index=self._index,
            time_s=self._time_s,
            rgb=sensor.rgb,
            camera=CameraPose(_ned(sensor.camera), self._orientation(sensor.camera), self._fov_rad),
            vehicle=VehicleState(
                time_s=self._time_s,
                position_m=place_m,
                velocity_mps=velocity_mps,
                orientation=self._orientation(sensor.vehicle),
                angular_velocity_radps=(0.0, 0.0, 0.0),
            ),
            depth=sensor.depth,
        )
        self._index += 1
        self._place_m, self._stamp_s, self._received_s = place_m, sensor.timestamp_s, received_s
        return frame

    def _learn_unit(self, angles: tuple[float, ...]) -> None:
        largest = max(map(abs, angles))
        if self._may_be_degrees and largest > LARGEST_RADIANS:
            self._is_degrees, self._may_be_degrees = True, False
            logger.info("The angles are degrees: one is %.1f.", largest)

    def _orientation(self, pose: RawPose) -> Quaternion:
        """Half a turn about x leads from x forward, y left, z up to x forward, y right, z down."""
        unit_rad = math.pi / 180.0 if self._is_degrees else 1.0
        roll, pitch, yaw = (angle * unit_rad for angle in pose.angles)
        return quaternion_from_euler(roll, -pitch, -yaw)

    def _step_s(self, stamp_s: float | None, received_s: float) -> float:
        """Time since the last frame; 0 for the first one."""
        if self._received_s is None:
            return 0.0
        if stamp_s is not None and self._stamp_s is not None:
            step_s = stamp_s - self._stamp_s
            if 0.0 < step_s <= LONGEST_STEP_S:
                return step_s
        return max(received_s - self._received_s, LEAST_STEP_S)


def _ned(pose: RawPose) -> Vec3:
    x, y, z = pose.position_m
    return x, -y, -z


def quadsim_position(position_m: Vec3) -> list[float]:
    """A position of the world NED as QuadSim takes it."""
    north, east, down = position_m
    return [north, -east, -down]
