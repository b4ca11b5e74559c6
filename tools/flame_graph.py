"""Draws a flame graph of each process of a flight: the simulator's, and the pilot's.

    pip install py-spy
    python tools/flame_graph.py docs/flame.webp --seconds 60

The width of a function is its share of the samples in which its process works; a function stands
below its caller. Functions of libraries are joined under the name of the library. py-spy samples
the processes from outside: https://github.com/benfred/py-spy.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

SAMPLES_PER_S = 200
ROOTS = {
    "simulator": "SimulationRunner.run",
    "flight loop": "FlightLoop._run",
}
"""The function of each process below which samples count."""
LEAST_SHARE, DEEPEST = 0.004, 14
FRAME = re.compile(r"^(?P<name>.*) \((?P<file>[^()]*?)(:\d+)?\)$")
COLOURS = ("#f6c667", "#f2a65a", "#e8895b", "#f0b95f")
LIBRARY = "#9fc3d9"


@dataclass
class Node:
    """A function with its samples, and those of the functions that it calls."""

    samples: int = 0
    calls: dict[str, Node] = field(default_factory=dict)

    def add(self, stack: Iterable[str], samples: int) -> None:
        """Add samples with this stack, the caller first."""
        node = self
        node.samples += samples
        for name in stack:
            node = node.calls.setdefault(name, Node())
            node.samples += samples


def record(seconds: float) -> str:
    """Fly with py-spy, and return its lines: frames, the caller first, and a number of samples."""
    spy = shutil.which("py-spy")
    if spy is None:
        print("py-spy is missing: pip install py-spy", file=sys.stderr)
        raise SystemExit(2)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "stacks.txt"
        fly = [sys.executable, "-m", "followme_uav", "fly", "--seed", "8", "--duration"]
        fly += [str(seconds), "--log", str(Path(folder) / "flight.mcap")]
        sample = [spy, "record", "--subprocesses", "-r", str(SAMPLES_PER_S), "-f", "raw", "-o", out]
        subprocess.run([*sample, "--", *fly], check=False, capture_output=True, timeout=600)
        return out.read_text()


def flames(lines: Iterable[str]) -> dict[str, Node]:
    """The functions of each process, from the lines of py-spy."""
    roots = {process: Node() for process in ROOTS}
    for line in lines:
        text, _, count = line.rpartition(" ")
        names = [_name(frame) for frame in text.split(";")]
        for process, root in ROOTS.items():
            if root in names:
                inner = names[names.index(root) + 1 :]
                roots[process].add(_joined(inner), int(count))
    return roots


def _name(frame: str) -> str:
    """The function of the project, or the library that it belongs to."""
    found = FRAME.match(frame)
    if found is None:
        return frame
    file = found["file"]
    if file.startswith("followme_uav/"):
        return found["name"]
    return f"[{file.split('/')[0].removesuffix('.py').strip('<>')}]"


def _joined(names: Iterable[str]) -> list[str]:
    """Without repetitions of a library; the deepest functions are left out."""
    joined: list[str] = []
    for name in names:
        if not joined or joined[-1] != name:
            joined.append(name)
    return joined[:DEEPEST]


def draw(roots: dict[str, Node], out: Path) -> None:
    """Draw one panel for each process."""
    figure, panels = plt.subplots(len(roots), 1, figsize=(13, 4.6 * len(roots)))
    for panel, (process, root) in zip(panels, roots.items(), strict=True):
        panel.set_title(f"{process}: {root.samples} samples", loc="left")
        depth = _draw(panel, root, 0.0, 1.0, 0, max(root.samples, 1))
        panel.set(xlim=(0.0, 1.0), ylim=(depth, 0.0))
        panel.axis("off")
    figure.tight_layout()
    figure.savefig(out, dpi=110)


def _draw(panel: Axes, node: Node, left: float, width: float, depth: int, total: int) -> int:
    """Draw the functions that `node` calls; return the depth that they reach."""
    deepest = depth
    for number, (name, called) in enumerate(sorted(node.calls.items())):
        share = called.samples / total
        if share >= LEAST_SHARE:
            colour = LIBRARY if name.startswith("[") else COLOURS[(number + depth) % len(COLOURS)]
            box = Rectangle((left, depth), share, 0.94, facecolor=colour, edgecolor="white", lw=0.4)
            panel.add_patch(box)
            fitting = int(share * 165)
            if fitting >= 3:
                text = name if len(name) <= fitting else name[: fitting - 1] + "…"
                panel.text(left + 0.001, depth + 0.65, text, size=7, clip_on=True)
            deepest = max(deepest, _draw(panel, called, left, share, depth + 1, total))
            left += share
    return max(deepest, depth)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="picture to write: .webp, .png or .svg")
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="flight time before the landing"
    )
    parser.add_argument("--stacks", type=Path, help="draw these stacks of py-spy, and do not fly")
    options = parser.parse_args()
    text = options.stacks.read_text() if options.stacks else record(options.seconds)
    roots = flames(text.splitlines())
    draw(roots, options.out)
    for process, root in roots.items():
        largest = Counter({name: node.samples for name, node in root.calls.items()}).most_common(5)
        shares = ", ".join(f"{name} {count / max(root.samples, 1):.0%}" for name, count in largest)
        print(f"{process}: {shares}")


if __name__ == "__main__":
    main()
