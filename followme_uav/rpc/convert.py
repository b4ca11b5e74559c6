"""AirSim's structs to messages and back: pure functions, no connection.

Structs come as dicts (see `rpc.dialect`), with positions in world NED metres, quaternions
(w, x, y, z) body to world, and stamps in nanoseconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from followme_uav.channels import stacked
from followme_uav.config import CameraConfig, SimulatorProfile
from followme_uav.errors import SimulatorError
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

EPOCH_NS = 10**15  # stamps of a clock that counts from 1970 are above this in ns ...
EPOCH_MS = 10**14  # ... and below this in ms


@dataclass
class Clock:
    """Turns a simulator's stamps into seconds since the first one seen."""

    origin_ns: int | None = None
    image_origin_ms: int | None = None

    def seconds(self, stamp_ns: int) -> float:
        """Time of a stamp of the simulation clock."""
        if self.origin_ns is None:
            self.origin_ns = stamp_ns
        return (stamp_ns - self.origin_ns) / 1e9

    def image_seconds(self, stamp: int, state_ns: int) -> float:
        """Time of an image's own stamp.

        Unity stamps images in milliseconds of the wall clock; those count from the first image.
        """
        if state_ns > EPOCH_NS and stamp < EPOCH_MS:
            if self.image_origin_ms is None:
                self.image_origin_ms = stamp
            return (stamp - self.image_origin_ms) / 1e3
        return self.seconds(stamp)


@dataclass
class ContactMemory:
    """Which of the contacts that a simulator reports are news.

    Some clear the flag when it is read, some keep it; all may still hold one from before the
    flight. Stamps tell: a contact counts once, and only since the first state that was read.
    """

    since_ns: int | None = None
    told_ns: int = 0

    def news(self, info: dict[str, Any], state_ns: int) -> Contact | None:
        """The contact of a CollisionInfo that came with a state of this stamp, if it is a new one.

        A stamp of zero or of another clock than the state's says nothing: the flag is believed.
        """
        if self.since_ns is None or state_ns < self.since_ns:  # at the start, or it started anew
            self.since_ns, self.told_ns = state_ns, 0
        if not info["has_collided"]:
            return None
        stamp_ns = int(info["time_stamp"])
        if stamp_ns > 0 and (stamp_ns > EPOCH_NS) == (state_ns > EPOCH_NS):
            if stamp_ns < self.since_ns or stamp_ns == self.told_ns:
                return None
            self.told_ns = stamp_ns
        return Contact(str(info["object_name"]), finite(to_vec3(info["normal"])))


def vehicle_state(state: dict[str, Any], contact: Contact | None, clock: Clock) -> VehicleState:
    """A MultirotorState (which never carries the collision) as a message."""
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
    """Where the camera of an ImageResponse was; AirSim reports it in the world."""
    return CameraPose(
        position_m=to_vec3(image["camera_position"]),
        orientation=to_quaternion(image["camera_orientation"]),
        fov_rad=math.radians(fov_deg),
    )


def pixels(
    image: dict[str, Any], profile: SimulatorProfile, camera: CameraConfig | None, address: str
) -> RgbImage | None:
    """The image as (height, width, 3) RGB with the first row on top; None when it is empty.

    Without a `camera` any size will do.

    Raises:
        SimulatorError: It has another size than configured, or is not raw pixels.
    """
    width, height, data = image["width"], image["height"], image["image_data_uint8"]
    if not width or not height:
        return None
    if camera is not None and (width, height) != (camera.width_px, camera.height_px):
        raise SimulatorError(
            f"{address} sent an image of {width}x{height} instead of "
            f"{camera.width_px}x{camera.height_px} pixels; make the simulator's CaptureSettings "
            "and the section 'camera' of the configuration agree"
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
    order = (2, 1, 0) if profile.channel_order == "bgr" else (0, 1, 2)
    return stacked(*(rows[..., channel] for channel in order))


def solid(reply: dict[str, Any]) -> Solid:
    """One thing of the embedded simulator's list of solids."""
    return Solid(
        name=str(reply["name"]),
        centre_m=to_vec3(reply["position"]),
        half_size_m=to_vec3(reply["half_size"]),
        is_round=bool(reply["is_round"]),
    )


def ground_truth(reply: dict[str, Any], clock: Clock) -> GroundTruth | None:
    """The reply of the embedded simulator's ground-truth method as a message.

    None without a mask: there has been no image yet, or none since somebody's `reset`.
    """
    shape = reply["mask_height"], reply["mask_width"]
    if 0 in shape:
        return None
    return GroundTruth(
        time_s=clock.seconds(int(reply["time_stamp"])),
        hero_position_m=to_vec3(reply["hero_position"]),
        people_position_m=tuple(to_vec3(person) for person in reply["people_positions"]),
        mask=one_hot(np.frombuffer(reply["mask"], np.uint8).reshape(shape)),
        clearance_m=float(reply["clearance"]),
    )


def one_hot(classes: NDArray[np.uint8]) -> Mask:
    """(height, width) class ids as a `Mask` of 0 and 255."""
    mask = np.empty((*classes.shape, 3), np.uint8)
    for channel in (MaskClass.BACKGROUND, MaskClass.PEOPLE, MaskClass.HERO):
        mask[..., channel] = (classes == channel) * np.uint8(255)
    return mask


def camera_target(
    pan_rad: float, tilt_rad: float, profile: SimulatorProfile, vehicle: VehicleState | None
) -> dict[str, Any] | None:
    """The Pose that simSetCameraPose wants: of the body, or of the world.

    None when the world's is wanted and nobody knows yet where the vehicle is.
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
    """AirSim's Pose."""
    return {
        "position": dict(zip(("x_val", "y_val", "z_val"), position_m, strict=True)),
        "orientation": dict(zip(("w_val", "x_val", "y_val", "z_val"), orientation, strict=True)),
    }


def refuse_not_finite(command: Command) -> None:
    """Raise `SimulatorError` for NaN or infinity: AirSim would take it, and fly off."""
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
    """A Vector3r as a tuple."""
    return float(struct["x_val"]), float(struct["y_val"]), float(struct["z_val"])


def finite(vector: Vec3) -> Vec3:
    """The vector; zero where it holds NaN or infinity."""
    return vector if all(map(math.isfinite, vector)) else (0.0, 0.0, 0.0)


def to_quaternion(struct: dict[str, Any]) -> Quaternion:
    """A Quaternionr as a tuple (w, x, y, z)."""
    x, y, z = to_vec3(struct)
    return float(struct["w_val"]), x, y, z
