"""Commands that train, evaluate and convert networks, and that make labelled frames."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from followme_uav.commands.options import (
    Json,
    Profile,
    Sim,
    SkipIncomplete,
    Weights,
    address_overrides,
    check_embedded,
    hour_range,
    seed_range,
    weights_named,
)
from followme_uav.errors import ConfigError
from followme_uav.files import check_writable, sole_folder, write_whole
from followme_uav.perception import DEFAULT_WEIGHTS
from followme_uav.resources import named
from followme_uav.sole_use import sole_use

_MOST_DIGITS = 9
"""Of the number of a camera: `int` raises for thousands of digits."""


def collect(
    out: Annotated[Path, typer.Option(help="Folder to write; it must not hold frames.")],
    frames: Annotated[int, typer.Option(min=1, help="Number of frames of each kind.")] = 100,
    seeds: Annotated[
        str, typer.Option(metavar="A:B", help="Seeds of the cities: A to B-1.")
    ] = "1000:1010",
    sim: Sim = "embedded",
    profile: Profile = None,
    world: Annotated[
        str | None,
        typer.Option(
            help="A generator ('world list'), a world file or a world plan, for the embedded "
            "simulator.",
            show_default="grid",
        ),
    ] = None,
    size_px: Annotated[int, typer.Option(help="Side of the square images.")] = 256,
    vary_lens: Annotated[
        bool,
        typer.Option(
            "--vary-lens/--own-lens",
            help="A different field of view in each city, for training; or that of the profile.",
        ),
    ] = True,
    hours: Annotated[
        str | None,
        typer.Option(
            metavar="A:B",
            help="Time of day of all frames, from A to B o'clock, as in 15.5:18.",
            show_default="mostly by day",
        ),
    ] = None,
) -> None:
    """Record labelled frames: hero nearby, patrol with the hero, patrol without the hero."""
    from followme_uav.config import load_config
    from followme_uav.learn.data.collect import collect as run_collect
    from followme_uav.sim.world_plan import plan_of
    from followme_uav.worlds.world import MAX_SEED

    if world is not None:
        check_embedded("--world", sim)
        plan_of(world)
    if hours is not None:
        check_embedded("--hours", sim)
    cities = seed_range(seeds)
    if cities.stop > MAX_SEED:  # `len` raises
        raise ConfigError(f"--seeds {seeds:.60}: the largest seed is {MAX_SEED - 1}")
    size = [f"camera.width_px={size_px}", f"camera.height_px={size_px}"]
    flight = load_config(None, size + address_overrides(sim), profile)
    with sole_folder(out):
        run_collect(
            flight,
            out,
            frames_per_kind=frames,
            seeds=cities,
            embedded=sim == "embedded",
            vary_lens=vary_lens,
            world=world,
            hours_h=None if hours is None else hour_range(hours),
        )
    print(f"{out}: {frames} frames of each kind")


def prepare(
    raw: Annotated[Path, typer.Argument(help="Recording with cam1_*.png to cam4_*.png.")],
    out: Annotated[Path, typer.Argument(help="Folder of labelled frames to write.")],
    kind: Annotated[
        str | None,
        typer.Option(
            help="Subfolder of OUT: following_images, patrol_non_targ or patrol_with_targ.",
        ),
    ] = None,
    masks: Annotated[
        str,
        typer.Option(metavar="auto|bright|depth", help="Encoding of the masks in the recording."),
    ] = "auto",
    cameras: Annotated[
        str, typer.Option(help="Cameras of the masks of hero, people and background.")
    ] = "3,2,4",
    resume: Annotated[bool, typer.Option(help="Continue an interrupted call.")] = False,
    skip_incomplete: SkipIncomplete = False,
) -> None:
    """Turn a raw recording of the Unity simulator into labelled frames."""
    from followme_uav.learn.data.prepare import MaskEncoding
    from followme_uav.learn.data.prepare import prepare as run_prepare

    encodings = {"auto": None, **{encoding.value: encoding for encoding in MaskEncoding}}
    if masks not in encodings:
        raise ConfigError(f"--masks {masks}: choose from {', '.join(encodings)}")
    numbers = cameras.split(",")
    if not all(number.isdecimal() and len(number) <= _MOST_DIGITS for number in numbers):
        raise ConfigError(f"--cameras {cameras:.60}: write three camera numbers, as in 3,2,4")
    order = [int(number) for number in numbers]
    target = out / kind if kind else out
    with sole_folder(target) if target.is_dir() or not target.exists() else nullcontext():
        run_prepare(raw, out, kind, encodings[masks], order, resume, skip_incomplete)


def train(
    config: Annotated[
        Path,
        typer.Option(
            help="Training configuration: a YAML file, or a shipped one, for example model1."
        ),
    ],
    data: Annotated[list[Path], typer.Option(help="Labelled folder to train on; repeatable.")],
    out: Annotated[Path, typer.Option(help="Weights file to write.")],
    validation: Annotated[
        list[Path],
        typer.Option(
            help="Labelled folder to validate on; repeatable.",
            show_default="the last tenth of each set",
        ),
    ] = [],  # noqa: B006 - typer copies it
    init: Annotated[
        Path | None,
        typer.Option(help="Weights to start from."),
    ] = None,
    resume: Annotated[bool, typer.Option(help="Continue an interrupted training.")] = False,
    logs: Annotated[
        Path | None,
        typer.Option(help="Folder for the TensorBoard logs.", show_default="OUT.tensorboard"),
    ] = None,
    skip_incomplete: SkipIncomplete = False,
) -> None:
    """Train a network on labelled frames."""
    from followme_uav.learn.training.model_card import path_beside, would_replace_another_file
    from followme_uav.learn.training.train import train as run_train

    config = named(config, "training", "training configuration")
    if out == path_beside(out):
        raise ConfigError(f"{out}: is the name of the model card; choose one that ends in .h5")
    if would_replace_another_file(out):
        raise ConfigError(
            f"{path_beside(out)}: is no model card, and would be replaced by that of {out.name}; "
            "choose another --out"
        )
    check_writable(out, config, init)
    with sole_use(out):
        run_train(config, data, validation, out, init, resume, logs, skip_incomplete)


def experiment(
    name: Annotated[
        str, typer.Argument(help="batch-size, epochs, steps-per-epoch or learning-rate.")
    ],
    data: Annotated[list[Path], typer.Option(help="Labelled folder to train on; repeatable.")],
    validation: Annotated[
        list[Path], typer.Option(help="Labelled folder to validate on; repeatable.")
    ],
    out: Annotated[
        Path, typer.Option(help="Folder for results and figures; finished runs are kept.")
    ],
    values: Annotated[
        str | None, typer.Option(help="Values to try, as in 5,10,20.", show_default="see docs")
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, help="Number of repetitions, each with another seed.")
    ] = 3,
    network: Annotated[
        str | None, typer.Option(help="model1 to model4.", show_default="model2")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            help="Settings that all runs have in common: a YAML file, or the name of one.",
            show_default="report",
        ),
    ] = None,
    skip_incomplete: SkipIncomplete = False,
) -> None:
    """Repeat the report's experiments on training parameters, and plot them."""
    from followme_uav.learn.experiments.experiment import experiment as run_experiment

    try:
        numbers = [float(value) for value in values.split(",")] if values else []
    except ValueError:
        raise ConfigError(f"--values {values}: write numbers, as in 5,10,20") from None
    chosen = named(config or "report", "experiments", "configuration of experiments")
    with sole_folder(out):
        run_experiment(
            name, data, validation, out, numbers, seeds, network, chosen, skip_incomplete
        )


def evaluate(
    data: Annotated[Path, typer.Argument(help="Labelled folder.")],
    weights: Weights = DEFAULT_WEIGHTS,
    json_path: Annotated[
        Path | None,
        typer.Option("--json", help="Write the scores as JSON."),
    ] = None,
    by_kind: Annotated[
        bool,
        typer.Option(
            "--by-kind", help="Divide one set by the size of the hero, for a final score."
        ),
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(help="Folder for a report with tables, curves and the worst frames."),
    ] = None,
    skip_incomplete: SkipIncomplete = False,
    against: Annotated[
        Path | None,
        typer.Option(
            callback=weights_named,
            help="Weights of another network, to be compared frame by frame.",
        ),
    ] = None,
) -> None:
    """Score a network on labelled frames."""
    from followme_uav.learn.evaluation.evaluate import evaluate as run_evaluate

    for path in (json_path, report and report / "index.html"):
        if path is not None:
            check_writable(path, weights, against)
    with nullcontext() if report is None else sole_folder(report):
        run_evaluate(
            weights,
            data,
            json_path,
            by_kind=by_kind,
            report_dir=report,
            skip_incomplete=skip_incomplete,
            against=against,
        )


def export(
    onnx: Annotated[Path, typer.Option(help="ONNX file to write.")],
    weights: Weights = DEFAULT_WEIGHTS,
    int8: Annotated[
        list[Path],
        typer.Option(
            metavar="FOLDER",
            help="Folder of labelled frames, or of images: quantise the network to 8-bit integers "
            "by the ranges that its layers have on them; repeatable.",
            show_default="no quantisation",
        ),
    ] = [],  # noqa: B006 - typer copies it
) -> None:
    """Write a network as an ONNX model, which other programs run, and --weights takes."""
    from followme_uav.learn.data.calibration import calibration_images
    from followme_uav.perception.int8 import image_size_px, quantised, require_int8
    from followme_uav.perception.onnx_description import (
        ENDINGS,
        check_replaceable,
        write_description,
    )
    from followme_uav.perception.onnx_model import INPUT, OUTPUT, description_of, onnx_model

    beside = onnx.with_suffix(ENDINGS[0])
    if onnx == beside:
        raise ConfigError(f"{onnx}: is the name of the description; choose one that ends in .onnx")
    for path in (onnx, beside):
        check_writable(path, weights)
    check_replaceable(beside)
    if int8:
        require_int8()
    model, description, precision = onnx_model(weights), description_of(weights), "float32"
    if int8:
        images = calibration_images(int8, image_size_px(description))
        model, precision = quantised(model, images), f"int8 by {len(images)} images"
    write_whole(onnx, model.SerializeToString())
    write_description(beside, description)
    print(
        f"{onnx}: {model.graph.name}, {precision}; "
        f"input {INPUT} (batch, height, width, 3) uint8, "
        f"output {OUTPUT} of the same shape, float32\n{beside}: its description"
    )


def models(
    as_json: Json = False,
    weights: Annotated[
        Path | None,
        typer.Option(callback=weights_named, help="Show only the network of this weights file."),
    ] = None,
) -> None:
    """Show the networks: layers, parameters, multiply-adds, and file formats."""
    from followme_uav.perception.summary import show

    show(as_json, weights)


def import_weights(
    old: Annotated[
        Path, typer.Argument(help="Weights or complete model saved by Keras (HDF5 or .keras).")
    ],
    out: Annotated[Path, typer.Argument(help="Weights file to write.")],
    architecture: Annotated[
        Path | None,
        typer.Option(
            help="JSON of the network (model.to_json).", show_default="config_OLD beside OLD"
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace OUT if it exists.")] = False,
) -> None:
    """Convert Keras weights to the format of this program, and describe them."""
    from followme_uav.perception.models import CLASSES
    from followme_uav.perception.weights import import_weights as run_import

    check_writable(out, old, architecture)
    found = run_import(old, out, architecture=architecture, force=force)
    print(f"{old}: {found.architecture}, {found.parameters:,} parameters, by {found.origin}")
    print(f"structure: by {found.described_by}")
    if found.network.input_size_px is not None:
        height_px, width_px = found.network.input_size_px
        print(f"images: scaled to {width_px} x {height_px} for the network")
    print(f"{out}: channels {', '.join(CLASSES)}; use it with --weights")
