"""A process with the simulator's imports done, from which simulators are forked.

    python -m followme_uav.sim.prepared SOCKET

SOCKET is the number of an inherited Unix socket. Each line on it is a request, a JSON object with
the simulator's command line, environment and folder; the file that becomes its output comes with
it. The answers are lines too: the process number of each simulator, and its exit code when it ends.
The process ends when the other end of the socket is closed, also in the middle of an answer;
simulators end with their parent.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from typing import Any

from followme_uav.sim import server

_NEEDED = (
    "followme_uav.sim.rendering.scene",
    "followme_uav.sim.rendering.offscreen",
    "PIL.PngImagePlugin",
)
"""Modules that a simulator imports while it starts, beside those of `sim.server`."""
_MAX_BYTES = 1 << 20


def main(number: int) -> None:
    """Serve requests until the socket is closed."""
    for name in _NEEDED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a collection would write to the memory that the simulators share
    requests = socket.socket(fileno=number)
    ended, wake = os.pipe()
    for end in (ended, wake):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda signum, frame: None)
    with suppress(BrokenPipeError, ConnectionResetError):  # nobody is left to answer
        _serve(requests, ended)


def _serve(requests: socket.socket, ended: int) -> None:
    """Fork simulators until the socket is closed; `ended` has a byte when one of them has ended."""
    number = requests.fileno()
    while True:
        ready, _, _ = select.select((number, ended), (), ())
        if ended in ready:
            os.read(ended, 4096)
            _report_ended(requests)
        if number in ready:
            request, output = _receive(requests)
            if request is None or output is None:
                return
            child = os.fork()
            if child == 0:
                requests.close()
                _become_simulator(request, output)
            os.close(output)
            _answer(requests, request["id"], child, None)
            _children[child] = request["id"]
            _report_ended(requests)  # it may have ended before it was known


_children: dict[int, int] = {}
"""Request of each running simulator, by process number."""


def _receive(requests: socket.socket) -> tuple[dict[str, Any] | None, int | None]:
    """The next request and its file; None at the end."""
    data, files, _, _ = socket.recv_fds(requests, _MAX_BYTES, 1)
    while data and not data.endswith(b"\n"):
        more = requests.recv(_MAX_BYTES)
        data = data + more if more else b""
    if not data or not files:
        return None, None
    return json.loads(data), files[0]


def _answer(requests: socket.socket, identity: int, process: int, code: int | None) -> None:
    requests.sendall(json.dumps({"id": identity, "pid": process, "code": code}).encode() + b"\n")


def _report_ended(requests: socket.socket) -> None:
    for child in list(_children):
        process, status = os.waitpid(child, os.WNOHANG)
        if process:
            _answer(requests, _children.pop(child), child, os.waitstatus_to_exitcode(status))


def _become_simulator(request: dict[str, Any], output: int) -> None:
    """Run a simulator in this process, which was just forked; does not return."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()  # Ctrl-C must reach the controller alone
        for stream in (1, 2):
            os.dup2(output, stream)
        os.close(output)
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["folder"])
        sys.argv[1:] = request["arguments"]
        status = server.main(request["arguments"])
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        server.leave(status)


if __name__ == "__main__":
    main(int(sys.argv[1]))
