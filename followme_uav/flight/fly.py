"""One flight from start to summary: connects simulator, network, log and loop."""

from __future__ import annotations

import json
import logging
import platform
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from followme_uav import __version__
from followme_uav.config import FlightConfig, PerceptionConfig, load_config
from followme_uav.errors import ControlLostError, FollowMeError, LogError
from followme_uav.flight.embedded import simulator_for
from followme_uav.flight.loop import FlightLoop, Simulator
from followme_uav.flight.mask_sources import CheckedMasks, NetworkMasks, TrueMasks
from followme_uav.flight.pilots import PilotKind, name_of, pilot_kind
from followme_uav.flight.recorder import FlightRecorder, Watch
from followme_uav.flight.summary import FlightSummary, judge
from followme_uav.flight.turn_times import TurnTimes
from followme_uav.interrupts import first_ctrl_c_requests
from followme_uav.log.entry import FlightEntry
from followme_uav.log.solids import text_of
from followme_uav.log.writer import FlightLogWriter, open_log
from followme_uav.messages import Command, Manoeuvre, Solid
from followme_uav.perception import DEFAULT_WEIGHTS
from followme_uav.perception.network_files import changed_ns, check_network, with_images_for
from followme_uav.perception.segmenter import Segmenter
from followme_uav.pilot.interface import AnyPilot, MaskSource, PilotMaker
from followme_uav.rpc.airsim import AirSimClient

logger = logging.getLogger(__name__)

RELEASE_TIMEOUT_S = 1.0
"""Time limit of releasing vehicle and clock at the end of a flight."""
HOVER = Command(Manoeuvre.HOVER, (0.0, 0.0, 0.0), 0.0, 0.0, 0.0)

SimulatorWrapper = Callable[[Simulator, FlightConfig], AbstractContextManager[Simulator]]
"""Puts a fault injector, or the like, between loop and simulator."""
SimulatorMaker = Callable[[FlightConfig], AbstractContextManager[FlightConfig]]
"""Runs a simulator; yields the configuration with its address."""
Begin = Callable[[FlightConfig, tuple[Solid, ...]], None]
"""Called once before the first frame, with the flight's configuration and the city's solids."""


@dataclass(frozen=True)
class FlightPlan:
    """How and where to fly, and what to keep of the flight.

    Example:
        >>> from pathlib import Path
        >>> from followme_uav import FlightPlan, load_config
        >>> plan = FlightPlan(
        ...     load_config(overrides=["duration_s=20"]), pilot="oracle", seed=8,
        ...     log=Path("flight.mcap"),
        ... )
        >>> plan.lockstep, plan.embedded
        (True, True)
    """

    config: FlightConfig = field(default_factory=load_config)
    weights: Path | None = DEFAULT_WEIGHTS
    """Of the network: a weights file, or an ONNX network with its description. None flies on the
    simulator's true masks: control without vision."""
    seed: int = 0
    """Of the embedded city."""
    log: Path | None = None
    """File for the flight log; None writes none."""
    embedded: bool = True
    """Start the embedded simulator; else use the one at the configuration's address."""
    lockstep: bool = True
    """Stop simulation time while the pilot computes; else it runs on."""
    window: bool = False
    world: Path | str | None = None
    """A world plan or world file for the embedded simulator, or the name of a generator, see
    `docs/simulator.md`."""
    vehicle: str | None = None
    """Vehicle of the embedded simulator: a name in `configs/vehicles` or the path of a file. None:
    that of the world, or the default one."""
    wrap_simulator: SimulatorWrapper | None = None
    """The fault injector of a script."""
    pilot: str | PilotMaker = "network"
    """A class or function that makes the pilot from (config, masks), or a name as for `--pilot`."""
    masks: MaskSource | None = None
    """Computes the masks, in place of the network."""
    end_after_following_s: float | None = None
    """Land so long after the hero was first followed; None: when `duration_s` is over."""
    make_simulator: SimulatorMaker | None = None
    """Runs the embedded simulator for the flight; None: in a process of its own."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Further metadata of the log."""


class IncompleteLogError(LogError):
    """The flight is over, but its log is incomplete.

    Attributes:
        summary: Of the whole flight.
    """

    def __init__(self, text: str, summary: FlightSummary) -> None:
        super().__init__(text)
        self.summary = summary


@dataclass(frozen=True)
class _Vision:
    """The origin of the masks of a flight."""

    segmenter: Segmenter | None
    """None: from `own`, or from the simulator's ground truth."""
    own: MaskSource | None = None
    """The mask source of the plan."""

    @property
    def sha256(self) -> str:
        """Of the weights."""
        return "" if self.segmenter is None else self.segmenter.sha256

    @property
    def device(self) -> str:
        """Device and runtime of the network; name of a mask source; "truth"."""
        if self.own is not None:
            return name_of(self.own)
        return "truth" if self.segmenter is None else self.segmenter.device

    @property
    def architecture(self) -> str:
        """Of the network."""
        return "" if self.segmenter is None else self.segmenter.architecture

    def mask_source(self, simulator: Simulator) -> MaskSource:
        """Masks for the pilot."""
        if self.own is not None:
            return CheckedMasks(self.own, name_of(self.own))
        if self.segmenter is None:
            return TrueMasks(simulator)
        return NetworkMasks(self.segmenter.segment)


def fly(
    plan: FlightPlan,
    watch: Watch | None = None,
    begin: Begin | None = None,
    show_pilot: Callable[[AnyPilot], None] | None = None,
) -> FlightSummary:
    """Fly the plan. Ctrl-C lands; a second one stops at once with the vehicle hovering.

    Closing the simulator's window ends the flight; the summary covers the flight until then.

    Args:
        plan: The flight.
        watch: Called with each entry and the metrics so far.
        begin: Called before the first frame.
        show_pilot: Called with the pilot before its first step, to read its map between steps.

    Raises:
        InUseError: Another flight writes the log.
        WeightsError, SimulatorError, LogError: Something is missing or failed; the log holds the
            flight up to there.
        PilotError: A pilot or mask source of the user failed; the log holds the whole flight,
            with the landing.
        IncompleteLogError: The log could not be continued, which ends the flight with a landing,
            or could not be finished.

    Example:
        >>> from pathlib import Path
        >>> from followme_uav import FlightPlan, fly, load_config
        >>> short = load_config(overrides=["duration_s=2"])
        >>> summary = fly(FlightPlan(short, pilot="oracle", seed=8, log=Path("flight.mcap")))
        >>> summary.metrics.landed
        True
    """
    kind = pilot_kind(plan.pilot)
    network = None if kind.on_true_masks or plan.masks is not None else plan.weights
    if network is not None:
        plan = replace(plan, config=with_images_for(network, plan.config))
    with ExitStack() as stack:
        # Checks come first, slow preparations last.
        log_file = None
        if plan.log is not None:
            log_file = stack.enter_context(closing(open_log(plan.log, plan.config)))
        if network is not None:
            check_network(network)
        config, was_closed = _start_simulator(plan, network, stack)
        client = AirSimClient(config.simulator, config.rpc, config.camera, config.depth)
        stack.callback(client.close)
        client.connect()
        vision = _Vision(
            None if network is None else segmenter_for(network, config),
            None if kind.on_true_masks else plan.masks,
        )
        stack.callback(_release, client, plan)
        simulator = _take_over(client, plan, config, stack)
        solids = client.solids()
        if begin is not None:
            begin(config, solids)
        log = None
        if plan.log is not None:
            metadata = _log_metadata(plan, kind, config, vision, solids)
            log = stack.enter_context(
                FlightLogWriter(plan.log, config, vision.sha256, metadata, file=log_file)
            )
        recorder = FlightRecorder(config, log, watch, plan.end_after_following_s)
        start_s = time.monotonic()

        def record(entry: FlightEntry) -> None:
            recorder.record(entry)
            if recorder.wants_landing and not loop.landing_requested:
                loop.request_landing()

        loop = FlightLoop(
            config,
            simulator,
            vision.mask_source(simulator),
            lockstep=plan.lockstep,
            record=record,
            was_closed=was_closed,
            make_pilot=kind.make,
        )
        if show_pilot is not None:
            show_pilot(loop.pilot)
        logger.info(
            "The flight begins: %g s, seed %d, %s, %s, log %s.",
            *(config.duration_s, plan.seed, "lockstep" if plan.lockstep else "real time"),
            *(f"masks of {vision.device}", plan.log),
        )
        _run(loop, client)
        wall_s = time.monotonic() - start_s
        simulator_s = _simulator_seconds(client) if plan.embedded and not loop.closed else {}
        recorder.close_log()
        if loop.pilot_failure is not None:
            raise loop.pilot_failure
    turn = recorder.turns.result(wall_s, simulator_s)
    summary = _summary(plan, vision, recorder, wall_s, turn, was_closed=loop.closed)
    logger.info("The flight has ended after %.1f s of real time.", wall_s)
    if recorder.log_error is not None:
        raise IncompleteLogError(
            f"{recorder.log_error}; the log is incomplete", summary
        ) from recorder.log_error
    return summary


def _start_simulator(
    plan: FlightPlan, network: Path | None, stack: ExitStack
) -> tuple[FlightConfig, Callable[[], bool] | None]:
    """Start the embedded simulator, if the plan has one.

    Returns:
        The configuration with the simulator's address, and a function that tells whether its
        window was closed.
    """
    config = plan.config
    if not plan.embedded:
        return config, None
    if plan.make_simulator is not None:
        return stack.enter_context(plan.make_simulator(config)), None
    embedded = simulator_for(
        config,
        plan.seed,
        paused=plan.lockstep,
        window=plan.window,
        world=plan.world,
        vehicle=plan.vehicle,
    )
    embedded.launch()
    stack.callback(embedded.stop)
    if network is not None:
        segmenter_for(network, config)  # loads while the simulator builds its city
    config = stack.enter_context(embedded).found_by(config)
    return config, embedded.was_closed if plan.window else None


def _take_over(
    client: AirSimClient, plan: FlightPlan, config: FlightConfig, stack: ExitStack
) -> Simulator:
    """Take control of clock and vehicle; return the simulator for the loop."""
    if plan.lockstep:
        client.pause(True)
    client.take_control()
    if plan.wrap_simulator is None:
        return client
    return stack.enter_context(plan.wrap_simulator(client, config))


def _log_metadata(
    plan: FlightPlan,
    kind: PilotKind,
    config: FlightConfig,
    vision: _Vision,
    solids: tuple[Solid, ...],
) -> dict[str, str]:
    versions = {"followme-uav": __version__, "python": platform.python_version()}
    return {
        "seed": str(plan.seed),
        "simulator": config.simulator.name,
        "lockstep": str(plan.lockstep),
        "segmenter": vision.device,
        "network": vision.architecture,
        "pilot": kind.name,
        "solids": text_of(solids),
        "versions": json.dumps(versions),
        **({} if plan.vehicle is None else {"vehicle": Path(plan.vehicle).stem}),
        **plan.metadata,
    }


def _run(loop: FlightLoop, client: AirSimClient) -> None:
    """Run the loop; where it fails, the vehicle does not keep its last velocity."""
    try:
        with first_ctrl_c_requests(loop.request_landing, lambda: loop.abort_requested):
            loop.run()
    except ControlLostError:
        client.forgo_control()
        raise
    except BaseException:
        try:
            client.send(HOVER)
        except FollowMeError as error:
            logger.info("The vehicle could not be told to hover: %s", error)
        raise


def _release(client: AirSimClient, plan: FlightPlan) -> None:
    """Disarm and release a vehicle that stands; in the air it stays armed and hovers.

    Then release a clock that was stopped. A simulator that does not answer is left after
    `RELEASE_TIMEOUT_S`.
    """
    deadline_s = time.monotonic() + RELEASE_TIMEOUT_S
    try:
        if plan.config.mission.release_control:
            client.release_control(RELEASE_TIMEOUT_S)
    except FollowMeError as error:
        logger.info("The vehicle is not released: %s", error)
    try:
        if plan.lockstep and not plan.embedded:
            # Sent even when no time is left to wait for the answer.
            client.pause(False, deadline_s=max(deadline_s - time.monotonic(), 0.0))
    except FollowMeError as error:
        logger.info("The simulator's clock may stand still: %s", error)


def _summary(
    plan: FlightPlan,
    vision: _Vision,
    recorder: FlightRecorder,
    wall_s: float,
    turn: TurnTimes,
    *,
    was_closed: bool,
) -> FlightSummary:
    metrics = recorder.metrics.result(wall_s)
    success, reason = judge(metrics)
    return FlightSummary(
        success=success,
        reason=f"the window was closed; until then: {reason}" if was_closed else reason,
        seed=plan.seed,
        weights_sha256=vision.sha256,
        segmenter=vision.device,
        log=None if plan.log is None else str(plan.log),
        wall_s=round(wall_s, 3),
        metrics=metrics,
        turn=turn,
    )


def _simulator_seconds(client: AirSimClient) -> dict[str, float]:
    """Of each part of the embedded simulator; a flight is none the worse without them."""
    try:
        return client.simulator_seconds()
    except FollowMeError as error:
        logger.info("The simulator tells no timings: %s", error)
        return {}


def segmenter_for(weights: Path, config: FlightConfig) -> Segmenter:
    """Return the network as a flight with this configuration runs it; the file must exist."""
    return _cached_segmenter(weights, changed_ns(weights), config.perception, config.camera.size_px)


@lru_cache(maxsize=1)
def _cached_segmenter(
    weights: Path, changed: tuple[int, ...], perception: PerceptionConfig, size_px: tuple[int, int]
) -> Segmenter:
    """Several flights of one process load the network once."""
    return Segmenter(
        weights,
        runtime=perception.runtime,
        size_px=size_px,
        threads=perception.threads or None,
    )
