"""The world file: nothing is lost on the way through it, and an error names file, key and value."""

import dataclasses
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followme_uav.errors import ConfigError
from followme_uav.worlds import world_file
from followme_uav.worlds.geo import EARTH_RADIUS_M, project, unproject
from followme_uav.worlds.terrain import ground_height_m, ground_heights_m, steepest_slope
from followme_uav.worlds.world import GeoOrigin, Terrain, Tree, World
from followme_uav.worlds.world_file import load_world, save_world, world_of, world_text
from tests.unit.world_parts import KINDS, crossing, small


@pytest.mark.parametrize("kind", KINDS)
def test_world_is_equal_after_saving_and_loading(kind, tmp_path):
    path = tmp_path / "world.yaml"
    save_world(small(kind), path)
    assert load_world(path) == small(kind)


def test_saving_makes_plain_data_of_a_world_once(tmp_path, monkeypatch):
    """Towns have tens of thousands of objects."""
    converted = []
    plain = world_file._plain
    monkeypatch.setattr(world_file, "_plain", lambda value: converted.append(value) or plain(value))
    save_world(crossing(), tmp_path / "world.yaml")
    assert sum(isinstance(value, World) for value in converted) == 1


numbers = st.floats(-5000.0, 5000.0, allow_nan=False)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(numbers, numbers), max_size=5),
    st.text(max_size=40).filter(lambda t: "\x85" not in t),
    st.none() | st.builds(GeoOrigin, st.floats(-85, 85), st.floats(-180, 180)),
)
def test_any_numbers_and_names_are_equal_after_a_round_trip(places, name, origin):
    """For example 1e-05, which YAML 1.1 reads as a text if it has no point."""
    world = crossing(
        name=name, trees=tuple(Tree(at) for at in places), geo_origin=origin, notes=(name,)
    )
    text = world_text(world)
    try:
        data = world_file._parsed(text, "world")
    except Exception:
        assert not name.isprintable()  # control characters are no YAML
        return
    assert world_of(data, "world") == world


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2]", "expected 'key: value' lines"),
        ("name: x", r"bounds: missing"),
        ("name: [", "not valid YAML"),
        ("naem: x", "unknown key|missing"),
        ("{BOUNDS, colour: red}", "colour: unknown key"),
        ("{BOUNDS, buildings: [{outline_m: [[0, 0], [1, 0], [1, 1]], height_m: -3}]}",
         r"buildings.0.height_m: Input should be greater than 0 \(got -3\)"),
        ("{BOUNDS, buildings: [{outline_m: [[0, 0], [9, 9], [9, 0], [0, 9]], height_m: 3}]}",
         "buildings.0.outline_m: not a polygon: Self-intersection"),
        ("{BOUNDS, buildings: [{outline_m: [[0, 0], [1, 0]], height_m: 3}]}", "at least 3"),
        ("{BOUNDS, trees: [{at_m: [.nan, 0]}]}", "trees.0.at_m.0: Input should be a finite"),
        ("{BOUNDS, trees: [{at_m: [1e9, 0]}]}", "trees.0.at_m.0: .* less than or equal to 5000"),
        ("{BOUNDS, streets: [{kind: river, width_m: 4, line_m: [[0, 0], [1, 1]]}]}",
         r"streets.0.kind: .*\(got 'river'\)"),
        ("{BOUNDS, streets: [{kind: alley, width_m: 4, line_m: [[0, 0], [0, 0]]}]}", "are equal"),
        ("{BOUNDS, streets: [{kind: alley, width_m: 4, line_m: [[0, 0], [0, 1.0e-300]]}]}",
         "are equal"),
        ("{BOUNDS, barriers: [{kind: wall, line_m: [[0, 0], [0, 0]]}]}",
         "barriers.0.line_m: all points are equal"),
        ("{BOUNDS, start_m: [0, 10]}", r"start_m: must lie within the bounds \(got 0, 10\)"),
        ("{BOUNDS, start_m: [8, 3], "
         "buildings: [{outline_m: [[0, 1], [9, 1], [9, 9]], height_m: 3}]}",
         r"start_m: lies in buildings.0 \(got 8, 3\)"),
        ("{BOUNDS, streets: [{kind: street, width_m: 4, lanes: 2, line_m: [[0, 0], [9, 0]]}]}",
         "no room for 2 lanes"),
        ("{BOUNDS, streets: [{kind: bridge, width_m: 4, line_m: [[0, 0], [9, 0]]}]}",
         "streets.0.heights_m: a street of kind bridge needs"),
        ("{BOUNDS, terrain: {south_m: 0, west_m: 0, spacing_m: 5, heights_m: [[0, 1], [2, 3, 4]]}}",
         "terrain.heights_m: rows must have one length"),
        ("{name: x, bounds: {south_m: 1, west_m: 0, north_m: 0, east_m: 1}}", "bounds: "),
        ("{BOUNDS, format: 2}", "format"),
        ('{BOUNDS, seed: !!int ""}', "not valid YAML"),
        ('{BOUNDS, seed: !!bool "maybe"}', "not valid YAML"),
        ('{BOUNDS, seed: !!timestamp "now"}', "not valid YAML"),
        ("{BOUNDS, seed: 0x" + "f" * 5000 + "}", "seed: .* less than or equal"),
        ("&a {name: *a}", "aliases are not read|not valid YAML"),
        ("!!python/object/apply:os.system [true]", "not valid YAML"),
    ],
)  # fmt: skip
def test_error_in_a_world_file_is_one_line_with_file_key_and_value(tmp_path, text, message):
    path = tmp_path / "broken.yaml"
    bounds = "name: x, bounds: {south_m: -9, west_m: -9, north_m: 9, east_m: 9}"
    path.write_text(text.replace("BOUNDS", bounds))
    with pytest.raises(ConfigError, match=message) as error:
        load_world(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_missing_and_large_files_are_refused(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="No such file"):
        load_world(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="directory"):
        load_world(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not valid YAML"):
        load_world(tmp_path / "binary.yaml")
    monkeypatch.setattr(world_file, "MAX_BYTES", 100)
    save_world(crossing(), tmp_path / "large.yaml")
    with pytest.raises(ConfigError, match="larger than"):
        load_world(tmp_path / "large.yaml")


def test_small_file_of_aliases_is_refused_before_it_grows(tmp_path):
    """Nine levels of ten aliases stand for a thousand million values."""
    lines = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    for one, other in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{other}: &{other} [{', '.join([f'*{one}'] * 10)}]")
    path = tmp_path / "bomb.yaml"
    path.write_text("\n".join(lines))
    with pytest.raises(ConfigError, match="aliases are not read"):
        load_world(path)


@pytest.mark.parametrize(
    ("text", "line"),
    [("name: " + "[" * 60_000, 1), ("\n".join(" " * i + "a:" for i in range(60)), 41)],
)
def test_deeply_nested_file_is_one_line(tmp_path, text, line):
    """The loader of YAML in C calls itself for each level, and ended the process."""
    path = tmp_path / "deep.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=f"deep.yaml: line {line}: nested too deeply"):
        load_world(path)


def test_heights_are_those_of_the_grid_and_linear_between_its_points():
    terrain = Terrain(-10.0, -20.0, 10.0, ((0.0, 2.0), (4.0, 10.0)))
    assert ground_height_m(terrain, -10.0, -20.0) == 0.0
    assert ground_height_m(terrain, 0.0, -10.0) == 10.0
    assert ground_height_m(terrain, -5.0, -20.0) == pytest.approx(2.0)
    assert ground_height_m(terrain, -5.0, -15.0) == pytest.approx(4.0)
    assert ground_height_m(terrain, 500.0, 500.0) == 10.0
    assert ground_height_m(None, 3.0, 4.0) == 0.0
    assert ground_heights_m(terrain, np.zeros((3, 4, 2))).shape == (3, 4)
    assert steepest_slope(terrain) == pytest.approx(math.hypot(0.8, 0.6))


def test_projection_is_that_of_the_simulators_gps_and_has_an_inverse():
    from followme_uav.sim.vehicle import earth

    assert EARTH_RADIUS_M == earth.EARTH_RADIUS_M
    origin = GeoOrigin(46.0885, 7.1259, 900.0)
    home = earth.Home(origin.latitude_deg, origin.longitude_deg, origin.altitude_m)
    north_m, east_m = project(origin, 46.0921, 7.1301)
    assert earth.place_of(46.0921, 7.1301, 900.0, home)[:2] == pytest.approx((north_m, east_m))
    assert unproject(origin, north_m, east_m) == pytest.approx((46.0921, 7.1301), abs=1e-12)


def test_projection_is_continuous_at_the_date_line():
    _, east_m = project(GeoOrigin(0.0, 179.999), 0.0, -179.999)
    assert east_m == pytest.approx(222.6, abs=0.1)


def test_defaults_are_left_out_of_the_file():
    text = world_text(crossing(trees=(Tree((1.0, 2.0)),)))
    assert "- {at_m: [1.0, 2.0]}" in text
    assert "crown_radius_m" not in text
    assert "benches" not in text


def test_example_of_the_docs_is_a_world():
    page = (Path(__file__).resolve().parents[2] / "docs/worlds.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    world = world_of(world_file._parsed(example, "docs"), "docs")
    assert [s.kind for s in world.streets] == ["street", "footpath", "bridge"]
    assert world.buildings[0].storeys == 3


def test_world_is_immutable():
    with pytest.raises(dataclasses.FrozenInstanceError):
        crossing().name = "other"


def test_value_that_has_not_the_form_of_its_tag_is_one_line(tmp_path):
    path = tmp_path / "world.yaml"
    path.write_text("format: !!timestamp x\n")
    with pytest.raises(ConfigError, match=r"world\.yaml: not valid YAML"):
        load_world(path)
