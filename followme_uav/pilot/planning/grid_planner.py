"""Steers along the cheapest way to a goal on the map that the vehicle makes.

The way leads over the cells of a coarse grid; it is flown at any angle: straight to the farthest
of its points that a free line leads to, as in the smoothing of A* with post-smoothing (Daniel,
Nash, Koenig and Felner, "Theta*: any-angle path planning on grids", 2010).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from followme_uav.config import FlightConfig
from followme_uav.messages import Vec2
from followme_uav.pilot.mapping.surroundings import COARSE, Surroundings
from followme_uav.pilot.navigation.route_planner import course, heading_velocity
from followme_uav.pilot.planning.route_field import RouteField

LIMIT_M = 120.0
"""Longest way that is planned at once, in metres of open space."""
SAME_GOAL_M = 2.0
"""A goal that moves less than this between two plans keeps its way."""
OPTIMISTIC_M = 60.0
"""Longest way that is planned through unknown space."""
OFF_GOAL_M = 4.0
"""A known way that ends farther than this from the goal is worth a try through unknown space."""
LOGGED_EVERY = 3
"""Every third point of a way is logged, and its end."""
LOOK_AHEAD = 12
"""Points of the way that are tried as the next one."""
AT_GOAL_M = 0.5
"""Nearer than this to its end, a way is flown to the end."""


class GridPlanner:
    """Plans on the vehicle's own map; has the methods of `navigation.route_planner`.

    Attributes:
        way_m: The way that was flown last, from the vehicle to the goal.
    """

    def __init__(self, config: FlightConfig, surroundings: Surroundings) -> None:
        self.way_m: tuple[Vec2, ...] = ()
        self._surroundings = surroundings
        self._replan_s = config.explore.replan_s
        self._corner_speed_mps = config.limits.corner_speed_mps
        self._field: RouteField | None = None
        self._field_s = -math.inf
        self._goal_m: Vec2 | None = None
        self._goal_field: RouteField | None = None

    def field(self, here_m: Vec2) -> RouteField:
        """The ways from here, at most `replan_s` old."""
        now_s = self._surroundings.time_s
        if self._field is None or now_s - self._field_s >= self._replan_s - 1e-6:
            self._field = self._new_field(here_m)
            self._field_s = now_s
        return self._field

    def _new_field(self, here_m: Vec2, *, through_unknown: bool = False) -> RouteField:
        log_odds, is_tight = self._surroundings.grid.sampled(COARSE)
        window = self._surroundings.ground.window
        if through_unknown:
            unknown = log_odds == 0
            return RouteField(log_odds < 0, is_tight, window, here_m, OPTIMISTIC_M, unknown)
        return RouteField(log_odds < 0, is_tight, window, here_m, LIMIT_M)

    def velocity_to(
        self, goal_m: Vec2, position_m: Vec2, speed_mps: float, at_goal_mps: float = 0.0
    ) -> Vec2:
        """Velocity towards the goal, slower near its end and where the way turns."""
        point_m = self.next_point(goal_m, position_m)
        self._surroundings.way_m = (*self.way_m[1:-1:LOGGED_EVERY], self.way_m[-1])
        course_rad, distance_m = course(position_m, point_m)
        at_the_end_mps = at_goal_mps if point_m == self.way_m[-1] else self._corner_speed_mps
        return heading_velocity(min(speed_mps, at_the_end_mps + distance_m), course_rad)

    def is_straight(self, goal_m: Vec2, position_m: Vec2) -> bool:
        """Whether no obstacle is known on the straight line to the goal."""
        north_m, east_m = _line(position_m, goal_m, self._surroundings.grid.window.cell_m)
        return not self._surroundings.grid.is_obstructed(north_m, east_m).any()

    def way_length_m(self, goal_m: Vec2, position_m: Vec2) -> float:
        """Length of the way to `goal_m`, or to the place nearest to it."""
        self.next_point(goal_m, position_m)
        return sum(itertools.starmap(math.dist, itertools.pairwise(self.way_m)))

    def nearest_on_this_side(self, goal_m: Vec2, position_m: Vec2) -> Vec2:
        """The vehicle's own place: it stands there while it watches `goal_m`."""
        return position_m

    def next_point(self, goal_m: Vec2, position_m: Vec2) -> Vec2:
        """The next point on the way to `goal_m`.

        A goal that no way leads to stands for the place nearest to it.
        """
        if self._are_free(position_m, [goal_m])[0]:
            self.way_m = (position_m, goal_m)
            return goal_m
        self._plan(goal_m, position_m)
        points = self.way_m[1 : LOOK_AHEAD + 1]
        free = self._are_free(position_m, points)
        far = [point for point, is_free in zip(points, free, strict=True) if is_free]
        if far:
            return far[-1]
        return next((p for p in points if math.dist(p, position_m) > AT_GOAL_M), self.way_m[-1])

    def _plan(self, goal_m: Vec2, position_m: Vec2) -> None:
        """Make the way to the goal anew, if the ways or the goal have changed."""
        field = self.field(position_m)
        is_same = self._goal_m is not None and math.dist(goal_m, self._goal_m) < SAME_GOAL_M
        if is_same and field is self._goal_field:
            self.way_m = (position_m, *self._ahead(position_m))
            return
        self._goal_m, self._goal_field = goal_m, field
        cell = field.nearest_to(goal_m)
        if math.dist(field.window.centre_of(*cell), goal_m) > OFF_GOAL_M:
            # The vehicle flies the known part of such a way, and stops where the unknown begins.
            field = self._new_field(position_m, through_unknown=True)
            cell = field.nearest_to(goal_m)
        self.way_m = (position_m, *field.way_to(*cell)[1:])
        if len(self.way_m) == 1:
            self.way_m = (position_m, position_m)

    def _ahead(self, position_m: Vec2) -> tuple[Vec2, ...]:
        """The rest of the way: from its point nearest to the vehicle on."""
        points = self.way_m[1:]
        nearest = min(range(len(points)), key=lambda i: math.dist(points[i], position_m))
        return points[nearest:]

    def _are_free(self, start_m: Vec2, ends_m: Sequence[Vec2]) -> NDArray[np.bool_]:
        """For each end, whether the vehicle may fly straight to it, with its clearance."""
        if not ends_m:
            return np.zeros(0, np.bool_)
        grid = self._surroundings.grid
        ends = np.asarray(ends_m)
        lengths_m = np.hypot(ends[:, 0] - start_m[0], ends[:, 1] - start_m[1])
        count = max(2, math.ceil(float(lengths_m.max()) / grid.window.cell_m))
        shares = (np.arange(count) + 1.0) / count
        north_m = start_m[0] + (ends[:, :1] - start_m[0]) * shares
        east_m = start_m[1] + (ends[:, 1:] - start_m[1]) * shares
        return np.asarray(grid.may_fly(north_m, east_m).all(axis=1))


def _line(
    start_m: Vec2, end_m: Vec2, step_m: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points of a straight line, at most a step apart."""
    count = max(2, math.ceil(math.dist(start_m, end_m) / step_m) + 1)
    return np.linspace(start_m[0], end_m[0], count), np.linspace(start_m[1], end_m[1], count)
