"""If these fail, a campaign loses results, flies flights twice, or blames the pilot for a crash."""

import json
import os
import resource
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import pytest

from followme_uav.errors import EnvironmentSetupError, OutputError, PilotError, SimulatorError
from followme_uav.flight import fly as flight
from followme_uav.scenario.execution import flight as scenario_flight
from followme_uav.scenario.execution import runner
from followme_uav.scenario.execution.fleet import local_fleet
from followme_uav.scenario.execution.flight import FlightSettings, fly_job
from followme_uav.scenario.execution.jobs import jobs_of, shard_of
from followme_uav.scenario.execution.results import RowFile, content_hash, read_results
from followme_uav.scenario.execution.runner import fly_jobs
from followme_uav.scenario.run import CampaignRun, fly_campaign, merged_results
from tests.unit.campaign_parts import (
    InlineFleet,
    campaign,
    environment_at_start,
    run_settings,
    stub_flight,
)
from tests.unit.scenario_parts import scenario


@pytest.fixture
def jobs(tmp_path):
    return jobs_of(campaign(tmp_path))


def fly(jobs, folder, fleet=None, told=None, **settings):
    folder.mkdir(exist_ok=True)
    on_result = (
        (lambda r, was: None) if told is None else (lambda r, was: told.append((r.seed, was)))
    )
    return fly_jobs(jobs, fleet or InlineFleet(), run_settings(folder, **settings), on_result)


def test_results_are_in_the_order_of_the_plan_and_on_the_disk(jobs, tmp_path):
    results = fly(jobs, tmp_path / "run", InlineFleet(capacity=5))
    assert [r.seed for r in results] == list(range(1, 13))
    rows = [row.result for row in RowFile(tmp_path / "run").read()]
    assert sorted(rows, key=lambda r: r.seed) == results
    assert sorted(read_results(tmp_path / "run"), key=lambda r: r.seed) == results
    assert {r.seed for r in results if not r.success} == {7}


def test_resumed_run_flies_only_the_missing_flights(jobs, tmp_path):
    first = fly(jobs[:4], tmp_path / "run")
    fleet, told = InlineFleet(), []
    results = fly(jobs, tmp_path / "run", fleet, told)
    assert fleet.begun == list(range(5, 13))
    assert results[:4] == first
    assert told == [(seed, seed < 5) for seed in range(1, 13)]


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_row_that_was_cut_off_is_flown_again(jobs, tmp_path, cut):
    """SIGKILL or a power cut while a row is written."""
    whole = fly(jobs[:3], tmp_path / "run")
    file = tmp_path / "run" / "flights.jsonl"
    file.write_bytes(file.read_bytes()[:-cut])
    fleet = InlineFleet()
    assert content_hash(fly(jobs[:3], tmp_path / "run", fleet)) == content_hash(whole)
    assert fleet.begun == ([] if cut == 1 else [3])
    assert [row.result.seed for row in RowFile(tmp_path / "run").read()][:2] == [1, 2]
    fly(jobs[:4], tmp_path / "run", fleet)
    assert fleet.begun[-1:] == [4]


@pytest.mark.parametrize("what", ["code", "config", "expect", "log"])
def test_flight_is_flown_again_after_a_change(jobs, tmp_path, monkeypatch, what):
    folder, job = tmp_path / "run", jobs[0]
    fly([job], folder)
    settings, change = {}, campaign(tmp_path, seeds=[1])
    if what == "code":
        monkeypatch.setattr(runner, "code_digest", lambda: "another")
    if what == "config":
        change = replace(change, config={"control": {"wanted_distance_m": 9}})
    if what == "expect":
        change = replace(change, scenarios=(scenario(tmp_path, expect={"collisions": 2}),))
    if what == "log":
        settings = {"flight": FlightSettings(folder, "all")}
    fleet = InlineFleet()
    fly(jobs_of(change), folder, fleet, **settings)
    assert fleet.begun == [1]


def test_rows_are_the_same_with_any_number_of_workers_and_shards(tmp_path):
    jobs = jobs_of(campaign(tmp_path, seeds=range(30)))
    whole = fly(jobs, tmp_path / "whole")
    many = fly(jobs[::-1], tmp_path / "many", InlineFleet(lost={3: 1, 8: 2}, capacity=7))
    parts = []
    for number in (1, 2, 3):
        part = tmp_path / f"part{number}"
        parts.append((part, fly(shard_of(jobs, number, 3), part)))
    assert content_hash(many) == content_hash(whole) == content_hash(merged_results(parts))
    other = [replace(whole[0], metrics={**whole[0].metrics, "losses": 1}), *whole[1:]]
    assert content_hash(other) != content_hash(whole)


# Crashes


def test_crashed_flight_is_repeated_and_its_attempts_are_counted(jobs, tmp_path):
    fleet = InlineFleet(lost={3: 2})
    results = fly(jobs, tmp_path / "run", fleet)
    assert [r.seed for r in results if not r.success] == [7]
    assert {r.seed: r.attempts for r in results if r.attempts > 1} == {3: 3}
    assert fleet.begun.count(3) == 3 and len(fleet.begun) == 14


def test_flight_that_crashes_each_time_is_no_failure_and_is_flown_by_the_next_run(jobs, tmp_path):
    results = fly(jobs, tmp_path / "run", InlineFleet(lost={3: 9}))
    crashed = results[2]
    assert (crashed.outcome, crashed.attempts) == ("crashed", 3)
    assert "the process that flew it died" in crashed.reason
    fleet = InlineFleet()
    assert fly(jobs, tmp_path / "run", fleet)[2].outcome == "passed"
    assert fleet.begun == [3]


def test_run_on_a_machine_without_simulator_is_given_up(jobs, tmp_path):
    fleet = InlineFleet(lost=dict.fromkeys(range(20), 99))
    with pytest.raises(EnvironmentSetupError, match=r"the first 5 flights crashed .*doctor"):
        fly(jobs, tmp_path / "run", fleet)
    assert len(fleet.begun) < 20


STALL = [{"at_s": 5, "lasts_s": 1000, "stall": {}}]


@pytest.mark.parametrize(
    ("error", "events", "outcome"),
    [
        (SimulatorError("no new frame for 10 s"), [], "crashed"),
        (SimulatorError("no new frame for 10 s"), STALL, "failed"),
        (OSError(28, "No space left on device"), [], "crashed"),
        (MemoryError(), [], "crashed"),
        (ZeroDivisionError("in the pilot"), [], "failed"),
    ],
)
def test_error_of_the_machine_is_a_crash_and_error_of_pilot_or_script_is_not(
    tmp_path, monkeypatch, error, events, outcome
):
    def fails(plan):
        raise error

    def injector_for(script_events, seed, made):
        made(SimpleNamespace(is_stalled=any(event.stall for event in script_events)))

    monkeypatch.setattr(scenario_flight, "fault_injector_for", injector_for)
    monkeypatch.setattr(flight, "fly", fails)
    (job,) = jobs_of(
        replace(campaign(tmp_path, seeds=[1]), scenarios=(scenario(tmp_path, events=events),))
    )
    assert fly_job(job, FlightSettings(tmp_path, "all")).result.outcome == outcome


def test_error_of_a_pilot_fits_into_all_files(tmp_path, monkeypatch):
    """Half of a character would end the run after its last flight, at the table."""

    def fails(plan):
        raise PilotError("no file 'h\udcffro.png'")

    monkeypatch.setattr(flight, "fly", fails)
    (job,) = jobs_of(campaign(tmp_path, seeds=[1]))
    assert "h\\udcffro.png" in fly_job(job, FlightSettings(tmp_path, "none")).result.reason


@pytest.mark.parametrize(("logs", "kept"), [("all", {1, 7}), ("failures", {7}), ("none", set())])
def test_logs_are_kept_as_asked(tmp_path, monkeypatch, logs, kept):
    class Summary:
        def __init__(self, seed):
            self.metrics = METRICS(collisions=int(seed == 7))

    def fly_and_log(plan):
        if plan.log is not None:
            plan.log.parent.mkdir(exist_ok=True)
            plan.log.write_text("log")
        return Summary(plan.seed)

    monkeypatch.setattr(flight, "fly", fly_and_log)
    jobs = jobs_of(campaign(tmp_path, seeds=[1, 7]))
    results = [fly_job(job, FlightSettings(tmp_path, logs)).result for job in jobs]
    assert {r.seed for r in results if r.log is not None} == kept
    assert {f.stem for f in tmp_path.glob("logs/*")} == {f"one-seed{seed}" for seed in kept}
    sent = [fly_job(job, FlightSettings(None, logs)) for job in jobs]
    assert {f.result.seed for f in sent if f.log == b"log"} == kept


def METRICS(**changes):
    from followme_uav.config import load_config
    from followme_uav.flight.metrics import metrics_of

    return replace(metrics_of([], load_config()), **changes)


# The disk


@pytest.fixture
def small_disk():
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_full_disk_is_one_line_and_the_run_is_completed_later(jobs, tmp_path, small_disk):
    small_disk(8_000)
    with pytest.raises(OutputError, match=r"flights\.jsonl: cannot write") as error:
        fly(jobs, tmp_path / "run")
    assert "\n" not in str(error.value) and error.value.exit_code == 2
    done = len(RowFile(tmp_path / "run").read())
    assert 0 < done < 12
    small_disk(resource.RLIM_INFINITY)
    fleet = InlineFleet()
    assert len(fly(jobs, tmp_path / "run", fleet)) == 12
    assert len(fleet.begun) == 12 - done


# Stopping


def test_stopped_run_gives_the_same_rows_with_any_number_of_workers(tmp_path):
    jobs = jobs_of(campaign(tmp_path, seeds=range(400)))
    hashes, counts = set(), set()
    for capacity in (1, 8):
        folder = tmp_path / f"with{capacity}"
        results = fly(jobs, folder, InlineFleet(capacity=capacity), half_width=0.15)
        hashes.add(content_hash(results))
        counts.add(len(results))
    assert len(hashes) == len(counts) == 1
    assert 20 <= counts.pop() < 400


def test_run_writes_all_files_and_tells_of_crashes(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(scenario_flight, "code_digest", lambda: "now")
    fleet = InlineFleet(lost={3: 9})

    def open_fleet(run):
        from contextlib import nullcontext

        return nullcontext(fleet)

    monkeypatch.setattr("followme_uav.scenario.run.open_fleet", open_fleet)
    run = CampaignRun(tmp_path / "run", logs="none", report=True, fly=stub_flight)
    with pytest.raises(SimulatorError, match="1 of 12 flights crashed, not by the pilot"):
        fly_campaign(campaign(tmp_path), run)
    printed = capsys.readouterr().out
    assert "10 of 11 flights as expected, 0.909 (0.623 to 0.984); 1 crashed" in printed
    names = {file.name for file in (tmp_path / "run").iterdir()}
    assert {"plan.yaml", "flights.jsonl", "results.json", "junit.xml", "report.html"} <= names
    content = json.loads((tmp_path / "run" / "results.json").read_text())
    assert content["content_sha256"] == content_hash(read_results(tmp_path / "run"))
    fleet.lost.clear()
    assert not fly_campaign(campaign(tmp_path), run), "seed 7 fails"


def test_interrupted_run_has_no_results_of_an_earlier_plan_in_its_folder(tmp_path, monkeypatch):
    """A page, a check or a merger would show them as those of the new plan."""
    fleet, folder = InlineFleet(), tmp_path / "run"
    monkeypatch.setattr("followme_uav.scenario.run.open_fleet", lambda run: nullcontext(fleet))

    def interrupted(job, settings):
        if job.seed == 11:
            raise KeyboardInterrupt
        return stub_flight(job, settings)

    def seeds_flown(seeds, fly=stub_flight):
        fleet.begun.clear()
        run = CampaignRun(folder, logs="none", report=True, fly=fly)
        fly_campaign(campaign(tmp_path, seeds=seeds), run)
        return fleet.begun

    assert seeds_flown(range(1, 9)) == list(range(1, 9))
    with pytest.raises(KeyboardInterrupt):
        seeds_flown(range(5, 13), interrupted)
    names = {file.name for file in folder.iterdir() if file.is_file()}
    assert names == {"plan.yaml", "flights.jsonl"}
    assert [result.seed for result in read_results(folder)] == list(range(5, 11))
    assert seeds_flown(range(5, 13)) == [11, 12]
    assert [result.seed for result in read_results(folder)] == list(range(5, 13))
    assert seeds_flown(range(1, 9)) == [], "flown twice"


def test_interrupt_after_a_row_is_written_writes_it_once(jobs, tmp_path):
    """Ctrl-C may come while the result is shown."""
    folder = tmp_path / "run"
    folder.mkdir()

    def interrupt(result, was_flown_before):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fly_jobs(jobs, InlineFleet(), run_settings(folder), interrupt)
    assert [row.result.seed for row in RowFile(folder).read()] == [1]


def test_flight_crashes_where_no_temporary_folder_can_be_made(tmp_path, monkeypatch):
    """The other flights go on."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    (job,) = jobs_of(campaign(tmp_path, seeds=[1]))
    result = fly_job(job, FlightSettings(tmp_path, "none")).result
    assert result.outcome == "crashed"
    assert "No such file" in result.reason


def test_flights_that_have_ended_are_kept_when_an_error_of_another_one_ends_the_run(jobs, tmp_path):
    class Fleet(InlineFleet):
        def submit(self, fly, job, settings):
            future = super().submit(fly, job, settings)
            if job.seed == 2:
                future = Future()
                future.set_exception(SimulatorError("another version on that machine"))
            return future

    with pytest.raises(SimulatorError, match="another version"):
        fly(jobs[:3], tmp_path / "run", Fleet(capacity=3))
    assert {row.result.seed for row in RowFile(tmp_path / "run").read()} == {1, 3}


def test_threads_of_numerical_libraries_are_limited_before_a_worker_starts():
    """OpenBLAS reads its variable while NumPy is imported: with more, workers share processors."""
    before = dict(os.environ)
    with local_fleet(2) as fleet:
        environment = fleet.submit(environment_at_start, None, None).result()
    assert "OPENBLAS_NUM_THREADS=1" in environment
    assert dict(os.environ) == before
