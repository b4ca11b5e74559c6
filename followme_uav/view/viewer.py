"""The Rerun viewer as a process of its own: a window, or a page for the browser.

It comes with the package `rerun-sdk`. It listens on this machine only, for whoever logs to it, and
sends nothing elsewhere (see `privacy`, and `page` for the browser). A window stays
open when we are done; a page is served until `close`, or until our process ends.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from types import TracebackType
from typing import Literal
from urllib.parse import quote

from followme_uav.errors import EnvironmentSetupError
from followme_uav.extras import require
from followme_uav.privacy import RERUN_ENVIRONMENT

HOST = "127.0.0.1"
START_DEADLINE_S = 30.0
SETTLE_S = 5.0
"""A window that has not told by then what draws it is taken to work."""
STOP_DEADLINE_S = 3.0
MEMORY_LIMIT = "2GiB"
"""Of the window and of the server: beyond it, what is oldest is forgotten."""
_DRAWS, _BY_PROCESSOR = "wgpu adapter", "Software rasterizer"
"""What Rerun says once it can draw, and if no graphics card does it."""

Kind = Literal["window", "web"]


def check_viewer(kind: Kind) -> None:
    """To be called before the long work that is to be watched.

    Raises:
        EnvironmentSetupError: The package is missing, or the screen.
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
        kind: what a person looks at.

    Attributes:
        url: where to log to.
        page: what a browser opens; empty for a window.
        warning: what the person should know about it; mostly empty.
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
        # A file, not a pipe: a window outlives us, and must not fail for lack of a reader.
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `close`
        self._process = subprocess.Popen(  # noqa: S603 - the viewer's own module, no shell
            [sys.executable, "-m", *command],
            stdin=subprocess.PIPE if kind == "web" else subprocess.DEVNULL,
            stdout=self._words,
            stderr=subprocess.STDOUT,
            env={**os.environ, **RERUN_ENVIRONMENT, "NO_COLOR": "1", "RUST_LOG": "info"},
            start_new_session=True,  # Ctrl-C is for us, and see `close`
        )
        try:
            for port in (grpc_port, rerun_port, web_port) if kind == "web" else (grpc_port,):
                self._wait_for(int(port))
            if kind == "window":
                self._settle()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Viewer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """A window stays: a person looks at it."""
        if self._kind == "web":
            self.close()

    def is_open(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it, by force if it does not obey."""
        if self.is_open():
            # The package's Python starts the viewer as its child: both are one group of their own.
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(STOP_DEADLINE_S)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._words.close()

    def _wait_for(self, port: int) -> None:
        give_up_s = time.monotonic() + START_DEADLINE_S
        while time.monotonic() < give_up_s:
            self._check_alive()
            try:
                socket.create_connection((HOST, port), timeout=1.0).close()
                return
            except OSError:
                time.sleep(0.05)
        raise EnvironmentSetupError(
            f"the viewer did not listen within {START_DEADLINE_S:g} s; {self._remedy()}"
        )

    def _settle(self) -> None:
        """Wait until it draws: without a usable screen or graphics driver it ends instead."""
        until_s = time.monotonic() + SETTLE_S
        while _DRAWS not in self._said() and time.monotonic() < until_s:
            self._check_alive()
            time.sleep(0.05)
        if _BY_PROCESSOR in self._said():
            self.warning = (
                "no graphics card draws the window, the processor does, slowly; "
                "if it stays black, use --web"
            )

    def _check_alive(self) -> None:
        if not self.is_open():
            raise EnvironmentSetupError(
                f"the viewer did not start: {self._last_words()}; {self._remedy()}"
            )

    def _said(self) -> str:
        # Not by seeking: the viewer writes where our common file position is.
        size = os.fstat(self._words.fileno()).st_size
        return os.pread(self._words.fileno(), size, 0).decode(errors="replace")

    def _last_words(self) -> str:
        lines = self._said().splitlines()
        errors = [line for line in lines if line.lower().startswith("error")]
        words = " ".join((errors or lines or ["it said nothing"])[-1].split())
        return words.removeprefix("Error: ")[:300].rstrip(". ")

    def _remedy(self) -> str:
        if self._kind == "web":
            return "use --video and --plots for files"
        return "use --web for the browser, or --video and --plots for files"


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind((HOST, 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
