"""If these fail, a run of scenarios has wrong results, report, comparison or tuning."""

import json
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from xml.etree import ElementTree

import pytest
import yaml

from followme_uav.config import load_config
from followme_uav.errors import ConfigError, DataError, WeightsError
from followme_uav.log.writer import FlightLogWriter
from followme_uav.messages import MissionState
from followme_uav.perception import DEFAULT_WEIGHTS
from followme_uav.scenario import tune
from followme_uav.scenario.execution import runner
from followme_uav.scenario.execution.flight import fingerprint
from followme_uav.scenario.execution.results import read_results, totals, write_results
from followme_uav.scenario.execution.runner import run_jobs
from followme_uav.scenario.report.compare import changes, print_comparison
from followme_uav.scenario.report.report import write_report
from followme_uav.scenario.run import ScenarioRun, jobs_of
from tests.conftest import detection_at, hero_mask, make_entry
from tests.unit.scenario_parts import result, scenario

pytestmark = pytest.mark.slow


def test_results_that_are_read_equal_those_written(tmp_path):
    flown = [result(seed=1, tracked=0.75, judged_s=10.0), result("two", 7, success=False)]
    write_results(tmp_path, flown, {"pilot": "network"})
    assert read_results(tmp_path) == flown
    content = json.loads((tmp_path / "results.json").read_text())
    assert content["pilot"] == "network"
    assert {"name", "seed", "success", "reason", "metrics", "log"} <= set(content["results"][0])


def test_junit_file_names_failed_flights(tmp_path):
    write_results(tmp_path, [result(seed=1), result(seed=2, success=False)], {})
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    failed = [case for case in suite if case.find("failure") is not None]
    assert [case.get("name") for case in failed] == ["seed 2"]
    assert failed[0].find("failure").get("message") == "tracked 0.5 < 0.9"


@pytest.mark.parametrize("content", ["", "[]", '{"results": [{"name": 1}]}'])
def test_file_without_results_is_a_data_error(tmp_path, content):
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(DataError, match=r"results\.json: no results"):
        read_results(tmp_path)
    with pytest.raises(DataError, match="give the folder"):
        read_results(tmp_path / "elsewhere.json")


def test_totals_are_weighted_by_the_time_of_each_flight():
    t = totals(
        [
            result(tracked=1.0, in_view=1.0, judged_s=90.0, losses=1, reacquire_visible_s=[2.0]),
            result(tracked=0.0, in_view=0.5, judged_s=10.0, losses=1, reacquire_visible_s=[4.0]),
            replace(result(success=False), metrics={}),
        ]
    )
    assert (t.flights, t.passed, t.losses) == (3, 2, 2)
    assert t.tracked == pytest.approx(0.9)
    assert t.in_view == pytest.approx(0.95)
    assert t.reacquire_visible_s == pytest.approx(3.0)


def test_comparison_tells_improvements_from_regressions(capsys):
    before = [result(seed=1, tracked=0.5, losses=0), result(seed=2, tracked=0.9)]
    after = [
        result(seed=1, tracked=0.8, losses=3),
        result(seed=2, tracked=0.91, success=False),
        result("new", tracked=0.1),
    ]
    told = {(c.flight, c.metric): c.is_better for c in changes(before, after)}
    assert told == {
        ("one-seed1", "tracked"): True,
        ("one-seed1", "losses"): False,
        ("one-seed2", "success"): False,
    }
    assert not print_comparison(before, after, as_json=True)
    assert len(json.loads(capsys.readouterr().out)) == 3
    assert print_comparison(before, before, as_json=False)
    with pytest.raises(DataError, match="no flight in common"):
        changes(before, [result("other")])


# Resuming a run


@pytest.fixture
def jobs(tmp_path):
    one = scenario(tmp_path)
    return jobs_of(
        [one], None, ScenarioRun(tmp_path / "out", "network", DEFAULT_WEIGHTS, workers=1)
    )


def finished(job, code, **changes):
    folder = job.folder / "flights"
    folder.mkdir(parents=True, exist_ok=True)
    done = replace(result(seed=job.seed), **changes)
    content = {"inputs": fingerprint(job, code), "result": done.to_dict()}
    (folder / f"{job.key}.json").write_text(json.dumps(content))
    return done


def test_resumed_run_flies_only_the_missing_flights(jobs, monkeypatch):
    monkeypatch.setattr(runner, "code_digest", lambda: "now")
    flown = []

    def fly_all(missing, workers):
        for job in missing:
            flown.append(job.seed)
            yield job, replace(result(seed=job.seed), reason="flown now")

    monkeypatch.setattr(runner, "_fly_all", fly_all)
    old = finished(jobs[0], "now")
    told = []
    results = run_jobs(jobs, 1, lambda r, was_there: told.append((r.seed, was_there)))
    assert flown == [2]
    assert results[0] == old
    assert results[1].reason == "flown now"
    assert told == [(1, True), (2, False)]
    run_jobs(jobs, 1, lambda r, was_there: None)
    assert flown == [2]


@pytest.mark.parametrize("what", ["code", "config", "expect", "log", "broken", "damaged"])
def test_flight_is_flown_again_after_a_change(jobs, monkeypatch, what):
    monkeypatch.setattr(runner, "code_digest", lambda: "now")
    monkeypatch.setattr(
        runner, "_fly_all", lambda missing, workers: ((job, result(seed=9)) for job in missing)
    )
    job = jobs[0]
    finished(
        job,
        "before" if what == "code" else "now",
        metrics={} if what == "broken" else result().metrics,
        log="logs/gone.mcap" if what == "log" else None,
    )
    if what == "config":
        job = replace(job, config=load_config(overrides=["duration_s=5"]))
    if what == "expect":
        limits = {"collisions": job.scenario.expect["collisions"].model_copy(update={"max": 2})}
        job = replace(job, scenario=job.scenario.model_copy(update={"expect": limits}))
    if what == "damaged":
        (job.folder / "flights" / f"{job.key}.json").write_text("{")
    assert run_jobs([job], 1, lambda r, was_there: None)[0].seed == 9


def test_unusable_weights_end_a_run_before_its_first_flight(tmp_path):
    """Otherwise each flight fails, one after the other."""
    (tmp_path / "notes.h5").write_text("hello")
    run = ScenarioRun(tmp_path / "out", "network", tmp_path / "notes.h5")
    with pytest.raises(WeightsError, match="not an HDF5 file"):
        jobs_of([scenario(tmp_path)], None, run)


class Pool:
    """A pool of processes that fails for the given calls and seeds."""

    refuses = 0
    kills = ()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def submit(self, fly, job):
        if Pool.refuses:
            Pool.refuses -= 1
            raise BrokenProcessPool("gone")
        future = Future()
        if job.seed in Pool.kills:
            future.set_exception(BrokenProcessPool("killed"))
        else:
            future.set_result(result(seed=job.seed))
        return future


@pytest.mark.parametrize(("refuses", "kills"), [(0, ()), (1, ()), (0, (1,)), (1, (2,))])
def test_killed_process_costs_its_own_flight_at_most(jobs, monkeypatch, refuses, kills):
    monkeypatch.setattr(runner, "_pool", lambda processes, workers: Pool())
    monkeypatch.setattr(Pool, "refuses", refuses)
    monkeypatch.setattr(Pool, "kills", kills)
    results = run_jobs(jobs, 1, lambda r, was_there: None)
    assert [r.seed for r in results] == [1, 2]
    assert [r.seed for r in results if r.reason.startswith("broke")] == list(kills)


# The report


def test_report_is_one_file_with_all_flights_and_escaped_text(tmp_path, config):
    log = tmp_path / "logs" / "one-seed1.mcap"
    with FlightLogWriter(log, config, "", {}) as writer:
        for i in range(30):
            state = MissionState.FOLLOW if i > 5 else MissionState.PATROL
            mask = hero_mask((16, 16))
            writer.write(
                make_entry(
                    i, state, rgb=mask, mask=mask, detection=detection_at((16, 16)), truth_mask=mask
                )
            )
    flown = [
        result(log="logs/one-seed1.mcap"),
        replace(result(seed=2, success=False), reason="tracked <b>0.5</b> < 0.9"),
    ]
    page = write_report(tmp_path, flown, workers=1).read_text()
    assert page.count("data:image/webp;base64,") == 3
    assert "src=" in page and "<script" not in page and "http" not in page
    assert "tracked &lt;b&gt;0.5" in page
    assert "followme-uav replay logs/one-seed1.mcap" in page
    drawn = {f: f.stat().st_mtime_ns for f in (tmp_path / "pictures").iterdir()}
    write_report(tmp_path, flown, workers=1)
    assert drawn == {f: f.stat().st_mtime_ns for f in (tmp_path / "pictures").iterdir()}


# Tuning


def test_failure_lowers_the_score_by_more_than_perfect_tracking_raises_it():
    good = result(tracked=0.9, landed=True, wrong_target_s=0.0)
    assert tune.score(good) == pytest.approx(0.9)
    assert tune.score(replace(good, metrics={**good.metrics, "collisions": 1})) < 0.0
    assert tune.score(replace(good, metrics={**good.metrics, "wrong_target_s": 0.1})) < 0.0
    assert tune.score(replace(good, metrics={})) == tune.BROKEN


def test_tuning_maximises_the_worst_flight_and_is_confirmed_on_other_seeds(tmp_path, monkeypatch):
    """One flight improves with the gain; the worst flight has its best score at 0.4."""
    flown = []

    def fly_all(jobs, workers, on_result):
        results = []
        for job in jobs:
            kp = job.config.control.pan.kp
            flown.append((job.seed, kp))
            tracked = 0.9 + 0.1 * kp if job.seed % 2 else 0.6 - abs(kp - 0.4)
            results.append(result(seed=job.seed, tracked=tracked, landed=True))
        return results

    monkeypatch.setattr(tune, "run_jobs", fly_all)
    one = scenario(tmp_path, flight={})
    run = ScenarioRun(
        tmp_path / "out", "network", DEFAULT_WEIGHTS, overrides=("control.pan.kp=0.7",)
    )
    space = {"control.pan.kp": tune.Span(low=0.2, high=0.8)}
    found = tune.tune([one], 25, run, (11, 12), space)
    assert found.values["control.pan.kp"] == pytest.approx(0.4, abs=0.05)
    assert found.is_better
    assert {seed for seed, kp in flown[-4:]} == {11, 12}
    written = yaml.safe_load((tmp_path / "out" / "tuned.yaml").read_text())
    assert written == {"control": {"pan": {"kp": round(found.values["control.pan.kp"], 4)}}}
    with pytest.raises(ConfigError, match="a scenario has seed 1"):
        tune.tune([one], 1, run, (1, 5), space)


def test_tuning_space_with_an_unknown_key_is_refused(tmp_path):
    path = tmp_path / "space.yaml"
    path.write_text("control.pan.kq: {low: 0, high: 1}")
    with pytest.raises(ConfigError, match=r"control\.pan\.kq"):
        tune.read_space(path)
    path.write_text("control.pan.kp: {low: 2, high: 1}")
    with pytest.raises(ConfigError, match=r"space\.yaml: .*low must be below high"):
        tune.read_space(path)
    assert tune.read_space(tune.SPACE)
