"""A flight as figures: time lines and a map, drawn with Matplotlib (extra [report]).

Pure: they take a `History` and return a `Figure`; `save` writes one. Nothing here needs a screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from followme_uav.files import write_figure
from followme_uav.messages import MissionState, Solid
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
from followme_uav.view.history import History
from followme_uav.view.panels import FLIGHT_PANELS, LOOP_PANELS, TIMES_PANEL, Panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH_IN = 10.0
_PANEL_IN = 1.55
_BAND_IN = 0.5
_LABELLED_SHARE = 0.05
"""A state that lasts for less of the flight has no name in the band: it would not fit."""
_MAP_MARGIN_M = 12.0
_MAP_LEAST_M = 100.0


def time_lines(
    history: History, panels: Sequence[Panel] = FLIGHT_PANELS, title: str = ""
) -> Figure:
    """The band of mission states and, below, one axis for each panel that has something to show."""
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
    """What each PID loop added to the commands."""
    return time_lines(history, LOOP_PANELS, "What the PID loops did")


def loop_times(history: History) -> Figure:
    """Wall-clock time of each turn of the flight loop."""
    return time_lines(history, (TIMES_PANEL,))


def top_view(history: History, size_in: float = 7.0) -> Figure:
    """The city from above, north up: the vehicle's path in the states' colours, and the hero's."""
    with styled((size_in, size_in)) as figure:
        axis = figure.subplots()
        centre, half = _extent_m(history)
        axis.set(
            xlim=(centre[1] - half, centre[1] + half),
            ylim=(centre[0] - half, centre[0] + half),
            aspect="equal",
            facecolor=GROUND,
            xlabel="east (m)",
            ylabel="north (m)",
        )
        axis.grid(False)
        _draw_city(axis, history)
        _draw_paths(axis, history)
        axis.legend(
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
    """A band in the states' colours; below it a thin line where the hero really was in view."""
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
        axis.text(
            -0.006,
            0.07,
            "hero in view",
            ha="right",
            va="center",
            fontsize=8,
            color=HERO,
            transform=axis.get_yaxis_transform(),
        )
    axis.text(
        -0.006,
        0.62,
        "state",
        ha="right",
        va="center",
        fontsize=8,
        transform=axis.get_yaxis_transform(),
    )
    axis.set(ylim=(0.0, 1.0), yticks=[])
    axis.grid(False)
    axis.spines[:].set_visible(False)
    axis.tick_params(bottom=False)


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
            linewidth=0.9 if line.is_aim else 1.3,
            linestyle=(0, (4, 3)) if line.is_aim else "solid",
            label=line.label,
        )
    axis.set_title(panel.title)
    axis.set_ylabel(panel.unit)
    axis.set_ylim(*panel.limits)
    axis.legend(loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=6, borderaxespad=0.0)


def _extent_m(history: History) -> tuple[np.ndarray, float]:
    """(centre, half the side) of the square that shows both paths with a margin."""
    places = np.vstack([history.vehicle_m[:, :2], history.hero_m[:, :2]])
    places = places[np.isfinite(places).all(axis=1)]
    if not len(places):
        return np.zeros(2), _MAP_LEAST_M / 2
    low, high = places.min(axis=0), places.max(axis=0)
    side_m = max(float((high - low).max()) + 2 * _MAP_MARGIN_M, _MAP_LEAST_M)
    return (low + high) / 2, side_m / 2


def _draw_city(axis: Axes, history: History) -> None:
    from matplotlib.patches import Circle, Rectangle

    for south, west, north, east in history.flyable_m:
        axis.add_patch(
            Rectangle((west, south), east - west, north - south, color=STREET, lw=0, zorder=1)
        )
    for solid in sorted(history.solids, key=_height_m):
        north, east, _ = solid.centre_m
        half_north, half_east, _ = solid.half_size_m
        style: Any = {"facecolor": _map_colour(solid), "edgecolor": "white", "linewidth": 0.5}
        if solid.is_round:
            axis.add_patch(Circle((east, north), half_east, alpha=0.8, zorder=3, **style))
        else:
            corner = (east - half_east, north - half_north)
            axis.add_patch(Rectangle(corner, 2 * half_east, 2 * half_north, zorder=2, **style))


def _height_m(solid: Solid) -> float:
    return solid.half_size_m[2] - solid.centre_m[2]


def _map_colour(solid: Solid) -> str:
    kind = solid.name.partition("_")[0]
    return {"building": HOUSE, "tree": TREE, "bush": TREE, "highway": DECK}.get(kind, PALE)


def _draw_paths(axis: Axes, history: History) -> None:
    places = history.vehicle_m
    axis.plot(
        history.track_m[:, 1],
        history.track_m[:, 0],
        ".",
        color=TRACK,
        markersize=2.2,
        label="hero, believed",
        zorder=4,
    )
    if np.isfinite(history.hero_m).any():
        axis.plot(
            history.hero_m[:, 1], history.hero_m[:, 0], color=HERO, lw=2.0, label="hero", zorder=5
        )
    named: set[MissionState] = set()
    for state, start, end in history.state_spans:
        inside = (history.time_s >= start) & (history.time_s <= end)
        axis.plot(
            places[inside, 1],
            places[inside, 0],
            color=STATES[state],
            linewidth=2.6,
            label=None if state in named else state.value,
            zorder=6,
        )
        named.add(state)
    if len(places):
        for index, marker in ((0, "o"), (-1, "s")):
            axis.plot(
                places[index, 1],
                places[index, 0],
                marker,
                color="white",
                markeredgecolor=VEHICLE,
                markersize=7,
                label="start" if index == 0 else "end",
                linestyle="none",
                zorder=7,
            )
    for time_s, change in history.transitions:
        index = int(np.searchsorted(history.time_s, time_s))
        if change.target is MissionState.SEARCH and index < len(places):
            axis.annotate(
                f"lost {time_s:.0f} s",
                (places[index, 1], places[index, 0]),
                xytext=(6, 6),
                textcoords="offset points",
                fontsize=8,
                color=GREY,
                zorder=8,
            )
