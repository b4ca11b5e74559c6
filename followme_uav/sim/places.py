"""Finds a place by the name of a generator, or in a world file."""

from __future__ import annotations

import hashlib
import math
import os.path
from pathlib import Path
from typing import TYPE_CHECKING, Any

from followme_uav.config import FlightConfig, merged, validated
from followme_uav.errors import ConfigError
from followme_uav.sim.city.grid_world import WORLDS
from followme_uav.sim.city.place import Place
from followme_uav.sim.city.styles import style_of
from followme_uav.sim.city.world import make_city

if TYPE_CHECKING:
    from shapely import Polygon

    from followme_uav.messages import Vec2
    from followme_uav.worlds.world import World

GRID = "grid"
"""The city of all seeds; it needs neither a file nor the libraries for polygons."""

_LEAST_FLYABLE_M2 = 1.0
_GROUND_SPACING_M, _GROUND_CELLS = 10.0, 60
"""Heights in the map of a pilot: at least so far apart, and at most so many cells on a side."""


def is_grid(where: str | None) -> bool:
    """Whether that is the city of all seeds."""
    return where is None or where == GRID


def check_place(where: str | None) -> None:
    """Check that there is a generator or a file of that name, without reading it.

    Raises:
        ConfigError: There is none.
    """
    if where is not None and where not in WORLDS and not os.path.isfile(where):
        raise ConfigError(
            f"world '{where}': no such file, and no generator; there is {', '.join(WORLDS)}"
        )


def place_file(where: str | None) -> Path | None:
    """The world file of a place; None for the generators."""
    return None if where is None or where in WORLDS else Path(where)


def checked_digest(where: str | None) -> str:
    """Check the world file of a place, and return the SHA-256 of its content in hexadecimal.

    It is empty for the generators, which are parts of the program.

    Raises:
        ConfigError: There is no such world, or a value in the file is wrong.
    """
    check_place(where)
    file = place_file(where)
    if file is None:
        return ""
    from followme_uav.worlds.world_file import load_world

    load_world(file)
    return hashlib.sha256(file.read_bytes()).hexdigest()


def load_place(where: str | None, seed: int, style: str | None = None) -> Place:
    """Make the place of that name.

    Args:
        where: name of a generator, or path of a world file; None: the city of all seeds.
        seed: of the generator, and of everything that is drawn at random in the place.
        style: name of a city style; None: that of the world, else the seed draws one.

    Raises:
        ConfigError: There is no such world or style, or a value in the file is wrong.
    """
    if is_grid(where):
        return make_city(seed, style)
    assert where is not None  # noqa: S101 - see is_grid
    check_place(where)
    style_of(seed, style)
    from followme_uav.sim.city.world_place import WorldPlace
    from followme_uav.worlds.world_file import load_world

    world = WORLDS[where].world(seed) if where in WORLDS else load_world(Path(where))
    return WorldPlace(world, seed, style)


def map_of(where: str | None, seed: int) -> dict[str, Any]:
    """Make the map that a pilot gets of a place, as keys of the configuration.

    Args:
        where: name of a generator, or path of a world file.
        seed: of the generator.

    Returns:
        Changes of the section `simulator`: the area around the streets over which the vehicle may
        fly, roofs and decks over it, a round of waypoints, and heights of the ground unless it is
        level; none for the city of all seeds, which has a map of its own.

    Raises:
        ConfigError: There is no such world, or nothing in it can be flown over.
    """
    if is_grid(where):
        return {}
    from followme_uav.sim.city.world_place import WorldPlace
    from followme_uav.worlds.derived.flyable import flyable_area
    from followme_uav.worlds.derived.patrol import patrol_of

    place = load_place(where, seed)
    if not isinstance(place, WorldPlace):
        return {}
    area = _fit_for_centimetres(flyable_area(place.world), place.world.start_m)
    if area is None:
        raise ConfigError(f"world '{where}': no street can be flown over; see 'world show'")
    patrol = patrol_of(place.world, area)
    changes = {
        "flyable_m": [],
        "flyable_polygons_m": [_rings_of(area)],
        "patrol_waypoints_m": [list(waypoint.at_m) for waypoint in patrol],
        "patrol_on_decks": [i for i, waypoint in enumerate(patrol) if waypoint.is_raised],
    }
    changes["ceilings"] = _ceilings_of(place.world, area)
    changes["decks"] = _decks_of(place.world, area)
    ground = _ground_of(place.world)
    return changes if ground is None else {**changes, "ground": ground}


def with_map_of(config: FlightConfig, where: str | None, seed: int) -> FlightConfig:
    """Give a configuration the map of a place; arguments and errors as of `map_of`."""
    changes = map_of(where, seed)
    if not changes:
        return config
    settings = merged(config.model_dump(mode="json"), {"simulator": changes})
    return validated(FlightConfig, settings, f"map of {where}")


def _fit_for_centimetres(area: Polygon, start_m: Vec2) -> Polygon | None:
    """An area whose corners can be rounded, or None if nothing is left of it.

    Rounding can move a corner over a near edge, and the rest is then no polygon. The part around
    the start is kept, else the largest.
    """
    import shapely

    from followme_uav.worlds.shapes import polygons_in

    if area.is_empty:
        return None
    outline, *holes = _rings_of(area)
    if shapely.Polygon(outline, holes).is_valid:
        return area
    parts = polygons_in(shapely.set_precision(area, 0.01), _LEAST_FLYABLE_M2)
    start = shapely.Point(start_m)
    return max(parts, key=lambda part: (part.covers(start), part.area), default=None)


def _rings_of(area: Polygon) -> list[list[list[float]]]:
    """Outline and holes to the centimetre, each without the repeated last corner."""
    rings = [area.exterior, *area.interiors]
    return [[[round(n, 2), round(e, 2)] for n, e, *_ in ring.coords[:-1]] for ring in rings]


def _ceilings_of(world: World, area: Polygon) -> list[dict[str, Any]]:
    """The roofs over an area, as the configuration has them."""
    from followme_uav.worlds.derived.passages import passages

    return [
        {
            "outline_m": _rings_of(house.outline)[0],
            "underside_m": math.floor(100.0 * house.underside_m) / 100.0,
        }
        for house in passages(world)
        if house.can_be_passed and house.outline.intersects(area)
    ]


def _decks_of(world: World, area: Polygon) -> list[dict[str, Any]]:
    """The raised streets over an area, as the configuration has them."""
    from followme_uav.worlds.shapes import street_polygon

    return [
        {
            "line_m": [[round(n, 2), round(e, 2)] for n, e in street.line_m],
            "heights_m": [round(height_m, 2) for height_m in street.heights_m],
            "width_m": street.width_m,
            "thickness_m": street.thickness_m,
            "railing_m": street.railing_m,
        }
        for street in world.streets
        if street.is_raised and street_polygon(street).intersects(area)
    ]


def _ground_of(world: World) -> dict[str, Any] | None:
    """The heights of a world on a grid as the configuration has it; None for level ground at 0."""
    import numpy as np

    from followme_uav.worlds.terrain import ground_heights_m

    if world.terrain is None or not world.terrain.grid.any():
        return None
    at = world.bounds
    size_m = max(at.north_m - at.south_m, at.east_m - at.west_m)
    spacing_m = max(_GROUND_SPACING_M, size_m / _GROUND_CELLS)
    rows, columns = (
        np.arange(low, high + spacing_m, spacing_m)
        for low, high in ((at.south_m, at.north_m), (at.west_m, at.east_m))
    )
    points = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1)
    heights = ground_heights_m(world.terrain, points).round(2).tolist()
    corner = {"south_m": at.south_m, "west_m": at.west_m, "spacing_m": spacing_m}
    return {**corner, "heights_m": heights}
