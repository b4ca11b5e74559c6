"""Figures of a flight: values over time and a map, drawn with Matplotlib (extra [report]).

The functions take a `History` and return a `Figure`; `save` writes one. None needs a screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from followme_uav.files import write_figure
from followme_uav.messages import MissionState, Solid
from followme_uav.pilot.map_snapshot import MapSnapshot
from followme_uav.view.colours import (
    DECK,
    GREY,
    GROUND,
    HERO,
    HOUSE,
    PALE,
    STATES,
    STREET,
    TRACK,
    TREE,
    VEHICLE,
)
from followme_uav.view.figures import styled
from followme_uav.view.history import History, Series
from followme_uav.view.map_figure import cell_legend, draw_own_map
from followme_uav.view.panels import FLIGHT_PANELS, LOOP_PANELS, TIMES_PANEL, Panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH_IN = 10.0
_PANEL_IN = 1.55
_BAND_IN = 0.5
_LABELLED_SHARE = 0.05
"""Shorter periods, as a share of the flight, have no name in the band: it would not fit."""
_MAP_MARGIN_M = 12.0
_MAP_LEAST_M = 100.0
_OWN_MAP_MARGIN_M = 30.0
"""As far as the camera looks."""


def time_lines(
    history: History, panels: Sequence[Panel] = FLIGHT_PANELS, title: str = ""
) -> Figure:
    """The band of mission states and, below it, one plot for each panel that has values."""
    shown = [panel for panel in panels if history.has(panel)]
    heights = [_BAND_IN, *([_PANEL_IN] * len(shown))]
    with styled((_WIDTH_IN, sum(heights) + 0.9)) as figure:
        axes = figure.subplots(
            len(heights), sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
        )[:, 0]
        _draw_states(axes[0], history)
        for panel, axis in zip(shown, axes[1:], strict=True):
            _draw_panel(axis, history, panel)
        axes[0].set_xlim(0.0, max(float(history.time_s[-1]), 0.1) if len(history.time_s) else 1.0)
        axes[-1].set_xlabel("time (s)")
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=12)
    return figure


def loop_terms(history: History) -> Figure:
    """The terms of each PID loop over time."""
    return time_lines(history, LOOP_PANELS, "Terms of the PID loops")


def loop_times(history: History) -> Figure:
    """Wall-clock time of each iteration of the flight loop."""
    return time_lines(history, (TIMES_PANEL,))


def top_view(history: History, size_in: float = 7.0, own_map: MapSnapshot | None = None) -> Figure:
    """The city from above, north up, with the paths of the hero and of the vehicle.

    Args:
        history: Of the flight.
        size_in: Width and height.
        own_map: The map that the vehicle has made; drawn with the true outlines of buildings.
    """
    with styled((size_in, size_in)) as figure:
        axis = figure.subplots()
        margin_m = _MAP_MARGIN_M if own_map is None else _OWN_MAP_MARGIN_M
        centre, side_m = history.map_square_m(margin_m, _MAP_LEAST_M)
        half = side_m / 2
        axis.set(
            xlim=(centre[1] - half, centre[1] + half),
            ylim=(centre[0] - half, centre[0] + half),
            aspect="equal",
            facecolor=GROUND,
            xlabel="east (m)",
            ylabel="north (m)",
        )
        axis.grid(False)
        cells: list[Any] = []
        if own_map is None:
            _draw_city(axis, history)
        else:
            draw_own_map(axis, own_map)
            axis.set(xlim=(centre[1] - half, centre[1] + half))
            axis.set(ylim=(centre[0] - half, centre[0] + half))
            _draw_outlines(axis, history)
            cells = cell_legend()
        _draw_paths(axis, history)
        axis.legend(
            handles=[*axis.get_legend_handles_labels()[0], *cells],
            loc="upper center",
            bbox_to_anchor=(0.5, -0.085),
            ncols=5,
            handlelength=1.4,
            columnspacing=1.3,
        )
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a figure; the ending of the name decides the format."""
    write_figure(path, figure, facecolor="white")


def _draw_states(axis: Axes, history: History) -> None:
    """A band in the states' colours; below it a thin line where the hero was in view."""
    length_s = float(history.time_s[-1]) if len(history.time_s) else 0.0
    for state, start, end in history.state_spans:
        axis.broken_barh([(start, end - start)], (0.25, 0.75), color=STATES[state], linewidth=0)
        if end - start > _LABELLED_SHARE * length_s:
            axis.text(
                (start + end) / 2,
                0.62,
                state.value.upper(),
                ha="center",
                va="center",
                color="white",
                fontsize=8,
                fontweight="bold",
                clip_on=True,
            )
    if history.hero_in_view.any():
        axis.fill_between(
            history.time_s, 0.0, 0.14, where=history.hero_in_view, step="post", color=HERO, lw=0
        )
        _label_left(axis, 0.07, "hero in view", HERO)
    _label_left(axis, 0.62, "state")
    axis.set(ylim=(0.0, 1.0), yticks=[])
    axis.grid(False)
    axis.spines[:].set_visible(False)
    axis.tick_params(bottom=False)


def _label_left(axis: Axes, y: float, text: str, colour: str | None = None) -> None:
    """A label left of the axis."""
    axis.text(
        -0.006,
        y,
        text,
        ha="right",
        va="center",
        fontsize=8,
        color=colour,
        transform=axis.get_yaxis_transform(),
    )


def _draw_panel(axis: Axes, history: History, panel: Panel) -> None:
    for state, start, end in history.state_spans:
        axis.axvspan(start, end, color=STATES[state], alpha=0.07, linewidth=0)
    for line in panel.lines:
        values = history.values[panel.key, line.label]
        if not np.isfinite(values).any():
            continue
        axis.plot(
            history.time_s,
            values,
            color=line.colour,
            linewidth=0.9 if line.is_reference else 1.3,
            linestyle=(0, (4, 3)) if line.is_reference else "solid",
            label=line.label,
        )
    axis.set_title(panel.title)
    axis.set_ylabel(panel.unit)
    axis.set_ylim(*panel.limits)
    axis.legend(loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=6, borderaxespad=0.0)


def _draw_city(axis: Axes, history: History) -> None:
    from matplotlib.patches import Circle, Rectangle

    for south, west, north, east in history.flyable_m:
        axis.add_patch(
            Rectangle((west, south), east - west, north - south, color=STREET, lw=0, zorder=1)
        )
    for solid in history.solids_by_height:
        north, east, _ = solid.centre_m
        half_north, half_east, _ = solid.half_size_m
        style: Any = {"facecolor": _map_colour(solid), "edgecolor": "white", "linewidth": 0.5}
        if solid.is_round:
            axis.add_patch(Circle((east, north), half_east, alpha=0.8, zorder=3, **style))
        else:
            corner = (east - half_east, north - half_north)
            axis.add_patch(Rectangle(corner, 2 * half_east, 2 * half_north, zorder=2, **style))


def _draw_outlines(axis: Axes, history: History) -> None:
    """The buildings as they truly are, to compare a vehicle's own map with."""
    from matplotlib.patches import Rectangle

    label = "building, truly"
    for solid in history.solids:
        if solid.name.startswith("building"):
            (north, east, _), (half_north, half_east, _) = solid.centre_m, solid.half_size_m
            corner = (east - half_east, north - half_north)
            outline = Rectangle(
                corner, 2 * half_east, 2 * half_north, fill=False, color=HOUSE, lw=1.0, label=label
            )
            axis.add_patch(outline)
            label = "_one entry in the legend"


def _map_colour(solid: Solid) -> str:
    kind = solid.name.partition("_")[0]
    return {"building": HOUSE, "tree": TREE, "bush": TREE, "highway": DECK}.get(kind, PALE)


def _draw_paths(axis: Axes, history: History) -> None:
    north, east = history.track_m[:, 0], history.track_m[:, 1]
    axis.plot(east, north, ".", color=TRACK, markersize=2.2, label="hero, track", zorder=4)
    if np.isfinite(history.hero_m).any():
        north, east = history.hero_m[:, 0], history.hero_m[:, 1]
        axis.plot(east, north, color=HERO, lw=2.0, label="hero", zorder=5)
    _draw_vehicle_path(axis, history)
    if len(history.vehicle_m):
        _draw_end(axis, history.vehicle_m[0], "o", "start")
        _draw_end(axis, history.vehicle_m[-1], "s", "end")
    _draw_losses(axis, history)


def _draw_vehicle_path(axis: Axes, history: History) -> None:
    """The path in the colours of the states, each with one entry in the legend."""
    labelled: set[MissionState] = set()
    for state, start, end in history.state_spans:
        inside = (history.time_s >= start) & (history.time_s <= end)
        axis.plot(
            history.vehicle_m[inside, 1],
            history.vehicle_m[inside, 0],
            color=STATES[state],
            linewidth=2.6,
            label=None if state in labelled else state.value,
            zorder=6,
        )
        labelled.add(state)


def _draw_end(axis: Axes, place_m: Series, marker: str, label: str) -> None:
    axis.plot(
        place_m[1],
        place_m[0],
        marker,
        color="white",
        markeredgecolor=VEHICLE,
        markersize=7,
        label=label,
        linestyle="none",
        zorder=7,
    )


def _draw_losses(axis: Axes, history: History) -> None:
    """The time of each transition to SEARCH, beside the vehicle's position."""
    for time_s, transition in history.transitions:
        index = int(np.searchsorted(history.time_s, time_s))
        if transition.target is MissionState.SEARCH and index < len(history.vehicle_m):
            axis.annotate(
                f"lost {time_s:.0f} s",
                (history.vehicle_m[index, 1], history.vehicle_m[index, 0]),
                xytext=(6, 6),
                textcoords="offset points",
                fontsize=8,
                color=GREY,
                zorder=8,
            )
