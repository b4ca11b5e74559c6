"""The depth that the comparison pilot `original` measured, out of its log."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from followme_uav.config import FlightConfig
from followme_uav.geometry import rotate
from followme_uav.pilot.baselines import Original
from followme_uav.replay.replay import LoggedSensors


def original_of_log(config: FlightConfig, logged: LoggedSensors) -> Original:
    """The pilot `original` for a replay: it connects to nothing."""
    return Original(config, logged, LoggedDepth(logged))


class LoggedDepth:
    """The depth at the hero that a flight measured, out of its log.

    A log has no depth images, but the point that the depth gave. It stays as it was where the
    simulator gave no depth.
    """

    def __init__(self, logged: LoggedSensors) -> None:
        self._logged = logged

    def __call__(self) -> NDArray[np.float64] | None:
        """(height, width) metres along the camera's axis, everywhere those of the hero."""
        entry, before = self._logged.entry, self._logged.before
        if entry is None or entry.step.track is None or entry.step.mask is None:
            return None
        hero_m = entry.step.track.position_m
        known = None if before is None else before.step.track
        if known is not None and known.position_m == hero_m:
            return None
        camera = entry.frame.camera
        forward = rotate(camera.orientation, (1.0, 0.0, 0.0))
        ahead_m = sum(
            (h - c) * f for h, c, f in zip(hero_m, camera.position_m, forward, strict=True)
        )
        return np.full(entry.step.mask.shape[:2], ahead_m)
