"""Tables of `make bench`: goals, the best of a class of machine, and comparisons of revisions."""

import importlib
import json
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture
def goals(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    return importlib.import_module("bench_goals")


@pytest.fixture
def compare(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    return importlib.import_module("bench_compare")


@pytest.fixture
def flame(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    return importlib.import_module("flame_graph")


def text_of(table):
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(table)
    return console.export_text()


def figures(speed, p50_ms, drawing_ms=4.0):
    drawing = {"colour, mask and depth, 160x160": {"median": drawing_ms, "least": 3.0}}
    loop = {"times real time": speed, "frame received to command sent, p50": p50_ms}
    return {"loop": loop, "simulator": {"drawing": drawing}}


def test_better_figures_are_recorded_and_worse_ones_are_not(goals, tmp_path):
    file = tmp_path / "best.json"
    goals.record(figures(8.0, 4.0), "small", file)
    goals.record(figures(9.0, 5.0, drawing_ms=5.0), "small", file)
    goals.record(figures(1.0, 9.0), "other", file)
    assert goals.best_of("small", file) == {
        "flight alone, x real time": 9.0,
        "frame received to command sent, p50, ms": 4.0,
        "drawing 160 px, images/s": 250.0,
    }
    assert goals.best_of("unknown", file) == {}


def test_table_has_today_best_ratio_and_goal(goals):
    best = {"flight alone, x real time": 10.0}
    lines = text_of(goals.goals_table(figures(12.5, 4.0), "small", best)).splitlines()
    [alone] = [line for line in lines if "flight alone" in line]
    assert [cell.strip() for cell in alone.split("│")[1:6]] == [
        "flight alone, x real time",
        "12.5",
        "10",
        "1.25",
        "12 ✓",
    ]
    [p50] = [line for line in lines if "p50" in line]
    assert "✓" not in p50
    assert not any("replay" in line for line in lines)


def test_class_of_the_machine_names_processor_instructions_and_cores(goals, tmp_path):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor : 0\nmodel name\t: Small 1\nflags\t: sse avx2 avx512f\n")
    assert goals.machine_class(cpuinfo).startswith("Small 1, avx512f, ")
    assert goals.machine_class(tmp_path / "none") == "unknown"


def test_recorded_figures_are_those_of_rows(goals):
    names = {row.name for row in goals.ROWS}
    for machine, best in json.loads(goals.BEST.read_text()).items():
        assert machine.endswith("cores")
        assert set(best) <= names


def test_comparison_shows_medians_and_the_range_of_ratios(compare):
    ours = [{"a": 2.0, "b": 1.0}, {"a": 3.0, "b": 1.0}, {"a": 4.0, "b": 1.0}]
    theirs = [{"a": 4.0}, {"a": 4.0}, {"a": 4.0}]
    lines = text_of(compare.comparison(ours, theirs, "old")).splitlines()
    [row] = [line for line in lines if line.startswith("│ a")]
    assert [cell.strip() for cell in row.split("│")[1:6]] == ["a", "3", "4", "0.75", "0.50 to 1.00"]
    assert not any(line.startswith("│ b") for line in lines)


def test_unknown_revision_is_one_line(compare, capsys):
    with pytest.raises(SystemExit) as left:
        compare.compare_with("no-such-revision", [], 1, Console(quiet=True))
    assert left.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("no-such-revision: no such revision")


def test_revisions_are_measured_in_turn(compare, capsys, monkeypatch, tmp_path):
    """A repository whose benchmark prints the speed that its revision contains."""
    root = tmp_path / "project"
    (root / "tools").mkdir(parents=True)
    git = ["git", "-C", root, "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", "init", "-q", root], check=True)
    for speed in (4, 8):
        (root / "tools" / "bench.py").write_text(
            "import json, sys\n"
            f"json.dump({{'loop': {{'speed': {speed}}}}}, open(sys.argv[-1], 'w'))\n"
        )
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-qm", f"speed {speed}"], check=True)
    monkeypatch.setattr(compare, "ROOT", root)
    compare.compare_with("HEAD~1", ["--flight"], 2, Console(width=120))
    [row] = [line for line in capsys.readouterr().out.splitlines() if "loop: speed" in line]
    assert [cell.strip() for cell in row.split("│")[2:5]] == ["8", "4", "2.00"]
    listed = subprocess.run([*git, "worktree", "list"], check=True, capture_output=True, text=True)
    assert len(listed.stdout.splitlines()) == 1


STACKS = """\
process 7:"sim";run (threading.py:1);SimulationRunner.run (followme_uav/sim/runner.py:9);\
Scene.render (followme_uav/sim/scene.py:5);render_frame (panda3d/core.py:1);inner (panda3d/a.py) 30
process 7:"sim";SimulationRunner.run (followme_uav/sim/runner.py:9);\
Simulation.step (followme_uav/sim/simulation.py:5) 10
process 8:"fly";FlightLoop._run (followme_uav/flight/loop.py:1);\
Pilot.step (followme_uav/pilot/pilot.py:7) 5
process 8:"fly";<module> (<string>:1) 99
"""


def test_flame_graph_has_the_functions_below_the_root_of_each_process(flame, tmp_path):
    roots = flame.flames(STACKS.splitlines())
    simulator, loop = roots["simulator"], roots["flight loop"]
    assert (simulator.samples, loop.samples) == (40, 5)
    assert {name: node.samples for name, node in simulator.calls.items()} == {
        "Scene.render": 30,
        "Simulation.step": 10,
    }
    assert list(simulator.calls["Scene.render"].calls) == ["[panda3d]"]
    assert not simulator.calls["Scene.render"].calls["[panda3d]"].calls
    flame.draw(roots, tmp_path / "flame.png")
    assert (tmp_path / "flame.png").stat().st_size > 1000


def test_without_py_spy_the_flame_graph_says_what_to_install(flame, monkeypatch, capsys):
    monkeypatch.setattr(flame.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit) as left:
        flame.record(1.0)
    assert left.value.code == 2
    assert capsys.readouterr().err == "py-spy is missing: pip install py-spy\n"
