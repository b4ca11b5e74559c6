"""Figures of `--plots` and of reports show the flight."""

import pytest
from PIL import Image

from followme_uav.messages import (
    Candidate,
    MissionState,
    Outcome,
    Solid,
    TrackEstimate,
    Transition,
)
from followme_uav.view.colours import MAP_LIGHT, STATES, WAY, rgb
from followme_uav.view.history import history_of
from followme_uav.view.panels import COVERAGE_PANEL, FLIGHT_PANELS
from tests import mapless_flight
from tests.conftest import detection_at, hero_mask, make_entry

pytest.importorskip("matplotlib", reason="plots are drawn with Matplotlib")
from followme_uav.view import plots
from followme_uav.view.map_figure import chosen_moments, own_maps

PATROL, SEARCH = MissionState.PATROL, MissionState.SEARCH
HOUSE = Solid("building_0", (20.0, 20.0, -6.0), (8.0, 6.0, 6.0), False)
TREE = Solid("tree_0_crown", (-20.0, 10.0, -4.0), (3.0, 3.0, 2.0), True)


def flight():
    for index in range(40):
        change = Transition(PATROL, SEARCH, "lost") if index == 20 else None
        yield make_entry(
            index,
            SEARCH if index >= 20 else PATROL,
            transition=change,
            track=TrackEstimate((7.0, 1.0, 0.0), (1.0, 0.0, 0.0), 0.5) if index > 10 else None,
            detection=detection_at((16, 16)),
            candidates=(Candidate(detection_at((16, 16)), None, 2.5, None, Outcome.SELECTED),),
            mask=hero_mask((16, 16)),
            truth_mask=hero_mask((16, 16)),
        )


@pytest.fixture(scope="module")
def history():
    from followme_uav.config import load_config

    return history_of(flight(), load_config(), (HOUSE, TREE))


def drawn(figure, path):
    plots.save(figure, path)
    with Image.open(path) as picture:
        return picture.convert("RGB")


def colours_of(picture):
    return {colour for _, colour in picture.getcolors(1 << 24)}


def test_time_lines_show_states_and_every_panel(history, tmp_path):
    figure = plots.time_lines(history, title="A flight")
    titles = [axis.get_title(loc="left") for axis in figure.axes[1:]]
    assert titles == [panel.title for panel in FLIGHT_PANELS]
    shown = colours_of(drawn(figure, tmp_path / "lines.png"))
    assert {rgb(STATES[PATROL]), rgb(STATES[SEARCH])} <= shown


def test_line_has_the_values_of_the_flight(history):
    figure = plots.time_lines(history)
    axis = figure.axes[1 + [panel.key for panel in FLIGHT_PANELS].index("distance")]
    (track,) = (line for line in axis.lines if line.get_label() == "track")
    assert track.get_ydata().tolist()[11:] == [pytest.approx(50.0**0.5)] * 29


def test_map_shows_paths_and_buildings_in_their_places(history):
    axis = plots.top_view(history).axes[0]
    boxes = [patch.get_bbox().bounds for patch in axis.patches if hasattr(patch, "get_bbox")]
    assert (14.0, 12.0, 12.0, 16.0) in boxes  # east, north, size east, size north
    named = {line.get_label(): line for line in axis.lines}
    assert {"hero", "hero, track", "patrol", "search", "start", "end"} <= set(named)
    assert named["hero"].get_xydata()[0].tolist() == [0.0, 7.0]
    (east_low, east_high), (north_low, north_high) = axis.get_xlim(), axis.get_ylim()
    assert east_high - east_low == pytest.approx(north_high - north_low)


def test_log_without_frames_gives_empty_figures(config, tmp_path):
    nothing = history_of([], config)
    for number, draw in enumerate((plots.time_lines, plots.top_view, plots.loop_terms)):
        assert drawn(draw(nothing), tmp_path / f"{number}.png").size > (100, 50)


@pytest.fixture(scope="module")
def mapless():
    entries, maps = mapless_flight.flown()
    return history_of(entries, mapless_flight.CONFIG, (mapless_flight.HOUSE,)), maps


def test_moments_show_the_growing_map_and_the_end_of_the_search(mapless):
    history, _ = mapless
    numbers = chosen_moments(history)
    assert numbers == sorted(set(numbers)) and len(numbers) == 6
    states = [history.states[number] for number in numbers]
    assert MissionState.TAKEOFF not in states and states[-1] is SEARCH
    assert chosen_moments(history_of([], mapless_flight.CONFIG)) == []


def test_own_maps_show_map_way_and_coverage_at_each_moment(mapless, tmp_path):
    history, maps = mapless
    with_way = max(number for number, way_m in enumerate(history.ways_m) if way_m)
    figure = own_maps(history, {10: maps[10], with_way: maps[with_way]}, [10, with_way, 999])
    first, second = figure.axes[:2]
    viewed_m2 = mapless_flight.flown()[0][with_way].step.own_map.viewed_m2
    state = history.states[with_way].value
    expected = f"{history.time_s[with_way]:.0f} s, {state}, {viewed_m2:,.0f} m² looked at"
    assert second.get_title(loc="left") == expected
    way = next(line for line in second.lines if line.get_color() == WAY)
    assert way.get_xydata()[-1].tolist() == list(history.ways_m[with_way][-1][::-1])
    assert not any(line.get_color() == WAY for line in first.lines) or history.ways_m[10]
    shown = colours_of(drawn(figure, tmp_path / "maps.png"))
    assert {rgb(colour) for colour in MAP_LIGHT} <= shown


def test_map_of_a_flight_without_a_map_shows_the_own_map_and_true_outlines(mapless, tmp_path):
    history, maps = mapless
    figure = plots.top_view(history, own_map=maps[-1])
    (axis,) = figure.axes
    labels = [text.get_text() for text in axis.get_legend().get_texts()]
    assert {"ground looked at", "frontier", "obstacle", "building, truly"} <= set(labels)
    west, east, south, north = axis.images[0].get_extent()
    cells = maps[-1].cells
    assert (west, east, south, north) == (cells.west_m, cells.east_m, cells.south_m, cells.north_m)
    assert {rgb(MAP_LIGHT.viewed), rgb(MAP_LIGHT.unknown)} <= colours_of(
        drawn(figure, tmp_path / "map.png")
    )


def test_coverage_grows_over_time_and_only_flights_without_a_map_have_it(history, mapless):
    assert not history.has(COVERAGE_PANEL)
    figure = plots.time_lines(mapless[0], (COVERAGE_PANEL,))
    (line,) = figure.axes[1].lines
    values = line.get_ydata()
    assert values[0] == 0.0 and values[-1] == mapless_flight.flown()[0][-1].step.own_map.viewed_m2
    assert (values[1:] >= values[:-1]).all()
