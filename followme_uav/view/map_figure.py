"""Figures of the map that a vehicle makes itself, at several moments of a flight."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from followme_uav.messages import MissionState
from followme_uav.pilot.map_snapshot import MapSnapshot
from followme_uav.view.colours import GREY, HERO, LIKELY, MAP_LIGHT, STATES, VEHICLE, WAY
from followme_uav.view.figures import styled
from followme_uav.view.history import History
from followme_uav.view.map_colours import LEGEND, coloured_map
from followme_uav.view.panels import COVERAGE_PANEL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

APART = 0.05
"""Two moments are at least this share of the flight apart, so that they show something new."""
_COLUMNS = 3
_PANEL_IN = 3.3
_MARGIN_M, _LEAST_M = 30.0, 90.0


def chosen_moments(history: History, count: int = 6) -> list[int]:
    """Numbers of entries that show how the map grows, and what each search believed.

    Args:
        history: Of the flight.
        count: Maximum number; half of it goes to the ends of searches, the longest first.
    """
    if not len(history.time_s):
        return []
    searches = sorted(
        ((end - start, end) for state, start, end in history.state_spans if _is_search(state)),
        reverse=True,
    )
    ends_s = [end for _, end in searches[: count // 2]]
    last = {max(int(np.searchsorted(history.time_s, end_s)) - 1, 0) for end_s in ends_s}
    airborne = [i for i, state in enumerate(history.states) if _is_mapping(state)]
    if not airborne:
        return sorted(last)
    apart = APART * len(airborne)
    others: list[int] = []
    for tried in range(count - len(last), 2 * count):
        evenly = (airborne[round(i)] for i in np.linspace(0, len(airborne) - 1, tried + 1)[1:])
        others = [i for i in evenly if all(abs(i - one) > apart for one in last)]
        if len(others) >= count - len(last):
            break
    return sorted(last | set(others[: count - len(last)]))


def own_maps(
    history: History,
    maps: Mapping[int, MapSnapshot],
    numbers: Sequence[int],
    columns: int = _COLUMNS,
) -> Figure:
    """The map at several moments, north up, with the path so far and the way planned.

    Args:
        history: Of the whole flight.
        maps: By the number of the entry.
        numbers: Of the entries that are drawn; those without a map are left out.
        columns: Maps in a row.
    """
    numbers = [number for number in numbers if number in maps]
    rows = max(math.ceil(len(numbers) / columns), 1)
    with styled((columns * _PANEL_IN, rows * _PANEL_IN + 0.6)) as figure:
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        centre, side_m = history.map_square_m(_MARGIN_M, _LEAST_M)
        for axis, number in zip(axes, numbers, strict=False):
            _draw_moment(axis, history, maps[number], number)
            axis.set(
                xlim=(centre[1] - side_m / 2, centre[1] + side_m / 2),
                ylim=(centre[0] - side_m / 2, centre[0] + side_m / 2),
            )
        for axis in axes[len(numbers) :]:
            axis.set_axis_off()
        figure.legend(handles=_legend(), loc="outside lower center", ncols=5)
    return figure


def draw_own_map(axis: Axes, own_map: MapSnapshot) -> None:
    """The cells of a map, and the geofence around them; where nothing is drawn nothing is known."""
    from matplotlib.patches import Circle

    cells = own_map.cells
    axis.set_facecolor(MAP_LIGHT.unknown)
    axis.imshow(
        coloured_map(own_map, MAP_LIGHT),
        origin="lower",
        extent=(cells.west_m, cells.east_m, cells.south_m, cells.north_m),
        interpolation="nearest",
        zorder=0,
    )
    centre = own_map.start_m[::-1]
    fence = Circle(centre, own_map.radius_m, fill=False, color=GREY, linestyle="--", linewidth=0.8)
    axis.add_patch(fence)


def cell_legend() -> list[Any]:
    """Handles for the kinds of cells."""
    from matplotlib.patches import Patch

    colours = MAP_LIGHT._asdict().values()
    return [
        Patch(facecolor=colour, edgecolor=GREY, linewidth=0.5, label=label)
        for colour, label in zip(colours, LEGEND.values(), strict=True)
    ]


def _draw_moment(axis: Axes, history: History, own_map: MapSnapshot, number: int) -> None:
    draw_own_map(axis, own_map)
    north, east = history.vehicle_m[: number + 1, 0], history.vehicle_m[: number + 1, 1]
    state = history.states[number]
    axis.plot(east, north, color=VEHICLE, linewidth=1.0)
    way_m = np.array([(north[-1], east[-1]), *history.ways_m[number]])
    if len(way_m) > 1:
        axis.plot(way_m[:, 1], way_m[:, 0], "--", color=WAY, linewidth=1.4)
        axis.plot(*way_m[-1, ::-1], "o", color="none", markeredgecolor=WAY, markersize=9)
    axis.plot(east[-1], north[-1], "o", color=STATES[state], markeredgecolor="white", markersize=7)
    hero = history.hero_m[number]
    if np.isfinite(hero).all():
        axis.plot(hero[1], hero[0], "*", color=HERO, markeredgecolor="white", markersize=11)
    viewed_m2 = history.values[COVERAGE_PANEL.key, COVERAGE_PANEL.lines[0].label][number]
    looked_at = f", {viewed_m2:,.0f} m² looked at" if np.isfinite(viewed_m2) else ""
    axis.set_title(f"{history.time_s[number]:.0f} s, {state.value}{looked_at}", fontsize=9)
    axis.grid(False)
    axis.tick_params(labelsize=7)


def _legend() -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    return [
        *cell_legend(),
        Line2D([], [], color=VEHICLE, linewidth=1.0, marker="o", label="vehicle and its path"),
        Line2D([], [], color=WAY, linestyle="--", label="way planned, view at its end"),
        Line2D([], [], color=HERO, linestyle="none", marker="*", markersize=9, label="hero, truly"),
        Patch(color=LIKELY[0], label="the lost hero may be here"),
        Patch(color=LIKELY[1], label="most likely here"),
    ]


def _is_search(state: MissionState) -> bool:
    return state is MissionState.SEARCH


def _is_mapping(state: MissionState) -> bool:
    """Whether the vehicle may be up, and does not land yet."""
    return state not in (MissionState.TAKEOFF, MissionState.LAND, MissionState.DONE)
