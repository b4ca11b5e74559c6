"""Commands that read labelled frames: messages about pairs and incomplete frames."""

import re

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from typer.testing import CliRunner

from followme_uav import cli
from followme_uav.errors import DataError
from followme_uav.learn.data import prepare as preparing
from followme_uav.learn.evaluation import evaluate
from followme_uav.learn.experiments import experiment
from followme_uav.learn.training import frames as training_frames
from followme_uav.learn.training import train
from tests.unit.labelled_frames import write_frames
from tests.unit.test_prepare import record, two_in_a_street
from tests.unit.test_report import ColourSegmenter


def run(*arguments):
    """Run a command that must succeed, and return its result."""
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.exception
    return result


@pytest.fixture
def incomplete(tmp_path):
    folder = write_frames(tmp_path / "world", count=5)
    (folder / "masks" / "run1_mask_00003.png").unlink()
    return folder


def test_evaluate_prints_how_frames_are_paired_and_which_are_left_out(incomplete, monkeypatch):
    monkeypatch.setattr(evaluate, "Segmenter", ColourSegmenter)
    with pytest.raises(DataError, match=r"run1_cam1_00003.png.*--skip-incomplete"):
        evaluate.evaluate(incomplete / "w.h5", incomplete)
    told = run("evaluate", incomplete, "--weights", "w.h5", "--skip-incomplete").output
    assert "4 images and masks paired by the same name but for words" in told
    assert "1 of 5 images without its mask (run1_cam1_00003.png)" in told


def test_training_prints_how_frames_are_paired_and_which_are_left_out(incomplete, tmp_path):
    other = write_frames(tmp_path / "other", count=2, seed=1)
    console = Console(width=60, record=True)
    frames, held_out = training_frames.read_frames([incomplete], [other], console, True)
    told = console.export_text()
    assert (len(frames[0]), len(held_out[0])) == (4, 2)
    assert "world: 4 images and masks paired by" in told
    assert "other: 2 images and masks paired by" in told
    assert "(run1_cam1_00003.png)" in told


def test_training_does_not_replace_a_file_that_is_no_model_card(tmp_path):
    """Beside weights of Keras, NAME.json may be the network."""
    world, network = write_frames(tmp_path / "world", count=2), tmp_path / "mine.json"
    network.write_text('{"class_name": "Model"}')
    arguments = ["train", "--config", "model1", "--data", world, "--out", tmp_path / "mine.h5"]
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    assert result.exit_code != 0
    assert "mine.json: is no model card, and would be replaced" in str(result.exception)
    assert network.read_text() == '{"class_name": "Model"}'


@pytest.mark.parametrize(
    ("module", "name", "arguments"),
    [
        (evaluate, "evaluate", ["d"]),
        (train, "train", ["--config", "model1", "--data", "d", "--out", "m.h5"]),
        (experiment, "experiment", ["epochs", "--data", "d", "--validation", "d", "--out", "o"]),
        (preparing, "prepare", ["d", "o"]),
    ],
)
def test_skip_incomplete_reaches_every_command_that_reads_frames(
    module, name, arguments, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    asked = []
    monkeypatch.setattr(module, name, lambda *values, **named: asked.append((values, named)))
    for option in ([], ["--skip-incomplete"]):
        run(name, *arguments, *option)
    without, told = [named.get("skip_incomplete", values[-1]) for values, named in asked]
    assert (without, told) == (False, True)


def test_prepare_takes_camera_3_for_the_hero(tmp_path):
    label = two_in_a_street(tmp_path / "raw")
    run("prepare", tmp_path / "raw", tmp_path / "set")
    mask = np.asarray(Image.open(tmp_path / "set" / "masks" / "raw_00012.png"))
    np.testing.assert_array_equal(mask.argmax(axis=-1), label)


def test_prepare_warns_of_swapped_cameras_on_standard_error(tmp_path):
    two_in_a_street(tmp_path / "raw")
    result = run("prepare", tmp_path / "raw", tmp_path / "set", "--cameras", "2,3,4")
    assert re.search(r"warning: .*--cameras 3,2,4", result.stderr)
    assert "warning" not in result.stdout


def test_prepare_leaves_incomplete_frames_out(tmp_path):
    record(tmp_path / "raw", count=3)
    (tmp_path / "raw" / "cam4_00001.png").unlink()
    told = run("prepare", tmp_path / "raw", tmp_path / "set", "--skip-incomplete").stdout
    assert "1 frames left out" in told
