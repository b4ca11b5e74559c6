"""Detection -> Measurement with a depth image: the range of the hero from depth and ground ray.

Both give a point on the line of sight through the detection's centroid: the depth image at the
distance that it shows, the ground ray where it comes to the height of the hero's centroid. They are
combined by their variances. The depth also tells how high the ground lies, which a simulator does
not say.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from followme_uav.config import FlightConfig
from followme_uav.geometry import aspect_of, ray_of_pixel, rotate
from followme_uav.messages import (
    DEPTH_RANGE_M,
    CameraPose,
    DepthImage,
    Detection,
    GroundCovariance,
    Mask,
    Measurement,
    Vec3,
)
from followme_uav.perception.detection import pixels_of
from followme_uav.pilot.tracking.measurement import measure, measurement_at

DEPTH_SIGMA_M, DEPTH_SIGMA_SHARE = 0.3, 0.03
"""Standard deviation of a depth: a level is 0.2 m and a body 0.3 m thick; farther away, where the
hero is a few pixels wide, JPEG coding mixes in a share of the background."""
FARTHEST_M = 0.95 * DEPTH_RANGE_M
"""A larger depth may be any distance."""
DISAGREEMENT = 9.0
"""Squared difference of both ranges, over its variance, from which on they are not combined."""
LEVEL_GAIN = 0.02
"""Least share of a new sample in the estimate of the ground's level."""


@dataclass(frozen=True)
class GroundLevel:
    """Estimate of the level of the ground on which the hero stands.

    Until the first sample it is that of the world's origin.
    """

    down_m: float = 0.0
    samples: int = 0

    def with_sample(self, down_m: float) -> GroundLevel:
        """The mean of the first samples, then a running mean."""
        gain = max(1.0 / (self.samples + 1), LEVEL_GAIN)
        return GroundLevel(self.down_m + gain * (down_m - self.down_m), self.samples + 1)


@dataclass(frozen=True)
class Ranged:
    """A detection with its measurement, and the level of the ground that its depth shows."""

    measurement: Measurement | None
    ground_down_m: float | None
    """None without a depth."""


def measure_range(
    camera: CameraPose,
    detection: Detection,
    mask: Mask,
    depth: DepthImage | None,
    level: GroundLevel,
    config: FlightConfig,
) -> Ranged:
    """Measure a detection; without a usable depth by the ground ray alone.

    Near the hero, a depth that contradicts the ground ray counts: the ground is not where it is
    expected. Farther away the ground ray counts, because depths of small detections can be those of
    the background.
    """
    on_ground = _on_ground(camera, detection, mask, level, config)
    along_m = None if depth is None else depth_of(depth, mask, detection, config)
    if along_m is None:
        return Ranged(on_ground, None)
    ray = ray_of_pixel(camera, detection.u, detection.v, aspect_of(mask.shape))
    forward = rotate(camera.orientation, (1.0, 0.0, 0.0))
    range_m = along_m / sum(r * f for r, f in zip(ray, forward, strict=True))
    ground_down_m = camera.position_m[2] + range_m * ray[2] + config.hero.centroid_height_m
    variance_m2 = (DEPTH_SIGMA_M + DEPTH_SIGMA_SHARE * range_m) ** 2
    if on_ground is not None:
        ground_m2 = _variance_along(on_ground, ray, config.measurement.position_sigma_m**2)
        difference_m = on_ground.distance_m - range_m
        if difference_m**2 <= DISAGREEMENT * (variance_m2 + ground_m2):
            weight = ground_m2 / (ground_m2 + variance_m2)
            range_m = weight * range_m + (1.0 - weight) * on_ground.distance_m
            variance_m2 *= weight
        elif range_m > config.classification.distance_m:
            return Ranged(on_ground, ground_down_m)
    found = _at_range(camera, detection, mask, ray, range_m, variance_m2, config)
    return Ranged(found, ground_down_m)


def depth_of(
    depth: DepthImage, mask: Mask, detection: Detection, config: FlightConfig
) -> float | None:
    """Median depth of the detection's hero pixels, in metres; None when it is out of range.

    Each pixel of the mask reads the depth at the same place of the image, whatever the sizes of
    both. The median ignores a lamp post in front, and background at the edge.
    """
    rows, columns = pixels_of(mask, detection, config.detection.hero_threshold)
    levels = depth[
        (2 * rows + 1) * depth.shape[0] // (2 * mask.shape[0]),
        (2 * columns + 1) * depth.shape[1] // (2 * mask.shape[1]),
    ]
    levels.sort()  # a tenth of the time of `numpy.median`, and the same result
    median = (int(levels[(levels.size - 1) // 2]) + int(levels[levels.size // 2])) / 2.0
    along_m = median * DEPTH_RANGE_M / 255.0
    return along_m if 0.0 < along_m <= FARTHEST_M else None


def _on_ground(
    camera: CameraPose, detection: Detection, mask: Mask, level: GroundLevel, config: FlightConfig
) -> Measurement | None:
    """The measurement by the ground ray, with the ground at its estimated level."""
    north, east, down = camera.position_m
    above = replace(camera, position_m=(north, east, down - level.down_m))
    found = measure(above, detection, mask.shape, config.hero, config.measurement)
    if found is None:
        return None
    north, east, down = found.position_m
    return replace(found, position_m=(north, east, down + level.down_m))


def _at_range(
    camera: CameraPose,
    detection: Detection,
    mask: Mask,
    ray: Vec3,
    range_m: float,
    variance_m2: float,
    config: FlightConfig,
) -> Measurement:
    """The measurement at a distance on the line of sight, which has this variance."""
    north, east, down = (c + range_m * r for c, r in zip(camera.position_m, ray, strict=True))
    found = measurement_at(
        (north, east, down), camera, detection, mask.shape, config.hero, config.measurement
    )
    level = max(math.hypot(ray[0], ray[1]), 1e-6)
    to_north, to_east = ray[0] / level, ray[1] / level
    across_m2 = (config.measurement.direction_sigma_rad * range_m) ** 2
    along_m2 = variance_m2 * level**2
    stride_m2 = config.measurement.position_sigma_m**2
    covariance = GroundCovariance(
        n_n=stride_m2 + along_m2 * to_north**2 + across_m2 * to_east**2,
        n_e=(along_m2 - across_m2) * to_north * to_east,
        e_e=stride_m2 + along_m2 * to_east**2 + across_m2 * to_north**2,
    )
    return replace(found, covariance=covariance)


def _variance_along(measurement: Measurement, ray: Vec3, stride_m2: float) -> float:
    """Variance of the distance along the line of sight, from that of the place on the ground.

    `stride_m2` is the part of the latter that belongs to the hero, not to the distance.
    """
    level = max(math.hypot(ray[0], ray[1]), 1e-6)
    to_north, to_east = ray[0] / level, ray[1] / level
    n_n, n_e, e_e = measurement.covariance
    along_m2 = n_n * to_north**2 + 2.0 * n_e * to_north * to_east + e_e * to_east**2
    return max(along_m2 - stride_m2, 1e-4) / level**2
