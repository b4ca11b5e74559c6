"""Where the hero stands and how she moves, on the ground, and how surely: a Kalman filter.

State: north, east, and her velocity. Between sightings her velocity fades with the time constant
`memory_s` and is disturbed so that, unseen for long, she may walk at `speed_sigma_mps` in any
direction: the integrated Ornstein-Uhlenbeck process of Singer, "Estimating optimal tracking filter
performance for manned maneuvering targets" (1970), with velocity in the place of acceleration. The
belief so goes on through an occlusion, slows down, and widens no faster than she can walk.

The matrices are written out, in plain numbers: they are so small that a library of matrices takes
ten times as long, and it may round otherwise on another processor (BLAS does), where a replay shall
come to the same numbers as the flight, to the last bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from followme_uav.config import TrackerConfig
from followme_uav.messages import HeroEstimate, Vec3


class PlaceCovariance(NamedTuple):
    """How surely a place is known, m²: a symmetric matrix of north and east."""

    n_n: float
    n_e: float
    e_e: float


@dataclass(frozen=True)
class Fix:
    """One measurement of somebody's place on the ground."""

    place_m: Vec3
    """Of the centroid, world NED."""
    covariance: PlaceCovariance


class Covariance(NamedTuple):
    """Of place (n, e) and velocity (vn, ve), north and east: a symmetric matrix, so half of it."""

    n_n: float
    n_e: float
    e_e: float
    n_vn: float
    n_ve: float
    e_vn: float
    e_ve: float
    vn_vn: float
    vn_ve: float
    ve_ve: float


@dataclass(frozen=True)
class HeroTrack:
    """Belief about the hero at `time_s`."""

    time_s: float
    position_m: Vec3
    """Her centroid, world NED."""
    velocity_mps: tuple[float, float]
    """North, east."""
    covariance: Covariance

    @property
    def ground_m(self) -> tuple[float, float]:
        """Her place, north and east."""
        return self.position_m[0], self.position_m[1]

    def estimate(self) -> HeroEstimate:
        """For the log and for viewers."""
        c = self.covariance
        half_m2 = math.hypot((c.n_n - c.e_e) / 2.0, c.n_e)
        worst_m2 = (c.n_n + c.e_e) / 2.0 + half_m2  # the larger eigenvalue
        return HeroEstimate(
            self.position_m, (*self.velocity_mps, 0.0), math.sqrt(max(worst_m2, 0.0))
        )

    def predict(self, time_s: float, config: TrackerConfig) -> HeroTrack:
        """The belief at a later time.

        In each direction place and velocity go on as (1, walked; 0, fade) times what they were,
        and are disturbed by (place, both; both, speed).
        """
        age_s = time_s - self.time_s
        if age_s <= 0.0:
            return self
        memory_s, variance = config.memory_s, config.speed_sigma_mps**2
        fade = math.exp(-age_s / memory_s)
        walked_s = memory_s * (1.0 - fade)
        place = variance * (2.0 * memory_s * age_s - memory_s**2 * (3.0 - 4.0 * fade + fade**2))
        both = variance * memory_s * (1.0 - fade) ** 2
        speed = variance * (1.0 - fade**2)
        n_n, n_e, e_e, n_vn, n_ve, e_vn, e_ve, vn_vn, vn_ve, ve_ve = self.covariance
        (north, east, down), (north_mps, east_mps) = self.position_m, self.velocity_mps
        return HeroTrack(
            time_s=time_s,
            position_m=(north + walked_s * north_mps, east + walked_s * east_mps, down),
            velocity_mps=(fade * north_mps, fade * east_mps),
            covariance=Covariance(
                n_n=n_n + walked_s * (2.0 * n_vn + walked_s * vn_vn) + place,
                n_e=n_e + walked_s * (n_ve + e_vn + walked_s * vn_ve),
                e_e=e_e + walked_s * (2.0 * e_ve + walked_s * ve_ve) + place,
                n_vn=fade * (n_vn + walked_s * vn_vn) + both,
                n_ve=fade * (n_ve + walked_s * vn_ve),
                e_vn=fade * (e_vn + walked_s * vn_ve),
                e_ve=fade * (e_ve + walked_s * ve_ve) + both,
                vn_vn=fade**2 * vn_vn + speed,
                vn_ve=fade**2 * vn_ve,
                ve_ve=fade**2 * ve_ve + speed,
            ),
        )

    def turned(self, since_s: float, config: TrackerConfig) -> HeroTrack:
        """The belief if she may have turned or stopped `since_s` ago, the faster she is the more.

        People do not drift from their course as the process says: they walk straight, and then
        turn within a step.
        """
        turn_mps = config.turn_share * (math.hypot(*self.velocity_mps) + config.dawdle_mps)
        speed = turn_mps**2
        both, place = speed * since_s, speed * since_s**2
        n_n, n_e, e_e, n_vn, n_ve, e_vn, e_ve, vn_vn, vn_ve, ve_ve = self.covariance
        return HeroTrack(
            time_s=self.time_s,
            position_m=self.position_m,
            velocity_mps=self.velocity_mps,
            covariance=Covariance(
                n_n=n_n + place,
                n_e=n_e,
                e_e=e_e + place,
                n_vn=n_vn + both,
                n_ve=n_ve,
                e_vn=e_vn,
                e_ve=e_ve + both,
                vn_vn=vn_vn + speed,
                vn_ve=vn_ve,
                ve_ve=ve_ve + speed,
            ),
        )

    def surprise(self, fix: Fix) -> float:
        """Squared Mahalanobis distance of a measurement: 9 is what one in 90 exceeds."""
        north_m, east_m = self._innovation_m(fix)
        n_n, n_e, e_e = self._certainty(fix)
        return north_m * (n_n * north_m + n_e * east_m) + east_m * (n_e * north_m + e_e * east_m)

    def updated(self, fix: Fix, config: TrackerConfig) -> HeroTrack:
        """The belief after a measurement at this very time: Kalman's."""
        north_m, east_m = self._innovation_m(fix)
        certain_n, certain_n_e, certain_e = self._certainty(fix)
        n_n, n_e, e_e, n_vn, n_ve, e_vn, e_ve, vn_vn, vn_ve, ve_ve = self.covariance

        def gain(with_n: float, with_e: float) -> tuple[float, float]:
            """By how much something follows north and east, given its covariances with them."""
            return (
                with_n * certain_n + with_e * certain_n_e,
                with_n * certain_n_e + with_e * certain_e,
            )

        n, e, vn, ve = gain(n_n, n_e), gain(n_e, e_e), gain(n_vn, e_vn), gain(n_ve, e_ve)
        north_mps = self.velocity_mps[0] + vn[0] * north_m + vn[1] * east_m
        east_mps = self.velocity_mps[1] + ve[0] * north_m + ve[1] * east_m
        scale = min(1.0, config.max_speed_mps / max(math.hypot(north_mps, east_mps), 1e-9))
        return HeroTrack(
            time_s=self.time_s,
            position_m=(
                self.position_m[0] + n[0] * north_m + n[1] * east_m,
                self.position_m[1] + e[0] * north_m + e[1] * east_m,
                fix.place_m[2],
            ),
            velocity_mps=(scale * north_mps, scale * east_mps),
            covariance=Covariance(
                n_n=n_n - n[0] * n_n - n[1] * n_e,
                n_e=n_e - n[0] * n_e - n[1] * e_e,
                e_e=e_e - e[0] * n_e - e[1] * e_e,
                n_vn=n_vn - n[0] * n_vn - n[1] * e_vn,
                n_ve=n_ve - n[0] * n_ve - n[1] * e_ve,
                e_vn=e_vn - e[0] * n_vn - e[1] * e_vn,
                e_ve=e_ve - e[0] * n_ve - e[1] * e_ve,
                vn_vn=vn_vn - vn[0] * n_vn - vn[1] * e_vn,
                vn_ve=vn_ve - vn[0] * n_ve - vn[1] * e_ve,
                ve_ve=ve_ve - ve[0] * n_ve - ve[1] * e_ve,
            ),
        )

    def _innovation_m(self, fix: Fix) -> tuple[float, float]:
        """How far north and east of the belief the measurement is."""
        return fix.place_m[0] - self.position_m[0], fix.place_m[1] - self.position_m[1]

    def _certainty(self, fix: Fix) -> PlaceCovariance:
        """Inverse of the innovation's covariance."""
        n_n = self.covariance.n_n + fix.covariance.n_n
        n_e = self.covariance.n_e + fix.covariance.n_e
        e_e = self.covariance.e_e + fix.covariance.e_e
        determinant = n_n * e_e - n_e * n_e
        return PlaceCovariance(e_e / determinant, -n_e / determinant, n_n / determinant)


def start(time_s: float, fix: Fix, config: TrackerConfig) -> HeroTrack:
    """The belief after the first sighting: she stands there, or walks anywhere."""
    speed = config.speed_sigma_mps**2
    covariance = Covariance(*fix.covariance, 0.0, 0.0, 0.0, 0.0, speed, 0.0, speed)
    return HeroTrack(time_s, fix.place_m, (0.0, 0.0), covariance)


def update(track: HeroTrack, time_s: float, fix: Fix, config: TrackerConfig) -> HeroTrack:
    """The belief after one more sighting."""
    now = track.predict(time_s, config)
    if now.surprise(fix) > config.turn_surprise:
        now = now.turned(time_s - track.time_s, config)
    return now.updated(fix, config)
