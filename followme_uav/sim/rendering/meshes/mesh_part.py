"""Part of a mesh: vertices with normals and texture coordinates, and triangles of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MeshPart:
    """Vertices in NED, and triangles; not yet any texture, tint or object number."""

    position: Floats
    """(n, 3)"""
    normal: Floats
    """(n, 3), unit length."""
    uv: Floats
    """(n, 2) texture coordinates."""
    triangles: NDArray[np.int64]
    """(m, 3) indices of vertices."""


def grid_triangles(rows: int, columns: int) -> NDArray[np.int64]:
    """(m, 3) triangles between neighbours in a grid of vertices, stored row by row."""
    i, j = np.meshgrid(np.arange(rows - 1), np.arange(columns - 1), indexing="ij")
    a = (i * columns + j).ravel()
    b = a + columns
    return np.stack([a, a + 1, b + 1, a, b + 1, b], axis=1).reshape(-1, 3)
