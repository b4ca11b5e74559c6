"""Whole depth images over a connection of their own, for pilots that need them."""

from __future__ import annotations

import logging
import time
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from followme_uav.config import FlightConfig
from followme_uav.errors import RpcError
from followme_uav.recurring import RecurringFault
from followme_uav.rpc.backends import open_simulator_session
from followme_uav.rpc.session import RpcSession

logger = logging.getLogger(__name__)

DEPTH_PLANAR = 1
"""AirSim's image type: depth along the camera's axis."""


class DepthCamera:
    """The simulator's depth image at the time of the call."""

    def __init__(self, config: FlightConfig) -> None:
        self._config = config
        self._failures = RecurringFault(logger, "missing depth images")

    @cached_property
    def _session(self) -> RpcSession:
        """Opened at first use: making a pilot does not need a simulator."""
        return open_simulator_session(self._config.simulator, self._config.rpc)

    def __call__(self) -> NDArray[np.float32] | None:
        """(height, width) metres along the camera's axis; None when the call fails."""
        simulator = self._config.simulator
        request = {
            "camera_name": simulator.camera_name,
            "image_type": DEPTH_PLANAR,
            "pixels_as_float": True,
            "compress": False,
        }
        try:
            session = self._session
            session.connect()  # anew, where the connection was lost
            reply = session.call("simGetImages", [request], simulator.vehicle_name, False)
        except RpcError as error:
            self._failures.occurs(time.monotonic(), "A depth image is missing: %s", error)
            return None
        self._failures.passes(time.monotonic())
        image = reply[0]
        numbers = np.asarray(image["image_data_float"], np.float32)
        return numbers.reshape(image["height"], image["width"])
