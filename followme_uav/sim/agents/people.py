"""The people of the city: where each of them is, and how they walk.

People follow the graph of places of `walks`. At each place they pick a next one, sometimes stop;
on the way they make room for each other and for whatever stands in the way, wait at the kerb for
cars, and some stop for a talk. Person 0 is the hero, who may follow a route instead; the last ones
may be walkers with routes of their own. All of it
depends only on the city, the seed, the routes and the sequence of time steps.

World frame NED in metres; headings in radians, 0 = north, clockwise seen from above.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from followme_uav.messages import Vec3
from followme_uav.sim.agents.avoidance import hold_back, near_pairs, separate, sidesteps
from followme_uav.sim.agents.crosswalks import KERB_M, ROAD_M, Kerbs
from followme_uav.sim.agents.gait import stride_m
from followme_uav.sim.agents.goals import HERO_INDEX, Errands
from followme_uav.sim.agents.ground_contact import (
    height_m,
    near_circles,
    obstacle_circles,
    push_out,
    push_out_one,
    road_gaps_m,
    road_offsets_m,
)
from followme_uav.sim.agents.groups import PERIOD_S, Talks, ring_radius_m
from followme_uav.sim.agents.routes import Hero, HeroMode, Route, RouteWalk, check_route
from followme_uav.sim.city.layout import CARRIAGEWAY_HALF_WIDTH_M, PAVEMENT_HEIGHT_M, City
from followme_uav.sim.city.obstacles import person_name

if TYPE_CHECKING:
    from followme_uav.sim.agents.traffic import Traffic

PEOPLE, MAX_PEOPLE = 30, 100
"""Besides the hero: usually, and at most, because the renderer numbers all it draws in a byte."""

_TURN_RATE_RADPS = 4.0
_ACCELERATION_MPS2 = 2.0
_HARD_BRAKING_MPS2 = 5.0
_TALK_ROOM_M = 1.6  # around the middle of a group
_TALK_PACE_MPS = 0.9
_STUCK_S = 4.0  # whoever gets nowhere for so long turns round
_AWAY_M = 1.0e4  # where an absent hero is kept
_THINK_STEPS = 2  # people look around at every second step
_LOOK_THOUGHTS = 4  # and take in at every fourth look what stands around

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Person:
    """One person at one instant."""

    position_m: Vec3
    """Feet, world NED; NaN for a hero who is absent."""
    heading_rad: float
    speed_mps: float
    gait_phase_rad: float
    """0..2 pi; the left leg is in front at pi / 2."""
    appearance: int
    """Index into the wardrobe of the scene; 0 is the hero."""

    @property
    def present(self) -> bool:
        """Whether this person is in the city at all."""
        return not math.isnan(self.position_m[0])


class Crowd:
    """The hero and `people` others, walking. Deterministic: no clock, no global randomness.

    Args:
        city: where they walk.
        seed: of all they do.
        people: who walk about, besides the hero.
        hero: a route that she follows, or what she does without one.
        walkers: routes of others, who come after the `people`; these do the same with or without.

    Raises:
        ConfigError: A route leads through something.
    """

    def __init__(
        self,
        city: City,
        seed: int,
        people: int = PEOPLE,
        hero: Hero = HeroMode.RANDOM,
        walkers: Sequence[Route] = (),
    ) -> None:
        self._errands = Errands(city)
        self._circles = obstacle_circles(city)
        self._seed = seed
        self._free_count = people + 1  # the hero included, even if she has a route
        self._count = self._free_count + len(walkers)
        routes = dict(enumerate(walkers, start=self._free_count))
        if isinstance(hero, Route):
            routes[HERO_INDEX] = hero
        for i, route in routes.items():
            check_route(route, city, person_name(i))
        self._walks = {i: RouteWalk(route) for i, route in sorted(routes.items())}
        self._absent = hero is HeroMode.ABSENT
        self._scripted = np.array([HERO_INDEX] if self._absent else list(self._walks), dtype=int)
        self.reset()

    def reset(self) -> None:
        """Back to the very start."""
        n, free = self._count, self._free_count
        rng = np.random.default_rng([self._seed, 7])
        self._time_s = 0.0
        self._position = np.zeros((n, 2))
        self._speed_mps = np.zeros(n)
        self._stuck_s = np.zeros(n)
        self._heading, self._phase = np.zeros(n), np.linspace(0.0, 2 * math.pi, n)
        self._heading[:free] = rng.uniform(-math.pi, math.pi, free)
        self._phase[:free] = rng.uniform(0.0, 2 * math.pi, free)
        self._snapshot: tuple[Person, ...] | None = None
        self._steps_left = self._thoughts_left = 0  # until the next look
        self._kerbs = Kerbs(n)
        self._talks = Talks(n, np.random.default_rng([self._seed, 8]))
        self._mingle_s = PERIOD_S
        self._errands.reset(n, rng, self._kerbs)
        groups = self._start_groups(rng)
        for i in range(free):
            self._position[i] = self._errands.start(i, self._position[:i])
            if i == HERO_INDEX:
                self._start_scripted()
            elif i <= len(groups):
                place, self._position[i], self._heading[i] = groups[i - 1]
                self._errands.set_out_for(i, place)
        self._settle()
        self._look_again()

    @property
    def people(self) -> tuple[Person, ...]:
        """Everybody as of now; the hero is first."""
        if self._snapshot is None:
            self._snapshot = tuple(
                Person((north, east, down), heading, speed, phase, i)
                for i, ((north, east, down), heading, speed, phase) in enumerate(
                    zip(
                        self.feet_m.tolist(),
                        self._heading.tolist(),
                        self._speed_mps.tolist(),
                        self._phase.tolist(),
                        strict=True,
                    )
                )
            )
        return self._snapshot

    @property
    def feet_m(self) -> Floats:
        """(people, 3) where everybody stands, world NED; NaN for a hero who is absent."""
        feet = np.empty((self._count, 3))
        feet[:, :2] = self._position
        feet[:, 2] = -PAVEMENT_HEIGHT_M
        for i, (north, east) in zip(self._by_road, self.in_the_road_m, strict=True):
            feet[i, 2] = -height_m(north, east)
        if self._absent:
            feet[HERO_INDEX] = np.nan
        return feet

    @property
    def talking(self) -> tuple[tuple[int, ...], ...]:
        """Who stands together, or is on the way there, in each group."""
        return tuple(tuple(group) for group in self._talks.groups)

    @property
    def in_the_road_m(self) -> list[tuple[float, float]]:
        """(north, east) of everybody on a carriageway, or at its very edge."""
        return [(n, e) for n, e in self._position[self._by_road].tolist()]

    @property
    def zebras_in_use(self) -> set[int]:
        """Numbers of the zebras that somebody is on, or about to step on."""
        return self._kerbs.in_use

    def advance(self, dt_s: float, traffic: Traffic | None = None) -> None:
        """Let `dt_s` seconds pass (at most about 0.1 s a call keeps the walking smooth).

        Args:
            dt_s: as said.
            traffic: cars to look out for.
        """
        self._time_s += dt_s
        self._snapshot = None
        if self._steps_left == 0:
            self._steps_left = _THINK_STEPS
            self._think(dt_s * _THINK_STEPS, traffic)
        self._steps_left -= 1
        self._move(dt_s, traffic)

    def place(self, i: int, north_m: float, east_m: float, heading_rad: float) -> None:
        """Put person i somewhere, standing; they set out for the nearest place of the graph."""
        self._snapshot = None
        if self._talks.busy[i]:
            self._walk_on(i)
        self._position[i] = north_m, east_m
        self._heading[i] = (heading_rad + math.pi) % (2 * math.pi) - math.pi
        self._speed_mps[i] = 0.0
        self._errands.set_out(i, (north_m, east_m))
        if i in self._walks:
            self._walks[i].join(north_m, east_m)
        self._look_again()

    # The start

    def _start_groups(self, rng: np.random.Generator) -> list[tuple[int, Floats, float]]:
        """(place, position, heading) of people standing together in the plaza at the start."""
        graph = self._errands.graph
        spots: list[tuple[int, Floats, float]] = []
        where = np.flatnonzero(graph.in_plaza)
        for place in rng.permutation(where)[: self._free_count // 8].tolist():
            centre = graph.places_m[place]
            size = int(rng.integers(2, 5))
            leave_s = float(rng.uniform(15.0, 90.0))
            first = len(spots) + 1
            for k in range(size):
                angle = 2 * math.pi * k / size + float(rng.uniform(-0.3, 0.3))
                out = np.array([math.cos(angle), math.sin(angle)])
                spots.append((place, centre + ring_radius_m(size) * out, angle + math.pi))
            members = range(first, min(first + size, self._free_count // 2 + 1))
            if len(members) > 1:
                self._talks.begin(centre, members, [leave_s + 0.7 * k for k in range(len(members))])
                for i in members:
                    self._talks.spot_m[i] = spots[i - 1][1]
        return spots[: self._free_count // 2]

    def _start_scripted(self) -> None:
        """An absent hero is far away; whoever has a route stands at its start."""
        if self._absent:
            self._position[HERO_INDEX] = self._errands.target[HERO_INDEX] = _AWAY_M
            self._errands.rest_until_s[HERO_INDEX] = math.inf
        for i, walk in self._walks.items():
            walk.restart()
            self._position[i], self._heading[i] = walk.start_m, walk.heading_rad
        for i in self._scripted.tolist():
            self._kerbs.set(i, -1)

    def _settle(self) -> None:
        """Spread out those who would start in somebody or something; hero and walkers stay."""
        firm = np.ones(self._count)
        firm[HERO_INDEX] = firm[self._scripted] = 1.0e6
        for _ in range(100):
            before = self._position
            self._position = separate(before, *near_pairs(before), firm)
            push_out(self._position, self._circles, *near_circles(self._position, self._circles))
            if np.array_equal(self._position, before):
                return

    # Thinking, ten times a second

    def _look_again(self) -> None:
        """Somebody has been moved: what was seen before does not count."""
        self._steps_left, self._thoughts_left = 0, 0
        self._see_the_road()

    def _see_the_road(self) -> None:
        self._road_gap_m = road_gaps_m(self._position)
        self._by_road = np.flatnonzero(self._road_gap_m < ROAD_M + 0.4)

    def _think(self, dt_s: float, traffic: Traffic | None) -> None:
        """Look around, and settle where to go and how fast until the next look."""
        self._see_the_road()
        self._one, self._other = near_pairs(self._position)
        if self._thoughts_left == 0:
            self._thoughts_left = _LOOK_THOUGHTS
            self._who, self._which = near_circles(self._position, self._circles)
        self._thoughts_left -= 1
        self._decide()
        if self._time_s >= self._mingle_s:
            self._mingle_s += PERIOD_S
            self._mingle()
        errands, busy = self._errands, self._talks.busy
        target = np.where(busy[:, None], self._talks.spot_m, errands.target)
        wish_mps = np.where(self._time_s < errands.rest_until_s, 0.0, errands.wish_mps)
        for i, walk in self._walks.items():
            north_m, east_m = self._position[i].tolist()
            target[i], wish_mps[i] = walk.aim(
                north_m, east_m, float(self._speed_mps[i]), self._time_s
            )
        to_target = target - self._position
        gap = np.sqrt(np.einsum("ij,ij->i", to_target, to_target))
        self._direction = to_target / np.maximum(gap, 1e-6)[:, None]
        talkers = np.flatnonzero(busy)
        if len(talkers):
            # The last steps to one's place in a group are slow ones.
            left_m = gap[talkers]
            pace_mps = np.where(left_m < 0.12, 0.0, np.minimum(0.2 + 0.9 * left_m, _TALK_PACE_MPS))
            wish_mps[talkers] = pace_mps
        self._notice_the_stuck(wish_mps, dt_s)
        claimed = () if traffic is None else traffic.claimed
        waiting = self._kerbs.mind(
            self._position, target, self._road_gap_m, self._speed_mps, wish_mps, claimed
        )
        self._braking = np.full(self._count, _ACCELERATION_MPS2)
        self._braking[waiting] = _HARD_BRAKING_MPS2
        if traffic is not None:
            self._mind_the_cars(traffic, wish_mps)
        self._goal_mps = wish_mps
        velocity = self._direction * self._speed_mps[:, None]
        self._aside = self._make_room(velocity)
        velocity += self._aside
        self._course = np.arctan2(velocity[:, 1], velocity[:, 0])
        self._facing = talkers[gap[talkers] < 0.5]
        towards = self._talks.centre_m[self._facing] - self._position[self._facing]
        self._course[self._facing] = np.arctan2(towards[:, 1], towards[:, 0])

    def _decide(self) -> None:
        """New places for those who have arrived; those who have talked enough walk on."""
        to_target = self._errands.target - self._position
        arrived = np.einsum("ij,ij->i", to_target, to_target) < 0.7**2
        arrived &= ~self._talks.busy
        arrived[self._scripted] = False
        for i in np.flatnonzero(arrived).tolist():
            self._errands.arrive(i, self._time_s)
        for i in self._talks.over(self._time_s):
            if self._talks.busy[i]:
                self._walk_on(i)

    def _notice_the_stuck(self, wish_mps: Floats, dt_s: float) -> None:
        """Whoever gets nowhere turns round."""
        stuck = (wish_mps > 0.3) & (self._speed_mps < 0.25) & ~self._talks.busy
        self._stuck_s = np.where(stuck, self._stuck_s + dt_s, 0.0)
        for i in np.flatnonzero(self._stuck_s >= _STUCK_S).tolist():
            self._stuck_s[i] = 0.0
            if i not in self._walks:
                self._errands.turn_round(i)

    def _mingle(self) -> None:
        """Some of those who meet stop for a talk."""
        free = (self._time_s >= self._errands.rest_until_s) & ~self._kerbs.crossing
        free &= (self._speed_mps > 0.3) & (self._road_gap_m > KERB_M + 1.0)
        free[HERO_INDEX] = free[self._scripted] = False
        pairs = list(zip(self._one.tolist(), self._other.tolist(), strict=True))
        self._talks.mingle(self._time_s, self._position, free, pairs, self._fits_a_group)

    def _fits_a_group(self, centre: Floats) -> bool:
        """Whether there is room around a place, off the carriageways."""
        away = self._circles[:, :2] - centre
        if (np.hypot(*away.T) < self._circles[:, 2] + _TALK_ROOM_M).any():
            return False
        return float(road_gaps_m(centre[None])[0]) > CARRIAGEWAY_HALF_WIDTH_M + _TALK_ROOM_M

    def _walk_on(self, i: int) -> None:
        """Out of a group, to where they were going."""
        for k in self._talks.leave(i, self._time_s, self._position):
            self._errands.aim(k)

    def _mind_the_cars(self, traffic: Traffic, wish_mps: Floats) -> None:
        """Whoever is in the road off the zebras stops rather than step in front of a car."""
        stray = (self._road_gap_m < KERB_M + 1.0) & ~self._kerbs.crossing & (wish_mps > 0.0)
        stray &= (self._kerbs.number < 0) | (self._road_gap_m < ROAD_M)
        for i in np.flatnonzero(stray).tolist():
            reach_m = 0.5 + 0.5 * float(self._speed_mps[i]) ** 2 / _HARD_BRAKING_MPS2
            north, east = self._position[i].tolist()
            n, e = self._direction[i].tolist()
            if traffic.endangers((north, east), (north + reach_m * n, east + reach_m * e)):
                wish_mps[i], self._braking[i] = 0.0, _HARD_BRAKING_MPS2

    def _make_room(self, velocity: Floats) -> Floats:
        """(people, 2) velocity aside, around others and around groups that talk."""
        busy, position = self._talks.busy, self._position
        apart = ~(busy[self._one] & busy[self._other])
        one, other = self._one[apart], self._other[apart]
        extra_m: Floats | float = 0.0
        centres, radii = self._talks.rings()
        if len(centres):
            away = position[:, None, :] - centres
            near = (np.einsum("ijk,ijk->ij", away, away) < 3.5**2) & ~busy[:, None]
            if near.any():
                who, ring = np.nonzero(near)
                extra_m = np.concatenate((np.zeros(len(one)), radii[ring]))
                one = np.concatenate((one, who))
                other = np.concatenate((other, self._count + ring))
                position = np.concatenate((position, centres))
                velocity = np.concatenate((velocity, np.zeros_like(centres)))
        aside = sidesteps(position, velocity, one, other, extra_m)[: self._count]
        # Nobody steps off the kerb to make room.
        off = road_offsets_m(self._position)
        aside[
            (np.abs(off) < KERB_M + 1.0)
            & (aside * off < 0.0)
            & (np.abs(off) > 4.0)
            & ~self._kerbs.crossing[:, None]
        ] = 0.0
        # Who stands keeps standing; who passes gives way.
        return aside * np.minimum(1.0, self._speed_mps / 0.5)[:, None]

    # Moving

    def _move(self, dt_s: float, traffic: Traffic | None) -> None:
        """Go where one wants to, as far as others, walls and cars let one."""
        change = self._goal_mps - self._speed_mps
        change = np.minimum(np.maximum(change, -self._braking * dt_s), _ACCELERATION_MPS2 * dt_s)
        speed_mps = self._speed_mps + change
        before = self._position
        after = before + (self._direction * speed_mps[:, None] + self._aside) * dt_s
        after = separate(after, self._one, self._other, np.where(speed_mps < 0.1, 4.0, 1.0))
        push_out(after, self._circles, self._who, self._which)
        if traffic is not None:
            for i in self._by_road.tolist():
                for circle in traffic.circles_near(*after[i].tolist()):
                    push_out_one(after, i, circle)
        hold_back(before, after, self._one, self._other)
        self._position = after
        # Who is held up does not march on the spot.
        moved = after - before
        moved_mps = np.sqrt(np.einsum("ij,ij->i", moved, moved)) / dt_s
        least_mps = np.maximum(moved_mps, speed_mps - _HARD_BRAKING_MPS2 * dt_s)
        self._speed_mps = speed_mps = np.minimum(speed_mps, least_mps)
        turning = speed_mps > 0.05
        turning[self._facing] = True
        turn = (self._course - self._heading + math.pi) % (2 * math.pi) - math.pi
        most = np.where(turning, _TURN_RATE_RADPS * dt_s, 0.0)
        turned = self._heading + np.minimum(np.maximum(turn, -most), most)
        self._heading = (turned + math.pi) % (2 * math.pi) - math.pi
        steps = speed_mps / np.maximum(stride_m(speed_mps), 1e-3)
        self._phase = (self._phase + 2 * math.pi * dt_s * steps) % (2 * math.pi)
