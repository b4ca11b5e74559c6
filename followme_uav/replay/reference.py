"""Reference flights: logs of masks and states whose replay must not change.

A change of the pilot shows in which step of which flight it decides differently. After an intended
change, `update` renews the logs: same masks and states, the present decisions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from followme_uav.errors import LogError
from followme_uav.log.edit import write_log
from followme_uav.log.entry import FlightEntry
from followme_uav.log.reader import FlightLog, read_log
from followme_uav.replay.comparison import Comparison
from followme_uav.replay.report import first_divergence, verdict
from followme_uav.replay.setup import ReplaySetup, compare_log, replay_log


@dataclass(frozen=True)
class ReferenceResult:
    """Result of one reference flight."""

    path: Path
    found: Comparison
    updated: bool

    def line(self) -> str:
        """The verdict and, if the flight changed, the first divergence and the changed fields."""
        text = f"{self.path.name}: {verdict(self.found, from_images=False)}"
        if self.found.first is not None and not self.found.is_rounding:
            changed = ", ".join(
                f"{drift.field} in {drift.steps} steps" for drift in self.found.drift.values()
            )
            text += f"\n  {first_divergence(self.found.first)}\n  changed: {changed}"
        return f"{text}\n  updated" if self.updated else text

    def to_dict(self) -> dict[str, Any]:
        """Values for JSON."""
        return {"log": str(self.path), "updated": self.updated, **self.found.to_dict()}


def check_folder(folder: Path, *, update: bool = False) -> list[ReferenceResult]:
    """Replay all logs of a folder from their masks; with `update`, rewrite those that changed.

    Raises `LogError` when there are none, or when one cannot be used.
    """
    paths = sorted(folder.glob("*.mcap")) if folder.is_dir() else []
    if not paths:
        raise LogError(f"{folder}: holds no flight logs (*.mcap)")
    return [_check(path, update) for path in paths]


def _check(path: Path, update: bool) -> ReferenceResult:
    log = read_log(path)
    if log.truncated:
        raise LogError(f"{path}: was cut off; a reference flight must be whole")
    found = compare_log(log, ReplaySetup(log.metadata.config))
    if not found.frames:
        raise LogError(f"{path}: holds no frames")
    needs_update = update and not found.is_identical
    if needs_update:
        write_log(log, _replayed_entries(log), path, {})
    return ReferenceResult(path, found, needs_update)


def _replayed_entries(log: FlightLog) -> list[FlightEntry]:
    steps = replay_log(log, ReplaySetup(log.metadata.config))
    return [replace(replayed.logged, step=replayed.step) for replayed in steps]
