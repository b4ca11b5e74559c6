"""A campaign on a Ray cluster of three nodes loses one, and has the rows of a local run."""

import time
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from followme_uav.errors import EnvironmentSetupError
from followme_uav.perception import DEFAULT_WEIGHTS
from followme_uav.scenario.execution.flight import FlightSettings
from followme_uav.scenario.execution.jobs import jobs_of
from followme_uav.scenario.execution.results import RowFile, content_hash
from followme_uav.scenario.execution.runner import fly_jobs
from followme_uav.scenario.script.plan import Variant
from tests.unit.campaign_parts import (
    BEGUN_ON_LOST_NODE,
    IS_LOST_NODE,
    InlineFleet,
    campaign,
    flight_on_cluster,
    run_settings,
)

ray = pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
ROOT = Path(__file__).resolve().parents[2]


ATTEMPTS = 3
NODE = {"object_store_memory": 10**8}


def attempted(start):
    """Start something of Ray, which gives itself 30 s only, on a machine that may be busy."""
    for attempt in range(ATTEMPTS):
        try:
            return start()
        except Exception as error:
            if "timed out during startup" not in str(error) or attempt == ATTEMPTS - 1:
                raise
    raise AssertionError


@pytest.fixture
def cluster(monkeypatch, tmp_path):
    """Two nodes of this machine, the workers of which import this program and its tests."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv(BEGUN_ON_LOST_NODE, str(tmp_path / "begun"))
    head = {"num_cpus": 1, "include_dashboard": False, **NODE}
    made = attempted(lambda: Cluster(initialize_head=True, head_node_args=head))
    attempted(lambda: made.add_node(num_cpus=1, **NODE))
    yield made
    ray.shutdown()
    made.shutdown()


def test_campaign_that_loses_a_node_has_each_flight_once_and_the_rows_of_a_local_run(
    cluster, tmp_path
):
    from followme_uav.scenario.execution.ray_fleet import ray_fleet

    third = attempted(lambda: cluster.add_node(num_cpus=2, env_vars={IS_LOST_NODE: "1"}, **NODE))
    network = Variant(weights=DEFAULT_WEIGHTS, axes={"weights": "model1"})
    jobs = jobs_of(replace(campaign(tmp_path, seeds=range(60)), variants=(network,)))
    folder = tmp_path / "ray"
    folder.mkdir()
    settings = run_settings(
        folder, flight=FlightSettings(folder, "failures"), fly=flight_on_cluster
    )
    told = []

    def lose_node():
        while not (tmp_path / "begun").exists():
            time.sleep(0.1)
        cluster.remove_node(third, allow_graceful=False)

    Thread(target=lose_node, daemon=True).start()
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
    alone = fly_jobs(
        jobs, InlineFleet(), replace(settings, folder=local), lambda result, was_there: None
    )
    assert content_hash(alone) == content_hash(results)


def test_address_without_a_cluster_is_one_line(tmp_path):
    from followme_uav.scenario.execution.ray_fleet import ray_fleet

    with (
        pytest.raises(EnvironmentSetupError, match="--ray auto: no cluster") as error,
        ray_fleet("auto"),
    ):
        pass
    assert "\n" not in str(error.value)
