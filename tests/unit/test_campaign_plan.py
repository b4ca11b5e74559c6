"""If these fail, a campaign flies other flights than its plan says, or the same ones twice."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from followme_uav.errors import ConfigError
from followme_uav.perception import DEFAULT_WEIGHTS
from followme_uav.scenario.execution.jobs import chosen_by, jobs_of, shard_of
from followme_uav.scenario.script.plan import PLAN, Variant, pilot_label, plan_of, read_plan
from followme_uav.sim.vehicle.vehicle_spec import load_vehicle
from followme_uav.worlds.world_file import save_world
from tests.unit.campaign_parts import campaign
from tests.unit.onnx_parts import PLAIN, network, save_network
from tests.unit.scenario_parts import SCRIPT, write_script
from tests.unit.world_parts import crossing

WEIGHTS = [str(DEFAULT_WEIGHTS.with_name(f"{name}.h5")) for name in ("model1", "model2")]


def plan(folder, **keys):
    write_script(folder)
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump({"scenarios": ["one.yaml"], **keys}))
    return read_plan(path)


def test_crossed_axes_give_each_combination_with_each_seed(tmp_path):
    campaign = plan(
        tmp_path,
        seeds="5:8",
        weights=WEIGHTS,
        overrides={"near": [], "far": ["control.wanted_distance_m=9"]},
    )
    jobs = jobs_of(campaign)
    assert len(jobs) == campaign.flights == len({job.id for job in jobs}) == 3 * 2 * 2
    assert {job.variant.label for job in jobs} == {
        "model1-near",
        "model1-far",
        "model2-near",
        "model2-far",
    }
    far = next(job for job in jobs if job.variant.axes["overrides"] == "far")
    assert far.config.control.wanted_distance_m == 9
    assert far.key == f"one-seed{far.seed}-{far.variant.label}"


def test_paired_axes_give_the_first_values_then_the_second_ones(tmp_path):
    campaign = plan(
        tmp_path,
        pilots=["network", "original"],
        weights=WEIGHTS,
        combine="paired",
    )
    assert [(v.pilot, v.weights.stem) for v in campaign.variants] == [
        ("network", "model1"),
        ("original", "model2"),
    ]


def test_variants_with_the_same_flight_fly_it_once(tmp_path):
    """The pilot on exact masks uses no weights."""
    campaign = plan(tmp_path, pilots=["oracle"], weights=WEIGHTS)
    assert campaign.flights == 4
    assert len(jobs_of(campaign)) == 2


def test_world_axis_changes_the_world_of_scripts_and_of_random_scenarios(tmp_path):
    campaign = plan(
        tmp_path,
        pilots=["oracle"],
        seeds=[1],
        random=[9001],
        worlds={"clear": {"light": {"fog": 0.0}}, "fog": {"light": {"fog": 0.4}}},
    )
    fogs = {(job.name, job.scenario().world.light.fog) for job in jobs_of(campaign)}
    assert fogs == {("one", 0.0), ("one", 0.4), ("random", 0.0), ("random", 0.4)}


def test_vehicle_axis_takes_names_and_files_beside_the_plan_and_keeps_their_content(tmp_path):
    (tmp_path / "heavy.yaml").write_text("{extends: nimble, airframe: {mass_kg: 1.5}}")
    keys = {"pilots": ["oracle"], "seeds": [1], "vehicles": ["simpleflight", "heavy.yaml"]}
    campaign = plan(tmp_path, worlds={"fog": {"light": {"fog": 0.4}}}, **keys)
    (tmp_path / "heavy.yaml").unlink()
    simple, heavy = jobs_of(campaign)
    labels = [variant.axes["vehicle"] for variant in campaign.variants]
    assert labels == ["simpleflight", "heavy"]
    masses_kg = [
        load_vehicle(job.scenario().world.vehicle).airframe.mass_kg for job in (simple, heavy)
    ]
    assert masses_kg == [load_vehicle("simpleflight").airframe.mass_kg, 1.5]
    assert {job.scenario().world.light.fog for job in (simple, heavy)} == {0.4}


def test_id_depends_on_all_that_determines_the_flight_and_on_nothing_else(tmp_path):
    def ids(**keys):
        return {job.id for job in jobs_of(plan(tmp_path, seeds=[1], **keys))}

    base = ids()
    assert base == ids(why="Another reason.", overrides={"x": ["perception.threads=2"]})
    others = [
        ids(pilots=["oracle"]),
        ids(weights=WEIGHTS[1:]),
        ids(overrides={"x": ["control.wanted_distance_m=9"]}),
        ids(worlds={"x": {"people": 3}}),
        ids(config={"control": {"wanted_distance_m": 8}}),
    ]
    write_script(tmp_path, expect={"collisions": 1})
    others.append({job.id for job in jobs_of(read_plan(tmp_path / "plan.yaml"))})
    assert len({*base}.union(*others)) == 1 + len(others)


@pytest.mark.parametrize("in_script", [True, False])
def test_id_depends_on_the_content_of_a_world_file_and_not_on_its_path(tmp_path, in_script):
    one, other = tmp_path / "one_town.yaml", tmp_path / "other.yaml"

    def id_in(file):
        world = {"place": str(file)}
        campaign = plan(tmp_path, seeds=[1], worlds={} if in_script else {"x": world})
        if in_script:
            write_script(tmp_path, world=world)
            campaign = read_plan(tmp_path / "plan.yaml")
        [job] = jobs_of(campaign)
        return job.id

    save_world(crossing(), one)
    shutil.copy(one, other)
    before = id_in(one)
    assert id_in(other) == before
    save_world(crossing(start_m=(5.0, 0.0)), one)
    assert id_in(one) != before
    assert id_in(other) == before


def test_world_file_that_is_wrong_is_refused_before_the_first_flight(tmp_path):
    town = tmp_path / "town.yaml"
    town.write_text("{name: town, bounds: {}}")
    with pytest.raises(ConfigError, match=r"town\.yaml: bounds\.south_m"):
        jobs_of(plan(tmp_path, seeds=[1], worlds={"x": {"place": str(town)}}))


def test_shards_are_disjoint_and_together_the_whole(tmp_path):
    jobs = jobs_of(plan(tmp_path, pilots=["oracle"], seeds="0:20"))
    shards = [shard_of(jobs, number, 3) for number in (1, 2, 3)]
    ids = [job.id for shard in shards for job in shard]
    assert sorted(ids) == sorted(job.id for job in jobs)
    assert {len(shard) for shard in shards} == {6, 7}


def test_plan_of_a_run_gives_the_same_flights_without_the_scripts(tmp_path):
    campaign = plan(
        tmp_path,
        seeds="0:3",
        random=[7],
        weights=WEIGHTS,
        worlds={"fog": {"light": {"fog": 0.4}}},
        config={"duration_s": 50},
    )
    run = tmp_path / "run"
    run.mkdir()
    (run / PLAN).write_text(yaml.safe_dump(plan_of(campaign)))
    (tmp_path / "one.yaml").unlink()
    jobs, again = jobs_of(campaign), jobs_of(read_plan(run))
    assert [(job.id, job.key) for job in again] == [(job.id, job.key) for job in jobs]
    assert chosen_by(again, jobs[2].id[:9]) == [again[2]]
    with pytest.raises(ConfigError, match="--only ffff: 0 flights"):
        chosen_by(again, "ffff")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"scenarios": []}, "give scenarios, or random"),
        ({"pilots": ["autopilot"]}, "'autopilot' is unknown"),
        ({"pilots": ["quadsim"]}, "pilots: 'quadsim' is unknown"),
        ({"seeds": "5:1"}, "write seeds as A:B"),
        ({"seeds": "0:9999999"}, "at most 1000000"),
        ({"weather": ["fog"]}, "weather: unknown key"),
        ({"combine": "mixed"}, "combine"),
        (
            {"combine": "paired", "pilots": ["network", "original"], "weights": ["a", "b", "c"]},
            "as many values each",
        ),
        ({"overrides": {"a/b": []}}, "overrides"),
        ({"scenarios": ["gone"]}, "scenario 'gone' is unknown"),
        ({"scenarios": [{**SCRIPT, "name": "../evil"}]}, r"scenarios\.0: name"),
        ({"scenarios": [{**SCRIPT, "name": ""}]}, r"scenarios\.0: name"),
        ({"scenarios": [{**SCRIPT, "name": "one", "seeds": [2**63]}]}, r"seeds\.0"),
        ({"seeds": [2**63]}, r"seeds\.0"),
        ({"variants": [{"label": "../evil"}]}, r"variants\.0\.label"),
        ({"vehicles": ["balloon"]}, "vehicle 'balloon' is unknown"),
    ],
)
def test_wrong_plan_is_one_line_that_names_the_key(tmp_path, keys, message):
    with pytest.raises(ConfigError, match=message) as found:
        plan(tmp_path, **keys)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("names", "random"), [(["one", "one"], []), (["random"], [1]), (["one", "two", "two"], [1])]
)
def test_two_scenarios_of_one_name_are_refused(tmp_path, names, random):
    """Else the flights of one would overwrite the logs of the other."""
    scripts = [{**SCRIPT, "name": name, "duration_s": 20 + i} for i, name in enumerate(names)]
    with pytest.raises(ConfigError, match=f"two scenarios are called {names[-1]}"):
        jobs_of(plan(tmp_path, scenarios=scripts, random=random, pilots=["oracle"]))


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        (Variant(pilot="oracle", label="x" * 240), "too long for a file"),
        (Variant(pilot="oracle", label="\u00e9" * 120), "too long for a file"),
        (Variant(pilot="oracle", axes={"weights": "\udcff"}), "no UTF-8 text"),
    ],
)
def test_labels_that_files_cannot_have_are_refused_before_the_first_flight(
    tmp_path, variant, message
):
    """Each flight would crash at its log, or the table fail after the last one."""
    with pytest.raises(ConfigError, match=message):
        jobs_of(replace(campaign(tmp_path), variants=(variant,)))


def test_wrong_world_or_override_is_found_before_the_first_flight(tmp_path):
    for keys in ({"worlds": {"x": {"peple": 3}}}, {"overrides": {"x": ["control.gone=1"]}}):
        with pytest.raises(ConfigError, match=r"peple|gone"):
            jobs_of(plan(tmp_path, pilots=["oracle"], **keys))


def test_plan_that_tries_to_run_code_is_refused(tmp_path):
    path = Path(tmp_path / "plan.yaml")
    path.write_text("scenarios: !!python/object/apply:os.system ['true']\n")
    with pytest.raises(ConfigError, match="not valid YAML"):
        read_plan(path)


# Pilots that are code


PILOT = "open('it_ran', 'w').close()\nfrom followme_uav import Pilot\n"


@pytest.fixture
def pilot_plan(tmp_path, monkeypatch):
    """A plan with a pilot, the import of which leaves a file in the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(PILOT)
    write_script(tmp_path)
    (tmp_path / "plan.yaml").write_text(
        "{scenarios: [one.yaml], pilots: [oracle, 'mine.py:Pilot']}"
    )
    return tmp_path / "plan.yaml"


@pytest.mark.parametrize(
    "allowed", [(), ("oracle",), ("mine:Pilot",), ("./mine.py:Pilot",), ("mine.py:Other",)]
)
def test_pilot_code_of_a_plan_does_not_run_unless_the_command_names_it(pilot_plan, allowed):
    """A plan may come from anybody."""
    with pytest.raises(ConfigError, match=r"'mine.py:Pilot' is code; .* add --pilot mine.py:Pilot"):
        read_plan(pilot_plan, allowed)
    assert not Path("it_ran").exists()


def test_pilot_code_of_a_plan_runs_when_the_command_names_it(pilot_plan):
    campaign = read_plan(pilot_plan, ["mine.py:Pilot"])
    assert not Path("it_ran").exists(), "reading is not flying"
    assert [v.label for v in campaign.variants] == ["oracle", "mine.Pilot"]
    jobs = jobs_of(campaign)
    assert Path("it_ran").exists()
    assert {bool(job.pilot_sha256) for job in jobs} == {True, False}


def test_plan_of_a_run_needs_the_permission_again(pilot_plan):
    run = Path("run")
    run.mkdir()
    (run / PLAN).write_text(yaml.safe_dump(plan_of(read_plan(pilot_plan, ["mine.py:Pilot"]))))
    with pytest.raises(ConfigError, match="is code"):
        read_plan(run)
    assert read_plan(run, ["mine.py:Pilot"]).variants[1].pilot == "mine.py:Pilot"


@pytest.mark.parametrize(
    ("pilot", "label"),
    [
        ("network", "network"),
        ("folder/slow.py:Slow", "slow.Slow"),
        ("/home/someone/slow.py:Slow", "slow.Slow"),
        ("../slow.py:Slow", "slow.Slow"),
        ("package.module:Slow", "package.module.Slow"),
    ],
)
def test_label_of_a_pilot_is_a_file_name_without_folders(pilot, label):
    assert pilot_label(pilot) == label


# Networks


def weights_of(folder, *names):
    return [v.weights for v in plan(folder, weights=[*names]).variants]


def test_weights_are_shipped_ones_by_name_or_files_beside_the_plan(tmp_path, monkeypatch):
    """The current folder has no say: the same plan gives the same flights everywhere."""
    (tmp_path / "elsewhere" / "model1").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "elsewhere")
    (tmp_path / "nets").mkdir()
    shutil.copy(DEFAULT_WEIGHTS, tmp_path / "nets" / "mine.h5")
    found = weights_of(tmp_path, "model1", "nets/mine.h5", WEIGHTS[1])
    assert found == [
        Path(WEIGHTS[0]).resolve(),
        tmp_path / "nets" / "mine.h5",
        Path(WEIGHTS[1]).resolve(),
    ]
    assert [job.variant.weights for job in jobs_of(plan(tmp_path, seeds=[1]))] == found[:1]


def test_own_weights_win_over_shipped_ones_of_the_same_name(tmp_path, monkeypatch):
    monkeypatch.setenv("FOLLOWME_UAV_CONFIG_DIR", str(tmp_path / "own"))
    (tmp_path / "own" / "weights").mkdir(parents=True)
    own = Path(shutil.copy(WEIGHTS[1], tmp_path / "own" / "weights" / "model1.h5"))
    assert weights_of(tmp_path, "model1") == [own]


def test_unknown_name_of_weights_lists_the_known_ones(tmp_path):
    with pytest.raises(ConfigError, match=r"network 'model9' is unknown.*model1, model2"):
        plan(tmp_path, weights=["model9"])


def onnx_id(path):
    [job] = jobs_of(plan(path.parent, weights=[path.name], seeds=[1]))
    return job.id


def test_id_of_an_onnx_network_depends_on_file_and_description_and_not_on_their_place(tmp_path):
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    path = save_network(tmp_path / "here" / "net.onnx")
    first = onnx_id(path)
    copy = save_network(tmp_path / "there" / "other.onnx")
    assert onnx_id(copy) == first
    save_network(path, description=PLAIN.replace("hero: 2", "hero: 3"))
    described = onnx_id(path)
    save_network(path, network(opset=18))
    changed = onnx_id(path)
    assert len({first, described, changed}) == 3
    save_network(path)
    assert onnx_id(path) == first
