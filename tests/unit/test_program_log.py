"""Tests of the program log: levels, file, no duplicates, and faults of console and disk."""

import errno
import io
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from rich.console import Console
from rich.live import Live

from followme_uav import program_log
from followme_uav.errors import OutputError
from followme_uav.program_log import (
    PRINTED,
    TRANSITION,
    VARIABLE,
    finish,
    printed_by_command,
    quieten,
    relay,
    set_up,
    set_up_child,
)

ROOT = Path(__file__).resolve().parents[2]
logger = logging.getLogger("followme_uav.flight.some")
library = logging.getLogger("matplotlib.some")
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d"
LINE = re.compile(TIME + r" (\d+) (\w+) ([A-Z]+) (\S+): ")
ERASED = "\r\x1b[2K"


@pytest.fixture(autouse=True)
def no_log_left():
    yield
    finish()


def say_all():
    """Log one record of each level, here and in a library."""
    for level in (logging.DEBUG, logging.INFO, logging.WARNING):
        logger.log(level, "own %s", logging.getLevelName(level))
        library.log(level, "library %s", logging.getLevelName(level))


@pytest.mark.parametrize(
    ("verbosity", "expected"),
    [
        (0, ["warning: own WARNING", "warning: library WARNING"]),
        (1, ["info: own INFO", "warning: own WARNING", "warning: library WARNING"]),
        (
            2,
            [
                "debug: flight.some: own DEBUG",
                "debug: matplotlib.some: library DEBUG",
                "info: flight.some: own INFO",
                "info: matplotlib.some: library INFO",
                "warning: flight.some: own WARNING",
                "warning: matplotlib.some: library WARNING",
            ],
        ),
    ],
)
def test_console_shows_what_the_verbosity_asks_for(capsys, verbosity, expected):
    set_up(verbosity)
    say_all()
    assert capsys.readouterr().err.splitlines() == [f"followme-uav: {line}" for line in expected]


def test_file_has_all_records_of_the_package_with_time_and_process(capsys, tmp_path):
    path = tmp_path / "new" / "program.log"
    set_up(0, path)
    say_all()
    lines = path.read_text().splitlines()
    assert "followme-uav 0." in lines[0]
    assert [LINE.sub(r"\1 \2 \3 \4 ", line) for line in lines[1:]] == [
        f"{os.getpid()} command DEBUG flight.some own DEBUG",
        f"{os.getpid()} command INFO flight.some own INFO",
        f"{os.getpid()} command WARNING flight.some own WARNING",
        f"{os.getpid()} command WARNING matplotlib.some library WARNING",
    ]
    assert capsys.readouterr().err.count("\n") == 2


def test_file_is_continued_by_the_next_command(tmp_path):
    path = tmp_path / "program.log"
    for number in range(2):
        set_up(0, path)
        logger.info("message %d", number)
        finish()
    messages = [line for line in path.read_text().splitlines() if "message" in line]
    assert len(messages) == 2


def test_no_record_is_shown_twice_after_a_second_set_up(capsys):
    set_up(1)
    set_up(1)
    logger.info("once")
    assert capsys.readouterr().err == "followme-uav: info: once\n"


def test_text_that_the_command_prints_goes_to_the_file_only(capsys, tmp_path):
    set_up(2, tmp_path / "program.log")
    logger.error("printed already", extra={"topic": PRINTED})
    with printed_by_command(TRANSITION):
        logger.info("first transition", extra={"topic": TRANSITION})
    logger.info("second transition", extra={"topic": TRANSITION})
    assert capsys.readouterr().err.splitlines() == [
        "followme-uav: info: flight.some: second transition"
    ]
    text = (tmp_path / "program.log").read_text()
    assert all(words in text for words in ("printed already", "first transition"))


@pytest.mark.parametrize(("verbosity", "lines"), [(0, 1), (2, 5)])
def test_traceback_is_shown_with_two_v_only_and_always_in_the_file(
    capsys, tmp_path, verbosity, lines
):
    set_up(verbosity, tmp_path / "program.log")
    try:
        raise ValueError("no such thing")
    except ValueError:
        logger.warning("It failed.", exc_info=True)
    shown = capsys.readouterr().err
    assert "It failed." in shown
    assert "ValueError: no such thing" in shown
    assert shown.count("\n") == lines
    assert "\n    Traceback" in (tmp_path / "program.log").read_text()


def test_record_of_several_lines_stays_one_line(capsys):
    set_up()
    logger.warning("first\nsecond")
    assert capsys.readouterr().err == "followme-uav: warning: first second\n"


def test_record_with_control_characters_does_not_control_the_terminal(capsys, tmp_path):
    """A simulator, or the file of somebody else, may have written them."""
    set_up(file=tmp_path / "program.log")
    try:
        raise ValueError("clear\x1b[2J\nall")
    except ValueError:
        logger.warning("It\x1b[31m failed.", exc_info=True)
    shown = capsys.readouterr().err
    assert shown == ("followme-uav: warning: It\\x1b[31m failed. (ValueError: clear\\x1b[2J all)\n")
    assert "\x1b" not in (tmp_path / "program.log").read_text()


def test_record_whose_values_do_not_fit_its_text_raises_nothing(capsys, tmp_path):
    """Otherwise a pilot of a user that logs wrongly would lose the vehicle."""
    set_up(file=tmp_path / "program.log")
    record = library.makeRecord("own", logging.WARNING, "own.py", 1, "speed %d", ("fast",), None)
    for handler in program_log._handlers():  # those of pytest would raise
        handler.handle(record)
    assert capsys.readouterr().err == "followme-uav: warning: speed %d ('fast',)\n"
    assert "speed %d ('fast',)" in (tmp_path / "program.log").read_text()


def test_file_in_a_folder_that_was_removed_is_an_error_of_one_line(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(OutputError, match=r"program.log: cannot write \(No such file"):
        set_up(file=Path("program.log"))


def test_warnings_of_python_are_logged_with_v_only(capsys):
    set_up()
    before = warnings.showwarning
    set_up(1)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("of Python", stacklevel=1)
    assert warnings.showwarning is not before
    assert capsys.readouterr().err.startswith("followme-uav: warning: ")
    finish()
    assert warnings.showwarning is before


def unwritable(tmp_path):
    (tmp_path / "file").write_text("text")
    shutil.copy(ROOT / "tests/data/version_1.mcap", tmp_path / "flight.mcap")
    os.mkfifo(tmp_path / "pipe")
    return {
        "a folder": tmp_path,
        "below a file": tmp_path / "file" / "program.log",
        "a full disk": Path("/dev/full"),
        "a flight log": tmp_path / "flight.mcap",
        "a pipe that nobody reads": tmp_path / "pipe",
    }


@pytest.mark.parametrize(
    "case",
    ["a folder", "below a file", "a full disk", "a flight log", "a pipe that nobody reads"],
)
def test_file_that_cannot_be_written_is_an_error_of_one_line(tmp_path, case):
    path = unwritable(tmp_path)[case]
    with pytest.raises(OutputError) as error:
        set_up(0, path)
    assert str(path) in str(error.value)
    assert "choose another file" in str(error.value)
    assert "\n" not in str(error.value)
    assert not [h for h in logging.getLogger().handlers if type(h).__module__.endswith("am_log")]


def test_flight_log_in_progress_is_not_written_to(config, tmp_path):
    from followme_uav.log.writer import open_log

    path = tmp_path / "flight.mcap"
    file = open_log(path, config)
    with pytest.raises(OutputError, match="another program writes there"):
        set_up(0, path)
    file.close()


def test_disk_that_fills_up_later_raises_nothing_and_is_reported_once(
    capsys, tmp_path, monkeypatch
):
    path = tmp_path / "program.log"
    set_up(0, path)
    write = os.write

    def full(descriptor, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(program_log.os, "write", full)
    for _ in range(3):
        logger.info("lost")
    monkeypatch.setattr(program_log.os, "write", write)
    logger.info("kept")
    assert capsys.readouterr().err.count("lines of the program log are lost") == 1
    text = path.read_text()
    assert "(3 lines are missing: they could not be written)" in text
    assert "lost" not in text.replace("lines are missing", "")
    assert text.endswith("kept\n")


def test_console_that_is_closed_raises_nothing(monkeypatch):
    closed = io.StringIO()
    closed.close()
    set_up()
    monkeypatch.setattr(sys, "stderr", closed)
    logger.warning("nobody reads this")
    monkeypatch.setattr(sys, "stderr", None)
    logger.warning("nor this")


def test_line_is_printed_above_a_status_line(monkeypatch):
    """Else the status line and the message would share a line."""
    screen = io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    console = Console(file=screen, force_terminal=True, width=80)
    set_up()
    with Live("status", console=console, auto_refresh=False, transient=True) as live:
        live.refresh()
        logger.warning("above")
    before, _, after = screen.getvalue().partition("followme-uav: warning: above\n")
    assert before.endswith(ERASED), "the status line was erased first"
    assert after.startswith("status"), "and is drawn again below"


def test_flight_with_injected_faults_shows_errors_only_unless_asked(capsys):
    set_up()
    quieten()
    logger.warning("caused by the script")
    logger.error("not expected")
    set_up(1)
    quieten()
    logger.info("asked for")
    assert capsys.readouterr().err.splitlines() == [
        "followme-uav: error: not expected",
        "followme-uav: info: asked for",
    ]


def test_lines_of_a_child_are_shown_by_their_level(capsys):
    line = "followme-uav simulator: info: ready"
    assert not relay(line), "without a console, the line must not be taken"
    set_up()
    assert relay(line)
    set_up(1)
    assert relay(line)
    assert not relay("listening on 127.0.0.1:1")
    assert capsys.readouterr().err == line + "\n"


def test_child_inherits_level_and_file(capsys, tmp_path):
    path = tmp_path / "program.log"
    set_up(1, path)
    inherited = os.environ[VARIABLE]
    finish()
    os.environ[VARIABLE] = inherited
    set_up_child("worker")
    logger.info("of the child")
    assert capsys.readouterr().err == "followme-uav worker: info: of the child\n"
    assert " worker INFO flight.some: of the child\n" in path.read_text()


@pytest.mark.parametrize("inherited", ["", "no JSON", "[]", '{"verbosity": "x"}', "null"])
def test_child_logs_warnings_where_the_environment_has_something_else(
    capsys, monkeypatch, inherited
):
    monkeypatch.setenv(VARIABLE, inherited)
    set_up_child("worker")
    logger.info("not shown")
    logger.warning("shown")
    assert capsys.readouterr().err == "followme-uav worker: warning: shown\n"


def test_child_without_access_to_the_file_works_and_says_so(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, json.dumps({"verbosity": 0, "file": str(tmp_path)}))
    set_up_child("worker")
    assert "the worker has no log file: " in capsys.readouterr().err


WRITER = """
import logging, sys
from followme_uav.program_log import set_up_child
set_up_child("worker")
for number in range(500):
    logging.getLogger("followme_uav.x").info("%s %03d %s", sys.argv[1], number, "=" * 300)
"""


def test_two_processes_share_a_file_without_a_broken_line(tmp_path):
    path = tmp_path / "program.log"
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        VARIABLE: json.dumps({"verbosity": 0, "file": str(path)}),
    }
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, name], env=environment) for name in "ab"
    ]
    assert [writer.wait(120) for writer in writers] == [0, 0]
    lines = path.read_text().splitlines()
    assert len(lines) == 1000
    for name, writer in zip("ab", writers, strict=True):
        own = [line for line in lines if f" {writer.pid} worker " in line]
        assert [LINE.sub("", line) for line in own] == [
            f"{name} {number:03d} {'=' * 300}" for number in range(500)
        ]


def test_package_that_is_imported_by_a_program_prints_nothing():
    code = (
        "import logging, followme_uav; "
        "logging.getLogger('followme_uav.rpc').error('no'); "
        "assert not logging.getLogger().handlers"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
