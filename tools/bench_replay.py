"""Measures what logging costs a flight, and how fast the log replays.

Part of `make bench`; for the log of any flight of the present pilot with the network:

    python tools/bench_replay.py FLIGHT.mcap --weights weights/model1.h5
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from followme_uav.commands.options import DEFAULT_WEIGHTS
from followme_uav.errors import LogError
from followme_uav.log.reader import FlightLog, read_log
from followme_uav.log.writer import FlightLogWriter
from followme_uav.replay.comparison import compare
from followme_uav.replay.setup import ReplaySetup, replay_log

ROUNDS = 5
WARM_UP_FRAMES = 20


def replay_figures(path: Path, weights: Path) -> dict[str, float]:
    """Replay speed from masks and from images, and the cost of the log."""
    log = read_log(path)
    config = log.metadata.config
    entries = list(log.entries())
    flight_s = entries[-1].frame.time_s - entries[0].frame.time_s
    logging_ms = [entry.timings.log_ms for entry in entries[WARM_UP_FRAMES:]]
    return {
        "from masks, times real time": flight_s / fastest_s(log, ReplaySetup(config), ROUNDS),
        "from pictures, times real time": flight_s
        / fastest_s(log, ReplaySetup(config, weights), 2),
        "logging in the loop, ms a frame": statistics.median(logging_ms),
        "the log's thread, ms a frame": encode_ms(log, entries),
        "MB a minute": 60.0 * path.stat().st_size / 1e6 / flight_s,
    }


def fastest_s(log: FlightLog, setup: ReplaySetup, rounds: int) -> float:
    """Wall-clock time of the fastest replay; loading the network is not counted."""
    times = []
    for _ in range(rounds):
        turns = replay_log(log, setup)
        start_s = time.perf_counter()
        found = compare(turns)
        times.append(time.perf_counter() - start_s)
        if not found.is_rounding:
            raise LogError(f"{log.path}: the replay is not identical")
    return min(times)


def encode_ms(log: FlightLog, entries: list) -> float:
    """Time to encode and write one entry, as the writer thread does."""
    with tempfile.TemporaryDirectory() as folder:
        start_s = time.perf_counter()
        with FlightLogWriter(Path(folder) / "copy.mcap", log.metadata.config, "") as writer:
            for entry in entries:
                writer.write(entry)
        return 1e3 * (time.perf_counter() - start_s) / len(entries)


def show_replay(console: Console, figures: dict[str, float]) -> None:
    table = Table("log and replay", "", title="Replay")
    for name, value in figures.items():
        table.add_row(name, f"{value:.2f}")
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("flight", type=Path)
    parser.add_argument("--weights", type=Path, default=DEFAULT_WEIGHTS)
    args = parser.parse_args()
    figures = replay_figures(args.flight, args.weights)
    show_replay(Console(), figures)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
