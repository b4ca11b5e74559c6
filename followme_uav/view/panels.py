"""The panels of values over time that plots, videos and the viewer draw alike.

Each line of a panel reads its value from one entry of a flight.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from followme_uav.config import FlightConfig
from followme_uav.log.entry import FlightEntry
from followme_uav.messages import LoopTerms, MaskClass, Outcome, Vec3
from followme_uav.view.colours import (
    BLUE,
    GREEN,
    GREY,
    HERO,
    INK,
    ORANGE,
    PURPLE,
    SKY,
    TRACK,
    VEHICLE,
    VERMILION,
)

ValueReader = Callable[[FlightEntry, FlightConfig], float | None]
"""Reads a value from an entry; None where there is none."""


@dataclass(frozen=True)
class Line:
    """One value over time."""

    label: str
    colour: str
    read: ValueReader
    is_reference: bool = False
    """A setpoint or limit from the configuration: drawn as a thin dashed line."""


@dataclass(frozen=True)
class Panel:
    """Values that share an axis."""

    key: str
    """Part of file and entity names."""
    title: str
    unit: str
    lines: tuple[Line, ...]
    limits: tuple[float | None, float | None] = (None, None)


def true_hero_m(entry: FlightEntry, config: FlightConfig) -> Vec3 | None:
    """Position of the hero's centroid; None without ground truth."""
    if entry.truth is None:
        return None
    north, east, down = entry.truth.hero_position_m
    return north, east, down - config.hero.centroid_height_m


def _distance_m(entry: FlightEntry, position_m: Vec3 | None) -> float | None:
    """Distance from the camera."""
    return None if position_m is None else math.dist(position_m, entry.frame.camera.position_m)


def _track_distance_m(entry: FlightEntry, config: FlightConfig) -> float | None:
    track = entry.step.track
    return None if track is None else _distance_m(entry, track.position_m)


def _sigma_m(entry: FlightEntry, config: FlightConfig) -> float | None:
    track = entry.step.track
    return track.sigma_m if track and math.isfinite(track.sigma_m) else None


def _detection_value(field: str) -> ValueReader:
    def read(entry: FlightEntry, config: FlightConfig) -> float | None:
        detection = entry.step.detection
        return None if detection is None else float(getattr(detection, field))

    return read


def _mahalanobis_sq(entry: FlightEntry, config: FlightConfig) -> float | None:
    """Of the selected detection."""
    selected = (c for c in entry.step.candidates if c.outcome is Outcome.SELECTED)
    return next((candidate.mahalanobis_sq for candidate in selected), None)


def _true_pixels(entry: FlightEntry, config: FlightConfig) -> float | None:
    if entry.truth is None:
        return None
    return float(np.count_nonzero(entry.truth.mask[..., MaskClass.HERO] > 127))


def _clearance_m(entry: FlightEntry, config: FlightConfig) -> float | None:
    return None if entry.truth is None else entry.truth.clearance_m


def _viewed_m2(entry: FlightEntry, config: FlightConfig) -> float | None:
    own_map = entry.step.own_map
    return None if own_map is None else own_map.viewed_m2


def _ground_speed(velocity: Vec3) -> float:
    return math.hypot(velocity[0], velocity[1])


def _hero_speed(entry: FlightEntry, config: FlightConfig) -> float | None:
    track = entry.step.track
    return None if track is None else _ground_speed(track.velocity_mps)


def _timing(field: str) -> ValueReader:
    return lambda entry, config: float(getattr(entry.timings, field))


def terms_of(entry: FlightEntry, loop: str) -> LoopTerms | None:
    """The terms of one PID loop at this entry; None when the command did not use the loop."""
    return next((terms for terms in entry.step.loops if terms.name == loop), None)


def _term(loop: str, field: str, scale: float) -> ValueReader:
    def read(entry: FlightEntry, config: FlightConfig) -> float | None:
        terms = terms_of(entry, loop)
        return None if terms is None else scale * float(getattr(terms, field))

    return read


def _loop_panel(loop: str, title: str, unit: str, scale: float = 1.0) -> Panel:
    lines = (
        ("output", INK, "output"),  # first, so that the terms are drawn over their sum
        ("P", SKY, "p"),
        ("I", GREEN, "i"),
        ("D", ORANGE, "d"),
    )
    return Panel(
        f"pid_{loop}",
        title,
        unit,
        tuple(Line(label, colour, _term(loop, field, scale)) for label, colour, field in lines),
    )


_DEG = math.degrees(1.0)

FLIGHT_PANELS = (
    Panel(
        "image_error",
        "Hero in the image",
        "half images",
        (
            Line("to the right", BLUE, _detection_value("u")),
            Line("down", ORANGE, _detection_value("v")),
            Line("centre", GREY, lambda entry, config: 0.0, is_reference=True),
        ),
        (-1.0, 1.0),
    ),
    Panel(
        "distance",
        "Distance to the hero",
        "m",
        (
            Line("true", HERO, lambda e, c: _distance_m(e, true_hero_m(e, c))),
            Line("track", TRACK, _track_distance_m),
            Line("uncertainty", SKY, _sigma_m),
            Line("wanted", GREY, lambda e, c: c.control.wanted_distance_m, is_reference=True),
        ),
        (0.0, None),
    ),
    Panel(
        "hero_pixels",
        "Hero in the mask",
        "pixels",
        (Line("true", HERO, _true_pixels), Line("detected", TRACK, _detection_value("area_px"))),
        (0.0, None),
    ),
    Panel(
        "gate",
        "Deviation from the track",
        "squared Mahalanobis distance",
        (
            Line("selected detection", TRACK, _mahalanobis_sq),
            Line("gate", GREY, lambda e, c: c.association.gate, is_reference=True),
        ),
        (0.0, 40.0),
    ),
    Panel(
        "speed",
        "Speed over ground",
        "m/s",
        (
            Line("vehicle", VEHICLE, lambda e, c: _ground_speed(e.frame.vehicle.velocity_mps)),
            Line("commanded", SKY, lambda e, c: _ground_speed(e.step.command.velocity_mps)),
            Line("hero, track", TRACK, _hero_speed),
        ),
        (0.0, None),
    ),
    Panel(
        "height",
        "Height and clearance",
        "m",
        (
            Line("height", VEHICLE, lambda e, c: -e.frame.vehicle.position_m[2]),
            Line("nearest obstacle", VERMILION, _clearance_m),
            Line("cruising height", GREY, lambda e, c: c.mission.altitude_m, is_reference=True),
        ),
        (0.0, None),
    ),
    Panel(
        "commands",
        "Commanded velocity",
        "m/s",
        (
            Line("north", BLUE, lambda e, c: e.step.command.velocity_mps[0]),
            Line("east", ORANGE, lambda e, c: e.step.command.velocity_mps[1]),
            Line("climb", GREEN, lambda e, c: -e.step.command.velocity_mps[2]),
        ),
    ),
    Panel(
        "turning",
        "Camera and turning",
        "° and °/s",
        (
            Line("pan", BLUE, lambda e, c: _DEG * e.step.command.camera_pan_rad),
            Line("tilt", ORANGE, lambda e, c: _DEG * e.step.command.camera_tilt_rad),
            Line("yaw rate", PURPLE, lambda e, c: _DEG * e.step.command.yaw_rate_radps),
        ),
    ),
)

COVERAGE_PANEL = Panel(
    "coverage",
    "Ground looked at",
    "m²",
    (Line("inside the geofence", GREEN, _viewed_m2),),
    (0.0, None),
)
"""Of a flight without a map; others have no values."""

LOOP_PANELS = (
    _loop_panel("pan", "Pan loop", "° a frame", _DEG),
    _loop_panel("tilt", "Tilt loop", "° a frame", _DEG),
    _loop_panel("yaw", "Yaw loop", "°/s", _DEG),
    _loop_panel("forward", "Forward loop", "m/s"),
    _loop_panel("altitude", "Altitude loop", "m/s"),
)

TIMES_PANEL = Panel(
    "loop_times",
    "Time of the parts of a loop iteration",
    "ms",
    (
        Line("frame to command", INK, _timing("total_ms")),
        Line("receive", SKY, _timing("receive_ms")),
        Line("network", PURPLE, _timing("segment_ms")),
        Line("decide", GREEN, _timing("decide_ms")),
        Line("send", ORANGE, _timing("send_ms")),
        Line("log", GREY, _timing("log_ms")),
    ),
    (0.0, None),
)

ALL_PANELS = (*FLIGHT_PANELS, COVERAGE_PANEL, *LOOP_PANELS, TIMES_PANEL)
