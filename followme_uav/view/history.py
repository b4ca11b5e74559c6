"""A flight as arrays over time: what plots need of it, without its pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from followme_uav.config import FlightConfig
from followme_uav.flight.metrics import is_in_view
from followme_uav.log.entry import FlightEntry
from followme_uav.messages import MissionState, Solid, Transition, Vec3
from followme_uav.view.panels import ALL_PANELS, Panel

Series = NDArray[np.float64]


@dataclass(frozen=True)
class History:
    """n entries in order."""

    time_s: Series
    """(n,) since the first entry."""
    states: tuple[MissionState, ...]
    """n states."""
    transitions: tuple[tuple[float, Transition], ...]
    """(time, change) of every change of state."""
    hero_in_view: NDArray[np.bool_]
    """(n,) by the simulator's truth; all False without it."""
    values: dict[tuple[str, str], Series]
    """(n,) by (key of the panel, label of the line); NaN where there is no value."""
    vehicle_m: Series
    """(n, 3) world NED."""
    track_m: Series
    """(n, 3) where the pilot thought the hero to be; NaN where it had no idea."""
    hero_m: Series
    """(n, 3) where she was; NaN without truth."""
    flyable_m: tuple[tuple[float, float, float, float], ...]
    """Streets: (north_min, east_min, north_max, east_max)."""
    solids: tuple[Solid, ...]

    @property
    def state_spans(self) -> tuple[tuple[MissionState, float, float], ...]:
        """(state, from, until) in seconds, one after the other."""
        if not self.states:
            return ()
        changes = [i for i in range(1, len(self.states)) if self.states[i] != self.states[i - 1]]
        edges = [0, *changes]
        ends = [*(float(self.time_s[i]) for i in changes), float(self.time_s[-1])]
        return tuple(
            (self.states[i], float(self.time_s[i]), end) for i, end in zip(edges, ends, strict=True)
        )

    def has(self, panel: Panel) -> bool:
        """Whether any line of a panel has something to show."""
        return any(
            not line.is_aim and np.isfinite(self.values[panel.key, line.label]).any()
            for line in panel.lines
        )


def history_of(
    entries: Iterable[FlightEntry], config: FlightConfig, solids: Iterable[Solid] = ()
) -> History:
    """Read a flight once.

    Args:
        entries: in order; nothing of them is kept but numbers.
        config: of the flight.
        solids: what stands around, for maps; see `log.solids`.
    """
    nowhere = (np.nan, np.nan, np.nan)
    lines = [(panel.key, line) for panel in ALL_PANELS for line in panel.lines]
    values: list[list[float]] = [[] for _ in lines]
    times: list[float] = []
    states: list[MissionState] = []
    transitions: list[tuple[float, Transition]] = []
    in_view: list[bool] = []
    vehicle: list[Vec3] = []
    believed: list[Vec3] = []
    hero: list[Vec3] = []
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
        believed.append(step.track.position_m if step.track else nowhere)
        hero.append(entry.truth.hero_position_m if entry.truth else nowhere)
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
        track_m=np.asarray(believed, float).reshape(-1, 3),
        hero_m=np.asarray(hero, float).reshape(-1, 3),
        flyable_m=config.simulator.flyable_m,
        solids=tuple(solids),
    )
