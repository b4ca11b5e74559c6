"""Cars that drive along the lanes and over the intersections, without touching anybody.

One car at a time claims an intersection, together with the crosswalks before and behind it. It
claims them only while no pedestrian is on one or about to step on it, and pedestrians do not step
on a claimed crosswalk. A car also brakes for people on its way, on a crosswalk or not, and for the
car ahead. Everything depends only on the seed and the sequence of time steps.

World frame NED in metres; headings in radians, 0 = north, clockwise seen from above.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Protocol

import numpy as np

from followme_uav.errors import ConfigError
from followme_uav.messages import Vec2, Vec3
from followme_uav.sim.agents.driver import (
    BRAKING_MPS2,
    HEIGHT_M,
    LENGTH_M,
    SIDE_M,
    WIDTH_M,
    Driver,
    approach_mps,
    free_road_m,
    hits,
    is_step_in_front,
    next_speed_mps,
)
from followme_uav.sim.agents.ground_contact import Circle, car_circle
from followme_uav.sim.agents.lanes import (
    CROSSWALK_INNER_M,
    CROSSWALK_OUTER_M,
    INTERSECTIONS,
    LANE_START_M,
    LANES,
    Lane,
    LaneTurn,
)
from followme_uav.sim.city.colliders import car_collider
from followme_uav.sim.city.layout import Car, Collider

CARS, MAX_CARS = 8, len(LANES)
"""Number of driving cars: by default, and at most."""

PAINTS = (
    (0.72, 0.74, 0.76), (0.12, 0.13, 0.15), (0.85, 0.85, 0.83), (0.16, 0.24, 0.42),
    (0.55, 0.50, 0.38), (0.12, 0.30, 0.22),
)  # fmt: skip
"""No red: a network with a small field of view takes a near red car for the hero."""
CRUISE_MPS = (6.0, 9.0)
_CLAIM_M = 3.0  # a car claims an intersection this far before it would have to brake for it
GAP_M = 1.8  # to the car ahead, at rest
STOP_GAP_M = 1.5  # from the bumper to a person on the way
_MAX_REFUSALS = 20  # a driver chooses another turn after so many claims refused
DECISION_STEPS = 2  # every driver decides at every second step
_ROOM_M = 2.0 * LENGTH_M  # free road that a car needs behind an intersection


class MovingCars(Protocol):
    """The cars as people see them, to look out for them."""

    @property
    def claimed(self) -> Collection[int]:
        """Crosswalks that cars have claimed: people must not step on them."""

    def circles_near(self, north_m: float, east_m: float, height_m: float) -> list[Circle]:
        """The parts of cars that a person at a place may touch."""

    def endangers(self, here: Vec2, there: Vec2, height_m: float) -> bool:
        """Whether a step from here to there leads in front of a car that could hardly stop.

        Args:
            here: North and east before the step.
            there: After it.
            height_m: Of the feet above z = 0.
        """


class Traffic:
    """`cars` cars on the streets of any city (the streets are the same in all).

    Args:
        seed: of the starts, speeds and turns.
        cars: number of cars, at most `MAX_CARS`.
        first_name: number in the name of the first car; parked cars have the lower ones.

    Raises:
        ConfigError: There is no room for so many cars.
    """

    def __init__(self, seed: int, cars: int, first_name: int = 0) -> None:
        if not 0 <= cars <= MAX_CARS:
            raise ConfigError(f"cars={cars}: the streets hold 0 to {MAX_CARS} driving cars")
        self._seed, self._count, self._first_name = seed, cars, first_name
        self._snapshot: tuple[Car, ...] | None = None
        self._solids: tuple[Collider, ...] | None = None
        self.reset()

    def reset(self, occupied_m: Sequence[Vec3] = ()) -> None:
        """Return to the start; no car starts near one of the places (north, east, height) given."""
        self._rng = rng = np.random.default_rng([self._seed, 77])
        self._steps = 0
        self._drivers: list[Driver] = []
        order = rng.permutation(len(LANES)).tolist()
        for lane in order:
            along_m = float(rng.uniform(6.0, LANES[lane].stop_m - 8.0))
            north, east, _ = LANES[lane].segment.pose(along_m)
            cruise_mps = float(rng.uniform(*CRUISE_MPS))
            colour = PAINTS[int(rng.integers(len(PAINTS)))]
            turn = self._draw_turn(LANES[lane])
            if len(self._drivers) == self._count:
                break
            if all(math.dist((north, east), place[:2]) > 6.0 for place in occupied_m):
                speed_mps = 0.7 * cruise_mps
                driver = Driver(colour, cruise_mps, lane, along_m, turn, speed_mps)
                driver.desired_mps = speed_mps
                self._drivers.append(driver)
        self._owner = [-1] * INTERSECTIONS  # the car that has claimed each intersection
        self.claimed: set[int] = set()
        """Crosswalks that cars have claimed: people must not step on them."""
        self._cars_moved()

    @property
    def cars(self) -> tuple[Car, ...]:
        """All cars as of now."""
        if self._snapshot is None:
            self._snapshot = tuple(
                Car(*pose, LENGTH_M, WIDTH_M, HEIGHT_M, driver.colour)
                for pose, driver in zip(self._poses, self._drivers, strict=True)
            )
        return self._snapshot

    @property
    def speeds_mps(self) -> tuple[float, ...]:
        """The speed of every car now."""
        return tuple(driver.speed_mps for driver in self._drivers)

    @property
    def middles_m(self) -> Sequence[float]:
        """Nothing: all cars are on one level."""
        return ()

    @property
    def poses(self) -> Sequence[tuple[float, float, float]]:
        """North, east, heading of every car."""
        return self._poses

    def colliders(self) -> tuple[Collider, ...]:
        """The cars as solids, as of now."""
        if self._solids is None:
            self._solids = tuple(
                car_collider(self._first_name + i, car) for i, car in enumerate(self.cars)
            )
        return self._solids

    def circles_near(self, north_m: float, east_m: float, height_m: float) -> list[Circle]:
        """The parts of cars that a person at a place may touch; all cars are on one level."""
        return [
            car_circle((north, east), heading, LENGTH_M, (north_m, east_m))
            for north, east, heading in self._poses
            if abs(north - north_m) < LENGTH_M and abs(east - east_m) < LENGTH_M
        ]

    def endangers(self, here: Vec2, there: Vec2, height_m: float) -> bool:
        """Whether a step from here to there leads in front of a car that could hardly stop."""
        return any(
            is_step_in_front(
                *(here, there),
                car_m=(north, east),
                speed_mps=driver.speed_mps,
                place_ahead=driver.pose,
                side_m=SIDE_M,
            )
            for driver, (north, east, _) in zip(self._drivers, self._poses, strict=True)
        )

    def advance(
        self,
        dt_s: float,
        in_the_road_m: Sequence[Vec3] = (),
        crosswalks_in_use: Collection[int] = (),
    ) -> None:
        """Advance by `dt_s` seconds.

        Args:
            dt_s: at most about 0.05, which keeps the driving smooth.
            in_the_road_m: (north, east, height) of all people and obstacles on a carriageway.
            crosswalks_in_use: numbers of the crosswalks that a person is on, or about to step on.
        """
        self._steps += 1
        places_m = [place[:2] for place in in_the_road_m]
        for i, driver in enumerate(self._drivers):
            if (self._steps + i) % DECISION_STEPS == 0:
                driver.desired_mps = self._desired_mps(i, driver, places_m, crosswalks_in_use)
            driver.speed_mps = next_speed_mps(driver.speed_mps, driver.desired_mps, dt_s)
            step_m = driver.speed_mps * dt_s
            if step_m > 0.0 and hits(driver.pose(step_m), places_m):
                driver.speed_mps = 0.0
            else:
                self._roll(driver, step_m)
        self._cars_moved()

    def _cars_moved(self) -> None:
        self._poses = [driver.pose() for driver in self._drivers]
        self._snapshot = self._solids = None

    def _draw_turn(self, lane: Lane) -> LaneTurn:
        return lane.turns[int(self._rng.integers(len(lane.turns)))]

    def _desired_mps(
        self,
        i: int,
        driver: Driver,
        in_the_road_m: Sequence[Vec2],
        crosswalks_in_use: Collection[int],
    ) -> float:
        """The speed that the driver chooses now."""
        speed_mps, desired_mps = driver.speed_mps, driver.cruise_mps
        lane = LANES[driver.lane]
        braking_m = speed_mps * speed_mps / (2.0 * BRAKING_MPS2)
        if driver.turning:
            desired_mps = driver.turn.speed_mps
        else:
            left_m = lane.stop_m - driver.along_m - 0.5 * LENGTH_M
            if driver.intersection < 0 and left_m < braking_m + _CLAIM_M:
                self._try_to_claim(i, driver, lane, in_the_road_m, crosswalks_in_use)
            if driver.intersection < 0:
                desired_mps = min(desired_mps, approach_mps(left_m))
            to_turn_m = lane.segment.length_m - driver.along_m
            turn_mps = driver.turn.speed_mps
            if to_turn_m < 20.0:
                limit_mps = math.sqrt(turn_mps**2 + 2.0 * BRAKING_MPS2 * max(to_turn_m, 0.0))
                desired_mps = min(desired_mps, limit_mps)
        desired_mps = min(desired_mps, approach_mps(self._gap_m(driver) - GAP_M))
        if in_the_road_m:
            ahead_m = free_road_m(driver, braking_m + 3.0, in_the_road_m)
            desired_mps = min(desired_mps, approach_mps(ahead_m - STOP_GAP_M))
        return desired_mps

    def _try_to_claim(
        self,
        i: int,
        driver: Driver,
        lane: Lane,
        in_the_road_m: Sequence[Vec2],
        crosswalks_in_use: Collection[int],
    ) -> None:
        """Claim the intersection ahead and its crosswalks, if they and the way out are free."""
        if self._owner[lane.intersection] >= 0:
            return
        crosswalks = driver.turn.crosswalks
        if any(
            crosswalk in crosswalks_in_use or crosswalk in self.claimed for crosswalk in crosswalks
        ):
            return
        last_m = self._last_car_m(driver.turn.to_lane)
        if last_m is not None and last_m - 0.5 * LENGTH_M < _ROOM_M:
            return
        if in_the_road_m:
            way_m = lane.segment.length_m - driver.along_m + driver.turn.segment.length_m + 4.0
            driver.intersection = lane.intersection  # else `pose` would end with the lane
            ahead_m = free_road_m(driver, way_m, in_the_road_m)
            driver.intersection = -1
            if ahead_m < way_m:
                driver.refusals += 1
                if driver.refusals % _MAX_REFUSALS == 0:
                    driver.turn = self._draw_turn(lane)
                return
        driver.intersection, driver.refusals = lane.intersection, 0
        self._owner[lane.intersection] = i
        self.claimed.update(crosswalks)

    def _roll(self, driver: Driver, step_m: float) -> None:
        """Move a car on, from lane to turn to lane, and release what it has left behind."""
        driver.along_m += step_m
        if driver.along_m > driver.segment.length_m and driver.intersection >= 0:
            driver.along_m -= driver.segment.length_m
            if driver.turning:
                driver.lane = driver.turn.to_lane
            driver.turning = not driver.turning
        if driver.intersection < 0:
            return
        tail_m = driver.along_m - 0.5 * LENGTH_M
        before, behind = driver.turn.crosswalks
        if driver.turning and tail_m > LANE_START_M - CROSSWALK_INNER_M:
            self.claimed.discard(before)
        elif (
            not driver.turning
            and driver.lane == driver.turn.to_lane
            and tail_m > CROSSWALK_OUTER_M - LANE_START_M
        ):
            self.claimed.discard(behind)
            self._owner[driver.intersection] = -1
            driver.intersection = -1
            driver.turn = self._draw_turn(LANES[driver.lane])

    def _gap_m(self, driver: Driver) -> float:
        """Free road to the car ahead, on the same lane or the next one; inf without one."""
        best_m = math.inf
        leaving = driver.intersection >= 0 and (
            driver.turning or driver.lane != driver.turn.to_lane
        )
        for other in self._drivers:
            if other is driver or other.turning:
                continue
            if not driver.turning and other.lane == driver.lane:
                ahead_m = other.along_m - driver.along_m
                if ahead_m > 0.0:
                    best_m = min(best_m, ahead_m)
            elif leaving and other.lane == driver.turn.to_lane:
                left_m = driver.segment.length_m - driver.along_m
                if not driver.turning:
                    left_m += driver.turn.segment.length_m
                best_m = min(best_m, left_m + other.along_m)
        return best_m - LENGTH_M

    def _last_car_m(self, lane: int) -> float | None:
        """Distance of the last car from the start of a lane; None for an empty lane."""
        return min(
            (d.along_m for d in self._drivers if d.lane == lane and not d.turning), default=None
        )
