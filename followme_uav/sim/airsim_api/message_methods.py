"""RPC methods for a user at the screen: log messages and markers."""

from __future__ import annotations

import logging
from typing import Any

from followme_uav.sim.airsim_api.service import Handlers, Service
from followme_uav.sim.airsim_api.structs import read_int, read_text

logger = logging.getLogger(__name__)

MAX_MESSAGE = 500
_LEVELS = (logging.INFO, logging.INFO, logging.WARNING, logging.ERROR)
"""Log level of each severity; higher severities are errors."""


class MessageMethods(Service):
    """simPrintLogMessage, and the simPlot... methods, which draw nothing: images stay the same."""

    def handlers(self) -> Handlers:
        """Method name to function."""
        return {
            "simPrintLogMessage": self._print_message,
            "simFlushPersistentMarkers": lambda: None,
            "simPlotPoints": lambda points, rgba, size, duration, stays: None,
            "simPlotLineStrip": lambda points, rgba, width, duration, stays: None,
            "simPlotLineList": lambda points, rgba, width, duration, stays: None,
            "simPlotArrows": lambda starts, ends, rgba, width, size, duration, stays: None,
            "simPlotStrings": lambda texts, places, scale, rgba, duration: None,
            "simPlotTransforms": lambda poses, scale, width, duration, stays: None,
            "simPlotTransformsWithNames": (
                lambda poses, names, scale, width, text_scale, rgba, duration: None
            ),
            "simSetTraceLine": lambda rgba, width, v: self.check_vehicle(v),
        }

    def _print_message(self, message: Any, message_param: Any, severity: Any) -> None:
        texts = read_text(message, "message"), read_text(message_param, "message_param")
        level = read_int(severity, "severity", 0, 255)
        logger.log(
            _LEVELS[min(level, len(_LEVELS) - 1)],
            "client: %s",
            repr("".join(texts)[:MAX_MESSAGE]),  # keeps any text on one line
        )
