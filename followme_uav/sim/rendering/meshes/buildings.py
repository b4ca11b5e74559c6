"""Buildings: walls of repeating bays, doors, signs, cornices, roofs."""

from __future__ import annotations

from dataclasses import dataclass

from followme_uav.messages import Vec2, Vec3
from followme_uav.sim.city.colours import Colour
from followme_uav.sim.city.layout import OUTER_ROW_M, Building
from followme_uav.sim.city.styles import CityStyle, Wall
from followme_uav.sim.rendering.meshes.mesh import Mesh
from followme_uav.sim.rendering.textures.layers import TextureLayer

WALL_LAYERS: dict[Wall, TextureLayer] = {
    "plaster": TextureLayer.PLASTER,
    "brick": TextureLayer.BRICK,
    "stone": TextureLayer.STONE,
    "glass": TextureLayer.GLASS,
}
BAY_M = 3.3
SIGNS: tuple[Colour, ...] = (
    (0.16, 0.30, 0.58), (0.16, 0.40, 0.28), (0.80, 0.62, 0.18), (0.24, 0.24, 0.26),
)  # fmt: skip


@dataclass(frozen=True)
class _Facade:
    """One side of a building."""

    middle: Vec2
    """North and east."""
    half_m: float
    """Half of its length."""
    across: Vec2
    """Unit vector along the wall, to the right seen from outside."""

    @property
    def outwards(self) -> Vec2:
        return -self.across[1], self.across[0]

    def at(self, along_m: float, out_m: float = 0.0) -> Vec2:
        """The point so far along the wall from its middle and in front of it."""
        (north, east), (n, e), out = self.middle, self.across, self.outwards
        return north + n * along_m + out_m * out[0], east + e * along_m + out_m * out[1]

    def half_size(self, out_m: float, along_m: float) -> Vec2:
        """Half size north and east of a box from its half sizes towards and along the wall."""
        out, across = self.outwards, self.across
        return (
            out_m * abs(out[0]) + along_m * abs(across[0]),
            out_m * abs(out[1]) + along_m * abs(across[1]),
        )


def add_building(mesh: Mesh, details: Mesh, house: Building, number: int, style: CityStyle) -> None:
    """Append one building; `details` gets parts that are too small to show from afar."""
    wall_kind, tint = style.walls[house.style % len(style.walls)]
    shade = 0.93 + 0.02 * (house.style // 144 % 8)
    tint = (tint[0] * shade, tint[1] * shade, tint[2] * shade)
    base_m = 0.3 if wall_kind == "glass" else 0.9
    trim = (
        (0.80, 0.79, 0.77)
        if house.style // 72 % 2
        else (tint[0] * 0.9, tint[1] * 0.9, tint[2] * 0.9)
    )
    for side, wall in enumerate(_walls(house)):
        _add_wall(mesh, wall, house, base_m, WALL_LAYERS[wall_kind], tint, number)
        is_outer = wall.outwards[0] * house.north_m + wall.outwards[1] * house.east_m > OUTER_ROW_M
        if not is_outer:  # no camera sees the outer side of the city's edge
            _add_entrance(mesh, details, wall, house.style // 8 + 7 * side, style, number)
    plinth = style.plinths[house.style // 8 % len(style.plinths)]
    _add_trim(mesh, house, base_m, plinth, trim, number, string_course=wall_kind != "glass")
    _add_roof(mesh, house, style.roofs[house.style // 24 % len(style.roofs)], tint, number)
    _add_roof_structure(mesh, house, trim, number)


def _walls(house: Building) -> tuple[_Facade, ...]:
    """North, south, east and west side."""
    n, e = house.north_m, house.east_m
    half_n, half_e = house.size_north_m / 2, house.size_east_m / 2
    return (
        _Facade((n + half_n, e), half_e, (0.0, -1.0)),
        _Facade((n - half_n, e), half_e, (0.0, 1.0)),
        _Facade((n, e + half_e), half_n, (1.0, 0.0)),
        _Facade((n, e - half_e), half_n, (-1.0, 0.0)),
    )


def _add_wall(
    mesh: Mesh,
    wall: _Facade,
    house: Building,
    base_m: float,
    layer: TextureLayer,
    tint: Colour,
    number: int,
) -> None:
    """One repetition of the texture for each bay and storey, above a base of `base_m`."""
    a, b = wall.at(-wall.half_m), wall.at(wall.half_m)
    bays = _bays(wall)
    corners = [(*a, -base_m), (*b, -base_m), (*b, -house.height_m), (*a, -house.height_m)]
    mesh.quad(corners, layer, tint, number, (0.0, 0.0, float(bays), float(house.storeys)))


def _bays(wall: _Facade) -> int:
    return max(1, round(2 * wall.half_m / BAY_M))


def _add_entrance(
    mesh: Mesh, details: Mesh, wall: _Facade, lot: int, style: CityStyle, number: int
) -> None:
    """A door in one of the bays; `lot` decides in which, its colour, and whether it has a sign."""
    bays = _bays(wall)
    along_m = (lot % bays + 0.5) / bays * 2.0 * wall.half_m - wall.half_m
    _add_door(mesh, details, wall, along_m, style.doors[lot % len(style.doors)], number)
    if lot % 3 == 0:
        centre = (*wall.at(along_m, 0.1), -3.55)
        half = (*wall.half_size(0.08, 1.5), 0.36)
        colour = SIGNS[lot // 3 % len(SIGNS)]
        mesh.box(centre, half, TextureLayer.PLAIN, colour, number, bottom=True)


def _add_door(
    mesh: Mesh, details: Mesh, wall: _Facade, along_m: float, colour: Colour, number: int
) -> None:
    """A door of 1.8 m by 2.7 m, with a step before it and a hood above it."""
    half_m, out_m = 0.9, 0.11
    (n, e), (across_n, across_e) = wall.at(along_m, out_m), wall.across
    a = (n - across_n * half_m, e - across_e * half_m)
    b = (n + across_n * half_m, e + across_e * half_m)
    corners = [(*a, -0.25), (*b, -0.25), (*b, -2.95), (*a, -2.95)]
    mesh.quad(corners, TextureLayer.DOOR, colour, number, (0.0, 0.0, 1.0, 1.0))
    place, half = wall.at(along_m, 0.35), wall.half_size(0.35, 1.1)
    concrete = TextureLayer.CONCRETE
    details.box((*place, -0.13), (*half, 0.13), concrete, (0.62, 0.61, 0.58), number)
    details.box((*place, -3.05), (*half, 0.06), concrete, (0.56, 0.55, 0.53), number, bottom=True)


def _add_trim(
    mesh: Mesh,
    house: Building,
    base_m: float,
    plinth: Colour,
    trim: Colour,
    number: int,
    *,
    string_course: bool,
) -> None:
    """Plinth, cornice, string course above the ground floor, and corner pilasters."""
    n, e = house.north_m, house.east_m
    half_n, half_e, top_m = house.size_north_m / 2, house.size_east_m / 2, house.height_m
    concrete = TextureLayer.CONCRETE
    base_half = (half_n + 0.08, half_e + 0.08, base_m / 2)
    mesh.box((n, e, -base_m / 2), base_half, TextureLayer.PLINTH, plinth, number)
    cornice_half = (half_n + 0.35, half_e + 0.35, 0.22)
    mesh.box((n, e, -top_m + 0.12), cornice_half, concrete, trim, number, bottom=True)
    if house.storeys > 2 and string_course:
        storey_m = (top_m - base_m) / house.storeys
        half = (half_n + 0.14, half_e + 0.14, 0.12)
        mesh.box((n, e, -base_m - storey_m), half, concrete, trim, number, bottom=True)
    for dn in (-1, 1):
        for de in (-1, 1):
            centre = (n + dn * (half_n - 0.25), e + de * (half_e - 0.25), -(top_m + base_m) / 2)
            half = (0.31, 0.31, (top_m - base_m) / 2)
            mesh.box(centre, half, concrete, trim, number, top=False)


def _add_roof(mesh: Mesh, house: Building, roof: Colour, wall: Colour, number: int) -> None:
    """A flat, gabled or hipped roof; gables have the colour of the walls."""
    n, e = house.north_m, house.east_m
    half_n, half_e, top_m = (
        house.size_north_m / 2 + 0.3,
        house.size_east_m / 2 + 0.3,
        house.height_m + 0.1,
    )
    if house.roof == "flat":
        half = (half_n - 0.35, half_e - 0.35, 0.3)
        mesh.box((n, e, -top_m - 0.3), half, TextureLayer.ROOF, roof, number)
        return
    slopes, ends = _roof_faces((n, e), (half_n, half_e), top_m, is_hipped=house.roof == "hip")
    for corners in slopes:
        mesh.quad(corners, TextureLayer.ROOF, roof, number)
    end = (TextureLayer.CONCRETE, wall) if house.roof == "gable" else (TextureLayer.ROOF, roof)
    for corners in ends:
        mesh.quad(corners, *end, number)


def _roof_faces(
    centre: Vec2, half: Vec2, eaves_m: float, *, is_hipped: bool
) -> tuple[list[list[Vec3]], list[list[Vec3]]]:
    """The two long slopes of a pitched roof, and its two ends, which are triangles."""
    (n, e), (half_n, half_e) = centre, half
    ridge_height_m = eaves_m + 0.42 * min(half_n, half_e)
    along_north = half_n >= half_e
    ridge_m = (half_n if along_north else half_e) - (min(half_n, half_e) if is_hipped else 0.0)
    r0 = (n - ridge_m, e) if along_north else (n, e - ridge_m)
    r1 = (n + ridge_m, e) if along_north else (n, e + ridge_m)
    p0: Vec3 = (*r0, -ridge_height_m)
    p1: Vec3 = (*r1, -ridge_height_m)
    a, b = (n - half_n, e - half_e, -eaves_m), (n - half_n, e + half_e, -eaves_m)
    c, d = (n + half_n, e + half_e, -eaves_m), (n + half_n, e - half_e, -eaves_m)
    if along_north:
        return [[d, a, p0, p1], [b, c, p1, p0]], [[a, b, p0, p0], [c, d, p1, p1]]
    return [[a, b, p1, p0], [c, d, p0, p1]], [[d, a, p0, p0], [b, c, p1, p1]]


def _add_roof_structure(mesh: Mesh, house: Building, trim: Colour, number: int) -> None:
    """A chimney on a pitched roof, a machine room on a flat one."""
    n, e, top_m = house.north_m, house.east_m, house.height_m
    shift = 0.22 * (1 if house.style // 16 % 2 else -1)
    half_n, half_e = house.size_north_m / 2, house.size_east_m / 2
    at = (n + shift * 2 * half_n * 0.6, e - shift * 2 * half_e * 0.6)
    if house.roof == "flat":
        half = (min(2.2, 0.3 * half_n), min(3.0, 0.3 * half_e), 1.2)
        mesh.box((*at, -top_m - 1.4), half, TextureLayer.CONCRETE, trim, number)
    else:
        brown = (0.50, 0.40, 0.36)
        mesh.box((*at, -top_m - 1.9), (0.45, 0.45, 1.7), TextureLayer.CONCRETE, brown, number)
