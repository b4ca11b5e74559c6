"""A campaign on a Ray cluster loses processes or a node, and has the rows of a local run.

If these fail, a campaign on several machines loses flights, flies other ones, or ends in a
traceback.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from followme_uav.errors import ConfigError, DataError, EnvironmentSetupError, PilotError
from followme_uav.perception import DEFAULT_WEIGHTS
from followme_uav.scenario.execution.fleet import local_fleet
from followme_uav.scenario.execution.flight import FlightSettings, fly_job
from followme_uav.scenario.execution.jobs import jobs_of
from followme_uav.scenario.execution.ray_connection import connected
from followme_uav.scenario.execution.ray_fleet import ray_fleet
from followme_uav.scenario.execution.results import RowFile, content_hash
from followme_uav.scenario.execution.runner import fly_jobs
from followme_uav.scenario.script.plan import Variant, digest_in
from tests.ray_cluster import add_node, processes_of, ray_cluster
from tests.unit.campaign_parts import (
    BEGUN_ON_LOST_NODE,
    IS_LOST_NODE,
    ORIGINALS,
    SHARED,
    WAIT_S,
    InlineFleet,
    campaign,
    flight_on_cluster,
    flight_with_limited_threads,
    killed_flight,
    real_flight_on_cluster,
    run_settings,
    short_flight,
    stub_flight,
)
from tests.unit.onnx_parts import save_network
from tests.unit.scenario_parts import scenario

ray = pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
ROOT = Path(__file__).resolve().parents[2]
PILOT = '''
from dataclasses import replace
from followme_uav import Pilot

class Slow(Pilot):
    """The pilot at half the speed."""
    def step(self, frame):
        step = super().step(frame)
        north, east, down = step.command.velocity_mps
        slow = replace(step.command, velocity_mps=(north / 2, east / 2, down / 2))
        return replace(step, command=slow)
'''


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """The folder that the processes of the cluster know."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def two_nodes(shared):
    """Two nodes of this machine, the workers of which import this program and its tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv(SHARED, str(shared))
        with ray_cluster(nodes=2) as cluster:
            yield cluster


@pytest.fixture
def cluster(two_nodes, shared):
    """The two nodes, and an empty shared folder."""
    shutil.rmtree(shared)
    shared.mkdir()
    return two_nodes


def ignore(result, was_there):
    pass


def wait_until(condition, what):
    end_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end_s, what
        time.sleep(0.05)


def loses_third_node(cluster, shared, before=lambda: None):
    """Add a node that is lost when a flight has begun there."""
    third = add_node(cluster, num_cpus=1, env_vars={IS_LOST_NODE: "1"})

    def lose():
        before()
        wait_until((shared / BEGUN_ON_LOST_NODE).exists, "no flight was given to the third node")
        cluster.remove_node(third, allow_graceful=False)

    Thread(target=lose, daemon=True).start()


def test_campaign_that_loses_a_node_has_each_flight_once_and_the_rows_of_a_local_run(
    cluster, shared, tmp_path
):
    network = Variant(weights=DEFAULT_WEIGHTS, axes={"weights": "model1"})
    jobs = jobs_of(replace(campaign(tmp_path, seeds=range(60)), variants=(network,)))
    folder = tmp_path / "ray"
    folder.mkdir()
    settings = run_settings(
        folder, flight=FlightSettings(folder, "failures"), fly=flight_on_cluster
    )
    told = []
    loses_third_node(cluster, shared)
    with ray_fleet(cluster.address) as fleet:
        results = fly_jobs(jobs, fleet, settings, lambda result, was_there: told.append(result))
        assert fleet.stored == 1, "the weights were sent more than once"
    assert [r.seed for r in results] == list(range(60))
    assert len(RowFile(folder).read()) == len(told) == 60
    assert not any(r.crashed for r in results)
    assert max(r.attempts for r in results) > 1, "the node was lost without a flight"
    logs = {r.seed for r in results if r.log is not None}
    assert logs == {r.seed for r in results if not r.success}
    assert {f.read_bytes() for f in (folder / "logs").iterdir()} == {b"log"}

    local = tmp_path / "local"
    local.mkdir()
    # These see no cluster: the log of a failure is written by the distributing process as well.
    alone = fly_jobs(
        jobs, InlineFleet(), run_settings(local, fly=stub_flight), lambda result, was_there: None
    )
    assert content_hash(alone) == content_hash(results)


def test_real_flights_of_own_pilot_and_network_survive_the_loss_of_a_node_and_of_their_files(
    cluster, shared, tmp_path
):
    """A node has no such files; the same flights, flown here before, give the same rows."""
    originals = shared / ORIGINALS
    originals.mkdir()
    (originals / "slow.py").write_text(PILOT)
    own = Variant(
        pilot=f"{originals / 'slow.py'}:Slow",
        weights=save_network(originals / "net.onnx"),
        axes={"pilot": "slow.Slow"},
        label="slow",
    )
    short = scenario(tmp_path, name="short", duration_s=4, seeds=[1, 2])
    both = (Variant(axes={"pilot": "network"}, label="network"), own)
    jobs = jobs_of(replace(campaign(tmp_path, seeds=(1, 2)), scenarios=(short,), variants=both))
    for name in ("local", "ray"):
        (tmp_path / name).mkdir()
    flight = FlightSettings(tmp_path / "local", "all")
    with local_fleet(2) as here:
        settings = run_settings(tmp_path / "local", flight=flight, fly=fly_job)
        local = fly_jobs(jobs, here, settings, ignore)
    assert not any(r.crashed for r in local), [r.reason for r in local]
    assert len({r.metrics["min_clearance_m"] for r in local}) == 4, "the pilots fly alike"

    with ray_fleet(cluster.address) as fleet:

        def remove_originals():
            wait_until(lambda: fleet.stored == 3, "the files are not in the object store")
            originals.rename(shared / "removed")

        loses_third_node(cluster, shared, before=remove_originals)
        settings = replace(settings, folder=tmp_path / "ray", fly=real_flight_on_cluster)
        results = fly_jobs(jobs, fleet, settings, ignore)
    assert content_hash(results) == content_hash(local)
    assert [r.id for r in results] == [job.id for job in jobs]
    assert len(RowFile(tmp_path / "ray").read()) == 4
    assert max(r.attempts for r in results) > 1, "the node was lost without a flight"
    assert {r.log for r in results} == {f"logs/{job.key}.mcap" for job in jobs}
    assert all((tmp_path / "ray" / r.log).stat().st_size > 1000 for r in results)


def test_killed_process_costs_its_own_flight_at_most(cluster, tmp_path):
    settings = run_settings(tmp_path, fly=killed_flight)
    with ray_fleet(cluster.address) as fleet:
        results = fly_jobs(jobs_of(campaign(tmp_path)), fleet, settings, ignore)
    outcomes = {r.seed: (r.outcome, r.attempts) for r in results}
    assert outcomes.pop(3) == ("passed", 2)
    assert outcomes.pop(5) == ("crashed", 3)
    assert outcomes.pop(7) == ("failed", 1)
    assert set(outcomes.values()) == {("passed", 1)}


# Ctrl-C

RUN = """
import sys
from pathlib import Path
import followme_uav.cli
from followme_uav.scenario.run import CampaignRun, fly_campaign
from tests.unit import campaign_parts as parts

def run():
    folder = Path(sys.argv[1])
    settings = CampaignRun(
        folder / "run", ray=sys.argv[2], logs="none", report=False, fly=parts.short_flight
    )
    fly_campaign(parts.campaign(folder, seeds=range(100)), settings)

if __name__ == "__main__":
    followme_uav.cli.app = run  # with the handling of errors and Ctrl-C of a command
    followme_uav.cli.main()
"""


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_run_that_is_ended_is_completed_without_repetition(cluster, tmp_path, end):
    (tmp_path / "run.py").write_text(RUN)
    rows = tmp_path / "run" / "flights.jsonl"
    process = subprocess.Popen(
        [sys.executable, "run.py", str(tmp_path), cluster.address],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        wait_until(lambda: rows.exists() and len(rows.read_text().split("\n")) > 4, "no flights")
        process.send_signal(end)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == (130 if end == signal.SIGINT else -end), errors
    assert "Traceback" not in errors
    assert ("followme-uav: interrupted" in errors) == (end == signal.SIGINT)
    before = [row.result.seed for row in RowFile(tmp_path / "run").read()]
    assert 4 <= len(before) < 100
    jobs = jobs_of(campaign(tmp_path, seeds=range(100)))
    same_plan = {"plan": digest_in(tmp_path / "run")}
    settings, told = run_settings(tmp_path / "run", fly=short_flight, **same_plan), []
    results = fly_jobs(
        jobs, InlineFleet(), settings, lambda result, was: told.append((result.seed, was))
    )
    assert {seed for seed, was_there in told if was_there} == set(before)
    assert len(results) == len(RowFile(tmp_path / "run").read()) == 100
    wait_until(
        lambda: not any(is_flying(pid) for pid in processes_of(cluster)), "a flight lives on"
    )


def is_flying(pid):
    """Whether a process of the cluster has a task."""
    try:
        return b"_fly_on_node" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


# Errors of one line


def test_threads_of_numerical_libraries_are_limited_before_a_process_starts(cluster, tmp_path):
    """OpenBLAS reads its variable while NumPy is imported: results depend on it."""
    job, *_ = jobs_of(campaign(tmp_path, seeds=range(1)))
    settings = FlightSettings(tmp_path, "none")
    with ray_fleet(cluster.address) as fleet:
        flown = fleet.submit(flight_with_limited_threads, job, settings).result(WAIT_S)
    assert flown.result.success, flown.result.reason


def test_machine_with_another_version_ends_the_run_in_one_line(cluster, tmp_path):
    [job] = jobs_of(campaign(tmp_path, seeds=[1]))
    own = tmp_path / "own.py"
    own.write_text(PILOT)
    variant = job.variant.model_copy(update={"pilot": "followme_uav.pilot.pilot:Pilot"})
    module = replace(job, variant=variant, pilot_sha256="another")
    variant = job.variant.model_copy(update={"pilot": f"{own}:Slow"})
    file = replace(job, variant=variant, pilot_sha256="another")
    with ray_fleet(cluster.address) as fleet:

        def one_line(job, error, match, fly=stub_flight):
            with pytest.raises(error, match=match) as found:
                fly_jobs([job], fleet, run_settings(tmp_path, fly=fly), ignore)
            assert "\n" not in str(found.value)
            assert found.value.exit_code == 2

        one_line(module, PilotError, "pilot:Pilot: a machine of the cluster has another version")
        one_line(file, DataError, r"own\.py: was changed after the start; run the same command")
        one_line(job, EnvironmentSetupError, r"cannot fly \(.*ModuleNotFoundError", unknown_there())
        fleet._code = "another"
        one_line(job, ConfigError, "another version of followme-uav; install the same one")


def unknown_there():
    """A function of a module that the machines of the cluster lack."""
    module = type(sys)("module_of_this_machine")
    exec("def fly(job, settings): pass", module.__dict__)
    sys.modules[module.__name__] = module
    return module.fly


def test_cluster_with_another_version_of_ray_is_one_line(cluster, monkeypatch):
    monkeypatch.setattr(ray, "__version__", "1.0")
    with (
        pytest.raises(EnvironmentSetupError, match="Version mismatch") as error,
        connected(cluster.address),
    ):
        pass
    text = str(error.value)
    assert "Ray: 1.0" in text and text.endswith("; install the same versions")
    assert "\n" not in text and error.value.exit_code == 2
