"""Experiments: the right runs, made once, judged where asked, and drawn."""

import importlib.util
import json

import numpy as np
import pytest
import yaml
from PIL import Image

from followme_uav.errors import ConfigError, DataError, EnvironmentSetupError
from followme_uav.learn.experiments import experiment as experiments
from followme_uav.learn.experiments import experiment_figures
from followme_uav.learn.experiments.experiment import DEFAULT_CONFIG, Mark, experiment, plan
from followme_uav.learn.training.config import load_training_config
from tests.unit.labelled_frames import write_frames

REPORT = load_training_config(DEFAULT_CONFIG)


@pytest.fixture
def worlds(tmp_path):
    return (
        [write_frames(tmp_path / "seen", count=4, size=32)],
        [write_frames(tmp_path / "unseen", count=2, size=32, seed=1)],
    )


@pytest.fixture
def tiny(tmp_path):
    """The report's settings, small enough for a test."""
    settings = REPORT.model_dump(mode="json")
    settings |= {"epochs": 1, "steps_per_epoch": 2, "batch_size": 2}
    settings["sampling"]["crop_px"] = 16
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def results_of(file):
    return json.loads(file.read_text())


def test_settings_are_those_of_the_report():
    """Figures can be laid beside the report's only if all else is equal."""
    assert (REPORT.learning_rate, REPORT.epochs, REPORT.steps_per_epoch) == (0.01, 5, 80)
    assert (REPORT.batch_size, REPORT.sampling.crop_px, REPORT.sampling.anywhere) == (20, 160, 1)
    (run,) = plan("batch-size", REPORT, [10], 1)
    assert (run.config.batch_size, run.steps) == (10, 400)
    (run,) = plan("learning-rate", REPORT, [0.1], 1)
    assert (run.config.learning_rate, run.config.batch_size, run.steps) == (0.1, 20, 400)


def test_one_run_serves_all_epochs_and_all_steps():
    """Otherwise an hour of training is done several times over."""
    first, second = plan("epochs", REPORT, [4, 2], 2)
    assert (first.config.seed, second.config.seed) == (0, 1)
    assert first.marks == (Mark(2, 160, 80), Mark(4, 320, 80))
    (run,) = plan("steps-per-epoch", REPORT, [20, 40], 1)
    assert run.marks == (Mark(20, 100, 20), Mark(40, 200, 40))
    assert run.frames == 4000


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("momentum", [], "choose from batch-size, epochs"),
        ("batch-size", [2.5], "2.5: batch-size must be a whole number above 0"),
        ("epochs", [0], "0: epochs must be a whole number above 0"),
        ("learning-rate", [-1], "learning-rate must be a number above 0"),
        ("learning-rate", [float("nan")], "learning-rate must be a number above 0"),
    ],
)
def test_values_that_cannot_be(name, values, message):
    with pytest.raises(ConfigError, match=message):
        plan(name, REPORT, values, 1)


def test_epochs_of_one_run_equal_runs_of_their_own(tmp_path, worlds, tiny):
    """The shortcut must not change a figure."""
    both = results_of(experiment("epochs", *worlds, tmp_path / "a", [1, 2], 1, None, tiny))
    one = results_of(experiment("epochs", *worlds, tmp_path / "b", [1], 1, None, tiny))
    assert both["outcomes"][0] == one["outcomes"][0]
    assert [row["value"] for row in both["values"]] == [1, 2]
    assert all(0 <= o["score"] <= 1 and o["validation_loss"] > 0 for o in both["outcomes"])


def test_validation_loss_is_the_mean_over_frames(tmp_path, worlds):
    """Batches of unequal size, and sets of unequal length, must not weigh unequally."""
    held_out = [experiments.prepare(s) for s in experiments.read_frames(*worlds, Quiet())[1]]
    seen = []

    def judge(images, labels):
        assert len(images) == len(labels)
        seen.append(labels)
        hero = np.zeros((*labels.shape, 3), np.uint8)
        hero[labels == 2, 2] = 255
        return float(len(images)), hero

    outcome = experiments._judged(3, 5.0, 0.25, judge, held_out)
    assert outcome.validation_loss == 2
    assert (outcome.seed, outcome.value, outcome.training_loss) == (3, 5, 0.25)
    assert (outcome.hero_iou, outcome.score) == (1, 1)
    assert set(np.unique(np.concatenate(seen))) == {0, 1, 2}


class Quiet:
    def print(self, *arguments, **options):
        pass


def test_interrupted_experiment_goes_on(tmp_path, worlds, tiny, monkeypatch):
    """Runs take minutes each: what is done stays done."""
    made = []
    make = experiments.make

    def make_two(run, *arguments):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(run.config.batch_size)
        return make(run, *arguments)

    monkeypatch.setattr(experiments, "make", make_two)
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        experiment("batch-size", *worlds, out, [1, 2, 3], 1, None, tiny)
    assert not (out / "batch-size" / "results.json").exists()
    made.clear()
    file = experiment("batch-size", *worlds, out, [1, 2, 3], 1, None, tiny)
    assert made == [3]
    first = file.read_bytes()

    monkeypatch.setattr(experiments, "make", lambda *a: pytest.fail("nothing is missing"))
    experiment("batch-size", *worlds, out, [1, 2, 3], 1, None, tiny)
    assert file.read_bytes() == first
    with Image.open(out / "batch-size" / "batch-size.png") as figure:
        assert figure.width > 500

    run = next((out / "runs").iterdir())
    run.write_text("[{")
    with pytest.raises(DataError, match=f"{run.name}: damaged result of a run"):
        experiment("batch-size", *worlds, out, [1, 2, 3], 1, None, tiny)


def test_what_one_experiment_has_tried_serves_another(tmp_path, worlds, tiny, monkeypatch):
    """The report's own setting is a value in each of the four experiments."""
    out = tmp_path / "out"
    epochs = results_of(experiment("epochs", *worlds, out, [1, 2], 1, None, tiny))
    monkeypatch.setattr(experiments, "make", lambda *a: pytest.fail("nothing is missing"))
    rates = results_of(experiment("learning-rate", *worlds, out, [0.01], 1, None, tiny))
    assert rates["outcomes"] == [epochs["outcomes"][0] | {"value": 0.01}]


def test_other_data_makes_other_runs(tmp_path, worlds, tiny, monkeypatch):
    """Results of two data sets in one figure would mean nothing."""
    made = []

    def make(run, frames, held_out, advance):
        made.append(len(frames[0]))
        return [experiments.Outcome(run.config.seed, 1, 0.5, 0.6, 0.1, 0.1)]

    monkeypatch.setattr(experiments, "make", make)
    for count in (3, 3, 5):
        seen = tmp_path / f"frames{count}" / "seen"
        if not seen.exists():
            write_frames(seen, count=count, size=32)
        experiment("epochs", [seen], worlds[1], tmp_path / "out", [1], 1, None, tiny)
    assert made == [3, 5]


def test_training_that_broke_down_is_told_and_left_out(tmp_path, worlds, tiny):
    """A learning rate that is far too high is a finding, not a crash after an hour."""
    file = experiment("learning-rate", *worlds, tmp_path / "out", [0.01, 1e30], 1, None, tiny)
    good, broken = results_of(file)["values"]
    assert (good["broken"], broken["broken"]) == (0, 1)
    assert broken["score"] is None
    assert good["score"]["min"] <= good["score"]["mean"] <= good["score"]["max"]


def test_without_matplotlib_nothing_is_begun(tmp_path, worlds, tiny, monkeypatch):
    """To learn of a missing package after an hour is an hour lost."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentSetupError, match=r"pip install 'followme-uav\[report\]'") as e:
        experiment("epochs", *worlds, tmp_path / "out", [1], 1, None, tiny)
    assert e.value.exit_code == 2
    assert not (tmp_path / "out").exists()


def test_schedule_must_be_constant(tmp_path, worlds, tiny):
    """With another one, a short run is no piece of a long one."""
    tiny.write_text(tiny.read_text().replace("schedule: constant", "schedule: cosine"))
    with pytest.raises(ConfigError, match="schedule: experiments need 'constant'"):
        experiment("epochs", *worlds, tmp_path / "out", [1], 1, None, tiny)


def test_unknown_network(tmp_path, worlds, tiny):
    with pytest.raises(ConfigError, match="unknown network 'model9'"):
        experiment("epochs", *worlds, tmp_path / "out", [1], 1, "model9", tiny)


def test_figure_needs_no_screen_and_shows_every_experiment(tmp_path, monkeypatch):
    outcome = {"training_loss": 0.2, "validation_loss": 0.3, "hero_iou": 0.4, "score": 0.1}
    for name in experiments.VALUES:
        outcomes = [experiments.Outcome(s, v, **outcome) for s in (0, 1) for v in (1.0, 2.0)]
        results = {
            "experiment": name,
            "config": REPORT.model_dump(mode="json"),
            "values": experiments.summarise(outcomes),
            "outcomes": [vars(o) for o in outcomes],
        }
        experiment_figures.draw(results, tmp_path / f"{name}.png")
        assert np.asarray(Image.open(tmp_path / f"{name}.png").convert("L")).std() > 10
