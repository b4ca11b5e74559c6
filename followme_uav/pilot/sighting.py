"""A blob in the image as somebody on the ground: where, how far away, and how like the hero."""

from __future__ import annotations

import math
from dataclasses import dataclass

from followme_uav.config import TrackerConfig
from followme_uav.geometry import aspect_of, focal_length_px, ground_point
from followme_uav.messages import CameraPose, Observation, Vec3
from followme_uav.pilot.tracker import Fix, PlaceCovariance

_CUT_OFF_V = 0.97
"""A blob that reaches beyond this image row (-1..1) may go on outside the image."""


@dataclass(frozen=True)
class Sighting:
    """A blob, taken for a person who stands on the ground."""

    observation: Observation
    place_m: Vec3
    """Of the blob's centroid, world NED."""
    distance_m: float
    """From the camera."""
    height: float
    """Over that of the hero standing there: 1 is just like her."""
    area: float
    """Over hers."""
    is_cut_off: bool
    """By the image's upper or lower edge: then height and area say little."""


def sight(
    camera: CameraPose,
    observation: Observation,
    image_shape: tuple[int, ...],
    tracker: TrackerConfig,
    hero_area_m2: float,
) -> Sighting | None:
    """Where somebody who looks so would stand; None when a blob is not on the ground at all.

    A ray that never comes down to her level shows something in the sky or on a roof.

    Args:
        camera: That took the image.
        observation: The blob.
        image_shape: (height, width, ...).
        tracker: Her dimensions.
        hero_area_m2: Area that she shows the camera.
    """
    place_m = ground_point(
        camera,
        observation.u,
        observation.v,
        tracker.centroid_height_m,
        aspect_of(image_shape),
    )
    if place_m is None:
        return None
    height_px, width_px = image_shape[:2]
    distance_m = math.dist(place_m, camera.position_m)
    shown = foreshortening(math.dist(place_m[:2], camera.position_m[:2]), distance_m)
    px_per_m = focal_length_px(camera, width_px) / distance_m
    return Sighting(
        observation=observation,
        place_m=place_m,
        distance_m=distance_m,
        height=observation.height_px / (tracker.hero_height_m * px_per_m * shown),
        area=observation.area_px / (hero_area_m2 * px_per_m**2 * shown),
        is_cut_off=abs(observation.v) + observation.height_px / height_px > _CUT_OFF_V,
    )


def fix(seen: Sighting, camera_m: Vec3, tracker: TrackerConfig) -> Fix:
    """Her place as a measurement for the tracker: direction is known well, distance badly.

    The ray meets the ground at a flat angle, so that an error of its direction moves the place by
    distance / camera height times as much along the ground as across; and so does an error of the
    centroid's height, as when she stands behind a car. A blob much larger than she is may be she
    and somebody else.
    """
    north, east = seen.place_m[0] - camera_m[0], seen.place_m[1] - camera_m[1]
    ground_m = max(math.hypot(north, east), 1e-6)
    above_m = max(seen.place_m[2] - camera_m[2], 0.1)
    across_m = tracker.direction_sigma_rad * seen.distance_m
    shown = 0.0 if seen.is_cut_off else min(seen.height, 1.0)
    hidden_m = tracker.hidden_sigma_m * (1.0 - shown) * ground_m / above_m
    merged_m = tracker.merged_sigma_m * max(seen.area - tracker.merged_area_min, 0.0)
    anywhere_m2 = tracker.place_sigma_m**2 + merged_m**2
    along_m2 = anywhere_m2 + (across_m * seen.distance_m / above_m) ** 2 + hidden_m**2
    across_m2 = anywhere_m2 + across_m**2
    to_north, to_east = north / ground_m, east / ground_m
    return Fix(
        seen.place_m,
        PlaceCovariance(
            n_n=along_m2 * to_north**2 + across_m2 * to_east**2,
            n_e=(along_m2 - across_m2) * to_north * to_east,
            e_e=along_m2 * to_east**2 + across_m2 * to_north**2,
        ),
    )


def foreshortening(ground_distance_m: float, distance_m: float) -> float:
    """Share of a standing person's height that shows from above; her width is always seen."""
    return max(ground_distance_m / distance_m, 0.3)
