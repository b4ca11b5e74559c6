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
    301: ("hero-absent", "stall"),
    302: ("u-turn-below", "gusts"),
    303: ("decoy-crosses", "frames-dropped"),
    326: ("behind-building",),
}
"""Scenarios of each seed: no hero, a turn, wind, a decoy, an occlusion, and faults."""

FAULTS = """
why: Losses, delays, gusts and a stall depend on the seed only.
duration_s: 12
seeds: [5]
world: {hero: {waypoints_m: [[16, 7.2], [95, 7.2]]}}
events:
  - {drop_frames: {share: 0.2}}
  - {delay: {frames_ms: 60, commands_ms: 40, jitter_ms: 30}}
  - {at_s: 5, lasts_s: 3, gust: {east_mps: 6}}
  - {at_s: 9, lasts_s: 1, stall: {}}
expect: {collisions: 0, in_view: {min: 1}, losses: {min: 5}}
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


@pytest.mark.parametrize(("seed", "names"), SELECTION.items())
def test_flights_go_as_expected(seed, names, tmp_path):
    done = fly(
        *names, "--seeds", f"{seed}:{seed + 1}", "--no-report", "--logs", "none", out=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(json.loads((tmp_path / "results.json").read_text())["results"]) == len(names)


@pytest.fixture(scope="module")
def flown(tmp_path_factory):
    """A script whose flight does not go as expected, the output of its run, and its folder."""
    folder = tmp_path_factory.mktemp("flown")
    (folder / "too-much.yaml").write_text(FAULTS)
    return folder / "too-much.yaml", fly(folder / "too-much.yaml", out=folder), folder


def test_run_writes_results_junit_log_and_report(flown):
    _, done, folder = flown
    assert done.returncode == 1, "five losses in 12 s are expected, and there are fewer"
    (result,) = json.loads((folder / "results.json").read_text())["results"]
    assert (result["name"], result["seed"], result["success"]) == ("too-much", 5, False)
    assert "< 5" in result["reason"]
    assert (folder / result["log"]).is_file()
    (junit,) = folder.glob("*.xml")
    assert ElementTree.parse(junit).find(".//failure") is not None
    page = (folder / "report.html").read_text()
    assert "&lt; 5" in page
    assert "data:image/" in page


def test_same_script_and_seed_give_the_same_flight_with_and_without_a_program_log(flown, tmp_path):
    script, first, folder = flown
    program_log = tmp_path / "program.log"
    before = ("-vv", "--log-file", str(program_log))
    second = fly(script, "--no-report", out=tmp_path, before=before)
    log = Path("logs") / "too-much-seed5.mcap"
    assert content_digest(tmp_path / log) == content_digest(folder / log)

    quiet, loud = first.stderr, second.stderr
    assert "followme-uav" not in quiet, "faults that the script causes are no warnings"
    text = program_log.read_text()
    for words in (
        "The flight too-much-seed5 begins.",
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
