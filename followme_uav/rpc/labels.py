"""Derives exact class masks from the segmentation image of any AirSim simulator.

The colour of a segmentation id differs between simulators (a palette on Unreal, interleaved bits on
Unity). The colours are therefore measured: all objects get the same id, and the most frequent
colour of the image belongs to that id.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from followme_uav.errors import SimulatorError
from followme_uav.messages import Frame, Mask, MaskClass, RgbImage
from followme_uav.rpc.convert import one_hot

EVERYTHING = ".*"


class SegmentingClient(Protocol):
    """The part of the AirSim client that `LabelReader` uses."""

    def set_object_id(self, name_pattern: str, object_id: int) -> bool: ...  # noqa: D102

    def read_segmented_frame(self) -> tuple[Frame, RgbImage | None]: ...  # noqa: D102


class LabelReader:
    """Reads frames with their masks. The camera must point at objects, not at the sky alone.

    Args:
        client: A connected client.
        hero_pattern: Regular expression of the names of the hero's meshes.
        people_pattern: The same for other people.

    Raises:
        SimulatorError: No mesh has such a name, or the ids have equal colours.
    """

    def __init__(self, client: SegmentingClient, hero_pattern: str, people_pattern: str) -> None:
        self._client = client
        ids = (MaskClass.BACKGROUND, MaskClass.PEOPLE, MaskClass.HERO)
        self._colours = [self._colour_of(object_id) for object_id in ids]
        if len({tuple(colour) for colour in self._colours}) < len(ids):
            raise SimulatorError(
                "the segmentation image does not change with the objects' ids; "
                "point the camera at buildings or ground, not at the sky"
            )
        client.set_object_id(EVERYTHING, MaskClass.BACKGROUND)
        for pattern, object_id in (
            (people_pattern, MaskClass.PEOPLE),
            (hero_pattern, MaskClass.HERO),
        ):
            if not client.set_object_id(pattern, object_id):
                raise SimulatorError(f"the simulator has no mesh named like '{pattern}'")

    def read(self) -> tuple[Frame, Mask]:
        """Read a frame and the mask of the same image, 0 or 255; unknown colours are background."""
        frame, image = self._client.read_segmented_frame()
        if image is None or frame.rgb is None:
            raise SimulatorError("the simulator sent no image to label")
        classes = np.full(image.shape[:2], MaskClass.BACKGROUND, np.uint8)
        for object_id in (MaskClass.PEOPLE, MaskClass.HERO):
            classes[(image == self._colours[object_id]).all(axis=2)] = object_id
        return frame, one_hot(classes)

    def _colour_of(self, object_id: int) -> RgbImage:
        self._client.set_object_id(EVERYTHING, object_id)
        _, image = self._client.read_segmented_frame()
        if image is None:
            raise SimulatorError("the simulator sent no segmentation image")
        colours, counts = np.unique(image.reshape(-1, 3), axis=0, return_counts=True)
        return np.asarray(colours[counts.argmax()], np.uint8)
