"""Tests of -v and --log-file with real commands: quiet by default, nothing twice, one file."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OLD_LOG = ROOT / "tests/data/version_1.mcap"
OF_OLD_LOG = "followme-uav: debug: log.reader: The log's configuration is of an older version"
DEADLINE_S = 240


@pytest.mark.parametrize("before", [(), ("-v",), ("-vv",)])
@pytest.mark.parametrize("after", [(), ("-v",), ("--verbose", "-v")])
def test_v_counts_before_and_after_the_command(followme, before, after):
    code, out, err = followme(*before, "log", "info", OLD_LOG, *after)
    assert code == 0
    assert (OF_OLD_LOG in err) == (len("".join(before).replace("-", "")) + len(after) >= 2)
    assert "older version" not in out


@pytest.mark.parametrize("place", ["before", "after"])
def test_log_file_is_written_and_the_console_stays_quiet(followme, tmp_path, place):
    option = ("--log-file", "new/program.log")
    command = ("log", "info", OLD_LOG)
    code, _, err = followme(*((*option, *command) if place == "before" else (*command, *option)))
    assert (code, err) == (0, "")
    text = (tmp_path / "new/program.log").read_text()
    assert "log info" in text.splitlines()[0]
    assert "The log's configuration is of an older version" in text
    assert text.endswith("The command ends with exit code 0.\n")


@pytest.mark.parametrize("path", ["/dev/full", "/proc/program.log", str(OLD_LOG)])
def test_log_file_that_cannot_be_written_is_refused_before_the_command(followme, path):
    code, out, err = followme("log", "info", OLD_LOG, "--log-file", path)
    assert (code, out) == (2, "")
    assert err.startswith(f"followme-uav: {path}: ")
    assert err.count("\n") == 1


def test_error_is_one_line_with_v_and_has_a_traceback_with_two(followme, tmp_path):
    for verbose, has_traceback in (("-v", False), ("-vv", True)):
        code, _, err = followme("log", "info", "gone.mcap", verbose, "--log-file", "program.log")
        assert code == 2
        assert ("Traceback" in err) == has_traceback
        assert err.splitlines()[-1].startswith("followme-uav: gone.mcap: cannot read")
        assert err.count("followme-uav: gone.mcap: cannot read") == 1
    text = (tmp_path / "program.log").read_text()
    assert text.count("Traceback") >= 2
    assert text.count("ERROR cli: gone.mcap: cannot read the flight log") == 2


@pytest.mark.slow
def test_normal_flight_says_nothing_new_and_its_file_tells_all(tmp_path):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "followme_uav.cli", "fly", "--oracle", "--seed", "1"),
            *("--duration", "5", "--log", "flight.mcap", "--log-file", "program.log"),
        ],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
    )
    assert done.returncode in (0, 1), done.stderr
    first, *transitions = done.stderr.splitlines()
    assert first.startswith("Flying 5 s in the embedded city")
    form = re.compile(r" +[\d.]+ s  \w+ → \w+: .+")
    assert transitions and all(form.fullmatch(line) for line in transitions)
    text = (tmp_path / "program.log").read_text()
    assert " WARNING " not in text
    assert text.count("the mission goes from ") == len(transitions)
    for process, words in (
        ("command", "The embedded simulator, process "),
        ("command", "Frame 20 at 2.00 s: "),
        ("command", "The flight has ended after "),
        ("simulator", "The simulator serves city 1 at "),
    ):
        assert re.search(rf"^\S+ \d+ {process} .*{words}", text, re.MULTILINE), words
