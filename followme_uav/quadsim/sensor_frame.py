"""The payload of QuadSim's event `sensor_frame`: checked and decoded."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from followme_uav.decoding import (
    ImageDecodeError,
    decode_grey_jpeg,
    decode_jpeg,
    decoder_errors,
    is_jpeg,
    jpeg_size,
)
from followme_uav.messages import DepthImage, RgbImage

SIZE_PX = 256
"""Side of both images."""
FARTHEST_M = 1e5
"""No coordinate of a pose is larger."""
LARGEST_ANGLE = 1e4
"""No angle of a pose is larger, in whatever unit."""
_SHOWN = 40


class FrameError(ValueError):
    """A frame, or a part of it, that cannot be used; the text is a part of a line."""


@dataclass(frozen=True)
class RawPose:
    """A pose as QuadSim sends it: x forward, y left, z up."""

    position_m: tuple[float, float, float]
    angles: tuple[float, float, float]
    """Roll, pitch and yaw, in the unit of the simulator."""


@dataclass(frozen=True)
class SensorFrame:
    """One frame of QuadSim."""

    timestamp_s: float | None
    """Unix time; None where the text is no time of sub-second resolution."""
    rgb: RgbImage
    """In the size of the pilot's images."""
    rgb_jpeg: bytes
    depth: DepthImage | None
    depth_jpeg: bytes | None
    depth_problem: str
    """Why there is no depth; empty if there is one."""
    vehicle: RawPose
    camera: RawPose


def decode_sensor_frame(data: Any, size_px: int) -> SensorFrame:
    """Decode the argument of the event.

    A frame without a usable depth image is accepted: the ground ray measures the distance then.

    Args:
        data: Of JSON.
        size_px: Side of the pilot's images, a multiple of an eighth of `SIZE_PX`.

    Raises:
        FrameError: The image or a pose cannot be used.
    """
    if not isinstance(data, Mapping):
        raise FrameError(f"the payload is {_shown(data)}, not an object")
    vehicle, camera = parse_pose(data, "pose"), parse_pose(data, "gimbal_pose")
    rgb_jpeg = _jpeg(data, "rgb_image")
    try:
        rgb = decode_jpeg(rgb_jpeg, (size_px, size_px))
    except ImageDecodeError as error:
        raise FrameError(f"rgb_image: {error}") from None
    depth, depth_jpeg, problem = None, None, ""
    try:
        depth_jpeg = _jpeg(data, "depth_image")
        depth = decode_grey_jpeg(depth_jpeg)
    except (FrameError, ImageDecodeError) as error:
        text = str(error)
        problem = text if text.startswith("depth_image") else f"depth_image: {text}"
        depth_jpeg = None
    return SensorFrame(
        timestamp_s=parse_timestamp(data.get("timestamp")),
        rgb=rgb,
        rgb_jpeg=rgb_jpeg,
        depth=depth,
        depth_jpeg=depth_jpeg,
        depth_problem=problem,
        vehicle=vehicle,
        camera=camera,
    )


def parse_pose(data: Mapping[str, Any], key: str) -> RawPose:
    """Parse "x,y,z,roll,pitch,yaw".

    Raises:
        FrameError: It is missing, has another number of values, or values that are no numbers of a
            possible size.
    """
    text = data.get(key)
    if not isinstance(text, str):
        raise FrameError(f"{key}: is {_shown(text)}, not text")
    parts = text.split(",")
    if len(parts) != 6:
        raise FrameError(f"{key}: has {len(parts)} values, not 6 ({_shown(text)})")
    try:
        x, y, z, roll, pitch, yaw = (float(part) for part in parts)
    except ValueError:
        raise FrameError(f"{key}: has a value that is not a number ({_shown(text)})") from None
    is_possible = all(abs(value) <= FARTHEST_M for value in (x, y, z)) and all(
        abs(angle) <= LARGEST_ANGLE for angle in (roll, pitch, yaw)
    )
    if not is_possible:  # also for NaN
        raise FrameError(f"{key}: has an impossible value ({_shown(text)})")
    return RawPose((x, y, z), (roll, pitch, yaw))


def parse_timestamp(text: Any) -> float | None:
    """Unix time in seconds; None for a text that is no such time, or has no fraction.

    Whole seconds do not tell the time between two frames.
    """
    if not isinstance(text, str) or "." not in text:
        return None
    try:
        time_s = float(text)
    except ValueError:
        return None
    return time_s if math.isfinite(time_s) else None


def _jpeg(data: Mapping[str, Any], key: str) -> bytes:
    """The bytes of an image of the right size."""
    text = data.get(key)
    if not isinstance(text, str) or not text:
        raise FrameError(f"{key}: is missing" if not text else f"{key}: is {_shown(text)}")
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise FrameError(f"{key}: is not base64 ({_shown(text)})") from None
    if not is_jpeg(found):
        raise FrameError(f"{key}: is not a JPEG (first bytes: {found[:4].hex(' ')})")
    try:
        with decoder_errors():
            width_px, height_px = jpeg_size(found)
    except ImageDecodeError as error:
        raise FrameError(f"{key}: {error}") from None
    if (width_px, height_px) != (SIZE_PX, SIZE_PX):
        raise FrameError(f"{key}: is {width_px}x{height_px}, not {SIZE_PX}x{SIZE_PX}")
    return found


def _shown(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
