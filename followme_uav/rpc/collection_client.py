"""The AirSim client that records labelled frames: it also places vehicles and sets the light."""

from __future__ import annotations

from dataclasses import replace

from followme_uav.errors import RemoteError
from followme_uav.geometry import quaternion_from_euler
from followme_uav.messages import Frame, Mask, RgbImage, Vec3
from followme_uav.rpc import convert
from followme_uav.rpc.airsim import (
    HERO_MESHES,
    PEOPLE_MESHES,
    PLACE_METHOD,
    SCENE,
    SEGMENTATION,
    WEATHER_FOG,
    WEATHER_RAIN,
    AirSimClient,
)
from followme_uav.rpc.labels import LabelReader


class DataCollectionClient(AirSimClient):
    """An `AirSimClient` for collecting data, not for flights."""

    _labels: LabelReader | None = None

    def read_segmented_frame(self) -> tuple[Frame, RgbImage | None]:
        """A frame and, of the same instant, the segmentation image in the simulator's colours."""
        frame, (segmentation,) = self._read((SCENE, SEGMENTATION))
        return frame, segmentation

    def read_labelled_frame(
        self, hero_meshes: str = HERO_MESHES, people_meshes: str = PEOPLE_MESHES
    ) -> tuple[Frame, Mask]:
        """A frame and its exact mask: ground truth where offered, else through segmentation ids.

        Args:
            hero_meshes: Regular expression of the hero's mesh names; not needed for ground truth.
            people_meshes: The same for other people.
        """
        if self._labels is None and self._offers_truth:
            frame = self.read_frame()
            truth = self.ground_truth()
            if truth is not None:
                return frame, truth.mask
        if self._labels is None:
            self._labels = LabelReader(self, hero_meshes, people_meshes)
        return self._labels.read()

    def set_light(self, hour_h: float | None, rain: float = 0.0, fog: float = 0.0) -> None:
        """Set the time of day and the weather; for collecting data, not for flights.

        Args:
            hour_h: 0 to 24, where the sun stays; None leaves the sun to the simulator.
            rain: 0 to 1.
            fog: 0 to 1.
        """
        minutes = round((hour_h or 0.0) * 60.0)
        start = f"2024-06-21 {minutes // 60 % 24:02d}:{minutes % 60:02d}:00"
        enabled = hour_h is not None
        self._order_and_wait("simSetTimeOfDay", enabled, start, False, 1.0, 60.0, False)
        self._order_and_wait("simEnableWeather", rain > 0.0 or fog > 0.0)
        self._order_and_wait("simSetWeatherParameter", WEATHER_RAIN, rain)
        self._order_and_wait("simSetWeatherParameter", WEATHER_FOG, fog)

    def place_vehicle(self, position_m: Vec3, yaw_rad: float) -> None:
        """Put the vehicle somewhere without flying there; for collecting data, not for flights.

        The embedded simulator leaves it hovering; others get `simSetVehiclePose`.

        Raises:
            RemoteError: There is no room.
        """
        name = self._profile.vehicle_name
        orientation = quaternion_from_euler(0.0, 0.0, yaw_rad)
        pose = convert.pose_struct(position_m, orientation)
        try:
            place = self._dialect.write(pose["position"])
            self._order_and_wait(PLACE_METHOD, place, yaw_rad, name)
        except RemoteError as error:
            if "could not find function" not in str(error):
                raise
            self._order_and_wait("simSetVehiclePose", self._dialect.write(pose), True, name)
        if self._vehicle is not None:  # a camera aimed in the world's frame must know
            self._vehicle = replace(self._vehicle, position_m=position_m, orientation=orientation)

    def set_object_id(self, name_pattern: str, object_id: int) -> bool:
        """Give all objects whose name matches a segmentation id; False when there are none."""
        return bool(
            self._order_and_wait("simSetSegmentationObjectID", name_pattern, object_id, True)
        )
