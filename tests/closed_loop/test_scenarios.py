"""If these fail, scripted flights do not go as expected, or differ from run to run."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from followme_uav.log.reader import content_digest

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 240
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}

SELECTION = {
    "straight-walk": 301,
    "u-turn-below": 302,
    "behind-building": 326,
    "decoy-crosses": 303,
    "hero-absent": 301,
    "gusts": 302,
    "frames-dropped": 303,
    "stall": 301,
}
"""Scenario and seed: a walk, a turn, an occlusion, a decoy, no hero, wind, and faults."""

FAULTS = """
why: Losses, delays, gusts and a stall depend on the seed only.
duration_s: 20
seeds: [5]
world: {hero: {waypoints_m: [[16, 7.2], [95, 7.2]]}}
events:
  - {drop_frames: {share: 0.2}}
  - {delay: {frames_ms: 60, commands_ms: 40, jitter_ms: 30}}
  - {at_s: 8, lasts_s: 4, gust: {east_mps: 6}}
  - {at_s: 14, lasts_s: 1, stall: {}}
expect: {collisions: 0}
"""

pytestmark = pytest.mark.slow


def fly(*arguments, out, before=()):
    return subprocess.run(
        [
            *(sys.executable, "-m", "followme_uav.cli", *before, "scenario", "run"),
            *map(str, arguments),
            *("--workers", "1", "--out", str(out)),
        ],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=DEADLINE_S,
    )


@pytest.mark.parametrize(("name", "seed"), SELECTION.items())
def test_flight_goes_as_expected(name, seed, tmp_path):
    done = fly(name, "--seeds", f"{seed}:{seed + 1}", "--no-report", "--logs", "none", out=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_same_script_and_seed_give_the_same_flight_with_and_without_a_program_log(tmp_path):
    script, program_log = tmp_path / "faults.yaml", tmp_path / "program.log"
    script.write_text(FAULTS)
    digests, errors = set(), []
    for out, before in (
        (tmp_path / "first", ()),
        (tmp_path / "second", ("-vv", "--log-file", str(program_log))),
    ):
        done = fly(script, "--no-report", out=out, before=before)
        assert done.returncode == 0, done.stdout + done.stderr
        digests.add(content_digest(out / "logs" / "faults-seed5.mcap"))
        errors.append(done.stderr)
    assert len(digests) == 1

    quiet, loud = errors
    assert "followme-uav" not in quiet, "faults that the script causes are no warnings"
    text = program_log.read_text()
    for words in (
        "The flight faults-seed5 begins.",
        "event of the script begins: {'stall': {}}",
        "event of the script ends: {'stall': {}}",
        "the simulator sends no frame: getMultirotorState: no answer",
        "is dropped: it came without an image.",
        "frames without an image: ",
        "the mission goes from takeoff to patrol: ",
        "The fail-safe has lasted ",
        "The simulator serves city 5 ",
        "The embedded simulator has ended with exit code 0.",
    ):
        assert words in text, words
        assert loud.count(words) == text.count(words), words
    processes = set(re.findall(r"^\S+ (\d+) (command|worker|simulator) ", text, re.MULTILINE))
    assert sorted(process for _, process in processes) == ["command", "simulator", "worker"]
    assert len({number for number, _ in processes}) == 3


def test_run_writes_results_junit_log_and_report(tmp_path):
    script = tmp_path / "too-much.yaml"
    script.write_text(FAULTS.replace("collisions: 0", "in_view: {min: 1}, losses: {min: 5}"))
    done = fly(script, out=tmp_path / "run")
    assert done.returncode == 1, "five losses in 20 s are expected, and there are fewer"
    (result,) = json.loads((tmp_path / "run" / "results.json").read_text())["results"]
    assert (result["name"], result["seed"], result["success"]) == ("too-much", 5, False)
    assert "< 5" in result["reason"]
    assert (tmp_path / "run" / result["log"]).is_file()
    (junit,) = (tmp_path / "run").glob("*.xml")
    assert ElementTree.parse(junit).find(".//failure") is not None
    page = (tmp_path / "run" / "report.html").read_text()
    assert "&lt; 5" in page
    assert "data:image/" in page
