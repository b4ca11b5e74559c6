"""If these fail, an option of a campaign is misread, or its answers are not its flights'."""

import json
import shlex
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from followme_uav import cli
from followme_uav.commands.scenario import half_width_of, shard_of
from followme_uav.errors import ConfigError, FollowMeError
from followme_uav.scenario import run as scenario_run
from followme_uav.scenario.execution.results import content_hash, read_results
from followme_uav.statistics.stopping import sequence_interval
from tests.unit.campaign_parts import InlineFleet, stub_flight
from tests.unit.scenario_parts import write_script

pytest.importorskip("pyarrow")
pytest.importorskip("duckdb")


@pytest.mark.parametrize("text", ["", "0/3", "4/3", "1", "a/b", "-1/2", "1/" + "9" * 5000])
def test_shard_is_a_part_of_a_number_of_parts(text):
    assert shard_of("2/3") == (2, 3)
    with pytest.raises(ConfigError, match="--shard"):
        shard_of(text)


@pytest.mark.parametrize("text", ["0.01", "half-width=", "half-width=0", "half-width=0.7", "x=1"])
def test_until_is_a_half_width(text):
    assert half_width_of("half-width=0.01") == 0.01
    assert half_width_of(None) is None
    with pytest.raises(ConfigError, match="--until"):
        half_width_of(text)


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Runs a command with flights that take no time: (exit code, output)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(scenario_run, "open_fleet", lambda run: nullcontext(InlineFleet()))
    settings_of = scenario_run.settings_of
    monkeypatch.setattr(
        scenario_run, "settings_of", lambda run: replace(settings_of(run), fly=stub_flight)
    )
    write_script(tmp_path, seeds=list(range(1, 9)))
    (tmp_path / "plan.yaml").write_text("{scenarios: [one.yaml], pilots: [oracle]}")

    def run(text):
        done = CliRunner().invoke(cli.app, shlex.split(text))
        if isinstance(done.exception, FollowMeError):
            return done.exception.exit_code, str(done.exception)
        return done.exit_code, done.stdout

    return run


FLY = "campaign run plan.yaml --no-report --logs none"


def test_run_query_and_command_that_flies_one_flight_again(command):
    assert command(f"{FLY} --out whole")[0] == 1, "seed 7 fails"
    code, out = command('campaign query whole "select seed from flights where not success" --json')
    assert (code, json.loads(out)) == (0, [{"seed": 7}])
    code, again = command("campaign command whole one-seed7")
    assert code == 0 and again.startswith("followme-uav campaign run whole --only ")
    again = again.replace("followme-uav ", "").replace("--logs all", "--logs none --no-report")
    assert command(again)[0] == 1
    (flown,) = read_results(Path("whole-one-seed7"))
    assert flown.repeatable() == read_results(Path("whole"))[6].repeatable()
    assert command("campaign command whole one-seed99")[0] == 2


def test_parts_give_the_rows_of_the_whole_when_merged(command):
    command(f"{FLY} --out whole")
    for number in (1, 2):
        command(f"{FLY} --out part{number} --shard {number}/2")
    assert command("campaign merge both part1 part2 --no-report")[0] == 0
    both, whole = read_results(Path("both")), read_results(Path("whole"))
    assert content_hash(both) == content_hash(whole)
    Path("other.yaml").write_text("{random: [1], pilots: [oracle]}")
    command("campaign run other.yaml --no-report --out other")
    code, text = command("campaign merge all part1 other --no-report")
    assert (code, "different plans" in text) == (2, True)


def test_merged_run_has_no_report_of_an_earlier_one(command):
    """It would be taken for that of the figures beside it."""
    command(f"{FLY} --out part")
    Path("both").mkdir()
    Path("both/report.html").write_text("of an earlier run")
    assert command("campaign merge both part --no-report")[0] == 0
    assert not Path("both/report.html").exists()


def test_until_and_shard_exclude_each_other(command):
    code, text = command(f"{FLY} --out x --shard 1/2 --until half-width=0.1")
    assert (code, "leave --shard out" in text) == (2, True)


def test_run_that_stops_early_has_the_interval_of_the_sequence_everywhere(command):
    """Wilson's interval would be too narrow."""
    write_script(Path(), seeds=list(range(300)))
    _, out = command(f"{FLY.replace('--no-report', '')} --out x --until half-width=0.2")
    results = read_results(Path("x"))
    assert 20 <= len(results) < 300
    interval = sequence_interval(sum(r.success for r in results), len(results))
    shown = f"({interval.low:.3f} to {interval.high:.3f})"
    assert shown in out and shown in Path("x/report.html").read_text()
    success = json.loads(Path("x/results.json").read_text())["totals"]["success"]
    assert (success["low"], success["high"]) == (interval.low, interval.high)


def test_run_that_stopped_early_keeps_its_interval_when_compared_or_merged(command):
    """Also against a run of all flights: the comparison has as many of them as the other run."""
    write_script(Path(), seeds=list(range(300)))
    command(f"{FLY} --out x --until half-width=0.2")
    command(f"{FLY} --out whole")
    results = read_results(Path("x"))
    interval = sequence_interval(sum(r.success for r in results), len(results))
    shown = f"({interval.low:.3f} to {interval.high:.3f})"
    for runs in ("x whole", "whole x", "x/results.json whole"):
        assert command(f"scenario compare {runs}")[1].count(shown) == 2, runs
    assert shown in command("campaign merge merged x x --no-report")[1]
    content = json.loads(Path("merged/results.json").read_text())
    assert content["stopped_early"] is True
    assert content["totals"]["success"]["low"] == interval.low


@pytest.mark.parametrize("end", [10**6 + 1, 10**30])
def test_more_flights_than_memory_holds_are_refused_at_once(command, end):
    code, text = command(f"scenario random --seeds 0:{end} --pilot oracle --no-report")
    assert (code, "at most 1000000" in text) == (2, True)


@pytest.mark.parametrize("seeds", [f"{2**63}:{2**63 + 2}", "0:" + "9" * 5000, "1:1", "a:b"])
def test_seeds_that_no_table_holds_are_refused_before_the_first_flight(command, seeds):
    for text in (
        f"scenario random --seeds {seeds} --pilot oracle --no-report",
        f"scenario run one.yaml --seeds {seeds} --pilot oracle --no-report",
        f"tune one.yaml --confirm {seeds} --pilot oracle",
    ):
        code, said = command(text)
        assert code == 2
        assert said.startswith("--confirm" if text.startswith("tune") else "--seeds"), said


def test_more_seeds_to_confirm_on_than_memory_holds_are_refused_at_once(command):
    code, text = command(f"tune one.yaml --confirm 400:{10**12} --pilot oracle")
    assert (code, "--confirm: at most 1000000" in text) == (2, True)


@pytest.mark.parametrize("limit", ["nan", "inf", "1e300", "1e10"])
def test_limit_of_a_flight_that_no_timer_can_wait_is_refused(command, limit):
    assert command(f"{FLY} --out x --flight-limit {limit}")[0] == 2
    assert not Path("x").exists()


def test_json_of_a_query_has_no_numbers_that_json_lacks(command):
    """Readers of JSON reject NaN and Infinity."""
    command(f"{FLY} --out whole")
    sql = "select 1.0::double / 0 as a, ['nan'::double, 1.0] as b, {'c': 'inf'::double} as d"
    code, out = command(f'campaign query whole "{sql}" --json')

    def refuse(name):
        raise AssertionError(name)

    rows = json.loads(out, parse_constant=refuse)
    assert (code, rows) == (0, [{"a": None, "b": [None, 1.0], "d": {"c": None}}])
