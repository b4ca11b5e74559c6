"""If these fail, viewers show another map than the one that the pilot flies on, or disturb it."""

import math

import numpy as np
import pytest

from followme_uav.config import load_config
from followme_uav.messages import MissionState
from followme_uav.pilot.baselines import Proportional
from followme_uav.pilot.guarded import GuardedPilot
from followme_uav.pilot.map_snapshot import MapCell, snapshot_of
from followme_uav.pilot.mapping.surroundings import COARSE
from followme_uav.pilot.pilot import Pilot
from tests.conftest import same
from tests.mapless_flight import CONFIG, cell_at, flown, fly


def centres_m(layer):
    """North and east of the middle of each cell."""
    rows, columns = np.indices(layer.values.shape)
    return (
        layer.south_m + (rows + 0.5) * layer.cell_m,
        layer.west_m + (columns + 0.5) * layer.cell_m,
    )


def test_cells_have_the_kinds_of_the_places_that_they_cover():
    snapshot = flown()[1][-1]
    assert cell_at(snapshot, 10.0, 0.0) == MapCell.VIEWED
    assert cell_at(snapshot, 23.75, 0.0) == MapCell.OCCUPIED
    assert cell_at(snapshot, 25.5, 0.0) == MapCell.UNKNOWN, "behind the wall's front"
    assert {int(kind) for kind in np.unique(snapshot.cells.values)} == set(MapCell)


def test_free_space_that_is_too_far_to_recognise_a_hero_is_not_viewed():
    snapshot = flown()[1][-1]
    north_m, east_m = centres_m(snapshot.cells)
    away_m = np.hypot(north_m, east_m)
    viewed = snapshot.cells.values == MapCell.VIEWED
    reach_m = CONFIG.explore.view_m + 10.0  # the vehicle flies less than 10 m from its start
    assert viewed.any() and away_m[viewed].max() <= reach_m
    assert away_m[snapshot.cells.values == MapCell.FREE].max() > reach_m


def test_frontier_borders_on_unknown_space():
    cells = flown()[1][-1].cells.values
    rows, columns = np.nonzero(cells == MapCell.FRONTIER)
    padded = np.pad(cells, 2 * COARSE, constant_values=MapCell.UNKNOWN)
    for row, column in zip(rows[::7], columns[::7], strict=True):
        around = padded[row : row + 4 * COARSE + 1, column : column + 4 * COARSE + 1]
        assert (around == MapCell.UNKNOWN).any()


def test_frontier_ends_at_the_geofence():
    small = CONFIG.model_copy(
        update={"explore": CONFIG.explore.model_copy(update={"radius_m": 20.0})}
    )
    snapshots = []
    fly(lambda config, masks: Pilot(small, masks), lambda p: snapshots.append(snapshot_of(p)))
    last = snapshots[-1]
    assert last.radius_m == 20.0
    north_m, east_m = centres_m(last.cells)
    frontier = last.cells.values == MapCell.FRONTIER
    away_m = np.hypot(north_m - last.start_m[0], east_m - last.start_m[1])
    assert frontier.any() and away_m[frontier].max() <= 20.0 + math.sqrt(2.0) * COARSE / 2.0
    assert away_m[last.cells.values == MapCell.FREE].max() > 25.0


def test_probability_is_there_in_a_search_only_and_greatest_near_the_hero():
    entries, maps = flown()
    for entry, snapshot in zip(entries, maps, strict=True):
        is_searching = entry.step.state is MissionState.SEARCH
        assert (snapshot.probability is not None) == is_searching
    found = maps[-1].probability
    assert found.values.max() == 1.0
    north_m, east_m = centres_m(found)
    best = np.unravel_index(np.argmax(found.values), found.values.shape)
    assert math.dist((north_m[best], east_m[best]), (12.0, 0.0)) < 6.0


def test_reading_the_map_does_not_change_the_flight():
    read, unread = flown()[0], fly()
    assert len(read) == len(unread)
    assert all(same(one.step, other.step) for one, other in zip(read, unread, strict=True))


def test_pilot_with_a_map_given_makes_none(config):
    assert snapshot_of(Pilot(config, lambda frame: None)) is None


def test_pilot_without_these_attributes_makes_none():
    class Foreign:
        state = MissionState.PATROL
        surroundings = "mine"

        def step(self, frame):
            raise NotImplementedError

    assert snapshot_of(Foreign()) is None


@pytest.mark.parametrize(
    "make_pilot",
    [lambda config, masks: GuardedPilot("mine", Pilot, config, masks), Proportional],
    ids=["guarded", "proportional"],
)
def test_other_pilots_show_the_map_that_they_make(make_pilot):
    snapshots = []
    fly(make_pilot, lambda pilot: snapshots.append(snapshot_of(pilot)))
    assert cell_at(snapshots[-1], 23.75, 0.0) == MapCell.OCCUPIED


def test_map_of_a_pilot_that_has_not_flown_is_unknown():
    snapshot = snapshot_of(Pilot(load_config(simulator="embedded-no-map"), lambda frame: None))
    assert set(snapshot.cells.values.ravel()) == {MapCell.UNKNOWN}
