"""Training: learning, resuming, and the files that it writes."""

import itertools
import json
import sys

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
import yaml

from followme_uav import cli
from followme_uav.config import CONFIG_DIR
from followme_uav.errors import ConfigError, DataError
from followme_uav.learn.evaluation.evaluate import evaluate
from followme_uav.learn.training import checkpoint, model_card
from followme_uav.learn.training.config import LossConfig, load_training_config
from followme_uav.learn.training.frames import read_frames
from followme_uav.learn.training.fused import with_fused_normalisation
from followme_uav.learn.training.loss import loss_of
from followme_uav.learn.training.train import train
from followme_uav.learn.training.trainer import learning_rate
from followme_uav.perception import DEFAULT_WEIGHTS, weights
from followme_uav.perception.models import ARCHITECTURES, keras_model
from followme_uav.terminal import make_console
from tests.unit.labelled_frames import write_frames

pytestmark = pytest.mark.slow

CONFIG = {
    "architecture": "model2",
    "seed": 3,
    "epochs": 2,
    "steps_per_epoch": 3,
    "batch_size": 4,
    "learning_rate": 0.01,
    "learning_rate_end": 0.0,
    "schedule": "cosine",
    "warmup_steps": 2,
    "average_decay": 0.5,
    "sampling": {
        "crop_px": 32,
        "scale_min": 0.9,
        "scale_max": 1.1,
        "hero": 0.5,
        "people": 0.2,
        "mistakes": 0.2,
        "anywhere": 0.1,
        "mined_frames": 2,
    },
    "augment": {
        "flip": 0.5,
        "brightness": 5,
        "contrast": 0.1,
        "tint": 0.02,
        "saturation": 0.1,
        "hue_deg": 2,
        "noise": 2,
    },
    "loss": {"class_weight": [1, 1, 2], "overlap_weight": 0.3, "overlap_smooth_px": 4},
}


@pytest.fixture
def worlds(tmp_path):
    return (
        write_frames(tmp_path / "seen", count=6),
        write_frames(tmp_path / "unseen", count=4, seed=1),
    )


@pytest.fixture
def config(tmp_path):
    def write(**changes):
        path = tmp_path / "training.yaml"
        path.write_text(yaml.safe_dump(CONFIG | changes))
        return path

    return write


@pytest.fixture
def eager():
    """Run steps one by one: to compile them takes longer than a few steps."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


ONE_STEP = {"epochs": 1, "steps_per_epoch": 1}


def test_without_validation_data_a_tenth_is_held_out(tmp_path, worlds, config, eager):
    seen, _ = worlds
    train(config(**ONE_STEP), [seen], [], tmp_path / "m.h5")
    content = json.loads((tmp_path / "m.json").read_text())
    assert [s["frames"] for s in content["stages"][0]["data"]] == [5]
    assert [s["frames"] for s in content["validation_data"]] == [1]


def test_resumed_training_writes_the_same_files_as_an_uninterrupted_one(
    tmp_path, worlds, config, monkeypatch
):
    """A killed training loses no completed epoch, and ends with the same weights."""
    seen, unseen = worlds
    whole, parts = tmp_path / "whole" / "m.h5", tmp_path / "parts" / "m.h5"
    train(config(), [seen], [unseen], whole)

    def save_then_interrupt(*arguments):
        checkpoint_save(*arguments)
        raise KeyboardInterrupt

    checkpoint_save = checkpoint.save
    monkeypatch.setattr(checkpoint, "save", save_then_interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(config(), [seen], [unseen], parts)
    monkeypatch.undo()
    train(config(), [seen], [unseen], parts, resume=True)

    assert_same_values(whole.with_suffix(".checkpoint.h5"), parts.with_suffix(".checkpoint.h5"))
    assert_same_values(whole, parts)
    assert whole.with_suffix(".json").read_bytes() == parts.with_suffix(".json").read_bytes()


def test_training_repeated_with_the_same_seed_writes_the_same_bytes(tmp_path, worlds, config):
    """Only a repeatable result can be checked, and compared with a changed training."""
    seen, unseen = worlds
    augment = {"epochs": 1, "augment": CONFIG["augment"] | {"blur": 0.5}}
    files = []
    for name in ("a", "b"):
        out = tmp_path / name / "m.h5"
        train(config(**augment), [seen], [unseen], out)
        files.append([out.read_bytes(), out.with_suffix(".json").read_bytes()])
    assert files[0] == files[1]
    other = tmp_path / "c" / "m.h5"
    train(config(**augment, seed=4), [seen], [unseen], other)
    assert other.read_bytes() != files[0][0]


def events(folder):
    """Scalars of TensorBoard logs: name -> {epoch: value}."""
    curves = {}
    for file in sorted(folder.glob("events.out.tfevents.*")):
        for event in tf.compat.v1.train.summary_iterator(str(file)):
            for value in event.summary.value:
                curves.setdefault(value.tag, {})[event.step] = float(tf.make_ndarray(value.tensor))
    return curves


def test_tensorboard_logs_hold_a_value_per_epoch_and_continue_on_resume(
    tmp_path, worlds, config, capsys, eager
):
    """A training of hours is watched there; a resumed one continues the same curves."""
    seen, unseen = worlds
    out = tmp_path / "m.h5"
    plan = config(epochs=2, steps_per_epoch=1, warmup_steps=0, schedule="constant")
    train(plan, [seen], [unseen], out)
    curves = events(tmp_path / "m.tensorboard")
    assert curves["learning_rate"] == {1: pytest.approx(0.01), 2: pytest.approx(0.01)}
    assert set(curves["loss"]) == {1, 2}
    assert {"score", "hero_iou/unseen", "detection_accuracy/unseen"} <= set(curves)
    assert all(0 <= share <= 1 for share in curves["waited_for_data"].values())
    assert "waited for data" in capsys.readouterr().out
    train(plan, [seen], [unseen], out, logs=tmp_path / "logs")
    assert events(tmp_path / "logs")["loss"] == pytest.approx(curves["loss"])
    train(plan, [seen], [unseen], out, resume=True)
    assert events(tmp_path / "m.tensorboard") == curves
    train(config(**ONE_STEP), [seen], [unseen], out)
    assert set(events(tmp_path / "m.tensorboard")["loss"]) == {1}


def test_training_images_that_are_also_validation_images_are_left_out_and_named(
    tmp_path, worlds, config, capsys, eager
):
    """Without a message, the user would not know why frames are missing."""
    seen, unseen = worlds
    shared = seen / "images" / "run1_cam1_00002.png"
    (unseen / "images" / "run1_cam1_00000.png").write_bytes(shared.read_bytes())
    train(config(**ONE_STEP), [seen], [unseen], tmp_path / "m.h5")
    told = capsys.readouterr().out
    assert "seen: 1 of 6 images are in the validation data too and are not trained on" in told
    assert str(shared) in told.replace("\n", "")
    assert "train seen: 5 frames" in told


def test_held_out_images_are_not_trained_on_from_another_folder(tmp_path, worlds, capsys):
    """A copy of a held-out image among the training frames makes the score too good."""
    seen, unseen = worlds
    last = seen / "images" / "run1_cam1_00005.png"
    (unseen / "images" / "run1_cam1_00000.png").write_bytes(last.read_bytes())
    frames, held_out = read_frames([seen, unseen], [], make_console())
    known = {h for one in held_out for h in one.image_hashes}
    assert not known & {h for one in frames for h in one.image_hashes}
    assert "unseen: 1 of 3 images are in the validation data too" in capsys.readouterr().out


def test_folders_that_the_data_lack_are_named(tmp_path, worlds, config, capsys, eager):
    """A folder with a misspelt name would change nothing, without a word."""
    changes = {
        "sampling": CONFIG["sampling"] | {"source_share": {"moon": 0.5}},
        "augment": CONFIG["augment"] | {"recolour": {"mars": 0.5, "seen": 0.1}},
    }
    seen, unseen = worlds
    train(config(**ONE_STEP, **changes), [seen], [unseen], tmp_path / "m.h5")
    told = capsys.readouterr().out
    assert "no data folder is named moon: its crops go to those without a share" in told
    assert "no data folder is named mars: no hero of it gets another colour" in told
    assert "named seen" not in told


@pytest.mark.parametrize("text", ['"{}"', "[1", "[]", '{"stages": 7}', "\x00"])
def test_json_of_keras_beside_initial_weights_is_no_model_card(tmp_path, config, text):
    """The training would end with a traceback after its first epoch."""
    init = tmp_path / "model_weights.h5"
    init.with_suffix(".json").write_text(text)
    plan = load_training_config(config())
    record = model_card.TrainingRecord(plan, "training.yaml", [], [], init, [])
    assert record.earlier_stages == []


def test_earlier_stages_are_those_before_the_training_wrote_its_card(tmp_path, config):
    """With `--init m.hdf5 --out m.h5` both have one card; each epoch would add its own stage."""
    init = tmp_path / "m.hdf5"
    init.with_suffix(".json").write_text('{"stages": [{"command": "first"}]}')
    plan = load_training_config(config())
    record = model_card.TrainingRecord(plan, "training.yaml", [], [], init, [])
    assert record.earlier_stages == [{"command": "first"}]
    init.with_suffix(".json").write_text('{"stages": [{}, {}]}')
    assert record.earlier_stages == [{"command": "first"}]


def test_weights_are_not_written_under_the_name_of_the_model_card(tmp_path, config, monkeypatch):
    """The card would replace the weights."""
    arguments = ["--config", str(config()), "--data", "d", "--out", str(tmp_path / "m.json")]
    monkeypatch.setattr(sys, "argv", ["followme-uav", "train", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert not (tmp_path / "m.json").exists()


def test_crops_that_do_not_fit_the_network_are_refused(tmp_path, worlds, config):
    """Halved three times, 36 pixels are 5, and doubled again no longer 9."""
    sampling = CONFIG["sampling"] | {"crop_px": 36}
    with pytest.raises(ConfigError, match=r"crop_px: model1 needs a multiple of 8 \(got 36\)"):
        train(
            config(architecture="model1", sampling=sampling),
            *([worlds[0]], [worlds[1]]),
            tmp_path / "m.h5",
        )


def test_key_without_effect_leaves_the_fingerprint_of_older_checkpoints_unchanged(config):
    """A checkpoint of an earlier version stays usable when a new key is off."""
    plain = load_training_config(config())
    assert (
        model_card.fingerprint(plain, [], None)
        == "48608b8629d739b0a2672f1b501c350ed47a32230068997cf9fd51a710521888"
    )
    blurred = load_training_config(config(augment=CONFIG["augment"] | {"blur": 0.1}))
    assert model_card.fingerprint(blurred, [], None) != model_card.fingerprint(plain, [], None)
    for changes in (
        {"precision": "bfloat16"},
        {"keep": "last"},
        {"augment": CONFIG["augment"] | {"paste": 0.1}},
        {"augment": CONFIG["augment"] | {"jpeg": 0.1}},
        {"sampling": CONFIG["sampling"] | {"cut": 0.1}},
        {"augment": CONFIG["augment"] | {"hide": 0.1}},
        {"augment": CONFIG["augment"] | {"recolour": {"city": 0.1}}},
        {"augment": CONFIG["augment"] | {"coarse": 0.1}},
    ):
        other = load_training_config(config(**changes))
        assert model_card.fingerprint(other, [], None) != model_card.fingerprint(plain, [], None)


def test_last_weights_are_kept_where_the_configuration_says_so(tmp_path, worlds, config, eager):
    """A better score of an earlier epoch may come with more false alarms."""
    seen, unseen = worlds
    out = tmp_path / "m.h5"
    train(config(keep="last", learning_rate=0.5, epochs=3), [seen], [unseen], out)
    content = json.loads(out.with_suffix(".json").read_text())
    assert content["stages"][-1]["best_epoch"] == 3


def test_network_of_finer_frames_is_trained_and_judged_at_their_size(
    tmp_path, worlds, config, eager
):
    """The scores of its model card are those of `evaluate`."""
    seen, unseen = worlds
    out = tmp_path / "m.h5"
    train(config(**ONE_STEP, architecture="model4"), [seen], [unseen], out)
    evaluate(out, unseen, tmp_path / "scores.json")
    content = json.loads(out.with_suffix(".json").read_text())
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert content["validation_scores"] == scores["sets"]
    assert content["input_size_px"] == 256


def assert_same_values(a, b):
    with h5py.File(a) as first, h5py.File(b) as second:
        assert dict(first.attrs) == dict(second.attrs)
        names = []
        first.visit(names.append)
        values = [n for n in names if isinstance(first[n], h5py.Dataset)]
        assert len(values) > 30
        for name in values:
            np.testing.assert_array_equal(first[name][()], second[name][()], err_msg=name)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_training_learns_a_red_square_and_evaluation_agrees_with_the_model_card(
    tmp_path, worlds, config, precision
):
    """A few hundred crops are enough to detect a red square on grey."""
    seen, unseen = worlds
    out = tmp_path / "m.h5"
    settings = {"epochs": 2, "steps_per_epoch": 40, "batch_size": 8, "precision": precision}
    train(config(**settings), [seen], [unseen], out)
    result = evaluate(out, unseen, tmp_path / "scores.json")
    assert result.sets[0].hero_iou > 0.5
    assert result.sets[0].detection_accuracy == 1
    assert result.final_score is None

    content = json.loads(out.with_suffix(".json").read_text())
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert content["validation_scores"] == scores["sets"]
    assert content["weights_sha256"] == weights.sha256(out)
    assert content["parameters"] == 26_777
    assert [s["data"][0]["name"] for s in content["stages"]] == ["seen"]
    assert str(tmp_path) not in out.with_suffix(".json").read_text()


def test_second_stage_starts_from_the_weights_of_the_first(tmp_path, worlds, config, eager):
    """Fine-tuning keeps the trained values, and the model card lists both stages."""
    seen, unseen = worlds
    first, second = tmp_path / "first.h5", tmp_path / "second.h5"
    train(config(**ONE_STEP), [seen], [unseen], first)
    tiny = config(**ONE_STEP, learning_rate=1e-9)
    train(tiny, [seen], [unseen], second, init=first)
    a, b = weights.read_weights(first).variables, weights.read_weights(second).variables
    kernel = "decoder2_conv/pointwise_kernel"
    np.testing.assert_allclose(a[kernel], b[kernel], atol=1e-6)
    stages = json.loads(second.with_suffix(".json").read_text())["stages"]
    assert [s["initial_weights_sha256"] for s in stages] == [None, weights.sha256(first)]
    assert [len(s["layers_from_initial_weights"]) for s in stages] == [0, 11]


def test_resume_refuses_a_checkpoint_of_another_configuration(tmp_path, worlds, config, eager):
    """Weights of two mixed trainings could not be repeated."""
    seen, unseen = worlds
    out = tmp_path / "m.h5"
    train(config(**ONE_STEP), [seen], [unseen], out)
    with pytest.raises(DataError, match="other configuration"):
        train(config(epochs=1, steps_per_epoch=2), [seen], [unseen], out, resume=True)
    others = write_frames(tmp_path / "others", count=4, seed=2)
    with pytest.raises(DataError, match="other configuration"):  # scores that do not compare
        train(config(**ONE_STEP), [seen], [others], out, resume=True)


def test_damaged_checkpoint_names_the_remedy(tmp_path):
    path = tmp_path / "m.checkpoint.h5"
    path.write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"damaged checkpoint.*without --resume"):
        checkpoint.load(path, {}, "x")


@pytest.mark.parametrize("damage", ["text", "group"])
def test_checkpoint_of_other_content_names_the_remedy(tmp_path, damage):
    path = tmp_path / "m.checkpoint.h5"
    with h5py.File(path, "w") as file:
        file.attrs.update({"identity": "x", "epoch": 1, "best_score": 0.5})
        if damage == "text":
            file["network/000"] = "text"
        else:
            file.create_group("network/000")
    variable = keras.Variable(np.zeros(2, np.float32))
    with pytest.raises(DataError, match=r"damaged checkpoint.*without --resume"):
        checkpoint.load(path, {"network/000": variable}, "x")


def test_evaluation_has_a_final_score_when_the_data_has_the_three_kinds(tmp_path):
    for kind in ("following_images", "patrol_non_targ", "patrol_with_targ"):
        write_frames(tmp_path / "city" / kind, count=2, hero="non" not in kind)
    result = evaluate(DEFAULT_WEIGHTS, tmp_path / "city")
    assert result.final_score is not None
    assert 0 <= result.final_score <= 1
    assert len(result.sets) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"leaning_rate": 1}, "leaning_rate"),
        ({"batch_size": 0}, "batch_size"),
        ({"seed": -1}, "seed"),
        ({"sampling": CONFIG["sampling"] | {"crop_px": 30}}, "sampling.crop_px"),
        ({"sampling": CONFIG["sampling"] | {"scale_max": 0.5}}, "sampling.*scale_min must not be"),
        ({"loss": {"class_weight": [1, 1]}}, "loss.class_weight"),
    ],
)
def test_bad_configuration_names_file_and_key(config, changes, message):
    path = config(**changes)
    with pytest.raises(ConfigError, match=message) as caught:
        load_training_config(path)
    assert str(path) in str(caught.value)


def test_unknown_architecture_is_refused(tmp_path, worlds, config):
    with pytest.raises(ConfigError, match="unknown network 'model9'"):
        train(config(architecture="model9"), [worlds[0]], [worlds[1]], tmp_path / "m.h5")


def test_extends_takes_all_other_keys_from_the_file_beside(tmp_path, config):
    """Four networks share one configuration; copies of it would diverge."""
    config()
    path = tmp_path / "mine.yaml"
    path.write_text("extends: training\narchitecture: model1\nsampling: {hero: 0.9}\n")
    mine, base = load_training_config(path), load_training_config(tmp_path / "training.yaml")
    assert (mine.architecture, mine.sampling.hero) == ("model1", 0.9)
    assert mine.sampling.people == base.sampling.people
    assert mine.epochs == base.epochs
    path.write_text("extends: nothing\n")
    with pytest.raises(ConfigError, match=r"nothing\.yaml: No such file"):
        load_training_config(path)


SHIPPED = [
    *(p for p in sorted(CONFIG_DIR.glob("training/*.yaml")) if p.stem != "base"),
    *sorted(CONFIG_DIR.glob("experiments/*.yaml")),
]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_configurations_are_valid(path):
    c = load_training_config(path)
    assert c.architecture in ARCHITECTURES
    if path.stem in ARCHITECTURES:
        assert c.architecture == path.stem


def test_constant_learning_rate_stays_the_same_after_warmup(config):
    """The experiments compare learning rates, so a rate must stay constant in a training."""
    c = load_training_config(config(schedule="constant", warmup_steps=2))
    assert [learning_rate(c, step) for step in range(4)] == [0.005, 0.01, 0.01, 0.01]


def test_learning_rate_rises_then_falls(config):
    c = load_training_config(config(epochs=10, steps_per_epoch=10, warmup_steps=10))
    rates = [learning_rate(c, step) for step in range(100)]
    assert rates[0] < rates[9] <= c.learning_rate
    assert all(a > b for a, b in itertools.pairwise(rates[10:]))
    assert learning_rate(c, 100) == pytest.approx(c.learning_rate_end, abs=1e-9)


LOSS = LossConfig(class_weight=(1, 1, 2), overlap_weight=1, overlap_smooth_px=2)


def loss(labels, probabilities):
    return float(loss_of(np.asarray(probabilities, np.float32), np.asarray(labels), LOSS))


def test_perfect_prediction_costs_nothing():
    labels = np.random.default_rng(0).integers(0, 3, (2, 8, 8))
    assert loss(labels, np.eye(3)[labels]) == pytest.approx(0, abs=1e-5)


def test_missed_hero_costs_cross_entropy_and_overlap():
    """4 x 4 pixels, 8 of them hero, all probabilities 1/2 for background and hero."""
    labels = np.zeros((1, 4, 4), int)
    labels[0, :2] = 2
    probabilities = np.zeros((1, 4, 4, 3))
    probabilities[..., [0, 2]] = 0.5
    cross_entropy = np.log(2) * (1 + 2) / 2
    overlap = 1 - (4 + 2) / (16 * 0.5 + 8 - 4 + 2)
    assert loss(labels, probabilities) == pytest.approx(cross_entropy + overlap, rel=1e-5)


def test_fused_normalisation_computes_what_the_layers_compute():
    """The trained network and the network that flies must compute the same."""
    keras.utils.set_random_seed(1)
    plain = keras_model("model2")
    fused = with_fused_normalisation(plain)
    assert [v.path for v in fused.variables] == [v.path for v in plain.variables]
    images = np.random.default_rng(0).normal(size=(4, 32, 32, 3)).astype(np.float32)
    for training in (True, False):
        np.testing.assert_allclose(
            fused(images, training=training), plain(images, training=training), atol=1e-4
        )
    for a, b in zip(fused.variables, plain.variables, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=2e-3, atol=1e-5, err_msg=a.path)
