"""Steps of the pilot -> events for QuadSim: where the hero is, and markers to look at."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from followme_uav.config import FlightConfig
from followme_uav.messages import MissionState, Step, TrackEstimate, Vec3
from followme_uav.quadsim.frames import quadsim_position

REPORTED_STATES = (MissionState.ACQUIRE, MissionState.FOLLOW)
"""States in which QuadSim is to follow the track; it patrols by itself in the others."""
APPROACH_FRAMES = 5
"""Frames with a detection before QuadSim is sent to look from nearby: most false alarms are
shorter."""
HERO_MARKER, GATE_MARKER = 1, 2
MARKER_PERIOD_S = 0.2
"""Markers are renewed this often, and vanish by themselves when the server is gone."""
MARKER_DURATION_S = 1.0
HERO_COLOUR, CANDIDATE_COLOUR = (0.0, 1.0, 0.0, 0.6), (1.0, 0.8, 0.0, 0.6)
GATE_COLOUR = (0.2, 0.5, 1.0, 0.2)
HERO_WIDTH_M = 0.5
GATE_HEIGHT_M = 0.1
LARGEST_GATE_M = 20.0

Report = tuple[str, Mapping[str, Any]]
"""Name of an event, and its argument."""


class Reporter:
    """Turns each step into events.

    Attributes:
        position_m: Place of the hero to be followed, world NED; None: QuadSim patrols, or keeps the
            last position.

    Args:
        config: Of the flight.
        markers: Whether QuadSim is to show the hero and the gate of the track.
    """

    def __init__(self, config: FlightConfig, *, markers: bool) -> None:
        self._config = config
        self._markers = markers
        self.position_m: Vec3 | None = None
        self._is_reporting = False
        self._approach_frames = 0
        self._marked_s = -math.inf

    def events(self, step: Step) -> list[Report]:
        """The events of a step, in order."""
        self.position_m = None
        if step.track is not None and self._is_wanted(step):
            self._is_reporting = True
            self.position_m = step.track.position_m
            detected: Report = ("object_detected", {"coords": quadsim_position(self.position_m)})
            return [detected, *self._marked(step, step.track)]
        if not self._is_reporting or step.state in REPORTED_STATES:
            return []
        self._is_reporting, self._marked_s = False, -math.inf
        lost: list[Report] = [("object_lost", {"data": ""})]
        if self._markers:
            lost += [("delete_marker", {"id": number}) for number in (HERO_MARKER, GATE_MARKER)]
        return lost

    def _is_wanted(self, step: Step) -> bool:
        """Whether QuadSim is to follow the track."""
        if step.state is not MissionState.ACQUIRE:
            self._approach_frames = 0
            return step.state is MissionState.FOLLOW
        self._approach_frames += step.detection is not None
        return self._is_reporting or self._approach_frames >= APPROACH_FRAMES

    def _marked(self, step: Step, track: TrackEstimate) -> list[Report]:
        if not self._markers or step.time_s - self._marked_s < MARKER_PERIOD_S:
            return []
        self._marked_s = step.time_s
        hero = self._config.hero
        north, east, down = track.position_m
        is_hero = step.state is MissionState.FOLLOW
        height_m = hero.height_m
        middle_m = (north, east, down + hero.centroid_height_m - height_m / 2.0)
        boxes = [
            _box(
                HERO_MARKER,
                middle_m,
                (HERO_WIDTH_M, HERO_WIDTH_M, height_m),
                HERO_COLOUR if is_hero else CANDIDATE_COLOUR,
            )
        ]
        if track.sigma_m > 0.0:
            width_m = 2.0 * math.sqrt(self._config.association.gate) * track.sigma_m
            width_m = min(width_m, LARGEST_GATE_M)
            feet_m = (north, east, down + hero.centroid_height_m)
            boxes.append(_box(GATE_MARKER, feet_m, (width_m, width_m, GATE_HEIGHT_M), GATE_COLOUR))
        return boxes


def _box(
    number: int,
    centre_m: Vec3,
    size_m: tuple[float, float, float],
    colour: tuple[float, float, float, float],
) -> Report:
    """An upright box that vanishes by itself."""
    return "create_box_marker", {
        "id": number,
        "pose": [*quadsim_position(centre_m), 0.0, 0.0, 0.0],
        "dimensions": list(size_m),
        "color": list(colour),
        "duration": MARKER_DURATION_S,
    }
