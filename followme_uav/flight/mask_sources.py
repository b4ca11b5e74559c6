"""Mask sources of a flight: the segmentation network, or the simulator's ground truth."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Protocol

import numpy as np

from followme_uav.errors import PilotError, RpcError, SimulatorError
from followme_uav.log.images import rounded_mask
from followme_uav.messages import Frame, GroundTruth, Mask, RgbImage
from followme_uav.pilot.interface import MaskSource, background_mask
from followme_uav.recurring import RecurringFault

logger = logging.getLogger(__name__)


class NetworkMasks:
    """Masks of the segmentation network.

    Args:
        segment: Computes class probabilities of an image.
    """

    def __init__(self, segment: Callable[[RgbImage], Mask]) -> None:
        self._segment = segment

    def __call__(self, frame: Frame) -> Mask:
        """Return the network's class probabilities."""
        if frame.rgb is None:
            raise ValueError("a frame without an image has no mask")
        return self._segment(frame.rgb)


class TruthSource(Protocol):
    """The part of the simulator that `TrueMasks` uses."""

    def ground_truth(self) -> GroundTruth | None: ...  # noqa: D102


class TrueMasks:
    """Exact masks of the simulator, for flights that test control without vision."""

    def __init__(self, simulator: TruthSource) -> None:
        self._simulator = simulator
        self._is_offered = False
        self._failures = RecurringFault(logger, "missing exact masks")

    def __call__(self, frame: Frame) -> Mask:
        """Return the exact mask, or background alone when none of this image is available.

        Raises:
            SimulatorError: The simulator has never offered ground truth.
        """
        try:
            truth = self._simulator.ground_truth()
        except RpcError as error:
            self._failures.occurs(
                frame.time_s, "At %.1f s the exact mask is missing: %s", frame.time_s, error
            )
            return background_mask(frame)
        self._failures.passes(frame.time_s)
        if truth is None and not self._is_offered:
            raise SimulatorError("this simulator offers no ground truth; fly with --weights")
        self._is_offered = True
        if truth is None or frame.rgb is None or truth.mask.shape != frame.rgb.shape:
            return background_mask(frame)
        return truth.mask


class CheckedMasks:
    """Masks of a user's source, checked.

    Args:
        source: Computes the masks.
        name: Of the source, for messages.
    """

    def __init__(self, source: MaskSource, name: str) -> None:
        self._source = source
        self._name = name

    def __call__(self, frame: Frame) -> Mask:
        """Return the source's mask; raises `PilotError` for one of another type or shape."""
        mask = self._source(frame)
        wanted = None if frame.rgb is None else frame.rgb.shape
        if not isinstance(mask, np.ndarray) or mask.dtype != np.uint8 or mask.shape != wanted:
            found = getattr(mask, "dtype", type(mask).__name__), getattr(mask, "shape", "no shape")
            raise PilotError(
                f"mask source {self._name}: returned {found[0]} {found[1]}; return uint8 {wanted}"
            )
        return mask


class TimedMasks:
    """Masks of another source, rounded as they are logged, with the time that each took.

    Attributes:
        source_ms: Time that the source needed for the last mask.
        rounding_ms: Time that rounding needed.

    Args:
        source: Computes the masks.
        is_rounded: Round the masks (`log.round_masks`).
    """

    def __init__(self, source: MaskSource, is_rounded: bool) -> None:
        self._source = source
        self._is_rounded = is_rounded
        self.source_ms = self.rounding_ms = 0.0

    def __call__(self, frame: Frame) -> Mask:
        """Return the source's mask, rounded."""
        start_s = time.perf_counter()
        mask = self._source(frame)
        computed_s = time.perf_counter()
        if self._is_rounded:
            mask = rounded_mask(mask)
        self.source_ms = 1e3 * (computed_s - start_s)
        self.rounding_ms = 1e3 * (time.perf_counter() - computed_s)
        return mask
