"""The command line. Exit codes: 0 done, 1 mission or check failed, 2 bad input or environment.

Commands import what they need when they run, so that `--help` answers at once.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from followme_uav.errors import ConfigError, FollowMeError

app = typer.Typer(
    help="Closed-loop visual follow-me for simulated UAVs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

DEFAULT_WEIGHTS = Path(__file__).resolve().parent.parent / "weights" / "model2.h5"
Weights = Annotated[
    Path, typer.Option(help="Weights of the network.", show_default="weights/model2.h5")
]
Sim = Annotated[str, typer.Option(help="'embedded', or HOST:PORT of a running simulator.")]
Profile = Annotated[
    str | None,
    typer.Option(help="Simulator profile, by name in configs/simulators or as a file."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def main() -> None:
    """Run a command; an error the user can cause or cure is one line and its exit code."""
    try:
        app()
    except FollowMeError as error:
        print(f"followme-uav: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("followme-uav: interrupted", file=sys.stderr)
        sys.exit(130)


@app.command()
def fly(
    weights: Weights = DEFAULT_WEIGHTS,
    config: Annotated[
        Path | None,
        typer.Option(help="YAML file; what it leaves out comes from configs/default.yaml."),
    ] = None,
    overrides: Annotated[
        list[str], typer.Option("--set", metavar="KEY=VALUE", help="Override one key.")
    ] = [],  # noqa: B006 - typer copies it
    sim: Sim = "embedded",
    profile: Profile = None,
    seed: Annotated[int, typer.Option(help="Seed of the embedded city.")] = 0,
    duration: Annotated[
        float | None,
        typer.Option(help="Seconds of flight before the landing."),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(help="Flight log; without it flights/TIME-seedN.mcap."),
    ] = None,
    summary: Annotated[
        Path | None,
        typer.Option(help="Write the summary as JSON."),
    ] = None,
    realtime: Annotated[
        bool | None,
        typer.Option(
            "--realtime/--lockstep",
            help="Run the simulation on, or stop it while the pilot thinks. "
            "Default: lockstep in the embedded simulator, else real time.",
        ),
    ] = None,
    window: Annotated[
        bool,
        typer.Option(help="Watch the embedded simulator; keys in the window pause and speed up."),
    ] = False,
    oracle: Annotated[
        bool, typer.Option(help="Fly on the simulator's true masks: control without vision.")
    ] = False,
) -> None:
    """Take off, find the hero, follow her, land, and say how well it went."""
    from followme_uav.config import load_config
    from followme_uav.flight.fly import FlightPlan
    from followme_uav.flight.fly import fly as fly_plan
    from followme_uav.flight.status import FlightStatus, print_summary

    overrides = list(overrides)
    if duration is not None:
        overrides.append(f"duration_s={duration}")
    embedded = sim == "embedded"
    if not embedded:
        host, port = _address(sim)
        overrides += [f"simulator.host={json.dumps(host)}", f"simulator.port={port}"]
    if window and not embedded:
        raise ConfigError(
            "--window shows the embedded simulator; leave it out with --sim HOST:PORT"
        )
    plan = FlightPlan(
        config=load_config(config, overrides, profile),
        weights=None if oracle else weights,
        seed=seed,
        log=log or Path("flights") / f"{time.strftime('%Y%m%d-%H%M%S')}-seed{seed}.mcap",
        embedded=embedded,
        lockstep=embedded if realtime is None else not realtime,
        window=window,
    )
    for path in (plan.log, summary):
        if path is not None:
            _check_writable(path)
    with FlightStatus(plan) as status:
        result = fly_plan(plan, status.show)
    print_summary(result)
    if summary is not None:
        _write_json(summary, result.to_dict())
    raise typer.Exit(0 if result.success else 1)


@app.command()
def sim(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 41451,
    seed: Annotated[int, typer.Option(help="Seed of city, people and route.")] = 0,
    dialect: Annotated[
        str, typer.Option(help="Speak as airsim, unity, colosseum or cosys.")
    ] = "airsim",
    image_size: Annotated[str, typer.Option(help="WIDTHxHEIGHT of camera images.")] = "160x160",
    style: Annotated[
        str | None,
        typer.Option(
            help="City of this style: plaza, old_town, modern or brick_town.",
            show_default="drawn by the seed",
        ),
    ] = None,
    window: Annotated[bool, typer.Option(help="Watch: chase, orbit, pause, speed.")] = False,
    noise: Annotated[bool, typer.Option("--noise", help="Sensors err, by the seed.")] = False,
    recordings: Annotated[
        Path | None, typer.Option(help="Folder for what clients record with startRecording.")
    ] = None,
) -> None:
    """Run the embedded simulator: a city with people, served over the AirSim RPC."""
    from followme_uav.sim.server import run_server

    raise typer.Exit(
        run_server(
            host=host,
            port=port,
            seed=seed,
            dialect=dialect,
            image_size=image_size,
            style=style,
            window=window,
            noise=noise,
            recordings=recordings,
        )
    )


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check this machine: Python, TensorFlow, rendering, port, weights; say what to do."""
    from followme_uav.doctor import doctor as run_doctor

    raise typer.Exit(run_doctor(as_json))


@app.command()
def collect(
    out: Annotated[Path, typer.Option(help="Folder to write; must not hold frames yet.")],
    frames: Annotated[int, typer.Option(min=1, help="How many frames of each kind.")] = 100,
    seeds: Annotated[str, typer.Option(help="Cities A:B, B excluded.")] = "1000:1010",
    sim: Sim = "embedded",
    profile: Profile = None,
    size_px: Annotated[int, typer.Option(help="Side of the square images.")] = 256,
    vary_lens: Annotated[
        bool,
        typer.Option(
            "--vary-lens/--own-lens",
            help="A new field of view in each city, to learn from; or the profile's, to judge by.",
        ),
    ] = True,
) -> None:
    """Record labelled frames: hero near, patrol with her, patrol without her."""
    from followme_uav.config import load_config
    from followme_uav.learn.collect import collect as run_collect

    overrides = [f"camera.width_px={size_px}", f"camera.height_px={size_px}"]
    if sim != "embedded":
        host, port = _address(sim)
        overrides += [f"simulator.host={json.dumps(host)}", f"simulator.port={port}"]
    first, _, end = seeds.partition(":")
    if not (first.isdigit() and end.isdigit() and int(first) < int(end)):
        raise ConfigError(f"--seeds {seeds}: write it as A:B with A < B")
    run_collect(
        load_config(None, overrides, profile),
        out,
        frames_per_kind=frames,
        seeds=range(int(first), int(end)),
        embedded=sim == "embedded",
        vary_lens=vary_lens,
    )
    print(f"{out}: {frames} frames of each kind")


@app.command()
def prepare(
    raw: Annotated[Path, typer.Argument(help="Recording with cam1_*.png to cam4_*.png.")],
    out: Annotated[Path, typer.Argument(help="Folder of labelled frames to write.")],
    kind: Annotated[
        str | None,
        typer.Option(
            help="following_images, patrol_non_targ or patrol_with_targ: this subfolder of OUT.",
        ),
    ] = None,
    masks: Annotated[
        str, typer.Option(metavar="auto|bright|depth", help="How masks show their class.")
    ] = "auto",
    cameras: Annotated[
        str, typer.Option(help="Cameras of the hero's, the people's, the background's mask.")
    ] = "2,3,4",
    resume: Annotated[bool, typer.Option(help="Go on where an interrupted call stopped.")] = False,
) -> None:
    """Turn a raw recording of the Unity simulator into labelled frames."""
    from followme_uav.learn.prepare import Reading
    from followme_uav.learn.prepare import prepare as run_prepare

    readings = {"auto": None, **{reading.value: reading for reading in Reading}}
    if masks not in readings:
        raise ConfigError(f"--masks {masks}: choose from {', '.join(readings)}")
    numbers = cameras.split(",")
    if not all(number.isdigit() for number in numbers):
        raise ConfigError(f"--cameras {cameras}: write three camera numbers, as in 2,3,4")
    run_prepare(raw, out, kind, readings[masks], [int(number) for number in numbers], resume)


@app.command()
def train(
    config: Annotated[Path, typer.Option(help="Training configuration, YAML.")],
    data: Annotated[list[Path], typer.Option(help="Labelled folder to learn from; repeat.")],
    out: Annotated[Path, typer.Option(help="Weights file to write.")],
    validation: Annotated[
        list[Path],
        typer.Option(
            help="Labelled folder to judge by; repeat.", show_default="the last tenth of each set"
        ),
    ] = [],  # noqa: B006 - typer copies it
    init: Annotated[
        Path | None,
        typer.Option(help="Weights to start from."),
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on where a killed training stopped.")] = False,
    logs: Annotated[
        Path | None,
        typer.Option(
            help="Folder for TensorBoard logs of this training.", show_default="OUT.tensorboard"
        ),
    ] = None,
) -> None:
    """Train a network on labelled frames."""
    from followme_uav.learn.train import train as run_train

    _check_writable(out)
    run_train(config, data, validation, out, init, resume, logs)


@app.command()
def experiment(
    name: Annotated[
        str, typer.Argument(help="batch-size, epochs, steps-per-epoch or learning-rate.")
    ],
    data: Annotated[list[Path], typer.Option(help="Labelled folder to learn from; repeat.")],
    validation: Annotated[list[Path], typer.Option(help="Labelled folder to judge by; repeat.")],
    out: Annotated[Path, typer.Option(help="Folder for results and figures; runs in it are kept.")],
    values: Annotated[
        str | None, typer.Option(help="Values to try, as in 5,10,20.", show_default="see docs")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Repetitions of everything.")] = 3,
    network: Annotated[
        str | None, typer.Option(help="model1, model2 or model3.", show_default="model2")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            help="Settings that stay as they are.", show_default="configs/experiments/report.yaml"
        ),
    ] = None,
) -> None:
    """Repeat the report's experiments on how the network is trained, and draw them."""
    from followme_uav.learn.experiment import DEFAULT_CONFIG
    from followme_uav.learn.experiment import experiment as run_experiment

    try:
        numbers = [float(value) for value in values.split(",")] if values else []
    except ValueError:
        raise ConfigError(f"--values {values}: write numbers, as in 5,10,20") from None
    run_experiment(name, data, validation, out, numbers, seeds, network, config or DEFAULT_CONFIG)


@app.command()
def evaluate(
    data: Annotated[Path, typer.Argument(help="Labelled folder.")],
    weights: Weights = DEFAULT_WEIGHTS,
    json_path: Annotated[
        Path | None,
        typer.Option("--json", help="Write the scores as JSON."),
    ] = None,
    by_kind: Annotated[
        bool,
        typer.Option("--by-kind", help="Part one set by the hero's size, for a final score."),
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(help="Folder for a page with tables, curves and the worst frames."),
    ] = None,
) -> None:
    """Score a network on labelled frames."""
    from followme_uav.learn.evaluate import evaluate as run_evaluate

    for path in (json_path, report and report / "index.html"):
        if path is not None:
            _check_writable(path)
    run_evaluate(weights, data, json_path, by_kind=by_kind, report_dir=report)


@app.command()
def export(
    onnx: Annotated[Path, typer.Option(help="ONNX file to write.")],
    weights: Weights = DEFAULT_WEIGHTS,
) -> None:
    """Write a network as an ONNX model, to run it elsewhere."""
    from followme_uav.perception.onnx_model import INPUT, OUTPUT, onnx_model

    _check_writable(onnx)
    model = onnx_model(weights)
    with _writing(onnx):
        onnx.write_bytes(model.SerializeToString())
    print(
        f"{onnx}: {model.graph.name}; input {INPUT} (batch, height, width, 3) uint8, "
        f"output {OUTPUT} of the same shape, float32"
    )


@app.command()
def models(as_json: Json = False) -> None:
    """Show the networks: layers, parameters, multiply-adds, and how they are saved."""
    from followme_uav.perception.summary import show

    show(as_json)


@app.command("import-weights")
def import_weights(
    old: Annotated[Path, typer.Argument(help="HDF5 weights of the Udacity project (Keras 2).")],
    out: Annotated[Path, typer.Argument(help="Weights file to write.")],
) -> None:
    """Convert old Keras weights to this program's format, and say what they are."""
    from followme_uav.perception.models import CLASSES
    from followme_uav.perception.weights import import_weights as run_import

    _check_writable(out)
    found = run_import(old, out)
    print(f"{old}: {found.architecture}, {found.parameters:,} parameters, by {found.origin}")
    print(f"{out}: channels {', '.join(CLASSES)}; use it with --weights")


def _address(text: str) -> tuple[str, int]:
    host, separator, port = text.rpartition(":")
    if not separator or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(f"--sim {text}: write 'embedded' or HOST:PORT")
    return host.strip("[]"), int(port)


def _check_writable(path: Path) -> None:
    """Know it before the flight, not after; a file that is there keeps its content."""
    with _writing(path):
        is_new = not path.exists()
        path.open("ab").close()
        if is_new:
            path.unlink()


def _write_json(path: Path, data: object) -> None:
    with _writing(path):
        path.write_text(json.dumps(data, indent=2, allow_nan=False) + "\n", encoding="utf-8")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Makes the file's folder; trouble becomes one line."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except (FileExistsError, NotADirectoryError) as error:
        raise ConfigError(f"{path}: {error.filename} is no folder; choose another file") from error
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot write ({error.strerror}); choose another file"
        ) from error


if __name__ == "__main__":
    main()
