"""All cameras of a simulation, by number, and the size and field of view of their images.

Numbers 0 to 4 are AirSim's five cameras (0 on the pan-tilt mount), followed by the vehicle's
cameras from the settings file and by the external cameras (see `equipment`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from followme_uav.messages import CameraPose
from followme_uav.sim.vehicle.body_camera import BodyCamera, body_cameras
from followme_uav.sim.vehicle.equipment import Capture, Equipment
from followme_uav.sim.vehicle.fixed_camera import FixedCamera
from followme_uav.sim.vehicle.gimbal import Gimbal
from followme_uav.sim.vehicle.vehicle import Vehicle

Mounted = Gimbal | BodyCamera | FixedCamera
SCENE = 0
"""Image type of the colour image."""


class CameraRig:
    """The cameras of a vehicle and of the world around it.

    Attributes:
        gimbal: camera 0.
        mounted: every camera, by number.

    Args:
        vehicle: the vehicle that carries the cameras.
        equipment: the cameras of the settings file.
        image_size_px: width and height of images for which the equipment names no size.
    """

    def __init__(
        self, vehicle: Vehicle, equipment: Equipment, image_size_px: tuple[int, int]
    ) -> None:
        self.gimbal = Gimbal(vehicle)
        built_in: tuple[Mounted, ...] = (self.gimbal, *body_cameras(vehicle))
        own = (BodyCamera(vehicle, m.position_m, m.orientation) for m in equipment.cameras)
        external = (FixedCamera(m.position_m, m.orientation) for m in equipment.external_cameras)
        self.mounted: tuple[Mounted, ...] = (*built_in, *own, *external)
        self._first_external = len(self.mounted) - len(equipment.external_cameras)
        self._size_px = image_size_px
        mounts = equipment.cameras + equipment.external_cameras
        self._captures: list[Mapping[int, Capture]] = [
            *(dict(equipment.built_in_captures) for _ in built_in),
            *(dict(mount.captures) for mount in mounts),
        ]
        for camera, captures in zip(self.mounted, self._captures, strict=True):
            scene = captures.get(SCENE)
            if scene is not None and scene.fov_rad is not None:
                camera.fov_rad = scene.fov_rad

    def is_external(self, number: int) -> bool:
        """Whether a camera is fixed in the world, and so may see the vehicle."""
        return number >= self._first_external

    def size_px(self, number: int, image_type: int = SCENE) -> tuple[int, int]:
        """Width and height of a camera's images of a type."""
        capture = self._captures[number].get(image_type)
        return (capture and capture.size_px) or self._size_px

    def set_fov(self, number: int, fov_rad: float) -> None:
        """Set a camera's horizontal field of view, for images of all types."""
        self.mounted[number].fov_rad = fov_rad
        self._captures[number] = {
            kind: Capture(capture.size_px) for kind, capture in self._captures[number].items()
        }

    def pose(self, number: int, image_type: int = SCENE) -> CameraPose:
        """Pose of a camera now, and its field of view in images of a type."""
        pose = self.mounted[number].camera()
        capture = self._captures[number].get(image_type)
        if capture is None or capture.fov_rad is None:
            return pose
        return replace(pose, fov_rad=capture.fov_rad)

    def reset(self) -> None:
        """Return every camera to its initial pose."""
        for camera in self.mounted:
            camera.reset()
