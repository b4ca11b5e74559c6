"""Measures two flights at once, as in a campaign: real-time factor and processor time."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

SCRIPT, SEEDS = "straight-walk", "301:305"
WORKERS = 2
DEADLINE_S = 600.0


def two_figures(weights: Path) -> dict[str, float]:
    """Four flights of a script of 60 s, two at a time; their start counts."""
    with tempfile.TemporaryDirectory() as folder:
        plan, out = Path(folder) / "plan.yaml", Path(folder) / "run"
        about = {"scenarios": [SCRIPT], "seeds": SEEDS, "weights": [str(weights.resolve())]}
        plan.write_text(yaml.safe_dump(about))
        fly = [sys.executable, "-m", "followme_uav", "campaign", "run", plan, "--out", out]
        options = ["--workers", str(WORKERS), "--logs", "none", "--no-report"]
        before, began_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run([*fly, *options], check=True, capture_output=True, timeout=DEADLINE_S)
        wall_s = time.perf_counter() - began_s
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        lines = (out / "flights.jsonl").read_text().splitlines()
    flown_s = sum(json.loads(line)["result"]["metrics"]["flight_s"] for line in lines)
    used_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "x real time": flown_s / wall_s,
        "core-seconds for each simulated second": used_s / flown_s,
    }


def show_two(console: Console, figures: dict[str, float]) -> None:
    """Print the figures."""
    table = Table("two flights at once, start included", "", title="Campaign")
    for name, value in figures.items():
        table.add_row(name, f"{value:.3g}")
    console.print(table)
