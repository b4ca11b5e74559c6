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
from followme_uav.rpc.connection import detected_dialect
from followme_uav.rpc.dialect import Dialect
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

    @cached_property
    def _dialect(self) -> Dialect:
        return detected_dialect(self._config.simulator, self._session.call)

    def __call__(self) -> NDArray[np.float32] | None:
        """(height, width) metres along the camera's axis; None without a usable image."""
        try:
            self._session.connect()  # anew, where the connection was lost
            depth_m = self._read()
        except (RpcError, LookupError, TypeError, ValueError) as error:
            cause = error if isinstance(error, RpcError) else f"a malformed reply ({error})"
            self._failures.occurs(time.monotonic(), "A depth image is missing: %s", cause)
            return None
        self._failures.passes(time.monotonic())
        return depth_m

    def _read(self) -> NDArray[np.float32]:
        simulator, dialect = self._config.simulator, self._dialect
        request = dialect.image_request(simulator.camera_name, DEPTH_PLANAR, as_float=True)
        params = dialect.camera_params(dialect.write([request]), simulator.vehicle_name)
        image = dialect.read("ImageResponse", self._session.call("simGetImages", *params)[0])
        numbers = np.asarray(image["image_data_float"], np.float32)
        if not numbers.size:
            raise ValueError("the image is empty")
        return numbers.reshape(image["height"], image["width"])
