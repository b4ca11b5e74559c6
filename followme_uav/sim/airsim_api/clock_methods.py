"""RPC methods of simulated time: pause and continue."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from followme_uav.sim.airsim_api.service import Handlers, Service
from followme_uav.sim.airsim_api.structs import read_bool, read_int, read_number
from followme_uav.sim.vehicle.vehicle import TIME_STEP_NS

MAX_CONTINUE_S = 3600.0
FRAME_NS = 20_000_000
"""Duration of one engine frame: 50 frames a second."""
MAX_FRAMES = 180_000


class ClockMethods(Service):
    """simPause, simIsPaused, simContinueForTime and simContinueForFrames."""

    def handlers(self) -> Handlers:
        """Method name to function."""
        return {
            "simPause": self._pause,
            "simIsPaused": self.simulator.is_paused,
            "simFollowMeIsHeld": self.simulator.is_held,
            "simContinueForTime": self._continue_for_time,
            "simContinueForFrames": self._continue_for_frames,
        }

    def _pause(self, is_paused: Any) -> Future[None]:
        return self.simulator.pause(read_bool(is_paused, "is_paused"))

    def _continue_for_time(self, seconds: Any) -> Future[None]:
        duration_s = read_number(seconds, "seconds", 0.0, MAX_CONTINUE_S)
        answer_first = not self.dialect.continue_blocks
        return self.simulator.continue_for_time(duration_s, answer_first=answer_first)

    def _continue_for_frames(self, frames: Any) -> Future[None]:
        self.check_world_tools()
        count = read_int(frames, "frames", 0, MAX_FRAMES)
        return self.simulator.continue_for(count * (FRAME_NS // TIME_STEP_NS))
