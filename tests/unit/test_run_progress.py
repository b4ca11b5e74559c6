"""If these fail, a run shows wrong counts, a wrong time left, or a page that grows with it."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from followme_uav.scenario.execution.jobs import jobs_of
from followme_uav.scenario.live import terminal
from followme_uav.scenario.live.progress import LATEST, Progress
from followme_uav.scenario.live.state import MOST_RUNNING, MOST_VALUES, state_of
from followme_uav.scenario.live.terminal import figures_line, shown
from followme_uav.statistics.intervals import wilson
from followme_uav.statistics.stopping import sequence_interval
from tests.unit.campaign_parts import campaign
from tests.unit.scenario_parts import result


class Clock:
    """Seconds that a test sets."""

    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


BASES = {success: result(success=success) for success in (True, False)}


def flight(seed, success=True, **changes):
    return replace(BASES[success], seed=seed, id=f"id{seed}", **changes)


def crashed(seed):
    return flight(seed, success=False, crashed=True, reason="broke: no memory")


def test_throughput_and_time_left_leave_out_flights_of_an_earlier_run(clock):
    progress = Progress(100, clock=clock)
    assert (progress.figures().per_hour, progress.figures().left_s) == (None, None)
    for seed in range(40):
        progress.end(flight(seed), was_there=True)
    assert progress.figures().per_hour is None
    clock.now_s += 1800.0
    for seed in range(40, 60):
        progress.end(flight(seed), was_there=False)
    figures = progress.figures()
    assert (figures.done, figures.before, figures.per_hour) == (60, 40, 40.0)
    assert figures.left_s == pytest.approx(3600.0)
    progress.enter("writing")
    clock.now_s += 500.0
    assert progress.figures().elapsed_s == 1800.0


def test_state_has_the_counts_intervals_and_latest_failures(clock):
    progress = Progress(6, clock=clock)
    for seed, success in ((1, True), (2, False), (3, True)):
        weather = "rain" if seed == 2 else "clear"
        progress.end(flight(seed, success, draws={"weather": weather}), was_there=False)
        clock.now_s += 10.0
    progress.end(crashed(4), was_there=False)
    clock.now_s += 5.0
    state = state_of(progress.snapshot(), "nets")
    counts = {key: state[key] for key in ("done", "passed", "failed", "crashed", "flights")}
    assert counts == {"done": 4, "passed": 2, "failed": 1, "crashed": 1, "flights": 6}
    expected = wilson(2, 3)
    assert state["success"] == {
        "value": expected.value,
        "low": round(expected.low, 6),
        "high": round(expected.high, 6),
    }
    assert [(f["seed"], f["reason"], f["ago_s"]) for f in state["failures"]] == [
        (2, "tracked 0.5 < 0.9", 25.0)
    ]
    assert [(f["seed"], f["reason"]) for f in state["crashes"]] == [(4, "broke: no memory")]
    rows = [(row["axis"], row["value"], row["flights"], row["passed"]) for row in state["axes"]]
    assert rows == [("weather", "clear", 2, 2), ("weather", "rain", 1, 0)]


def test_variants_are_rows_where_the_plan_has_several_axes(clock):
    progress = Progress(4, clock=clock)
    for number, axes in enumerate(
        {"pilot": pilot, "world": world} for pilot in ("a", "b") for world in ("clear", "fog")
    ):
        label = "-".join(axes.values())
        progress.end(flight(number, variant=label, axes=axes), was_there=False)
    names = {row["axis"] for row in state_of(progress.snapshot(), "x")["axes"]}
    assert names == {"pilot", "world", "variant"}
    one = Progress(2, clock=clock)
    for pilot in ("a", "b"):
        one.end(flight(1, variant=pilot, axes={"pilot": pilot}), was_there=False)
    assert {row["axis"] for row in state_of(one.snapshot(), "x")["axes"]} == {"pilot"}


def test_flights_under_way_have_their_time_and_attempt(clock, tmp_path):
    progress = Progress(12, clock=clock)
    first, second = jobs_of(campaign(tmp_path))[:2]
    progress.begin(first)
    clock.now_s += 30.0
    progress.begin(second)
    progress.begin(second)
    clock.now_s += 4.0
    running = state_of(progress.snapshot(), "x")["running"]
    assert [(f["seed"], f["for_s"], f["attempt"]) for f in running] == [(1, 34.0, 1), (2, 4.0, 2)]
    progress.end(replace(flight(1), id=first.id), was_there=False)
    assert [f["seed"] for f in state_of(progress.snapshot(), "x")["running"]] == [2]


def test_interval_is_that_of_the_sequence_in_a_run_that_may_stop_early(clock):
    progress = Progress(100, stops_early=True, clock=clock)
    for seed in range(50):
        progress.end(flight(seed, seed > 0), was_there=False)
    low = state_of(progress.snapshot(), "x")["success"]["low"]
    assert low == round(sequence_interval(49, 50).low, 6) < wilson(49, 50).low


def test_state_is_as_small_after_ten_thousand_flights_as_after_a_thousand(clock, tmp_path):
    """Scenarios, failures, flights under way and long reasons have limits."""
    progress, sizes = Progress(10_000, clock=clock), []
    jobs = jobs_of(campaign(tmp_path, seeds=range(200)))
    for job in jobs:
        progress.begin(job)
    for seed in range(10_000):
        reason = "broke: " + 5_000 * "long "
        failed, crash = seed % 3 == 0, seed % 7 == 0
        name = f"scenario{seed % 300}"
        ended = flight(seed, not failed and not crash, name=name, reason=reason, crashed=crash)
        progress.end(ended, was_there=False)
        if seed in (999, 9_999):
            state = state_of(progress.snapshot(), "x")
            sizes.append(len(json.dumps(state)))
    assert sizes[1] < sizes[0] + 1_000 and sizes[1] < 50_000
    assert len(state["failures"]) == len(state["crashes"]) == LATEST
    assert len(state["running"]) == MOST_RUNNING and state["running_count"] == 200
    assert len(state["axes"]) == MOST_VALUES and state["values_left_out"] == 300 - MOST_VALUES
    worst = max(row["success"]["value"] for row in state["axes"])
    assert worst < 0.7, "the values with most failures are shown"


# The terminal


def test_line_has_throughput_time_left_failures_and_crashes(clock):
    progress = Progress(10, clock=clock)
    assert figures_line(progress.figures()) == "0 failed"
    clock.now_s += 360.0
    progress.end(flight(1), was_there=False)
    progress.end(flight(2, success=False), was_there=False)
    progress.end(crashed(3), was_there=False)
    line = figures_line(progress.figures())
    assert line == "30 flights/h, 0:14:00 left, 1 failed, 1 crashed"
    assert "at most 0:14:00 left" in figures_line(progress.figures(), stops_early=True)


def test_file_has_a_line_for_each_flight_and_the_progress_once_a_minute(clock, monkeypatch):
    monkeypatch.setattr(terminal.time, "monotonic", clock)
    console = Console(file=io.StringIO(), width=200)
    progress = Progress(200, clock=clock)
    with shown(progress, console=console) as show:
        for seed in range(1, 5):
            clock.now_s += 40.0
            show(flight(seed, seed != 2), False)
    lines = console.file.getvalue().splitlines()
    assert [line.split()[0] for line in lines] == ["passed", "failed", "2", "passed", "passed", "4"]
    assert lines[2] == "2 of 200 flights, 90 flights/h, 2:12:00 left, 1 failed"


def test_terminal_has_one_line_and_those_of_failures_in_a_long_run(clock):
    def text_of(flights):
        console = Console(file=io.StringIO(), width=200, force_terminal=True, color_system=None)
        with shown(Progress(flights, clock=clock), console=console) as show:
            for seed in range(1, 5):
                show(flight(seed, seed != 2), False)
        return console.file.getvalue()

    assert text_of(4).count("passed") == 3
    long = text_of(10_000)
    assert "passed" not in long and "failed one seed 2" in long
    assert "4/10000" in long and "1 failed" in long
