"""Runs the benchmark of this revision and of another one in turn, and prints the ratios."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
DEADLINE_S = 1800.0

Figures = dict[str, float]


def compare_with(revision: str, options: list[str], rounds: int, console: Console) -> None:
    """Measure both revisions `rounds` times, in turn, each with its own `tools/bench.py`.

    Raises:
        SystemExit: The revision is unknown (2), or a benchmark failed (1).
    """
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder) / "other"
        add = ["git", "-C", str(ROOT), "worktree", "add", "--detach", str(other), revision]
        made = subprocess.run(add, capture_output=True, text=True)
        if made.returncode != 0:
            print(f"{revision}: no such revision: {made.stderr.strip()}", file=sys.stderr)
            raise SystemExit(2)
        try:
            runs: dict[str, list[Figures]] = {"this": [], revision: []}
            for number in range(rounds):
                for name, root in (("this", ROOT), (revision, other)):
                    console.print(f"round {number + 1} of {rounds}: {name}", style="dim")
                    runs[name].append(_measured(root, options, Path(folder) / "figures.json"))
        finally:
            remove = ["git", "-C", str(ROOT), "worktree", "remove", "--force", str(other)]
            subprocess.run(remove, check=False, capture_output=True)
    console.print(comparison(runs["this"], runs[revision], revision))


def _measured(root: Path, options: list[str], file: Path) -> Figures:
    """The figures of one revision, each with the path that leads to it."""
    command = [sys.executable, str(root / "tools" / "bench.py"), *options, "--json", str(file)]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, timeout=DEADLINE_S
    )
    if done.returncode != 0:
        print(f"{root}: the benchmark failed: {done.stderr.strip()[-500:]}", file=sys.stderr)
        raise SystemExit(1)
    return flattened(json.loads(file.read_text()))


def flattened(figures: Mapping[str, object], before: str = "") -> Figures:
    """The numbers of nested figures, with their paths."""
    flat: Figures = {}
    for key, value in figures.items():
        path = f"{before}{key}"
        if isinstance(value, Mapping):
            flat |= flattened(value, f"{path}: ")
        elif isinstance(value, int | float):
            flat[path] = float(value)
    return flat


def comparison(ours: list[Figures], theirs: list[Figures], revision: str) -> Table:
    """Medians of both, and the ratio with its range over the rounds."""
    table = Table("", "this", revision, "this / other", "range", title="Comparison")
    for path in ours[0]:
        if any(path not in figures for figures in (*ours, *theirs)):
            continue
        mine, other = ([f[path] for f in runs] for runs in (ours, theirs))
        ratios = [a / b for a, b in zip(mine, other, strict=True) if b]
        if not ratios:
            continue
        table.add_row(
            path,
            f"{statistics.median(mine):.3g}",
            f"{statistics.median(other):.3g}",
            f"{statistics.median(ratios):.2f}",
            f"{min(ratios):.2f} to {max(ratios):.2f}",
        )
    return table
