"""Commands whose output goes nowhere, or where not every character goes; real processes.

If these fail, results are lost because of how they were to be looked at.
"""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from followme_uav.log.edit import cut
from followme_uav.log.reader import read_log
from tests.conftest import NO_BYTE_CODE
from tests.unit.labelled_frames import write_frames

ROOT = Path(__file__).resolve().parents[2]
LOG = ROOT / "tests/reference_flights/follow_and_land.mcap"
DEADLINE_S = 300


def shell(line, folder, **environment):
    """Run a line of Bash in which $F is the program; (exit codes of its pipe, output, errors)."""
    done = subprocess.run(
        ["bash", "-c", line + '\necho "${PIPESTATUS[@]}" > codes'],
        cwd=folder,
        capture_output=True,
        timeout=DEADLINE_S,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "F": f"{sys.executable} -m followme_uav.cli",
            "LOG": str(LOG),
            **environment,
        },
    )
    codes = [int(code) for code in (folder / "codes").read_text().split()]
    return codes, done.stdout, done.stderr.decode()


@pytest.mark.slow
def test_scores_are_written_though_nobody_reads_the_table(tmp_path):
    write_frames(tmp_path / "data", count=2)
    codes, _, errors = shell("$F evaluate data --json s.json | head -n 0", tmp_path)
    assert codes == [0, 0]
    assert "Traceback" not in errors
    assert "final_score" in json.loads((tmp_path / "s.json").read_text())


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("$F log info $LOG", 0),
        ("$F scenario list", 0),
        ("$F scenario show crowd", 0),
        ("$F replay $LOG", 0),
        ("$F --help", 0),
        ("$F log info gone.mcap 2>&1", 2),
    ],
)
def test_pipe_that_closes_is_no_error_and_changes_no_exit_code(tmp_path, command, code):
    codes, _, errors = shell(f"{command} | true", tmp_path)
    assert codes == [code, 0]
    assert errors == ""


def test_closed_and_full_outputs(tmp_path):
    assert shell("$F log info $LOG >&-", tmp_path) == ([0], b"", "")
    codes, out, _ = shell("$F log info $LOG 2>&-", tmp_path)
    assert (codes, b"follow" in out) == ([0], True)
    assert shell("$F log info gone.mcap >&- 2>&- <&-", tmp_path) == ([2], b"", "")
    codes, _, errors = shell("$F log info $LOG > /dev/full", tmp_path)
    assert codes == [2]
    assert errors.count("\n") == 1
    assert "standard output: cannot write (No space left on device)" in errors


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "ascii:strict", "cp437"])
def test_output_in_any_encoding(tmp_path, encoding):
    codes, out, errors = shell("$F log info $LOG", tmp_path, PYTHONIOENCODING=encoding)
    assert (codes, errors) == ([0], "")
    text = out.decode(encoding.partition(":")[0])
    assert "patrol -> acquire" in text
    assert "?" not in text


def test_output_in_the_plainest_locale(tmp_path):
    plain = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    codes, out, errors = shell("$F log info $LOG", tmp_path, **plain)
    assert (codes, errors) == ([0], "")
    assert b"patrol -> acquire" in out
    assert out.isascii()


def test_file_name_that_is_no_text(tmp_path):
    codes, _, errors = shell("$F log info $'\\xff.mcap'", tmp_path)
    assert codes == [2]
    assert "xff.mcap" in errors or "udcff.mcap" in errors
    assert "Traceback" not in errors


def small_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "out"),
    [
        ("log cut short.mcap out.mcap --from 1", "out.mcap"),
        ("log recover short.mcap out.mcap", "out.mcap"),
        ("log export short.mcap --csv out.csv", "out.csv"),
        ("export --onnx out.onnx", "out.onnx"),
        ("replay short.mcap --rrd out.rrd", "out.rrd"),
        ("replay short.mcap --video out.mp4", "out.mp4"),
        ("replay short.mcap --plots out", "out/flight.png"),
    ],
)
def test_disk_that_fills_up_leaves_the_old_file_and_one_line(tmp_path, command, out):
    (tmp_path / out).parent.mkdir(exist_ok=True)
    (tmp_path / out).write_text("old")
    cut(read_log(LOG), tmp_path / "short.mcap", 0.0, 8.0)
    done = subprocess.run(
        [sys.executable, "-m", "followme_uav.cli", *command.split()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        env={**os.environ, "PYTHONPATH": str(ROOT), **NO_BYTE_CODE},
        preexec_fn=small_files,
    )
    assert done.returncode == 2, done.stderr
    line = done.stderr.strip().splitlines()[-1]
    assert line.startswith(f"followme-uav: {out}: cannot write (")
    assert "Traceback" not in done.stderr
    assert (tmp_path / out).read_text() == "old"
    (tmp_path / "short.mcap").unlink()
    assert [path.name for path in (tmp_path / out).parent.iterdir()] == [Path(out).name]
