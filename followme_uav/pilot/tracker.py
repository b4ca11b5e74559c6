"""Where the hero stands and how she moves, on the ground, from sightings in the image.

An alpha-beta filter (g-h filter) over the places of sightings gives a steadier place and velocity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from followme_uav.config import TrackerConfig
from followme_uav.messages import Vec3


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
