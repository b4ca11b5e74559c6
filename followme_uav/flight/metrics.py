"""How good a flight was, from its entries: the same numbers live, from a scenario and from a log.

An entry's state, observation and truth hold until the next entry, so shares of time are weighted
with the time between frames. What compares with the truth is None when the simulator tells none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from followme_uav.config import FlightConfig
from followme_uav.flight.hero_truth import is_hero, is_in_view
from followme_uav.geometry import aspect_of, pixel_of_point
from followme_uav.log.entry import FlightEntry
from followme_uav.messages import GroundTruth, Manoeuvre, MissionState
from followme_uav.pilot.contact import ContactJudge

CENTRED = 0.4
"""|u| and |v| of a centred hero: 20 % of the image's size, which is 2 in these coordinates."""

DISTANCE_TOLERANCE = 0.3
"""Share of the wanted distance by which a tracked hero may be nearer or further."""

_ENDING = (MissionState.LAND, MissionState.DONE)


@dataclass(frozen=True)
class FlightMetrics:
    """What a flight is judged by."""

    acquire_s: float | None
    """From the first frame to the first FOLLOW of the true hero; None if that never was."""
    in_view: float | None
    """Share of the time from then until LAND with the hero in the camera's image."""
    tracked: float | None
    """Share of that time with the hero near the image's centre and at the wanted distance."""
    followed_s: float
    """Time in FOLLOW, whoever it was: needs no truth."""
    losses: int
    """How often FOLLOW of the acquired hero ended other than in LAND."""
    reacquire_s: list[float]
    """Time from each loss to the next FOLLOW of the true hero; none for a loss never mended."""
    reacquire_visible_s: list[float]
    """The same from the first frame after each loss that shows her: what the pilot could do."""
    judged_s: float
    """The time that `in_view` and `tracked` are shares of."""
    wrong_target_s: float | None
    """Time in FOLLOW with an observation that is not the hero."""
    collisions: int
    """How often the simulator began to report a contact other than the ground's."""
    min_clearance_m: float | None
    """Smallest distance to an obstacle between TAKEOFF and LAND."""
    command_rate: float | None
    """Roughness: rms of the change of commanded velocity per second, in m/s^2, while under way."""
    loop_p50_ms: float | None
    """Median of the time from frame received to command sent."""
    loop_p99_ms: float | None
    """99th percentile of the same."""
    flight_s: float
    """Simulation time from the first frame to the last."""
    frames: int
    final_state: str | None
    landed: bool
    """The mission is done, and the vehicle as low as its landing counts as complete."""
    real_time_factor: float | None
    """Simulation time over wall-clock time; None when the caller does not tell the latter."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


class MetricsAccumulator:
    """Takes the entries of one flight in order and knows its metrics at any time.

    Args:
        config: The flight's configuration; it has the wanted distance and the hero's height.
    """

    def __init__(self, config: FlightConfig) -> None:
        self._wanted_distance_m = config.control.wanted_distance_m
        self._centroid_height_m = config.hero.centroid_height_m
        self._landed_altitude_m = config.mission.landed_altitude_m
        self._first_s = 0.0
        self._start_down_m = 0.0
        self._last: FlightEntry | None = None
        self._last_hit = False
        self._frames = 0
        self._has_truth = False
        self._acquired_s: float | None = None
        self._judged_s = self._in_view_s = self._tracked_s = self._wrong_s = 0.0
        self._followed_s = 0.0
        self._losses = 0
        self._lost_s: float | None = None
        self._visible_s: float | None = None
        """When she was first in the image after the loss."""
        self._reacquire_s: list[float] = []
        self._reacquire_visible_s: list[float] = []
        self._collisions = 0
        self._contacts = ContactJudge(config.mission)
        self._collided = False
        self._clearance_m = math.inf
        self._rates_squared: list[float] = []
        self._loop_ms: list[float] = []

    def add(self, entry: FlightEntry) -> None:
        """Take the next entry."""
        time_s = entry.frame.time_s
        last = self._last
        if last is None:
            self._first_s = time_s
            self._start_down_m = entry.frame.vehicle.position_m[2]
        else:
            self._pass_time(last, time_s - last.frame.time_s)
            self._compare(last, entry)
        hit = _follows_hero(entry)
        is_out = self._lost_s is not None and self._visible_s is None
        if is_out and entry.truth is not None and is_in_view(entry.truth):
            self._visible_s = time_s
        self._judge_target(entry, hit)
        if entry.truth is not None:
            self._has_truth = True
            if entry.step.state not in (MissionState.TAKEOFF, *_ENDING):
                self._clearance_m = min(self._clearance_m, entry.truth.clearance_m)
        collided_before = self._collided
        self._collided = self._contacts.is_collision(entry.frame.vehicle, entry.step.state)
        self._collisions += self._collided and not collided_before
        self._loop_ms.append(entry.timings.total_ms)
        self._frames += 1
        self._last, self._last_hit = entry, hit

    @property
    def since_acquired_s(self) -> float:
        """Time since the hero was first followed; 0 before."""
        if self._acquired_s is None or self._last is None:
            return 0.0
        return self._last.frame.time_s - self._acquired_s

    def result(self, wall_s: float | None = None) -> FlightMetrics:
        """The metrics so far; `wall_s` is the wall-clock time of the same span."""
        flight_s = self._last.frame.time_s - self._first_s if self._last else 0.0
        judged = self._judged_s > 0.0
        p50, p99 = np.percentile(self._loop_ms, (50, 99)) if self._loop_ms else (None, None)
        rates = self._rates_squared
        return FlightMetrics(
            acquire_s=None if self._acquired_s is None else self._acquired_s - self._first_s,
            in_view=self._in_view_s / self._judged_s if judged else None,
            tracked=self._tracked_s / self._judged_s if judged else None,
            followed_s=self._followed_s,
            losses=self._losses,
            reacquire_s=list(self._reacquire_s),
            reacquire_visible_s=list(self._reacquire_visible_s),
            judged_s=self._judged_s,
            wrong_target_s=self._wrong_s if self._has_truth else None,
            collisions=self._collisions,
            min_clearance_m=self._clearance_m if math.isfinite(self._clearance_m) else None,
            command_rate=math.sqrt(sum(rates) / len(rates)) if rates else None,
            loop_p50_ms=None if p50 is None else float(p50),
            loop_p99_ms=None if p99 is None else float(p99),
            flight_s=flight_s,
            frames=self._frames,
            final_state=self._last.step.state.value if self._last else None,
            landed=self._landed(),
            real_time_factor=flight_s / wall_s if wall_s else None,
        )

    def _landed(self) -> bool:
        last = self._last
        if last is None or last.step.state is not MissionState.DONE:
            return False
        altitude_m = self._start_down_m - last.frame.vehicle.position_m[2]
        return altitude_m < self._landed_altitude_m

    def _pass_time(self, entry: FlightEntry, duration_s: float) -> None:
        """Count the time for which `entry` was the latest."""
        state = entry.step.state
        self._followed_s += duration_s * (state is MissionState.FOLLOW)
        if entry.truth is None:
            return
        if state is MissionState.FOLLOW and entry.step.detection and not self._last_hit:
            self._wrong_s += duration_s
        if self._acquired_s is not None and state not in _ENDING:
            self._judged_s += duration_s
            self._in_view_s += duration_s * is_in_view(entry.truth)
            self._tracked_s += duration_s * self._is_tracked(entry, entry.truth)

    def _compare(self, last: FlightEntry, entry: FlightEntry) -> None:
        """Count what lies between two entries: changes of command, the loss of the hero."""
        dt_s = entry.frame.time_s - last.frame.time_s
        before, after = last.step.command, entry.step.command
        under_way = before.manoeuvre is after.manoeuvre is Manoeuvre.VELOCITY
        if under_way and dt_s > 0.0:
            change_mps = math.dist(before.velocity_mps, after.velocity_mps)
            self._rates_squared.append((change_mps / dt_s) ** 2)
        if (
            self._acquired_s is not None
            and self._lost_s is None
            and last.step.state is MissionState.FOLLOW
            and entry.step.state not in (MissionState.FOLLOW, *_ENDING)
        ):
            self._losses += 1
            self._lost_s = entry.frame.time_s
            self._visible_s = None

    def _judge_target(self, entry: FlightEntry, hit: bool) -> None:
        if not hit:
            return
        time_s = entry.frame.time_s
        if self._acquired_s is None:
            self._acquired_s = time_s
        if self._lost_s is not None:
            self._reacquire_s.append(time_s - self._lost_s)
            visible_s = time_s if self._visible_s is None else self._visible_s
            self._reacquire_visible_s.append(time_s - visible_s)
            self._lost_s = None

    def _is_tracked(self, entry: FlightEntry, truth: GroundTruth) -> bool:
        north, east, down = truth.hero_position_m
        hero_m = (north, east, down - self._centroid_height_m)
        seen = pixel_of_point(entry.frame.camera, hero_m, aspect_of(truth.mask.shape))
        if seen is None:
            return False
        u, v, _ = seen
        error_m = math.dist(hero_m, entry.frame.camera.position_m) - self._wanted_distance_m
        near = abs(error_m) <= DISTANCE_TOLERANCE * self._wanted_distance_m
        return near and abs(u) <= CENTRED and abs(v) <= CENTRED


def metrics_of(
    entries: Iterable[FlightEntry], config: FlightConfig, wall_s: float | None = None
) -> FlightMetrics:
    """The metrics of a whole flight."""
    accumulator = MetricsAccumulator(config)
    for entry in entries:
        accumulator.add(entry)
    return accumulator.result(wall_s)


def _follows_hero(entry: FlightEntry) -> bool:
    step = entry.step
    return (
        step.state is MissionState.FOLLOW
        and step.detection is not None
        and entry.truth is not None
        and is_hero(step.detection, entry.truth.mask)
    )
