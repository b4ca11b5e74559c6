"""If these fail, numbers are cut in narrow terminals, or output ends in a traceback."""

import io
import os
import re
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table

from followme_uav import terminal
from followme_uav.doctor import Check
from followme_uav.doctor import _table as doctor_table
from followme_uav.learn.evaluation import score_tables
from followme_uav.learn.experiments.results import MEASURES, print_experiment
from followme_uav.scenario.execution.results import Result
from followme_uav.scenario.report.compare import print_comparison
from followme_uav.scenario.report.tables import print_list, print_results
from followme_uav.terminal import make_console, print_table

WIDTHS = (20, 33, 40, 60, 79, 80, 100, 120, 200)
NUMBER = re.compile(r"\d[\d.,]*")

METRICS = {
    "judged_s": 50.0,
    "acquire_s": 12.34,
    "in_view": 0.987,
    "tracked": 0.876,
    "losses": 3,
    "wrong_target_s": 0.0,
    "collisions": 0,
    "min_clearance_m": 1.234,
    "landed": True,
    "reacquire_visible_s": [1.0],
}


def result(name, tracked):
    metrics = {**METRICS, "tracked": tracked}
    return Result(name, 4711, True, "as expected", metrics, None, 1.0, "network")


def scores():
    header = ("set", "frames", "hero,\nevery\nframe", "people", "background", "precision")
    rows = (("following_images", "542", "0.812", "0.345", "0.996", "0.9231"),) * 2
    return [score_tables.ScoreTable("Overlap", "Mean over 1234 frames.", header, rows)]


def show_scores(monkeypatch):
    monkeypatch.setattr(score_tables, "tables", lambda result: scores())
    monkeypatch.setattr(score_tables, "final_scores", lambda result: [("0.567", "final score")])
    score_tables.show(None, make_console())


def show_experiment(_):
    spread = {"mean": 0.12345, "min": 0.11111, "max": 0.13333}
    rows = [{"value": 0.0001, **dict.fromkeys(MEASURES, spread)}]
    print_experiment({"experiment": "learning-rate", "values": rows}, make_console())


def show_list(_):
    from followme_uav.scenario.script.script import read_scenarios

    print_list(read_scenarios([]), as_json=False)


def show_doctor(_):
    detail = "OpenGL 4.5.0 on llvmpipe-15.0.7-with-a-long-name-of-256-bits"
    print_table(doctor_table([Check("Rendering", False, detail, "do 12345 [things]")]))


TABLES = {
    "evaluate": show_scores,
    "experiment": show_experiment,
    "scenario list": show_list,
    "scenario run": lambda _: print_results([result("straight-walk", 0.876)] * 2),
    "scenario compare": lambda _: print_comparison(
        [result("straight-walk", 0.876)], [result("straight-walk", 0.123)], as_json=False
    ),
    "doctor": show_doctor,
}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("table", TABLES)
def test_no_number_is_cut_at_any_width(monkeypatch, capsys, table, width):
    monkeypatch.setenv("COLUMNS", "1000")
    TABLES[table](monkeypatch)
    wide = capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", str(width))
    TABLES[table](monkeypatch)
    narrow = capsys.readouterr().out
    assert "…" not in narrow
    assert max(map(len, narrow.splitlines())) <= width
    # Row by row, titles are repeated: a number may occur more often, but must not be missing.
    lost = set(NUMBER.findall(wide)) - set(NUMBER.findall(narrow))
    fitting = [word for word in wide.split() if len(word) <= width]
    assert not [number for number in lost if any(number in word for word in fitting)]


def test_pipe_is_not_cut_at_80_columns(monkeypatch, capsys):
    monkeypatch.delenv("COLUMNS", raising=False)
    show_list(None)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) > 100
    assert sum("short-of-time" in line for line in lines) == 1


words = st.text("abc019.", min_size=1, max_size=12)
cells = st.lists(words, max_size=6).map(" ".join)


def rows_of(count):
    return st.lists(st.lists(cells, min_size=count, max_size=count), min_size=1, max_size=4)


@given(st.integers(1, 6).flatmap(rows_of), st.integers(20, 100))
def test_no_word_of_any_table_is_broken(rows, width):
    table = Table(*(f"title{i}" for i in range(len(rows[0]))))
    for row in rows:
        table.add_row(*row)
    out = io.StringIO()
    print_table(table, Console(file=out, width=width))
    shown = out.getvalue()
    assert max(map(len, shown.splitlines())) <= width
    printed = set(re.split(r"[^abc019.]+", shown))
    assert {word for row in rows for cell in row for word in cell.split()} <= printed


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "cp437", "utf-8"])
def test_any_text_can_be_printed_in_any_encoding(encoding):
    terminal.prepare_streams()
    text = "0.5 – hero → lost … “yes” 3 × 4 é Ł 漢 \udcff ━┃"
    plain = text.encode(encoding, terminal._ERRORS).decode(encoding)
    assert plain.startswith("0.5 ")
    assert "?" not in plain
    if encoding == "ascii":
        assert plain.startswith('0.5 - hero -> lost ... "yes" 3 x 4 e ')


SHOWS = """
import sys
from followme_uav.terminal import finish_streams, prepare_streams
prepare_streams()
for number in range(100_000):
    print("line", number)
print("done", file=sys.stderr)
finish_streams()
"""


def run(command, **options):
    root = os.path.dirname(os.path.dirname(terminal.__file__))
    return subprocess.run(
        command,
        shell=True,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": root, "PY": sys.executable, "CODE": SHOWS},
        **options,
    )


def test_closed_pipe_ends_the_output_and_not_the_work():
    done = run('"$PY" -c "$CODE" | head -n 2; exit 0')
    assert done.stdout == "line 0\nline 1\n"
    assert done.stderr == "done\n"


def test_stream_closed_at_the_start_is_no_error():
    assert run('"$PY" -c "$CODE" >&-').stderr == "done\n"
    done = run('"$PY" -c "$CODE" 2>&- | tail -n 1')
    assert (done.returncode, done.stdout) == (0, "line 99999\n")
    assert run('"$PY" -c "$CODE" <&- >&- 2>&-').returncode == 0


def test_file_opened_after_a_closed_output_does_not_receive_the_output(tmp_path):
    code = (
        "from followme_uav.terminal import prepare_streams; prepare_streams()\n"
        "import os\n"
        "file = open('out', 'w')\n"
        "os.write(1, b'printed')\n"
        "file.write('content')\n"
    )
    (tmp_path / "code.py").write_text(code)
    run('"$PY" code.py >&-', cwd=tmp_path)
    assert (tmp_path / "out").read_text() == "content"


def test_full_disk_behind_the_output_is_reported():
    done = run('"$PY" -c "$CODE" > /dev/full')
    assert done.returncode == 1
    assert done.stderr.strip().endswith(
        "standard output: cannot write (No space left on device); part of the output is missing"
    )


def test_output_waits_for_the_reader_of_a_pipe_that_does_not_block():
    """Another program that shares a terminal can make it non-blocking."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    command = [sys.executable, "-c", SHOWS]
    with subprocess.Popen(command, stdout=writer, stderr=subprocess.DEVNULL) as shows:
        os.close(writer)
        time.sleep(0.5)  # the pipe fills up
        with open(reader) as output:
            lines = output.read().splitlines()
    assert lines == [f"line {number}" for number in range(100_000)]
    assert shows.returncode == 0


@pytest.mark.parametrize("is_terminal", [False, True])
def test_terminal_of_no_columns_shows_the_output(monkeypatch, capsys, is_terminal):
    """Serial consoles and containers say COLUMNS=0."""
    monkeypatch.setenv("COLUMNS", "0")
    if is_terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("NO_COLOR", "1")
    make_console().print("a result")
    assert "a result" in capsys.readouterr().out


def test_results_with_markup_in_their_names_are_printed_unchanged(capsys):
    """Otherwise a scenario named [bold] would have no name, and [/] would be a traceback."""
    print_results([replace(result("[/] [bold]", 0.5), success=False, reason="[/]")])
    out = capsys.readouterr().out
    assert out.count("[/] [bold]") == 2
    assert out.count("[/]") == 3
