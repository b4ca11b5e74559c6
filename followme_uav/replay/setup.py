"""Sets up the replay of a log: its pilot, its masks or images, the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from followme_uav.config import FlightConfig
from followme_uav.errors import LogError
from followme_uav.flight.pilots import OBSERVERS, PilotKind, is_named, pilot_kind
from followme_uav.log.reader import DEPTH, IMAGE, MASK, FlightLog
from followme_uav.messages import Step
from followme_uav.replay.comparison import Comparison, compare, fields_missing_in
from followme_uav.replay.replay import ReplayedStep, ReplayPilotFactory, replay_images, replay_masks


@dataclass(frozen=True)
class ReplaySetup:
    """Settings of a replay."""

    config: FlightConfig
    """The flight's, or a changed one."""
    weights: Path | None = None
    """Network that segments the logged images; None: the logged masks are used."""
    pilot: str | None = None
    """A name as for `--pilot`; None: the pilot that flew. Only a pilot that is named here runs code
    of a user: a log cannot name code to run."""


def replay_log(log: FlightLog, setup: ReplaySetup) -> Iterator[ReplayedStep]:
    """Every frame of the log with its logged and its replayed step.

    Raises:
        LogError: The log is damaged, or lacks images or the pilot that the replay needs.
        PilotError: The pilot of the setup cannot be imported, or failed.
        WeightsError: The weights cannot be used.
    """
    name = setup.pilot or _pilot_of_log(log)
    kind, make_pilot = _kind_of(name), replay_pilot_factory(name)
    if setup.weights is None:
        # A pilot of a user may look at the images themselves.
        parts = (MASK, DEPTH, IMAGE) if kind.is_foreign else (MASK, DEPTH)
        return replay_masks(log.entries(parts), setup.config, make_pilot)
    from followme_uav.flight.fly import segmenter_for
    from followme_uav.perception.network_files import check_network

    check_network(setup.weights)
    if all(entry.encoded_image is None for entry in log.entries(())):
        raise LogError(f"{log.path}: holds no camera images; replay it from its masks")
    entries = log.entries((MASK, IMAGE, DEPTH))
    segmenter = segmenter_for(setup.weights, _with_all_cores(setup.config))
    return replay_images(entries, setup.config, segmenter.segment_batch, make_pilot)


def logged_pilot(log: FlightLog) -> str:
    """The name of the pilot that flew; logs of older versions name only that of a scenario."""
    return log.metadata.extra.get("pilot", "network")


def _pilot_of_log(log: FlightLog) -> str:
    """The name of the pilot that flew, if it is installed; raises `LogError`."""
    name = logged_pilot(log)
    if name in OBSERVERS or is_named(name):
        return name
    if ":" in name:
        raise LogError(
            f"{log.path}: flown by a pilot '{name:.80}', which is code of a user; pass it as "
            "--pilot module:Class or --pilot FILE.py:Class"
        )
    raise LogError(
        f"{log.path}: flown by a pilot '{name:.80}', which is not installed; install it, or use "
        f"followme-uav {log.metadata.package_version} if that has it"
    )


def is_same_pilot(first: str, second: str) -> bool:
    """Whether two names choose the same pilot, whatever the folder of a FILE.py."""
    return first == second or (
        ".py:" in first and ".py:" in second and Path(first).name == Path(second).name
    )


def replay_pilot_factory(name: str) -> ReplayPilotFactory:
    """The factory of this pilot for replays; raises as `pilot_kind`."""
    if name == "original":
        from followme_uav.replay.logged_depth import original_of_log

        return original_of_log
    return _kind_of(name).make


def _kind_of(name: str) -> PilotKind:
    return OBSERVERS[name] if name in OBSERVERS else pilot_kind(name)


def _with_all_cores(config: FlightConfig) -> FlightConfig:
    """The configuration without a limit of threads, which flights at the same time may have."""
    perception = config.perception.model_copy(update={"threads": 0})
    return config.model_copy(update={"perception": perception})


def weights_of(log: FlightLog, files: Sequence[Path]) -> Path:
    """The one of `files` with the weights of the flight; raises `LogError` without one."""
    from followme_uav.perception.network_files import sha256

    wanted = log.metadata.weights_sha256
    if not wanted:
        raise LogError(
            f"{log.path}: flown on true masks, without a network; pass --weights to replay it "
            "through a network, or leave out --images"
        )
    for path in files:
        if sha256(path) == wanted:
            return path
    raise LogError(
        f"{log.path}: flown with weights {wanted[:12]}, which are not among "
        f"{', '.join(path.name for path in files)}; pass --weights"
    )


def compare_log(
    log: FlightLog, setup: ReplaySetup, steps: list[tuple[Step, Step]] | None = None
) -> Comparison:
    """Replay the log and compare; raises as `replay_log`.

    (logged step, replayed step), both without masks, are appended to `steps`.
    """
    leave_out = fields_missing_in(log.schema_version)
    replayed = replay_log(log, setup)
    return compare(replayed if steps is None else _recorded(replayed, steps), leave_out)


def _recorded(
    replay: Iterator[ReplayedStep], steps: list[tuple[Step, Step]]
) -> Iterator[ReplayedStep]:
    for replayed in replay:
        logged_step = replace(replayed.logged.step, mask=None)
        steps.append((logged_step, replace(replayed.step, mask=None)))
        yield replayed
