"""A world in the making: what stands already, and where there is room for more."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import shapely
from shapely import LineString, Polygon
from shapely.geometry import Point as ShapelyPoint
from shapely.geometry import box

from followme_uav.worlds.shapes import (
    box_of,
    heading_at,
    line_of,
    points_of,
    polygons_in,
    rings_of,
    street_polygon,
)
from followme_uav.worlds.terrain import ground_heights_m
from followme_uav.worlds.world import (
    Area,
    Barrier,
    Bench,
    Bounds,
    Building,
    Bush,
    Container,
    Foliage,
    Lamp,
    ParkedCar,
    Planter,
    Point,
    Street,
    StreetKind,
    Surface,
    Terrain,
    Tree,
    World,
)

CAR_COLOURS = (
    (0.72, 0.74, 0.76), (0.12, 0.13, 0.15), (0.85, 0.85, 0.83), (0.16, 0.24, 0.42),
    (0.55, 0.50, 0.38), (0.12, 0.30, 0.22),
)  # fmt: skip
"""No red: it would resemble the hero."""
TRUNK_M = 0.6
"""Free radius that a trunk needs."""


class Site:
    """Collects the parts of a world and keeps them apart.

    Args:
        size_m: side of the square world.
        seed: of all draws.
        kind: number of the generator, so that two kinds with one seed draw differently.
    """

    def __init__(self, size_m: float, seed: int, kind: int) -> None:
        self.rng = np.random.default_rng([seed, 2100 + kind])
        self.half_m = size_m / 2.0
        self.bounds = box(-self.half_m, -self.half_m, self.half_m, self.half_m)
        self.terrain: Terrain | None = None
        self.streets: list[Street] = []
        self.areas: list[Area] = []
        self.buildings: list[Building] = []
        self.trees: list[Tree] = []
        self.bushes: list[Bush] = []
        self.lamps: list[Lamp] = []
        self.benches: list[Bench] = []
        self.cars: list[ParkedCar] = []
        self.containers: list[Container] = []
        self.barriers: list[Barrier] = []
        self.planters: list[Planter] = []
        self.roads: Any = Polygon()
        """Union of all streets; call `streets_done` after the last one."""
        self._air: Any = Polygon()
        self._solid: list[Any] = []
        self._reach = np.zeros((1024, 4))
        self._trunks: list[Point] = []

    def uniform(self, low: float, high: float) -> float:
        """Draw a number."""
        return float(self.rng.uniform(low, high))

    def chance(self, share: float) -> bool:
        """Draw true or false."""
        return bool(self.rng.random() < share)

    def pick(self, options: Sequence[Any]) -> Any:
        """Draw one of several."""
        return options[int(self.rng.integers(len(options)))]

    def look(self) -> int:
        """Draw the number that selects details of a building."""
        return int(self.rng.integers(0, 1 << 16))

    def street(
        self,
        kind: StreetKind,
        width_m: float,
        points: Any,
        **more: Any,
    ) -> Street:
        """Add a street along points or a line."""
        line = points if isinstance(points, LineString) else LineString(points)
        street = Street(kind, width_m, points_of(line), **more)
        self.streets.append(street)
        return street

    def streets_done(self, gap_m: float = 0.0, flown_path_m: float = math.inf) -> None:
        """Make the union of all streets, widened by a gap; nothing is built there.

        No crown reaches over streets, alleys, and paths that are at least `flown_path_m` wide.
        """
        self.roads = shapely.union_all([street_polygon(s) for s in self.streets]).buffer(gap_m)
        shapely.prepare(self.roads)
        self._air = shapely.union_all(
            [
                line_of(s).buffer(min(s.width_m / 2.0 + 0.5, 3.0) + 1.2)
                for s in self.streets
                if s.kind in ("street", "alley")
                or (s.kind == "footpath" and s.width_m >= flown_path_m)
            ]
        )
        shapely.prepare(self._air)

    def area(self, surface: Surface, shape: Any, name: str = "", least_m2: float = 4.0) -> None:
        """Add the polygons of a shape as ground."""
        for polygon in polygons_in(shape, least_m2):
            outline, holes = rings_of(polygon)
            if len(outline) >= 3 and Polygon(outline, holes).is_valid:
                self.areas.append(Area(surface, outline, holes, name))

    def blocked(self, shape: Any) -> None:
        """Keep a shape free of everything that is added later."""
        shapely.prepare(shape)
        if len(self._solid) == len(self._reach):
            self._reach = np.vstack([self._reach, np.zeros_like(self._reach)])
        self._reach[len(self._solid)] = shape.bounds
        self._solid.append(shape)

    def solids_near(self, shape: Any) -> list[Any]:
        """Return the solids whose rectangle meets that of a shape."""
        south, west, north, east = shape.bounds
        reach = self._reach[: len(self._solid)]
        hit = (reach[:, 0] <= north) & (reach[:, 2] >= south)
        hit &= (reach[:, 1] <= east) & (reach[:, 3] >= west)
        return [self._solid[i] for i in np.flatnonzero(hit)]

    def is_free(self, shape: Any, gap_m: float = 0.0) -> bool:
        """Whether a shape lies within the bounds and touches nothing that stands there."""
        wide = shape.buffer(gap_m) if gap_m else shape
        if not self.bounds.covers(shape) or self.roads.intersects(wide):
            return False
        return not any(solid.intersects(wide) for solid in self.solids_near(wide))

    def building(self, shape: Polygon, height_m: float, **more: Any) -> bool:
        """Add a building on a footprint; False if its rounded outline is no polygon."""
        outline, holes = rings_of(shape)
        if len(outline) < 3 or not Polygon(outline, holes).is_valid:
            return False
        more.setdefault("look", self.look())
        building = Building(outline, round(height_m, 2), holes_m=holes, **more)
        self.buildings.append(building)
        if building.base_m == 0.0:
            self.blocked(shape)
        return True

    def tree(
        self,
        at: Point,
        foliage: Sequence[Foliage] = ("green", "dark", "lime"),
        low_m: float = 6.0,
        high_m: float = 10.0,
        apart_m: float = 4.0,
        column: float = 0.15,
        on_path_m: float = 0.4,
        wall_m: float = 1.2,
    ) -> bool:
        """Add a tree where there is room for it.

        Args:
            at: north, east.
            foliage: kinds of leaves to draw from.
            low_m: least height.
            high_m: largest height.
            apart_m: distance to the next trunk.
            column: share of slender trees.
            on_path_m: distance of the trunk from streets.
            wall_m: distance of the trunk from walls.
        """
        height_m = self.uniform(low_m, high_m)
        crown_m = height_m * self.uniform(0.26, 0.36)
        kind = "column" if self.chance(column) else "round"
        leaves = self.pick(foliage)
        if kind == "column":
            crown_m *= 0.5
        if any(math.dist(at, other) < apart_m for other in self._trunks):
            return False
        spot = ShapelyPoint(at)
        if not self.bounds.covers(spot.buffer(1.0)) or self.roads.intersects(
            spot.buffer(max(TRUNK_M, on_path_m))
        ):
            return False
        if self._air.intersects(spot.buffer(crown_m)):  # vehicles fly there
            return False
        around = spot.buffer(wall_m)
        if any(solid.intersects(around) for solid in self.solids_near(around)):
            return False
        place = (round(at[0], 2), round(at[1], 2))
        self.trees.append(
            Tree(place, round(height_m, 2), round(crown_m, 2), kind, leaves)  # type: ignore[arg-type]
        )
        self._trunks.append(at)
        return True

    def bush(self, at: Point, foliage: Sequence[Foliage] = ("green", "dark", "olive")) -> None:
        """Add a bush where there is room for it."""
        radius_m, height_m = self.uniform(0.6, 1.3), self.uniform(0.8, 2.0)
        leaves = self.pick(foliage)
        if self.is_free(ShapelyPoint(at).buffer(radius_m + 0.3)) and all(
            math.dist(at, other) > radius_m + TRUNK_M for other in self._trunks
        ):
            place = (round(at[0], 2), round(at[1], 2))
            self.bushes.append(Bush(place, round(radius_m, 2), round(height_m, 2), leaves))

    def scatter(self, shape: Any, count: int) -> list[Point]:
        """Draw places within a shape."""
        if shape.is_empty or shape.area <= 0.0:
            return []
        shapely.prepare(shape)
        low_n, low_e, high_n, high_e = shape.bounds
        found: list[Point] = []
        for _ in range(40):
            points = self.rng.uniform((low_n, low_e), (high_n, high_e), (max(count, 8), 2))
            inside = shapely.contains_xy(shape, points)
            found += [(float(n), float(e)) for n, e in points[inside]]
            if len(found) >= count:
                break
        return found[:count]

    def lamps_along(
        self, street: Street, spacing_m: float, height_m: float = 5.0, inside_m: float = 0.5
    ) -> None:
        """Add lamps near the edges of a street, on alternating sides."""
        line = line_of(street)
        count = int(line.length // spacing_m)
        for i in range(count):
            along_m = (i + 0.5) * line.length / count
            spot, heading = line.interpolate(along_m), heading_at(line, along_m)
            side = 1.0 if i % 2 else -1.0
            off_m = side * (street.width_m / 2.0 - inside_m)
            at = (spot.x - off_m * math.sin(heading), spot.y + off_m * math.cos(heading))
            point = ShapelyPoint(at)
            if any(
                s is not street
                and line_of(s).distance(point) < max(s.carriageway_m, s.width_m - 1.2) / 2.0
                for s in self.streets
            ):
                continue
            around = point.buffer(0.3)
            if any(solid.intersects(around) for solid in self.solids_near(around)):
                continue
            if any(math.dist(at, other) < 1.0 for other in self._trunks):
                continue
            yaw_rad = math.remainder(heading - side * math.pi / 2.0, 2 * math.pi)
            place = (round(at[0], 2), round(at[1], 2))
            self.lamps.append(Lamp(place, height_m, round(yaw_rad, 4)))

    def benches_along(self, street: Street, spacing_m: float, off_m: float = 0.7) -> None:
        """Add benches beside a footpath that look at it."""
        line = line_of(street)
        count = int(line.length // spacing_m)
        for i in range(count):
            along_m = (i + self.uniform(0.3, 0.7)) * line.length / count
            side = self.pick((-1.0, 1.0))
            spot, heading = line.interpolate(along_m), heading_at(line, along_m)
            away_m = side * (street.width_m / 2.0 + off_m)
            at = (spot.x - away_m * math.sin(heading), spot.y + away_m * math.cos(heading))
            yaw_rad = math.remainder(heading - side * math.pi / 2.0, 2 * math.pi)
            bench = Bench(
                (round(at[0], 2), round(at[1], 2)),
                # The length of a bench is across its view.
                round(math.remainder(yaw_rad + math.pi / 2.0, 2 * math.pi), 4),
            )
            if self.is_free(box_of(bench)) and all(
                math.dist(at, other) > 1.6 for other in self._trunks
            ):
                self.benches.append(bench)
                self.blocked(box_of(bench).buffer(0.3))

    def park(self, at: Point, yaw_rad: float, *, on_road: bool = False) -> bool:
        """Add a parked car if there is room for it."""
        flip = math.pi if self.chance(0.5) else 0.0
        car = ParkedCar(
            (round(at[0], 2), round(at[1], 2)),
            round(math.remainder(yaw_rad + flip, 2 * math.pi), 4),
            round(self.uniform(3.9, 4.7), 2),
            height_m=round(self.uniform(1.42, 1.6), 2),
            colour=self.pick(CAR_COLOURS),
        )
        shape = box_of(car)
        if not on_road and not self.is_free(shape, 0.2):
            return False
        self.cars.append(car)
        self.blocked(shape.buffer(0.2))
        return True

    def container(self, at: Point, yaw_rad: float, stacked: bool) -> bool:
        """Add a container, or two on top of each other, if there is room."""
        colour = self.pick(
            ((0.20, 0.35, 0.50), (0.30, 0.42, 0.30), (0.62, 0.52, 0.30), (0.45, 0.46, 0.48))
        )
        part = Container(
            (round(at[0], 2), round(at[1], 2)),
            round(yaw_rad, 4),
            length_m=self.pick((6.06, 12.19)),
            height_m=5.18 if stacked else 2.59,
            colour=colour,
        )
        shape = box_of(part)
        if not self.is_free(shape, 0.4):
            return False
        self.containers.append(part)
        self.blocked(shape.buffer(0.3))
        return True

    def heights(self, points: Iterable[Point]) -> tuple[float, ...]:
        """Return the heights of the ground at points, rounded."""
        found = ground_heights_m(self.terrain, list(points))
        return tuple(round(float(h), 3) for h in found)

    def world(self, kind: str, seed: int, style: str, start: Point) -> World:
        """Return the world of all parts."""
        half_m = self.half_m
        return World(
            name=f"{kind} {seed}",
            bounds=Bounds(-half_m, -half_m, half_m, half_m),
            kind=kind,
            seed=seed,
            style=style,
            start_m=(round(start[0], 3), round(start[1], 3)),
            terrain=self.terrain,
            streets=tuple(self.streets),
            areas=tuple(self.areas),
            buildings=tuple(self.buildings),
            trees=tuple(self.trees),
            bushes=tuple(self.bushes),
            lamps=tuple(self.lamps),
            benches=tuple(self.benches),
            parked_cars=tuple(self.cars),
            containers=tuple(self.containers),
            barriers=tuple(self.barriers),
            planters=tuple(self.planters),
        )


def most_open_point(line_points: Iterable[Point], solids: Any, bounds: Polygon) -> Point:
    """Return the point of streets that is farthest from solids: the place to take off."""
    points = np.array(list(line_points), dtype=float).reshape(-1, 2)
    points = points[shapely.contains_xy(bounds, points)]
    if not len(points):
        return 0.0, 0.0
    clear = np.full(len(points), 20.0)
    parts = shapely.get_parts(solids)
    if len(parts):
        _, gap = shapely.STRtree(parts).query_nearest(
            shapely.points(points), return_distance=True, all_matches=False
        )
        clear = np.minimum(gap, 20.0)
    best = points[np.argmax(clear - 0.02 * np.hypot(*points.T))]
    return float(best[0]), float(best[1])
