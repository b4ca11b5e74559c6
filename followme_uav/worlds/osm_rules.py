"""Meaning of OpenStreetMap's tags: kinds, widths and heights, with defaults for missing ones."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from followme_uav.worlds.world import BarrierKind, BuildingStyle, RoofKind, StreetKind, Surface

STOREY_M = 3.0
_ROOF_M = 0.5
_THINNEST_M = 0.2
"""A building whose `min_height` leaves less than this below its top has wrong tags."""


@dataclass(frozen=True)
class Highway:
    """A kind of highway: widths without tags."""

    kind: StreetKind
    width_m: float
    pavement_m: float = 0.0
    lanes: int = 0


HIGHWAYS: dict[str, Highway] = {
    "motorway": Highway("street", 16.0, 1.5, 2),
    "trunk": Highway("street", 15.0, 1.5, 2),
    "primary": Highway("street", 13.0, 2.0, 2),
    "secondary": Highway("street", 12.0, 2.0, 2),
    "tertiary": Highway("street", 10.5, 1.8, 2),
    "residential": Highway("street", 9.0, 1.5, 2),
    "unclassified": Highway("street", 8.0, 1.2, 2),
    "living_street": Highway("street", 8.0, 1.2, 2),
    "road": Highway("street", 8.0, 1.2, 2),
    "service": Highway("alley", 4.0),
    "track": Highway("alley", 3.2),
    "pedestrian": Highway("alley", 6.0),
    "footway": Highway("footpath", 2.2),
    "path": Highway("footpath", 1.8),
    "cycleway": Highway("footpath", 2.5),
    "bridleway": Highway("footpath", 2.5),
    "steps": Highway("steps", 2.2),
}
HIGHWAYS |= {f"{k}_link": HIGHWAYS[k] for k in ("motorway", "trunk", "primary", "secondary")}
HIGHWAYS["tertiary_link"] = HIGHWAYS["tertiary"]
LANE_M = 2.75

_SURFACES: dict[tuple[str, str], Surface] = {
    ("leisure", "park"): "lawn",
    ("leisure", "garden"): "lawn",
    ("leisure", "pitch"): "lawn",
    ("leisure", "playground"): "lawn",
    ("leisure", "swimming_pool"): "water",
    ("landuse", "grass"): "lawn",
    ("landuse", "meadow"): "lawn",
    ("landuse", "village_green"): "lawn",
    ("landuse", "recreation_ground"): "lawn",
    ("landuse", "cemetery"): "lawn",
    ("landuse", "orchard"): "lawn",
    ("landuse", "vineyard"): "lawn",
    ("landuse", "forest"): "wood",
    ("landuse", "basin"): "water",
    ("landuse", "reservoir"): "water",
    ("natural", "wood"): "wood",
    ("natural", "water"): "water",
    ("natural", "grassland"): "lawn",
    ("natural", "scrub"): "lawn",
    ("waterway", "riverbank"): "water",
    ("amenity", "parking"): "parking",
    ("place", "square"): "square",
    ("highway", "pedestrian"): "square",
}
WATERWAYS_M = {"river": 12.0, "canal": 8.0, "stream": 2.0, "ditch": 1.2, "drain": 1.2}
BARRIERS: dict[str, tuple[BarrierKind, float, float]] = {
    "hedge": ("hedge", 1.5, 0.8),
    "wall": ("wall", 2.0, 0.4),
    "retaining_wall": ("wall", 1.2, 0.5),
    "city_wall": ("wall", 6.0, 1.5),
    "fence": ("fence", 1.5, 0.1),
}
"""Kind, height and thickness."""

OPEN_ROOFS = ("roof", "carport")
"""Buildings without walls: a deck in the air, and the street goes on below."""
_OPEN_ROOF_M, _OPEN_ROOF_DECK_M, _OPEN_ROOF_CLEAR_M = 4.5, 0.5, 2.5

_STYLES: dict[str, BuildingStyle] = {
    **dict.fromkeys(("church", "chapel", "cathedral", "mosque", "temple", "synagogue"), "church"),
    **dict.fromkeys(("industrial", "warehouse", "factory", "hangar", "retail", "barn"), "hall"),
    **dict.fromkeys(("apartments", "office", "commercial", "hotel", "hospital", "school"), "block"),
    **dict.fromkeys(("terrace", "semidetached_house"), "row"),
    **dict.fromkeys(("kiosk", "garage", "garages", "shed", "hut", *OPEN_ROOFS), "kiosk"),
    **dict.fromkeys(("tower", "silo", "water_tower"), "tower"),
}
_STOREYS: dict[BuildingStyle, float] = {"church": 4, "hall": 2, "block": 4, "row": 2, "kiosk": 1,
                                        "tower": 6, "house": 2, "bridge": 2}  # fmt: skip
_ROOFS: dict[str, RoofKind] = {
    "flat": "flat",
    "gabled": "gable",
    "hipped": "hip",
    "pyramidal": "hip",
    "half-hipped": "hip",
    "gambrel": "gable",
    "saltbox": "gable",
}


@dataclass(frozen=True)
class BuildingTags:
    """The properties of a building."""

    style: BuildingStyle
    storeys: int
    height_m: float
    base_m: float
    roof: RoofKind


def metres(text: str | None) -> float | None:
    """Read a length: `12`, `12.5 m`, `40 ft`, `7'6"`; None without a positive number."""
    if text is None:
        return None
    feet = re.fullmatch(r"\s*(\d{1,4})'\s*(?:(\d{1,2})(?:\"|''))?\s*", text)
    if feet:
        return int(feet[1]) * 0.3048 + int(feet[2] or 0) * 0.0254
    match = re.match(r"\s*(\d{1,6}(?:[.,]\d{1,6})?)\s*(m|ft|feet|)\s*(?:;|$)", text)
    if match is None:
        return None
    value = float(match[1].replace(",", "."))
    value *= 0.3048 if match[2] in ("ft", "feet") else 1.0
    return value if math.isfinite(value) and value > 0.0 else None


def building_of(tags: dict[str, str], area_m2: float) -> BuildingTags:
    """Return the properties of a building; missing ones follow from its kind and size."""
    kind = tags.get("building:part") if "building" not in tags else tags["building"]
    style = _STYLES.get(kind or "yes", "house")
    if style == "house" and area_m2 > 600.0:
        style = "block"
    if style == "house" and area_m2 < 25.0:
        style = "kiosk"
    levels = metres(tags.get("building:levels"))
    height = metres(tags.get("height")) or metres(tags.get("building:height"))
    storeys = levels or (height / STOREY_M if height else _STOREYS[style])
    has_height = height is not None
    if height is None:
        height = storeys * STOREY_M + _ROOF_M
    base = metres(tags.get("min_height"))
    if base is None:
        base = (metres(tags.get("building:min_level")) or 0.0) * STOREY_M
    is_open = kind in OPEN_ROOFS
    if is_open and levels is None and not has_height:
        height = _OPEN_ROOF_M
    least = _OPEN_ROOF_CLEAR_M + _OPEN_ROOF_DECK_M if is_open else 2.2
    height = min(max(height, least), 400.0)
    if is_open and not base:
        base = height - _OPEN_ROOF_DECK_M
    roof = _ROOFS.get(tags.get("roof:shape", ""))
    if roof is None or is_open:
        roof = "gable" if style in ("house", "row", "church") else "flat"
    return BuildingTags(
        style,
        min(max(round(storeys), 1), 150),
        round(height, 2),
        round(base, 2) if base < height - _THINNEST_M else 0.0,
        roof,
    )


def is_below_ground(tags: dict[str, str]) -> bool:
    """Whether something is not outdoors: in a tunnel, a cellar, an underground car park, a hall.

    A passage through a building is no tunnel, and a low `layer` alone may be an open cutting.
    """
    levels = [
        float(level)
        for level in re.findall(r"(?<!\d)-?\d{1,6}(?:\.\d{1,6})?", tags.get("level", ""))
    ]
    return (
        tags.get("tunnel", "no") not in ("no", "building_passage")
        or tags.get("indoor", "no") != "no"
        or max(levels, default=0.0) < 0.0
        or tags.get("location") == "underground"
        or tags.get("parking") == "underground"
    )


def surface_of(tags: dict[str, str]) -> Surface | None:
    """Return the surface of an area, or None if it has none of the known ones."""
    for (key, value), surface in _SURFACES.items():
        if tags.get(key) == value:
            return surface
    return None


def highway_of(tags: dict[str, str]) -> Highway | None:
    """Return kind, width and lanes of a highway; None for others, for tunnels and for plans."""
    found = HIGHWAYS.get(tags.get("highway", ""))
    if found is None or tags.get("area") == "yes" or is_below_ground(tags):
        return None
    width = metres(tags.get("width"))
    if not found.lanes:
        return Highway(found.kind, min(max(width or found.width_m, 1.2), 30.0))
    is_round = tags.get("junction") in ("roundabout", "circular")
    one_way = tags.get("oneway", "yes" if is_round else "no") in ("yes", "1", "true", "-1")
    lanes = 1 if one_way else 2
    road_m = found.width_m - 2.0 * found.pavement_m
    if width is not None:
        road_m = width
    elif (count := metres(tags.get("lanes"))) is not None:
        road_m = max(LANE_M * min(count, 6.0), 3.0)
    elif lanes == 1:
        road_m = max(0.65 * road_m, 3.5)
    road_m = min(max(road_m, 3.0), 30.0)
    if road_m < 2 * 2.2:
        lanes = 1 if lanes == 1 else 0  # too narrow for two cars
    kind: StreetKind = found.kind if lanes else "alley"
    pavement_m = found.pavement_m if lanes else 0.0
    return Highway(kind, round(road_m + 2.0 * pavement_m, 2), pavement_m, lanes)
