"""Colours the map that a vehicle makes itself: for figures, the video and the viewer alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from followme_uav.log.entry import FlightEntry
from followme_uav.messages import RgbImage
from followme_uav.pilot.map_snapshot import LEAST_LIKELY, MapCell, MapLayer, MapSnapshot
from followme_uav.view.colours import LIKELY, MapColours, rgb

_COVER = 0.75
"""Opacity of the probability over the map."""

MapReader = Callable[[FlightEntry], MapSnapshot | None]
"""Gives the map at each entry, in order; None: as at the entry before, or no map."""


def no_map(entry: FlightEntry) -> None:
    """The reader of a flight that makes no map."""


VIEWER_MAP_S = 1.0
"""Time between two maps in a viewer, which keeps all of them in memory."""

LEGEND: dict[MapCell, str] = {
    MapCell.UNKNOWN: "not known",
    MapCell.FREE: "free",
    MapCell.VIEWED: "ground looked at",
    MapCell.FRONTIER: "frontier",
    MapCell.OCCUPIED: "obstacle",
}


def coloured_map(snapshot: MapSnapshot, colours: MapColours) -> RgbImage:
    """(rows, columns, 3) of the snapshot's cells, the first row in the south.

    In a search the probability of the hero's place lies over them.
    """
    palette = np.array([rgb(colour) for colour in colours], np.uint8)
    image: RgbImage = palette[snapshot.cells.values]
    if snapshot.probability is None:
        return image
    likely = _on_cells_of(snapshot.cells, snapshot.probability)
    least, most = (np.array(rgb(colour), float) for colour in LIKELY)
    shown = likely >= LEAST_LIKELY
    shown &= snapshot.cells.values != MapCell.OCCUPIED
    share = likely[shown, None]
    over = least + (most - least) * share
    image[shown] = (1.0 - _COVER) * image[shown] + _COVER * over
    return image


def _on_cells_of(cells: MapLayer, other: MapLayer) -> NDArray[np.float64]:
    """The values of another layer at the cells of a map; 0 outside of it."""
    found = np.zeros(cells.values.shape)
    rows, columns = (
        np.floor((low + (np.arange(count) + 0.5) * cells.cell_m - edge) / other.cell_m).astype(int)
        for low, edge, count in (
            (cells.south_m, other.south_m, cells.values.shape[0]),
            (cells.west_m, other.west_m, cells.values.shape[1]),
        )
    )
    in_rows = (rows >= 0) & (rows < other.values.shape[0])
    in_columns = (columns >= 0) & (columns < other.values.shape[1])
    found[np.ix_(in_rows, in_columns)] = other.values[np.ix_(rows[in_rows], columns[in_columns])]
    return found
