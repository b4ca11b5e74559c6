"""Starts the embedded simulator in a process of its own, and ends it.

The controller uses it over RPC, like any other simulator. Beyond that it depends on the command
line that starts it, and on the line `listening on HOST:PORT` that it prints when ready.
"""

from __future__ import annotations

import logging
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from followme_uav.config import FlightConfig
from followme_uav.errors import SimulatorError
from followme_uav.flight.simulator_process import (
    SERVER_MODULE,
    SimulatorProcess,
    start_simulator,
)
from followme_uav.program_log import relay

logger = logging.getLogger(__name__)

READY = "listening on "
START_DEADLINE_S = 60.0
STOP_DEADLINE_S = 3.0
DIALECT_OF_PROFILE = {f"embedded-{name}": name for name in ("unity", "colosseum", "cosys")}


@contextmanager
def embedded_simulator(
    config: FlightConfig,
    seed: int = 0,
    *,
    paused: bool = True,
    window: bool = False,
    world: Path | str | None = None,
    vehicle: str | None = None,
) -> Iterator[FlightConfig]:
    """Run a simulator that suits `config`, in a process that ends with the block.

    Args:
        config: Size of the camera's images, and dialect of the RPC.
        seed: Of the city.
        paused: Start with the time stopped. Only then is a simulation repeatable: else it depends
            on the time of the first call.
        window: Show it.
        world: A world plan, a world file, or the name of a generator, see `docs/simulator.md`.
        vehicle: Name or path of a vehicle file; None: that of the world, or the default one.

    Yields:
        The configuration with the simulator's address.

    Raises:
        SimulatorError: It does not start; the message has its last line of output.

    Example:
        >>> from followme_uav import connect, embedded_simulator, load_config
        >>> with embedded_simulator(load_config(), seed=8) as config, connect(config) as client:
        ...     client.read_frame().rgb.shape
        (160, 160, 3)
    """
    with simulator_for(
        config, seed, paused=paused, window=window, world=world, vehicle=vehicle
    ) as simulator:
        yield simulator.found_by(config)


def simulator_for(
    config: FlightConfig,
    seed: int,
    *,
    paused: bool,
    window: bool = False,
    world: Path | str | None = None,
    vehicle: str | None = None,
) -> EmbeddedSimulator:
    """Return a simulator that suits `config`, not started yet."""
    camera, profile = config.camera, config.simulator
    height_px, width_px = camera.source_size_px
    options = ["--image-size", f"{width_px}x{height_px}"]
    if profile.name in DIALECT_OF_PROFILE:
        options += ["--dialect", DIALECT_OF_PROFILE[profile.name]]
    if paused:
        options.append("--paused")
    if window:
        options.append("--window")
    if world is not None:
        options += ["--world", str(world)]
    if vehicle is not None:
        options += ["--vehicle", vehicle]
    return EmbeddedSimulator(seed, *options)


def at_address(config: FlightConfig, host: str, port: int) -> FlightConfig:
    """Return the configuration with another address of the simulator."""
    profile = config.simulator.model_copy(update={"host": host, "port": port})
    return config.model_copy(update={"simulator": profile})


class EmbeddedSimulator:
    """Context manager of a simulator process.

    Attributes:
        host: The address on which it listens.
        port: The port.

    Args:
        seed: Of the city.
        options: Further command line options of the simulator.
    """

    def __init__(self, seed: int, *options: str) -> None:
        self._command = [
            *(sys.executable, "-m", SERVER_MODULE),
            *("--port", "0", "--seed", str(seed), "--parent-pid", str(os.getpid())),
            *options,
        ]
        self._process: SimulatorProcess | None = None
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._is_ready = False
        self._launched_s = 0.0
        self.host, self.port = "", 0

    def launch(self) -> None:
        """Start the process without waiting until it is ready; the caller has to `stop` it."""
        self._process = start_simulator(self._command)
        logger.info("The embedded simulator starts.")
        self._launched_s = time.monotonic()
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> EmbeddedSimulator:
        """Wait until it listens; raises `SimulatorError` with its last line of output."""
        if self._process is None:
            self.launch()
        try:
            address = self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        self.host, _, port = address.rpartition(":")
        self.port = int(port)
        logger.info(
            "The embedded simulator, process %d, listens on %s after %.1f s.",
            self._process.pid if self._process else 0,
            *(address, time.monotonic() - self._launched_s),
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def found_by(self, config: FlightConfig) -> FlightConfig:
        """Return the configuration with this simulator's address."""
        return at_address(config, self.host, self.port)

    def memory_mb(self) -> float:
        """Return the resident memory of the process; 0 when it does not run."""
        if self._process is None:
            return 0.0
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return next(int(s.split()[1]) / 1024 for s in status.splitlines() if "VmRSS" in s)

    def was_closed(self) -> bool:
        """Whether a person closed the window; waits `STOP_DEADLINE_S` for the process to end."""
        try:
            return self._process is not None and self._process.wait(STOP_DEADLINE_S) == 0
        except subprocess.TimeoutExpired:
            return False

    def stop(self) -> None:
        """End the process; kill it if it has not ended after `STOP_DEADLINE_S`."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            logger.warning(
                "The embedded simulator has not ended within %g s and is killed.", STOP_DEADLINE_S
            )
            process.kill()
            process.wait()
        logger.info("The embedded simulator has ended with exit code %d.", process.returncode)

    def _read(self) -> None:
        process = self._process
        if process is None or process.stdout is None:
            return
        last_line = ""
        for line in process.stdout:
            last_line = line.rstrip()
            if relay(last_line):
                continue
            logger.debug("The embedded simulator prints: %s", last_line)
            if not self._is_ready:  # nobody takes later lines, and there may be many
                self._lines.put(last_line)
        self._lines.put(None)
        if self._is_ready and self._process is process:  # nobody has asked it to stop
            code = process.wait()
            level = logging.WARNING if code else logging.INFO
            logger.log(
                level,
                "The embedded simulator has ended by itself with exit code %d; its last line: %s",
                *(code, last_line or "none"),
            )

    def _wait_until_ready(self) -> str:
        last_line = "no output"
        while True:
            try:
                line = self._lines.get(timeout=START_DEADLINE_S)
            except queue.Empty:
                raise SimulatorError(
                    f"the embedded simulator was not ready within {START_DEADLINE_S:g} s "
                    f"({last_line}); run 'followme-uav doctor'"
                ) from None
            if line is None:
                raise SimulatorError(
                    f"the embedded simulator did not start: {last_line}; run 'followme-uav doctor'"
                )
            if line.startswith(READY):
                self._is_ready = True
                return line.removeprefix(READY)
            last_line = line or last_line
