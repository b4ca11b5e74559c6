"""A logged flight, flown again by the same pilot: what it saw goes in, what it decides comes out.

The world does not react in a replay: frames, vehicle states and times are those of the flight,
whatever the pilot now commands. So a pilot that decides otherwise is seen deciding otherwise in the
situations of that flight, and nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from followme_uav.config import FlightConfig
from followme_uav.log.entry import FlightEntry
from followme_uav.log.images import rounded_mask
from followme_uav.messages import Frame, Mask, Step
from followme_uav.pilot.interface import AnyPilot
from followme_uav.pilot.pilot import Pilot
from followme_uav.replay.prefetch import prefetched

BATCH_FRAMES = 16
"""Through the network at once. Masks do not depend on what the pilot does, so they can come first;
the same image gives the same mask, alone or in a batch."""


class LoggedSensors:
    """What a flight's sensors gave at the frame that is being replayed; called, it gives the mask.

    Attributes:
        entry: The frame's, as it was logged.
        before: The entry before it.
    """

    def __init__(self) -> None:
        self.entry: FlightEntry | None = None
        self.before: FlightEntry | None = None
        self._mask: Mask | None = None

    def show(self, entry: FlightEntry, mask: Mask | None) -> None:
        """Go on to the next frame."""
        self.before, self.entry, self._mask = self.entry, entry, mask

    def __call__(self, frame: Frame) -> Mask:
        """The mask of the frame; raises `ValueError` where there is none."""
        if self._mask is None:
            raise ValueError(f"frame {frame.index} has an image but no mask")
        return self._mask


ReplayPilotFactory = Callable[[FlightConfig, LoggedSensors], AnyPilot]
"""Makes a pilot that takes everything from a log: it connects to nothing, and waits for nothing."""


@dataclass(frozen=True)
class ReplayedStep:
    """One frame of a flight, with what the pilot made of it then and now."""

    logged: FlightEntry
    step: Step
    """Now."""


def replay_masks(
    entries: Iterable[FlightEntry], config: FlightConfig, make_pilot: ReplayPilotFactory = Pilot
) -> Iterator[ReplayedStep]:
    """Fly on the logged masks: no network, exact on any machine. The entries need `MASK` only."""
    return _fly(((entry, entry.step.mask) for entry in entries), config, make_pilot)


def replay_images(
    entries: Iterable[FlightEntry],
    config: FlightConfig,
    segment_batch: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
    make_pilot: ReplayPilotFactory = Pilot,
) -> Iterator[ReplayedStep]:
    """Fly on the logged pictures: the network too. The entries need `IMAGE` and `MASK`.

    `segment_batch` is that of a `Segmenter`. Exact on the machine of the flight, with its network
    and library; elsewhere single probabilities can be rounded otherwise.
    """
    batches = prefetched(_seen_anew(iter(entries), config, segment_batch))
    return _fly(chain.from_iterable(batches), config, make_pilot)


def _seen_anew(
    entries: Iterator[FlightEntry],
    config: FlightConfig,
    segment_batch: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
) -> Iterator[list[tuple[FlightEntry, Mask | None]]]:
    """Batches of entries with the masks of their pictures."""
    while batch := list(islice(entries, BATCH_FRAMES)):
        images = [entry.frame.rgb for entry in batch if entry.frame.rgb is not None]
        seen: Iterable[Mask] = segment_batch(np.stack(images)) if images else ()
        masks = map(rounded_mask, seen) if config.log.round_masks else iter(seen)
        yield [(entry, None if entry.frame.rgb is None else next(masks)) for entry in batch]


def _fly(
    seen: Iterable[tuple[FlightEntry, Mask | None]],
    config: FlightConfig,
    make_pilot: ReplayPilotFactory,
) -> Iterator[ReplayedStep]:
    logged = LoggedSensors()
    pilot = make_pilot(config, logged)
    for entry, mask in seen:
        logged.show(entry, mask)
        yield ReplayedStep(entry, pilot.step(_with_image(entry.frame, mask)))


def _with_image(frame: Frame, mask: Mask | None) -> Frame:
    """The frame with some image exactly where the pilot had one: where there is a mask.

    The pilot asks an image for nothing but its size; logs without images replay as well.
    """
    if (mask is None) == (frame.rgb is None):
        return frame
    return replace(frame, rgb=None if mask is None else _some_image(mask.shape))


@lru_cache(maxsize=1)
def _some_image(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.broadcast_to(np.uint8(0), shape)
