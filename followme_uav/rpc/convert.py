"""Converts AirSim's structs to messages and back, without a connection.

Structs are dicts (see `rpc.dialect`), with positions in world NED metres, quaternions (w, x, y, z)
body to world, and time stamps in nanoseconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from followme_uav.channels import stacked, with_fourth_byte, without_fourth_byte
from followme_uav.config import CameraConfig, SimulatorProfile
from followme_uav.errors import SimulatorError, printable
from followme_uav.geometry import multiply, quaternion_from_pan_tilt, rotate
from followme_uav.messages import (
    CameraPose,
    Command,
    Contact,
    GroundTruth,
    Mask,
    MaskClass,
    Quaternion,
    RgbImage,
    Solid,
    Vec3,
    VehicleState,
)
from followme_uav.resizing import resized_classes, resized_image

EPOCH_NS, EPOCH_MS = 10**15, 10**14
"""Time stamps that count from 1970 are above the first in ns, and below the second in ms."""
_PIXELS = with_fourth_byte(255 * np.eye(256, 3, dtype=np.uint8)[:, None])[:, 0]
"""(256,) pixel of each class id, zero for those that are no class."""


@dataclass
class SimulationClock:
    """Converts a simulator's time stamps to seconds since the first one."""

    origin_ns: int | None = None
    image_origin_ms: int | None = None

    def seconds(self, stamp_ns: int) -> float:
        """Convert a time stamp of the simulation clock."""
        if self.origin_ns is None:
            self.origin_ns = stamp_ns
        return (stamp_ns - self.origin_ns) / 1e9

    def image_seconds(self, stamp: int, state_ns: int) -> float:
        """Convert an image's own time stamp.

        Unity stamps images in milliseconds of the wall clock; these count from the first image.
        """
        if state_ns > EPOCH_NS and stamp < EPOCH_MS:
            if self.image_origin_ms is None:
                self.image_origin_ms = stamp
            return (stamp - self.image_origin_ms) / 1e3
        return self.seconds(stamp)


@dataclass
class ContactFilter:
    """Passes each contact that a simulator reports once, and none from before the flight.

    Some simulators clear the flag of a collision when it is read, some keep it, and all may hold
    one from before the flight. The time stamp of the contact tells.
    """

    first_state_ns: int | None = None
    last_contact_ns: int = 0

    def new_contact(self, info: dict[str, Any], state_ns: int) -> Contact | None:
        """Return the contact of a CollisionInfo, if it is new.

        A time stamp of zero, or of another clock than the state's, cannot be compared: the flag
        alone decides then.

        Args:
            info: The CollisionInfo.
            state_ns: Time stamp of the state that was read with it.
        """
        if self.first_state_ns is None or state_ns < self.first_state_ns:  # start, or a reset
            self.first_state_ns, self.last_contact_ns = state_ns, 0
        if not info["has_collided"]:
            return None
        stamp_ns = int(info["time_stamp"])
        if stamp_ns > 0 and (stamp_ns > EPOCH_NS) == (state_ns > EPOCH_NS):
            if stamp_ns < self.first_state_ns or stamp_ns == self.last_contact_ns:
                return None
            self.last_contact_ns = stamp_ns
        return Contact(printable(str(info["object_name"])), finite(to_vec3(info["normal"])))


def vehicle_state(
    state: dict[str, Any], contact: Contact | None, clock: SimulationClock
) -> VehicleState:
    """Convert a MultirotorState, whose own collision AirSim never fills."""
    motion = state["kinematics_estimated"]
    return VehicleState(
        time_s=clock.seconds(int(state["timestamp"])),
        position_m=to_vec3(motion["position"]),
        velocity_mps=to_vec3(motion["linear_velocity"]),
        orientation=to_quaternion(motion["orientation"]),
        angular_velocity_radps=to_vec3(motion["angular_velocity"]),
        has_collided=contact is not None,
        contact=contact,
    )


def camera_pose(image: dict[str, Any], fov_deg: float) -> CameraPose:
    """Convert the camera's pose of an ImageResponse, which AirSim reports in the world frame."""
    return CameraPose(
        position_m=to_vec3(image["camera_position"]),
        orientation=to_quaternion(image["camera_orientation"]),
        fov_rad=math.radians(fov_deg),
    )


def pixels(
    image: dict[str, Any],
    profile: SimulatorProfile,
    camera: CameraConfig | None,
    address: str,
    *,
    has_classes: bool = False,
) -> RgbImage | None:
    """Convert an image to (height, width, 3) RGB with the first row on top; None when it is empty.

    It is resized to the size that the pilot works with; colours of classes are not mixed. Without a
    `camera` any size is accepted, and no pixels are copied: the result is a view.

    Raises:
        SimulatorError: The image has another size than configured, or is not raw pixels.
    """
    width, height, data = image["width"], image["height"], image["image_data_uint8"]
    if not width or not height:
        return None
    if camera is not None and (height, width) != camera.source_size_px:
        expected_height, expected_width = camera.source_size_px
        raise SimulatorError(
            f"{address} sent an image of {width}x{height} instead of "
            f"{expected_width}x{expected_height} pixels; make the simulator's CaptureSettings and "
            "the section 'camera' of the configuration agree: camera.source_width_px="
            f"{width}, camera.source_height_px={height}"
        )
    if not isinstance(data, bytes) or len(data) != width * height * 3:
        got = f"{len(data)} bytes" if isinstance(data, bytes) else type(data).__name__
        raise SimulatorError(
            f"{address} sent {got} for an image of {width}x{height} instead of "
            f"{width * height * 3} bytes of raw pixels; is simulator.camera_name right?"
        )
    rows = np.frombuffer(data, np.uint8).reshape(height, width, 3)
    if profile.row_order == "bottom_up":
        rows = rows[::-1]
    if camera is None:
        return rows[..., ::-1] if profile.channel_order == "bgr" else rows
    order = (2, 1, 0) if profile.channel_order == "bgr" else (0, 1, 2)
    rgb = stacked(*(rows[..., channel] for channel in order))
    if camera.size_px == (height, width):
        return rgb
    return (resized_classes if has_classes else resized_image)(rgb, camera.size_px)


def solid(reply: dict[str, Any]) -> Solid:
    """Convert one solid of the embedded simulator's list."""
    return Solid(
        name=str(reply["name"]),
        centre_m=to_vec3(reply["position"]),
        half_size_m=to_vec3(reply["half_size"]),
        is_round=bool(reply["is_round"]),
    )


def ground_truth(
    reply: dict[str, Any], clock: SimulationClock, size_px: tuple[int, int]
) -> GroundTruth | None:
    """Convert the embedded simulator's ground truth, its mask to a (height, width).

    None without a mask: the simulator has rendered no image yet, or none since a reset.
    """
    shape = reply["mask_height"], reply["mask_width"]
    if 0 in shape:
        return None
    classes = np.frombuffer(reply["mask"], np.uint8).reshape(shape)
    if shape != size_px:
        classes = resized_classes(classes, size_px)
    return GroundTruth(
        time_s=clock.seconds(int(reply["time_stamp"])),
        hero_position_m=to_vec3(reply["hero_position"]),
        people_position_m=tuple(to_vec3(person) for person in reply["people_positions"]),
        mask=one_hot(classes),
        clearance_m=float(reply["clearance"]),
    )


def one_hot(classes: NDArray[np.uint8]) -> Mask:
    """Convert class ids (height, width) to a `Mask` of 0 and 255."""
    pixels = np.full(classes.shape, _PIXELS[MaskClass.BACKGROUND])
    places = np.flatnonzero(classes != MaskClass.BACKGROUND)  # few
    pixels.put(places, _PIXELS[classes.ravel()[places]])
    return without_fourth_byte(pixels)


def camera_target(
    pan_rad: float, tilt_rad: float, profile: SimulatorProfile, vehicle: VehicleState | None
) -> dict[str, Any] | None:
    """Return the Pose for simSetCameraPose, in the frame that the profile names: body or world.

    None for the world frame when the vehicle's position is not known yet.
    """
    position, orientation = profile.camera_mount_m, quaternion_from_pan_tilt(pan_rad, tilt_rad)
    if profile.camera_pose_frame == "world":
        if vehicle is None:
            return None
        north, east, down = rotate(vehicle.orientation, position)
        x, y, z = vehicle.position_m
        position = north + x, east + y, down + z
        orientation = multiply(vehicle.orientation, orientation)
    return pose_struct(position, orientation)


def pose_struct(position_m: Vec3, orientation: Quaternion) -> dict[str, Any]:
    """Return AirSim's Pose."""
    return {
        "position": vector_struct(position_m),
        "orientation": dict(zip(("w_val", "x_val", "y_val", "z_val"), orientation, strict=True)),
    }


def vector_struct(vector: Vec3) -> dict[str, float]:
    """Return AirSim's Vector3r."""
    return dict(zip(("x_val", "y_val", "z_val"), vector, strict=True))


def refuse_not_finite(command: Command) -> None:
    """Raise `SimulatorError` for NaN or infinity: AirSim accepts them, and the vehicle leaves."""
    numbers = (
        *command.velocity_mps,
        command.yaw_rate_radps,
        command.camera_pan_rad,
        command.camera_tilt_rad,
    )
    if not all(math.isfinite(number) for number in numbers):
        raise SimulatorError(
            f"refused to send a command that is not finite: velocity {command.velocity_mps} m/s, "
            f"yaw rate {command.yaw_rate_radps} rad/s, camera pan {command.camera_pan_rad} and "
            f"tilt {command.camera_tilt_rad} rad"
        )


def to_vec3(struct: dict[str, Any]) -> Vec3:
    """Convert a Vector3r."""
    return float(struct["x_val"]), float(struct["y_val"]), float(struct["z_val"])


def finite(vector: Vec3) -> Vec3:
    """Return the vector, or zero when it holds NaN or infinity."""
    return vector if all(map(math.isfinite, vector)) else (0.0, 0.0, 0.0)


def to_quaternion(struct: dict[str, Any]) -> Quaternion:
    """Convert a Quaternionr to (w, x, y, z)."""
    x, y, z = to_vec3(struct)
    return float(struct["w_val"]), x, y, z
