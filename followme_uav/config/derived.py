"""Values of keys that a configuration may leave out, because others imply them.

A key of `FORMULAS` that neither a file nor an override gives follows from physical numbers: the
hero's height, the size of a pixel, speeds, times. A given value always counts. Every `FlightConfig`
has all values, and so has every log: a log keeps its own numbers when a formula changes.

Lengths and deviations that follow from a person's shape or from pixels are rounded to one or two
digits, since none of them is known better.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from followme_uav.config.checking import Allowed, rule_of
from followme_uav.config.schema import (
    MAX_HEIGHT_PX,
    MAX_WIDTH_PX,
    MIN_SIDE_PX,
    SIDE_MULTIPLE_PX,
    FlightConfig,
)


@dataclass(frozen=True)
class Formula:
    """How a key follows from others."""

    of: tuple[str, ...]
    """The keys that it follows from, each as section.key."""
    value: Callable[..., float]
    """Returns the value; takes the values of these keys, in the same order."""
    why: str
    """The reason, in one line."""


CONFIRM_PX, CLASSIFY_PX, EXPECTED_PX = 26.2, 15.0, 9.0
"""Height in pixels from which a detection is confirmed as the hero, is classified at all, and is
classified at the place where a lost hero is expected."""
ACQUIRE_FRAMES, ACQUIRE_S = 8, 0.8
"""Frames with the hero, and their duration, that are enough to follow."""
CENTROID_SIGMA_PX = 1.66
"""Standard deviation of a detection's centroid in pixels."""
TRAINED_FOV_DEG = 60.0
"""Field of view of the frames that the networks were trained with."""
SIZE_TOLERANCE = 0.2
"""A hero larger or smaller by this share than in training is recognised as well."""
CAMERA = ("camera.width_px", "simulator.camera_fov_deg")


def rounded(value: float, digits: int = 2) -> float:
    """Round to this many significant digits."""
    return float(f"{value:.{digits}g}")


def focal_length_px(width_px: float, fov_deg: float) -> float:
    """Size in pixels of an object that is as large as it is far away."""
    return width_px / (2.0 * math.tan(math.radians(fov_deg) / 2.0))


def _working_width_px(
    source_width_px: float, source_height_px: float, trained_width_px: float, fov_deg: float
) -> float:
    """The width of images in which the hero is about as large as in the training frames.

    Images that are within a fifth of it stay as they are. Others get the width, a multiple of
    `SIDE_MULTIPLE_PX`, that keeps their aspect ratio best.
    """
    if not source_width_px and not source_height_px:
        return trained_width_px
    source_width_px = source_width_px or source_height_px
    source_height_px = source_height_px or source_width_px
    aspect = source_height_px / source_width_px
    trained_focal_px = focal_length_px(trained_width_px, TRAINED_FOV_DEG)
    trained_px = source_width_px * trained_focal_px / focal_length_px(source_width_px, fov_deg)
    best_px = min(max(trained_px, MIN_SIDE_PX / aspect), MAX_WIDTH_PX, MAX_HEIGHT_PX / aspect)
    low_px, high_px = (1.0 - SIZE_TOLERANCE) * best_px, (1.0 + SIZE_TOLERANCE) * best_px
    is_whole = not source_width_px % SIDE_MULTIPLE_PX and not source_height_px % SIDE_MULTIPLE_PX
    if is_whole and low_px <= source_width_px <= high_px:
        return source_width_px

    def badness(width_px: float) -> float:
        height_px = _to_side(width_px * aspect)
        return abs(math.log(height_px / (width_px * aspect))) + 0.1 * abs(
            math.log(width_px / best_px)
        )

    middle_px = _to_side(best_px)
    steps = int(SIZE_TOLERANCE * best_px / SIDE_MULTIPLE_PX)
    widths_px = [middle_px + SIDE_MULTIPLE_PX * step for step in range(-steps, steps + 1)]
    return min(widths_px, key=badness)


def _working_height_px(source_width_px: float, source_height_px: float, width_px: float) -> float:
    if not source_width_px or not source_height_px:
        return width_px
    return _to_side(width_px * source_height_px / source_width_px)


def _to_side(length_px: float) -> float:
    """The nearest length that a side of an image may have."""
    return float(max(1, round(length_px / SIDE_MULTIPLE_PX)) * SIDE_MULTIPLE_PX)


def _distance_at(height_px: float) -> Formula:
    """The distance from which the hero has this height in the image."""
    return Formula(
        ("hero.height_m", *CAMERA),
        lambda height_m, *camera: rounded(height_m * focal_length_px(*camera) / height_px),
        f"the hero is {height_px:.0f} px high in the image from there",
    )


def _turn_per_frame() -> Formula:
    return Formula(
        ("simulator.camera_fov_deg",),
        lambda fov_deg: rounded(0.8 * math.radians(fov_deg) / 2.0),
        "each frame corrects 80 % of the angle: half the field of view at the image's edge",
    )


FORMULAS: dict[str, Formula] = {
    "camera.width_px": Formula(
        (
            "camera.source_width_px",
            "camera.source_height_px",
            "camera.trained_width_px",
            "simulator.camera_fov_deg",
        ),
        _working_width_px,
        "the hero is about as large as in the training frames, and the aspect ratio is kept",
    ),
    "camera.height_px": Formula(
        ("camera.source_width_px", "camera.source_height_px", "camera.width_px"),
        _working_height_px,
        "the aspect ratio of the simulator's images",
    ),
    "depth.range_m": Formula(
        (
            "patrol.speed_mps",
            "patrol.sweep_period_s",
            "limits.speed_mps",
            "limits.acceleration_mps2",
            "control.response_lag_s",
        ),
        lambda patrol_mps, sweep_s, speed_mps, acceleration_mps2, lag_s: rounded(
            patrol_mps * sweep_s / 2.0
            + speed_mps * lag_s
            + speed_mps**2 / (2.0 * acceleration_mps2 / 1.5)
        ),
        "half a sweep of the patrol passes until the camera looks ahead again; then the vehicle "
        "must be able to stop",
    ),
    "hero.centroid_height_m": Formula(
        ("hero.height_m",),
        lambda height_m: rounded(0.56 * height_m),
        "56 % of the height, as in every standing person",
    ),
    "hero.area_m2": Formula(
        ("hero.height_m",),
        lambda height_m: rounded(0.173 * height_m**2),
        "a person is as wide, on average, as 17 % of the height",
    ),
    "detection.min_confidence": Formula(
        (
            "detection.hero_threshold",
            "association.follow_confidence_min",
            "association.approach_confidence_min",
        ),
        lambda pixel, follow, approach: (pixel + min(follow, approach)) / 2.0,
        "halfway from a hero pixel to the detections that count: logs show what nearly counted",
    ),
    "measurement.direction_sigma_rad": Formula(
        CAMERA,
        lambda *camera: rounded(CENTROID_SIGMA_PX / focal_length_px(*camera)),
        f"{CENTROID_SIGMA_PX} px of the image",
    ),
    "measurement.position_sigma_m": Formula(
        ("hero.height_m",),
        lambda height_m: rounded(0.07 * height_m),
        "strides move the centroid by 7 % of the height",
    ),
    "measurement.hidden_sigma_m": Formula(
        ("hero.height_m",),
        lambda height_m: rounded(height_m / math.sqrt(12.0), 1),
        "the visible part may be any part of the height: a uniform distribution",
    ),
    "classification.distance_m": Formula(
        ("control.wanted_distance_m", *_distance_at(CLASSIFY_PX).of),
        lambda wanted_m, *others: max(
            rounded(1.3 * wanted_m), _distance_at(CLASSIFY_PX).value(*others)
        ),
        f"{_distance_at(CLASSIFY_PX).why}, but from no nearer than the vehicle flies to the hero",
    ),
    "classification.confirm_distance_m": _distance_at(CONFIRM_PX),
    "classification.expected_distance_m": _distance_at(EXPECTED_PX),
    "explore.view_m": Formula(
        ("classification.expected_distance_m",),
        lambda distance_m: distance_m,
        "from farther away the hero is not recognised",
    ),
    "classification.area_max": Formula(
        ("classification.area_min",),
        lambda area_min: rounded(1.0 / area_min),
        "areas deviate by the same factor to both sides",
    ),
    "measurement.merged_area_min": Formula(
        ("classification.area_max",),
        lambda area_max: rounded(math.sqrt(area_max)),
        "by factors, halfway from the hero's area to the largest that is classified as the hero",
    ),
    "association.fallback_gate": Formula(
        ("association.gate",),
        lambda gate: rounded(1.5**2 * gate),
        "one and a half times as many standard deviations",
    ),
    "association.follow_area_min": Formula(
        ("association.approach_area_min",),
        lambda area_min: area_min / 2.0,
        "the track adds evidence: half the area is enough",
    ),
    "association.approach_distance_m": Formula(
        (
            "hero.area_m2",
            "detection.min_area_px",
            *CAMERA,
            "control.forward.limit",
            "mission.acquire_timeout_s",
        ),
        lambda area_m2, area_px, width_px, fov_deg, speed_mps, timeout_s: min(
            rounded(math.sqrt(area_m2 / area_px) * focal_length_px(width_px, fov_deg)),
            speed_mps * timeout_s,
        ),
        "from farther away the hero is smaller than the smallest detection, or out of reach",
    ),
    "association.reject_radius_m": Formula(
        ("association.reject_share", "classification.distance_m"),
        lambda share, distance_m: float(round(share * distance_m)),
        "the share of the distance at which detections are rejected",
    ),
    "track.speed_sigma_mps": Formula(
        ("track.max_speed_mps", "association.gate"),
        lambda max_speed_mps, gate: rounded(max_speed_mps / math.sqrt(gate)),
        "the greatest speed is as unlikely as a hero outside the gate",
    ),
    "mission.takeoff_done_altitude_m": Formula(
        ("mission.touchdown_altitude_m",),
        lambda altitude_m: altitude_m,
        "the simulator's own takeoff ends where its own landing begins",
    ),
    "association.first_look_s": Formula(
        ("patrol.sweep_period_s",),
        lambda period_s: period_s,
        "the camera looks all around in three quarters of a period, after the climb",
    ),
    "mission.acquire_frames": Formula(
        ("camera.rate_hz",),
        lambda rate_hz: max(ACQUIRE_FRAMES, round(ACQUIRE_S * rate_hz)),
        f"{ACQUIRE_FRAMES} frames in at least {ACQUIRE_S:g} s: frames that follow one another more "
        "closely show the same",
    ),
    "mission.reject_frames": Formula(
        ("mission.acquire_frames", "mission.rejected_weight"),
        lambda frames, weight: round(frames * weight),
        "as many rejected frames as confirmed ones decide",
    ),
    "mission.reacquire_frames": Formula(
        ("mission.acquire_frames",),
        lambda frames: max(1, round(frames / 3.0)),
        "where the hero is expected, a third of the evidence is enough",
    ),
    "mission.first_misses": Formula(
        ("mission.acquire_frames",),
        lambda frames: frames / 2.0,
        "half as many frames as confirm the hero",
    ),
    "mission.acquire_misses": Formula(
        ("mission.first_misses", "mission.reacquire_frames"),
        lambda first, frames: first + 2.0 * frames,
        "two more for each frame, up to as many frames as confirm an expected hero",
    ),
    "mission.reject_s": Formula(
        ("mission.acquire_timeout_s",),
        lambda timeout_s: timeout_s,
        "as long as the approach of another detection may take",
    ),
    "mission.image_gap_s": Formula(
        ("mission.frame_gap_s",),
        lambda gap_s: gap_s / 2.0,
        "the vehicle flies on meanwhile: half as long as a gap between frames",
    ),
    "mission.failsafe_hover_s": Formula(
        ("mission.frame_gap_s",),
        lambda gap_s: gap_s,
        "as long without a fault as the gap that is a fault",
    ),
    "mission.hard_touch_mps": Formula(
        ("mission.descent_mps",),
        lambda descent_mps: 2.0 * descent_mps,
        "twice the speed of a landing",
    ),
    "mission.fall_mps": Formula(
        ("control.altitude.limit", "mission.descent_mps", "mission.hard_touch_mps"),
        lambda limit_mps, descent_mps, margin_mps: max(limit_mps, descent_mps) + margin_mps,
        "faster than any commanded descent, by the speed of a hard touch",
    ),
    "mission.land_timeout_s": Formula(
        ("limits.max_altitude_m", "mission.descent_mps"),
        lambda altitude_m, descent_mps: rounded(50.0 + altitude_m / descent_mps),
        "50 s to find a place, and the time to sink there from the greatest altitude",
    ),
    "mission.landing_off_waypoint_m": Formula(
        ("search.place_radius_m",),
        lambda radius_m: 2.0 * radius_m,
        "waypoints are junctions: twice the radius of one",
    ),
    "search.dwell_s": Formula(
        ("mission.follow_lost_s",),
        lambda lost_s: lost_s,
        "a hero not detected for as long as loses the track is not there",
    ),
    "search.predicted_s": Formula(
        ("search.view_s",),
        lambda view_s: 2.0 * view_s,
        "as much time for the way there as for the view",
    ),
    "control.pan.kp": _turn_per_frame(),
    "control.tilt.kp": _turn_per_frame(),
}
"""Formulas by key; each comes after the formulas of the keys that it follows from."""


def with_derived(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of the data of a flight's configuration, with the derived keys that it lacks.

    A value that a formula gives is kept within the key's allowed range. A key whose formula lacks
    a valid value stays out.
    """
    result = copy.deepcopy(dict(data))
    for key in absent(result):
        value = _value(key, result)
        if value is not None:
            section, name = _place(key, result)
            section[name] = value
    return result


def absent(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the derived keys that the data of a configuration leaves out."""
    places = {key: _place(key, data) for key in FORMULAS}
    return tuple(
        key
        for key, (section, name) in places.items()
        if section is not None and name not in section
    )


def without_derived(config: FlightConfig) -> dict[str, Any]:
    """Return the data of a configuration without the derived keys that have their formula's value.

    They follow when other values change.
    """
    data = config.model_dump(mode="json")
    following = [key for key in FORMULAS if _value(key, data) == _read(key, data)]
    for key in following:
        section, name = _place(key, data)
        del section[name]
    return data


def _value(key: str, data: Mapping[str, Any]) -> float | None:
    """The value of a formula, or None without valid values to derive it from."""
    formula = FORMULAS[key]
    try:
        value = formula.value(*(float(_read(name, data)) for name in formula.of))
    except OverflowError:
        value = math.inf
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return None
    if math.isnan(value):
        return None
    rule = rule_of(FlightConfig, tuple(key.split(".")))
    return min(max(value, rule.low), rule.high) if isinstance(rule, Allowed) else value


def _read(key: str, data: Mapping[str, Any]) -> Any:
    section, name = _place(key, data)
    return section[name]


def _place(key: str, data: Mapping[str, Any]) -> tuple[Any, str]:
    """The mapping that a key lies in, or None, and its name there."""
    *sections, name = key.split(".")
    node: Any = data
    for section in sections:
        node = node.get(section) if isinstance(node, Mapping) else None
    return (node if isinstance(node, Mapping) else None), name
