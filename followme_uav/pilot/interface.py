"""The interfaces of a pilot: the mask source that it calls, and the methods that others call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np

from followme_uav.config import FlightConfig
from followme_uav.messages import Frame, Mask, MaskClass, MissionState, Step


class MaskSource(Protocol):
    """Turns a frame into a mask: the network, a logged mask, the ground truth, or a function.

    Example:
        >>> import numpy as np
        >>> from followme_uav import Frame, Mask, MaskClass, MaskSource
        >>> def red_pixels(frame: Frame) -> Mask:
        ...     mask = np.zeros_like(frame.rgb)
        ...     red, green, blue = np.moveaxis(frame.rgb.astype(int), -1, 0)
        ...     mask[..., MaskClass.HERO] = 255 * ((red > 2 * green) & (red > 2 * blue))
        ...     mask[..., MaskClass.BACKGROUND] = 255 - mask[..., MaskClass.HERO]
        ...     return mask
        >>> source: MaskSource = red_pixels
    """

    def __call__(self, frame: Frame) -> Mask:
        """Class probabilities of the frame's image; only called when there is one."""
        ...


def background_mask(frame: Frame) -> Mask:
    """A mask source that shows background alone."""
    mask: Mask = np.zeros_like(frame.rgb)
    mask[..., MaskClass.BACKGROUND] = 255
    return mask


@runtime_checkable
class AnyPilot(Protocol):
    """A pilot, as the flight loop and the replay use it.

    A class with these two members, made with `(config, masks)`, can be flown. The same frames in
    the same order have to give the same steps; then a replay of its logs is identical.

    Example:
        >>> from followme_uav import AnyPilot, Command, Frame, Manoeuvre, MissionState, Step
        >>> class Hopper:
        ...     def __init__(self, config, masks):
        ...         self.state = MissionState.TAKEOFF
        ...     def step(self, frame: Frame) -> Step:
        ...         if frame.land_requested or frame.time_s > 5.0:
        ...             self.state = MissionState.DONE
        ...         return Step.of(frame, self.state, Command(Manoeuvre.TAKEOFF))
        >>> isinstance(Hopper(None, None), AnyPilot)
        True
    """

    @property
    def state(self) -> MissionState:
        """The present mission state; the flight ends with DONE."""
        ...

    def step(self, frame: Frame) -> Step:
        """Everything from a frame to the command it leads to."""
        ...


PilotMaker = Callable[[FlightConfig, MaskSource], AnyPilot]
