"""Flies the reference flights anew and puts them, masks and states only, into the repository.

    make references

Needed when the pilot sees or flies otherwise on purpose *and* the old situations tell nothing any
more. When only its decisions changed, this is enough:

    followme-uav replay --check tests/reference_flights --update
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from followme_uav.replay.reference import check_folder

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "reference_flights"


@dataclass(frozen=True)
class Reference:
    """One flight, and how much of it is kept."""

    name: str
    why: str
    fly: tuple[str, ...]
    """Command; FOLDER in it is where it may write."""
    log: str
    """What it writes there."""
    to_s: float


REFERENCES = (
    Reference(
        "network",
        "the network's masks, with all their faults: false alarms, doubt, her far away, then near",
        (
            *("fly", "--seed", "3002", "--duration", "24", "--set", "camera.rate_hz=5"),
            *("--log", "FOLDER/network.mcap"),
        ),
        "network.mcap",
        26.0,
    ),
    Reference(
        "follow_and_land",
        "true masks: found, followed, landing",
        (
            *("fly", "--seed", "3001", "--duration", "32", "--oracle"),
            *("--log", "FOLDER/follow_and_land.mcap"),
        ),
        "follow_and_land.mcap",
        60.0,
    ),
    Reference(
        "lost_and_found",
        "true masks: behind a building, searched for, found and followed again",
        (
            *("scenario", "run", "behind-building", "--seeds", "325:326", "--pilot", "oracle"),
            *("--out", "FOLDER/scenario"),
        ),
        "scenario/logs/behind-building-seed325.mcap",
        36.0,
    ),
)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for reference in REFERENCES:
            run(*(part.replace("FOLDER", folder) for part in reference.fly), may_fail=True)
            kept = FOLDER / f"{reference.name}.mcap"
            log = str(Path(folder) / reference.log)
            run("log", "cut", log, str(kept), "--masks-only", "--to", f"{reference.to_s:g}")
            print(f"{kept.name}: {kept.stat().st_size / 1e3:.0f} kB, {reference.why}")
    for result in check_folder(FOLDER):
        print(result.line())


def run(*arguments: str, may_fail: bool = False) -> None:
    """The command line; a mission that failed is as good a reference as any."""
    command = [sys.executable, "-m", "followme_uav.cli", *arguments]
    code = subprocess.run(command, check=False).returncode
    if code not in ((0, 1) if may_fail else (0,)):
        sys.exit(f"{' '.join(arguments)}: exit code {code}")


if __name__ == "__main__":
    main()
