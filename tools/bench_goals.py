"""Puts the figures of `make bench` beside goals, limits, and the best of this class of machine.

`bench_best.json` holds the best figures by class: processor, its instructions for networks, and
number of cores. `make bench ARGS=--record` enters figures that are better than those.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

BEST = Path(__file__).resolve().parent / "bench_best.json"
INSTRUCTIONS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16")
"""The last of these that a processor has decides how fast networks are."""


@dataclass(frozen=True)
class Row:
    """One figure of `bench.py`: `path` leads to it."""

    name: str
    path: tuple[str, ...]
    goal: float
    limit: float | None = None
    """No program can be better here: see `why`."""
    why: str = ""
    is_rate: bool = False
    """More is better."""
    per_s: bool = False
    """The figure is in ms, the row in 1/s."""

    def value(self, figures: dict) -> float | None:
        """The row's value; None without the figure."""
        found: object = figures
        for key in self.path:
            if not isinstance(found, dict) or key not in found:
                return None
            found = found[key]
        if not isinstance(found, int | float):
            return None
        return 1e3 / found if self.per_s else float(found)

    def better(self, one: float, other: float) -> float:
        """The better of two values."""
        return max(one, other) if self.is_rate else min(one, other)


SECOND, FLIGHT = "core-seconds for each simulated second", "frame received to command sent"
ROWS = (
    Row("flight alone, x real time", ("loop", "times real time"), 12.0, is_rate=True),
    Row("two flights, start included, x real time", ("two", "x real time"), 18.0, is_rate=True),
    Row(f"two flights, {SECOND}", ("two", SECOND), 0.10),
    Row(f"{FLIGHT}, p50, ms", ("loop", f"{FLIGHT}, p50"), 3.0, 0.6, "the network's arithmetic"),
    Row(f"{FLIGHT}, p99, ms", ("loop", f"{FLIGHT}, p99"), 6.0, 0.6, "the network's arithmetic"),
    Row(
        "drawing 160 px, images/s",
        ("simulator", "drawing", "colour, mask and depth, 160x160", "median"),
        350.0,
        1000.0,
        "the pixels alone, 1 ms",
        is_rate=True,
        per_s=True,
    ),
    Row(
        "drawing 256 px, images/s",
        ("simulator", "drawing", "colour, mask and depth, 256x256", "median"),
        220.0,
        390.0,
        "the pixels alone, 2.6 ms",
        is_rate=True,
        per_s=True,
    ),
    Row(
        "advance 0.1 s, ms", ("simulator", "time", "advance 0.1 s, ms"), 0.8, 0.2, "20 MuJoCo steps"
    ),
    Row(
        "replay from masks, x real time",
        ("replay", "from masks, times real time"),
        500.0,
        is_rate=True,
    ),
    Row(
        "replay from images, x real time",
        ("replay", "from pictures, times real time"),
        50.0,
        160.0,
        "the network's arithmetic",
        is_rate=True,
    ),
    Row("start to 'listening', s", ("simulator", "process", "start to 'listening', s"), 2.5),
)


def machine_class(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The class of this machine; `unknown` where the system does not tell it."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown"
    about = {key.strip(): text.strip() for key, _, text in (line.partition(":") for line in lines)}
    flags = about.get("flags", "").split()
    kind = next((name for name in reversed(INSTRUCTIONS) if name in flags), "no vectors")
    cores = len(os.sched_getaffinity(0))
    return f"{about.get('model name', 'unknown')}, {kind}, {cores} cores"


def best_of(machine: str, file: Path = BEST) -> dict[str, float]:
    """The best figures of a class of machine, by the name of the row."""
    known: dict[str, dict[str, float]] = json.loads(file.read_text()) if file.exists() else {}
    return known.get(machine, {})


def record(figures: dict, machine: str, file: Path = BEST) -> None:
    """Enter the figures that are better than the best ones of this class."""
    known = json.loads(file.read_text()) if file.exists() else {}
    best = known.setdefault(machine, {})
    for row in ROWS:
        value = row.value(figures)
        if value is not None:
            best[row.name] = round(row.better(value, best.get(row.name, value)), 3)
    file.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")


def goals_table(figures: dict, machine: str, best: dict[str, float]) -> Table:
    """Today's figures, the best ones, goals and limits, side by side."""
    table = Table(title="Goals", caption=f"class of machine: {machine}")
    for heading in ("", "today", "best", "today / best", "goal", "limit", "which is"):
        table.add_column(heading, justify="left" if heading in ("", "which is") else "right")
    for row in ROWS:
        value = row.value(figures)
        if value is None:
            continue
        known = best.get(row.name)
        reached = value >= row.goal if row.is_rate else value <= row.goal
        table.add_row(
            row.name,
            f"{value:.3g}",
            "" if known is None else f"{known:.3g}",
            "" if known is None else f"{value / known:.2f}",
            f"{row.goal:g} {'✓' if reached else ''}",
            "" if row.limit is None else f"{row.limit:g}",
            row.why,
        )
    return table


def show_goals(console: Console, figures: dict) -> None:
    """Print the table."""
    machine = machine_class()
    console.print(goals_table(figures, machine, best_of(machine)))
