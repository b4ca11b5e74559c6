"""From a log and what shall be different to a replay: which pilot, which masks, which network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from followme_uav.config import FlightConfig
from followme_uav.errors import LogError
from followme_uav.log.reader import IMAGE, MASK, FlightLog
from followme_uav.messages import Step
from followme_uav.replay.comparison import Comparison, compare, fields_missing_in
from followme_uav.replay.replay import ReplayedStep, ReplayPilotFactory, replay_images, replay_masks


@dataclass(frozen=True)
class ReplaySetup:
    """How to fly a log again."""

    config: FlightConfig
    """The flight's own, or a changed one."""
    weights: Path | None = None
    """The network that sees; None: the masks are those of the flight."""


def replay_log(log: FlightLog, setup: ReplaySetup) -> Iterator[ReplayedStep]:
    """Every frame of the log with what the pilot makes of it.

    Raises:
        LogError: The log is damaged, or has not what this needs.
        WeightsError: The weights cannot be used.
    """
    make_pilot = _maker_of(log)
    if setup.weights is None:
        return replay_masks(log.entries((MASK,)), setup.config, make_pilot)
    from followme_uav.flight.fly import segmenter_for
    from followme_uav.perception.weights import read_weights

    read_weights(setup.weights)
    if all(entry.encoded_image is None for entry in log.entries(())):
        raise LogError(f"{log.path}: holds no camera images; replay it from its masks")
    entries = log.entries((MASK, IMAGE))
    segmenter = segmenter_for(setup.weights, _with_all_cores(setup.config))
    return replay_images(entries, setup.config, segmenter.segment_batch, make_pilot)


def _maker_of(log: FlightLog) -> ReplayPilotFactory:
    """Makes the kind of pilot that flew; the log of a scripted flight names it."""
    from followme_uav.flight.pilots import PILOTS

    name = log.metadata.extra.get("pilot", "network")
    if name not in PILOTS:
        raise LogError(
            f"{log.path}: flown by a pilot '{name}', which this version does not have; "
            f"use followme-uav {log.metadata.package_version}"
        )
    return replay_pilot_factory(name)


def replay_pilot_factory(name: str) -> ReplayPilotFactory:
    """Makes a pilot that takes everything from the log, without any connection."""
    from followme_uav.flight.pilots import PILOTS

    if name == "original":
        from followme_uav.replay.logged_depth import original_of_log

        return original_of_log
    return PILOTS[name].make


def _with_all_cores(config: FlightConfig) -> FlightConfig:
    """A flight may have shared the machine with others; its replay does not."""
    perception = config.perception.model_copy(update={"threads": 0})
    return config.model_copy(update={"perception": perception})


def weights_of(log: FlightLog, folder: Path) -> Path:
    """The file in `folder` with which the flight was flown; raises `LogError` without one."""
    from followme_uav.perception.weights import sha256

    wanted = log.metadata.weights_sha256
    if not wanted:
        raise LogError(
            f"{log.path}: flown on true masks, without a network; pass --weights for one that "
            "shall see now, or leave out --images"
        )
    for path in sorted(folder.glob("*.h5")):
        if sha256(path) == wanted:
            return path
    raise LogError(
        f"{log.path}: flown with weights {wanted[:12]}, which are not in {folder}; pass --weights"
    )


def compare_log(
    log: FlightLog, setup: ReplaySetup, steps: list[tuple[Step, Step]] | None = None
) -> Comparison:
    """Fly the log again and compare; raises what `replay_log` raises.

    `steps` is filled with each step, as logged and as replayed, without masks.
    """
    leave_out = fields_missing_in(log.schema_version)
    turns = replay_log(log, setup)
    return compare(turns if steps is None else _kept(turns, steps), leave_out)


def _kept(turns: Iterator[ReplayedStep], steps: list[tuple[Step, Step]]) -> Iterator[ReplayedStep]:
    for turn in turns:
        steps.append((replace(turn.logged.step, mask=None), replace(turn.step, mask=None)))
        yield turn
