"""Measures how fast worlds start and are drawn, and their memory.

    python tools/bench_worlds.py old-town town.yaml --json worlds.jsonl

Prints, for each generator or world file: its buildings; the time from the start of the simulator's
process until it listens; its memory after the images; images per second, with colour, mask and
depth, of a camera that follows the hero. Each is the median of `ROUNDS`; worlds take turns.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

from bench_simulator import TOOLS, measured
from rich.console import Console
from rich.table import Table

from followme_uav.flight.embedded import EmbeddedSimulator
from followme_uav.rpc.session import RpcSession
from followme_uav.sim.airsim_api.images import DEPTH_PLANAR, SCENE, SEGMENTATION
from followme_uav.sim.places import load_place

SEED, ROUNDS, IMAGES = 1, 3, 20
SIDES_PX = (160, 256)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("worlds", nargs="+", metavar="WORLD", help="a generator or a world file")
    parser.add_argument("--json", type=Path, help="write one line for each world, too")
    args = parser.parse_args()
    rounds: dict[str, list[dict[str, float]]] = {world: [] for world in args.worlds}
    for number in range(ROUNDS):
        for world, found in rounds.items():
            found.append(figures_of(world))
            print(f"round {number + 1} of {ROUNDS}: {world}", file=sys.stderr)
    rows = [
        {"world": world, "buildings": buildings_of(world), **medians(found)}
        for world, found in rounds.items()
    ]
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*(f"{v:.3g}" if isinstance(v, float) else str(v) for v in row.values()))
    Console().print(table)
    if args.json:
        args.json.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def figures_of(world: str) -> dict[str, float]:
    """Start, memory and speed of one simulator."""
    began_s = time.perf_counter()
    options = ("--world", world, "--paused", "--image-size", "160x160")
    with EmbeddedSimulator(SEED, *options) as simulator:
        start_s = time.perf_counter() - began_s
        with RpcSession(simulator.host, simulator.port) as session:
            requests = [
                {
                    "camera_name": "0",
                    "image_type": kind,
                    "pixels_as_float": kind == DEPTH_PLANAR,
                    "compress": False,
                }
                for kind in (SCENE, DEPTH_PLANAR, SEGMENTATION)
            ]
            for _ in range(IMAGES):
                session.call("simContinueForTime", 0.1)
                session.call("simGetImages", requests, "", False)
        memory_mb = simulator.memory_mb()
    draw = [sys.executable, TOOLS / "bench_drawing.py", "--world", world, "--size"]
    return {
        "start_s": start_s,
        "memory_mb": memory_mb,
        **{
            f"images_per_s_{side}px": 1e3 / statistics.median(measured([*draw, str(side)]))
            for side in SIDES_PX
        },
    }


def medians(found: list[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.median(one[key] for one in found) for key in found[0]}


def buildings_of(world: str) -> int | str:
    """The number of buildings; none is known for the city of all seeds, which has no file."""
    place = load_place(world, SEED)
    return len(place.world.buildings) if hasattr(place, "world") else "-"


if __name__ == "__main__":
    main()
