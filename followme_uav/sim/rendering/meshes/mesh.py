"""Triangle meshes in NumPy: a list of surfaces in world NED that grows, and the basic solids.

A vertex has a position and a normal (NED), texture coordinates with the texture's layer, a tint
(RGB, 0..1) and an object number from 0 to 65,535. `panda` turns the arrays into a Panda3D node.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from followme_uav.messages import Vec2, Vec3
from followme_uav.sim.city.colours import Colour
from followme_uav.sim.rendering.meshes.mesh_part import Floats, MeshPart
from followme_uav.sim.rendering.meshes.tubes import Ring, tube
from followme_uav.sim.rendering.textures.layers import TILE_M, TextureLayer

"""RGB, 0..1."""
Rect = tuple[float, float, float, float]
"""Minimum north and east, maximum north and east, in metres."""

VERTEX = np.dtype(
    [
        ("position", "<f4", 3),
        ("normal", "<f4", 3),
        ("uvl", "<f4", 3),
        ("tint", "u1", 4),
        ("number_high", "u1", 4),
    ]
)
"""One vertex. `uvl` is u, v and texture layer; `tint` is RGB and the low byte of the object number;
`number_high` begins with the high byte, and its other three bytes align the next vertex."""
LIMB_VERTEX = np.dtype([*VERTEX.descr, ("limb", "<f4")])
"""One vertex of a person; `limb` is the number of the limb that moves it."""
_SQUARE_WIDTH = 1.08
"""Factor on the width of a square tube, which gives it the mean width of a round one."""
_QUAD = np.array([(0, 1, 2), (0, 2, 3)])


@dataclass
class Mesh:
    """A list of surfaces that grows; `vertices` and `triangles` give the whole."""

    dtype: np.dtype = field(default_factory=lambda: VERTEX)
    coarse: bool = False
    """Make all tubes square, without caps, and with half of their rings."""
    raised_m: float = 0.0
    """Height above z = 0 of the level at which surfaces are appended from now on."""
    _parts: list[NDArray[np.void]] = field(default_factory=list)
    _indices: list[NDArray[np.uint32]] = field(default_factory=list)
    _count: int = 0

    def add(
        self,
        surface: MeshPart,
        layer: TextureLayer,
        tint: Colour | Floats,
        number: int,
        limb: int = 0,
    ) -> None:
        """Append a surface.

        Args:
            surface: Vertices and triangles.
            layer: Texture.
            tint: Colour that multiplies the texture, one for all or (n, 3).
            number: Object number.
            limb: Limb number, for meshes of `LIMB_VERTEX`.
        """
        part = np.zeros(len(surface.position), dtype=self.dtype)
        part["position"] = surface.position
        if self.raised_m:
            part["position"][:, 2] -= self.raised_m
        part["normal"] = surface.normal
        part["uvl"][:, :2] = surface.uv
        part["uvl"][:, 2] = float(layer)
        if isinstance(tint, tuple):
            part["tint"][:, :3] = [min(255, max(0, int(v * 255.0 + 0.5))) for v in tint]
        else:
            part["tint"][:, :3] = np.clip(tint * 255.0 + 0.5, 0, 255).astype(np.uint8)
        part["number_high"][:, 0], part["tint"][:, 3] = divmod(number, 256)
        if "limb" in (self.dtype.names or ()):
            part["limb"] = limb
        self._parts.append(part)
        self._indices.append((surface.triangles + self._count).astype(np.uint32).ravel())
        self._count += len(part)

    @property
    def is_empty(self) -> bool:
        """Whether there is no surface."""
        return not self._parts

    @property
    def vertices(self) -> NDArray[np.void]:
        """(n,) of `dtype`."""
        # np.concatenate compares the fields of structured arrays at each call, which is slow.
        return np.frombuffer(b"".join(part.tobytes() for part in self._parts), self.dtype)

    @property
    def triangles(self) -> NDArray[np.uint32]:
        """(3 m,) vertex indices, counter-clockwise seen from the side to which normals point."""
        index = np.concatenate(self._indices).reshape(-1, 3)
        vertices = self.vertices
        a, b, c = (vertices["position"][index[:, k]] for k in range(3))
        front = np.einsum("ij,ij->i", np.cross(b - a, c - a), vertices["normal"][index].sum(axis=1))
        return np.where((front < 0.0)[:, None], index[:, ::-1], index).ravel()

    def quad(
        self,
        corners: Floats | Sequence[Vec3],
        layer: TextureLayer,
        tint: Colour,
        number: int,
        uv: tuple[float, float, float, float] | None = None,
    ) -> None:
        """Append a flat quadrilateral.

        Args:
            corners: Four points, counter-clockwise seen from outside; the first edge is along u.
            layer: Texture.
            tint: Colour that multiplies the texture.
            number: Object number.
            uv: (u0, v0, u1, v1); None repeats the texture every `TILE_M` metres.
        """
        self._faces(np.asarray(corners, dtype=np.float64)[None], layer, tint, number, uv)

    def floor(
        self,
        rect: Rect,
        height_m: float,
        layer: TextureLayer,
        tint: Colour,
        number: int,
        turn_rad: float = 0.0,
    ) -> None:
        """Append a level rectangle; its texture is turned by `turn_rad`."""
        n0, e0, n1, e1 = rect
        corners = np.array([(n0, e0), (n0, e1), (n1, e1), (n1, e0)])
        surface = _level(corners, height_m, _QUAD, TILE_M[layer], turn_rad)
        self.add(surface, layer, tint, number)

    def fan(
        self,
        centre: Vec2,
        outline: Floats,
        height_m: float,
        layer: TextureLayer,
        tint: Colour,
        number: int,
    ) -> None:
        """Append a level star-shaped area around `centre`; outline (n, 2) north, east."""
        n = len(outline)
        ring = np.arange(n)
        triangles = np.stack([np.full(n, n), ring, (ring + 1) % n], axis=1)
        points = np.vstack([outline, centre])
        self.add(_level(points, height_m, triangles, TILE_M[layer]), layer, tint, number)

    def box(
        self,
        centre: Vec3,
        half: Vec3,
        layer: TextureLayer,
        tint: Colour,
        number: int,
        yaw_rad: float = 0.0,
        *,
        top: bool = True,
        bottom: bool = False,
    ) -> None:
        """Append a box; centre NED, half sizes along its own north, east and vertical."""
        c, s = math.cos(yaw_rad), math.sin(yaw_rad)
        rotate = np.array([(c, s, 0.0), (-s, c, 0.0), (0.0, 0.0, 1.0)])
        x, y, z = half
        faces = [
            [(x, y, z), (x, -y, z), (x, -y, -z), (x, y, -z)],
            [(-x, -y, z), (-x, y, z), (-x, y, -z), (-x, -y, -z)],
            [(-x, y, z), (x, y, z), (x, y, -z), (-x, y, -z)],
            [(x, -y, z), (-x, -y, z), (-x, -y, -z), (x, -y, -z)],
        ]
        if top:
            faces.append([(-x, -y, -z), (-x, y, -z), (x, y, -z), (x, -y, -z)])
        if bottom:
            faces.append([(x, -y, z), (x, y, z), (-x, y, z), (-x, -y, z)])
        corners = np.array(faces).reshape(-1, 3) @ rotate + np.array(centre)
        self._faces(corners.reshape(-1, 4, 3), layer, tint, number)

    def loft(
        self,
        rings: Sequence[Ring],
        layer: TextureLayer,
        tint: Colour,
        number: int,
        sides: int = 8,
        limb: int = 0,
        *,
        caps: bool = True,
        uv_scale: tuple[float, float] = (1.0, 1.0),
        uv_shift: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        """Append a vertical tube through rings, given from the bottom up; see `tubes.tube`."""
        r = np.asarray(rings, dtype=np.float64)
        if self.coarse:
            sides, caps = 4, False
            r = r[sorted({*range(0, len(r), 2), len(r) - 1})]
            r[:, 3:] *= _SQUARE_WIDTH
        surface = tube(r, sides, caps=caps, uv_scale=uv_scale, uv_shift=uv_shift)
        self.add(surface, layer, tint, number, limb)

    def _faces(
        self,
        corners: Floats,
        layer: TextureLayer,
        tint: Colour,
        number: int,
        uv: tuple[float, float, float, float] | None = None,
    ) -> None:
        """Append quadrilaterals as one surface; corners (n, 4, 3), see `quad`."""
        normals, corner_uv = [], []
        for first, second, _, last in corners.tolist():
            across = [b - a for a, b in zip(first, second, strict=True)]
            up = [b - a for a, b in zip(first, last, strict=True)]
            normal = _cross(across, up)
            length = max(math.hypot(*normal), 1e-9)
            normals.append([v / length for v in normal])
            if uv is None:
                u0, v0 = 0.0, 0.0
                u1, v1 = math.hypot(*across) / TILE_M[layer], math.hypot(*up) / TILE_M[layer]
            else:
                u0, v0, u1, v1 = uv
            corner_uv += [(u0, v0), (u1, v0), (u1, v1), (u0, v1)]
        count = len(corners)
        triangles = (_QUAD + 4 * np.arange(count)[:, None, None]).reshape(-1, 3)
        surface = MeshPart(
            corners.reshape(-1, 3), np.repeat(normals, 4, axis=0), np.array(corner_uv), triangles
        )
        self.add(surface, layer, tint, number)


def _level(
    corners: Floats,
    height_m: float,
    triangles: NDArray[np.int64],
    tile_m: float,
    turn_rad: float = 0.0,
) -> MeshPart:
    """A level surface that faces up; corners (n, 2) north, east."""
    n = len(corners)
    c, s = math.cos(turn_rad), math.sin(turn_rad)
    uv = corners[:, ::-1] @ np.array([(c, s), (-s, c)]) / tile_m
    position = np.column_stack([corners, np.full(n, -height_m)])
    up = np.broadcast_to(np.array([0.0, 0.0, -1.0]), (n, 3))
    return MeshPart(position, up, uv, triangles)


def _cross(a: list[float], b: list[float]) -> Vec3:
    """Cross product; NumPy's takes longer for two vectors."""
    return (
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    )
