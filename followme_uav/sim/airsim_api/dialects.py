"""Differences between the AirSim builds that this simulator can imitate.

`airsim` is AirSim 1.8.1 on Unreal Engine, `unity` is AirSim on Unity, `colosseum` is Colosseum from
2.3 on, `cosys` is Cosys-AirSim 3. Differences in the parameters of methods are in `adapters`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from followme_uav.sim.names import CAMERA_NAMES

_CAMERA_NUMBERS = {str(number): number for number in range(len(CAMERA_NAMES))}


@dataclass(frozen=True)
class ServerDialect:
    """The behaviour of one AirSim build."""

    name: str
    bgr: bool
    """Raw Scene pixels are BGR; else RGB."""
    bottom_up: bool
    """Raw images begin with the lowest row."""
    image_time_unit_ns: int
    """Unit of an image's time stamp."""
    camera_pose_of_world: bool
    """simSetCameraPose takes an orientation in the world; else one relative to the body."""
    camera_names: Mapping[str, int]
    """Number of the camera of each valid name."""
    unknown_camera_is_empty: bool
    """Images of an unknown camera have width 0; else the call fails."""
    default_vehicle_for_cameras: bool
    """Camera methods accept "" as the vehicle's name."""
    continue_blocks: bool
    """simContinueForTime answers when the time has passed; else at once."""
    all_image_types: bool
    """All image types exist, depth in metres; else all but DepthVis and Segmentation show the
    scene."""
    fov_applies: bool
    """simSetCameraFov changes images; else only the reported field of view."""
    reports_projection: bool
    objects_have_poses: bool
    """simGetObjectPose and simSetObjectPose accept all bodies; else only vehicles."""
    world_tools: bool
    """Lists of objects, detections, recordings, frames and lines of sight exist; else they fail."""
    interleaved_ids: bool
    """Segmentation colours interleave the bits of the id as on Unity; else a palette."""
    image_message: str
    float_image_message: str
    server_version: int = 1
    array_structs: bool = False
    """Structs travel as arrays, both ways; else as maps."""
    annotations: bool = False
    """Cosys-AirSim's parameters (see `adapters`), and `annotation_name` in image structs."""
    reports_readiness: bool = False
    """getMultirotorState has `ready`, `ready_message` and `can_arm`."""


AIRSIM = ServerDialect(
    name="airsim",
    bgr=True,
    bottom_up=False,
    image_time_unit_ns=1,
    camera_pose_of_world=False,
    camera_names=MappingProxyType(
        {**_CAMERA_NUMBERS, **{name: i for i, name in enumerate(CAMERA_NAMES)}, "": 0}
    ),
    unknown_camera_is_empty=False,
    default_vehicle_for_cameras=True,
    continue_blocks=True,
    all_image_types=True,
    fov_applies=True,
    reports_projection=True,
    objects_have_poses=True,
    world_tools=True,
    interleaved_ids=False,
    image_message="",
    float_image_message="",
)
UNITY = ServerDialect(
    name="unity",
    bgr=False,
    bottom_up=True,
    image_time_unit_ns=1_000_000,
    camera_pose_of_world=True,
    camera_names=MappingProxyType(_CAMERA_NUMBERS),
    unknown_camera_is_empty=True,
    default_vehicle_for_cameras=False,
    continue_blocks=False,
    all_image_types=False,
    fov_applies=False,
    reports_projection=False,
    objects_have_poses=False,
    world_tools=False,
    interleaved_ids=True,
    image_message="success",
    float_image_message="no image capture",
)
COLOSSEUM = replace(AIRSIM, name="colosseum", array_structs=True, reports_readiness=True)
COSYS = replace(AIRSIM, name="cosys", server_version=4, annotations=True)
DIALECTS = {dialect.name: dialect for dialect in (AIRSIM, UNITY, COLOSSEUM, COSYS)}
