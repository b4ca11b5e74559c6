"""The layout in which the Rerun viewer shows a flight."""

from __future__ import annotations

from typing import Any

import rerun.blueprint as rrb
from rerun.blueprint.encodings import TextLogColumn

from followme_uav.view.panels import (
    COVERAGE_PANEL,
    FLIGHT_PANELS,
    LOOP_PANELS,
    TIMES_PANEL,
    Panel,
)

TIMELINE = "flight"
LEGEND = "legend"
PATHS = ("world/path/vehicle", "world/path/hero")
"""Shown from the start of the flight to the time cursor."""

_GROUND = (24, 27, 31)
_MAP_HEIGHT_M = 120.0
_CHASE_M, _CHASE_TARGET_M = (-14.0, -4.0, -7.0), (4.0, 0.0, 1.0)
"""Eye and look-at point, in metres forward, right and down of the vehicle."""


def blueprint(duration_s: float | None, *, makes_map: bool = False) -> Any:
    """The layout: camera and map on the left, the city in the middle, plots on the right.

    Args:
        duration_s: Of a completed flight, which is played from its start; None for a flight in
            progress, of which the latest entry is shown.
        makes_map: The vehicle makes a map of its own; its colours and coverage are shown.
    """
    time_axis = None
    if duration_s is not None:
        whole = rrb.TimeRange(
            rrb.TimeRangeBoundary.absolute(seconds=0.0),
            rrb.TimeRangeBoundary.absolute(seconds=max(duration_s, 1.0)),
        )
        time_axis = rrb.TimeAxis(view_range=whole)
    panels = (*FLIGHT_PANELS, COVERAGE_PANEL) if makes_map else FLIGHT_PANELS
    plots = {panel.key: _plot(panel, time_axis) for panel in panels}
    first = [plots.pop(key) for key in ("distance", "image_error", "speed")]
    legend = [rrb.TextDocumentView(name="Colours of the map", origin=LEGEND)] if makes_map else []
    loops = [_plot(panel, time_axis) for panel in LOOP_PANELS]
    return rrb.Blueprint(
        rrb.Horizontal(
            rrb.Vertical(
                rrb.Tabs(
                    rrb.Spatial2DView(name="Camera, mask and detections", origin="world/camera"),
                    rrb.Spatial2DView(
                        name="Mask", origin="world/camera", contents=["$origin/mask"]
                    ),
                ),
                _map_view(),
                *legend,
                row_shares=[5, 5, 1.6][: 2 + len(legend)],
            ),
            rrb.Vertical(
                _chase_view(),
                rrb.StateTimelineView(name="Mission state", origin="state", time_view=time_axis),
                rrb.TextLogView(
                    name="Changes of state",
                    origin="events",
                    columns=rrb.TextLogColumns(text_log_columns=[TextLogColumn("Body")]),
                ),
                row_shares=[5, 1.3, 1.5],
            ),
            rrb.Vertical(
                *first,
                rrb.Tabs(*plots.values()),
                rrb.Tabs(*loops, active_tab=3),
                _plot(TIMES_PANEL, time_axis),
            ),
            column_shares=[3, 4, 4],
        ),
        rrb.BlueprintPanel(state="collapsed"),
        rrb.SelectionPanel(state="collapsed"),
        rrb.TimePanel(
            state="collapsed",
            timeline=TIMELINE,
            play_state="following" if duration_s is None else "playing",
        ),
    )


def _map_view() -> Any:
    """The scene from above, north up, centred on the vehicle."""
    return rrb.Spatial3DView(
        name="Map, north up",
        origin="world/above",
        contents=["/world/**", "- /world/camera/**"],
        overrides=_paths_so_far(),
        background=_GROUND,
        line_grid=False,
        eye_controls=rrb.EyeControls3D(
            position=(-0.1, 0.0, -_MAP_HEIGHT_M),
            look_target=(0.0, 0.0, 0.0),
            eye_up=(1.0, 0.0, 0.0),
        ),
    )


def _chase_view() -> Any:
    """The scene from behind the vehicle; the mouse turns and moves the eye."""
    return rrb.Spatial3DView(
        name="City",
        origin="world/behind",
        contents=["/world/**"],
        overrides=_paths_so_far(),
        background=_GROUND,
        line_grid=False,
        eye_controls=rrb.EyeControls3D(
            position=_CHASE_M,
            look_target=_CHASE_TARGET_M,
            eye_up=(0.0, 0.0, -1.0),
        ),
    )


def _paths_so_far() -> Any:
    so_far = rrb.VisibleTimeRange(
        TIMELINE,
        start=rrb.TimeRangeBoundary.infinite(),
        end=rrb.TimeRangeBoundary.cursor_relative(),
    )
    return {path: rrb.VisibleTimeRanges([so_far]) for path in PATHS}


def _plot(panel: Panel, time_axis: Any) -> Any:
    low, high = panel.limits
    axis = None if low is None or high is None else rrb.ScalarAxis(range=(low, high))
    return rrb.TimeSeriesView(
        name=f"{panel.title} ({panel.unit})",
        origin=f"plots/{panel.key}",
        axis_x=time_axis,
        axis_y=axis,
        plot_legend=rrb.PlotLegend(rrb.Corner2D.RightTop),
    )
