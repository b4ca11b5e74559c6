"""The track of the hero: position and velocity on the ground, a Kalman filter.

State: north, east, and the velocity. Without measurements the velocity decays with the time
constant `velocity_memory_s` and is disturbed such that, after a long time, the hero may walk at
`speed_sigma_mps` in any direction: the integrated Ornstein-Uhlenbeck process of Singer, "Estimating
optimal tracking filter performance for manned maneuvering targets" (1970), with velocity in the
place of acceleration. During an occlusion the predicted track slows down and widens no faster than
a person walks.

The matrices are written out as plain numbers. They are so small that NumPy takes ten times as long,
and BLAS may round differently on another processor, where a replay must reproduce the flight to the
last bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from followme_uav.config import TrackConfig
from followme_uav.messages import GroundCovariance, Measurement, TrackEstimate, Vec3


class Covariance(NamedTuple):
    """Upper half of the symmetric covariance of position (n, e) and velocity (vn, ve)."""

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
class Track:
    """State of the filter at `time_s`."""

    time_s: float
    position_m: Vec3
    """Of the hero's centroid, world NED."""
    velocity_mps: tuple[float, float]
    """North, east."""
    covariance: Covariance

    @property
    def ground_m(self) -> tuple[float, float]:
        """Position, north and east."""
        return self.position_m[0], self.position_m[1]

    def estimate(self) -> TrackEstimate:
        """The track as logs and viewers show it."""
        c = self.covariance
        half_m2 = math.hypot((c.n_n - c.e_e) / 2.0, c.n_e)
        worst_m2 = (c.n_n + c.e_e) / 2.0 + half_m2  # the larger eigenvalue
        return TrackEstimate(
            self.position_m, (*self.velocity_mps, 0.0), math.sqrt(max(worst_m2, 0.0))
        )

    def predict(self, time_s: float, config: TrackConfig) -> Track:
        """The track at a later time; the same track for an earlier one.

        Along each axis, position and velocity are multiplied by (1, walked; 0, fade), and the
        process noise (place, both; both, speed) is added to their covariance.
        """
        age_s = time_s - self.time_s
        if age_s <= 0.0:
            return self
        memory_s, variance = config.velocity_memory_s, config.speed_sigma_mps**2
        fade = math.exp(-age_s / memory_s)
        walked_s = memory_s * (1.0 - fade)
        place = variance * (2.0 * memory_s * age_s - memory_s**2 * (3.0 - 4.0 * fade + fade**2))
        both = variance * memory_s * (1.0 - fade) ** 2
        speed = variance * (1.0 - fade**2)
        n_n, n_e, e_e, n_vn, n_ve, e_vn, e_ve, vn_vn, vn_ve, ve_ve = self.covariance
        (north, east, down), (north_mps, east_mps) = self.position_m, self.velocity_mps
        return Track(
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

    def with_possible_turn(self, since_s: float, config: TrackConfig) -> Track:
        """The track if the hero may have turned or stopped `since_s` ago.

        People do not drift from their course as the process noise says: they walk straight, and
        then turn within one step. The uncertainty added grows with the speed.
        """
        turn_mps = config.turn_share * (math.hypot(*self.velocity_mps) + config.turn_extra_mps)
        speed = turn_mps**2
        both, place = speed * since_s, speed * since_s**2
        n_n, n_e, e_e, n_vn, n_ve, e_vn, e_ve, vn_vn, vn_ve, ve_ve = self.covariance
        return Track(
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

    def mahalanobis_sq(self, measurement: Measurement) -> float:
        """Squared Mahalanobis distance of a measurement; one in 90 exceeds 9."""
        north_m, east_m = self._innovation_m(measurement)
        n_n, n_e, e_e = self._inverse_innovation_covariance(measurement)
        return north_m * (n_n * north_m + n_e * east_m) + east_m * (n_e * north_m + e_e * east_m)

    def corrected(self, measurement: Measurement, config: TrackConfig) -> Track:
        """The track after a measurement at the same time: the Kalman update."""
        north_m, east_m = self._innovation_m(measurement)
        inverse_n, inverse_n_e, inverse_e = self._inverse_innovation_covariance(measurement)
        n_n, n_e, e_e, n_vn, n_ve, e_vn, e_ve, vn_vn, vn_ve, ve_ve = self.covariance

        def gain(with_n: float, with_e: float) -> tuple[float, float]:
            """Kalman gain for the innovations north and east."""
            return (
                with_n * inverse_n + with_e * inverse_n_e,
                with_n * inverse_n_e + with_e * inverse_e,
            )

        n, e, vn, ve = gain(n_n, n_e), gain(n_e, e_e), gain(n_vn, e_vn), gain(n_ve, e_ve)
        north_mps = self.velocity_mps[0] + vn[0] * north_m + vn[1] * east_m
        east_mps = self.velocity_mps[1] + ve[0] * north_m + ve[1] * east_m
        scale = min(1.0, config.max_speed_mps / max(math.hypot(north_mps, east_mps), 1e-9))
        return Track(
            time_s=self.time_s,
            position_m=(
                self.position_m[0] + n[0] * north_m + n[1] * east_m,
                self.position_m[1] + e[0] * north_m + e[1] * east_m,
                measurement.position_m[2],
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

    def _innovation_m(self, measurement: Measurement) -> tuple[float, float]:
        """Measurement minus predicted position, north and east."""
        return measurement.position_m[0] - self.position_m[0], measurement.position_m[
            1
        ] - self.position_m[1]

    def _inverse_innovation_covariance(self, measurement: Measurement) -> GroundCovariance:
        n_n = self.covariance.n_n + measurement.covariance.n_n
        n_e = self.covariance.n_e + measurement.covariance.n_e
        e_e = self.covariance.e_e + measurement.covariance.e_e
        determinant = n_n * e_e - n_e * n_e
        return GroundCovariance(e_e / determinant, -n_e / determinant, n_n / determinant)


def start_track(time_s: float, measurement: Measurement, config: TrackConfig) -> Track:
    """A track from its first measurement: at rest, with the velocity of a person unknown."""
    speed = config.speed_sigma_mps**2
    covariance = Covariance(*measurement.covariance, 0.0, 0.0, 0.0, 0.0, speed, 0.0, speed)
    return Track(time_s, measurement.position_m, (0.0, 0.0), covariance)


def update_track(
    track: Track, time_s: float, measurement: Measurement, config: TrackConfig
) -> Track:
    """The track after one more measurement.

    A squared Mahalanobis distance above `turn_gate` means that the hero has turned.
    """
    now = track.predict(time_s, config)
    if now.mahalanobis_sq(measurement) > config.turn_gate:
        now = now.with_possible_turn(time_s - track.time_s, config)
    return now.corrected(measurement, config)
