"""The people of the city: where each person is, and how they walk.

People follow the graph of `walk_graph`. At each place they choose the next one and sometimes rest.
On the way they avoid each other and obstacles, wait at kerbs for cars, and some stop in groups.
Person 0 is the hero, who may follow a route instead; the last people may have routes, too.
Everything depends only on the city, the seed, the routes and the sequence of time steps.

World frame NED in metres; headings in radians, 0 = north, clockwise seen from above.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from followme_uav.messages import Vec3
from followme_uav.sim.agents.avoidance import near_pairs, no_pairs, separate
from followme_uav.sim.agents.crosswalks import NO_CROSSWALK, Crosswalks
from followme_uav.sim.agents.crowd_state import Bodies, Intent, Surroundings
from followme_uav.sim.agents.goals import HERO_INDEX, Goals
from followme_uav.sim.agents.ground_contact import near_circles, push_out
from followme_uav.sim.agents.groups import PERIOD_S, Groups, ring_radius_m
from followme_uav.sim.agents.motion import ACCELERATION_MPS2, HARD_BRAKING_MPS2, move
from followme_uav.sim.agents.routes import Hero, HeroMode, Route
from followme_uav.sim.agents.scripted import ScriptedPeople
from followme_uav.sim.agents.steering import (
    NEAR_KERB_M,
    on_road,
    sidestep_mps,
    slot_pace_mps,
    stopping_for_cars,
    surroundings_of,
)
from followme_uav.sim.agents.traffic import MovingCars
from followme_uav.sim.agents.walkways import Walkways
from followme_uav.sim.agents.walkways_of import walkways_of
from followme_uav.sim.city.arrays import Floats, Indices
from followme_uav.sim.city.layout import CARRIAGEWAY_HALF_WIDTH_M
from followme_uav.sim.city.place import Place

PEOPLE, MAX_PEOPLE = 30, 100
"""Number of people besides the hero: by default, and at most. The renderer numbers all objects in
one byte."""

_ARRIVED_M = 0.7
_GROUP_ROOM_M = 1.6  # free space around the centre of a group
_STUCK_S = 4.0  # a person who does not move for so long turns back
_DECISION_STEPS = 2  # people decide at every second step
_SEARCH_STEPS = 8  # and look for near obstacles at every eighth
_FIXED_MASS = 1.0e6  # people who stay at their starts


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
        """Whether this person is in the city."""
        return not math.isnan(self.position_m[0])


class Crowd:
    """The hero and `people` others, walking. Deterministic: no clock, no global randomness.

    Args:
        city: the city that they walk in.
        seed: of all random draws.
        people: number of people besides the hero who choose their own goals.
        hero: a route that the hero follows, or what the hero does without one.
        walkers: routes of further people, who come after the `people`. The `people` behave the
            same with and without them, unless they meet.

    Raises:
        ConfigError: A route leads through something.
    """

    def __init__(
        self,
        city: Place,
        seed: int,
        people: int = PEOPLE,
        hero: Hero = HeroMode.RANDOM,
        walkers: Sequence[Route] = (),
    ) -> None:
        self._seed = seed
        self._free_count = people + 1  # the hero included, even with a route
        self._count = self._free_count + len(walkers)
        self._walkways: Walkways
        self._goals: Goals
        self._walkways, self._goals = walkways_of(city)
        self._scripted = ScriptedPeople(city, hero, walkers, self._free_count)
        self.reset()

    def reset(self) -> None:
        """Return to the start."""
        n = self._count
        rng = np.random.default_rng([self._seed, 7])
        self._time_s = 0.0
        self._step = 0
        self._next_meeting_s = PERIOD_S
        self._stuck_s = np.zeros(n)
        self._snapshot: tuple[Person, ...] | None = None
        self._crosswalks = Crosswalks(n, self._walkways)
        self._groups = Groups(n, np.random.default_rng([self._seed, 8]))
        self._goals.reset(n, rng, self._crosswalks)
        self._bodies = self._start(rng)
        gap_m = self._walkways.road_gaps_m(self._bodies.position, self._goals.ways)
        near_road = on_road(gap_m, self._walkways)
        height_m = self._heights_m(near_road)
        self._surroundings = Surroundings(gap_m, near_road, height_m, no_pairs(), no_pairs())
        self._intent: Intent | None = None

    @property
    def people(self) -> tuple[Person, ...]:
        """All people as of now; the hero is first."""
        if self._snapshot is None:
            self._snapshot = tuple(
                Person((north, east, down), heading, speed, phase, i)
                for i, ((north, east, down), heading, speed, phase) in enumerate(
                    zip(
                        self.feet_m.tolist(),
                        self._bodies.heading_rad.tolist(),
                        self._bodies.speed_mps.tolist(),
                        self._bodies.gait_phase_rad.tolist(),
                        strict=True,
                    )
                )
            )
        return self._snapshot

    @property
    def feet_m(self) -> Floats:
        """(people, 3) points that all people stand on, world NED; NaN for an absent hero."""
        feet = np.empty((self._count, 3))
        feet[:, :2] = self._bodies.position
        feet[:, 2] = self._walkways.feet_down_m(
            self._bodies.position, self._surroundings.on_road, self._goals.ways
        )
        if self._scripted.hero_absent:
            feet[HERO_INDEX] = np.nan
        return feet

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The members of each group, including people on the way to their places in it."""
        return self._groups.members

    @property
    def in_the_road_m(self) -> list[Vec3]:
        """(north, east, height) of all people on a carriageway, or at its edge."""
        near_road, heights_m = self._surroundings.on_road, self._surroundings.height_m
        places = self._bodies.position[near_road].tolist()
        return [(n, e, h) for (n, e), h in zip(places, heights_m[near_road].tolist(), strict=True)]

    @property
    def crosswalks_in_use(self) -> set[int]:
        """Numbers of the crosswalks that a person is on, or about to step on."""
        return self._crosswalks.in_use

    def advance(
        self,
        dt_s: float,
        traffic: MovingCars | None = None,
        vehicle_m: Vec3 | None = None,
    ) -> None:
        """Advance by `dt_s` seconds.

        Args:
            dt_s: at most about 0.1, which keeps the walking smooth.
            traffic: cars that people look out for.
            vehicle_m: north, east and ground height of a vehicle so low that people walk around it.
        """
        self._time_s += dt_s
        self._snapshot = None
        if self._step % _DECISION_STEPS == 0 or self._intent is None:
            self._intent = self._decide(dt_s * _DECISION_STEPS, traffic)
        self._step += 1
        self._bodies = move(
            *(self._bodies, self._intent, self._surroundings, self._walkways),
            *(traffic, dt_s, vehicle_m),
        )

    def place(self, i: int, north_m: float, east_m: float, heading_rad: float) -> None:
        """Put person i at a place, standing; from there person i walks to the nearest goal."""
        self._snapshot = None
        if self._groups.in_group[i]:
            self._leave_group(i)
        self._bodies.position[i] = north_m, east_m
        self._bodies.heading_rad[i] = (heading_rad + math.pi) % (2 * math.pi) - math.pi
        self._bodies.speed_mps[i] = 0.0
        self._goals.head_for_nearest(i, (north_m, east_m))
        self._scripted.rejoin(i, north_m, east_m, self._goals)
        # The surroundings are no longer valid: decide anew at the next step.
        self._step = 0
        gap_m = self._walkways.road_gaps_m(self._bodies.position, self._goals.ways)
        near_road = on_road(gap_m, self._walkways)
        height_m = self._heights_m(near_road)
        self._surroundings = replace(
            self._surroundings, road_gap_m=gap_m, on_road=near_road, height_m=height_m
        )

    def _heights_m(self, near_road: Indices) -> Floats:
        """(people,) heights of the feet above z = 0."""
        ways = self._goals.ways
        return -self._walkways.feet_down_m(self._bodies.position, near_road, ways)

    # The start

    def _start(self, rng: np.random.Generator) -> Bodies:
        """Draw where everybody stands at the start."""
        n, free = self._count, self._free_count
        bodies = Bodies(
            np.zeros((n, 2)), np.zeros(n), np.zeros(n), np.linspace(0.0, 2 * math.pi, n)
        )
        bodies.heading_rad[:free] = rng.uniform(-math.pi, math.pi, free)
        bodies.gait_phase_rad[:free] = rng.uniform(0.0, 2 * math.pi, free)
        slots = self._start_groups(rng)
        for i in range(free):
            bodies.position[i] = self._goals.start(i, bodies.position[:i])
            if i == HERO_INDEX:
                self._scripted.place_at_start(bodies, self._goals)
                for k in self._scripted.indices.tolist():
                    self._crosswalks.assign(k, NO_CROSSWALK)
            elif i <= len(slots):
                place, bodies.position[i], bodies.heading_rad[i] = slots[i - 1]
                self._goals.head_for(i, place)
        return replace(bodies, position=self._settled(bodies.position))

    def _start_groups(self, rng: np.random.Generator) -> list[tuple[int, Floats, float]]:
        """Form groups in the plaza; (place, position, heading) of each of their members."""
        graph = self._goals.graph
        slots: list[tuple[int, Floats, float]] = []
        plaza = np.flatnonzero(graph.in_plaza)
        last = self._free_count // 2  # the others start alone
        for place in rng.permutation(plaza)[: self._free_count // 8].tolist():
            centre = graph.places_m[place]
            size = int(rng.integers(2, 5))
            leave_s = float(rng.uniform(15.0, 90.0))
            first = len(slots) + 1
            for k in range(size):
                angle = 2 * math.pi * k / size + float(rng.uniform(-0.3, 0.3))
                out = np.array([math.cos(angle), math.sin(angle)])
                slots.append((place, centre + ring_radius_m(size) * out, angle + math.pi))
            members = range(first, min(first + size, last + 1))
            if len(members) > 1:
                self._groups.form(centre, members, [leave_s + 0.7 * k for k in range(len(members))])
                for i in members:
                    self._groups.slot_m[i] = slots[i - 1][1]
        return slots[:last]

    def _settled(self, position: Floats) -> Floats:
        """Move people who touch others or obstacles apart; the hero and scripted people stay."""
        mass = np.ones(self._count)
        mass[HERO_INDEX] = mass[self._scripted.indices] = _FIXED_MASS
        for _ in range(100):
            before = position
            position = separate(before, near_pairs(before), mass)
            circles = self._walkways.circles
            push_out(position, circles, near_circles(position, circles))
            if np.array_equal(position, before):
                break
        return position

    # Decisions, ten times a second

    def _decide(self, dt_s: float, traffic: MovingCars | None) -> Intent:
        """Decide where each person goes, and how fast, until the next decision."""
        obstacles = None if self._step % _SEARCH_STEPS == 0 else self._surroundings.obstacles
        position, speed_mps = self._bodies.position, self._bodies.speed_mps
        self._surroundings = surroundings_of(position, self._walkways, self._goals.ways, obstacles)
        self._update_goals()
        target, desired_mps = self._targets()
        to_target = target - position
        gap = np.sqrt(np.einsum("ij,ij->i", to_target, to_target))
        direction = to_target / np.maximum(gap, 1e-6)[:, None]
        members = np.flatnonzero(self._groups.in_group)
        desired_mps[members] = slot_pace_mps(gap[members])
        self._turn_back_stuck(desired_mps, dt_s)
        braking_mps2 = self._give_way(target, direction, desired_mps, traffic)
        velocity = direction * speed_mps[:, None]
        aside_mps = sidestep_mps(
            self._bodies,
            velocity,
            self._surroundings.pairs,
            self._groups,
            self._crosswalks.crossing,
            self._walkways,
            self._goals.ways,
        )
        velocity += aside_mps
        course_rad = np.arctan2(velocity[:, 1], velocity[:, 0])
        arriving = members[gap[members] < 0.5]
        inwards = self._groups.centre_m[arriving] - position[arriving]
        course_rad[arriving] = np.arctan2(inwards[:, 1], inwards[:, 0])
        return Intent(direction, desired_mps, braking_mps2, aside_mps, course_rad, arriving)

    def _targets(self) -> tuple[Floats, Floats]:
        """(people, 2) targets and (people,) desired speeds before anybody gives way."""
        goals, groups = self._goals, self._groups
        target = np.where(groups.in_group[:, None], groups.slot_m, goals.target)
        desired_mps = np.where(self._time_s < goals.rest_until_s, 0.0, goals.desired_mps)
        self._scripted.aim(target, desired_mps, self._bodies, self._time_s)
        return target, desired_mps

    def _give_way(
        self, target: Floats, direction: Floats, desired_mps: Floats, traffic: MovingCars | None
    ) -> Floats:
        """Lower desired speeds, in place, for people who wait for cars.

        Returns:
            (people,) deceleration that each person may use, in m/s^2.
        """
        gap_m, claimed = self._surroundings.road_gap_m, () if traffic is None else traffic.claimed
        position, speed_mps = self._bodies.position, self._bodies.speed_mps
        waiting = self._crosswalks.update(position, target, gap_m, speed_mps, desired_mps, claimed)
        if traffic is not None:
            stopping = stopping_for_cars(
                self._bodies, direction, desired_mps, self._surroundings, self._crosswalks, traffic
            )
            desired_mps[stopping] = 0.0
            waiting += stopping
        braking_mps2 = np.full(self._count, ACCELERATION_MPS2)
        braking_mps2[waiting] = HARD_BRAKING_MPS2
        return braking_mps2

    def _update_goals(self) -> None:
        """Give people who have arrived new goals; let people leave groups, and form new ones."""
        to_target = self._goals.target - self._bodies.position
        arrived = np.einsum("ij,ij->i", to_target, to_target) < _ARRIVED_M**2
        arrived &= ~self._groups.in_group
        arrived[self._scripted.indices] = False
        for i in np.flatnonzero(arrived).tolist():
            self._goals.choose_next(i, self._time_s)
        for i in self._groups.due(self._time_s):
            if self._groups.in_group[i]:
                self._leave_group(i)
        if self._time_s >= self._next_meeting_s:
            self._next_meeting_s += PERIOD_S
            self._meet()

    def _turn_back_stuck(self, desired_mps: Floats, dt_s: float) -> None:
        """Turn people back who want to walk and do not get on."""
        stuck = (desired_mps > 0.3) & (self._bodies.speed_mps < 0.25) & ~self._groups.in_group
        self._stuck_s = np.where(stuck, self._stuck_s + dt_s, 0.0)
        for i in np.flatnonzero(self._stuck_s >= _STUCK_S).tolist():
            self._stuck_s[i] = 0.0
            if i not in self._scripted:
                self._goals.turn_back(i, self._bodies.position[i])

    def _meet(self) -> None:
        """Let people who walk on a pavement stop in groups."""
        free = (self._time_s >= self._goals.rest_until_s) & ~self._crosswalks.crossing
        free &= (self._bodies.speed_mps > 0.3) & (self._surroundings.road_gap_m > NEAR_KERB_M)
        free[HERO_INDEX] = free[self._scripted.indices] = False
        first, second = self._surroundings.pairs
        pairs = list(zip(first.tolist(), second.tolist(), strict=True))
        self._groups.meet(self._time_s, self._bodies.position, free, pairs, self._fits_a_group)

    def _fits_a_group(self, centre: Floats) -> bool:
        """Whether there is room around a place, off the carriageways."""
        circles = self._walkways.circles
        away = circles[:, :2] - centre
        if (np.hypot(*away.T) < circles[:, 2] + _GROUP_ROOM_M).any():
            return False
        gap_m = self._walkways.road_gaps_m(centre[None])[0]
        is_off_road = float(gap_m) > CARRIAGEWAY_HALF_WIDTH_M + _GROUP_ROOM_M
        return is_off_road and self._walkways.has_room(centre, _GROUP_ROOM_M)

    def _leave_group(self, i: int) -> None:
        """Take person i out of a group; all who leave walk on to their goals."""
        for k in self._groups.leave(i, self._time_s, self._bodies.position):
            self._goals.aim(k)
