"""The depth measured by the comparison pilot `original`, reconstructed from its log."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from followme_uav.config import FlightConfig
from followme_uav.geometry import rotate
from followme_uav.pilot.baselines import Original
from followme_uav.replay.replay import LoggedSensors


def original_of_log(config: FlightConfig, sensors: LoggedSensors) -> Original:
    """The pilot `original` for a replay, without a connection to a simulator."""
    return Original(config, sensors, LoggedDepth(sensors))


class LoggedDepth:
    """Gives the depth at the hero that the flight measured.

    A log has no depth images, but the position that the pilot computed from the depth. The position
    did not change in frames for which the simulator gave no depth.
    """

    def __init__(self, sensors: LoggedSensors) -> None:
        self._sensors = sensors

    def __call__(self) -> NDArray[np.float64] | None:
        """(height, width) metres along the camera's axis, everywhere the depth of the hero."""
        entry, previous = self._sensors.entry, self._sensors.previous
        if entry is None or entry.step.track is None or entry.step.mask is None:
            return None
        hero_m = entry.step.track.position_m
        known = None if previous is None else previous.step.track
        if known is not None and known.position_m == hero_m:
            return None
        camera = entry.frame.camera
        forward = rotate(camera.orientation, (1.0, 0.0, 0.0))
        ahead_m = sum(
            (h - c) * f for h, c, f in zip(hero_m, camera.position_m, forward, strict=True)
        )
        return np.full(entry.step.mask.shape[:2], ahead_m)
