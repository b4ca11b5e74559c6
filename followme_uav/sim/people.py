"""The people of the city: where each of them is, and how they walk.

People follow a graph of places: along the pavements, over the crossings, around the street ends and
across the plaza. At each place they pick a next one, sometimes stop, and on the way they make room
for each other and for whatever stands in the way. Person 0 is the hero. All of it depends only on
the city, the seed and the sequence of time steps.

World frame NED in metres; headings in radians, 0 = north, clockwise seen from above.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from followme_uav.messages import Vec3
from followme_uav.sim.layout import (
    CARRIAGEWAY_HALF_WIDTH_M,
    PAVEMENT_HEIGHT_M,
    PAVEMENT_OUTER_M,
    PLAZA,
    STREET_CENTRES_M,
    STREET_END_M,
    City,
)

HERO_INDEX = 0
BODY_RADIUS_M = 0.3
"""Nobody comes closer to an obstacle than this."""

_PAVEMENT_M = (CARRIAGEWAY_HALF_WIDTH_M + PAVEMENT_OUTER_M) / 2
_RING_M = STREET_END_M + 2.5
_STRAY_M = 1.3  # how far from a place people aim, so that they do not walk in single file
_PERSONAL_SPACE_M = 0.9
_TURN_RATE_RADPS = 4.0
_ACCELERATION_MPS2 = 2.0
_HOME_M = 45.0  # people prefer places this close to the centre, or the city would run empty


@dataclass(frozen=True)
class Person:
    """One person at one instant."""

    position_m: Vec3
    """Feet, world NED."""
    heading_rad: float
    speed_mps: float
    gait_phase_rad: float
    """0..2 pi; the left leg is in front at pi / 2."""
    appearance: int
    """Index into the wardrobe of the scene; 0 is the hero."""


@dataclass(frozen=True)
class WalkGraph:
    """Places people walk between."""

    places_m: NDArray[np.float64]
    """(places, 2) north, east."""
    neighbours: tuple[tuple[int, ...], ...]
    stray_m: NDArray[np.float64]
    """(places,) how far off a place one may aim."""
    in_plaza: NDArray[np.bool_]
    """(places,)"""


def walk_graph(city: City) -> WalkGraph:
    """The graph of pavements, crossings, street ends and the plaza of a city."""
    index: dict[tuple[float, float], int] = {}
    edges: set[tuple[int, int]] = set()

    def place(north_m: float, east_m: float) -> int:
        return index.setdefault((north_m, east_m), len(index))

    def link(a: int, b: int) -> None:
        if a != b:
            edges.add((min(a, b), max(a, b)))

    middle = (PLAZA[0] + PLAZA[2]) / 2
    lines = [c + side * _PAVEMENT_M for c in STREET_CENTRES_M for side in (-1.0, 1.0)]
    for line in lines:
        stops = [-_RING_M, *lines, _RING_M]
        if PLAZA[0] - _PAVEMENT_M <= line <= PLAZA[2] + _PAVEMENT_M:
            stops = sorted([*stops, middle])
        for low, high in itertools.pairwise(stops):
            link(place(line, low), place(line, high))
            link(place(low, line), place(high, line))
    for side in (-_RING_M, _RING_M):
        for low, high in zip(lines[1:-1:2], lines[2:-1:2], strict=True):
            link(place(side, low), place(side, high))
            link(place(low, side), place(high, side))
    street_places = len(index)
    rng = np.random.default_rng([city.seed, 6])
    obstacles = np.array([(p.north_m, p.east_m, p.radius_m + 1.1) for p in city.planters])
    spots: list[tuple[float, float]] = []
    for _ in range(300):
        spot = tuple(float(v) for v in rng.uniform(PLAZA[0] + 2.0, PLAZA[2] - 2.0, 2))
        if len(spots) < 14 and _clear(spot, spot, obstacles, 1.0):
            spots.append((spot[0], spot[1]))
    near = PLAZA[0] - PAVEMENT_OUTER_M + _PAVEMENT_M
    far = PLAZA[2] + PAVEMENT_OUTER_M - _PAVEMENT_M
    doors = [(near, middle), (far, middle), (middle, near), (middle, far)]
    for i, spot in enumerate(spots):
        for other in [*spots[:i], *doors]:
            if math.dist(spot, other) < 28.0 and _clear(spot, other, obstacles, 0.0):
                link(place(*spot), place(*other))
    neighbours: list[list[int]] = [[] for _ in index]
    for a, b in sorted(edges):
        neighbours[a].append(b)
        neighbours[b].append(a)
    inside = np.arange(len(index)) >= street_places
    return WalkGraph(
        np.array(list(index)),
        tuple(tuple(n) for n in neighbours),
        np.where(inside, 1.0, _STRAY_M),
        inside,
    )


def _clear(
    a: tuple[float, ...], b: tuple[float, ...], circles: NDArray[np.float64], margin_m: float
) -> bool:
    """Whether the line from a to b stays out of all circles (north, east, radius)."""
    start, along = np.array(a), np.array(b) - np.array(a)
    towards = circles[:, :2] - start
    share = np.clip(towards @ along / max(float(along @ along), 1e-9), 0.0, 1.0)
    gap = np.hypot(*(towards - share[:, None] * along).T)
    return bool(np.all(gap > circles[:, 2] + margin_m))


class Crowd:
    """The hero and `people` others, walking. Deterministic: no clock, no global randomness."""

    def __init__(self, city: City, seed: int, people: int = 30) -> None:
        self._graph = walk_graph(city)
        self._obstacles = _obstacle_circles(city)
        self._seed = seed
        self._count = people + 1
        self.reset()

    def reset(self) -> None:
        """Back to the very start."""
        n = self._count
        self._rng = np.random.default_rng([self._seed, 7])
        rng = self._rng
        self._time_s = 0.0
        self._position = np.zeros((n, 2))
        self._target = np.zeros((n, 2))
        self._place = np.zeros(n, dtype=np.int64)
        self._previous = np.zeros(n, dtype=np.int64)
        self._wish_mps = np.zeros(n)
        self._speed_mps = np.zeros(n)
        self._stop_until_s = np.zeros(n)
        self._heading = rng.uniform(-math.pi, math.pi, n)
        self._phase = rng.uniform(0.0, 2 * math.pi, n)
        self._snapshot: tuple[Person, ...] | None = None
        groups = self._group_spots()
        for i in range(n):
            self._start(i)
            if HERO_INDEX < i <= len(groups):
                place, self._position[i], self._heading[i], self._stop_until_s[i] = groups[i - 1]
                self._place[i] = self._previous[i] = place
                self._aim(i)
        self._push_out()

    @property
    def people(self) -> tuple[Person, ...]:
        """Everybody as of now; the hero is first."""
        if self._snapshot is None:
            height = _ground_heights_m(self._position)
            self._snapshot = tuple(
                Person((north, east, -up), heading, speed, phase, i)
                for i, ((north, east), up, heading, speed, phase) in enumerate(
                    zip(
                        self._position.tolist(),
                        height.tolist(),
                        self._heading.tolist(),
                        self._speed_mps.tolist(),
                        self._phase.tolist(),
                        strict=True,
                    )
                )
            )
        return self._snapshot

    def advance(self, dt_s: float) -> None:
        """Let `dt_s` seconds pass (at most about 0.1 s a call keeps the walking smooth)."""
        self._time_s += dt_s
        self._snapshot = None
        to_target = self._target - self._position
        gap = np.sqrt(np.einsum("ij,ij->i", to_target, to_target))
        for i in np.flatnonzero(gap < 0.7).tolist():
            self._arrive(i)
        stopped = self._time_s < self._stop_until_s
        wish_mps = np.where(stopped, 0.0, self._wish_mps)
        limit = _ACCELERATION_MPS2 * dt_s
        change = wish_mps - self._speed_mps
        self._speed_mps = self._speed_mps + np.minimum(np.maximum(change, -limit), limit)
        direction = to_target / np.maximum(gap, 1e-6)[:, None]
        velocity = direction * self._speed_mps[:, None] + self._make_room()
        self._position = self._position + velocity * dt_s
        self._push_out()
        walking = self._speed_mps > 0.05
        course = np.arctan2(velocity[:, 1], velocity[:, 0])
        turn = (course - self._heading + math.pi) % (2 * math.pi) - math.pi
        most = _TURN_RATE_RADPS * dt_s
        turn = np.minimum(np.maximum(turn, -most), most)
        heading = np.where(walking, self._heading + turn, self._heading)
        self._heading = (heading + math.pi) % (2 * math.pi) - math.pi
        # Longer strides at speed: about 1.5 m for two steps at a walk, 2 m at a run.
        stride_m = 0.9 + 0.42 * self._speed_mps
        phase = self._phase + 2 * math.pi * self._speed_mps / stride_m * dt_s
        self._phase = phase % (2 * math.pi)

    def place(self, i: int, north_m: float, east_m: float, heading_rad: float) -> None:
        """Put person i somewhere, standing; they set out for the nearest place of the graph."""
        self._snapshot = None
        self._position[i] = north_m, east_m
        self._heading[i] = (heading_rad + math.pi) % (2 * math.pi) - math.pi
        self._speed_mps[i] = 0.0
        self._stop_until_s[i] = self._time_s
        gap = np.hypot(*(self._graph.places_m - self._position[i]).T)
        self._place[i] = self._previous[i] = int(np.argmin(gap))
        self._aim(i)

    def _start(self, i: int) -> None:
        """Put person i somewhere between two neighbouring places."""
        graph, rng = self._graph, self._rng
        centre_m = np.hypot(*graph.places_m.T)
        weight = np.exp(-centre_m / _HOME_M) * np.where(graph.in_plaza, 1.6, 1.0)
        for _ in range(1000):
            a = int(rng.choice(len(weight), p=weight / weight.sum()))
            b = int(rng.choice(graph.neighbours[a]))
            spot = graph.places_m[a] + rng.random() * (graph.places_m[b] - graph.places_m[a])
            spot = spot + rng.uniform(-_STRAY_M, _STRAY_M, 2)
            fits = bool(_ground_heights_m(spot[None])[0] == PAVEMENT_HEIGHT_M)
            if i == HERO_INDEX:
                fits = fits and 15.0 <= math.hypot(*spot) <= 60.0
            if fits:
                break
        self._position[i] = spot
        self._place[i], self._previous[i] = b, a
        self._aim(i)

    def _aim(self, i: int) -> None:
        graph, rng = self._graph, self._rng
        place = int(self._place[i])
        stray_m = graph.stray_m[place]
        self._target[i] = graph.places_m[place] + rng.uniform(-stray_m, stray_m, 2)
        runs = rng.random() < 0.12
        if i == HERO_INDEX:
            self._wish_mps[i] = rng.uniform(1.9, 2.5) if runs else rng.uniform(1.2, 1.6)
        else:
            self._wish_mps[i] = rng.uniform(2.4, 3.0) if runs else rng.uniform(0.8, 1.6)

    def _arrive(self, i: int) -> None:
        """Choose where person i goes next, and whether to rest first."""
        graph, rng = self._graph, self._rng
        here = int(self._place[i])
        options = [p for p in graph.neighbours[here] if p != self._previous[i]]
        options = options or [int(self._previous[i])]
        weight = np.exp(-np.hypot(*graph.places_m[options].T) / _HOME_M)
        self._previous[i] = here
        self._place[i] = options[int(rng.choice(len(options), p=weight / weight.sum()))]
        self._aim(i)
        if rng.random() < 0.12:
            rest_s = rng.uniform(1.0, 4.0) if i == HERO_INDEX else rng.uniform(1.0, 9.0)
            self._stop_until_s[i] = self._time_s + rest_s

    def _group_spots(self) -> list[tuple[int, NDArray[np.float64], float, float]]:
        """(place, position, heading, time of leaving) of people standing together in the plaza."""
        rng, graph = self._rng, self._graph
        spots = []
        where = np.flatnonzero(graph.in_plaza)
        for place in rng.permutation(where)[: self._count // 8].tolist():
            centre = graph.places_m[place]
            size = int(rng.integers(2, 5))
            leave_s = float(rng.uniform(15.0, 90.0))
            for k in range(size):
                angle = 2 * math.pi * k / size + float(rng.uniform(-0.3, 0.3))
                out = np.array([math.cos(angle), math.sin(angle)])
                spot = centre + (0.45 + 0.12 * size) * out
                spots.append((place, spot, angle + math.pi, leave_s))
        return spots[: self._count // 2]

    def _make_room(self) -> NDArray[np.float64]:
        """(people, 2) velocity away from others who are too close, with a step to the right."""
        apart = self._position[:, None, :] - self._position[None, :, :]
        gap = np.sqrt(np.einsum("ijk,ijk->ij", apart, apart))
        np.fill_diagonal(gap, np.inf)
        if float(gap.min()) >= _PERSONAL_SPACE_M:
            return np.zeros_like(self._position)
        push = np.maximum(0.0, _PERSONAL_SPACE_M - gap) * (1.6 / _PERSONAL_SPACE_M)
        away = np.einsum("ij,ijk->ik", push / np.maximum(gap, 1e-3), apart)
        # Who stands in conversation keeps standing; who passes gives way.
        yielding = np.minimum(1.0, self._speed_mps / 0.5)[:, None]
        return (away + 0.6 * np.stack([-away[:, 1], away[:, 0]], axis=1)) * yielding

    def _push_out(self) -> None:
        """Move everybody out of trunks, planters, cars and the like."""
        north = self._position[:, :1] - self._obstacles[:, 0]
        east = self._position[:, 1:] - self._obstacles[:, 1]
        reach = self._obstacles[:, 2] + BODY_RADIUS_M
        inside = north * north + east * east < reach * reach
        if not inside.any():
            return
        for i, j in zip(*(a.tolist() for a in np.nonzero(inside)), strict=True):
            out = self._position[i] - self._obstacles[j, :2]
            # A touch of sideways motion leads around what stands exactly in the way.
            out = out + np.array([-out[1] - 1e-6, out[0]]) * 0.02
            gap = math.hypot(*out)
            if gap < reach[j]:
                self._position[i] = self._obstacles[j, :2] + out * (1.001 * reach[j] / gap)


def _ground_heights_m(position: NDArray[np.float64]) -> NDArray[np.float64]:
    """As `world.ground_height_m` for (n, 2) positions, with a short ramp over the kerb."""
    streets = np.array(STREET_CENTRES_M)
    gap = np.abs(position[:, :, None] - streets).min(axis=(1, 2))
    share = np.clip((gap - (CARRIAGEWAY_HALF_WIDTH_M - 0.2)) / 0.2, 0.0, 1.0)
    outside = np.abs(position).max(axis=1) > STREET_END_M
    return np.where(outside, 1.0, share) * PAVEMENT_HEIGHT_M


def _obstacle_circles(city: City) -> NDArray[np.float64]:
    """(n, 3) north, east, radius of everything a walker could bump into near the paths."""
    circles = [(p.north_m, p.east_m, p.radius_m) for p in city.planters]
    circles += [(t.north_m, t.east_m, 0.25) for t in city.trees]
    circles += [(b.north_m, b.east_m, b.radius_m) for b in city.bushes]
    circles += [(p.north_m, p.east_m, 0.12) for p in city.lamps]
    half = city.highway.pillar_half_m
    circles += [(n, e, half * math.sqrt(2)) for n, e in city.highway.pillars_m]
    for car in city.cars:
        for share in (-0.36, 0.0, 0.36):
            circles.append(
                (
                    car.north_m + share * car.length_m * math.cos(car.yaw_rad),
                    car.east_m + share * car.length_m * math.sin(car.yaw_rad),
                    1.12,
                )
            )
    return np.array(circles)
