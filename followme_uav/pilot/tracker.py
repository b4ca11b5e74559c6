"""Where the hero stands and how she moves, on the ground, from sightings in the image.

A sighting's ray is cut with the level of her centroid above the flat ground, which gives a place;
an alpha-beta filter (g-h filter) over the places gives a steadier place and a velocity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from followme_uav.config import TrackerConfig
from followme_uav.geometry import focal_length_px, ground_point
from followme_uav.messages import CameraPose, Observation, Vec3


@dataclass(frozen=True)
class HeroTrack:
    """Belief about the hero at `time_s`, the time of the last sighting."""

    time_s: float
    position_m: Vec3
    """Her centroid, world NED."""
    velocity_mps: tuple[float, float]
    """North, east."""

    @property
    def ground_m(self) -> tuple[float, float]:
        """Her place, north and east."""
        return self.position_m[0], self.position_m[1]

    def predict(self, time_s: float, config: TrackerConfig) -> HeroTrack:
        """The belief at a later time: she walks on, but not for longer than the filter trusts."""
        age_s = max(time_s - self.time_s, 0.0)
        walked_s = min(age_s, config.velocity_memory_s)
        north, east, down = self.position_m
        return HeroTrack(
            time_s=time_s,
            position_m=(
                north + walked_s * self.velocity_mps[0],
                east + walked_s * self.velocity_mps[1],
                down,
            ),
            velocity_mps=self.velocity_mps,
        )


def locate(camera: CameraPose, observation: Observation, config: TrackerConfig) -> Vec3 | None:
    """Place of the observed centroid, world NED; None when the ray never comes so low."""
    return ground_point(camera, observation.u, observation.v, config.centroid_height_m)


def update(
    track: HeroTrack | None, time_s: float, position_m: Vec3, config: TrackerConfig
) -> HeroTrack:
    """The belief after a sighting at `position_m`; the first one says that she stands still."""
    if track is None or time_s <= track.time_s:
        return HeroTrack(time_s, position_m, (0.0, 0.0))
    dt_s = time_s - track.time_s
    predicted = track.predict(time_s, config)
    north_error = position_m[0] - predicted.position_m[0]
    east_error = position_m[1] - predicted.position_m[1]
    gain, rate_gain = config.position_gain, config.velocity_gain / dt_s
    north_mps = track.velocity_mps[0] + rate_gain * north_error
    east_mps = track.velocity_mps[1] + rate_gain * east_error
    speed_mps = math.hypot(north_mps, east_mps)
    scale = min(1.0, config.max_speed_mps / speed_mps) if speed_mps > 0.0 else 1.0
    return HeroTrack(
        time_s=time_s,
        position_m=(
            predicted.position_m[0] + gain * north_error,
            predicted.position_m[1] + gain * east_error,
            position_m[2],
        ),
        velocity_mps=(scale * north_mps, scale * east_mps),
    )


def foreshortening(ground_distance_m: float, distance_m: float) -> float:
    """Share of a standing person's height that shows from above; her width is always seen."""
    return max(ground_distance_m / distance_m, 0.3)


@dataclass(frozen=True)
class Stature:
    """A blob compared with a hero who stands on the ground there: 1 is just like her."""

    height: float
    area: float
    is_cut_off: bool
    """By the image's upper or lower edge: then height and area say little."""


def stature(
    camera: CameraPose,
    observation: Observation,
    image_shape: tuple[int, ...],
    tracker: TrackerConfig,
    hero_area_m2: float,
) -> Stature | None:
    """How the blob compares with the hero; None when it is not on the ground at all.

    A ray that never comes down to her level shows something in the sky or on a roof.
    """
    place = locate(camera, observation, tracker)
    if place is None:
        return None
    height_px, width_px = image_shape[:2]
    distance_m = math.dist(place, camera.position_m)
    shown = foreshortening(math.dist(place[:2], camera.position_m[:2]), distance_m)
    px_per_m = focal_length_px(camera, width_px) / distance_m
    return Stature(
        height=observation.height_px / (tracker.hero_height_m * px_per_m * shown),
        area=observation.area_px / (hero_area_m2 * px_per_m**2 * shown),
        is_cut_off=abs(observation.v) + observation.height_px / height_px > 0.97,
    )
