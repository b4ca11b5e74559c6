"""Replays a logged flight: the pilot runs again on the logged frames.

The world does not react in a replay: frames, vehicle states and times are those of the flight,
whatever the pilot commands. A replay shows the pilot's decisions in the situations of that flight,
and no other flight.
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
from followme_uav.pilot.guarded import GuardedPilot
from followme_uav.pilot.interface import AnyPilot
from followme_uav.pilot.pilot import Pilot
from followme_uav.replay.prefetch import prefetched

BATCH_FRAMES = 16
"""Images that the network segments at once. Masks do not depend on the pilot's decisions, so they
can be computed in advance; an image gives the same mask alone and in a batch."""

SegmentBatch = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""`Segmenter.segment_batch`: images to masks, (n, height, width, 3) both."""


class LoggedSensors:
    """The sensor data of the frame that is being replayed; as a mask source, gives its mask.

    Attributes:
        entry: The logged entry of the frame.
        previous: The entry before it.
    """

    def __init__(self) -> None:
        self.entry: FlightEntry | None = None
        self.previous: FlightEntry | None = None
        self._mask: Mask | None = None

    def advance(self, entry: FlightEntry, mask: Mask | None) -> None:
        """Go to the next frame."""
        self.previous, self.entry, self._mask = self.entry, entry, mask

    def __call__(self, frame: Frame) -> Mask:
        """The mask of the frame; raises `ValueError` when there is none."""
        if self._mask is None:
            raise ValueError(f"frame {frame.index} has an image but no mask")
        return self._mask


ReplayPilotFactory = Callable[[FlightConfig, LoggedSensors], AnyPilot]
"""Makes a pilot that takes all sensor data from a log: it neither connects nor waits."""


@dataclass(frozen=True)
class ReplayedStep:
    """One frame of a flight, with the logged step and the replayed one."""

    logged: FlightEntry
    step: Step
    """Of the replay."""


def replay_masks(
    entries: Iterable[FlightEntry], config: FlightConfig, make_pilot: ReplayPilotFactory = Pilot
) -> Iterator[ReplayedStep]:
    """Replay from the logged masks: no network, exact on any machine.

    The entries need to be read with `MASK` only.
    """
    return _replay(((entry, entry.step.mask) for entry in entries), config, make_pilot)


def replay_images(
    entries: Iterable[FlightEntry],
    config: FlightConfig,
    segment_batch: SegmentBatch,
    make_pilot: ReplayPilotFactory = Pilot,
) -> Iterator[ReplayedStep]:
    """Replay from the logged images, through the network.

    The entries need to be read with `IMAGE` and `MASK`. Exact on the machine of the flight, with
    its network and library; other machines can round single probabilities differently.
    """
    batches = prefetched(_segmented_batches(iter(entries), config, segment_batch))
    return _replay(chain.from_iterable(batches), config, make_pilot)


def _segmented_batches(
    entries: Iterator[FlightEntry], config: FlightConfig, segment_batch: SegmentBatch
) -> Iterator[list[tuple[FlightEntry, Mask | None]]]:
    """Batches of entries with the masks that the network makes of their images."""
    while batch := list(islice(entries, BATCH_FRAMES)):
        images = [entry.frame.rgb for entry in batch if entry.frame.rgb is not None]
        segmented: Iterable[Mask] = segment_batch(np.stack(images)) if images else ()
        masks = map(rounded_mask, segmented) if config.log.round_masks else iter(segmented)
        yield [(entry, None if entry.frame.rgb is None else next(masks)) for entry in batch]


def _replay(
    entries: Iterable[tuple[FlightEntry, Mask | None]],
    config: FlightConfig,
    make_pilot: ReplayPilotFactory,
) -> Iterator[ReplayedStep]:
    sensors = LoggedSensors()
    pilot = make_pilot(config, sensors)
    for entry, mask in entries:
        sensors.advance(entry, mask)
        yield ReplayedStep(entry, pilot.step(with_image(entry.frame, mask)))
    if isinstance(pilot, GuardedPilot) and pilot.failure is not None:
        raise pilot.failure


def with_image(frame: Frame, mask: Mask | None) -> Frame:
    """The frame with a blank image if there is a mask, but no image.

    The own pilots use only the size of an image, so logs without images can be replayed.
    """
    if frame.rgb is not None or mask is None:
        return frame
    return replace(frame, rgb=_blank_image(mask.shape))


@lru_cache(maxsize=1)
def _blank_image(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.broadcast_to(np.uint8(0), shape)
