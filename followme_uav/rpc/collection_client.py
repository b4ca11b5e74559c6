"""The AirSim client for data collection: it also places the vehicle, sets the light and labels."""

from __future__ import annotations

import logging
from dataclasses import replace

from followme_uav.geometry import quaternion_from_euler
from followme_uav.messages import Frame, Mask, RgbImage, Vec3
from followme_uav.rpc import convert
from followme_uav.rpc.airsim import AirSimClient
from followme_uav.rpc.frame_reader import SCENE, SEGMENTATION
from followme_uav.rpc.labels import LabelReader
from followme_uav.rpc.session import UnknownMethodError
from followme_uav.rpc.world import WEATHER, time_of_day_params

logger = logging.getLogger(__name__)

PLACE_METHOD = "simFollowMePlaceVehicle"
HERO_MESHES, PEOPLE_MESHES = "hero.*", "(person|people|pedestrian).*"


class DataCollectionClient(AirSimClient):
    """An `AirSimClient` with the methods that data collection needs and flights must not use."""

    _labels: LabelReader | None = None
    """Made at first use, where the simulator offers no ground truth."""

    def read_segmented_frame(self) -> tuple[Frame, RgbImage | None]:
        """Read a frame and its segmentation image, in the simulator's colours."""
        frame, (segmentation,) = self._read((SCENE, SEGMENTATION))
        return frame, segmentation

    def read_labelled_frame(
        self, hero_meshes: str = HERO_MESHES, people_meshes: str = PEOPLE_MESHES
    ) -> tuple[Frame, Mask]:
        """Read a frame and its exact mask, from ground truth or through segmentation ids.

        Args:
            hero_meshes: Regular expression of the hero's mesh names; unused with ground truth.
            people_meshes: The same for other people.
        """
        if self._labels is None and self._frames.offers_truth:
            frame = self.read_frame()
            truth = self.ground_truth()
            if truth is not None:
                return frame, truth.mask
        if self._labels is None:
            self._labels = LabelReader(self, hero_meshes, people_meshes)
        return self._labels.read()

    def set_light(self, hour_h: float | None, rain: float = 0.0, fog: float = 0.0) -> None:
        """Set the time of day and the weather.

        Args:
            hour_h: 0 to 24, at which the sun stays; None leaves the sun to the simulator.
            rain: 0 to 1.
            fog: 0 to 1.
        """
        self._connection.command("simSetTimeOfDay", *time_of_day_params(hour_h))
        self._connection.command("simEnableWeather", rain > 0.0 or fog > 0.0)
        self._connection.command("simSetWeatherParameter", WEATHER["rain"], rain)
        self._connection.command("simSetWeatherParameter", WEATHER["fog"], fog)

    def place_vehicle(self, position_m: Vec3, yaw_rad: float) -> None:
        """Put the vehicle at a position without flying there.

        In the embedded simulator the vehicle then hovers; others get `simSetVehiclePose`.

        Raises:
            RemoteError: The position is not free.
        """
        connection = self._connection
        name = connection.profile.vehicle_name
        orientation = quaternion_from_euler(0.0, 0.0, yaw_rad)
        pose = convert.pose_struct(position_m, orientation)
        try:
            position = connection.dialect.write(pose["position"])
            connection.command(PLACE_METHOD, position, yaw_rad, name)
        except UnknownMethodError:
            logger.debug("%s is not offered; simSetVehiclePose is used.", PLACE_METHOD)
            connection.command("simSetVehiclePose", connection.dialect.write(pose), True, name)
        if self._vehicle is not None:  # the reference of camera poses in the world frame
            self._vehicle = replace(self._vehicle, position_m=position_m, orientation=orientation)

    def set_object_id(self, name_pattern: str, object_id: int) -> bool:
        """Set the segmentation id of all objects with such a name; False when there are none."""
        return bool(
            self._connection.command("simSetSegmentationObjectID", name_pattern, object_id, True)
        )
