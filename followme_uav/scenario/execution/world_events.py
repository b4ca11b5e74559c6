"""Apply a script's changes of the world at their times: moves, light and weather, wind."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from followme_uav.scenario.script.events import Event, LightChange

STEP_S = 0.005
"""Simulated time passes in steps of this."""
TOLERANCE_S = STEP_S / 2
"""Times that differ by less are the same: sums of tenths are not exact."""


class WorldControl(Protocol):
    """The part of `rpc.world.WorldConnection` that events need."""

    def set_wind(self, north_mps: float, east_mps: float) -> None: ...  # noqa: D102

    def move(  # noqa: D102
        self, who: str, north_m: float, east_m: float, heading_rad: float
    ) -> None: ...

    def set_hour(self, hour_h: float) -> None: ...  # noqa: D102

    def set_weather(self, **amounts: float) -> None: ...  # noqa: D102


class WorldEvents:
    """The events of a script that change the world."""

    def __init__(self, world: WorldControl, events: Sequence[Event]) -> None:
        self._world = world
        self._gusts = [event for event in events if event.gust]
        self._pending = sorted((e for e in events if e.move or e.light), key=lambda e: e.at_s)
        self._wind_mps = (0.0, 0.0)

    def apply(self, now_s: float) -> None:
        """Apply the events that are due, and the wind of this time."""
        while self._pending and self._pending[0].at_s <= now_s + TOLERANCE_S:
            event = self._pending.pop(0)
            if event.move is not None:
                move = event.move
                self._world.move(move.who, *move.to_m, math.radians(move.heading_deg))
            if event.light is not None:
                self._change_light(event.light)
        shares = [event.wind_mps(now_s) for event in self._gusts]
        wind_mps = (sum(north for north, _ in shares), sum(east for _, east in shares))
        if wind_mps != self._wind_mps:
            self._wind_mps = wind_mps
            self._world.set_wind(*wind_mps)

    def _change_light(self, light: LightChange) -> None:
        amounts = light.model_dump(exclude_none=True)
        hour_h = amounts.pop("hour_h", None)
        if hour_h is not None:
            self._world.set_hour(hour_h)
        if amounts:
            self._world.set_weather(**amounts)
