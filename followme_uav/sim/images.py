"""From a picture to AirSim's ImageResponse, in the byte order of each dialect."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from followme_uav.rpc.server import HandlerError
from followme_uav.sim import structs
from followme_uav.sim.dialects import Dialect
from followme_uav.sim.simulation import Shot

SCENE, DEPTH_PLANAR, DEPTH_PERSPECTIVE, DEPTH_VIS, SEGMENTATION = 0, 1, 2, 3, 5
DEPTH_VIS_RANGE_M = 100.0
"""DepthVis is black at the lens and white from here on."""


def segmentation_palette() -> NDArray[np.uint8]:
    """(256, 3) RGB colour of each segmentation id.

    The bits of the id are dealt to red, green, blue in turn, the lowest into the highest bits (the
    scheme of the PASCAL VOC labels): id 0 is black, 1 (128, 0, 0), 2 (0, 128, 0), 3 (128, 128, 0).
    """
    ids = np.arange(256)
    palette = np.zeros((256, 3), dtype=np.uint8)
    for bit in range(8):
        channel, place = bit % 3, 7 - bit // 3
        palette[:, channel] |= ((ids >> bit & 1) << place).astype(np.uint8)
    return palette


_PALETTE = segmentation_palette()


def image_response(
    shot: Shot,
    dialect: Dialect,
    image_type: int,
    segmentation_ids: NDArray[np.uint8],
    *,
    camera_name: str,
    as_float: bool,
    compress: bool,
) -> structs.Struct:
    """One ImageResponse.

    Args:
        shot: the picture it shows.
        dialect: decides on bytes, rows and time stamps.
        image_type: AirSim's ImageType.
        segmentation_ids: (objects,) id of each object, for the segmentation image.
        camera_name: repeated in the response.
        as_float: numbers instead of pixels; for a type without numbers the red channel, 0..1.
        compress: PNG instead of raw pixels.

    Raises:
        HandlerError: This simulator does not make such images.
    """
    height, width = shot.picture.object_id.shape
    pixels: bytes = b""
    numbers: list[float] = []
    if as_float:
        numbers = _numbers(shot, dialect, image_type, segmentation_ids)
    else:
        rgb = _colours(shot, dialect, image_type, segmentation_ids)
        pixels = png(rgb) if compress else _raw(rgb, dialect)
    return {
        "image_data_uint8": pixels,
        "image_data_float": numbers,
        "camera_position": structs.vector(shot.camera.position_m),
        "camera_name": camera_name,
        "camera_orientation": structs.quaternion(shot.camera.orientation),
        "time_stamp": shot.time_ns // dialect.image_time_unit_ns,
        "message": dialect.float_image_message if as_float else dialect.image_message,
        "pixels_as_float": as_float,
        "compress": compress and not as_float,
        "width": width,
        "height": height,
        "image_type": image_type,
    }


def empty_response(camera_name: str, image_type: int) -> structs.Struct:
    """What AirSim on Unity answers for a camera that it does not have."""
    return {
        "image_data_uint8": b"",
        "image_data_float": [],
        "camera_position": structs.vector((0.0, 0.0, 0.0)),
        "camera_name": camera_name,
        "camera_orientation": structs.quaternion((1.0, 0.0, 0.0, 0.0)),
        "time_stamp": 0,
        "message": "",
        "pixels_as_float": False,
        "compress": False,
        "width": 0,
        "height": 0,
        "image_type": image_type,
    }


def png(rgb: NDArray[np.uint8]) -> bytes:
    """A PNG file, packed for speed rather than size."""
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "png", compress_level=1)
    return file.getvalue()


def _raw(rgb: NDArray[np.uint8], dialect: Dialect) -> bytes:
    if dialect.bgr:
        rgb = rgb[:, :, ::-1]
    if dialect.bottom_up:
        rgb = rgb[::-1]
    return rgb.tobytes()


def _colours(
    shot: Shot, dialect: Dialect, image_type: int, segmentation_ids: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """(height, width, 3) RGB, first row on top."""
    if image_type == SEGMENTATION:
        colours: NDArray[np.uint8] = _PALETTE[segmentation_ids[shot.picture.object_id]]
        return colours
    if _is_depth(image_type, dialect):
        grey = (255.0 * _normalised_depth(shot)).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if image_type == SCENE or image_type in (DEPTH_PLANAR, DEPTH_PERSPECTIVE):
        return shot.picture.rgb
    raise HandlerError(f"image type {image_type} is not available here; 0 to 3 and 5 are")


def _numbers(
    shot: Shot, dialect: Dialect, image_type: int, segmentation_ids: NDArray[np.uint8]
) -> list[float]:
    """Float image, row by row."""
    plane: NDArray[Any]
    if dialect.metric_depth and image_type == DEPTH_PLANAR:
        plane = shot.picture.depth_m
    elif dialect.metric_depth and image_type == DEPTH_PERSPECTIVE:
        plane = shot.picture.depth_m * _ray_lengths(shot)
    elif image_type == DEPTH_VIS and dialect.metric_depth:
        plane = _normalised_depth(shot)
    else:
        red = _colours(shot, dialect, image_type, segmentation_ids)[:, :, 0]
        plane = red.astype(np.float32) / np.float32(255.0)
    if dialect.bottom_up:
        plane = plane[::-1]
    values: list[float] = plane.ravel().tolist()
    return values


def _is_depth(image_type: int, dialect: Dialect) -> bool:
    metric = dialect.metric_depth and image_type in (DEPTH_PLANAR, DEPTH_PERSPECTIVE)
    return image_type == DEPTH_VIS or metric


def _normalised_depth(shot: Shot) -> NDArray[np.float32]:
    scaled: NDArray[np.float32] = shot.picture.depth_m / np.float32(DEPTH_VIS_RANGE_M)
    return np.clip(scaled, 0.0, 1.0)


def _ray_lengths(shot: Shot) -> NDArray[np.float32]:
    """(height, width) length of each pixel's ray to the plane one metre ahead."""
    height, width = shot.picture.depth_m.shape
    half = math.tan(0.5 * shot.camera.fov_rad)
    u = ((np.arange(width) + 0.5) / width * 2.0 - 1.0) * half
    v = ((np.arange(height) + 0.5) / height * 2.0 - 1.0) * half * height / width
    return np.sqrt(1.0 + u[None, :] ** 2 + v[:, None] ** 2).astype(np.float32)
