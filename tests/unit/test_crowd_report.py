"""The report on people and cars: each counter counts a fault, and equal runs are equal."""

import json
import math
from dataclasses import asdict

import numpy as np
import pytest

from followme_uav.sim.city.layout import Car
from followme_uav.worlds.world import Area
from tests.unit.tool_parts import imported_tool
from tests.unit.world_parts import crossing


@pytest.fixture(scope="module")
def tool():
    with imported_tool("crowd_report") as module:
        yield module


def _car(north, east, yaw_rad=0.0, up_m=0.0):
    return Car(north, east, yaw_rad, 4.3, 1.78, 1.5, (0.1, 0.1, 0.1), up_m)


def _feet(*places):
    return np.array(places, dtype=float)


def test_people_in_buildings_and_water_are_inside_and_those_on_decks_are_not(tool):
    river = Area("water", ((-58.0, -58.0), (-54.0, -58.0), (-54.0, 58.0), (-58.0, 58.0)))
    walls = tool.Walls(crossing(areas=(river,)))
    house = next(b for b in crossing().buildings)
    n, e = np.mean(house.outline_m, axis=0)
    assert walls.inside(_feet((n, e, 0.0))) == 1
    assert walls.inside(_feet((-56.0, 3.0, 0.0), (n, e, 0.0), (0.0, 0.0, 0.0))) == 2
    assert walls.inside(_feet((-56.0, 3.0, -1.0))) == 0
    assert walls.inside(_feet((-53.75, 3.0, 0.0))) == 1  # the middle is dry, the body is not
    assert walls.inside(_feet((-53.6, 3.0, 0.0))) == 0


def test_gap_of_people_ignores_those_on_another_level(tool):
    feet = _feet((0.0, 0.0, 0.0), (0.3, 0.4, 0.0), (0.0, 0.1, -5.0))
    assert tool.person_gap_m(feet) == pytest.approx(0.5)
    assert tool.person_gap_m(feet[:1]) == math.inf


def test_room_between_cars_and_people_is_that_to_the_turned_outline(tool):
    feet = _feet((3.15, 0.0, 0.0), (0.0, 1.0, 0.0), (0.5, 0.2, 0.0), (0.0, 0.0, -4.0))
    ahead, beside, within, above = tool.person_car_gaps_m(feet, [_car(0.0, 0.0)])[0]
    assert ahead == pytest.approx(1.0)
    assert beside == pytest.approx(0.11)
    assert within == pytest.approx(-0.69)
    assert above == math.inf
    across = tool.person_car_gaps_m(feet, [_car(0.0, 0.0, math.pi / 2)])[0]
    assert across[0] == pytest.approx(3.15 - 0.89)
    assert tool.person_car_gaps_m(feet, []).shape == (0, 4)


def test_gap_of_cars_is_that_of_their_outlines(tool):
    assert tool.car_gap_m([_car(0.0, 0.0), _car(5.3, 0.0)]) == pytest.approx(1.0)
    assert tool.car_gap_m([_car(0.0, 0.0), _car(2.0, 1.0, 0.5)]) == 0.0
    assert tool.car_gap_m([_car(0.0, 0.0), _car(1.0, 0.0, up_m=6.0)]) == math.inf


def test_longest_stand_counts_seconds_without_the_excused_and_starts_again_after_a_step(tool):
    stands = tool.Stands(0.3)
    for second in range(10):
        stands.observe(_feet((0.0, 0.0), (0.5 * second, 0.0), (0.0, 9.0)), [2])
    assert stands.longest_s == 9
    stands.observe(_feet((0.5, 0.0), (5.0, 0.0), (0.0, 9.0)), [2])
    for _ in range(4):
        stands.observe(_feet((0.5, 0.0), (5.0, 0.0), (0.0, 9.0)), [2])
    assert stands.longest_s == 9


def test_touches_and_places_in_walls_are_counted_where_nobody_gives_way(tool, monkeypatch):
    """A car that sees nobody on a street that everybody crosses has to touch somebody."""
    monkeypatch.setattr(tool, "person_car_gaps_m", lambda feet, cars: np.full((1, 3), 0.1))
    monkeypatch.setattr(tool.Walls, "inside", lambda self, feet: 2)
    monkeypatch.setattr(tool, "person_gap_m", lambda feet: 0.2)
    row = tool.report("park", 3, 2.0 / 60.0, 2, 1)
    assert (row.touch_s, row.inside_s) == (2 * 3, 2 * 2)
    assert (row.person_car_m, row.person_gap_m) == (0.1, 0.2)


def test_equal_runs_have_equal_rows_and_another_seed_differs(tool):
    rows = [tool.report("hills", seed, 0.1, 8, 4) for seed in (5, 5, 6)]
    one, again, other = ({**asdict(row), "ms_per_s": 0.0} for row in rows)
    assert one == again
    assert one["digest"] != other["digest"]
    assert one["driving"] == 4
    assert one["ms_per_s"] == 0.0 < rows[0].ms_per_s


def test_rows_are_kept_in_a_file_and_an_interrupted_run_goes_on(tool, tmp_path, capsys):
    file = tmp_path / "rows.jsonl"
    arguments = ["--minutes", "0.05", "--people", "2", "--cars", "1", "--json", str(file)]
    tool.main([*arguments, "--worlds", "grid", "--seeds", "1"])
    tool.main([*arguments, "--worlds", "grid", "--seeds", "1:3"])
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(row["world"], row["seed"]) for row in rows] == [("grid", 1), ("grid", 2)]
    assert "| grid | 2 | 1 |" in capsys.readouterr().out


def test_worst_row_has_the_least_gaps_and_the_longest_stands(tool):
    kinds = {"world": "park", "minutes": 1.0, "people": 3, "cars": 2, "digest": "a"}
    one = tool.Row(
        seed=1, driving=2, inside_s=0, person_gap_m=0.5, person_stand_s=9, car_stand_s=3,
        touch_s=0, person_car_m=0.4, car_gap_m=1.0, ms_per_s=10.0, **kinds,
    )  # fmt: skip
    other = tool.Row(**{**asdict(one), "seed": 2, "driving": 1, "touch_s": 4, "car_gap_m": 2.0,
                        "ms_per_s": 20.0, "person_gap_m": 0.45})  # fmt: skip
    row = tool.worst([one, other])
    assert (row.seed, row.driving, row.touch_s, row.car_gap_m) == (2, 1, 4, 1.0)
    assert (row.person_gap_m, row.person_stand_s, row.ms_per_s) == (0.45, 9, 15.0)
