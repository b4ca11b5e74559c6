"""A logged flight, flown again by the same pilot: what it saw goes in, what it decided is compared.

The world does not react in a replay: frames, vehicle states and times are those of the flight,
whatever the pilot now commands. So a pilot that decides otherwise is seen deciding otherwise in the
situations of that flight, and nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from followme_uav.config import FlightConfig
from followme_uav.flight.compare import Difference, differences
from followme_uav.flight.entry import FlightEntry
from followme_uav.messages import Frame, Mask, Step
from followme_uav.pilot.pilot import Pilot


@dataclass(frozen=True)
class Turn:
    """One frame of a flight, with what the pilot made of it then and now."""

    logged: FlightEntry
    step: Step
    """What the replay made of it."""

    @property
    def differences(self) -> list[Difference]:
        """In which fields the two steps differ; empty when they are identical."""
        return differences(self.logged.step, self.step)


def replay_masks(entries: Iterable[FlightEntry], config: FlightConfig) -> Iterator[Turn]:
    """Fly the logged frames again on the logged masks: no network, exact on any machine."""
    masks = _NextMask()
    pilot = Pilot(config, masks)
    for entry in entries:
        masks.next = entry.step.mask
        yield Turn(entry, pilot.step(_seeing(entry.frame, entry.step.mask)))


class _NextMask:
    """Mask source that gives the mask put into it."""

    def __init__(self) -> None:
        self.next: Mask | None = None

    def __call__(self, frame: Frame) -> Mask:
        if self.next is None:
            raise ValueError(f"frame {frame.index} has an image but no mask")
        return self.next


def _seeing(frame: Frame, mask: Mask | None) -> Frame:
    """The frame with some image exactly where the pilot had one: where there is a mask.

    The pilot asks an image for nothing but its size; logs without images replay as well.
    """
    if mask is None:
        return frame if frame.rgb is None else replace(frame, rgb=None)
    if frame.rgb is not None:
        return frame
    return replace(frame, rgb=np.broadcast_to(np.uint8(0), mask.shape))
