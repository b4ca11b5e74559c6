"""The maps of a logged flight without a map: the pilot makes them again from the log.

Grid and viewed ground come from the logged frames alone, so that they are those of the flight
whichever pilot flew. The probability map is shown while the flight and the replay both search.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import replace

from followme_uav.config import FlightConfig
from followme_uav.log.entry import FlightEntry
from followme_uav.messages import Frame, Mask, MissionState
from followme_uav.pilot.interface import background_mask
from followme_uav.pilot.map_snapshot import MapSnapshot, snapshot_of
from followme_uav.pilot.pilot import Pilot
from followme_uav.replay.replay import with_image


class ReplayedMaps:
    """Makes the map anew, entry by entry.

    Args:
        config: Of the flight.
    """

    def __init__(self, config: FlightConfig) -> None:
        profile = config.simulator
        has_scans = profile.metric_depth and not profile.has_map
        self._pilot = Pilot(config, self._masks) if has_scans else None
        self._mask: Mask | None = None
        self._has_begun = False
        self._read_s = -math.inf

    def advance(self, entry: FlightEntry) -> None:
        """Go to the next entry, which must be read with its mask."""
        if self._pilot is None:
            return
        self._has_begun |= entry.frame.scan is not None
        self._mask = entry.step.mask
        self._pilot.step(with_image(entry.frame, self._mask))

    def snapshot(self, entry: FlightEntry) -> MapSnapshot | None:
        """The map at the entry to which `advance` went last; None if the flight made none."""
        if self._pilot is None or not self._has_begun:
            return None
        found = snapshot_of(self._pilot)
        if found is None or entry.step.state is MissionState.SEARCH:
            return found
        return replace(found, probability=None)

    def next_snapshot(self, entry: FlightEntry, every_s: float) -> MapSnapshot | None:
        """Go to the next entry; the map there, or None less than `every_s` after the last one."""
        self.advance(entry)
        if entry.frame.time_s - self._read_s < every_s:
            return None
        found = self.snapshot(entry)
        if found is not None:
            self._read_s = entry.frame.time_s
        return found

    def _masks(self, frame: Frame) -> Mask:
        """The logged mask; only background where a pilot of a user logged none."""
        return background_mask(frame) if self._mask is None else self._mask


def maps_at(
    entries: Iterable[FlightEntry], config: FlightConfig, numbers: Collection[int]
) -> dict[int, MapSnapshot]:
    """The maps at some entries.

    Args:
        entries: All of the flight, in order, with their masks.
        config: Of the flight.
        numbers: Of the entries, from 0.

    Returns:
        The map by number; empty for a flight that made none.
    """
    maps, found = ReplayedMaps(config), {}
    if not numbers:
        return {}
    for number, entry in enumerate(entries):
        maps.advance(entry)
        if number in numbers and (snapshot := maps.snapshot(entry)) is not None:
            found[number] = snapshot
        if number == max(numbers):
            break
    return found
