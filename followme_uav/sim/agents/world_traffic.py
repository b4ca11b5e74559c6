"""Cars on the lanes of any world.

A car claims a turn together with the crosswalks on the way over the junction. It gets them only
while no car has claimed a turn that comes too near, no pedestrian is on one of the crosswalks or
about to step on it, and the next lane has room. It lets cars go first that have the right of way.
Crosswalks between junctions are claimed in the same way. A car also brakes for people on its way
and for the car ahead. Everything depends only on the seed and the sequence of time steps.

World frame NED in metres; headings in radians, 0 = north, clockwise seen from above.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np

from followme_uav.errors import ConfigError
from followme_uav.messages import Vec2, Vec3
from followme_uav.sim.agents.car_clearance import free_way_m, would_touch
from followme_uav.sim.agents.driver import (
    BRAKING_MPS2,
    HEIGHT_M,
    LENGTH_M,
    LEVEL_M,
    SIDE_M,
    WIDTH_M,
    approach_mps,
    is_step_in_front,
    next_speed_mps,
)
from followme_uav.sim.agents.ground_contact import Circle, car_circle
from followme_uav.sim.agents.lane_driver import Claim, LaneDriver
from followme_uav.sim.agents.lane_paths import Gate, LanePath, TurnPath, lane_paths
from followme_uav.sim.agents.traffic import (
    CRUISE_MPS,
    DECISION_STEPS,
    GAP_M,
    MAX_CARS,
    PAINTS,
    STOP_GAP_M,
)
from followme_uav.sim.city.colliders import car_collider
from followme_uav.sim.city.layout import Car, Collider
from followme_uav.sim.city.world_place import WorldPlace

_CLAIM_M = 3.0
_APART_M = 12.0
"""Least distance of two cars at the start."""
_BEND_M = 3.0 * LENGTH_M
"""Up to so far ahead on the road, a car may be much nearer: around a sharp bend."""
_PATIENCE = 40
"""Claims that a driver leaves to cars that go first; after that both take their chance."""
_MAX_REFUSALS = 60
"""A driver chooses another turn after so many claims refused."""


class WorldTraffic:
    """Cars on the lanes of a world; a world without lanes has none.

    Args:
        place: the world.
        seed: of the starts, speeds and turns.
        cars: number of cars, at most `traffic.MAX_CARS`; fewer if the lanes have no room.
        first_name: number in the name of the first car; parked cars have the lower ones.

    Raises:
        ConfigError: Too many cars.
    """

    def __init__(self, place: WorldPlace, seed: int, cars: int, first_name: int = 0) -> None:
        if not 0 <= cars <= MAX_CARS:
            raise ConfigError(f"cars={cars}: the streets hold 0 to {MAX_CARS} driving cars")
        self._seed, self._count, self._first_name = seed, cars, first_name
        self._snapshot: tuple[Car, ...] | None = None
        self._solids: tuple[Collider, ...] | None = None
        self._lanes: tuple[LanePath, ...] = (
            lane_paths(place.world, place.lane_network) if cars else ()
        )
        self.reset()

    def reset(self, occupied_m: Sequence[Vec3] = ()) -> None:
        """Return to the start; no car starts near one of the places (north, east, height) given."""
        self._rng = rng = np.random.default_rng([self._seed, 77])
        self._steps = 0
        self._drivers: list[LaneDriver] = []
        self._crosswalks: Counter[int] = Counter()
        self._turns: dict[tuple[int, int], int] = {}
        """Number of cars that have claimed each turn."""
        weights = np.array([max(lane.stop_m - 8.0, 0.0) for lane in self._lanes])
        for _ in range(20 * self._count if weights.sum() > 0.0 else 0):
            lane = int(rng.choice(len(weights), p=weights / weights.sum()))
            along_m = float(rng.uniform(4.0, max(self._lanes[lane].stop_m - 4.0, 4.1)))
            cruise_mps = float(rng.uniform(*CRUISE_MPS))
            colour = PAINTS[int(rng.integers(len(PAINTS)))]
            turn = self._draw_turn(lane)
            if len(self._drivers) == self._count:
                break
            driver = LaneDriver(self._lanes, colour, cruise_mps, lane, along_m, turn)
            here = driver.pose()[:2]
            others = [d.pose()[:2] for d in self._drivers]
            gates = self._lanes[lane].gates
            in_gate = any(g.stop_m - 4.0 < along_m < g.end_m + 4.0 for g in gates)
            if (
                not in_gate
                and all(math.dist(here, place[:2]) > 6.0 for place in occupied_m)
                and all(math.dist(here, place) > _APART_M for place in others)
            ):
                driver.gates_open = {g.crosswalk for g in gates if g.stop_m < along_m}
                self._drivers.append(driver)
        self._cars_moved()

    @property
    def claimed(self) -> Collection[int]:
        """Crosswalks that cars have claimed: people must not step on them."""
        return self._crosswalks.keys()

    @property
    def cars(self) -> tuple[Car, ...]:
        """All cars as of now."""
        if self._snapshot is None:
            self._snapshot = tuple(
                Car(n, e, yaw, LENGTH_M, WIDTH_M, HEIGHT_M, driver.colour, up, pitch)
                for (n, e, yaw, up, pitch), driver in zip(self._all, self._drivers, strict=True)
            )
        return self._snapshot

    @property
    def speeds_mps(self) -> tuple[float, ...]:
        """The speed of every car now."""
        return tuple(driver.speed_mps for driver in self._drivers)

    @property
    def poses(self) -> Sequence[tuple[float, float, float]]:
        """North, east, heading of every car."""
        return [pose[:3] for pose in self._all]

    @property
    def middles_m(self) -> Sequence[float]:
        """The z of the middle of every car."""
        return [-up - 0.5 * HEIGHT_M for *_, up, _ in self._all]

    def colliders(self) -> tuple[Collider, ...]:
        """The cars as solids, as of now."""
        if self._solids is None:
            self._solids = tuple(
                car_collider(self._first_name + i, car) for i, car in enumerate(self.cars)
            )
        return self._solids

    def circles_near(self, north_m: float, east_m: float, height_m: float) -> list[Circle]:
        """The parts of cars that a person at a place may touch."""
        return [
            car_circle((north, east), heading, LENGTH_M, (north_m, east_m))
            for north, east, heading, up, _ in self._all
            if abs(north - north_m) < LENGTH_M
            and abs(east - east_m) < LENGTH_M
            and abs(up - height_m) < LEVEL_M
        ]

    def endangers(self, here: Vec2, there: Vec2, height_m: float) -> bool:
        """Whether a step from here to there leads in front of a car that could hardly stop."""
        return any(
            is_step_in_front(
                *(here, there),
                car_m=(north, east),
                speed_mps=driver.speed_mps,
                place_ahead=driver.place_at,
                side_m=SIDE_M,
            )
            for driver, (north, east, _, up, _) in zip(self._drivers, self._all, strict=True)
            if abs(up - height_m) < LEVEL_M
        )

    def why(self, i: int) -> str:
        """A line on the state of one car, for those who look for the cause of a standstill."""
        d = self._drivers[i]
        return (
            f"lane {d.lane} at {d.along_m:.1f} of {self._lanes[d.lane].path.length_m:.1f}, "
            f"{'on the turn' if d.turning else 'on the lane'} to "
            f"{d.turn_path.to_lane}, may turn: {d.may_turn}, refused: {d.refused_because}"
        )

    def advance(
        self,
        dt_s: float,
        in_the_road_m: Sequence[Vec3] = (),
        crosswalks_in_use: Collection[int] = (),
    ) -> None:
        """Advance by `dt_s` seconds; arguments as `Traffic.advance`."""
        self._steps += 1
        for i, driver in enumerate(self._drivers):
            if (self._steps + i) % DECISION_STEPS == 0:
                driver.desired_mps = self._desired_mps(driver, in_the_road_m, crosswalks_in_use)
            driver.speed_mps = next_speed_mps(driver.speed_mps, driver.desired_mps, dt_s)
            step_m = driver.speed_mps * dt_s
            if step_m > 0.0 and would_touch(driver, step_m, in_the_road_m):
                driver.speed_mps = 0.0
            elif step_m > 0.0:
                self._roll(driver, step_m)
        self._cars_moved()

    # The places of cars

    def _cars_moved(self) -> None:
        self._all = [driver.pose() for driver in self._drivers]
        self._snapshot = self._solids = None

    # How they drive

    def _draw_turn(self, lane: int) -> int:
        return int(self._rng.integers(len(self._lanes[lane].turns)))

    def _desired_mps(
        self, driver: LaneDriver, people_m: Sequence[Vec3], in_use: Collection[int]
    ) -> float:
        """The speed that the driver chooses now."""
        speed_mps, lane, turn = driver.speed_mps, self._lanes[driver.lane], driver.turn_path
        braking_m = speed_mps * speed_mps / (2.0 * BRAKING_MPS2)
        if driver.turning:
            desired_mps = min(driver.cruise_mps, turn.speed_mps)
        else:
            desired_mps = min(driver.cruise_mps, lane.limit_mps(driver.along_m))
            bumper_m = driver.along_m + 0.5 * LENGTH_M
            for gate in lane.gates:
                if gate.crosswalk not in driver.gates_open:
                    left_m = gate.stop_m - bumper_m
                    if left_m < braking_m + _CLAIM_M and gate.crosswalk not in in_use:
                        self._open(driver, gate)
                    else:
                        desired_mps = min(desired_mps, approach_mps(left_m))
            left_m = lane.stop_m - bumper_m
            if not driver.may_turn and left_m < braking_m + _CLAIM_M:
                self._try_to_claim(driver, in_use)
            if not driver.may_turn:
                desired_mps = min(desired_mps, approach_mps(left_m))
            to_turn_m = max(lane.path.length_m - driver.along_m, 0.0)
            if to_turn_m < 20.0:
                slow_mps = math.sqrt(turn.speed_mps**2 + 2.0 * BRAKING_MPS2 * to_turn_m)
                desired_mps = min(desired_mps, slow_mps)
        desired_mps = min(desired_mps, approach_mps(self._gap_m(driver) - GAP_M))
        if people_m:
            ahead_m = free_way_m(driver, braking_m + 3.0, people_m)
            desired_mps = min(desired_mps, approach_mps(ahead_m - STOP_GAP_M))
        return desired_mps

    def _open(self, driver: LaneDriver, gate: Gate) -> None:
        driver.gates_open.add(gate.crosswalk)
        left_m = gate.end_m - driver.along_m + 0.5 * LENGTH_M + 0.3
        self._hold(driver, Claim(driver.driven_m + left_m, crosswalk=gate.crosswalk))

    def _hold(self, driver: LaneDriver, claim: Claim) -> None:
        driver.claims.append(claim)
        if claim.crosswalk >= 0:
            self._crosswalks[claim.crosswalk] += 1
        if claim.turn is not None:
            self._turns[claim.turn] = self._turns.get(claim.turn, 0) + 1

    def _try_to_claim(self, driver: LaneDriver, in_use: Collection[int]) -> None:
        """Claim the turn ahead and its crosswalks, if they and the way out are free."""
        lane, turn = self._lanes[driver.lane], driver.turn_path
        driver.refused_because = self._obstacle(driver, turn, in_use)
        if driver.refused_because:
            driver.refusals += 1
            if driver.refusals % _MAX_REFUSALS == 0:
                driver.turn = self._draw_turn(driver.lane)
            return
        driver.may_turn, driver.refusals = True, 0
        tail_m = driver.driven_m + 0.5 * LENGTH_M + 0.3
        to_stop_m, to_end_m = lane.stop_m - driver.along_m, lane.path.length_m - driver.along_m
        for crosswalk, end_m in turn.crosswalks:
            self._hold(driver, Claim(tail_m + to_stop_m + end_m, crosswalk=crosswalk))
        name = (driver.lane, driver.turn)
        self._hold(driver, Claim(tail_m + to_end_m + turn.path.length_m + 0.7, turn=name))

    def _obstacle(self, driver: LaneDriver, turn: TurnPath, in_use: Collection[int]) -> str:
        """The reason why a turn cannot be claimed now; empty for none."""
        if any(self._turns.get(rival) for rival in turn.rivals):
            return "a car crosses"
        if any(crosswalk in in_use for crosswalk, _ in turn.crosswalks):
            return "a person crosses"
        last_m = min(
            (d.along_m for d in self._drivers if d.lane == turn.to_lane and not d.turning),
            default=math.inf,
        )
        if last_m - 0.5 * LENGTH_M < turn.room_m:
            return "no room behind the junction"
        if driver.refusals % _MAX_REFUSALS < _PATIENCE:
            for other in self._drivers:
                name = (other.lane, other.turn)
                if other is driver or other.turning or name not in turn.first:
                    continue
                left_m = self._lanes[other.lane].stop_m - other.along_m
                comes = other.speed_mps > 1.0 and left_m < 2.5 * other.speed_mps + 3.0
                if not other.may_turn and comes and not other.refused_because:
                    return "another car goes first"
        return ""

    def _roll(self, driver: LaneDriver, step_m: float) -> None:
        """Move a car on, from lane to turn to lane, and release what it has left behind."""
        driver.along_m += step_m
        driver.driven_m += step_m
        path = driver.path
        if driver.along_m > path.length_m and (driver.turning or driver.may_turn):
            driver.along_m -= path.length_m
            driver.behind = path
            if driver.turning:
                driver.lane, driver.may_turn = driver.turn_path.to_lane, False
                driver.turn = self._draw_turn(driver.lane)
                driver.gates_open = set()
                driver.refused_because = ""
            driver.turning = not driver.turning
        if driver.claims and min(c.until_m for c in driver.claims) < driver.driven_m:
            for claim in [c for c in driver.claims if c.until_m < driver.driven_m]:
                driver.claims.remove(claim)
                self._release(claim)

    def _release(self, claim: Claim) -> None:
        if claim.crosswalk >= 0:
            self._crosswalks[claim.crosswalk] -= 1
            if not self._crosswalks[claim.crosswalk]:
                del self._crosswalks[claim.crosswalk]
        if claim.turn is not None:
            self._turns[claim.turn] -= 1

    def _gap_m(self, driver: LaneDriver) -> float:
        """Free road to the car ahead, on the same lane or turn or the next ones; inf without."""
        turn, best_m = driver.turn_path, math.inf
        left_m = driver.path.length_m - driver.along_m
        here_m = driver.pose()[:2]
        for other, pose in zip(self._drivers, self._all, strict=True):
            if other is driver:
                continue
            on_my_turn = (other.lane, other.turn) == (driver.lane, driver.turn)
            if driver.turning:
                if other.turning and on_my_turn:
                    ahead_m = other.along_m - driver.along_m
                elif not other.turning and other.lane == turn.to_lane:
                    ahead_m = left_m + other.along_m
                else:
                    continue
            elif not other.turning and other.lane == driver.lane:
                ahead_m = other.along_m - driver.along_m
            elif driver.may_turn and other.turning and on_my_turn:
                ahead_m = left_m + other.along_m
            elif driver.may_turn and not other.turning and other.lane == turn.to_lane:
                ahead_m = left_m + turn.path.length_m + other.along_m
            else:
                continue
            if 0.0 < ahead_m < _BEND_M:
                ahead_m = min(ahead_m, math.dist(here_m, pose[:2]))
            if ahead_m > 0.0:
                best_m = min(best_m, ahead_m)
        return best_m - LENGTH_M
