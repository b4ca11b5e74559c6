"""Flies the reference flights again and stores them, masks and states only, in the repository.

    make references

Use it after an intended change of the pilot or the network that makes the stored situations
obsolete. After a change of decisions alone, this is enough:

    followme-uav replay --check tests/reference_flights --update
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from followme_uav.replay.reference import check_folder
from followme_uav.resources import VARIABLE

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "reference_flights"


@dataclass(frozen=True)
class Reference:
    """One flight, and how much of its log is kept."""

    name: str
    shows: str
    fly: tuple[str, ...]
    """Arguments of the command; FOLDER stands for a temporary folder."""
    log: str
    """Path of the log below FOLDER."""
    to_s: float


REFERENCES = (
    Reference(
        "network",
        "masks of the network: false positives, low confidence, the hero far away, then near",
        (
            *("fly", "--seed", "3002", "--duration", "24", "--set", "camera.rate_hz=5"),
            *("--log", "FOLDER/network.mcap"),
        ),
        "network.mcap",
        26.0,
    ),
    Reference(
        "follow_and_land",
        "true masks: acquisition, following, landing",
        (
            *("fly", "--seed", "3001", "--duration", "32", "--oracle"),
            *("--log", "FOLDER/follow_and_land.mcap"),
        ),
        "follow_and_land.mcap",
        60.0,
    ),
    Reference(
        "lost_and_found",
        "true masks: loss behind a building, search, reacquisition",
        (
            *("scenario", "run", "behind-building", "--seeds", "325:326", "--pilot", "oracle"),
            *("--out", "FOLDER/scenario"),
        ),
        "scenario/logs/behind-building-seed325.mcap",
        36.0,
    ),
)


def main() -> None:
    os.environ[VARIABLE] = ""  # no configuration of the developer's own
    with tempfile.TemporaryDirectory() as folder:
        for reference in REFERENCES:
            run(*(part.replace("FOLDER", folder) for part in reference.fly), may_fail=True)
            kept = FOLDER / f"{reference.name}.mcap"
            log = str(Path(folder) / reference.log)
            run("log", "cut", log, str(kept), "--masks-only", "--to", f"{reference.to_s:g}")
            print(f"{kept.name}: {kept.stat().st_size / 1e3:.0f} kB, {reference.shows}")
    for result in check_folder(FOLDER):
        print(result.line())


def run(*arguments: str, may_fail: bool = False) -> None:
    """Run the command line; a failed mission is a valid reference, too."""
    command = [sys.executable, "-m", "followme_uav.cli", *arguments]
    code = subprocess.run(command, check=False).returncode
    if code not in ((0, 1) if may_fail else (0,)):
        sys.exit(f"{' '.join(arguments)}: exit code {code}")


if __name__ == "__main__":
    main()
