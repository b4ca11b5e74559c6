"""Meshes of a city by square cells, so that cells behind the camera need not be drawn."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field

from followme_uav.sim.rendering.meshes.mesh import Mesh
from followme_uav.sim.rendering.meshes.plants import LEAF_LEVELS

CELL_M = 50.0
"""Side of a cell."""

Cell = tuple[int, int]
"""Index of a cell northwards and eastwards."""


def _leaf_meshes() -> tuple[Mesh, ...]:
    return tuple(Mesh() for _ in LEAF_LEVELS)


@dataclass
class CityMesh:
    """Solids and leaves by cell, apart from each other because leaves need a shader of their own.

    Details are apart from the rest, because they are drawn only near the camera.
    """

    solids: dict[Cell, Mesh] = field(default_factory=lambda: defaultdict(Mesh))
    details: dict[Cell, Mesh] = field(default_factory=lambda: defaultdict(Mesh))
    """Solids that are too small to show from afar."""
    leaves: dict[Cell, tuple[Mesh, ...]] = field(default_factory=lambda: defaultdict(_leaf_meshes))
    """One mesh for each level of detail, the finest first."""
    ground: Mesh = field(default_factory=Mesh)
    grounds: dict[Cell, Mesh] = field(default_factory=lambda: defaultdict(Mesh))
    """Ground by cell, of a place that is too large for one mesh."""
    sky: Mesh = field(default_factory=Mesh)

    def without_empty_cells(self) -> CityMesh:
        """Return the same meshes, but those without any surface."""

        def full(meshes: dict[Cell, Mesh]) -> dict[Cell, Mesh]:
            return {cell: mesh for cell, mesh in meshes.items() if not mesh.is_empty}

        return CityMesh(
            full(self.solids),
            full(self.details),
            {at: crowns for at, crowns in self.leaves.items() if not crowns[0].is_empty},
            self.ground,
            full(self.grounds),
            self.sky,
        )


def cell_of(north_m: float, east_m: float) -> Cell:
    """The cell that holds a point."""
    return math.floor(north_m / CELL_M), math.floor(east_m / CELL_M)
