"""Draws a world from above, with a legend and a scale bar, by Pillow."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import shapely
from PIL import Image, ImageDraw, ImageFont

from followme_uav.worlds.shapes import (
    box_of,
    carriageway_polygon,
    line_of,
    polygon_of,
    polygons_in,
    street_polygon,
)
from followme_uav.worlds.terrain import ground_heights_m
from followme_uav.worlds.world import Building, Container, ParkedCar, World

_FINER = 2  # drawn so much larger and then reduced, against jagged edges
_PANEL_PX = 250
_MARGIN_PX = 14

Colour = tuple[int, int, int]
_GROUND: Colour = (226, 224, 214)
_AREAS: dict[str, Colour] = {
    "square": (214, 200, 170),
    "lawn": (183, 211, 150),
    "water": (128, 178, 214),
    "wood": (141, 183, 118),
    "parking": (186, 188, 192),
    "yard": (212, 206, 194),
    "pavement": (222, 219, 212),
}
_AREA_NAMES = {"square": "square", "lawn": "lawn", "water": "water", "wood": "wood",
               "parking": "parking", "yard": "yard", "pavement": "pavement"}  # fmt: skip
_ROAD, _PAVEMENT = (118, 120, 124), (222, 219, 212)
_ALLEY, _PATH, _STEPS = (196, 180, 156), (244, 236, 212), (190, 84, 60)
_DECK, _BRIDGE = (92, 84, 116), (150, 96, 60)
_BUILDINGS: dict[str, Colour] = {
    "house": (196, 106, 82),
    "row": (186, 94, 70),
    "block": (150, 136, 128),
    "hall": (116, 130, 150),
    "kiosk": (214, 150, 60),
    "tower": (110, 96, 92),
    "church": (112, 60, 62),
    "bridge": (96, 70, 120),
}
_BUILDING_NAMES = {"house": "house", "row": "terraced house", "block": "block of flats",
                   "hall": "hall", "kiosk": "kiosk", "tower": "tower", "church": "church",
                   "bridge": "building above a way"}  # fmt: skip
_FOLIAGE: dict[str, Colour] = {
    "green": (70, 128, 62),
    "dark": (44, 96, 58),
    "red": (150, 66, 50),
    "magenta": (146, 70, 110),
    "autumn": (196, 136, 52),
    "olive": (116, 126, 60),
    "lime": (118, 160, 62),
}
_BARRIERS: dict[str, Colour] = {
    "hedge": (50, 100, 44),
    "wall": (90, 80, 74),
    "fence": (130, 110, 90),
}
_INK, _CONTOUR = (30, 32, 36), (150, 112, 70)
_LAMP, _BENCH, _PLANTER = (240, 190, 30), (120, 74, 40), (90, 150, 70)
_START = (214, 30, 120)


class _Map:
    """A drawing with world coordinates: north up."""

    def __init__(self, world: World, width_px: int) -> None:
        b = world.bounds
        self.size_m = (b.north_m - b.south_m, b.east_m - b.west_m)
        self.scale = width_px * _FINER / max(self.size_m)
        self.world = world
        height, width = (max(round(side * self.scale), _FINER) for side in self.size_m)
        self.size = (width, height)
        self.image = Image.new("RGB", self.size, _GROUND)
        self.draw = ImageDraw.Draw(self.image)

    def px(self, north_m: float, east_m: float) -> tuple[float, float]:
        b = self.world.bounds
        return (east_m - b.west_m) * self.scale, (b.north_m - north_m) * self.scale

    def fill(self, shape: Any, colour: Colour, outline: Colour | None = None, px: int = 1) -> None:
        for polygon in polygons_in(shape):
            ring = [self.px(*p) for p in polygon.exterior.coords]
            if not polygon.interiors:
                self.draw.polygon(ring, fill=colour)
            else:
                mask = Image.new("1", self.size)
                pen = ImageDraw.Draw(mask)
                pen.polygon(ring, fill=1)
                for hole in polygon.interiors:
                    pen.polygon([self.px(*p) for p in hole.coords], fill=0)
                self.image.paste(colour, (0, 0), mask)
            if outline is not None:
                for loop in (polygon.exterior, *polygon.interiors):
                    self.line(loop.coords, outline, px)

    def line(self, points: Any, colour: Colour, px: int = 1) -> None:
        path = [self.px(p[0], p[1]) for p in points]
        self.draw.line(path, fill=colour, width=px * _FINER, joint="curve")

    def disc(self, at: tuple[float, float], radius_m: float, colour: Colour, edge: Colour) -> None:
        x, y = self.px(*at)
        r = max(radius_m * self.scale, 1.2 * _FINER)
        self.draw.ellipse((x - r, y - r, x + r, y + r), fill=colour, outline=edge, width=_FINER)


def draw_world(world: World, width_px: int = 900) -> Image.Image:
    """Return a picture of the world from above."""
    m = _Map(world, width_px)
    for area in world.areas:
        m.fill(polygon_of(area), _AREAS[area.surface])
    if world.terrain is not None:
        _contours(m)
    _streets(m)
    _buildings(m, [b for b in world.buildings if b.base_m == 0.0])
    _furniture(m)
    _decks(m)
    _buildings(m, [b for b in world.buildings if b.base_m > 0.0])
    _trees(m)
    _start(m)
    picture = m.image.resize((m.size[0] // _FINER, m.size[1] // _FINER), Image.Resampling.LANCZOS)
    return _with_panel(picture, world, m.scale / _FINER)


def _contours(m: _Map) -> None:
    """Shade the slopes as lit from the north-west, and draw a line for each metre of height."""
    b = m.world.bounds
    # A world may be a narrow strip.
    rows, columns = (max(round(240 * side / max(m.size_m)), 2) for side in m.size_m)
    n = np.linspace(b.north_m, b.south_m, rows)
    e = np.linspace(b.west_m, b.east_m, columns)
    heights = ground_heights_m(m.world.terrain, np.stack(np.meshgrid(n, e, indexing="ij"), -1))
    up = np.gradient(heights, n, axis=0)
    right = np.gradient(heights, e, axis=1)
    shade = np.clip(128 + 900 * (right - up), 0, 255).astype(np.uint8)
    light = Image.fromarray(shade).resize(m.size, Image.Resampling.BICUBIC)
    grey = Image.merge("RGB", (light, light, light))
    m.image.paste(Image.blend(m.image, grey, 0.33))
    m.draw = ImageDraw.Draw(m.image)
    fine = np.asarray(
        Image.fromarray(heights.astype(np.float32)).resize(m.size, Image.Resampling.BICUBIC)
    )
    level = np.floor(fine)
    edge = np.zeros(level.shape, dtype=bool)
    edge[:, 1:] |= level[:, 1:] != level[:, :-1]
    edge[1:] |= level[1:] != level[:-1]
    edge[:-1] |= edge[1:]
    m.image.paste(_CONTOUR, (0, 0), Image.fromarray(edge))


def _streets(m: _Map) -> None:
    ground = [s for s in m.world.streets if not s.is_raised]
    bare = {"alley": _ALLEY, "footpath": _PATH, "steps": _PATH}
    for kind, colour in bare.items():
        m.fill(shapely.union_all([street_polygon(s) for s in ground if s.kind == kind]), colour)
    streets = [s for s in ground if s.kind not in bare]
    m.fill(shapely.union_all([street_polygon(s) for s in streets]), _PAVEMENT)
    m.fill(shapely.union_all([carriageway_polygon(s) for s in streets]), _ROAD)
    for s in streets:
        if s.lanes == 2 and s.carriageway_m >= 5.0:
            _dashes(m, s)
    for s in ground:
        if s.kind == "steps":
            _treads(m, s)


def _dashes(m: _Map, street: Any) -> None:
    line = line_of(street)
    for along_m in np.arange(3.0, line.length - 3.0, 8.0):
        a, b = line.interpolate(along_m), line.interpolate(along_m + 3.0)
        m.line([(a.x, a.y), (b.x, b.y)], (228, 228, 224))


def _treads(m: _Map, street: Any) -> None:
    line, half_m = line_of(street), street.width_m / 2.0
    for along_m in np.arange(0.5, line.length, 1.5):
        a, b = line.interpolate(along_m - 0.5), line.interpolate(along_m)
        n, e = b.x - a.x, b.y - a.y
        size = math.hypot(n, e) or 1.0
        off_n, off_e = -e / size * half_m, n / size * half_m
        m.line([(b.x + off_n, b.y + off_e), (b.x - off_n, b.y - off_e)], _STEPS)


def _decks(m: _Map) -> None:
    for s in m.world.streets:
        if s.is_raised:
            colour = _DECK if s.kind == "elevated_road" else _BRIDGE
            shape = line_of(s).buffer(s.width_m / 2.0, cap_style="flat")
            m.fill(shape, colour, (245, 245, 245), 2)
            if s.lanes:
                _dashes(m, s)


def _buildings(m: _Map, buildings: list[Building]) -> None:
    for b in buildings:
        colour = _BUILDINGS[b.style]
        dark = tuple(int(0.62 * c) for c in colour)
        shape = polygon_of(b)
        m.fill(shape, colour, dark, 1)  # type: ignore[arg-type]
        if b.roof != "flat" and not b.holes_m:
            _ridge(m, shape, dark)
        if b.style == "hall":
            _skylights(m, shape)


def _ridge(m: _Map, shape: Any, colour: Any) -> None:
    corners = list(shape.minimum_rotated_rectangle.exterior.coords)[:4]
    a, b, c, d = corners
    if math.dist(a, b) > math.dist(b, c):
        a, b, c, d = b, c, d, a
    # a-b and c-d are the short sides
    one = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
    other = ((c[0] + d[0]) / 2, (c[1] + d[1]) / 2)
    ridge = shapely.LineString([one, other]).intersection(shape)
    for part in shapely.get_parts(ridge):
        if part.geom_type == "LineString":
            m.line(part.coords, colour)


def _skylights(m: _Map, shape: Any) -> None:
    a, b, c, _ = list(shape.minimum_rotated_rectangle.exterior.coords)[:4]
    for share in (0.25, 0.5, 0.75):
        p = (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]))
        q = (p[0] + c[0] - b[0], p[1] + c[1] - b[1])
        cut = shapely.LineString([p, q]).intersection(shape.buffer(-1.5))
        for part in shapely.get_parts(cut):
            if part.geom_type == "LineString":
                m.line(part.coords, (176, 190, 206), 2)


def _furniture(m: _Map) -> None:
    w = m.world
    for barrier in w.barriers:
        px = max(round(barrier.thickness_m * m.scale / _FINER), 1)
        m.line(barrier.line_m, _BARRIERS[barrier.kind], px)
    boxes: list[ParkedCar | Container] = [*w.parked_cars, *w.containers]
    for part in boxes:
        colour = tuple(int(255 * c) for c in part.colour)
        m.fill(box_of(part), colour, (40, 40, 44))  # type: ignore[arg-type]
    for planter in w.planters:
        m.disc(planter.at_m, planter.radius_m, _PLANTER, (170, 70, 60))
    for bench in w.benches:
        m.fill(box_of(bench), _BENCH)
    for lamp in w.lamps:
        m.disc(lamp.at_m, 0.55, _LAMP, _INK)


def _trees(m: _Map) -> None:
    for bush in m.world.bushes:
        colour = _FOLIAGE[bush.foliage]
        m.disc(bush.at_m, bush.radius_m, colour, colour)
    for tree in m.world.trees:
        colour = _FOLIAGE[tree.foliage]
        edge = tuple(int(0.7 * c) for c in colour)
        m.disc(tree.at_m, tree.crown_radius_m, colour, edge)  # type: ignore[arg-type]


def _start(m: _Map) -> None:
    x, y = m.px(*m.world.start_m)
    r = 7 * _FINER
    m.draw.line((x - r, y, x + r, y), fill=_START, width=3 * _FINER)
    m.draw.line((x, y - r, x, y + r), fill=_START, width=3 * _FINER)


def _legend(world: World) -> list[tuple[str, Colour, str]]:
    """(form, colour, text) of what the world contains."""
    rows: list[tuple[str, Colour, str]] = []
    kinds = {s.kind for s in world.streets}
    for kind, colour, text in (
        ("street", _ROAD, "street, with pavements"), ("alley", _ALLEY, "alley"),
        ("footpath", _PATH, "footpath"), ("steps", _STEPS, "steps"),
        ("elevated_road", _DECK, "elevated road"), ("bridge", _BRIDGE, "bridge"),
    ):  # fmt: skip
        if kind in kinds:
            rows.append(("box", colour, text))
    styles = {b.style for b in world.buildings}
    rows += [("box", c, _BUILDING_NAMES[s]) for s, c in _BUILDINGS.items() if s in styles]
    surfaces = {a.surface for a in world.areas}
    rows += [("box", c, _AREA_NAMES[s]) for s, c in _AREAS.items() if s in surfaces]
    barriers = {b.kind for b in world.barriers}
    rows += [("line", c, k) for k, c in _BARRIERS.items() if k in barriers]
    for items, form, colour, text in (
        (world.trees, "disc", _FOLIAGE["green"], f"tree ({len(world.trees)})"),
        (world.lamps, "disc", _LAMP, f"lamp ({len(world.lamps)})"),
        (world.benches, "box", _BENCH, f"bench ({len(world.benches)})"),
        (world.planters, "disc", _PLANTER, f"planter ({len(world.planters)})"),
        (world.parked_cars, "box", (90, 110, 140), f"parked car ({len(world.parked_cars)})"),
        (world.containers, "box", (51, 89, 128), f"container ({len(world.containers)})"),
    ):
        if items:
            rows.append((form, colour, text))
    if world.terrain is not None:
        rows.append(("line", _CONTOUR, "contour, 1 m"))
    rows.append(("plus", _START, "take-off"))
    return rows


def _with_panel(picture: Image.Image, world: World, px_per_m: float) -> Image.Image:
    """Add title, legend, scale bar and attribution to the right."""
    rows = _legend(world)
    height = max(picture.height, 150 + 22 * len(rows) + 90)
    whole = Image.new("RGB", (picture.width + _PANEL_PX, height), (252, 252, 250))
    whole.paste(picture, (0, 0))
    pen = ImageDraw.Draw(whole)
    x, y = picture.width + _MARGIN_PX, _MARGIN_PX
    for line in _wrapped(world.name or "world", 22)[:2]:
        pen.text((x, y), line, fill=_INK, font=ImageFont.load_default(20))
        y += 26
    b = world.bounds
    text = f"{b.north_m - b.south_m:.0f} x {b.east_m - b.west_m:.0f} m, north up"
    pen.text((x, y), text, fill=_INK, font=ImageFont.load_default(13))
    y += 30
    font = ImageFont.load_default(13)
    for form, colour, label in rows:
        middle = y + 8
        if form == "box":
            pen.rectangle((x, y + 2, x + 22, y + 14), fill=colour, outline=(90, 90, 90))
        elif form == "disc":
            pen.ellipse((x + 5, y + 2, x + 17, y + 14), fill=colour, outline=(60, 60, 60))
        elif form == "plus":
            pen.line((x + 4, middle, x + 18, middle), fill=colour, width=3)
            pen.line((x + 11, middle - 7, x + 11, middle + 7), fill=colour, width=3)
        else:
            pen.line((x, middle, x + 22, middle), fill=colour, width=3)
        pen.text((x + 32, y), label, fill=_INK, font=font)
        y += 22
    y += 12
    bar_m = _round_length(0.2 * max(b.north_m - b.south_m, b.east_m - b.west_m))
    bar_px = bar_m * px_per_m
    half = bar_px / 2
    pen.rectangle((x, y, x + bar_px, y + 7), fill=(255, 255, 255), outline=_INK)
    pen.rectangle((x, y, x + half, y + 7), fill=_INK)
    pen.text((x, y + 11), "0", fill=_INK, font=font)
    pen.text((x + bar_px, y + 11), f"{bar_m:g} m", fill=_INK, font=font, anchor="ma")
    y += 42
    for line in _wrapped(world.attribution, 32)[:4]:
        pen.text((x, y), line, fill=(90, 90, 90), font=ImageFont.load_default(11))
        y += 14
    return whole


def _wrapped(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width)


def _round_length(length_m: float) -> float:
    """The largest of 1, 2, 5, 10, 20, ... metres that is not longer."""
    power = 10.0 ** math.floor(math.log10(length_m))
    return max(f * power for f in (1.0, 2.0, 5.0) if f * power <= length_m)
