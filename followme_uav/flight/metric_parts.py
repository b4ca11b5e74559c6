"""The single metrics of a flight, each of which takes the entries in order.

An entry's state, detection and truth hold until the next entry, so shares of time are weighted with
the time between frames.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

import numpy as np

from followme_uav.config import FlightConfig
from followme_uav.flight.hero_truth import is_hero, is_in_view
from followme_uav.geometry import aspect_of, pixel_of_point
from followme_uav.ground import Altimeter, Ground
from followme_uav.log.entry import FlightEntry
from followme_uav.messages import GroundTruth, Manoeuvre, MissionState
from followme_uav.pilot.contact import ContactJudge

CENTRED = 0.4
"""|u| and |v| of a centred hero: 20 % of the image's size, which is 2 in these coordinates."""

DISTANCE_TOLERANCE = 0.3
"""Permitted error of a tracked hero's distance, as a share of the wanted distance."""

ENDING = (MissionState.LAND, MissionState.DONE)


class Moment(NamedTuple):
    """One entry, with the values that several metrics need."""

    entry: FlightEntry
    time_s: float
    """Time of the frame."""
    state: MissionState
    """The mission state after the frame."""
    follows_hero: bool
    """The state is FOLLOW, and the selected detection is the hero."""

    @property
    def shows_hero(self) -> bool:
        """The hero is visible in the image."""
        return self.entry.truth is not None and is_in_view(self.entry.truth)


def moment_of(entry: FlightEntry) -> Moment:
    """Compare an entry with its ground truth."""
    step, truth = entry.step, entry.truth
    follows_hero = (
        step.state is MissionState.FOLLOW
        and step.detection is not None
        and truth is not None
        and is_hero(step.detection, truth.mask)
    )
    return Moment(entry, entry.frame.time_s, step.state, follows_hero)


class Metric(Protocol):
    """One metric, updated with every entry."""

    def update(self, before: Moment | None, now: Moment) -> None:
        """Take the next entry, together with the one before."""
        ...


class Acquisition:
    """The first FOLLOW of the true hero.

    Attributes:
        acquired_s: Time of that frame; None until then.
    """

    def __init__(self) -> None:
        self.acquired_s: float | None = None

    def update(self, before: Moment | None, now: Moment) -> None:
        """See `Metric`."""
        if self.acquired_s is None and now.follows_hero:
            self.acquired_s = now.time_s


class TrackingShares:
    """Shares of the time from acquisition to landing.

    Attributes:
        judged_s: The time that the shares refer to.
        in_view_s: Time with the hero in the image.
        tracked_s: Time with the hero near the image's centre and at the wanted distance.
    """

    def __init__(self, config: FlightConfig) -> None:
        self.judged_s = self.in_view_s = self.tracked_s = 0.0
        self._wanted_distance_m = config.control.wanted_distance_m
        self._centroid_height_m = config.hero.centroid_height_m
        self._is_acquired = False

    def update(self, before: Moment | None, now: Moment) -> None:
        """See `Metric`."""
        if before is None:
            return
        self._is_acquired = self._is_acquired or before.follows_hero
        truth = before.entry.truth
        if truth is None or not self._is_acquired or before.state in ENDING:
            return
        duration_s = now.time_s - before.time_s
        self.judged_s += duration_s
        self.in_view_s += duration_s * before.shows_hero
        self.tracked_s += duration_s * self._is_tracked(before.entry, truth)

    def share(self, time_s: float) -> float | None:
        """Share of the judged time; None when there is none."""
        return time_s / self.judged_s if self.judged_s > 0.0 else None

    def _is_tracked(self, entry: FlightEntry, truth: GroundTruth) -> bool:
        north, east, down = truth.hero_position_m
        hero_m = (north, east, down - self._centroid_height_m)
        pixel = pixel_of_point(entry.frame.camera, hero_m, aspect_of(truth.mask.shape))
        if pixel is None:
            return False
        u, v, _ = pixel
        error_m = math.dist(hero_m, entry.frame.camera.position_m) - self._wanted_distance_m
        is_near = abs(error_m) <= DISTANCE_TOLERANCE * self._wanted_distance_m
        return is_near and abs(u) <= CENTRED and abs(v) <= CENTRED


class FollowTime:
    """Time in FOLLOW.

    Attributes:
        followed_s: In total, right or wrong.
        wrong_s: With a detection that is not the hero, as far as the simulator offers truth.
        has_truth: The simulator has offered truth.
    """

    def __init__(self) -> None:
        self.followed_s = self.wrong_s = 0.0
        self.has_truth = False

    def update(self, before: Moment | None, now: Moment) -> None:
        """See `Metric`."""
        self.has_truth = self.has_truth or now.entry.truth is not None
        if before is None or before.state is not MissionState.FOLLOW:
            return
        duration_s = now.time_s - before.time_s
        self.followed_s += duration_s
        is_judged = before.entry.truth is not None and before.entry.step.detection is not None
        if is_judged and not before.follows_hero:
            self.wrong_s += duration_s


class Losses:
    """Ends of FOLLOW of the acquired hero other than in LAND, and the times to FOLLOW it again.

    Attributes:
        count: Number of losses.
        reacquire_s: Time from each loss to the next FOLLOW of the hero, where there is one.
        reacquire_visible_s: The same from the first frame after the loss that shows the hero.
    """

    def __init__(self) -> None:
        self.count = 0
        self.reacquire_s: list[float] = []
        self.reacquire_visible_s: list[float] = []
        self._is_acquired = False
        self._lost_s: float | None = None
        self._visible_s: float | None = None
        """Time of the first frame after the loss that shows the hero."""

    def update(self, before: Moment | None, now: Moment) -> None:
        """See `Metric`."""
        if before is not None and self._is_acquired and self._lost_s is None:
            was_following = before.state is MissionState.FOLLOW
            if was_following and now.state not in (MissionState.FOLLOW, *ENDING):
                self.count += 1
                self._lost_s, self._visible_s = now.time_s, None
        if self._lost_s is not None and self._visible_s is None and now.shows_hero:
            self._visible_s = now.time_s
        if now.follows_hero:
            self._end_loss(now.time_s)

    def _end_loss(self, now_s: float) -> None:
        self._is_acquired = True
        if self._lost_s is not None:
            visible_s = now_s if self._visible_s is None else self._visible_s
            self.reacquire_s.append(now_s - self._lost_s)
            self.reacquire_visible_s.append(now_s - visible_s)
            self._lost_s = None


class Collisions:
    """Contacts other than with the ground.

    Attributes:
        count: How often such a contact began.
    """

    def __init__(self, config: FlightConfig) -> None:
        self.count = 0
        self._judge = ContactJudge(config.mission, Ground(config.simulator.ground))
        self._is_colliding = False

    def update(self, before: Moment | None, now: Moment) -> None:
        """See `Metric`."""
        was_colliding = self._is_colliding
        self._is_colliding = self._judge.is_collision(now.entry.frame.vehicle, now.state)
        self.count += self._is_colliding and not was_colliding


class Clearance:
    """The smallest distance to an obstacle between TAKEOFF and LAND."""

    def __init__(self) -> None:
        self._min_m = math.inf

    def update(self, before: Moment | None, now: Moment) -> None:
        """See `Metric`."""
        truth = now.entry.truth
        if truth is not None and now.state not in (MissionState.TAKEOFF, *ENDING):
            self._min_m = min(self._min_m, truth.clearance_m)

    def min_m(self) -> float | None:
        """The distance; None where the simulator offers no truth."""
        return self._min_m if math.isfinite(self._min_m) else None


class Coverage:
    """The ground that a flight without a map has looked at.

    Attributes:
        viewed_m2: So far; None where the flight has a map.
    """

    def __init__(self) -> None:
        self.viewed_m2: float | None = None

    def update(self, before: Moment | None, now: Moment) -> None:
        """See `Metric`."""
        own_map = now.entry.step.own_map
        if own_map is not None:
            self.viewed_m2 = own_map.viewed_m2


class CommandRoughness:
    """Changes of the commanded velocity per second, while velocities are commanded."""

    def __init__(self) -> None:
        self._rates_squared: list[float] = []

    def update(self, before: Moment | None, now: Moment) -> None:
        """See `Metric`."""
        if before is None:
            return
        dt_s = now.time_s - before.time_s
        last, command = before.entry.step.command, now.entry.step.command
        if last.manoeuvre is command.manoeuvre is Manoeuvre.VELOCITY and dt_s > 0.0:
            change_mps = math.dist(last.velocity_mps, command.velocity_mps)
            self._rates_squared.append((change_mps / dt_s) ** 2)

    def rms_mps2(self) -> float | None:
        """Root mean square; None without a change."""
        rates = self._rates_squared
        return math.sqrt(sum(rates) / len(rates)) if rates else None


class LoopTimes:
    """Times from frame received to command sent."""

    def __init__(self) -> None:
        self._total_ms: list[float] = []

    def update(self, before: Moment | None, now: Moment) -> None:
        """See `Metric`."""
        self._total_ms.append(now.entry.timings.total_ms)

    def percentiles_ms(self) -> tuple[float | None, float | None]:
        """Median and 99th percentile; None without entries."""
        if not self._total_ms:
            return None, None
        p50, p99 = np.percentile(self._total_ms, (50, 99))
        return float(p50), float(p99)


class FlightSpan:
    """Begin and end of the flight.

    Attributes:
        first_s: Time of the first frame.
        frames: Number of entries.
    """

    def __init__(self, config: FlightConfig) -> None:
        self.first_s, self.frames = 0.0, 0
        self._landed_altitude_m = config.mission.landed_altitude_m
        self._altimeter = Altimeter(Ground(config.simulator.ground))
        self._altitude_m = 0.0
        self._last: Moment | None = None

    def update(self, before: Moment | None, now: Moment) -> None:
        """See `Metric`."""
        if before is None:
            self.first_s = now.time_s
        self._altitude_m = self._altimeter.altitude_m(now.entry.frame.vehicle.position_m)
        self.frames += 1
        self._last = now

    @property
    def duration_s(self) -> float:
        """Time from the first frame to the last."""
        return self._last.time_s - self.first_s if self._last else 0.0

    @property
    def final_state(self) -> MissionState | None:
        """The state of the last entry; None without entries."""
        return self._last.state if self._last else None

    @property
    def has_landed(self) -> bool:
        """The mission is done, and the vehicle is as low as a complete landing requires."""
        last = self._last
        if last is None or last.state is not MissionState.DONE:
            return False
        return self._altitude_m < self._landed_altitude_m
