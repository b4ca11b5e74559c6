"""The interfaces of a pilot: the mask source that it calls, and the methods that others call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from followme_uav.config import FlightConfig
from followme_uav.messages import Frame, Mask, MissionState, Step


class MaskSource(Protocol):
    """Turns a frame into a mask: the network, a logged mask, or the ground truth."""

    def __call__(self, frame: Frame) -> Mask:
        """Class probabilities of the frame's image; only called when there is one."""
        ...


class AnyPilot(Protocol):
    """A pilot, as the flight loop and the replay use it."""

    @property
    def state(self) -> MissionState:
        """The present mission state."""
        ...

    def step(self, frame: Frame) -> Step:
        """Everything from a frame to the command it leads to."""
        ...


PilotMaker = Callable[[FlightConfig, MaskSource], AnyPilot]
