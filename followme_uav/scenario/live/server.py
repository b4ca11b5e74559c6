"""The page of a run that is under way, for browsers on this machine.

The server is a few threads beside the runner, and only reads the progress. An error in it, a slow
client, or too many clients cost a reply, and no flight. It answers GET requests for a fixed set of
paths. A request must name this server as its host: otherwise a page of another origin could read
the progress by letting its own name point to 127.0.0.1 (DNS rebinding).
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Any
from urllib.parse import unquote

from followme_uav.errors import EnvironmentSetupError
from followme_uav.scenario.live.progress import Progress
from followme_uav.scenario.live.state import state_of
from followme_uav.scenario.report.report import PICTURES, REPORT
from followme_uav.terminal import make_console

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
MOST_CLIENTS = 16
"""Requests at a time; further ones are not answered."""
_CLIENT_S = 10.0
"""A client that neither sends nor takes anything for so long is disconnected."""
_STATE_S = 1.0
"""Age at which the state is made again, whatever the number of clients."""
_STOP_POLL_S = 0.1
_ENDED_POLL_S = 0.5
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE_FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
_PICTURES_PATH = f"/{PICTURES}/"


class LivePage:
    """The served page of a run.

    Attributes:
        url: Address of the page.
    """

    def __init__(self, server: _Server) -> None:
        self.url = f"http://{HOST}:{server.server_port}/"

    def serve(self) -> None:
        """Keep serving until Ctrl-C, so that the end and the report can be read."""
        with suppress(KeyboardInterrupt):
            _say(f"serving {self.url} until Ctrl-C")
            while True:
                time.sleep(_ENDED_POLL_S)


@contextmanager
def live_page(progress: Progress, folder: Path, port: int) -> Iterator[LivePage]:
    """Serve the page of a run in the block.

    Args:
        progress: Of the run.
        folder: Of the run; its report and the pictures beside it are served once it is written.
        port: On the loopback interface; 0: any free port.

    Raises:
        EnvironmentSetupError: The port cannot be used.
    """
    try:
        server = _Server(progress, folder, port)
    except OSError as error:
        cause = os.strerror(error.errno) if error.errno else str(error)
        raise EnvironmentSetupError(
            f"--web-port {port}: {cause}; choose another port, or leave it out for any free port"
        ) from None
    with server:
        thread = threading.Thread(
            target=server.serve_forever, args=(_STOP_POLL_S,), name="live page", daemon=True
        )
        thread.start()
        page = LivePage(server)
        _say(f"watch at {page.url}")
        try:
            yield page
        finally:
            server.shutdown()


def _say(text: str) -> None:
    make_console(stderr=True).print(text, highlight=False, markup=False, soft_wrap=True)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a slow client must not delay the end

    def __init__(self, progress: Progress, folder: Path, port: int) -> None:
        self.progress, self.folder = progress, folder
        here = Path(__file__).parent
        self.page = {path: (here / file).read_bytes() for path, (file, _) in _PAGE_FILES.items()}
        self._clients = threading.BoundedSemaphore(MOST_CLIENTS)
        self._state_lock = threading.Lock()
        self._state, self._made_s = b"", float("-inf")
        super().__init__((HOST, port), _Handler)

    def server_bind(self) -> None:
        """Bind without asking a name server, which may not answer."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether there is room for another client."""
        return self._clients.acquire(blocking=False)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer one client, and make room."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._clients.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Note an error in a reply, without a traceback among the command's output."""
        logger.debug("The live page could not answer a request.", exc_info=True)

    def state(self) -> bytes:
        """Return the state as JSON."""
        with self._state_lock:
            if time.monotonic() - self._made_s >= _STATE_S:
                state = state_of(self.progress.snapshot(), self.folder.name)
                self._state = json.dumps(state, separators=(",", ":"), allow_nan=False).encode()
                self._made_s = time.monotonic()
            return self._state

    def is_named(self, hosts: list[str]) -> bool:
        """Whether the Host headers of a request name this server, and nothing else."""
        own = {f"{name}:{self.server_port}" for name in (HOST, "localhost")}
        return len(hosts) == 1 and hosts[0].strip().lower() in own


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _CLIENT_S
    server_version, sys_version = "followme-uav", ""

    def do_GET(self) -> None:
        """Answer a request for one of the paths."""
        path = self.path.partition("?")[0]
        if not self.server.is_named(self.headers.get_all("Host") or []):
            self.send_error(HTTPStatus.FORBIDDEN, "Wrong host")
        elif path in _PAGE_FILES:
            self._send(self.server.page[path], _PAGE_FILES[path][1])
        elif path == "/state.json":
            self._send(self.server.state(), "application/json")
        elif path == f"/{REPORT}":
            self._send_file(self.server.folder / REPORT, "text/html; charset=utf-8")
        elif path.startswith(_PICTURES_PATH) and (file := self._picture(path)) is not None:
            self._send_file(file, "image/webp")
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def _picture(self, path: str) -> Path | None:
        """Return the picture beside the report; None for any other file."""
        name = unquote(path.removeprefix(_PICTURES_PATH))
        if name.startswith(".") or not name.endswith(".webp") or set(name) & set("/\\\0"):
            return None
        file = self.server.folder / PICTURES / name
        return None if file.is_symlink() else file

    def _send_file(self, path: Path, kind: str) -> None:
        if not self.server.progress.snapshot().has_report:  # one of an earlier run may be there
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        try:
            file = path.open("rb")
        except OSError:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        with file:
            self._begin_reply(kind, os.fstat(file.fileno()).st_size)
            shutil.copyfileobj(file, self.wfile)

    def _send(self, content: bytes, kind: str) -> None:
        self._begin_reply(kind, len(content), policy=_POLICY)
        self.wfile.write(content)

    def _begin_reply(self, kind: str, size: int, policy: str = "frame-ancestors 'none'") -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(size))
        self.send_header("Content-Security-Policy", policy)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Do not log requests."""
