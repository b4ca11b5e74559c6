"""If these fail, a machine of a cluster ends a campaign, or runs code of its other users."""

import hashlib
import stat
from pathlib import Path

import pytest

from followme_uav.errors import OutputError
from followme_uav.perception import DEFAULT_WEIGHTS
from followme_uav.perception.network_files import sha256
from followme_uav.scenario.execution import ray_fleet
from followme_uav.scenario.execution.flight import FlightSettings, code_digest
from followme_uav.scenario.execution.jobs import jobs_of
from followme_uav.scenario.script.plan import Variant, one_variant
from followme_uav.worlds.world_file import save_world
from tests.unit.campaign_parts import campaign, stub_flight
from tests.unit.scenario_parts import scenario
from tests.unit.world_parts import crossing


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """A folder for temporary files, and a process that is prepared already."""
    monkeypatch.setattr(ray_fleet.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(ray_fleet, "_prepare_process", lambda threads: None)
    ray_fleet._own_folder.cache_clear()
    yield ray_fleet._own_folder
    ray_fleet._own_folder.cache_clear()


def test_files_go_into_a_folder_that_others_cannot_write_to(own_folder, tmp_path):
    folder = own_folder()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    own_folder.cache_clear()
    assert own_folder() == folder, "the next process finds the files"


@pytest.mark.parametrize("kind", ["open", "link"])
def test_prepared_folder_of_another_user_is_not_used(own_folder, kind):
    folder = own_folder()
    own_folder.cache_clear()
    if kind == "open":
        folder.chmod(0o777)
    else:
        folder.rename(folder.with_name("elsewhere"))
        folder.symlink_to("elsewhere")
    other = own_folder()
    assert other != folder
    assert stat.S_IMODE(other.stat().st_mode) == 0o700


def on_node(tmp_path, weights):
    """Fly a job whose weights are not at their path here."""
    [job] = jobs_of(campaign(tmp_path, seeds=[1]))
    variant = job.variant.model_copy(update={"weights": Path("/gone/net.h5")})
    job = ray_fleet.replace(job, variant=variant, weights_sha256=sha256(DEFAULT_WEIGHTS))
    settings = FlightSettings(None, "none")
    return ray_fleet._fly_on_node(uses_weights, job, settings, weights, None, None, code_digest())


def uses_weights(job, settings):
    assert job.variant.weights.name == "net.h5"
    assert sha256(job.variant.weights) == job.weights_sha256
    return stub_flight(job, settings)


def test_machine_with_a_full_disk_is_a_crash_and_flies_when_there_is_room(tmp_path, monkeypatch):
    """The other machines go on."""
    weights = {"net.h5": DEFAULT_WEIGHTS.read_bytes()}

    def full(path, content):
        raise OutputError(f"{path}: cannot write: no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(ray_fleet, "write_whole", full)
        result = on_node(tmp_path, weights).result
    assert result.crashed and "no space left" in result.reason
    assert on_node(tmp_path, weights).result.outcome == "passed"


def test_damaged_file_of_an_earlier_flight_is_written_again(tmp_path, own_folder):
    weights = {"net.h5": DEFAULT_WEIGHTS.read_bytes()}
    on_node(tmp_path, weights)
    [file] = own_folder().rglob("net.h5")
    file.write_bytes(b"damaged")
    assert on_node(tmp_path, weights).result.outcome == "passed"


def test_world_file_is_written_where_the_flight_is_flown(tmp_path):
    file = tmp_path / "town.yaml"
    save_world(crossing(), file)
    variant = Variant(pilot="oracle", world={"place": str(file)})
    [job] = jobs_of(one_variant([scenario(tmp_path)], variant, seeds=[1]))
    content = file.read_bytes()
    file.unlink()
    ray_fleet._fly_on_node(
        uses_world, job, FlightSettings(None, "none"), None, None, {file.name: content},
        code_digest(),
    )  # fmt: skip


def uses_world(job, settings):
    place = Path(job.scenario().world.place)
    assert place.name == "town.yaml"
    assert hashlib.sha256(place.read_bytes()).hexdigest() == job.place_sha256
    return stub_flight(job, settings)
