"""One session with QuadSim: frames in, reports out, until Ctrl-C.

QuadSim comes and goes as it likes; the session, its track and its log go on.
"""

from __future__ import annotations

import json
import logging
import math
import platform
import time
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from followme_uav import __version__
from followme_uav.config import FlightConfig
from followme_uav.errors import ConfigError
from followme_uav.flight.fly import Begin, segmenter_for
from followme_uav.flight.mask_sources import NetworkMasks, TimedMasks
from followme_uav.flight.metric_parts import LoopTimes, moment_of
from followme_uav.flight.pilots import OBSERVERS
from followme_uav.flight.track_metrics import TrackMetrics, TrackMetricsAccumulator
from followme_uav.interrupts import first_ctrl_c_requests
from followme_uav.log.entry import EncodedImage, FlightEntry, LoopTimings
from followme_uav.log.writer import FlightLogWriter, open_log
from followme_uav.messages import Frame, Vec3
from followme_uav.perception import DEFAULT_WEIGHTS
from followme_uav.perception.network_files import check_network, with_images_for
from followme_uav.perception.segmenter import Segmenter
from followme_uav.program_log import PRINTED, TRANSITION
from followme_uav.quadsim.frames import AngleUnit, FrameBuilder
from followme_uav.quadsim.report import Reporter
from followme_uav.quadsim.sensor_frame import SIZE_PX, FrameError, SensorFrame, decode_sensor_frame
from followme_uav.quadsim.server import Arrival, Client, QuadSimServer, acknowledge
from followme_uav.quadsim.socketio import event_text
from followme_uav.recurring import RecurringFault

logger = logging.getLogger(__name__)

POLL_S = 0.2
"""Interval at which a session without frames looks for Ctrl-C."""
MAX_FAULTS = 32
"""Kinds of faulty frames that are told apart."""
_EIGHTH_PX = SIZE_PX // 8


@dataclass(frozen=True)
class QuadSimPlan:
    """How to serve QuadSim, and what to keep."""

    config: FlightConfig
    weights: Path = DEFAULT_WEIGHTS
    host: str = "127.0.0.1"
    port: int = 4567
    """0 takes any free one."""
    log: Path | None = None
    classic: bool = False
    """Behave as the follower of the Udacity follow-me project."""
    angles: AngleUnit = "auto"
    markers: bool = True
    duration_s: float = math.inf
    """End so long after the first frame."""


@dataclass(frozen=True)
class QuadSimSummary:
    """The result of a session."""

    log: str | None
    weights_sha256: str
    segmenter: str
    flight_s: float
    dropped: int
    """Malformed frames, which were not used."""
    without_depth: int
    """Frames of which the depth image could not be used."""
    skipped: int
    """Frames that a newer one replaced before it was their turn."""
    connections: int
    loop_p50_ms: float | None
    loop_p99_ms: float | None
    cpu_ms: float | None
    """Processor time of the whole process for each frame but the first, log and status included."""
    metrics: TrackMetrics

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, with the metrics beside the rest."""
        data = asdict(self)
        data.update(data.pop("metrics"))
        return data


class Watcher:
    """Is told about a session; the base class does nothing."""

    def waits(self, address: str) -> None:
        """No simulator is connected."""

    def has_connected(self, client: Client) -> None:
        """A simulator has connected."""

    def silent(self, silent_s: float) -> None:
        """No frame for so long, though a simulator is connected."""

    def shows(self, entry: FlightEntry, position_m: Vec3 | None) -> None:
        """A frame was processed, and this position was reported."""


def serve_quadsim(
    plan: QuadSimPlan, watcher: Watcher | None = None, begin: Begin | None = None
) -> QuadSimSummary:
    """Serve QuadSim until Ctrl-C, or for the duration of the plan.

    Args:
        plan: Of the session.
        watcher: Is told what happens.
        begin: Called before the first frame, with the configuration.

    Raises:
        ConfigError: The address, or the size of the camera's images, is refused.
        EnvironmentSetupError: The port is in use.
        WeightsError: The network cannot be used.
        InUseError, LogError: The log cannot be written; it keeps the frames until then.
    """
    plan = replace(plan, config=with_images_for(plan.weights, plan.config))
    side_px = _side_px(plan.config)
    watcher = watcher or Watcher()
    with ExitStack() as stack:
        # Checks come first, slow preparations last.
        server = stack.enter_context(QuadSimServer(plan.host, plan.port))
        log_file = None
        if plan.log is not None:
            log_file = stack.enter_context(closing(open_log(plan.log, plan.config)))
        check_network(plan.weights)
        segmenter = segmenter_for(plan.weights, plan.config)
        if begin is not None:
            begin(plan.config, ())
        log = None
        if plan.log is not None:
            metadata = _metadata(plan, segmenter)
            log = stack.enter_context(
                FlightLogWriter(plan.log, plan.config, segmenter.sha256, metadata, file=log_file)
            )
        session = _Session(plan, server, segmenter, side_px, log, watcher)
        stack.callback(session.close)
        with first_ctrl_c_requests(session.stop, lambda: session.is_stopped):
            server.start()
            session.run()
        if log is not None:
            log.close()
    return session.summary()


class _Session:
    """The loop; `stop` may be called from a signal handler."""

    def __init__(
        self,
        plan: QuadSimPlan,
        server: QuadSimServer,
        segmenter: Segmenter,
        side_px: int,
        log: FlightLogWriter | None,
        watcher: Watcher,
    ) -> None:
        self.is_stopped = False
        self._plan, self._server, self._log, self._watcher = plan, server, log, watcher
        self._segmenter, self._side_px = segmenter, side_px
        self._masks = TimedMasks(NetworkMasks(segmenter.segment), plan.config.log.round_masks)
        self._pilot = OBSERVERS[_pilot_name(plan)].make(plan.config, self._masks)
        fov_rad = math.radians(plan.config.simulator.camera_fov_deg)
        self._frames = FrameBuilder(fov_rad, plan.angles)
        self._reporter = Reporter(plan.config, markers=plan.markers)
        self._metrics, self._loop_times = TrackMetricsAccumulator(), LoopTimes()
        self._faults: dict[str, RecurringFault] = {}
        self._client: Client | None = None
        self._frame: Frame | None = None
        self._connections = self._dropped = self._without_depth = 0
        self._log_ms = self._last_cpu_s = 0.0
        self._first_cpu_s: float | None = None
        self._heard_s = time.monotonic()

    def stop(self) -> None:
        """End the session after this turn."""
        self.is_stopped = True

    def run(self) -> None:
        """Process frames until `stop`, or until the duration is over."""
        self._watcher.waits(f"{self._plan.host}:{self._server.port}")
        while not self.is_stopped:
            arrival = self._server.next(POLL_S)
            self._look_for_client()
            if arrival is not None:
                self._heard_s = time.monotonic()
                self._take(arrival)
            elif self._client is not None:
                self._watcher.silent(time.monotonic() - self._heard_s)

    def close(self) -> None:
        """Report the faults that last until the end."""
        for fault in self._faults.values():
            fault.close()

    def summary(self) -> QuadSimSummary:
        """The result so far."""
        p50_ms, p99_ms = self._loop_times.percentiles_ms()
        return QuadSimSummary(
            log=None if self._plan.log is None else str(self._plan.log),
            weights_sha256=self._segmenter.sha256,
            segmenter=self._segmenter.device,
            flight_s=0.0 if self._frame is None else self._frame.time_s,
            dropped=self._dropped,
            without_depth=self._without_depth,
            skipped=self._server.skipped,
            connections=self._connections,
            loop_p50_ms=p50_ms,
            loop_p99_ms=p99_ms,
            cpu_ms=self._cpu_ms(),
            metrics=self._metrics.result(),
        )

    def _cpu_ms(self) -> float | None:
        """Processor time from the end of the first frame to that of the last, per frame."""
        frames = self._metrics.result().frames - 1
        if frames < 1 or self._first_cpu_s is None:
            return None
        return 1e3 * (self._last_cpu_s - self._first_cpu_s) / frames

    def _look_for_client(self) -> None:
        client = self._server.client
        if client is self._client:
            return
        self._client, self._heard_s = client, time.monotonic()
        if client is None:
            logger.warning("The simulator is gone.", extra={"topic": PRINTED})
            self._watcher.waits(f"{self._plan.host}:{self._server.port}")
        else:
            self._connections += 1
            self._watcher.has_connected(client)

    def _take(self, arrival: Arrival) -> None:
        """Process a frame; a malformed one is left out."""
        try:
            sensor = decode_sensor_frame(arrival.data, self._side_px)
        except FrameError as error:
            self._dropped += 1
            self._report_fault(arrival.received_s, "A frame is dropped", str(error))
        else:
            if sensor.depth_problem:
                self._without_depth += 1
                problem = sensor.depth_problem
                self._report_fault(arrival.received_s, "A frame has no depth", problem)
            self._process(arrival, sensor)
        acknowledge(arrival)
        for fault in self._faults.values():
            fault.passes(arrival.received_s)

    def _process(self, arrival: Arrival, sensor: SensorFrame) -> None:
        """Decide and report; everything that the report does not need comes after it."""
        frame = self._frames.build(sensor, arrival.received_s)
        decoded_s = time.perf_counter()
        step = self._pilot.step(frame)
        decided_s = time.perf_counter()
        events = self._reporter.events(step)
        arrival.client.send(event_text(name, data) for name, data in events)
        sent_s = time.perf_counter()
        masks = self._masks
        timings = LoopTimings(
            receive_ms=1e3 * (decoded_s - arrival.received_s),
            segment_ms=masks.source_ms,
            decide_ms=1e3 * (decided_s - decoded_s) - masks.source_ms - masks.rounding_ms,
            send_ms=1e3 * (sent_s - decided_s),
            log_ms=self._log_ms + masks.rounding_ms,
            total_ms=1e3 * (sent_s - arrival.received_s),
        )
        depth = None if sensor.depth_jpeg is None else EncodedImage(sensor.depth_jpeg, "jpeg")
        image = EncodedImage(sensor.rgb_jpeg, "jpeg")
        entry = FlightEntry(frame, step, None, timings, image, depth)
        self._record(entry)
        self._log_ms = 1e3 * (time.perf_counter() - sent_s)
        self._frame = frame
        self._last_cpu_s = time.process_time()
        if self._first_cpu_s is None:
            self._first_cpu_s = self._last_cpu_s
        if frame.time_s >= self._plan.duration_s:
            self.stop()

    def _record(self, entry: FlightEntry) -> None:
        if self._log is not None:
            self._log.write(entry)
        self._metrics.add(entry)
        self._loop_times.update(None, moment_of(entry))
        change = entry.step.transition
        if change is not None:
            logger.info(
                "At %.1f s the mission goes from %s to %s: %s.",
                *(entry.frame.time_s, change.source.value, change.target.value, change.reason),
                extra={"topic": TRANSITION},
            )
        self._watcher.shows(entry, self._reporter.position_m)

    def _report_fault(self, now_s: float, consequence: str, problem: str) -> None:
        """One line for each kind of problem, not one for each frame that has it."""
        kind = problem.partition(" (")[0]
        if kind not in self._faults and len(self._faults) >= MAX_FAULTS:
            kind = ""
        fault = self._faults.setdefault(kind, RecurringFault(logger, f"frames: {kind}"))
        fault.occurs(now_s, "%s: %s", consequence, problem)


def _side_px(config: FlightConfig) -> int:
    """Side of the images for the network: QuadSim's, reduced while they are decoded."""
    camera = config.camera
    if camera.width_px != camera.height_px or camera.width_px % _EIGHTH_PX:
        raise ConfigError(
            f"camera.width_px, camera.height_px: {camera.width_px}x{camera.height_px} cannot be "
            f"made of QuadSim's {SIZE_PX}x{SIZE_PX}; use the same multiple of {_EIGHTH_PX} for both"
        )
    if camera.width_px > SIZE_PX:
        raise ConfigError(f"camera.width_px: QuadSim's images have {SIZE_PX} pixels at most")
    return camera.width_px


def _pilot_name(plan: QuadSimPlan) -> str:
    return "quadsim-classic" if plan.classic else "quadsim"


def _metadata(plan: QuadSimPlan, segmenter: Segmenter) -> dict[str, str]:
    versions = {"followme-uav": __version__, "python": platform.python_version()}
    return {
        "simulator": plan.config.simulator.name,
        "lockstep": "False",
        "segmenter": segmenter.device,
        "network": segmenter.architecture,
        "pilot": _pilot_name(plan),
        "versions": json.dumps(versions),
    }
