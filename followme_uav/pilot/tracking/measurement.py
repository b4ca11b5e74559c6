"""Detection -> Measurement: position on the ground, its covariance, size relative to the hero."""

from __future__ import annotations

import math

from followme_uav.config import HeroConfig, MeasurementConfig
from followme_uav.geometry import aspect_of, focal_length_px, ground_point, ray_of_pixel
from followme_uav.ground import LEVEL, Ground
from followme_uav.messages import CameraPose, Detection, GroundCovariance, Measurement, Vec3
from followme_uav.pilot.navigation.decks import Decks

_ROUNDS, _NEAR_M = 12, 0.01
"""Planes at most, and the difference of heights at which the last one is good enough."""
NO_DECKS = Decks()
_TRUNCATED_V = 0.97
"""A detection that reaches beyond this image row (-1..1) may continue outside the image."""


def measure(
    camera: CameraPose,
    detection: Detection,
    image_shape: tuple[int, ...],
    hero: HeroConfig,
    errors: MeasurementConfig,
    ground: Ground = LEVEL,
    decks: Decks = NO_DECKS,
) -> Measurement | None:
    """Put a detection on the ground or a deck, as a person of the hero's size who stands there.

    Returns None when the line of sight never meets the plane of the hero's centroid: the detection
    is in the sky or on a roof.

    Args:
        camera: Pose of the camera that took the image.
        detection: The detection.
        image_shape: (height, width, ...) of the mask, pixels.
        hero: Dimensions of the hero.
        errors: Standard deviations of the measurement.
        ground: On which the hero stands,
        decks: ... unless the line of sight meets one of these first.
    """
    height_m = hero.centroid_height_m
    position_m = _nearer(
        _place_on(ground, camera, detection, height_m, image_shape),
        _place_on_deck(decks, camera, detection, height_m, image_shape),
        camera.position_m,
    )
    if position_m is None:
        return None
    return measurement_at(position_m, camera, detection, image_shape, hero, errors)


def _place_on(
    ground: Ground,
    camera: CameraPose,
    detection: Detection,
    height_m: float,
    image_shape: tuple[int, ...],
) -> Vec3 | None:
    """The point of the line of sight that is `height_m` above the ground; None without one.

    It is found by level planes, each at the height of the ground below the last point. This
    converges where the line of sight is steeper than the ground.
    """
    aspect = aspect_of(image_shape)
    level_m = ground.height_m(*camera.position_m[:2])
    point_m = ground_point(camera, detection.u, detection.v, level_m + height_m, aspect)
    for _ in range(0 if ground.is_level else _ROUNDS):
        if point_m is None:
            return None
        before_m, level_m = level_m, ground.height_m(*point_m[:2])
        if abs(level_m - before_m) < _NEAR_M:
            break
        point_m = ground_point(camera, detection.u, detection.v, level_m + height_m, aspect)
    return point_m


def _place_on_deck(
    decks: Decks,
    camera: CameraPose,
    detection: Detection,
    height_m: float,
    image_shape: tuple[int, ...],
) -> Vec3 | None:
    """The point of the line of sight that is `height_m` above a deck; None without one."""
    if not decks.parts:
        return None
    ray = ray_of_pixel(camera, detection.u, detection.v, aspect_of(image_shape))
    reach_m = decks.reach_m(camera.position_m, ray, height_m)
    if reach_m == math.inf:
        return None
    north_m, east_m, down_m = camera.position_m
    return north_m + reach_m * ray[0], east_m + reach_m * ray[1], down_m + reach_m * ray[2]


def _nearer(one_m: Vec3 | None, other_m: Vec3 | None, origin_m: Vec3) -> Vec3 | None:
    """That of two points which hides the other one."""
    if one_m is None or other_m is None:
        return one_m or other_m
    return min(one_m, other_m, key=lambda point_m: math.dist(point_m, origin_m))


def measurement_at(
    position_m: Vec3,
    camera: CameraPose,
    detection: Detection,
    image_shape: tuple[int, ...],
    hero: HeroConfig,
    errors: MeasurementConfig,
) -> Measurement:
    """The measurement of a detection whose centroid is at `position_m`; the rest as in `measure`.

    The covariance is that of a line of sight that meets the ground there.
    """
    height_px, width_px = image_shape[:2]
    distance_m = math.dist(position_m, camera.position_m)
    shown = foreshortening(math.dist(position_m[:2], camera.position_m[:2]), distance_m)
    px_per_m = focal_length_px(camera, width_px) / distance_m
    relative_height = detection.height_px / (hero.height_m * px_per_m * shown)
    relative_area = detection.area_px / (hero.area_m2 * px_per_m**2 * shown)
    is_truncated = abs(detection.v) + detection.height_px / height_px > _TRUNCATED_V
    visible = 0.0 if is_truncated else min(relative_height, 1.0)
    return Measurement(
        position_m=position_m,
        covariance=_covariance(position_m, camera.position_m, visible, relative_area, errors),
        distance_m=distance_m,
        relative_height=relative_height,
        relative_area=relative_area,
        is_truncated=is_truncated,
    )


def foreshortening(ground_distance_m: float, distance_m: float) -> float:
    """Share of a standing person's height that is visible from above; the width always is."""
    return max(ground_distance_m / distance_m, 0.3)


def _covariance(
    position_m: Vec3,
    camera_m: Vec3,
    visible: float,
    relative_area: float,
    errors: MeasurementConfig,
) -> GroundCovariance:
    """Covariance on the ground: small across the line of sight, large along it.

    The line of sight meets the ground at a flat angle. An angular error therefore moves the
    position along the ground by distance / camera height times as much as across, and so does an
    error of the centroid's height, which grows with the hidden share of the body. A detection much
    larger than the hero may be the hero merged with another person.
    """
    north, east = position_m[0] - camera_m[0], position_m[1] - camera_m[1]
    ground_m = max(math.hypot(north, east), 1e-6)
    above_m = max(position_m[2] - camera_m[2], 0.1)
    distance_m = math.dist(position_m, camera_m)
    across_m = errors.direction_sigma_rad * distance_m
    hidden_m = errors.hidden_sigma_m * (1.0 - visible) * ground_m / above_m
    merged_m = errors.merged_sigma_m * max(relative_area - errors.merged_area_min, 0.0)
    everywhere_m2 = errors.position_sigma_m**2 + merged_m**2
    along_m2 = everywhere_m2 + (across_m * distance_m / above_m) ** 2 + hidden_m**2
    across_m2 = everywhere_m2 + across_m**2
    to_north, to_east = north / ground_m, east / ground_m
    return GroundCovariance(
        n_n=along_m2 * to_north**2 + across_m2 * to_east**2,
        n_e=(along_m2 - across_m2) * to_north * to_east,
        e_e=along_m2 * to_east**2 + across_m2 * to_north**2,
    )
