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

from followme_uav.flight.reference import check_folder

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "reference_flights"


@dataclass(frozen=True)
class Reference:
    """One flight, and how much of it is kept."""

    name: str
    why: str
    fly: tuple[str, ...]
    to_s: float


REFERENCES = (
    Reference(
        "network",
        "the network's masks, with all their faults: false alarms, doubt, her far away, then near",
        ("--seed", "3002", "--duration", "24", "--set", "camera.rate_hz=5"),
        26.0,
    ),
    Reference(
        "follow_and_land",
        "true masks: found, followed around corners, landing",
        ("--seed", "3001", "--duration", "32", "--oracle"),
        60.0,
    ),
    Reference(
        "lost_and_searched",
        "true masks, and a pilot that gives up soon: she is lost behind things and searched for",
        (
            *("--seed", "3004", "--duration", "35", "--oracle"),
            *("--set", "control.wanted_distance_m=25", "--set", "mission.follow_lost_s=0.3"),
        ),
        35.0,
    ),
)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for reference in REFERENCES:
            log = Path(folder) / f"{reference.name}.mcap"
            run("fly", *reference.fly, "--log", str(log), may_fail=True)
            kept = FOLDER / log.name
            run("log", "cut", str(log), str(kept), "--masks-only", "--to", f"{reference.to_s:g}")
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
