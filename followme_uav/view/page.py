"""Rerun's page for the browser, held to this machine; a process that ends with the one it serves.

Left alone, the page asks hosts of its makers and of Google for news and fonts, and reports its use.
It is passed on with a policy by which the browser refuses that (https://www.w3.org/TR/CSP3/).

    python -m followme_uav.view.page PORT GRPC_PORT RERUN_PORT [OPTION...]

Whoever starts it holds its standard input, and gives it a process group of its own: when that
input closes, because they ended in whatever way, the group is killed, Rerun's server with it.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOST = "127.0.0.1"
_TIMEOUT_S = 30.0
_PASSED_ON = ("Content-Type", "Content-Encoding", "rerun-final-length")
_LINK_ELSEWHERE = re.compile(rb'<link\b[^>]*"https?://[^>]*>')
"""Browsers connect to what a page will need before they look at its policy."""


def policy(grpc_port: int) -> str:
    """What the page may load and whom it may ask: itself and Rerun's server."""
    return (
        "default-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' data: blob:; "
        f"connect-src 'self' data: blob: http://{HOST}:{grpc_port}"
    )


def main() -> int:
    """Runs until Rerun's server ends, or whoever holds our standard input."""
    port, grpc_port, rerun_port = map(int, sys.argv[1:4])
    options = ["--bind", HOST, "--port", str(grpc_port)]
    options += ["--serve-web", "--web-viewer-port", str(rerun_port), *sys.argv[4:]]
    server = ThreadingHTTPServer((HOST, port), _handler(rerun_port, policy(grpc_port)))
    rerun = subprocess.Popen(  # noqa: S603 - the viewer's own module, no shell
        [sys.executable, "-m", "rerun_cli", *options], stdin=subprocess.DEVNULL
    )
    for work in (server.serve_forever, _end_with_our_starter):
        threading.Thread(target=work, daemon=True).start()
    return rerun.wait()


def _end_with_our_starter() -> None:
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)


def _handler(rerun_port: int, rules: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            rerun = HTTPConnection(HOST, rerun_port, timeout=_TIMEOUT_S)
            try:
                rerun.request("GET", self.path)
                reply = rerun.getresponse()
                body = reply.read()
            except (OSError, HTTPException):
                self.send_error(HTTPStatus.BAD_GATEWAY)
                return
            finally:
                rerun.close()
            if reply.headers.get_content_type() == "text/html":
                body = _LINK_ELSEWHERE.sub(b"", body)
            self.send_response(reply.status)
            for name in _PASSED_ON:
                if name in reply.headers:
                    self.send_header(name, reply.headers[name])
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", rules)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    return Handler


if __name__ == "__main__":
    sys.exit(main())
