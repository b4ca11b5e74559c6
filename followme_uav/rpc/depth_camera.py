"""The simulator's depth image over a connection of its own, for pilots that need a whole one."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from followme_uav.config import FlightConfig
from followme_uav.errors import RpcError
from followme_uav.rpc.backends import open_session
from followme_uav.rpc.session import RpcSession


class DepthCamera:
    """The simulator's depth image of this very instant, over a connection of its own."""

    def __init__(self, config: FlightConfig) -> None:
        self._config = config

    @cached_property
    def _session(self) -> RpcSession:
        """Opened at first use: a pilot that is made does not fly yet."""
        config = self._config
        return open_session(
            config.rpc.backend,
            config.simulator.host,
            config.simulator.port,
            deadline_s=config.rpc.deadline_s,
            connect_deadline_s=config.rpc.connect_deadline_s,
            max_message_bytes=config.rpc.max_message_bytes,
        )

    def __call__(self) -> NDArray[np.float32] | None:
        """(height, width) metres along the camera's axis; None when the simulator fails."""
        simulator = self._config.simulator
        request = {
            "camera_name": simulator.camera_name,
            "image_type": 1,  # DepthPlanar
            "pixels_as_float": True,
            "compress": False,
        }
        session = self._session
        try:
            reply = session.call("simGetImages", [request], simulator.vehicle_name, False)
        except RpcError:
            return None
        image = reply[0]
        numbers = np.asarray(image["image_data_float"], np.float32)
        return numbers.reshape(image["height"], image["width"])
