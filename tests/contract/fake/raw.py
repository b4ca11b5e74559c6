"""A TCP peer that replies with fixed bytes, for replies that no MessagePack-RPC server sends."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def raw_peer(answer: bytes | None) -> Iterator[tuple[str, int]]:
    """Yield (host, port). With `answer` None the peer accepts and then never reads."""
    ended = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            if answer is not None:
                connection.recv(65536)
                connection.sendall(answer)
            ended.wait(30)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()
    finally:
        ended.set()
        listener.close()
        thread.join(5)
