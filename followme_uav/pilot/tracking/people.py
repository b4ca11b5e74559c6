"""People near a landing place: where they stand, as far as the masks of the last seconds show."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from followme_uav.config import FlightConfig
from followme_uav.ground import Ground
from followme_uav.messages import Frame, Mask, MaskClass, Vec2
from followme_uav.perception.detection import detect
from followme_uav.pilot.navigation.decks import Decks
from followme_uav.pilot.tracking.measurement import measure

MEMORY_S = 6.0
"""A person counts for so long after being seen."""
LEAST_CONFIDENCE, LEAST_AREA = 0.8, 0.5
"""Of a person; the area is relative to the hero's, and half as much will do at the image's edge.
These hold for 95 % of the detections of people within 15 m, and for 16 % of those of other things,
such as marks on a road at dusk."""


class People:
    """Everybody who was seen lately, the hero among them.

    Args:
        config: Of the flight.
    """

    def __init__(self, config: FlightConfig) -> None:
        self._config = config
        self._ground = Ground(config.simulator.ground)
        self._decks = Decks(config.simulator.decks)
        self._seen: list[tuple[float, Vec2]] = []
        """Time and place."""

    def update(self, frame: Frame, mask: Mask) -> None:
        """Add the people in this mask, and forget those who were seen long ago."""
        oldest_s = frame.time_s - MEMORY_S
        self._seen = [(seen_s, place) for seen_s, place in self._seen if seen_s >= oldest_s]
        everybody = np.zeros_like(mask)
        everybody[..., MaskClass.HERO] = 255 - mask[..., MaskClass.BACKGROUND]
        config = self._config
        place = (config.hero, config.measurement, self._ground, self._decks)
        for found in detect(everybody, config.detection):
            at = measure(frame.camera, found, mask.shape, *place)
            if at is None or found.confidence < LEAST_CONFIDENCE:
                continue
            if at.relative_area < (LEAST_AREA / 2.0 if at.is_truncated else LEAST_AREA):
                continue
            if at.is_truncated or at.relative_height >= config.association.height_min:
                self._seen.append((frame.time_s, at.position_m[:2]))

    def distances_m(self, places_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """From each of these places, (n, 2), to the nearest person; inf if nobody was seen."""
        if not self._seen:
            return np.full(len(places_m), np.inf)
        people_m = np.array([place_m for _, place_m in self._seen])
        apart_m = places_m[:, None, :] - people_m[None, :, :]
        nearest_m: NDArray[np.float64] = np.hypot(apart_m[..., 0], apart_m[..., 1]).min(axis=1)
        return nearest_m
