"""Summary of a flight log: duration, mission states, configuration and faults."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from followme_uav.config import FlightConfig, load_config
from followme_uav.errors import FollowMeError
from followme_uav.log.entry import FlightEntry
from followme_uav.log.mcap_records import Records
from followme_uav.log.reader import MASK, FlightLog
from followme_uav.messages import MissionState, Transition

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LogInfo:
    """Summary of one log."""

    path: str
    missing: str | None
    """One line on what its end lacks; None for a whole log."""
    frames: int
    duration_s: float
    bytes: int
    pictures: str
    """Format of the camera images: jpeg, png or none."""
    states_s: dict[str, float]
    """Seconds in each mission state."""
    transitions: list[dict[str, Any]]
    """Each with time_s, source, target, reason."""
    faults: list[str]
    weights_sha256: str
    package_version: str
    schema_version: int
    configuration: dict[str, Any]
    """The keys that differ from the present defaults."""
    extra: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def log_info(log: FlightLog, also: Callable[[FlightEntry], None] | None = None) -> LogInfo:
    """Read a log once; raises `LogError` when it is damaged.

    `also` is called with each entry, which has no images but the mask.
    """
    tally = _Tally(log.metadata.config.mission.frame_gap_s)
    for entry in log.entries((MASK,)):
        tally.add(entry)
        if also is not None:
            also(entry)
    return LogInfo(
        path=str(log.path),
        missing=missing_end(log),
        frames=tally.frames,
        duration_s=round(tally.duration_s, 3),
        bytes=log.path.stat().st_size,
        pictures=tally.image_format,
        states_s={state: round(seconds, 3) for state, seconds in tally.states_s.items()},
        transitions=tally.transitions,
        faults=tally.all_faults(),
        weights_sha256=log.metadata.weights_sha256,
        package_version=log.metadata.package_version,
        schema_version=log.schema_version,
        configuration=_changed_keys(log.metadata.config),
        extra=dict(log.metadata.extra),
    )


class _Tally:
    """Sums over the entries of a flight.

    Args:
        gap_s: A longer time between two frames is a fault.
    """

    def __init__(self, gap_s: float) -> None:
        self.frames = 0
        self.duration_s = 0.0
        self.image_format = "none"
        self.states_s: dict[str, float] = defaultdict(float)
        self.transitions: list[dict[str, Any]] = []
        self._gap_s = gap_s
        self._first_s: float | None = None
        self._last_s: float | None = None
        self._faults: list[str] = []
        self._frames_without_image = 0
        self._collisions = 0

    def add(self, entry: FlightEntry) -> None:
        """Add the next entry."""
        frame, step = entry.frame, entry.step
        self.frames += 1
        self._add_time(frame.time_s, step.state)
        self._collisions += frame.vehicle.has_collided
        self._frames_without_image += entry.encoded_image is None and step.mask is None
        if entry.encoded_image is not None:
            self.image_format = entry.encoded_image.format
        if step.transition is not None:
            self._add_transition(step.transition)

    def all_faults(self) -> list[str]:
        """Faults with a time, in order, then those that are counted."""
        faults = list(self._faults)
        if self._frames_without_image:
            faults.append(f"{self._frames_without_image} frames without an image")
        if self._collisions:
            faults.append(f"{self._collisions} frames with a collision")
        return faults

    def _add_time(self, time_s: float, state: MissionState) -> None:
        self._first_s = time_s if self._first_s is None else self._first_s
        passed_s = 0.0 if self._last_s is None else time_s - self._last_s
        self._last_s = time_s
        self.duration_s = time_s - self._first_s
        self.states_s[state.value] += passed_s
        if passed_s > self._gap_s:
            self._faults.append(f"{self.duration_s:.1f} s: {passed_s:.1f} s without a frame")

    def _add_transition(self, transition: Transition) -> None:
        self.transitions.append(
            {
                "time_s": round(self.duration_s, 3),
                "source": transition.source.value,
                "target": transition.target.value,
                "reason": transition.reason,
            }
        )
        if transition.target is MissionState.FAILSAFE:
            self._faults.append(f"{self.duration_s:.1f} s: failsafe: {transition.reason}")


def missing_end(log: FlightLog) -> str | None:
    """One line on what a log without an end mark lacks; None for a whole log."""
    if not log.truncated:
        return None
    records = Records(log.path)
    for _ in records:
        pass
    if records.has_all:
        return "cut off: the index at its end is damaged or missing; all frames are there"
    rest = log.path.stat().st_size - records.end_byte
    return (
        f"cut off: the log has no end; the {rest} bytes after byte {records.end_byte} are an "
        "incomplete record, and the frames not yet written, less than a second, are lost"
    )


def _changed_keys(config: FlightConfig) -> dict[str, Any]:
    try:
        default = load_config(simulator=config.simulator.name)
    except FollowMeError:  # a profile that is not among the shipped ones
        logger.debug("Profile %s is not among the shipped ones.", config.simulator.name)
        default = load_config()
    return dict(_differing("", config.model_dump(mode="json"), default.model_dump(mode="json")))


def _differing(prefix: str, data: dict[str, Any], default: dict[str, Any]) -> list[tuple[str, Any]]:
    found = []
    for key, value in data.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and isinstance(default.get(key), dict):
            found += _differing(f"{name}.", value, default[key])
        elif value != default.get(key):
            found.append((name, value))
    return found
