"""The connection to a Ray cluster, made within a deadline.

Ray itself tries for many minutes, and prints lines of its own meanwhile. Therefore the address is
asked first whether it speaks gRPC, and Ray connects in a thread, which is left behind if it takes
too long.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager, suppress
from typing import Any

from followme_uav.errors import ConfigError, EnvironmentSetupError
from followme_uav.extras import require

ANSWER_S = 5.0
"""For the first answer of an address."""
CONNECT_S = 120.0
"""For the connection as a whole; a busy machine needs some 10 s."""
_ADDRESS = re.compile(r"\[?([\w.:-]+?)\]?:(\d{1,5})", re.ASCII)
_FRAME_HEADER, _SETTINGS = 9, 4
"""Bytes of the header of an HTTP/2 frame, and the type of the first one that a server sends."""


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Connect to a cluster, and disconnect at the end of the block.

    Args:
        address: `auto` for the cluster of this machine, or HOST:PORT.

    Raises:
        ConfigError: The address has another form.
        EnvironmentSetupError: Ray is missing, there is no cluster, or it has another version.
    """
    server = _host_and_port(address)
    require("ray", "cluster", "--ray")
    import ray

    if server is not None:
        _check_answer(address, server)
    done: Future[None] = Future()
    threading.Thread(target=_connect, args=(address, done), daemon=True).start()
    try:
        done.result(CONNECT_S)
    except FutureTimeoutError as error:
        raise _no_cluster(address, f"no answer within {CONNECT_S:.0f} s") from error
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        cause = " ".join(str(error).split()) or type(error).__name__
        if cause.startswith("Version mismatch"):
            raise EnvironmentSetupError(
                f"--ray {address}: {cause}; install the same versions"
            ) from error
        raise _no_cluster(address, cause) from error
    with suppress(ValueError):  # not the main thread, which alone handles signals
        # Without this, Ray's own handler would print a trace.
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM) or signal.SIG_DFL)
    try:
        yield
    finally:
        ray.shutdown()


def _host_and_port(address: str) -> tuple[str, int] | None:
    """Return host and port; None for `auto`."""
    if address == "auto":
        return None
    found = _ADDRESS.fullmatch(address)
    if found is None or not 0 < int(found[2]) < 2**16:
        raise ConfigError(f"--ray {address}: write 'auto', or HOST:PORT of a cluster's head node")
    return found[1], int(found[2])


def _check_answer(address: str, server: tuple[str, int]) -> None:
    """Check that the first bytes are those of a gRPC server, which speaks first."""
    if os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true"):
        return  # the client speaks first
    try:
        with socket.create_connection(server, ANSWER_S) as connection:
            connection.settimeout(ANSWER_S)
            answer = connection.recv(_FRAME_HEADER)
    except OSError as error:
        raise _no_cluster(address, str(error)) from error
    if len(answer) < _FRAME_HEADER or answer[3] != _SETTINGS:
        raise _no_cluster(address, "another service answers there")


def _connect(address: str, done: Future[None]) -> None:
    import ray

    options: dict[str, Any] = {
        "log_to_driver": False,
        "logging_level": logging.ERROR,
        "namespace": "followme-uav",
    }
    try:
        ray.init(address=address, **options)
    except BaseException as error:
        done.set_exception(error)
    else:
        done.set_result(None)


def _no_cluster(address: str, cause: str) -> EnvironmentSetupError:
    return EnvironmentSetupError(
        f"--ray {address}: no cluster ({cause}); start one with 'ray start --head'"
    )
