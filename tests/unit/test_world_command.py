"""`followme-uav world` makes files and pictures; a wrong argument is one line, exit code 2."""

import json
import re

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from followme_uav import cli
from followme_uav.errors import FollowMeError
from followme_uav.sim.city.grid_world import WORLDS
from followme_uav.worlds.draw import draw_world
from followme_uav.worlds.world import Bounds, Terrain, World
from followme_uav.worlds.world_file import load_world
from tests.unit.world_parts import crossing, made, small


def run(*arguments):
    return CliRunner().invoke(cli.app, ["world", *map(str, arguments)])


def test_all_generators_are_listed():
    found = run("list")
    assert found.exit_code == 0
    assert all(name in found.stdout for name in WORLDS)
    assert set(json.loads(run("list", "--json").stdout)) == set(WORLDS)


def test_generated_world_is_written_and_shown(tmp_path):
    file, picture = tmp_path / "park.yaml", tmp_path / "park.png"
    assert run("generate", "park", "--seed", 2, "--out", file).exit_code == 0
    assert load_world(file) == made("park", 2)
    shown = run("show", file, "--out", picture, "--width-px", 300)
    assert shown.exit_code == 0
    assert "streets" in shown.stdout
    assert Image.open(picture).width > 500  # with its legend
    again = tmp_path / "again.png"
    assert run("show", "park", "--seed", 2, "--out", again, "--width-px", 300).exit_code == 0
    assert again.read_bytes() == picture.read_bytes()


@pytest.mark.parametrize("east_m", [1e-6, 0.5, 5000.0])
def test_narrow_and_wide_strips_can_be_drawn(east_m):
    for terrain in (None, Terrain(0.0, 0.0, 10.0, ((0.0, 1.0), (2.0, 3.0)))):
        strip = World("strip", Bounds(0.0, 0.0, 50.0, east_m), terrain=terrain)
        assert draw_world(strip, 200).width > 200


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("generate", "village", "--out", "x.yaml"), "world 'village' is unknown"),
        (("generate", "park", "--size-m", "5", "--out", "x.yaml"), "--size-m 5"),
        (("show", "nothing", "--out", "x.png"), "give a file, or one of grid"),
        (("show", "none.yaml", "--out", "x.png"), "none.yaml: No such file"),
        (("show", "grid", "--out", "x.gif"), "ends in .png"),
        (("show", "a" * 300, "--out", "x.png"), "give a file, or one of grid"),
        (("show", "a" * 300 + ".yaml", "--out", "x.png"), "File name too long"),
        (("import", "none.osm", "--out", "x.yaml"), "none.osm: No such file"),
        (("import", "none.osm", "--centre", "north", "--out", "x.yaml"), "LAT,LON|No such file"),
    ],
)
def test_wrong_argument_is_one_line(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = run(*arguments)
    assert isinstance(found.exception, FollowMeError)
    assert found.exception.exit_code == 2
    text = str(found.exception)
    assert "\n" not in text
    assert re.search(message, text)
    assert not list(tmp_path.iterdir())


def test_imported_map_has_its_notes_and_attribution_printed(tmp_path):
    pytest.importorskip("osmium")
    source, out = tmp_path / "town.osm", tmp_path / "town.yaml"
    corners = [(0, 0), (0, 2), (2, 2), (2, 0)]
    nodes = "".join(
        f'<node id="{i}" lat="{48 + a / 1e4}" lon="{11 + b / 1e4}"/>'
        for i, (a, b) in enumerate(corners, 1)
    )
    refs = "".join(f'<nd ref="{i}"/>' for i in (1, 2, 3, 4, 9, 1))
    source.write_text(
        f'<osm version="0.6">{nodes}<way id="7">{refs}<tag k="building" v="yes"/></way></osm>'
    )
    found = run("import", source, "--centre", "48.0001,11.0001", "--size-m", 200, "--out", out)
    assert found.exit_code == 0
    assert "repaired: 1 buildings with missing nodes" in found.stdout
    assert "OpenStreetMap contributors" in found.stdout
    assert len(load_world(out).buildings) == 1
    wrong = run("import", source, "--centre", "91,0", "--out", out)
    assert "--centre 91,0" in str(wrong.exception)
    same = run("import", source, "--out", source)
    assert "would overwrite" in str(same.exception)


def test_map_is_drawn_north_up_and_shows_what_stands_there():
    world = crossing()
    picture = np.asarray(draw_world(world, 240))[:, :240].astype(int)
    scale = 240 / 120.0

    def colour(north, east):
        return picture[int((60.0 - north) * scale), int((east + 60.0) * scale)]

    assert np.ptp(colour(30.0, 2.0)) < 12 and colour(30.0, 2.0).max() < 140  # asphalt
    assert colour(18.0, 22.0)[0] > colour(18.0, 22.0)[2] + 30  # a red roof
    assert colour(50.0, 50.0)[1] > colour(50.0, 50.0)[2] + 30  # lawn
    one = np.asarray(draw_world(crossing(buildings=world.buildings[:1]), 240))[:, :240]
    changed = np.argwhere((one != picture).any(axis=2))
    assert len(changed) > 1000
    north = 60.0 - changed[:, 0] / scale
    east = changed[:, 1] / scale - 60.0
    assert not ((north < -5.0) & (east < -5.0)).any()  # the house that stays is in the south-west


def test_every_kind_of_world_is_drawn_with_its_legend():
    for kind in ("grid", "park", "hills"):
        picture = draw_world(small(kind), 240)
        assert picture.width == 240 + 250
        assert len(np.unique(np.asarray(picture).reshape(-1, 3), axis=0)) > 50
