"""Starts simulator processes: each anew, or forked from one that has done the imports before.

A third of a simulator's start is imports. A process that flies many flights calls `keep_prepared`;
from then on its simulators are forked. All else about them is the same: each is a process of its
own with its own city, which ends with the flight.
"""

from __future__ import annotations

import io
import itertools
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TextIO

logger = logging.getLogger(__name__)

SERVER_MODULE, PREPARED_MODULE = "followme_uav.sim.server", "followme_uav.sim.prepared"
FORK_DEADLINE_S = 60.0
"""For the imports of the first one, on a busy machine."""


class ForkedProcess:
    """A process forked from a `PreparedSimulator`, used like a `subprocess.Popen`.

    Args:
        stdout: Its output.
    """

    def __init__(self, stdout: TextIO) -> None:
        self.stdout: TextIO | None = stdout
        self.started: Future[int] = Future()
        self.ended: Future[int] = Future()

    @property
    def pid(self) -> int:
        """The process number; waits until it is known.

        Raises:
            OSError: The process could not be started.
        """
        try:
            return self.started.result(FORK_DEADLINE_S)
        except FutureTimeoutError:
            raise OSError(f"no simulator was forked within {FORK_DEADLINE_S:g} s") from None

    @property
    def returncode(self) -> int | None:
        """The exit code, None before the end."""
        return self.ended.result() if self.ended.done() else None

    def terminate(self) -> None:
        """Send SIGTERM, unless it has ended."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL, unless it has ended."""
        self._signal(signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; raises `subprocess.TimeoutExpired`."""
        try:
            return self.ended.result(timeout)
        except FutureTimeoutError:
            raise subprocess.TimeoutExpired(SERVER_MODULE, timeout or 0.0) from None

    def _signal(self, number: int) -> None:
        try:
            if not self.ended.done():
                os.kill(self.pid, number)
        except OSError as error:  # it has ended, or was never started
            logger.debug("The simulator gets no signal %d: %s.", number, error)


SimulatorProcess = subprocess.Popen[str] | ForkedProcess


def start_simulator(command: list[str]) -> SimulatorProcess:
    """Start a simulator by its command line; raises `OSError`."""
    if _kept and command[:3] == [sys.executable, "-m", SERVER_MODULE]:
        try:
            return prepared_simulator().fork(command[3:])
        except OSError as error:
            logger.info("No simulator can be forked (%s); it is started anew.", error)
            _kept.clear()
    return subprocess.Popen(  # noqa: S603 - our own module, no shell
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        # Ctrl-C must reach the controller alone, which lands and then ends the simulator.
        start_new_session=True,
    )


def keep_prepared() -> None:
    """Fork the simulators of this process from now on, where the system can do that."""
    if not _kept and sys.platform == "linux":  # libraries of macOS do not survive a fork
        _kept.append(None)


def prepared_simulator() -> PreparedSimulator:
    """The process from which simulators are forked; it starts when the first one is needed.

    Raises:
        OSError: It does not start.
    """
    prepared = _kept[0] or PreparedSimulator()
    _kept[0] = prepared
    return prepared


class PreparedSimulator:
    """A process from which simulators are forked. It ends with this process."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            self._process = subprocess.Popen(  # noqa: S603 - our own module, no shell
                [sys.executable, "-m", PREPARED_MODULE, str(number)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(number,),
                start_new_session=True,
            )
        self._identities = itertools.count()
        self._forked: dict[int, ForkedProcess] = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._read, name="forked simulators", daemon=True).start()

    def fork(self, arguments: list[str]) -> ForkedProcess:
        """Start a simulator without waiting for it; raises `OSError`."""
        ours, theirs = os.pipe()
        output = io.BufferedReader(io.FileIO(ours))
        process = ForkedProcess(io.TextIOWrapper(output, encoding="utf-8", errors="replace"))
        try:
            with self._lock:
                if self._process.poll() is not None:
                    raise ConnectionResetError("the prepared process has ended")
                identity = next(self._identities)
                self._forked[identity] = process
                request = {
                    "id": identity,
                    "arguments": arguments,
                    "environment": dict(os.environ),
                    "folder": os.getcwd(),
                }
                data = json.dumps(request).encode() + b"\n"
                sent = socket.send_fds(self._socket, [data], [theirs])
                self._socket.sendall(data[sent:])
        except OSError:
            output.close()
            raise
        finally:
            os.close(theirs)
        return process

    def _read(self) -> None:
        """Take the answers; at the end of the prepared process, end what it has forked."""
        with self._socket.makefile("r", encoding="utf-8") as answers:
            for line in answers:
                answer = json.loads(line)
                process = self._forked[answer["id"]]
                if answer["code"] is None:
                    process.started.set_result(answer["pid"])
                else:
                    del self._forked[answer["id"]]
                    process.ended.set_result(answer["code"])
        with self._lock:
            code = self._process.wait()
            orphans, self._forked = list(self._forked.values()), {}
        for process in orphans:
            logger.warning("The process that forks simulators has ended with code %d.", code)
            if process.started.done():
                process.kill()
            else:
                process.started.set_exception(ConnectionResetError("it was never forked"))
            process.ended.set_result(-signal.SIGKILL)


_kept: list[PreparedSimulator | None] = []
"""Empty, or the prepared process of this process; None before it is needed."""
