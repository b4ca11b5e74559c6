"""Triangles in numpy: a growing list of surfaces in world NED, and the basic solids.

A vertex has a position and a normal (NED), texture coordinates with the texture's layer, a tint
(RGB, 0..1) and the number of the object it belongs to, 0 to 65,535. `scene` turns the arrays into
what the renderer wants.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from followme_uav.sim.city.colours import Colour
from followme_uav.sim.rendering.textures import METRES, Layer

Points = NDArray[np.float64]
"""(n, 3)"""

VERTEX = np.dtype(
    [
        ("position", "<f4", 3),
        ("normal", "<f4", 3),
        ("uvl", "<f4", 3),
        ("tint", "u1", 4),
        ("page", "u1", 4),
    ]
)
"""One vertex; `tint` is RGB and the low byte of the object number, `page` begins with its high byte
(the other three align what follows)."""
LIMB_VERTEX = np.dtype([*VERTEX.descr, ("limb", "<f4")])
"""One vertex of a person; `limb` says which joint moves it."""
_SQUARE_WIDTH = 1.08  # of a square tube, so that it looks on average as wide as a round one
_QUAD = np.array([(0, 1, 2), (0, 2, 3)])


@dataclass
class Mesh:
    """A list of surfaces that grows; `vertices` and `triangles` give the whole."""

    dtype: np.dtype = field(default_factory=lambda: VERTEX)
    coarse: bool = False
    """Tubes are square, have about half of their rings and no caps, whatever is asked for."""
    _parts: list[NDArray[np.void]] = field(default_factory=list)
    _indices: list[NDArray[np.uint32]] = field(default_factory=list)
    _count: int = 0

    def add(
        self,
        position: NDArray[np.float64],
        normal: NDArray[np.float64],
        uv: NDArray[np.float64],
        layer: Layer,
        tint: Colour | NDArray[np.float64],
        obj: int,
        triangles: NDArray[np.int64],
        limb: int = 0,
    ) -> None:
        """Append vertices (n, 3), (n, 3), (n, 2) and triangles (m, 3) that index them."""
        part = np.zeros(len(position), dtype=self.dtype)
        part["position"] = position
        part["normal"] = normal
        part["uvl"][:, :2] = uv
        part["uvl"][:, 2] = float(layer)
        if isinstance(tint, tuple):
            part["tint"][:, :3] = [min(255, max(0, int(v * 255.0 + 0.5))) for v in tint]
        else:
            part["tint"][:, :3] = np.clip(tint * 255.0 + 0.5, 0, 255).astype(np.uint8)
        part["page"][:, 0], part["tint"][:, 3] = divmod(obj, 256)
        if "limb" in (self.dtype.names or ()):
            part["limb"] = limb
        self._parts.append(part)
        self._indices.append((triangles + self._count).astype(np.uint32).ravel())
        self._count += len(part)

    @property
    def empty(self) -> bool:
        """Nothing added yet."""
        return self._count == 0

    @property
    def vertices(self) -> NDArray[np.void]:
        """(n,) of `dtype`."""
        # NumPy's way to join records compares all their fields each time.
        return np.frombuffer(b"".join(part.tobytes() for part in self._parts), self.dtype)

    @property
    def triangles(self) -> NDArray[np.uint32]:
        """(3 m,) indices, every triangle counter-clockwise seen from where its normals point."""
        index = np.concatenate(self._indices).reshape(-1, 3)
        vertices = self.vertices
        a, b, c = (vertices["position"][index[:, k]] for k in range(3))
        front = np.einsum("ij,ij->i", np.cross(b - a, c - a), vertices["normal"][index].sum(axis=1))
        return np.where((front < 0.0)[:, None], index[:, ::-1], index).ravel()

    def quad(
        self,
        corners: Points | list[tuple[float, float, float]],
        layer: Layer,
        tint: Colour,
        obj: int,
        uv: tuple[float, float, float, float] | None = None,
    ) -> None:
        """A flat quadrilateral, corners counter-clockwise seen from outside, first edge = u.

        `uv` is (u0, v0, u1, v1); without it the texture is laid by the metre.
        """
        p = np.asarray(corners, dtype=np.float64)
        across, up = (p[1] - p[0]).tolist(), (p[3] - p[0]).tolist()
        normal = _cross(across, up)
        length = max(math.hypot(*normal), 1e-9)
        if uv is None:
            metres = METRES[layer]
            uv = (0.0, 0.0, math.hypot(*across) / metres, math.hypot(*up) / metres)
        u0, v0, u1, v1 = uv
        self.add(
            p,
            np.array([[v / length for v in normal]] * 4),
            np.array([(u0, v0), (u1, v0), (u1, v1), (u0, v1)]),
            layer,
            tint,
            obj,
            _QUAD,
        )

    def floor(
        self,
        rect: tuple[float, float, float, float],
        height_m: float,
        layer: Layer,
        tint: Colour,
        obj: int,
        turn: float = 0.0,
    ) -> None:
        """A level rectangle (north_min, east_min, north_max, east_max), textured by the metre."""
        n0, e0, n1, e1 = rect
        corners = np.array([(n0, e0), (n0, e1), (n1, e1), (n1, e0)])
        self._level(corners, height_m, layer, tint, obj, turn, _QUAD)

    def fan(
        self,
        centre: tuple[float, float],
        outline: NDArray[np.float64],
        height_m: float,
        layer: Layer,
        tint: Colour,
        obj: int,
    ) -> None:
        """A level star-shaped area around `centre`; outline (n, 2) north, east."""
        n = len(outline)
        ring = np.arange(n)
        triangles = np.stack([np.full(n, n), ring, (ring + 1) % n], axis=1)
        points = np.vstack([outline, centre])
        self._level(points, height_m, layer, tint, obj, 0.0, triangles)

    def _level(
        self,
        corners: NDArray[np.float64],
        height_m: float,
        layer: Layer,
        tint: Colour,
        obj: int,
        turn: float,
        triangles: NDArray[np.int64],
    ) -> None:
        n = len(corners)
        c, s = math.cos(turn), math.sin(turn)
        uv = corners[:, ::-1] @ np.array([(c, s), (-s, c)]) / METRES[layer]
        position = np.column_stack([corners, np.full(n, -height_m)])
        up = np.broadcast_to(np.array([0.0, 0.0, -1.0]), (n, 3))
        self.add(position, up, uv, layer, tint, obj, triangles)

    def box(
        self,
        centre: tuple[float, float, float],
        half: tuple[float, float, float],
        layer: Layer,
        tint: Colour,
        obj: int,
        yaw_rad: float = 0.0,
        top: bool = True,
        bottom: bool = False,
        sides: bool = True,
    ) -> None:
        """A box; centre NED, half sizes along its own north, east and vertical."""
        c, s = math.cos(yaw_rad), math.sin(yaw_rad)
        rotate = np.array([(c, s, 0.0), (-s, c, 0.0), (0.0, 0.0, 1.0)])
        x, y, z = half
        faces: list[list[tuple[float, float, float]]] = []
        if sides:
            faces += [
                [(x, y, z), (x, -y, z), (x, -y, -z), (x, y, -z)],
                [(-x, -y, z), (-x, y, z), (-x, y, -z), (-x, -y, -z)],
                [(-x, y, z), (x, y, z), (x, y, -z), (-x, y, -z)],
                [(x, -y, z), (-x, -y, z), (-x, -y, -z), (x, -y, -z)],
            ]
        if top:
            faces.append([(-x, -y, -z), (-x, y, -z), (x, y, -z), (x, -y, -z)])
        if bottom:
            faces.append([(x, -y, z), (x, y, z), (-x, y, z), (-x, -y, z)])
        for corners in faces:
            self.quad(np.array(corners) @ rotate + np.array(centre), layer, tint, obj)

    def loft(
        self,
        rings: list[tuple[float, float, float, float, float]],
        layer: Layer,
        tint: Colour,
        obj: int,
        sides: int = 8,
        limb: int = 0,
        uv_scale: tuple[float, float] = (1.0, 1.0),
        caps: bool = True,
        uv_shift: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        """A vertical tube through elliptic rings (north, east, height, half_north, half_east).

        Rings go from the bottom up; normals are smooth.
        """
        r = np.asarray(rings, dtype=np.float64)
        if self.coarse:
            sides, caps = 4, False
            r = r[sorted({*range(0, len(r), 2), len(r) - 1})]
            r[:, 3:] *= _SQUARE_WIDTH
        angle = np.linspace(0.0, 2 * math.pi, sides + 1)
        ca, sa = np.cos(angle), np.sin(angle)
        north = r[:, None, 0] + r[:, None, 3] * ca
        east = r[:, None, 1] + r[:, None, 4] * sa
        down = np.broadcast_to(-r[:, None, 2], north.shape)
        position = np.stack([north, east, down], axis=-1)
        around = np.gradient(position, axis=1)
        around[:, 0] = around[:, -1] = position[:, 1] - position[:, -2]
        along = np.gradient(position, axis=0)
        normal = np.cross(around, along)
        outward = position - np.stack([r[:, 0], r[:, 1], -r[:, 2]], axis=-1)[:, None, :]
        normal *= np.where(np.sum(normal * outward, axis=-1, keepdims=True) < 0, -1.0, 1.0)
        length = np.linalg.norm(normal, axis=-1, keepdims=True)
        vertical = np.array([0.0, 0.0, -1.0])
        normal = np.where(length > 1e-9, normal / np.maximum(length, 1e-9), vertical)
        steps = np.abs(np.diff(r[:, 2], prepend=r[0, 2])).cumsum()
        u = np.broadcast_to(angle / (2 * math.pi) * uv_scale[0], north.shape) + uv_shift[0]
        v = np.broadcast_to((steps * uv_scale[1])[:, None], north.shape) + uv_shift[1]
        count, ring = len(r), sides + 1
        i, j = np.meshgrid(np.arange(count - 1), np.arange(sides), indexing="ij")
        a = (i * ring + j).ravel()
        quads = np.stack([a, a + 1, a + ring + 1, a, a + ring + 1, a + ring], axis=1).reshape(-1, 3)
        triangles = [quads]
        points, normals = [position.reshape(-1, 3)], [normal.reshape(-1, 3)]
        uvs = [np.stack([u, v], axis=-1).reshape(-1, 2)]
        start = count * ring
        for index, sign in ((0, 1.0), (count - 1, -1.0)) if caps else ():
            if min(r[index, 3:]) < 1e-6:
                continue
            points.append(np.vstack([position[index], (r[index, 0], r[index, 1], -r[index, 2])]))
            normals.append(np.broadcast_to(np.array([0.0, 0.0, sign]), (ring + 1, 3)))
            uvs.append(np.vstack([uvs[0][index * ring : (index + 1) * ring], uvs[0][index * ring]]))
            k = start + np.arange(sides)
            tip = np.full(sides, start + ring)
            order = [tip, k + 1, k] if sign > 0 else [tip, k, k + 1]
            triangles.append(np.stack(order, axis=1))
            start += ring + 1
        self.add(
            np.vstack(points),
            np.vstack(normals),
            np.vstack(uvs),
            layer,
            tint,
            obj,
            np.vstack(triangles),
            limb,
        )


def _cross(a: list[float], b: list[float]) -> tuple[float, float, float]:
    return (
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    )
