"""A flight as arrays over time, without its images: the data of plots and maps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from followme_uav.config import FlightConfig
from followme_uav.flight.hero_truth import is_in_view
from followme_uav.log.entry import FlightEntry
from followme_uav.messages import MissionState, Solid, Transition, Vec2, Vec3
from followme_uav.view.panels import ALL_PANELS, Panel

Series = NDArray[np.float64]


@dataclass(frozen=True)
class History:
    """Arrays over the n entries of a flight, in order."""

    time_s: Series
    """(n,) seconds since the first entry."""
    states: tuple[MissionState, ...]
    """n mission states."""
    transitions: tuple[tuple[float, Transition], ...]
    """(time in seconds, transition) of every change of the mission state."""
    hero_in_view: NDArray[np.bool_]
    """(n,) by the ground truth; all False without it."""
    values: dict[tuple[str, str], Series]
    """(n,) values of a line, by (key of the panel, label of the line); NaN where there is none."""
    vehicle_m: Series
    """(n, 3) world NED."""
    track_m: Series
    """(n, 3) position of the hero by the track; NaN without a track."""
    hero_m: Series
    """(n, 3) position of the hero by the ground truth; NaN without it."""
    flyable_m: tuple[tuple[float, float, float, float], ...]
    """Streets as (north_min, east_min, north_max, east_max)."""
    solids: tuple[Solid, ...]
    ways_m: tuple[tuple[Vec2, ...], ...] = ()
    """n planned ways of a flight without a map, the goal last; empty where none was planned."""
    makes_map: bool = False
    """The vehicle makes a map of its own."""

    @property
    def state_spans(self) -> tuple[tuple[MissionState, float, float], ...]:
        """(state, start, end) of each period in one mission state, in seconds."""
        if not self.states:
            return ()
        changes = [i for i in range(1, len(self.states)) if self.states[i] != self.states[i - 1]]
        edges = [0, *changes]
        ends = [*(float(self.time_s[i]) for i in changes), float(self.time_s[-1])]
        return tuple(
            (self.states[i], float(self.time_s[i]), end) for i, end in zip(edges, ends, strict=True)
        )

    @property
    def solids_by_height(self) -> list[Solid]:
        """The solids, lowest first: the order in which a map draws them."""
        return sorted(self.solids, key=lambda solid: solid.half_size_m[2] - solid.centre_m[2])

    def map_square_m(self, margin_m: float, least_m: float) -> tuple[Series, float]:
        """(centre (north, east), side) of a square that holds both paths.

        Args:
            margin_m: Around the paths.
            least_m: Lower limit of the side.
        """
        places = np.vstack([self.vehicle_m[:, :2], self.hero_m[:, :2]])
        places = places[np.isfinite(places).all(axis=1)]
        if not len(places):
            return np.zeros(2), least_m
        low, high = places.min(axis=0), places.max(axis=0)
        return (low + high) / 2, max(float((high - low).max()) + 2 * margin_m, least_m)

    def has(self, panel: Panel) -> bool:
        """Whether any line of a panel has a value; reference values do not count."""
        return any(
            not line.is_reference and np.isfinite(self.values[panel.key, line.label]).any()
            for line in panel.lines
        )


def history_of(
    entries: Iterable[FlightEntry], config: FlightConfig, solids: Iterable[Solid] = ()
) -> History:
    """Read a flight once.

    Args:
        entries: In order; only their numbers are kept.
        config: Of the flight.
        solids: For maps; see `log.solids`.
    """
    unknown_m = (np.nan, np.nan, np.nan)
    lines = [(panel.key, line) for panel in ALL_PANELS for line in panel.lines]
    values: list[list[float]] = [[] for _ in lines]
    times: list[float] = []
    states: list[MissionState] = []
    transitions: list[tuple[float, Transition]] = []
    in_view: list[bool] = []
    vehicle: list[Vec3] = []
    track: list[Vec3] = []
    hero: list[Vec3] = []
    ways: list[tuple[Vec2, ...]] = []
    makes_map = False
    for entry in entries:
        step = entry.step
        times.append(entry.frame.time_s)
        states.append(step.state)
        if step.transition is not None:
            transitions.append((entry.frame.time_s - times[0], step.transition))
        in_view.append(entry.truth is not None and is_in_view(entry.truth))
        for column, (_, line) in zip(values, lines, strict=True):
            value = line.read(entry, config)
            column.append(np.nan if value is None else value)
        vehicle.append(entry.frame.vehicle.position_m)
        track.append(step.track.position_m if step.track else unknown_m)
        hero.append(entry.truth.hero_position_m if entry.truth else unknown_m)
        ways.append(() if step.own_map is None else step.own_map.way_m)
        makes_map |= entry.frame.scan is not None
    return History(
        time_s=np.asarray(times, float) - (times[0] if times else 0.0),
        states=tuple(states),
        transitions=tuple(transitions),
        hero_in_view=np.asarray(in_view, bool),
        values={
            (key, line.label): np.asarray(column, float)
            for (key, line), column in zip(lines, values, strict=True)
        },
        vehicle_m=np.asarray(vehicle, float).reshape(-1, 3),
        track_m=np.asarray(track, float).reshape(-1, 3),
        hero_m=np.asarray(hero, float).reshape(-1, 3),
        flyable_m=config.simulator.flyable_m,
        solids=tuple(solids),
        ways_m=tuple(ways),
        makes_map=makes_map,
    )
