"""Measures where the time of a lockstep flight goes: the whole loop, and single parts.

    make bench                      make bench ARGS="--seconds 120 --json bench.json"
    make bench ARGS=--network       only the network, with each library that can run it
    make bench ARGS=--simulator     only the simulator, and another renderer for comparison
    make bench ARGS=--flight        only a flight, single calls and the replay
    make bench ARGS=--two           only two flights at once
    make bench ARGS="--compare REV" this revision and another one, in turn
    make bench ARGS=--record        enter figures better than the best of this class of machine

Absolute times depend on the machine and its load. Compare shares, ratios to real time, and ratios
between libraries.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from bench_compare import compare_with
from bench_goals import machine_class, record, show_goals
from bench_replay import replay_figures, show_replay
from bench_simulator import show_simulator, simulator_figures
from bench_two import show_two, two_figures
from rich.console import Console
from rich.table import Table

from followme_uav.commands.options import DEFAULT_WEIGHTS
from followme_uav.config import load_config
from followme_uav.flight.embedded import embedded_simulator
from followme_uav.flight.fly import FlightPlan, fly
from followme_uav.flight.summary import FlightSummary
from followme_uav.log.entry import FlightEntry
from followme_uav.perception.segmenter import Segmenter
from followme_uav.perception.weights import load_model
from followme_uav.rpc.airsim import AirSimClient
from followme_uav.rpc.session import RpcSession

WARM_UP_FRAMES = 20
NETWORK_THREADS = 2
NETWORK_ROUNDS = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the flight")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=100, help="of each single call")
    parser.add_argument("--weights", type=Path, default=DEFAULT_WEIGHTS)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--network", action="store_true", help="only the network")
    only.add_argument("--simulator", action="store_true", help="only the simulator")
    only.add_argument("--flight", action="store_true", help="only a flight and its parts")
    only.add_argument("--two", action="store_true", help="only two flights at once")
    parser.add_argument("--compare", metavar="REV", help="also measure this revision, in turn")
    parser.add_argument("--rounds", type=int, default=3, help="of a comparison")
    parser.add_argument("--record", action="store_true", help="enter figures that are the best")
    args = parser.parse_args()
    if args.compare:
        compare_with(args.compare, options_of(args), args.rounds, Console())
        return
    is_whole = not (args.network or args.simulator or args.flight or args.two)
    figures: dict = {}
    if args.simulator or is_whole:
        figures["simulator"] = simulator_figures()
    if args.flight or is_whole:
        figures |= flight_figures(args)
    if args.network or is_whole:
        figures["network"] = network_figures(args.weights)
    if args.two or is_whole:
        figures["two"] = two_figures(args.weights)
    show(figures)
    if args.record:
        record(figures, machine_class())
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2) + "\n")


def options_of(args: argparse.Namespace) -> list[str]:
    """The options that each side of a comparison gets."""
    parts = [f"--{name}" for name in ("network", "simulator", "flight", "two") if vars(args)[name]]
    sizes = ["--seconds", str(args.seconds), "--repeats", str(args.repeats)]
    return [*parts, *sizes, "--seed", str(args.seed), "--weights", str(args.weights)]


def flight_figures(args: argparse.Namespace) -> dict:
    entries: list[FlightEntry] = []
    with tempfile.TemporaryDirectory() as folder:
        plan = FlightPlan(
            config=load_config(overrides=[f"duration_s={args.seconds}"]),
            weights=args.weights,
            seed=args.seed,
            log=Path(folder) / "bench.mcap",
            embedded=True,
            lockstep=True,
        )
        summary = fly(plan, lambda entry, _: entries.append(entry))
        replay = replay_figures(Path(folder) / "bench.mcap", args.weights)
    return {
        "loop": loop_figures(entries[WARM_UP_FRAMES:], summary),
        "parts": part_figures(args.repeats),
        "replay": replay,
    }


def loop_figures(entries: list[FlightEntry], summary: FlightSummary) -> dict[str, float]:
    """Median ms of each stage of one iteration of the loop, and of the whole iteration."""
    timings = [entry.timings for entry in entries]
    stages = {
        "receive state and image (RPC, render)": [t.receive_ms for t in timings],
        "network": [t.segment_ms for t in timings],
        "observe, decide, control": [t.decide_ms for t in timings],
        "send": [t.send_ms for t in timings],
        "log": [t.log_ms for t in timings[1:]],
    }
    figures = {name: statistics.median(values) for name, values in stages.items()}
    iteration_ms = 1e3 * summary.wall_s / summary.metrics.frames
    figures["advance the world, ground truth, metrics"] = iteration_ms - sum(figures.values())
    figures["whole turn (mean)"] = iteration_ms
    total = sorted(t.total_ms for t in timings)
    figures["frame received to command sent, p50"] = total[len(total) // 2]
    figures["frame received to command sent, p99"] = total[int(0.99 * len(total))]
    figures["times real time"] = summary.metrics.real_time_factor or 0.0
    return figures


def part_figures(repeats: int) -> dict[str, float]:
    """Median ms of single calls."""
    figures = {}
    with embedded_simulator(load_config(), 0, paused=True) as config:
        profile = config.simulator
        with RpcSession(profile.host, profile.port) as session:
            figures["ping over RPC"] = median_ms(lambda: session.call("ping"), 3 * repeats)
        client = AirSimClient(profile, config.rpc, config.camera)
        client.connect()
        client.take_control()
        figures["state and image, nothing to render"] = median_ms(client.read_frame, repeats)
        figures["advance 0.1 s"] = median_ms(lambda: client.advance(0.1), repeats)

        def render() -> None:
            client.advance(0.01)
            client.read_frame()

        figures["advance 0.01 s, render, state and image"] = median_ms(render, repeats)
        client.close()
    return figures


def network_figures(weights: Path) -> dict[str, dict[str, float]]:
    """Median and minimum ms from the bytes of an image to the class of each pixel, by library.

    The libraries take turns image by image, so that the load of the machine slows all of them.
    """
    segmenters = [
        Segmenter(weights, runtime=runtime, threads=NETWORK_THREADS)
        for runtime in ("openvino", "tensorflow")
    ]
    model = load_model(weights)
    calls = {s.device: lambda rgb, s=s: s.segment(rgb).argmax(-1) for s in segmenters}
    calls["model.predict (TensorFlow)"] = lambda rgb: model.predict(
        rgb[None] / np.float32(127.5) - 1, verbose=0
    )[0].argmax(-1)
    times: dict[str, list[float]] = {name: [] for name in calls}
    size = (NETWORK_ROUNDS, *segmenters[0].trained_size_px, 3)
    for rgb in np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8):
        for name, call in calls.items():
            start = time.perf_counter()
            call(rgb)
            times[name].append(1e3 * (time.perf_counter() - start))
    return {
        name: {"median": statistics.median(values[3:]), "least": min(values)}
        for name, values in times.items()
    }


def median_ms(call, repeats: int) -> float:
    """Median wall-clock time of one call, after a tenth of the repeats as warm-up."""
    times = []
    for _ in range(repeats + repeats // 10):
        start = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times[repeats // 10 :])


def show(figures: dict) -> None:
    console = Console()
    if "simulator" in figures:
        show_simulator(console, figures["simulator"])
    if "loop" in figures:
        show_flight(console, figures)
    if "network" in figures:
        show_network(console, figures)
    if "two" in figures:
        show_two(console, figures["two"])
    show_goals(console, figures)


def show_network(console: Console, figures: dict) -> None:
    table = Table("network, bytes to classes", "ms, median", "ms, minimum", title="Libraries")
    table.add_column("times faster")
    slowest_ms = max(ms["median"] for ms in figures["network"].values())
    for name, ms in figures["network"].items():
        ratio = slowest_ms / ms["median"]
        table.add_row(name, f"{ms['median']:.2f}", f"{ms['least']:.2f}", f"{ratio:.1f}")
    console.print(table)


def show_flight(console: Console, figures: dict) -> None:
    loop = figures["loop"]
    table = Table("one iteration of the loop", "ms, median", "share", title="Lockstep flight")
    iteration_ms = loop["whole turn (mean)"]
    for name, value in loop.items():
        is_time = name != "times real time"
        share = f"{100.0 * value / iteration_ms:.0f} %" if is_time and "p" not in name[-3:] else ""
        table.add_row(name, f"{value:.2f}", share)
    console.print(table)
    table = Table("single calls", "ms, median", title="Parts")
    for name, value in figures["parts"].items():
        table.add_row(name, f"{value:.2f}")
    console.print(table)
    show_replay(console, figures["replay"])


if __name__ == "__main__":
    main()
