"""The programs in `examples/` run as their first lines say, and stay short."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from followme_uav import read_log
from followme_uav.flight.embedded import EmbeddedSimulator

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
FLIGHT = ROOT / "tests" / "reference_flights" / "follow_and_land.mcap"
MAX_LINES = 60
DEADLINE_S = 240


@pytest.fixture
def example(tmp_path):
    """Run a program in an empty folder; return its output."""

    def run(*command):
        done = subprocess.run(
            [sys.executable, *map(str, command)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.mark.slow
def test_own_pilot_flies_and_lands(example):
    out = example(EXAMPLES / "own_pilot.py")
    assert out.startswith("landed: True, hero in view: ")


@pytest.mark.slow
def test_own_network_segments_an_image_and_flies(example, tmp_path):
    assert example(EXAMPLES / "own_network.py") == "hero pixels: 300\n"
    (tmp_path / "fly.py").write_text(
        "from pathlib import Path\n"
        "from followme_uav import FlightPlan, fly, load_config\n"
        "config = load_config(overrides=['duration_s=1'])\n"
        "plan = FlightPlan(config, weights=Path('red.onnx'), seed=8, log=Path('f.mcap'))\n"
        "print(fly(plan).metrics.landed)\n"
    )
    assert example("fly.py") == "True\n"
    log = read_log(tmp_path / "f.mcap")
    assert log.metadata.extra["network"] == "red"
    assert all(e.step.mask is not None for e in log.entries() if e.frame.rgb is not None)


@pytest.mark.slow
def test_plain_rpc_takes_off_and_gets_an_image(example):
    with EmbeddedSimulator(8) as simulator:
        out = example(EXAMPLES / "plain_rpc.py", simulator.port)
    assert re.fullmatch(r"took off, altitude [1-9]\.\d m\nimage: 256 x 144, 110592 bytes\n", out)


def test_log_is_analysed_from_truth_or_track(example):
    lines = example(EXAMPLES / "analyse_log.py", FLIGHT).splitlines()
    figures = dict(line.split(": ", 1) for line in lines[1:])
    assert set(figures) == {"fastest", "highest", "followed", "distance", "largest error"}
    assert 4.0 < float(figures["distance"].split()[0]) < 15.0


@pytest.mark.slow
def test_scenario_in_python_flies_each_strength(example, tmp_path):
    lines = example(EXAMPLES / "scenario_in_python.py", 5).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["gust-2", "gust-8"]
    assert all(": as expected; nearest obstacle " in line for line in lines)
    assert (tmp_path / "runs" / "gusts" / "results.json").is_file()


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_example_is_short_says_how_to_run_it_and_is_listed(path):
    text = path.read_text()
    assert len(text.splitlines()) <= MAX_LINES
    assert f"examples/{path.name}" in text.split('"""')[1]
    assert f"[{path.name}]({path.name})" in (EXAMPLES / "README.md").read_text()
