"""If these fail, a log of a flight without a map shows another map than the flight had."""

import itertools
from dataclasses import replace

import numpy as np

from followme_uav.log.reader import MASK, read_log
from followme_uav.messages import Command, Manoeuvre, MissionState, Step
from followme_uav.replay.own_maps import ReplayedMaps, maps_at
from tests.conftest import same
from tests.made_flight import entries as entries_with_map
from tests.mapless_flight import CONFIG, cell_at, flown, without_hero, write_log


def test_log_gives_the_maps_that_the_pilot_had(tmp_path):
    log = read_log(write_log(tmp_path / "flight.mcap"))
    _, maps = flown()
    numbers = [40, 100, len(maps) - 1]
    found = maps_at(log.entries((MASK,)), log.metadata.config, numbers)
    assert sorted(found) == numbers
    assert all(same(found[number], maps[number]) for number in numbers)
    assert found[numbers[-1]].probability is not None, "the flight ends in a search"


def test_flight_with_a_map_gives_none(config):
    assert maps_at(entries_with_map(), config, [0, 10]) == {}
    reader = ReplayedMaps(config)
    assert all(reader.next_snapshot(entry, 0.0) is None for entry in entries_with_map())


def test_maps_come_at_the_wanted_interval():
    reader = ReplayedMaps(CONFIG)
    times_s = [
        entry.frame.time_s for entry in flown()[0] if reader.next_snapshot(entry, 1.0) is not None
    ]
    assert len(times_s) == 17
    assert min(np.diff(times_s)) >= 1.0 - 1e-9


def test_grid_is_that_of_the_flight_whichever_pilot_flew():
    """A pilot of a user may log no masks, and decides otherwise."""
    entries, maps = flown()
    foreign = [
        replace(e, step=Step.of(e.frame, MissionState.PATROL, Command(Manoeuvre.HOVER)))
        for e in entries
    ]
    last = len(maps) - 1
    found = maps_at(foreign, CONFIG, [last])[last]
    assert found.probability is None
    cells = found.cells
    places_m = itertools.product(
        np.arange(cells.south_m + 1.0, cells.north_m, 3.0),
        np.arange(cells.west_m + 1.0, cells.east_m, 3.0),
    )
    assert all(cell_at(found, *place) == cell_at(maps[last], *place) for place in places_m)


def test_probability_is_left_out_where_the_flight_did_not_search():
    entries, _ = flown()
    blind = [
        replace(e, step=replace(e.step, state=MissionState.PATROL, mask=without_hero(e.step.mask)))
        for e in entries
    ]
    last = len(entries) - 1
    assert maps_at(blind, CONFIG, [last])[last].probability is None
    searching = [replace(e, step=replace(e.step, state=MissionState.PATROL)) for e in entries]
    assert maps_at(searching, CONFIG, [last])[last].probability is None
