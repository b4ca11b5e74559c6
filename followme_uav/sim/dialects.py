"""What differs between the AirSim builds that this simulator can imitate.

`airsim` is AirSim 1.8.1 on Unreal Engine, `unity` is AirSim on Unity.
"""

from __future__ import annotations

from dataclasses import dataclass

VEHICLE_NAME = "Drone1"


@dataclass(frozen=True)
class Dialect:
    """One build's habits."""

    name: str
    bgr: bool
    """Byte order of raw Scene pixels; else RGB."""
    bottom_up: bool
    """Raw images begin with the lowest row."""
    image_time_unit_ns: int
    """Unit of an image's time stamp."""
    camera_pose_of_world: bool
    """simSetCameraPose takes the direction in the world; else relative to the body."""
    camera_names: tuple[str, ...]
    unknown_camera_is_empty: bool
    """Images of an unknown camera have width 0; else the call fails."""
    default_vehicle_for_cameras: bool
    """Camera methods take "" for the vehicle."""
    continue_blocks: bool
    """simContinueForTime answers when the time has passed; else at once."""
    metric_depth: bool
    """DepthPlanar and DepthPerspective are metres; else they are the ordinary scene."""
    fov_applies: bool
    """simSetCameraFov changes the lens; else only the number that is reported."""
    reports_projection: bool
    objects_have_poses: bool
    """simGetObjectPose knows people and things; else vehicles only."""
    image_message: str
    float_image_message: str


AIRSIM = Dialect(
    name="airsim",
    bgr=True,
    bottom_up=False,
    image_time_unit_ns=1,
    camera_pose_of_world=False,
    camera_names=("0", "front_center", ""),
    unknown_camera_is_empty=False,
    default_vehicle_for_cameras=True,
    continue_blocks=True,
    metric_depth=True,
    fov_applies=True,
    reports_projection=True,
    objects_have_poses=True,
    image_message="",
    float_image_message="",
)
UNITY = Dialect(
    name="unity",
    bgr=False,
    bottom_up=True,
    image_time_unit_ns=1_000_000,
    camera_pose_of_world=True,
    camera_names=("0",),
    unknown_camera_is_empty=True,
    default_vehicle_for_cameras=False,
    continue_blocks=False,
    metric_depth=False,
    fov_applies=False,
    reports_projection=False,
    objects_have_poses=False,
    image_message="success",
    float_image_message="no image capture",
)
DIALECTS = {dialect.name: dialect for dialect in (AIRSIM, UNITY)}
