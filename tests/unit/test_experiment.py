"""Experiments: runs are planned, trained once, evaluated at each value, and drawn."""

import importlib.util
import json

import numpy as np
import pytest
import tensorflow as tf
import yaml
from PIL import Image

from followme_uav.errors import ConfigError, DataError, EnvironmentSetupError
from followme_uav.learn.evaluation.prepared import prepare
from followme_uav.learn.experiments import experiment_figures, runs
from followme_uav.learn.experiments.experiment import DEFAULT_CONFIG, experiment
from followme_uav.learn.experiments.plan import VALUES, EvaluationPoint, TrainingRun, plan
from followme_uav.learn.experiments.results import print_experiment, summarise
from followme_uav.learn.experiments.runs import RunOutcome
from followme_uav.learn.training.config import load_training_config
from followme_uav.learn.training.frames import read_frames
from followme_uav.terminal import make_console
from tests.unit.labelled_frames import write_frames

pytestmark = pytest.mark.slow

REPORT = load_training_config(DEFAULT_CONFIG)


@pytest.fixture
def worlds(tmp_path):
    return (
        [write_frames(tmp_path / "seen", count=4, size=32)],
        [write_frames(tmp_path / "unseen", count=2, size=32, seed=1)],
    )


@pytest.fixture
def tiny(tmp_path):
    """Settings of the report, small enough for a test."""
    settings = REPORT.model_dump(mode="json")
    settings |= {"epochs": 1, "steps_per_epoch": 2, "batch_size": 2}
    settings["sampling"]["crop_px"] = 16
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


@pytest.fixture(autouse=True)
def eager():
    """Run steps one by one: to compile them takes longer than the few steps of these tests."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def trained(monkeypatch):
    """Replaces the training of a run; the list has the configurations that were trained."""
    made = []

    def execute(run, frames, held_out, advance):
        made.append(run.config)
        return [RunOutcome(run.config.seed, p.value, 0.5, 0.6, 0.1, 0.2) for p in run.points]

    monkeypatch.setattr(runs, "execute", execute)
    return made


def results_of(file):
    return json.loads(file.read_text())


def test_settings_are_those_of_the_report():
    """Figures can be compared with those of the report only if all other settings are equal."""
    assert (REPORT.learning_rate, REPORT.epochs, REPORT.steps_per_epoch) == (0.01, 5, 80)
    assert (REPORT.batch_size, REPORT.sampling.crop_px, REPORT.sampling.anywhere) == (20, 160, 1)
    (run,) = plan("batch-size", REPORT, [10], 1)
    assert (run.config.batch_size, run.steps) == (10, 400)
    (run,) = plan("learning-rate", REPORT, [0.1], 1)
    assert (run.config.learning_rate, run.config.batch_size, run.steps) == (0.1, 20, 400)


def test_one_run_serves_all_values_of_epochs_and_of_steps_per_epoch():
    """A run for each value would repeat an hour of training."""
    first, second = plan("epochs", REPORT, [4, 2], 2)
    assert (first.config.seed, second.config.seed) == (0, 1)
    assert first.points == (EvaluationPoint(2, 160, 80), EvaluationPoint(4, 320, 80))
    (run,) = plan("steps-per-epoch", REPORT, [20, 40], 1)
    assert run.points == (EvaluationPoint(20, 100, 20), EvaluationPoint(40, 200, 40))
    assert run.frames == 4000


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("momentum", [], "choose from batch-size, epochs"),
        ("batch-size", [2.5], "2.5: batch-size must be a whole number above 0"),
        ("epochs", [0], "0: epochs must be a whole number above 0"),
        ("epochs", [float("inf")], "epochs must be a whole number above 0"),
        ("batch-size", [float("nan")], "batch-size must be a whole number above 0"),
        ("learning-rate", [-1], "learning-rate must be a number above 0"),
        ("learning-rate", [float("nan")], "learning-rate must be a number above 0"),
    ],
)
def test_impossible_values_are_refused(name, values, message):
    with pytest.raises(ConfigError, match=message):
        plan(name, REPORT, values, 1)


def test_outcome_at_an_epoch_equals_the_outcome_of_a_run_that_ends_there(tmp_path, worlds, tiny):
    """One run for several values must not change a figure."""
    both = results_of(experiment("epochs", *worlds, tmp_path / "a", [1, 2], 1, None, tiny))
    one = results_of(experiment("epochs", *worlds, tmp_path / "b", [1], 1, None, tiny))
    assert both["outcomes"][0] == one["outcomes"][0]
    assert [row["value"] for row in both["values"]] == [1, 2]
    assert all(0 <= o["score"] <= 1 and o["validation_loss"] > 0 for o in both["outcomes"])


def test_validation_loss_is_the_mean_over_frames(tmp_path, worlds):
    """Every frame has the same weight, in whatever batch and set it is."""
    held_out = [prepare(s) for s in read_frames(*worlds, Quiet())[1]]
    seen = []

    def infer_with_loss(images, labels):
        assert len(images) == len(labels)
        seen.append(labels)
        hero = np.zeros((*labels.shape, 3), np.uint8)
        hero[labels == 2, 2] = 255
        return float(len(images)), hero

    outcome = runs._evaluated(3, 5.0, 0.25, infer_with_loss, held_out)
    assert outcome.validation_loss == 2
    assert (outcome.seed, outcome.value, outcome.training_loss) == (3, 5, 0.25)
    assert (outcome.hero_iou, outcome.score) == (1, 1)
    assert set(np.unique(np.concatenate(seen))) == {0, 1, 2}


@pytest.mark.parametrize("recorded_px", [32, 160])
def test_network_of_larger_images_is_evaluated_at_their_size(tmp_path, recorded_px):
    data = [write_frames(tmp_path / "seen", count=2, size=recorded_px)]
    frames, held_out = read_frames(data, [], Quiet())
    config = REPORT.model_copy(update={"architecture": "model4", "batch_size": 2})
    sampling = config.sampling.model_copy(update={"crop_px": 16})
    run = TrainingRun(config.model_copy(update={"sampling": sampling}), (EvaluationPoint(1, 1, 1),))
    prepared = [prepare(s, (256, 256)) for s in held_out]
    (outcome,) = runs.execute(run, frames, prepared, lambda frames_done: None)
    assert outcome.validation_loss > 0
    assert 0 <= outcome.score <= 1
    assert runs._labels(prepared[0]).shape == (1, 256, 256)
    assert set(np.unique(runs._labels(prepared[0]))) == {0, 1}


class Quiet:
    def print(self, *arguments, **options):
        pass


def test_interrupted_experiment_trains_only_the_missing_runs(
    tmp_path, worlds, tiny, trained, monkeypatch
):
    """A run takes minutes; no completed run is trained again."""
    execute = runs.execute

    def execute_two(run, *arguments):
        if len(trained) == 2:
            raise KeyboardInterrupt
        return execute(run, *arguments)

    out = tmp_path / "out"
    with monkeypatch.context() as interrupted, pytest.raises(KeyboardInterrupt):
        interrupted.setattr(runs, "execute", execute_two)
        experiment("batch-size", *worlds, out, [1, 2, 3], 1, None, tiny)
    assert not (out / "batch-size" / "results.json").exists()
    file = experiment("batch-size", *worlds, out, [1, 2, 3], 1, None, tiny)
    assert [config.batch_size for config in trained] == [1, 2, 3]
    first = file.read_bytes()
    experiment("batch-size", *worlds, out, [1, 2, 3], 1, None, tiny)
    assert len(trained) == 3
    assert file.read_bytes() == first
    with Image.open(out / "batch-size" / "batch-size.png") as figure:
        assert figure.width > 500

    run = next((out / "runs").iterdir())
    run.write_text("[{")
    with pytest.raises(DataError, match=f"{run.name}: damaged result of a run"):
        experiment("batch-size", *worlds, out, [1, 2, 3], 1, None, tiny)


def test_outcome_of_one_experiment_serves_another(tmp_path, worlds, tiny, trained):
    """The setting of the report is a value in each of the four experiments."""
    out = tmp_path / "out"
    epochs = results_of(experiment("epochs", *worlds, out, [1, 2], 1, None, tiny))
    assert len(trained) == 1
    rates = results_of(experiment("learning-rate", *worlds, out, [0.01], 1, None, tiny))
    assert len(trained) == 1
    assert rates["outcomes"] == [epochs["outcomes"][0] | {"value": 0.01}]


def test_other_training_data_makes_other_runs(tmp_path, worlds, tiny, trained):
    """One figure must not mix results of two data sets."""
    counts = []
    for count in (3, 3, 5):
        seen = tmp_path / f"frames{count}" / "seen"
        if not seen.exists():
            write_frames(seen, count=count, size=32)
        experiment("epochs", [seen], worlds[1], tmp_path / "out", [1], 1, None, tiny)
        counts.append(len(trained))
    assert counts == [1, 1, 2]


def test_diverged_training_is_counted_and_left_out_of_the_means(tmp_path, worlds, tiny):
    """A learning rate that is too high is a result; the other runs go on."""
    file = experiment("learning-rate", *worlds, tmp_path / "out", [0.01, 1e30], 1, None, tiny)
    good, broken = results_of(file)["values"]
    assert (good["broken"], broken["broken"]) == (0, 1)
    assert broken["score"] is None
    assert good["score"]["min"] <= good["score"]["mean"] <= good["score"]["max"]


def test_table_says_how_many_runs_of_a_value_failed(capsys):
    """The mean of the others looks like the mean of all."""
    outcomes = [
        RunOutcome(0, 0.1, 0.5, 0.6, 0.1, 0.2),
        RunOutcome(1, 0.1, None, None, None, None),
        RunOutcome(0, 0.01, 0.5, 0.6, 0.1, 0.2),
    ]
    results = {"experiment": "learning-rate", "values": summarise(outcomes)}
    print_experiment(results, make_console())
    told = capsys.readouterr().out
    assert "1 of 2 failed" in told
    assert told.count("failed") == 1


def test_training_that_diverges_in_its_last_step_has_failed(worlds):
    """The loss of that step is still a number; the weights after it are none."""
    _, held_out = read_frames(worlds[0], worlds[1], make_console())
    prepared = [prepare(one) for one in held_out]

    def infer_with_loss(images, labels):
        return float("nan"), np.zeros_like(images)

    outcome = runs._evaluated(0, 0.1, 0.5, infer_with_loss, prepared)
    assert outcome == RunOutcome(0, 0.1, None, None, None, None)


def test_missing_matplotlib_is_reported_before_any_training(tmp_path, worlds, tiny, monkeypatch):
    """A missing package must not be noticed after an hour of training."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentSetupError, match=r"pip install 'followme-uav\[report\]'") as e:
        experiment("epochs", *worlds, tmp_path / "out", [1], 1, None, tiny)
    assert e.value.exit_code == 2
    assert not (tmp_path / "out").exists()


def test_schedule_other_than_constant_is_refused(tmp_path, worlds, tiny):
    """With another schedule, a short run is not the beginning of a long one."""
    tiny.write_text(tiny.read_text().replace("schedule: constant", "schedule: cosine"))
    with pytest.raises(ConfigError, match="schedule: experiments need 'constant'"):
        experiment("epochs", *worlds, tmp_path / "out", [1], 1, None, tiny)


def test_unknown_network_is_refused(tmp_path, worlds, tiny):
    with pytest.raises(ConfigError, match="unknown network 'model9'"):
        experiment("epochs", *worlds, tmp_path / "out", [1], 1, "model9", tiny)


def test_figure_needs_no_screen_and_shows_every_experiment(tmp_path, monkeypatch):
    outcome = {"training_loss": 0.2, "validation_loss": 0.3, "hero_iou": 0.4, "score": 0.1}
    for name in VALUES:
        outcomes = [RunOutcome(s, v, **outcome) for s in (0, 1) for v in (1.0, 2.0)]
        results = {
            "experiment": name,
            "config": REPORT.model_dump(mode="json"),
            "values": summarise(outcomes),
            "outcomes": [vars(o) for o in outcomes],
        }
        experiment_figures.draw(results, tmp_path / f"{name}.png")
        assert np.asarray(Image.open(tmp_path / f"{name}.png").convert("L")).std() > 10
