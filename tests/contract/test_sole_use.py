"""Tests that a second process that writes to the same place is refused, and nothing is lost.

The first process is another one; the second is this one, which runs the commands by the entry
point of the console script.
"""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from followme_uav import cli
from followme_uav.errors import InUseError
from followme_uav.files import sole_folder, write_whole, written_whole
from followme_uav.log.reader import read_log
from followme_uav.log.writer import FlightLogWriter
from followme_uav.sim.airsim_api.recording import _new_recorder
from followme_uav.sole_use import lock_beside, sole_use
from tests.conftest import make_entry

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "tests" / "reference_flights" / "follow_and_land.mcap"

HOLD_FOLDER = """
import sys
from pathlib import Path
from followme_uav.sole_use import sole_use
with sole_use(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
HOLD_LOG = """
import sys
from followme_uav.config import load_config
from followme_uav.log.writer import FlightLogWriter
from tests.conftest import make_entry
with FlightLogWriter(sys.argv[1], load_config(), "") as log:
    log.write(make_entry(0))
    print("held", flush=True)
    sys.stdin.read()
    log.write(make_entry(1))
"""
RACE = """
import sys
from followme_uav.config import load_config
from followme_uav.errors import InUseError
from followme_uav.log.writer import FlightLogWriter
from tests.conftest import make_entry
print("ready", flush=True)
sys.stdin.readline()
try:
    with FlightLogWriter(sys.argv[1], load_config(), "", {"who": sys.argv[2]}) as log:
        for index in range(30):
            log.write(make_entry(index))
        print("flew", flush=True)
        sys.stdin.read()
except InUseError as error:
    print(error, flush=True)
"""


def start(code, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@contextmanager
def held(path, code):
    """Another process writes to `path`."""
    holder = start(code, path)
    try:
        assert holder.stdout.readline() == "held\n"
        yield holder
    finally:
        holder.communicate(timeout=60)


@pytest.fixture
def refusal(monkeypatch, capfd):
    """Runs a command that must be refused in a folder; returns its one line."""

    def run(folder, *arguments):
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["followme-uav", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        words = capfd.readouterr().err.strip()
        assert end.value.code == 2, words
        assert "\n" not in words
        return words

    return run


@pytest.fixture(scope="module")
def held_log(tmp_path_factory):
    """The log of a flight in progress; at the end it must have all entries."""
    path = tmp_path_factory.mktemp("flight") / "held.mcap"
    with held(path, HOLD_LOG):
        yield path
    assert len(list(read_log(path).entries())) == 2


@pytest.fixture(scope="module")
def held_folder(tmp_path_factory):
    """A folder that another process uses, and that must stay empty."""
    path = tmp_path_factory.mktemp("run") / "held"
    path.mkdir()
    with held(path, HOLD_FOLDER):
        yield path
    assert list(path.iterdir()) == []


@pytest.fixture(scope="module")
def held_weights(tmp_path_factory):
    """The weights file of a training in progress."""
    path = tmp_path_factory.mktemp("training") / "held.h5"
    with held(path, HOLD_FOLDER):
        yield path


def link_itself(log, name):
    return log


def link_symbolic(log, name):
    name.symlink_to(log)
    return name


def link_hard(log, name):
    os.link(log, name)
    return name


@pytest.mark.parametrize("link", [link_itself, link_symbolic, link_hard])
def test_log_of_a_flight_in_progress_has_one_writer(tmp_path, config, held_log, link):
    """Else the log of the first flight would be overwritten."""
    other = link(held_log, tmp_path / "other.mcap")
    with pytest.raises(InUseError, match=f"{other.name}: another process is writing there"):
        FlightLogWriter(other, config, "")
    with pytest.raises(InUseError):
        write_whole(held_log, b"")
    assert len(list(read_log(other).entries())) <= 1, "reading is allowed"


def test_log_is_complete_after_another_flight_was_refused(tmp_path, config):
    log = tmp_path / "flight.mcap"
    with held(log, HOLD_LOG), pytest.raises(InUseError):
        FlightLogWriter(log, config, "")
    assert len(list(read_log(log).entries())) == 2
    assert not read_log(log).truncated


def test_killed_flight_leaves_no_lock(tmp_path, config):
    """Else the log could not be written again."""
    log, folder = tmp_path / "flight.mcap", tmp_path / "run"
    folder.mkdir()
    for path, code in ((log, HOLD_LOG), (folder, HOLD_FOLDER), (tmp_path / "w.h5", HOLD_FOLDER)):
        with held(path, code) as holder:
            holder.send_signal(signal.SIGKILL)
    with FlightLogWriter(log, config, "") as writer:
        writer.write(make_entry(0))
    with sole_use(folder), sole_use(tmp_path / "w.h5"):
        pass
    assert not lock_beside(tmp_path / "w.h5").exists()


@pytest.mark.parametrize("exists", [False, True])
def test_one_of_several_flights_that_start_together_gets_the_log(tmp_path, exists):
    """Else two could pass the check before either has begun."""
    log = tmp_path / "flight.mcap"
    if exists:
        log.write_bytes(REFERENCE.read_bytes())
    racers = [start(RACE, log, number) for number in range(3)]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("\n")
        racer.stdin.flush()
    words = [racer.stdout.readline().strip() for racer in racers]
    for racer in racers:
        racer.communicate(timeout=60)
    assert words.count("flew") == 1
    assert sum("another process is writing there" in word for word in words) == 2
    found = read_log(log)
    assert found.metadata.extra["who"] == str(words.index("flew"))
    assert len(list(found.entries())) == 30
    assert not found.truncated


LOG_COMMANDS = {
    "fly": ("fly", "--oracle", "--log", "held.mcap"),
    "summary": ("fly", "--oracle", "--log", "own.mcap", "--summary", "held.mcap"),
    "cut": ("log", "cut", REFERENCE, "held.mcap"),
    "recover": ("log", "recover", REFERENCE, "held.mcap"),
}


@pytest.mark.parametrize("name", LOG_COMMANDS)
def test_command_that_would_replace_the_log_of_a_flight_is_refused(refusal, held_log, name):
    """Else an output could overwrite the log of a flight in progress."""
    assert "held.mcap: another process" in refusal(held_log.parent, *LOG_COMMANDS[name])


SCENARIO = ("decoy-crosses", "--pilot", "oracle", "--workers", "1", "--out", "held")
FOLDER_COMMANDS = {
    "scenario run": ("scenario", "run", *SCENARIO, "--no-report"),
    "scenario random": ("scenario", "random", "--seeds", "1:2", *SCENARIO[1:], "--no-report"),
    "campaign run": ("campaign", "run", "plan.yaml", "--no-report", "--out", "held"),
    "tune": ("tune", *SCENARIO, "--trials", "1"),
    "collect": ("collect", "--out", "held", "--frames", "1", "--seeds", "1:2"),
    "prepare": ("prepare", "raw", "held"),
    "experiment": (*("experiment", "epochs", "--data", "d", "--validation", "v", "--out", "held"),),
    "evaluate": ("evaluate", "frames", "--report", "held"),
    "export": ("log", "export", REFERENCE, "--frames", "held"),
}


@pytest.mark.parametrize("name", FOLDER_COMMANDS)
def test_command_that_would_write_into_a_folder_in_use_is_refused(refusal, held_folder, name):
    """Else results of both would be mixed, and frames of one lost."""
    (held_folder.parent / "plan.yaml").write_text("{random: [1], pilots: [oracle]}")
    assert "held: another process" in refusal(held_folder.parent, *FOLDER_COMMANDS[name])
    assert list(held_folder.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("train", "--config", "c.yaml", "--data", "d", "--out", "held.h5"),
        ("import-weights", "old.h5", "held.h5"),
    ],
)
def test_weights_of_a_training_in_progress_have_one_writer(refusal, held_weights, arguments):
    """Else two trainings would overwrite each other's checkpoint."""
    assert "held.h5: another process" in refusal(held_weights.parent, *arguments)


def test_process_that_holds_the_lock_can_write(tmp_path):
    """Else a training could not write its own weights."""
    out = tmp_path / "weights.h5"
    with sole_use(out):
        write_whole(out, b"first")
        with written_whole(out) as part:
            part.write_bytes(b"better")
    assert out.read_bytes() == b"better"
    assert [file.name for file in tmp_path.iterdir()] == ["weights.h5"]


def test_new_folder_is_removed_when_it_stays_empty(tmp_path):
    """Else a command that fails at once would leave an empty folder."""
    with pytest.raises(ValueError, match="at once"), sole_folder(tmp_path / "out"):
        raise ValueError("at once")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("--weights", "gone.h5"),
        ("--oracle", "--sim", "127.0.0.1:1"),
        ("--oracle", "--set", "simulator.camera_name=nowhere", "--sim", "127.0.0.1:1"),
    ],
)
def test_flight_that_does_not_start_keeps_the_old_log(tmp_path, refusal, arguments):
    """Else a typing error would delete an earlier flight."""
    old = tmp_path / "old.mcap"
    old.write_bytes(REFERENCE.read_bytes())
    for name in ("old.mcap", "new.mcap"):
        refusal(tmp_path, "fly", *arguments, "--log", name)
    assert old.read_bytes() == REFERENCE.read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == ["old.mcap"]


def test_old_log_is_replaced_as_a_whole_at_the_first_entry(tmp_path, config):
    """A flight that ends before its first frame keeps it."""
    path = tmp_path / "old.mcap"
    path.write_bytes(REFERENCE.read_bytes())
    with FlightLogWriter(path, config, ""):
        pass
    assert path.read_bytes() == REFERENCE.read_bytes()
    with FlightLogWriter(path, config, "") as log:
        log.write(make_entry(0))
    assert len(list(read_log(path).entries())) == 1
    assert not read_log(path).truncated


def test_recordings_of_two_simulators_get_separate_folders(tmp_path, monkeypatch):
    """Else images of two worlds would be mixed."""
    first = _new_recorder(tmp_path)
    monkeypatch.setattr(Path, "exists", lambda self: False)  # as in a race
    second = _new_recorder(tmp_path)
    assert first.folder != second.folder
