"""If these fail, a run of scenarios has wrong results, report, comparison or tuning."""

import json
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import optuna
import pytest
import yaml
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from PIL import Image

from followme_uav.errors import ConfigError, DataError, EnvironmentSetupError
from followme_uav.log.writer import FlightLogWriter
from followme_uav.messages import MissionState
from followme_uav.scenario import tune
from followme_uav.scenario.execution.results import RowFile, read_results, totals, write_results
from followme_uav.scenario.report import report
from followme_uav.scenario.report.compare import changes, print_comparison
from followme_uav.scenario.report.flight_pictures import OWN_MAPS_CAPTION
from followme_uav.scenario.report.page_data import hardest_draws
from followme_uav.scenario.report.report import write_report
from followme_uav.scenario.report.tables import print_results, with_error
from followme_uav.scenario.run import CampaignRun
from followme_uav.scenario.script.plan import Campaign, Variant
from followme_uav.statistics.intervals import Interval, wilson
from followme_uav.view.colours import MAP_LIGHT, rgb
from tests import mapless_flight
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


def test_junit_file_is_xml_whatever_the_error_of_a_pilot_says(tmp_path):
    failed = replace(result(success=False), reason="broke: \x1b[31mno\0 \ud800 <&> \U0001f600")
    write_results(tmp_path, [failed], {})
    (case,) = ElementTree.parse(tmp_path / "junit.xml").getroot()
    message = case.find("failure").get("message")
    assert message == "broke: \ufffd[31mno\ufffd \ufffd <&> \U0001f600"


@pytest.mark.parametrize("content", ["", "[]", '{"results": [{"name": 1}]}'])
def test_file_without_results_is_a_data_error(tmp_path, content):
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(DataError, match=r"results\.json: no results"):
        read_results(tmp_path)
    with pytest.raises(DataError, match="give the folder"):
        read_results(tmp_path / "elsewhere.json")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", "x"),
        ("success", None),
        ("draws", None),
        ("axes", {"pilot": 5}),
        ("metrics", [1]),
        ("metrics", {"tracked": 1.0}),
        ("metrics", {**result().metrics, "in_view": "all"}),
        ("metrics", {**result().metrics, "acquire_s": "late"}),
        ("metrics", {**result().metrics, "judged_s": float("inf")}),
        ("metrics", {**result().metrics, "collisions": 10**400}),
        ("seed", 2**63),
        ("wall_s", float("nan")),
        ("wall_s", 1e300),
        ("draws", {"fog": float("nan")}),
        ("reason", "\ud800"),
        ("name", "../elsewhere"),
    ],
)
def test_result_with_a_wrong_value_is_a_data_error_and_its_row_is_left_out(tmp_path, key, value):
    good = result().to_dict()
    (tmp_path / "results.json").write_text(json.dumps({"results": [good, {**good, key: value}]}))
    with pytest.raises(DataError, match=r"results\.json: no results") as found:
        read_results(tmp_path)
    assert "\n" not in str(found.value)
    rows = [{"code": "c", "result": row} for row in ({**good, key: value}, good)]
    (tmp_path / "flights.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert [row.result.to_dict() for row in RowFile(tmp_path).read()] == [good]


def test_largest_seed_is_read(tmp_path):
    write_results(tmp_path, [replace(result(), seed=2**63 - 1)], {})
    assert read_results(tmp_path)[0].seed == 2**63 - 1


def test_result_of_another_version_may_lack_metrics_that_no_total_needs(tmp_path):
    old = result().to_dict()
    del old["metrics"]["viewed_m2"]
    (tmp_path / "results.json").write_text(json.dumps({"results": [old]}))
    assert totals(read_results(tmp_path)).flights == 1


def test_deeply_nested_file_has_no_results(tmp_path):
    (tmp_path / "results.json").write_text("[" * 100_000)
    with pytest.raises(DataError, match=r"results\.json: no results"):
        read_results(tmp_path)


def test_totals_are_weighted_by_the_time_of_each_flight():
    t = totals(
        [
            result(tracked=1.0, in_view=1.0, judged_s=90.0, losses=1, reacquire_visible_s=[2.0]),
            result(tracked=0.0, in_view=0.5, judged_s=10.0, losses=1, reacquire_visible_s=[4.0]),
            replace(result(success=False), metrics={}),
        ]
    )
    assert (t.flights, t.passed, t.losses) == (3, 2, 2)
    assert t.tracked.value == pytest.approx(0.9)
    assert t.in_view.value == pytest.approx(0.95)
    assert t.reacquire_visible_s.value == pytest.approx(3.0)


def test_crashed_flights_are_reported_and_not_counted(tmp_path):
    crashed = replace(result(seed=3, success=False), crashed=True, metrics={})
    flown = [result(seed=1, losses=1), result(seed=2, success=False, losses=2), crashed]
    t = totals(flown)
    assert (t.flights, t.passed, t.crashed, t.losses) == (2, 1, 1, 3)
    assert t.success.value == 0.5
    write_results(tmp_path, flown, {})
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert (suite.get("failures"), suite.get("errors")) == ("1", "1")


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
    assert len(json.loads(capsys.readouterr().out)["changes"]) == 3
    assert print_comparison(before, before, as_json=False)
    with pytest.raises(DataError, match="no flight in common"):
        changes(before, [result("other")])


def test_counts_have_the_interval_of_the_share_of_flights(capsys):
    flown = [result(seed=seed, losses=3 * (seed == 1), collisions=0) for seed in range(20)]
    t = totals(flown)
    assert (t.losses, t.with_loss, t.with_collision) == (3, wilson(1, 20), wilson(0, 20))
    print_results(flown)
    printed = " ".join(capsys.readouterr().out.split())
    assert "3 losses, in 0.050 (0.009 to 0.236) of the flights" in printed
    assert "0 collisions, in 0.000 (0.000 to 0.161) of the flights" in printed


def test_interval_without_width_is_no_certainty():
    assert with_error(Interval(1.0, 1.0, 1.0)) == "1.000 (no spread)"
    assert with_error(Interval(0.0, 0.0, 0.0004)) == "0.0000 (0.0000 to 0.0004)"
    assert with_error(Interval(0.95, 0.9, 0.97)) == "0.950 (0.900 to 0.970)"


# The report


def test_draws_have_intervals_and_the_page_says_how_many_are_compared(tmp_path):
    flown = [
        replace(
            result(seed=seed, success=seed % 5 > 0),
            draws={"rain": 0.1 * (seed % 5 == 0), "people": seed % 7, "cars": 3},
        )
        for seed in range(40)
    ]
    rain, people = hardest_draws(flown)
    assert (rain.name, rain.test.higher.value, people.name) == ("rain", 1.0, "people")
    page = write_report(tmp_path, flown, workers=1).read_text()
    assert with_error(people.test.higher) in page and with_error(rain.test.higher) in page
    assert "Number of draws compared: 2" in page
    assert "There are no logs of these flights" in page


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
    assert "src=" in page and "://" not in page
    assert "tracked <b>" not in page and "tracked \\u003cb>0.5" in page
    assert "followme-uav replay logs/one-seed1.mcap" in page
    drawn = {f: f.stat().st_mtime_ns for f in (tmp_path / "pictures").iterdir()}
    write_report(tmp_path, flown, workers=1)
    assert drawn == {f: f.stat().st_mtime_ns for f in (tmp_path / "pictures").iterdir()}


def test_death_of_a_process_that_draws_is_one_line(monkeypatch):
    """As when the memory is full."""

    class Pool:
        def submit(self, work, drawing):
            future = Future()
            future.set_exception(BrokenProcessPool("a process died"))
            return future

    monkeypatch.setattr(report, "worker_pool", lambda workers: nullcontext(Pool()))
    with pytest.raises(EnvironmentSetupError, match="fewer --workers"):
        list(report._draw(["one", "two"], 2))


def test_report_shows_the_map_that_a_flight_without_a_map_makes(tmp_path):
    mapless_flight.write_log(tmp_path / "logs" / "one-seed1.mcap")
    flown = [result(log="logs/one-seed1.mcap")]
    page = write_report(tmp_path, flown, workers=1).read_text()
    assert page.count("data:image/webp;base64,") == 4
    assert OWN_MAPS_CAPTION in page
    (maps,) = (tmp_path / "pictures").glob("*-own-maps.webp")
    with Image.open(maps) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    near = np.abs(pixels - rgb(MAP_LIGHT.viewed)).sum(axis=2) < 20
    assert near.mean() > 0.02, "no ground is looked at"


# Tuning


def test_failure_lowers_the_score_by_more_than_perfect_tracking_raises_it():
    good = result(tracked=0.9, landed=True, wrong_target_s=0.0)
    assert tune.score(good) == pytest.approx(0.9)
    assert tune.score(replace(good, metrics={**good.metrics, "collisions": 1})) < 0.0
    assert tune.score(replace(good, metrics={**good.metrics, "wrong_target_s": 0.1})) < 0.0
    assert tune.score(replace(good, metrics={})) == tune.BROKEN


class Tuning:
    """One flight improves with the gain; the worst flight has its best score at 0.4."""

    def __init__(self, folder, monkeypatch):
        self.flown = []
        self.campaign = Campaign(
            scenarios=(scenario(folder, flight={}),),
            variants=(Variant(pilot="oracle", overrides=("control.pan.kp=0.7",)),),
        )
        self.folder = folder / "out"
        self.space = {"control.pan.kp": tune.Span(low=0.2, high=0.8)}
        monkeypatch.setattr(tune, "fly_jobs", self.fly)

    def fly(self, jobs, fleet, settings, on_result):
        results = []
        for job in jobs:
            kp = job.config.control.pan.kp
            self.flown.append((job.seed, kp))
            tracked = 0.9 + 0.1 * kp if job.seed % 2 else 0.6 - abs(kp - 0.4)
            results.append(result(seed=job.seed, tracked=tracked, landed=True))
        return results

    def search(self, trials, held_out=(11, 12)):
        run = CampaignRun(self.folder, workers=1)
        return tune.tune(self.campaign, trials, run, held_out, self.space)


@pytest.fixture
def tuning(tmp_path, monkeypatch):
    return Tuning(tmp_path, monkeypatch)


def test_tuning_maximises_the_worst_flight_and_is_confirmed_on_other_seeds(tuning):
    found = tuning.search(25)
    assert found.values["control.pan.kp"] == pytest.approx(0.4, abs=0.05)
    assert found.is_better
    assert {seed for seed, kp in tuning.flown[-4:]} == {11, 12}
    written = yaml.safe_load((tuning.folder / "tuned.yaml").read_text())
    assert written == {"control": {"pan": {"kp": found.values["control.pan.kp"]}}}, (
        "not the values that were confirmed"
    )
    with pytest.raises(ConfigError, match="a scenario has seed 1"):
        tuning.search(1, held_out=(1, 5))


def test_interrupted_tuning_goes_on_with_the_next_trial(tuning):
    tuning.search(5)
    first = [kp for seed, kp in tuning.flown if seed < 3]
    tuning.flown.clear()
    tuning.search(8)
    second = {kp for seed, kp in tuning.flown if seed < 3}
    assert len(second) == 3 and not second & set(first)
    trials = json.loads((tuning.folder / "trials.json").read_text())
    assert len(trials) == 8
    assert [t["values"].get("control.pan.kp", 0.7) for t in trials[:5]] == list(
        dict.fromkeys(first)
    )


@pytest.mark.parametrize("damage", [b"hello\n", b"\0" * 50 + b"\n", b"\xff\n", b"{}\n", b"5\n"])
def test_damaged_study_is_one_line(tuning, damage):
    """A power cut may leave zeros at the end of the file."""
    tuning.folder.mkdir()
    (tuning.folder / tune.STUDY).write_bytes(damage)
    with pytest.raises(DataError, match=r"study\.journal: the study cannot be read") as found:
        tuning.search(2)
    assert "\n" not in str(found.value) and not tuning.flown


@pytest.mark.parametrize("interrupted_in", ["enqueue_trial", "ask", "flight"])
def test_tuning_interrupted_in_its_first_trial_begins_with_the_present_values(
    tuning, monkeypatch, interrupted_in
):
    """The study must not give the scores of the present values to others."""
    with monkeypatch.context() as patched:

        def interrupt(*_):
            raise KeyboardInterrupt

        if interrupted_in == "flight":
            patched.setattr(tune, "fly_jobs", interrupt)
        else:
            patched.setattr(optuna.Study, interrupted_in, interrupt)
        with pytest.raises(KeyboardInterrupt):
            tuning.search(3)
    tuning.search(3)
    storage = JournalStorage(JournalFileBackend(str(tuning.folder / tune.STUDY)))
    (study,) = optuna.get_all_study_summaries(storage)
    trials = optuna.load_study(study_name=study.study_name, storage=storage).get_trials()
    flown = [trial for trial in trials if "values" in trial.user_attrs]
    assert len(flown) == 3
    assert flown[0].user_attrs["values"] == {}
    assert flown[0].params == {"control.pan.kp": 0.7}
    for trial in flown[1:]:
        assert trial.user_attrs["values"] == trial.params


def test_trial_that_cannot_win_any_more_is_given_up(tuning, monkeypatch):
    """The first flight of each but the first trial is bad: the second one is not flown."""
    fly = tuning.fly

    def bad_later(jobs, *rest):
        good = jobs[0].config.control.pan.kp == 0.7
        return [replace(r, metrics={**r.metrics, "collisions": not good}) for r in fly(jobs, *rest)]

    monkeypatch.setattr(tune, "fly_jobs", bad_later)
    tuning.search(4)
    trials = json.loads((tuning.folder / "trials.json").read_text())
    assert [trial["pruned"] for trial in trials] == [False, True, True, True]
    assert [seed for seed, _ in tuning.flown[:5]] == [1, 2, 1, 1, 1]


def test_tuning_tries_whole_numbers_for_an_integer_key(tuning):
    """The configuration takes no others: the search would end with its second trial."""
    tuning.space = {"mission.acquire_frames": tune.Span(low=1, high=9, log=True)}
    tuning.search(6)
    trials = json.loads((tuning.folder / "trials.json").read_text())
    tried = [trial["values"]["mission.acquire_frames"] for trial in trials[1:]]
    assert all(isinstance(value, int) and 1 <= value <= 9 for value in tried)
    assert len(set(tried)) > 1


def test_tuning_space_with_a_key_that_is_no_number_is_refused(tmp_path):
    path = tmp_path / "space.yaml"
    path.write_text("mission.release_control: {low: 0, high: 1}")
    with pytest.raises(ConfigError, match=r"space\.yaml: mission\.release_control: is true or"):
        tune.read_space(path)


def test_tuning_space_with_an_unknown_key_is_refused(tmp_path):
    path = tmp_path / "space.yaml"
    path.write_text("control.pan.kq: {low: 0, high: 1}")
    with pytest.raises(ConfigError, match=r"control\.pan\.kq"):
        tune.read_space(path)
    path.write_text("control.pan.kp: {low: 2, high: 1}")
    with pytest.raises(ConfigError, match=r"space\.yaml: .*low must be below high"):
        tune.read_space(path)
    assert tune.read_space(tune.SPACE)
