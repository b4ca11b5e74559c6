"""The ground of a world: one surface for each place, kerbs, road markings and steps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely
from shapely import LineString, Polygon

from followme_uav.messages import Vec2
from followme_uav.sim.city.colours import Colour
from followme_uav.sim.city.styles import CityStyle
from followme_uav.sim.city.world_place import WorldPlace
from followme_uav.sim.rendering.meshes.city_cells import CELL_M, Cell, CityMesh, cell_of
from followme_uav.sim.rendering.meshes.flat_polygons import Heights, ground_part
from followme_uav.sim.rendering.textures.layers import TILE_M, TextureLayer
from followme_uav.worlds.derived.crosswalks import WIDTH_M
from followme_uav.worlds.shapes import (
    bounds_box,
    carriageway_polygon,
    heading_at,
    line_of,
    polygon_of,
    polygons_in,
    street_polygon,
)
from followme_uav.worlds.terrain import ground_heights_m
from followme_uav.worlds.world import Street, World

_BEYOND_M = 500.0
"""The ground continues for so far beyond the bounds."""
_YELLOW: Colour = (0.62, 0.47, 0.14)
_WHITE: Colour = (0.86, 0.85, 0.80)
_WATER: Colour = (0.13, 0.24, 0.29)
_SAND: Colour = (0.84, 0.72, 0.52)
_TREAD: Colour = (0.34, 0.32, 0.30)
_KERB_M, _EDGE_M = 0.22, 0.12
_MARK_M, _MARK_ON_SLOPE_M = 0.012, 0.06
_DASH_M, _DASH_SPACING_M = 2.6, 6.0

Look = tuple[TextureLayer, Colour]


def add_world_ground(out: CityMesh, place: WorldPlace, style: CityStyle, number: int) -> None:
    """Append all ground."""
    terrain = place.terrain

    def heights_m(points: Any) -> Any:
        return ground_heights_m(terrain, points)

    heights: Heights | None = None if terrain is None else heights_m
    tiles = _tiles(place)
    tree = shapely.STRtree(tiles)
    for look, shape in _surfaces(place.world, style):
        _add(out, tree, shape, look, heights, 0.0, number)
    lift_m = _MARK_M if terrain is None else _MARK_ON_SLOPE_M
    for look, shape in _markings(place, style):
        _add(out, tree, shape, look, heights, lift_m, number)


def _add(
    out: CityMesh,
    tiles: shapely.STRtree,
    shape: Any,
    look: Look,
    heights: Heights | None,
    lift_m: float,
    number: int,
) -> None:
    """Append a shape, cut into tiles, to the meshes of its cells."""
    by_cell: dict[Cell, list[Polygon]] = defaultdict(list)
    shapes = np.array(list(polygons_in(shape, 1e-4)), dtype=object)
    if not len(shapes):
        return
    which, where = tiles.query(shapes, predicate="intersects")
    shapely.prepare(shapes)
    boxes = tiles.geometries[where]
    whole = shapely.contains_properly(shapes[which], boxes)
    parts = np.array(boxes, dtype=object)
    parts[~whole] = shapely.intersection(shapes[which][~whole], boxes[~whole])
    for part in parts:
        for polygon in polygons_in(part, 1e-4):
            n, e = polygon.representative_point().coords[0]
            by_cell[cell_of(n, e)].append(polygon)
    layer, tint = look
    for cell, polygons in by_cell.items():
        surface = ground_part(polygons, heights, lift_m, TILE_M[layer])
        if surface is not None:
            out.grounds[cell].add(surface, layer, tint, number)


def _tiles(place: WorldPlace) -> Any:
    """Boxes that cover all ground; within each of them it is bilinear."""
    south_m, west_m, north_m, east_m = place.bounds_m
    terrain, lines = place.terrain, []
    for low_m, high_m, axis in ((south_m, north_m, 0), (west_m, east_m, 1)):
        stops = np.arange(np.floor(low_m / CELL_M) + 1, np.ceil(high_m / CELL_M)) * CELL_M
        if terrain is not None:
            first_m = (terrain.south_m, terrain.west_m)[axis]
            grid = first_m + terrain.spacing_m * np.arange(terrain.grid.shape[axis])
            stops = np.concatenate((stops, grid))
        ends = (low_m - _BEYOND_M, low_m, high_m, high_m + _BEYOND_M)
        lines.append(np.unique(np.concatenate((stops, ends)).round(6)))
    south, west = np.meshgrid(lines[0][:-1], lines[1][:-1], indexing="ij")
    north, east = np.meshgrid(lines[0][1:], lines[1][1:], indexing="ij")
    return shapely.box(south.ravel(), west.ravel(), north.ravel(), east.ravel())


def _surfaces(world: World, style: CityStyle) -> Iterator[tuple[Look, Any]]:
    """The look of each kind of ground with its shape; the shapes do not overlap."""
    taken: Any = Polygon()
    layers: list[tuple[Look, Any]] = []
    ground = [s for s in world.streets if not s.is_raised]
    roads = [s for s in ground if s.kind == "street"]
    ways: dict[str, Look] = {
        "street": (TextureLayer.ASPHALT, style.asphalt),
        "pavement": (TextureLayer.PAVERS, style.pavement_tint),
        "alley": (TextureLayer.SLABS, _dimmed(style.square_tint, 0.92)),
        "footpath": (TextureLayer.CONCRETE, _SAND),
        "steps": (TextureLayer.CONCRETE, (0.66, 0.63, 0.59)),
    }
    carriageways = shapely.union_all([carriageway_polygon(s) for s in roads])
    layers.append((ways["street"], carriageways))
    whole = shapely.union_all([street_polygon(s) for s in roads])
    kerbs = carriageways.buffer(_KERB_M, quad_segs=4).intersection(whole)
    layers.append(((TextureLayer.CONCRETE, style.kerb), kerbs))
    layers.append((ways["pavement"], whole))
    for kind in ("alley", "footpath", "steps"):
        shapes = [_flat_ended(s) for s in ground if s.kind == kind]
        layers.append((ways[kind], shapely.union_all(shapes)))
    surfaces: dict[str, Look] = {
        "square": (TextureLayer.SLABS, style.square_tint),
        "pavement": ways["pavement"],
        "lawn": (TextureLayer.GRASS, style.grass),
        "water": (TextureLayer.PLAIN, _WATER),
        "wood": (TextureLayer.GRASS, (0.72, 0.62, 0.9)),
        "parking": (TextureLayer.ASPHALT, style.asphalt),
        "yard": (TextureLayer.CONCRETE, (0.74, 0.70, 0.64)),
    }
    layers += [(surfaces[a.surface], polygon_of(a)) for a in reversed(world.areas)]
    everywhere = bounds_box(world.bounds).buffer(_BEYOND_M, join_style="mitre")
    layers.append((surfaces["lawn"], everywhere))
    for look, shape in layers:
        free = shape if taken.is_empty else shape.difference(taken)
        if not free.is_empty:
            yield look, free
            taken = taken.union(shape)


def _dimmed(tint: Colour, factor: float) -> Colour:
    red, green, blue = tint
    return red * factor, green * factor, blue * factor


def _flat_ended(street: Street) -> Any:
    return line_of(street).buffer(street.width_m / 2.0, quad_segs=4)


def _markings(place: WorldPlace, style: CityStyle) -> Iterator[tuple[Look, Any]]:
    """Centre lines, crosswalks, and the treads of steps."""
    world = place.world
    streets = [s for s in world.streets if not s.is_raised]
    crosswalks = place.walk_graph.crosswalks
    zebras = [_stripes(c.ends_m, world.streets[c.street].carriageway_m) for c in crosswalks]
    yield (TextureLayer.PLAIN, _WHITE), shapely.union_all([s for z in zebras for s in z])
    roads = [(s, carriageway_polygon(s)) for s in streets if s.lanes]
    tree = shapely.STRtree([shape for _, shape in roads])
    near = shapely.union_all([c.shape for c in crosswalks]).buffer(1.0)
    dashes = []
    for i, (street, _) in enumerate(roads):
        if street.lanes == 2 and street.carriageway_m >= 5.0:
            for dash in _dashes(line_of(street)):
                shape = dash.buffer(_EDGE_M / 1.3, cap_style="flat")
                others = [int(k) for k in tree.query(shape, predicate="intersects") if k != i]
                if not others and not shape.intersects(near):
                    dashes.append(shape)
    yield (TextureLayer.PLAIN, _YELLOW), shapely.union_all(dashes)
    treads = [t for s in streets if s.kind == "steps" for t in _treads(s)]
    yield (TextureLayer.PLAIN, _TREAD), shapely.union_all(treads)


def _stripes(ends_m: tuple[Vec2, Vec2], width_m: float) -> list[Any]:
    """The stripes of a crosswalk on a carriageway of a width."""
    line = LineString(ends_m)
    middle_m = 0.5 * line.length
    count = max(int((width_m - 0.4) / 1.0), 1)
    first_m = middle_m - 0.5 * count + 0.25
    found = []
    for k in range(count):
        stripe = shapely.ops.substring(line, first_m + k, first_m + k + 0.5)
        found.append(stripe.buffer(0.5 * WIDTH_M, cap_style="flat"))
    return found


def _dashes(line: LineString) -> Iterator[LineString]:
    for along_m in np.arange(2.0, line.length - _DASH_M - 2.0, _DASH_SPACING_M).tolist():
        yield shapely.ops.substring(line, along_m, along_m + _DASH_M)


def _treads(street: Street) -> Iterator[Any]:
    line, half_m = line_of(street), 0.5 * street.width_m
    for along_m in np.arange(0.4, line.length, 0.9).tolist():
        at, heading = line.interpolate(along_m), heading_at(line, along_m)
        n, e = -np.sin(heading) * half_m, np.cos(heading) * half_m
        tread = LineString([(at.x - n, at.y - e), (at.x + n, at.y + e)])
        yield tread.buffer(0.07, cap_style="flat")
