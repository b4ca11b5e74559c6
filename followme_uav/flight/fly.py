"""One flight from start to summary: simulator, network, log and loop put together."""

from __future__ import annotations

import json
import math
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from signal import SIGINT, getsignal, signal
from types import FrameType
from typing import Any

from followme_uav import __version__
from followme_uav.config import CameraConfig, FlightConfig, PerceptionConfig
from followme_uav.errors import ControlLostError, FollowMeError, LogError
from followme_uav.flight.embedded import simulator_for
from followme_uav.flight.loop import (
    FlightLoop,
    NetworkMasks,
    Simulator,
    TrueMasks,
)
from followme_uav.flight.metrics import FlightMetrics, MetricsAccumulator
from followme_uav.log.entry import FlightEntry
from followme_uav.log.solids import text_of
from followme_uav.log.writer import FlightLogWriter, open_log
from followme_uav.messages import Command, Manoeuvre, Solid
from followme_uav.perception.segmenter import Segmenter
from followme_uav.perception.weights import read_weights
from followme_uav.pilot.interface import MaskSource, PilotMaker
from followme_uav.pilot.pilot import Pilot
from followme_uav.rpc.airsim import AirSimClient

LEAVE_S = 1.0
"""So long at most the end of a flight waits for the simulator to give it up."""
HOVER = Command(Manoeuvre.HOVER, (0.0, 0.0, 0.0), 0.0, 0.0, 0.0)


SimulatorWrapper = Callable[[Simulator, FlightConfig], AbstractContextManager[Simulator]]
"""Makes of a simulator one in which more happens."""


@dataclass(frozen=True)
class FlightPlan:
    """What to fly, with what, where, and what to keep of it."""

    config: FlightConfig
    weights: Path | None
    """None flies on the simulator's true masks: control without vision."""
    seed: int
    log: Path | None
    embedded: bool
    """Start the embedded simulator; else fly in the one at the configuration's address."""
    lockstep: bool
    window: bool = False
    world: Path | None = None
    """A written world for the embedded simulator, see `docs/simulator.md`."""
    wrap_simulator: SimulatorWrapper | None = None
    """Puts something between loop and simulator: what happens in a script."""
    make_pilot: PilotMaker = Pilot
    end_after_following_s: float | None = None
    """Land so long after the hero was first followed; None: when the time is over."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """More for the log to tell."""


@dataclass(frozen=True)
class FlightSummary:
    """How well it went."""

    success: bool
    reason: str
    seed: int
    weights_sha256: str
    segmenter: str
    """What made the masks: where and by what the network ran, or "truth"."""
    log: str | None
    wall_s: float
    metrics: FlightMetrics

    def to_dict(self) -> dict[str, Any]:
        """For JSON: the metrics stand beside the rest."""
        data = asdict(self)
        data.update(data.pop("metrics"))
        return data


class IncompleteLogError(LogError):
    """The flight is over, its log is not all of it.

    Attributes:
        summary: of the whole flight.
    """

    def __init__(self, text: str, summary: FlightSummary) -> None:
        super().__init__(text)
        self.summary = summary


Watch = Callable[[FlightEntry, MetricsAccumulator], None]
"""Called after every turn of the loop: a status line, a viewer."""
Begin = Callable[[FlightConfig, tuple[Solid, ...]], None]
"""Called once before the first turn, with what the flight is and what stands around it."""


def fly(plan: FlightPlan, watch: Watch | None = None, begin: Begin | None = None) -> FlightSummary:
    """Fly the plan. Ctrl-C lands; a second one stops at once with the vehicle hovering.

    Who closes the simulator's window ends the flight there; the summary tells how it went so far.

    Raises:
        InUseError: Another flight writes the log.
        WeightsError, SimulatorError, LogError: What was needed is missing or broke; the log holds
            the flight up to there.
        IncompleteLogError: The log could not be written on, which has ended the flight by a
            landing; or not be finished.
    """
    config = plan.config
    with ExitStack() as stack:
        # What can be wrong is looked at first, what takes long comes last.
        file = None
        if plan.log is not None:
            file = stack.enter_context(closing(open_log(plan.log, config)))
        if plan.weights is not None:
            read_weights(plan.weights)
        was_closed = None
        if plan.embedded:
            embedded = simulator_for(
                config, plan.seed, paused=plan.lockstep, window=plan.window, world=plan.world
            )
            embedded.launch()
            stack.callback(embedded.stop)
            if plan.weights is not None:
                segmenter_for(plan.weights, config)  # while the simulator builds its city
            config = stack.enter_context(embedded).found_by(config)
            if plan.window:
                was_closed = embedded.was_closed
        client = AirSimClient(config.simulator, config.rpc, config.camera, config.depth)
        stack.callback(client.close)
        client.connect()
        segmenter = None if plan.weights is None else segmenter_for(plan.weights, config)
        stack.callback(_leave, client, plan)
        if plan.lockstep:
            client.pause(True)
        client.take_control()
        simulator: Simulator = client
        if plan.wrap_simulator is not None:
            simulator = stack.enter_context(plan.wrap_simulator(client, config))
        sha256, device = (
            ("", "truth") if segmenter is None else (segmenter.sha256, segmenter.device)
        )
        solids = client.solids()
        if begin is not None:
            begin(config, solids)
        log = None
        if plan.log is not None:
            metadata = {
                "seed": str(plan.seed),
                "simulator": config.simulator.name,
                "lockstep": str(plan.lockstep),
                "segmenter": device,
                "network": "" if segmenter is None else segmenter.architecture,
                "solids": text_of(solids),
                "versions": json.dumps(
                    {"followme-uav": __version__, "python": platform.python_version()}
                ),
                **plan.metadata,
            }
            log = stack.enter_context(
                FlightLogWriter(plan.log, config, sha256, metadata, file=file)
            )
        metrics = MetricsAccumulator(config)
        end_after_s = plan.end_after_following_s or math.inf
        start_s = time.monotonic()

        log_trouble: LogError | None = None

        def record(entry: FlightEntry) -> None:
            nonlocal log_trouble
            metrics.add(entry)
            if log is not None and log_trouble is None:
                try:
                    log.write(entry)
                except LogError as error:  # a full disk is no reason to fall from the sky
                    log_trouble = error
                    if not loop.landing_requested:
                        loop.request_landing()
            if watch is not None:
                watch(entry, metrics)
            if metrics.since_acquired_s >= end_after_s and not loop.landing_requested:
                loop.request_landing()

        masks: MaskSource = (
            TrueMasks(simulator) if segmenter is None else NetworkMasks(segmenter.segment)
        )
        loop = FlightLoop(
            config,
            simulator,
            masks,
            lockstep=plan.lockstep,
            record=record,
            was_closed=was_closed,
            make_pilot=plan.make_pilot,
        )
        try:
            with _ctrl_c_lands(loop):
                loop.run()
        except ControlLostError:
            client.forgo_control()
            raise
        except BaseException:
            # Whatever happened: do not leave the vehicle with its last velocity.
            with suppress(FollowMeError):
                client.send(HOVER)
            raise
        wall_s = time.monotonic() - start_s
        if log is not None and log_trouble is None:
            try:
                log.close()
            except LogError as error:  # the flight is over, and its summary is known
                log_trouble = error
    result = metrics.result(wall_s)
    success, reason = judge(result)
    if loop.closed:
        reason = f"the window was closed; until then: {reason}"
    summary = FlightSummary(
        success=success,
        reason=reason,
        seed=plan.seed,
        weights_sha256=sha256,
        segmenter=device,
        log=None if plan.log is None else str(plan.log),
        wall_s=round(wall_s, 3),
        metrics=result,
    )
    if log_trouble is not None:
        raise IncompleteLogError(f"{log_trouble}; the log is incomplete", summary) from log_trouble
    return summary


def _leave(client: AirSimClient, plan: FlightPlan) -> None:
    """Give the vehicle up, disarmed, when it stands; in the air it stays armed and hovers.

    Then time runs on, where it was stopped. A simulator that does not answer is left soon.
    """
    give_up_s = time.monotonic() + LEAVE_S
    with suppress(FollowMeError):
        if plan.config.mission.release_control:
            client.release_control(LEAVE_S)
    with suppress(FollowMeError):
        if plan.lockstep and not plan.embedded:
            # Always sent, even when there is no time left to wait for the answer.
            client.pause(False, deadline_s=max(give_up_s - time.monotonic(), 0.0))


def segmenter_for(weights: Path, config: FlightConfig) -> Segmenter:
    """The network as a flight with this configuration runs it; the file must be there."""
    changed_ns = weights.stat().st_mtime_ns
    return _kept_segmenter(weights, changed_ns, config.perception, config.camera)


@lru_cache(maxsize=1)
def _kept_segmenter(
    weights: Path, changed_ns: int, perception: PerceptionConfig, camera: CameraConfig
) -> Segmenter:
    """Who flies several times loads the network once."""
    return Segmenter(
        weights,
        runtime=perception.runtime,
        size_px=(camera.height_px, camera.width_px),
        threads=perception.threads or None,
    )


def judge(metrics: FlightMetrics) -> tuple[bool, str]:
    """Whether the mission succeeded, and why: hero followed, nobody else, nothing hit, landed."""
    if metrics.collisions:
        return False, f"{metrics.collisions} collisions"
    if not metrics.followed_s:
        return False, "hero never found"
    if not metrics.landed:
        return False, "did not land"
    if metrics.wrong_target_s is None:
        return True, "somebody was followed; this simulator does not tell whether it was the hero"
    if metrics.acquire_s is None:
        return False, "hero never acquired"
    if metrics.wrong_target_s:
        return False, f"followed somebody else for {metrics.wrong_target_s:.1f} s"
    return True, "hero found and followed"


@contextmanager
def _ctrl_c_lands(loop: FlightLoop) -> Iterator[None]:
    """The first Ctrl-C asks the pilot to land, the second one interrupts."""
    before = getsignal(SIGINT)

    def on_signal(number: int, frame: FrameType | None) -> None:
        # Nothing is raised here: an exception out of a signal can end anywhere, even unnoticed.
        loop.request_landing()

    try:
        signal(SIGINT, on_signal)
    except ValueError:  # not the main thread: whoever runs flights in threads handles signals
        yield
        return
    try:
        yield
    finally:
        signal(SIGINT, before)
