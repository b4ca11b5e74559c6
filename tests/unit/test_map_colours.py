"""If these fail, the vehicle's own map is drawn in wrong colours or in the wrong place."""

import numpy as np

from followme_uav.pilot.map_snapshot import MapCell, MapLayer, MapSnapshot
from followme_uav.view.colours import LIKELY, MAP_DARK, MAP_LIGHT, rgb
from followme_uav.view.map_colours import LEGEND, coloured_map


def snapshot(cells, probability=None):
    layer = MapLayer(np.array(cells, np.uint8), 0.5, 10.0, -4.0)
    return MapSnapshot(layer, probability, (0.0, 0.0), 150.0)


def test_each_kind_of_cell_has_its_colour_and_its_name():
    for colours in (MAP_LIGHT, MAP_DARK):
        image = coloured_map(snapshot([list(MapCell)]), colours)
        expected = [getattr(colours, kind.name.lower()) for kind in MapCell]
        assert [tuple(pixel) for pixel in image[0]] == [rgb(colour) for colour in expected]
    assert list(LEGEND) == list(MapCell)


def test_probability_colours_the_cells_that_it_covers():
    """The layers have cells of other sizes and begin at other places."""
    likely = MapLayer(np.array([[0.0, 1.0], [0.5, 0.01]]), 1.0, 11.0, -3.0)
    cells = np.full((8, 8), MapCell.FREE, np.uint8)  # 10 to 14 m north, -4 to 0 m east
    plain = coloured_map(snapshot(cells), MAP_DARK)
    image = coloured_map(snapshot(cells, likely), MAP_DARK)
    changed = (image != plain).any(axis=2)
    expected = np.zeros((8, 8), bool)
    expected[2:4, 4:6] = True  # the most likely cell: 11 m north, -2 m east
    expected[4:6, 2:4] = True  # 12 m north, -3 m east
    assert (changed == expected).all()
    most, half = image[2, 4].astype(int), image[4, 2].astype(int)
    red = np.array(rgb(LIKELY[1]))
    assert np.abs(most - red).sum() < np.abs(half - red).sum()


def test_obstacles_keep_their_colour_under_a_probability():
    likely = MapLayer(np.ones((2, 2)), 1.0, 10.0, -4.0)
    image = coloured_map(snapshot([[MapCell.OCCUPIED, MapCell.FREE]], likely), MAP_LIGHT)
    assert tuple(image[0, 0]) == rgb(MAP_LIGHT.occupied)
    assert tuple(image[0, 1]) != rgb(MAP_LIGHT.free)


def test_probability_outside_of_the_map_is_left_out():
    likely = MapLayer(np.ones((3, 3)), 2.0, 100.0, 100.0)
    cells = [[MapCell.FREE, MapCell.UNKNOWN]]
    shown = coloured_map(snapshot(cells, likely), MAP_LIGHT)
    assert (shown == coloured_map(snapshot(cells), MAP_LIGHT)).all()
