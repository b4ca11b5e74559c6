"""The Rerun viewer as a process of its own: a window, or a page for the browser.

The viewer is part of the package `rerun-sdk`. It accepts data from this machine only and sends none
elsewhere (see `privacy`, and `page` for the browser). A window stays open after this process ends;
a page is served until `close`, or until this process ends.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from typing import Literal
from urllib.parse import quote

from followme_uav.errors import EnvironmentSetupError
from followme_uav.extras import require
from followme_uav.privacy import RERUN_ENVIRONMENT

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
START_DEADLINE_S = 30.0
RENDERER_DEADLINE_S = 5.0
"""A window that has not reported its renderer by then is assumed to work."""
STOP_DEADLINE_S = 3.0
MEMORY_LIMIT = "2GiB"
"""Limit of the window and of the server, which drop the oldest data beyond it."""
_RENDERER_FOUND, _SOFTWARE_RENDERER = "wgpu adapter", "Software rasterizer"
"""Texts of Rerun's log: a renderer is found, and it is not a graphics card."""

Kind = Literal["window", "web"]


def check_viewer(kind: Kind) -> None:
    """Check that a viewer can be started; call it before long work.

    Raises:
        EnvironmentSetupError: The package or the screen is missing.
    """
    option = "--view" if kind == "window" else "--web"
    require("rerun", "view", option)
    has_screen = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    if kind == "window" and sys.platform.startswith("linux") and not has_screen:
        raise EnvironmentSetupError(
            "--view opens a window, and there is no screen (DISPLAY is not set); "
            "use --web for the browser, or --video and --plots for files"
        )


class Viewer:
    """A running viewer; a context manager.

    Args:
        kind: A window, or a page for the browser.

    Attributes:
        url: Address that accepts data.
        page: Address for the browser; empty for a window.
        warning: A limitation to show to the user; usually empty.
    """

    def __init__(self, kind: Kind) -> None:
        check_viewer(kind)
        self._kind = kind
        grpc_port, web_port, rerun_port = map(str, _free_ports(3))
        self.url = f"rerun+http://{HOST}:{grpc_port}/proxy"
        self.page = self.warning = ""
        if kind == "web":
            self.page = f"http://{HOST}:{web_port}/?url={quote(self.url, safe='')}"
            command = ["followme_uav.view.page", web_port, grpc_port, rerun_port]
            command += ["--server-memory-limit", MEMORY_LIMIT]
        else:
            command = ["rerun_cli", "--bind", HOST, "--port", grpc_port, "--expect-data-soon"]
            command += ["--hide-welcome-screen", "--memory-limit", MEMORY_LIMIT]
        # A file, not a pipe: a window outlives this process, and a pipe without a reader breaks.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `close`
        self._process = subprocess.Popen(  # noqa: S603 - the viewer's own module, no shell
            [sys.executable, "-m", *command],
            stdin=subprocess.PIPE if kind == "web" else subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **RERUN_ENVIRONMENT, "NO_COLOR": "1", "RUST_LOG": "info"},
            start_new_session=True,  # Ctrl-C must not reach the viewer; `close` ends its group
        )
        try:
            for port in (grpc_port, rerun_port, web_port) if kind == "web" else (grpc_port,):
                self._wait_for_port(int(port))
            if kind == "window":
                self._wait_for_renderer()
            logger.info("The viewer runs as process %d.", self._process.pid)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Viewer:
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving a page; leave a window open."""
        if self._kind == "web":
            self.close()

    def is_open(self) -> bool:
        """Whether the viewer still runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the viewer; kill it if it does not end within a deadline."""
        if self.is_open():
            # The process starts the viewer as its child; both are in one process group.
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(STOP_DEADLINE_S)
            except subprocess.TimeoutExpired:
                logger.info("The viewer has not ended within %g s; it is killed.", STOP_DEADLINE_S)
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        else:
            code = self._process.returncode
            logger.info("The viewer has ended by itself with exit code %d.", code)
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._output.close()

    def _wait_for_port(self, port: int) -> None:
        deadline_s = time.monotonic() + START_DEADLINE_S
        while time.monotonic() < deadline_s:
            self._check_alive()
            try:
                socket.create_connection((HOST, port), timeout=1.0).close()
                return
            except OSError:
                time.sleep(0.05)
        raise EnvironmentSetupError(
            f"the viewer did not listen within {START_DEADLINE_S:g} s; {self._remedy()}"
        )

    def _wait_for_renderer(self) -> None:
        """Wait until the window can draw; without a usable screen or driver the viewer ends."""
        deadline_s = time.monotonic() + RENDERER_DEADLINE_S
        while _RENDERER_FOUND not in self._log() and time.monotonic() < deadline_s:
            self._check_alive()
            time.sleep(0.05)
        if _SOFTWARE_RENDERER in self._log():
            self.warning = (
                "the window is drawn by the processor, without a graphics card, and is slow; "
                "if it stays black, use --web"
            )

    def _check_alive(self) -> None:
        if not self.is_open():
            raise EnvironmentSetupError(
                f"the viewer did not start: {self._last_error()}; {self._remedy()}"
            )

    def _log(self) -> str:
        # Read without seeking: the viewer shares the file position and writes there.
        size = os.fstat(self._output.fileno()).st_size
        return os.pread(self._output.fileno(), size, 0).decode(errors="replace")

    def _last_error(self) -> str:
        lines = self._log().splitlines()
        errors = [line for line in lines if line.lower().startswith("error")]
        text = " ".join((errors or lines or ["no message"])[-1].split())
        return text.removeprefix("Error: ")[:300].rstrip(". ")

    def _remedy(self) -> str:
        if self._kind == "web":
            return "use --video and --plots for files"
        return "use --web for the browser, or --video and --plots for files"


def _free_ports(count: int) -> list[int]:
    """Ports that no process listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for free in sockets:
            free.bind((HOST, 0))
        return [free.getsockname()[1] for free in sockets]
    finally:
        for free in sockets:
            free.close()
