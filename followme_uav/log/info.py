"""What a log tells about its flight: how long, in which states, with what, and what went wrong."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import Any

from followme_uav.config import FlightConfig, load_config
from followme_uav.errors import FollowMeError
from followme_uav.log.mcap_records import Records
from followme_uav.log.reader import MASK, FlightLog
from followme_uav.messages import MissionState


@dataclass(frozen=True)
class LogInfo:
    """Of one log."""

    path: str
    missing: str | None
    """What is missing at its end; None for a whole log."""
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
    """The keys that differ from today's defaults."""
    extra: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def log_info(log: FlightLog) -> LogInfo:
    """Read a log once; raises `LogError` when it is damaged."""
    states_s: dict[str, float] = defaultdict(float)
    transitions: list[dict[str, Any]] = []
    faults: list[str] = []
    first_s: float | None = None
    last_s: float | None = None
    frames = blind = collisions = 0
    pictures = "none"
    gap_s = log.metadata.config.mission.frame_gap_s
    for entry in log.entries((MASK,)):
        frame, step = entry.frame, entry.step
        frames += 1
        first_s = frame.time_s if first_s is None else first_s
        passed_s = 0.0 if last_s is None else frame.time_s - last_s
        last_s = frame.time_s
        states_s[step.state.value] += passed_s
        collisions += frame.vehicle.has_collided
        blind += entry.encoded_image is None and step.mask is None
        if entry.encoded_image is not None:
            pictures = entry.encoded_image.format
        at_s = frame.time_s - first_s
        if passed_s > gap_s:
            faults.append(f"{at_s:.1f} s: {passed_s:.1f} s without a frame")
        if step.transition is not None:
            change = step.transition
            transitions.append(
                {
                    "time_s": round(at_s, 3),
                    "source": change.source.value,
                    "target": change.target.value,
                    "reason": change.reason,
                }
            )
            if change.target is MissionState.FAILSAFE:
                faults.append(f"{at_s:.1f} s: failsafe: {change.reason}")
    if blind:
        faults.append(f"{blind} frames without an image")
    if collisions:
        faults.append(f"{collisions} frames with a collision")
    if first_s is None or last_s is None:
        first_s = last_s = 0.0
    return LogInfo(
        path=str(log.path),
        missing=missing_end(log),
        frames=frames,
        duration_s=round(last_s - first_s, 3),
        bytes=log.path.stat().st_size,
        pictures=pictures,
        states_s={state: round(seconds, 3) for state, seconds in states_s.items()},
        transitions=transitions,
        faults=faults,
        weights_sha256=log.metadata.weights_sha256,
        package_version=log.metadata.package_version,
        schema_version=log.schema_version,
        configuration=_unusual(log.metadata.config),
        extra=dict(log.metadata.extra),
    )


def missing_end(log: FlightLog) -> str | None:
    """What is missing of a log without an end mark, in one line; None for a whole one."""
    if not log.truncated:
        return None
    records = Records(log.path)
    for _ in records:
        pass
    if records.has_all:
        return "cut off: the index at its end is damaged or gone; all frames are there"
    rest = log.path.stat().st_size - records.end_byte
    return (
        f"cut off: the log has no end; the {rest} bytes after byte {records.end_byte} are not "
        "whole, and what the flight had not yet handed over, less than a second, is gone"
    )


def _unusual(config: FlightConfig) -> dict[str, Any]:
    try:
        usual = load_config(simulator=config.simulator.name)
    except FollowMeError:  # a profile of the user's own
        usual = load_config()
    return dict(_differing("", config.model_dump(mode="json"), usual.model_dump(mode="json")))


def _differing(prefix: str, data: dict[str, Any], usual: dict[str, Any]) -> list[tuple[str, Any]]:
    found = []
    for key, value in data.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and isinstance(usual.get(key), dict):
            found += _differing(f"{name}.", value, usual[key])
        elif value != usual.get(key):
            found.append((name, value))
    return found
