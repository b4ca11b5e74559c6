"""AirSim's ImageResponse of a rendered image, in the byte order of each dialect."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from followme_uav.channels import stacked
from followme_uav.sim.airsim_api import structs
from followme_uav.sim.airsim_api.dialects import ServerDialect
from followme_uav.sim.rendering.normals import pixel_slopes, world_normals
from followme_uav.sim.simulation import Shot

SCENE, DEPTH_PLANAR, DEPTH_PERSPECTIVE, DEPTH_VIS, DISPARITY, SEGMENTATION = range(6)
SURFACE_NORMALS, INFRARED, LAST_IMAGE_TYPE = 6, 7, 7
"""AirSim's later image types, motion vectors, are not supported here."""

DEPTH_VIS_RANGE_M = 100.0
"""DepthVis, and depth as 8-bit pixels, run from black at the lens to white at this depth."""
DISPARITY_NEAR_M = 1.0
"""DisparityNormalized is 1 up to this depth, then inversely proportional to it."""
SKY_FROM_M = 5000.0
"""Beyond this depth a pixel shows no surface."""


def read_type(value: Any) -> int:
    """The parameter `image_type`."""
    return structs.read_int(value, "image_type", SCENE, LAST_IMAGE_TYPE)


def segmentation_palette() -> NDArray[np.uint8]:
    """(256, 3) RGB colour of each segmentation id.

    The bits of the id go to red, green, blue in turn, the lowest bits of the id to the highest of
    the colour (as in the PASCAL VOC labels): id 0 is black, 1 (128, 0, 0), 2 (0, 128, 0), 3
    (128, 128, 0).
    """
    ids = np.arange(256)
    palette = np.zeros((256, 3), dtype=np.uint8)
    for bit in range(8):
        channel, place = bit % 3, 7 - bit // 3
        palette[:, channel] |= ((ids >> bit & 1) << place).astype(np.uint8)
    return palette


def interleaved_palette() -> NDArray[np.uint8]:
    """(256, 3) RGB colour of each segmentation id in AirSim on Unity.

    Bit k of the bytes id + 2, id + 1 and id becomes bit 23 - 3k, 22 - 3k and 21 - 3k of a 24-bit
    number, whose bytes are green, red and blue.
    """
    ids = np.arange(256)
    packed = (ids + 2) << 16 | (ids + 1) << 8 | ids
    number = np.zeros(256, dtype=np.int64)
    for byte in range(3):
        for bit in range(8):
            number |= (packed >> (8 * byte + bit) & 1) << (21 - 3 * bit + byte)
    return np.stack((number >> 8 & 255, number >> 16 & 255, number & 255), axis=1).astype(np.uint8)


_COLOURED = (SCENE, SEGMENTATION, SURFACE_NORMALS)
_PALETTE, _INTERLEAVED = segmentation_palette(), interleaved_palette()


def image_response(
    shot: Shot,
    dialect: ServerDialect,
    image_type: int,
    segmentation_ids: NDArray[np.uint8],
    *,
    camera_name: str,
    as_float: bool,
    compress: bool,
) -> structs.Struct:
    """One ImageResponse.

    Args:
        shot: the rendered image and its camera.
        dialect: gives the order of bytes and rows and the unit of time stamps.
        image_type: AirSim's ImageType, up to `LAST_IMAGE_TYPE`.
        segmentation_ids: (objects,) id of each object, for the segmentation image.
        camera_name: repeated in the response.
        as_float: numbers instead of pixels; of a type without numbers, the red channel, 0..1.
        compress: PNG instead of raw pixels.
    """
    height, width = shot.images.object_id.shape
    pixels: bytes = b""
    numbers: list[float] = []
    if as_float:
        numbers = _numbers(shot, dialect, image_type, segmentation_ids)
    else:
        rgb = _colours(shot, dialect, image_type, segmentation_ids)
        is_coloured = _shown(image_type, dialect) in _COLOURED
        pixels = png(rgb) if compress else _raw(rgb, dialect, is_coloured=is_coloured)
    response = {
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
    return response | {"annotation_name": ""} if dialect.annotations else response


def empty_response(camera_name: str, image_type: int) -> structs.Struct:
    """The ImageResponse of AirSim on Unity for an unknown camera."""
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
    """A PNG file, compressed for speed rather than size."""
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "png", compress_level=1)
    return file.getvalue()


def _raw(rgb: NDArray[np.uint8], dialect: ServerDialect, *, is_coloured: bool) -> bytes:
    if dialect.bgr and is_coloured:  # the channels of others are equal
        rgb = stacked(rgb[..., 2], rgb[..., 1], rgb[..., 0])
    if dialect.bottom_up:
        rgb = rgb[::-1]
    return rgb.tobytes()


def _colours(
    shot: Shot, dialect: ServerDialect, image_type: int, segmentation_ids: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """(height, width, 3) RGB, first row on top."""
    shown = _shown(image_type, dialect)
    if shown == SCENE:
        return shot.images.rgb
    if shown == SEGMENTATION:
        palette = _INTERLEAVED if dialect.interleaved_ids else _PALETTE
        colours: NDArray[np.uint8] = palette[segmentation_ids[shot.images.object_id]]
        return colours
    if shown == SURFACE_NORMALS:
        return _normal_colours(shot)
    if shown == INFRARED:  # in AirSim the segmentation id as a grey level
        grey = segmentation_ids[shot.images.object_id]
    else:
        level = _disparity(shot) if shown == DISPARITY else _normalised_depth(shot, shown)
        grey = (255.0 * level).astype(np.uint8)
    return stacked(grey, grey, grey)


def _numbers(
    shot: Shot, dialect: ServerDialect, image_type: int, segmentation_ids: NDArray[np.uint8]
) -> list[float]:
    """The float image, row by row."""
    plane: NDArray[Any]
    shown = _shown(image_type, dialect)
    if shown == DEPTH_PLANAR:
        plane = shot.images.depth_m
    elif shown == DEPTH_PERSPECTIVE:
        plane = _ray_depth_m(shot)
    elif shown == DEPTH_VIS and dialect.all_image_types:
        plane = _normalised_depth(shot, shown)
    elif shown == DISPARITY:
        plane = _disparity(shot)
    else:
        red = _colours(shot, dialect, image_type, segmentation_ids)[:, :, 0]
        plane = red.astype(np.float32) / np.float32(255.0)
    if dialect.bottom_up:
        plane = plane[::-1]
    values: list[float] = plane.ravel().tolist()
    return values


def _shown(image_type: int, dialect: ServerDialect) -> int:
    """The image type that a simulator of that dialect shows for a requested one."""
    if dialect.all_image_types or image_type in (DEPTH_VIS, SEGMENTATION):
        return image_type
    return SCENE


def _normalised_depth(shot: Shot, shown: int) -> NDArray[np.float32]:
    depth_m = _ray_depth_m(shot) if shown == DEPTH_PERSPECTIVE else shot.images.depth_m
    scaled: NDArray[np.float32] = depth_m / np.float32(DEPTH_VIS_RANGE_M)
    return np.clip(scaled, 0.0, 1.0)


def _disparity(shot: Shot) -> NDArray[np.float32]:
    """Disparity of a stereo camera over its maximum: 0 far away, 1 near."""
    near = np.float32(DISPARITY_NEAR_M)
    disparity: NDArray[np.float32] = near / np.maximum(shot.images.depth_m, near)
    return disparity


def _normal_colours(shot: Shot) -> NDArray[np.uint8]:
    """World normals in Unreal's colours: red north, green east, blue up, -1..1 as 0..255."""
    normals = world_normals(shot.images.depth_m, shot.camera, SKY_FROM_M)
    normals[:, :, 2] *= -1.0
    colours: NDArray[np.uint8] = np.rint(127.5 * (normals + 1.0)).astype(np.uint8)
    return colours


def _ray_depth_m(shot: Shot) -> NDArray[np.float32]:
    """(height, width) distance from the camera's centre instead of its image plane."""
    height, width = shot.images.depth_m.shape
    right, down = pixel_slopes(shot.camera, width, height)
    depth_m: NDArray[np.float32] = shot.images.depth_m * np.sqrt(
        1.0 + right[None, :] ** 2 + down[:, None] ** 2
    )
    return depth_m
