"""Makes a world of OpenStreetMap data: projects, cuts, repairs and completes it."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from shapely import LineString, Polygon
from shapely.geometry import Point as ShapelyPoint
from shapely.ops import polygonize, substring

from followme_uav.errors import ConfigError
from followme_uav.worlds.generators.site import most_open_point
from followme_uav.worlds.geo import project
from followme_uav.worlds.osm import OsmData, Relation, Tags
from followme_uav.worlds.osm_rules import (
    BARRIERS,
    WATERWAYS_M,
    building_of,
    highway_of,
    is_below_ground,
    metres,
    surface_of,
)
from followme_uav.worlds.shapes import (
    barrier_polygon,
    carriageway_polygon,
    points_of,
    polygon_of,
    polygons_in,
    rings_of,
    street_polygon,
)
from followme_uav.worlds.world import (
    MAX_LATITUDE_DEG,
    Area,
    Barrier,
    Bench,
    Bounds,
    Building,
    GeoOrigin,
    Lamp,
    Point,
    Street,
    Tree,
    World,
)

ATTRIBUTION = (
    "Map data © OpenStreetMap contributors, available under the Open Database License (ODbL) 1.0: "
    "https://www.openstreetmap.org/copyright"
)
MAX_SIZE_M = 4000.0
DEFAULT_SIZE_M = 600.0
_LEAST_BUILDING_M2, _LEAST_AREA_M2 = 4.0, 10.0
_BRIDGE_CLEAR_M, _BRIDGE_DECK_M = 5.5, 0.8
_RAMP_M, _DECK_SEGMENT_M = 60.0, 15.0
_ROOM_M = 0.2
"""Streets keep so far from walls where they are made narrower."""
_NARROWEST_M = 1.6
_HEADROOM_M = 2.2
"""A building that begins higher is no wall: streets and people pass below."""
_OFF_ROAD_M = 0.3
"""Barriers keep so far from streets, and lamps from the carriageways of cars."""
_SHORTEST_BARRIER_M = 0.5
_START_SPACING_M, _START_CLEAR_M = 15.0, 0.8


@dataclass
class Counts:
    """Numbers of what was left out or changed."""

    repaired: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)

    def lines(self) -> tuple[str, ...]:
        """One line for each kind."""
        return tuple(
            [f"repaired: {count} {what}" for what, count in sorted((+self.repaired).items())]
            + [f"left out: {count} {what}" for what, count in sorted((+self.dropped).items())]
        )


def import_world(
    data: OsmData,
    name: str,
    centre: tuple[float, float] | None = None,
    size_m: float | None = None,
) -> World:
    """Make a world of map data.

    Args:
        data: nodes, ways and relations.
        name: of the world.
        centre: latitude and longitude of its middle; None: the middle of all buildings, or of all
            nodes if there are none.
        size_m: side of the square that is kept.

    Raises:
        ConfigError: The part has neither buildings nor streets, or is too near to a pole.
    """
    size_m = DEFAULT_SIZE_M if size_m is None else size_m
    if not 50.0 <= size_m <= MAX_SIZE_M:
        raise ConfigError(f"--size-m {size_m:g}: must be from 50 to {MAX_SIZE_M:g}")
    latitude, longitude = centre or _middle(data)
    if abs(latitude) > MAX_LATITUDE_DEG:
        raise ConfigError(
            f"{name}: its middle is at latitude {latitude:.3f}; worlds lie between "
            f"-{MAX_LATITUDE_DEG:g} and {MAX_LATITUDE_DEG:g}"
        )
    origin = GeoOrigin(round(latitude, 7), round(longitude, 7))
    counts = Counts()
    reach = size_m / 2.0
    importer = _Importer(data, origin, shapely.box(-reach, -reach, reach, reach), counts)
    world = importer.world(name, Bounds(-reach, -reach, reach, reach))
    if not world.buildings and not world.streets:
        raise ConfigError(
            f"{name}: no building and no street within {size_m:g} m around "
            f"{latitude:.5f},{longitude:.5f}; pass another --centre LAT,LON or a larger --size-m"
        )
    return world


def _middle(data: OsmData) -> tuple[float, float]:
    """The median position of buildings; without any, of all nodes."""
    numbers = [w.nodes[0] for w in data.ways.values() if "building" in w.tags and w.nodes]
    places = [data.nodes[n] for n in numbers if n in data.nodes] or list(data.nodes.values())
    latitudes, longitudes = zip(*places, strict=True)
    half, first = len(places) // 2, longitudes[0]
    # Seen from one of them, so that a town at the date line stays together.
    eastwards = sorted(longitudes, key=lambda deg: math.remainder(deg - first, 360.0))
    return sorted(latitudes)[half], eastwards[half]


class _Importer:
    """One import: the data, and what was made of it."""

    def __init__(self, data: OsmData, origin: GeoOrigin, box: Polygon, counts: Counts) -> None:
        self.data, self.origin, self.box, self.counts = data, origin, box, counts
        self.repeated: set[int] = set()
        """Ways that say the same as their relation."""

    def world(self, name: str, bounds: Bounds) -> World:
        """Make all parts."""
        shapes = list(self._polygons())
        buildings = self._buildings(shapes)
        walls = [polygon_of(b) for b in buildings if b.base_m < _HEADROOM_M]
        roofs = [polygon_of(b) for b in buildings if b.base_m >= _HEADROOM_M]
        streets = self._streets(walls)
        barriers = tuple(self._barriers(streets))
        areas = self._areas(shapes, streets)
        solids = shapely.union_all([*walls, *(barrier_polygon(b) for b in barriers)])
        roads = shapely.union_all([street_polygon(s) for s in streets])
        roofed = shapely.union_all([solids, *roofs])
        for shape in (solids, roads, roofed):
            shapely.prepare(shape)
        trees = tuple(self._trees(shapes, roofed, roads))
        crowns = [ShapelyPoint(t.at_m).buffer(t.crown_radius_m, quad_segs=2) for t in trees]
        decks = [street_polygon(s) for s in streets if s.is_raised]
        tall = [*shapely.get_parts(roofed), *crowns, *decks]
        return World(
            name=name,
            bounds=bounds,
            kind="import",
            style="plaza",
            attribution=ATTRIBUTION,
            geo_origin=self.origin,
            start_m=self._start(streets, tall),
            streets=streets,
            areas=areas,
            buildings=buildings,
            trees=trees,
            lamps=tuple(self._lamps(roofed, streets)),
            benches=tuple(self._benches(solids, roads)),
            barriers=barriers,
            notes=self.counts.lines(),
        )

    def _start(self, streets: tuple[Street, ...], tall: list[Any]) -> Point:
        """The most open place on a street below the sky; without any, on the ground."""
        south, west, north, _ = self.box.bounds
        inner = self.box.buffer(-0.05 * (north - south))
        on_streets = [
            p for s in streets if not s.is_raised
            for p in points_of(LineString(s.line_m).segmentize(_START_SPACING_M))
        ]  # fmt: skip
        steps = range(int((north - south) / _START_SPACING_M) + 1)
        on_ground = [
            (south + i * _START_SPACING_M, west + j * _START_SPACING_M)
            for i, j in itertools.product(steps, steps)
        ]
        covers = shapely.STRtree(tall)
        for places in (on_streets, on_ground):
            points = shapely.points(np.array(places).reshape(-1, 2))
            covered = {int(i) for i in covers.query(points, "dwithin", _START_CLEAR_M)[0]}
            found = [p for i, p in enumerate(places) if i not in covered]
            if any(shapely.contains_xy(inner, *p) for p in found):
                return most_open_point(found, shapely.geometrycollections(tall), inner)
        return 0.0, 0.0

    def _place(self, node: int) -> tuple[float, float] | None:
        at = self.data.nodes.get(node)
        return None if at is None else project(self.origin, *at)

    def _points(self, nodes: tuple[int, ...], what: str) -> list[Point]:
        """Positions of nodes; those that the file lacks are left out, and the line is counted."""
        found, is_complete = self._known(nodes)
        if not is_complete and self._is_here(found):
            self.counts.repaired[f"{what} with missing nodes"] += 1
        return found

    def _known(self, nodes: tuple[int, ...]) -> tuple[list[Point], bool]:
        """Positions of the nodes that the file has, and whether these are all."""
        places = [self._place(n) for n in nodes]
        found = [p for p in places if p is not None]
        distinct = [p for i, p in enumerate(found) if i == 0 or p != found[i - 1]]
        return distinct, len(found) == len(places)

    def _is_here(self, points: Sequence[Point]) -> bool:
        """Whether something may be a part of the world; also if its place is unknown."""
        if not points:
            return True
        norths, easts = zip(*points, strict=True)
        around = shapely.box(min(norths), min(easts), max(norths), max(easts))
        return bool(self.box.intersects(around))

    def _polygons(self) -> Iterator[tuple[Tags, Any]]:
        """Yield areas (tags, valid geometry) of closed ways and of multipolygons."""
        for relation in self.data.relations.values():
            if relation.tags.get("type") == "multipolygon" and self._is_wanted(relation.tags):
                shape = self._multipolygon(relation)
                if shape is not None:
                    yield relation.tags, shape
        for number, way in self.data.ways.items():
            if number in self.repeated or not self._is_wanted(way.tags):
                continue
            what = "buildings" if "building" in way.tags else "areas"
            points = self._points(way.nodes, what)
            if len(set(points)) < 3 or not (
                way.nodes[0] == way.nodes[-1] or "building" in way.tags
            ):
                self.counts.dropped[f"{what} that are no polygons"] += self._is_here(points)
                continue
            shape = self._valid(Polygon(points), what)
            if shape is not None:
                yield way.tags, shape

    def _is_wanted(self, tags: Tags) -> bool:
        if is_below_ground(tags):
            return False
        is_area = tags.get("area") == "yes" or tags.get("type") == "multipolygon"
        is_path = "highway" in tags and not is_area
        return _is_building(tags) or (surface_of(tags) is not None and not is_path)

    def _valid(self, shape: Any, what: str) -> Any | None:
        """Repair a polygon that crosses itself; None, and counted, if nothing is left of it."""
        if not shape.is_valid:
            is_here = bool(self.box.intersects(shapely.box(*shape.bounds)))
            shape = shapely.make_valid(shape)
            parts = list(polygons_in(shape, _LEAST_BUILDING_M2))
            if not parts:
                self.counts.dropped[f"{what} that are no polygons"] += is_here
                return None
            self.counts.repaired[f"{what} that crossed themselves"] += is_here
            shape = shapely.union_all(parts)
        return shape

    def _multipolygon(self, relation: Relation) -> Any | None:
        rings: dict[str, list[LineString]] = {"outer": [], "inner": []}
        repeated: set[int] = set()
        known: list[Point] = []
        lacks_ways = lacks_nodes = False
        for number, role in relation.members:
            way = self.data.ways.get(number)
            if way is None:
                lacks_ways = True
                continue
            points, is_complete = self._known(way.nodes)
            known += points
            lacks_nodes |= not is_complete
            if len(points) >= 2:
                rings["inner" if role == "inner" else "outer"].append(LineString(points))
                # A way within is something of its own: a lake in a wood, a house in a yard.
                if role != "inner" and _meaning(way.tags) == _meaning(relation.tags):
                    repeated.add(number)
        is_here = self._is_here(known)
        self.counts.repaired["multipolygons with missing ways"] += lacks_ways and is_here
        self.counts.repaired["multipolygons with missing nodes"] += lacks_nodes and is_here
        shape = _assembled(rings)
        if shape.is_empty:
            self.counts.dropped["multipolygons that are no polygons"] += is_here
            return None
        self.repeated |= repeated
        return self._valid(shape, "multipolygons")

    def _buildings(self, shapes: list[tuple[Tags, Any]]) -> tuple[Building, ...]:
        """Buildings in the box, without overlaps: the larger one keeps the common part."""
        parts = [
            (part, tags)
            for tags, shape in shapes
            if _is_building(tags)
            for part in polygons_in(shape, _LEAST_BUILDING_M2)
            if self.box.covers(part.centroid)
        ]
        every = len(parts)
        parts = [p for p in parts if max(map(abs, p[0].bounds)) <= MAX_SIZE_M]
        self.counts.dropped["buildings larger than any world"] += every - len(parts)
        parts.sort(key=lambda p: -p[0].area)
        tree = shapely.STRtree([p for p, _ in parts])
        stands = [building_of(tags, part.area).base_m == 0.0 for part, tags in parts]
        found: list[Building] = []
        for number, (part, tags) in enumerate(parts):
            properties = building_of(tags, part.area)
            shape = part
            near = [int(i) for i in tree.query(part, predicate="intersects") if i < number]
            before = [parts[i][0] for i in near if stands[i]]
            if stands[number] and before:
                cut = part.difference(shapely.union_all(before))
                if cut.area < part.area - 0.05:
                    self.counts.repaired["buildings that overlapped"] += 1
                    shape = cut
            for piece in polygons_in(shape, _LEAST_BUILDING_M2):
                outline, holes = rings_of(piece.simplify(0.02))
                holes = tuple(h for h in holes if len(h) >= 3)
                if len(outline) < 3 or not Polygon(outline, holes).is_valid:
                    self.counts.dropped["buildings that are no polygons"] += 1
                    continue
                found.append(
                    Building(
                        outline,
                        properties.height_m,
                        properties.storeys,
                        properties.style,
                        properties.roof,
                        properties.base_m,
                        holes,
                        look=(number * 40503) % 65536,
                        name=tags.get("name", "")[:200],
                    )
                )
        return tuple(found)

    def _streets(self, walls: list[Polygon]) -> tuple[Street, ...]:
        """Streets in the box, narrower where walls stand near, and left out inside of walls."""
        tree = shapely.STRtree(walls)
        found: list[Street] = []
        for way in self.data.ways.values():
            kind = highway_of(way.tags)
            if kind is None:
                continue
            points = self._points(way.nodes, "streets")
            if way.tags.get("oneway") == "-1":
                points.reverse()
            if len(points) < 2:
                self.counts.dropped["streets of fewer than two points"] += self._is_here(points)
                continue
            inside = LineString(points).intersection(self.box)
            for part in shapely.get_parts(inside):
                if part.geom_type != "LineString" or part.length < 1.0:
                    continue
                raised = way.tags.get("bridge", "no") != "no"
                for piece, width_m in self._fitted(part, kind.width_m, walls, tree, raised):
                    line = points_of(_with_ramps(piece) if raised else piece)
                    if len(line) < 2:
                        continue
                    loss_m = kind.width_m - width_m
                    pavement_m = round(max(kind.pavement_m - loss_m / 2.0, 0.0), 3)
                    lanes = kind.lanes if width_m - 2.0 * pavement_m >= 2.2 * kind.lanes else 0
                    if kind.lanes and pavement_m < 0.9:
                        lanes, pavement_m = 0, 0.0
                    name = way.tags.get("name", "")[:200]
                    if raised:
                        heights = _bridge_heights(line, piece.length)
                        found.append(
                            Street(
                                "bridge", width_m, line, pavement_m, lanes, heights,
                                thickness_m=_BRIDGE_DECK_M, name=name,
                            )
                        )  # fmt: skip
                        continue
                    style = kind.kind if lanes or not kind.lanes else "alley"
                    found.append(Street(style, width_m, line, pavement_m, lanes, name=name))
        return tuple(found)

    def _fitted(
        self,
        line: LineString,
        width_m: float,
        walls: list[Polygon],
        tree: shapely.STRtree,
        raised: bool,
    ) -> Iterator[tuple[LineString, float]]:
        """Yield parts of a line outside of walls, and the width that fits there."""
        near = [walls[int(i)] for i in tree.query(line.buffer(width_m / 2.0 + 1.0))]
        if raised or not near:
            yield line, width_m
            return
        solid = shapely.union_all(near)
        outside = line.difference(solid.buffer(_NARROWEST_M / 2.0 + _ROOM_M))
        if outside.length < line.length - 0.5:
            self.counts.repaired["streets that led through walls"] += 1
        if outside.is_empty:
            return
        narrow = False
        for part in shapely.get_parts(outside):
            if part.geom_type != "LineString" or part.length < 2.0:
                continue
            for piece, fit_m in _pieces(part, solid, width_m):
                narrow |= fit_m < width_m
                yield piece, fit_m
        self.counts.repaired["streets made narrower between walls"] += narrow

    def _areas(
        self, shapes: list[tuple[Tags, Any]], streets: tuple[Street, ...]
    ) -> tuple[Area, ...]:
        """Ground in the box; water keeps off the streets."""
        roads = shapely.union_all([street_polygon(s) for s in streets if not s.is_raised])
        found: list[tuple[Any, Area]] = []
        waters = [
            ({"natural": "water"}, LineString(points).buffer(width_m / 2.0))
            for way in self.data.ways.values()
            if (width_m := WATERWAYS_M.get(way.tags.get("waterway", "")))
            and not is_below_ground(way.tags)
            and len(points := self._points(way.nodes, "waterways")) >= 2
        ]
        for tags, shape in [*shapes, *waters]:
            surface = surface_of(tags)
            if surface is None or _is_building(tags):
                continue
            kept = shape.intersection(self.box)
            if surface == "water":
                kept = kept.difference(roads)
            for part in polygons_in(kept, _LEAST_AREA_M2):
                outline, holes = rings_of(part.simplify(0.05))
                holes = tuple(h for h in holes if len(h) >= 3)
                if len(outline) >= 3 and Polygon(outline, holes).is_valid:
                    name = tags.get("name", "")[:200]
                    found.append((part, Area(surface, outline, holes, name)))
        order = {"lawn": 0, "wood": 1, "parking": 2, "square": 3, "water": 4}
        found.sort(key=lambda f: (order.get(f[1].surface, 0), -f[0].area))
        return tuple(area for _, area in found)

    def _trees(self, shapes: list[tuple[Tags, Any]], solids: Any, roads: Any) -> Iterator[Tree]:
        """Single trees, rows of trees, and trees on a grid in woods."""
        places = [
            (at, metres(tags.get("height")) or 8.0)
            for number, tags in self.data.tagged_nodes.items()
            if tags.get("natural") == "tree" and (at := self._place(number)) is not None
        ]
        for way in self.data.ways.values():
            if way.tags.get("natural") == "tree_row":
                points = self._points(way.nodes, "rows of trees")
                if len(points) >= 2:
                    row = LineString(points)
                    count = max(int(row.length / 8.0), 1)
                    spots = [row.interpolate(i / count, normalized=True) for i in range(count + 1)]
                    places += [((p.x, p.y), 8.0) for p in spots]
        woods = [s.intersection(self.box) for tags, s in shapes if surface_of(tags) == "wood"]
        places += [(at, 9.0) for at in _wood_places(shapely.union_all(woods))]
        made: list[tuple[float, float]] = []
        tree_cells: set[tuple[int, int]] = set()
        for at, height_m in places:
            spot = ShapelyPoint(at)
            if not self.box.covers(spot):
                continue
            cell = (round(at[0] / 2.0), round(at[1] / 2.0))
            if cell in tree_cells:
                continue
            if shapely.dwithin(solids, spot, 0.8) or shapely.dwithin(roads, spot, 0.5):
                self.counts.dropped["trees in walls or on streets"] += 1
                continue
            tree_cells.add(cell)
            made.append(at)
            height_m = min(max(height_m, 3.0), 40.0)
            crown_m = min(0.32 * height_m, 5.0)
            yield Tree((round(at[0], 2), round(at[1], 2)), round(height_m, 2), round(crown_m, 2))

    def _nodes_with(self, key: str, value: str) -> Iterator[tuple[float, float]]:
        for number, tags in self.data.tagged_nodes.items():
            at = self._place(number)
            if tags.get(key) == value and at is not None and self.box.covers(ShapelyPoint(at)):
                yield round(at[0], 2), round(at[1], 2)

    def _lamps(self, solids: Any, streets: tuple[Street, ...]) -> Iterator[Lamp]:
        """Lamps outside of walls, and of the carriageways of cars."""
        cars = [carriageway_polygon(s) for s in streets if s.lanes and not s.is_raised]
        roads = shapely.union_all(cars)
        shapely.prepare(roads)
        for at in self._nodes_with("highway", "street_lamp"):
            spot = ShapelyPoint(at)
            if shapely.dwithin(roads, spot, _OFF_ROAD_M):
                self.counts.dropped["lamps on streets"] += 1
            elif solids.distance(spot) > 0.2:
                yield Lamp(at, 5.0)

    def _benches(self, solids: Any, roads: Any) -> Iterator[Bench]:
        for at in self._nodes_with("amenity", "bench"):
            spot = ShapelyPoint(at)
            if solids.distance(spot) > 1.0 and roads.distance(spot) > 1.0:
                yield Bench(at)

    def _barriers(self, streets: tuple[Street, ...]) -> Iterator[Barrier]:
        """Barriers in the box; where a street leads through one, it has a gap."""
        roads = [street_polygon(s) for s in streets if not s.is_raised]
        tree = shapely.STRtree(roads)
        for way in self.data.ways.values():
            known = BARRIERS.get(way.tags.get("barrier", ""))
            if known is None or is_below_ground(way.tags):
                continue
            points = self._points(way.nodes, "barriers")
            if len(points) < 2:
                continue
            kind, height_m, thickness_m = known
            height_m = min(metres(way.tags.get("height")) or height_m, 30.0)
            line = LineString(points).intersection(self.box)
            off_m = thickness_m / 2.0 + _OFF_ROAD_M
            near = [roads[int(i)] for i in tree.query(line, "dwithin", off_m)]
            kept = line.difference(shapely.union_all([r.buffer(off_m) for r in near]))
            self.counts.repaired["barriers across streets"] += kept.length < line.length - 0.01
            for part in shapely.get_parts(kept):
                if part.geom_type == "LineString" and part.length >= _SHORTEST_BARRIER_M:
                    yield Barrier(kind, points_of(part), round(height_m, 2), thickness_m)


def _is_building(tags: Tags) -> bool:
    return tags.get("building", "no") != "no"


def _meaning(tags: Tags) -> str | None:
    """The kind of an area, as far as a world has it."""
    return "building" if _is_building(tags) else surface_of(tags)


def _pieces(
    line: LineString, solid: Any, width_m: float, piece_m: float = 12.0
) -> Iterator[tuple[LineString, float]]:
    """Divide a line, and yield parts with the width that fits between walls, full or narrow."""
    count = max(round(line.length / piece_m), 1)
    stops = [line.length * i / count for i in range(count + 1)]
    fits = []
    for low_m, high_m in itertools.pairwise(stops):
        room_m = 2.0 * (substring(line, low_m, high_m).distance(solid) - _ROOM_M)
        fits.append(min(width_m, max(math.floor(2.0 * room_m) / 2.0, _NARROWEST_M)))
    first = 0
    for fit_m, group in itertools.groupby(fits):
        last = first + len(list(group))
        yield substring(line, stops[first], stops[last]), fit_m
        first = last


def _with_ramps(piece: LineString) -> LineString:
    """A bridge with points where its ramps end, since a straight one has but two."""
    if piece.length < 2.0 * _RAMP_M:
        return piece
    stops = (0.0, _RAMP_M, piece.length - _RAMP_M, piece.length)
    parts = [substring(piece, a, b) for a, b in itertools.pairwise(stops) if b - a > 0.01]
    return LineString([p for part in parts for p in part.segmentize(_DECK_SEGMENT_M).coords])


def _bridge_heights(line: Sequence[Point], length_m: float) -> tuple[float, ...]:
    """A deck that rises from the ground to its clear height, if the bridge is long enough."""
    top_m = _BRIDGE_CLEAR_M + _BRIDGE_DECK_M if length_m >= 2.0 * _RAMP_M else 0.6
    along = list(
        itertools.accumulate(itertools.starmap(math.dist, itertools.pairwise(line)), initial=0.0)
    )
    ramp_m = max(min(_RAMP_M, along[-1] / 2.0), 0.1)
    return tuple(round(top_m * min(min(a, along[-1] - a) / ramp_m, 1.0) + 0.02, 3) for a in along)


def _assembled(rings: dict[str, list[LineString]]) -> Any:
    """The area of a multipolygon; rings lie within each other: an island in a lake on an island."""
    faces = [
        (Polygon(face.exterior), role)
        for role, lines in rings.items()
        for face in polygonize(shapely.union_all(lines))
    ]
    area: Any = Polygon()
    largest_first = sorted(faces, key=lambda f: -f[0].area)
    for role, group in itertools.groupby(largest_first, lambda f: f[1]):
        shape = shapely.union_all([face for face, _ in group])
        area = area.union(shape) if role == "outer" else area.difference(shape)
    return area


def _wood_places(wood: Any, spacing_m: float = 7.0, most: int = 6000) -> list[tuple[float, float]]:
    """Places of trees in a wood: a grid, shifted so that no rows show."""
    if wood.is_empty:
        return []
    shapely.prepare(wood)
    south, west, north, east = wood.bounds
    places = []
    rows, columns = int((north - south) / spacing_m) + 1, int((east - west) / spacing_m) + 1
    for i, j in itertools.product(range(rows), range(columns)):
        jitter = (i * 7919 + j * 104729) % 1000 / 1000.0, (i * 15485863 + j * 32452843) % 997 / 997
        at = (south + (i + 0.7 * jitter[0]) * spacing_m, west + (j + 0.7 * jitter[1]) * spacing_m)
        if shapely.contains_xy(wood, *at):
            places.append(at)
    return places[:: max(len(places) // most + 1, 1)]
