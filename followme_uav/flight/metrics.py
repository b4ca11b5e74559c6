"""Measures the quality of a flight from its entries: in flight, in a scenario, or from a log.

Metrics that compare with ground truth are None where the simulator offers none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from followme_uav.config import FlightConfig
from followme_uav.flight.metric_parts import (
    Acquisition,
    Clearance,
    Collisions,
    CommandRoughness,
    Coverage,
    FlightSpan,
    FollowTime,
    LoopTimes,
    Losses,
    Metric,
    Moment,
    TrackingShares,
    moment_of,
)
from followme_uav.log.entry import FlightEntry


@dataclass(frozen=True)
class FlightMetrics:
    """The quality of a flight."""

    acquire_s: float | None
    """From the first frame to the first FOLLOW of the true hero; None if there was none."""
    in_view: float | None
    """Share of the time from then until LAND with the hero in the camera's image."""
    tracked: float | None
    """Share of that time with the hero near the image's centre and at the wanted distance."""
    followed_s: float
    """Time in FOLLOW, of the hero or of another person: needs no truth."""
    losses: int
    """How often FOLLOW of the acquired hero ended other than in LAND."""
    reacquire_s: list[float]
    """Time from each loss to the next FOLLOW of the true hero, where there is one."""
    reacquire_visible_s: list[float]
    """The same from the first frame after each loss that shows the hero: the pilot's share."""
    judged_s: float
    """The time that `in_view` and `tracked` are shares of."""
    wrong_target_s: float | None
    """Time in FOLLOW with a detection that is not the hero."""
    collisions: int
    """How often the simulator began to report a contact other than with the ground."""
    min_clearance_m: float | None
    """Smallest distance to an obstacle between TAKEOFF and LAND."""
    viewed_m2: float | None
    """Ground inside the geofence that a flight without a map has looked at; else None."""
    command_rate: float | None
    """RMS of the change of commanded velocity per second, in m/s^2."""
    loop_p50_ms: float | None
    """Median of the time from frame received to command sent."""
    loop_p99_ms: float | None
    """99th percentile of the same."""
    flight_s: float
    """Simulation time from the first frame to the last."""
    frames: int
    final_state: str | None
    landed: bool
    """The mission is done, and the vehicle is as low as a complete landing requires."""
    real_time_factor: float | None
    """Simulation time over wall-clock time; None where the latter is not known."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


class MetricsAccumulator:
    """Takes the entries of one flight in order; the metrics so far are available at any time.

    Args:
        config: The flight's configuration, for the wanted distance and the hero's height.
    """

    def __init__(self, config: FlightConfig) -> None:
        self._last: Moment | None = None
        self._span = FlightSpan(config)
        self._acquisition = Acquisition()
        self._shares = TrackingShares(config)
        self._follow = FollowTime()
        self._losses = Losses()
        self._collisions = Collisions(config)
        self._clearance = Clearance()
        self._coverage = Coverage()
        self._roughness = CommandRoughness()
        self._loop_times = LoopTimes()
        self._metrics: tuple[Metric, ...] = (
            self._span,
            self._acquisition,
            self._shares,
            self._follow,
            self._losses,
            self._collisions,
            self._clearance,
            self._coverage,
            self._roughness,
            self._loop_times,
        )

    def add(self, entry: FlightEntry) -> None:
        """Take the next entry."""
        now = moment_of(entry)
        for metric in self._metrics:
            metric.update(self._last, now)
        self._last = now

    @property
    def since_acquired_s(self) -> float:
        """Time since the hero was first followed; 0 before."""
        acquired_s = self._acquisition.acquired_s
        if acquired_s is None or self._last is None:
            return 0.0
        return self._last.time_s - acquired_s

    def result(self, wall_s: float | None = None) -> FlightMetrics:
        """Return the metrics so far; `wall_s` is the wall-clock time of the same span."""
        span, shares, losses = self._span, self._shares, self._losses
        acquired_s, state = self._acquisition.acquired_s, span.final_state
        p50_ms, p99_ms = self._loop_times.percentiles_ms()
        return FlightMetrics(
            acquire_s=None if acquired_s is None else acquired_s - span.first_s,
            in_view=shares.share(shares.in_view_s),
            tracked=shares.share(shares.tracked_s),
            followed_s=self._follow.followed_s,
            losses=losses.count,
            reacquire_s=list(losses.reacquire_s),
            reacquire_visible_s=list(losses.reacquire_visible_s),
            judged_s=shares.judged_s,
            wrong_target_s=self._follow.wrong_s if self._follow.has_truth else None,
            collisions=self._collisions.count,
            min_clearance_m=self._clearance.min_m(),
            viewed_m2=self._coverage.viewed_m2,
            command_rate=self._roughness.rms_mps2(),
            loop_p50_ms=p50_ms,
            loop_p99_ms=p99_ms,
            flight_s=span.duration_s,
            frames=span.frames,
            final_state=None if state is None else state.value,
            landed=span.has_landed,
            real_time_factor=span.duration_s / wall_s if wall_s else None,
        )


def metrics_of(
    entries: Iterable[FlightEntry], config: FlightConfig, wall_s: float | None = None
) -> FlightMetrics:
    """Compute the metrics of a whole flight."""
    accumulator = MetricsAccumulator(config)
    for entry in entries:
        accumulator.add(entry)
    return accumulator.result(wall_s)
