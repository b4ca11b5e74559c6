"""Where the hero stands and how she moves, on the ground, and how surely: a Kalman filter.

State: north, east, and her velocity. Between sightings her velocity fades with the time constant
`memory_s` and is disturbed so that, unseen for long, she may walk at `speed_sigma_mps` in any
direction: the integrated Ornstein-Uhlenbeck process of Singer, "Estimating optimal tracking filter
performance for manned maneuvering targets" (1970), with velocity in the place of acceleration. The
belief so goes on through an occlusion, slows down, and widens no faster than she can walk.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from followme_uav.config import TrackerConfig
from followme_uav.messages import HeroEstimate, Vec3

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Fix:
    """One measurement of somebody's place on the ground."""

    place_m: Vec3
    """Of the centroid, world NED."""
    covariance_m2: Matrix
    """(2, 2), north and east."""


@dataclass(frozen=True, eq=False)
class HeroTrack:
    """Belief about the hero at `time_s`."""

    time_s: float
    position_m: Vec3
    """Her centroid, world NED."""
    velocity_mps: tuple[float, float]
    """North, east."""
    covariance: Matrix
    """(4, 4) of north, east and the velocity in both directions."""

    @property
    def ground_m(self) -> tuple[float, float]:
        """Her place, north and east."""
        return self.position_m[0], self.position_m[1]

    def estimate(self) -> HeroEstimate:
        """For the log and for viewers."""
        north_m2, east_m2 = float(self.covariance[0, 0]), float(self.covariance[1, 1])
        half_m2 = math.hypot((north_m2 - east_m2) / 2.0, float(self.covariance[0, 1]))
        worst_m2 = (north_m2 + east_m2) / 2.0 + half_m2  # the larger eigenvalue
        return HeroEstimate(
            self.position_m, (*self.velocity_mps, 0.0), math.sqrt(max(worst_m2, 0.0))
        )

    def predict(self, time_s: float, config: TrackerConfig) -> HeroTrack:
        """The belief at a later time."""
        age_s = time_s - self.time_s
        if age_s <= 0.0:
            return self
        memory_s, variance = config.memory_s, config.speed_sigma_mps**2
        fade = math.exp(-age_s / memory_s)
        walked_s = memory_s * (1.0 - fade)
        move = _in_both_directions([[1.0, walked_s], [0.0, fade]])
        place_m2 = variance * (2.0 * memory_s * age_s - memory_s**2 * (3.0 - 4.0 * fade + fade**2))
        both = variance * memory_s * (1.0 - fade) ** 2
        wander = [[place_m2, both], [both, variance * (1.0 - fade**2)]]
        (north, east, down), (north_mps, east_mps) = self.position_m, self.velocity_mps
        return HeroTrack(
            time_s=time_s,
            position_m=(north + walked_s * north_mps, east + walked_s * east_mps, down),
            velocity_mps=(fade * north_mps, fade * east_mps),
            covariance=_product(_product(move, self.covariance), move.T)
            + _in_both_directions(wander),
        )

    def turned(self, since_s: float, config: TrackerConfig) -> HeroTrack:
        """The belief if she may have turned or stopped `since_s` ago, the faster she is the more.

        People do not drift from their course as the process says: they walk straight, and then
        turn within a step.
        """
        turn_mps = config.turn_share * (math.hypot(*self.velocity_mps) + config.dawdle_mps)
        jump = turn_mps**2 * _in_both_directions([[since_s**2, since_s], [since_s, 1.0]])
        return replace(self, covariance=self.covariance + jump)

    def surprise(self, fix: Fix) -> float:
        """Squared Mahalanobis distance of a measurement: 9 is what one in 90 exceeds."""
        innovation = np.subtract(fix.place_m[:2], self.ground_m)[:, None]
        certainty = _inverse(self.covariance[:2, :2] + fix.covariance_m2)
        return float(_product(_product(innovation.T, certainty), innovation)[0, 0])


def start(time_s: float, fix: Fix, config: TrackerConfig) -> HeroTrack:
    """The belief after the first sighting: she stands there, or walks anywhere."""
    covariance = np.zeros((4, 4))
    covariance[:2, :2] = fix.covariance_m2
    covariance[2:, 2:] = config.speed_sigma_mps**2 * np.eye(2)
    return HeroTrack(time_s, fix.place_m, (0.0, 0.0), covariance)


def update(track: HeroTrack, time_s: float, fix: Fix, config: TrackerConfig) -> HeroTrack:
    """The belief after one more sighting."""
    now = track.predict(time_s, config)
    if now.surprise(fix) > config.turn_surprise:
        now = now.turned(time_s - track.time_s, config)
    innovation = np.subtract(fix.place_m[:2], now.ground_m)[:, None]
    certainty = _inverse(now.covariance[:2, :2] + fix.covariance_m2)
    gain = _product(now.covariance[:, :2], certainty)
    north_m, east_m, north_mps, east_mps = (
        float(x) for x in (*now.ground_m, *now.velocity_mps) + _product(gain, innovation)[:, 0]
    )
    speed_mps = math.hypot(north_mps, east_mps)
    scale = min(1.0, config.max_speed_mps / max(speed_mps, 1e-9))
    covariance = now.covariance - _product(gain, now.covariance[:2, :])
    return replace(
        now,
        position_m=(north_m, east_m, fix.place_m[2]),
        velocity_mps=(scale * north_mps, scale * east_mps),
        covariance=(covariance + covariance.T) / 2.0,
    )


def _in_both_directions(of_one: list[list[float]]) -> Matrix:
    """(4, 4) from what holds for place and velocity in one direction, (2, 2)."""
    matrix = np.zeros((4, 4))
    matrix[0::2, 0::2] = matrix[1::2, 1::2] = of_one
    return matrix


def _product(first: Matrix, second: Matrix) -> Matrix:
    """Of matrices. NumPy's own, BLAS, rounds differently on different processors.

    A replay shall come to the same numbers as the flight, to the last bit.
    """
    product: Matrix = (first[:, :, None] * second[None]).sum(axis=1)
    return product


def _inverse(matrix: Matrix) -> Matrix:
    """Of a (2, 2) matrix."""
    (a, b), (c, d) = matrix
    return np.array([[d, -b], [-c, a]]) / (a * d - b * c)
