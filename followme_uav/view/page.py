"""A proxy for Rerun's page that keeps the browser from contacting other hosts.

The page loads news from its vendor and fonts from Google, and reports its use. The proxy adds a
content security policy (https://www.w3.org/TR/CSP3/) that makes the browser block such requests.

    python -m followme_uav.view.page PORT GRPC_PORT RERUN_PORT [OPTION...]

The parent process holds a pipe to the standard input and starts this process in a process group of
its own. The pipe closes when the parent ends, for any reason; then the group, which includes
Rerun's server, is killed.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
import sys
import threading
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from followme_uav.program_log import set_up_child

logger = logging.getLogger("followme_uav.view.page")  # __name__ is "__main__" with -m

HOST = "127.0.0.1"
_TIMEOUT_S = 30.0
_FORWARDED_HEADERS = ("Content-Type", "Content-Encoding", "rerun-final-length")
_EXTERNAL_LINK = re.compile(rb'<link\b[^>]*"https?://[^>]*>')
"""Removed, because browsers connect to the hosts of such links before they apply the policy."""


def policy(grpc_port: int) -> str:
    """The content security policy: requests to the page's own server and to Rerun's only."""
    return (
        "default-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' data: blob:; "
        f"connect-src 'self' data: blob: http://{HOST}:{grpc_port}"
    )


def main() -> int:
    """Serve until Rerun's server or the parent process ends."""
    set_up_child("viewer page")
    port, grpc_port, rerun_port = map(int, sys.argv[1:4])
    options = ["--bind", HOST, "--port", str(grpc_port)]
    options += ["--serve-web", "--web-viewer-port", str(rerun_port), *sys.argv[4:]]
    server = ThreadingHTTPServer((HOST, port), _handler(rerun_port, policy(grpc_port)))
    rerun = subprocess.Popen(  # noqa: S603 - the viewer's own module, no shell
        [sys.executable, "-m", "rerun_cli", *options], stdin=subprocess.DEVNULL
    )
    for work in (server.serve_forever, _end_with_parent):
        threading.Thread(target=work, daemon=True).start()
    return rerun.wait()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)


def _handler(rerun_port: int, content_policy: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            rerun = HTTPConnection(HOST, rerun_port, timeout=_TIMEOUT_S)
            try:
                rerun.request("GET", self.path)
                reply = rerun.getresponse()
                body = reply.read()
            except (OSError, HTTPException) as error:
                logger.warning("Rerun's server does not send %s: %s", self.path, error)
                self.send_error(HTTPStatus.BAD_GATEWAY)
                return
            finally:
                rerun.close()
            if reply.headers.get_content_type() == "text/html":
                body = _EXTERNAL_LINK.sub(b"", body)
            self.send_response(reply.status)
            for name in _FORWARDED_HEADERS:
                if name in reply.headers:
                    self.send_header(name, reply.headers[name])
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", content_policy)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Do not log requests."""

    return Handler


if __name__ == "__main__":
    sys.exit(main())
