"""Two cores for one flight: reads, or computes, ahead of who works on it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar, cast

Item = TypeVar("Item")

_BATCH = 4
"""Items that travel together."""
_PIPE_BYTES = 1 << 20
"""A few batches of masks: who reads then need not wait for who works, nor the other way round."""


def ahead(read: Callable[[], Iterable[Item]]) -> Iterator[Item]:
    """The items of `read()`, which runs in a process of its own from now on, some batches ahead.

    What it raises is raised here, in its place. Where processes cannot be forked safely (another
    system, other threads, a single processor) it simply runs here.
    """
    if (
        "fork" not in multiprocessing.get_all_start_methods()
        or threading.active_count() > 1
        or (os.cpu_count() or 1) < 2
    ):
        return iter(read())
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    _widen(sender)
    process = context.Process(target=_send_all, args=(read, sender), daemon=True)
    process.start()
    sender.close()
    return _receive_all(receiver, process)


def one_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The items, each of them made in a thread while the one before it is worked on.

    For what a library computes without holding Python up.
    """
    end = object()
    with ThreadPoolExecutor(1) as thread:
        coming: Future[Item | object] = thread.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, items, end)
            yield cast(Item, item)


def _widen(pipe: Connection) -> None:
    """As far as the system lets us; a narrow one is slower, that is all."""
    import fcntl  # there is none where processes cannot be forked

    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _receive_all(receiver: Connection, process: BaseProcess) -> Iterator[Any]:
    try:
        while (message := receiver.recv()) is not None:
            if isinstance(message, Exception):
                raise message
            yield from message
    except EOFError:
        raise RuntimeError("the process that reads ahead is gone") from None
    finally:
        process.kill()  # before its pipe is gone, about which it would complain
        process.join()
        receiver.close()


def _send_all(read: Callable[[], Iterable[Item]], sender: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who waits
    batch: list[Item] = []
    try:
        for item in read():
            batch.append(item)
            if len(batch) == _BATCH:
                sender.send(batch)
                batch = []
    except Exception as error:
        sender.send(batch)
        sender.send(error)
        return
    sender.send(batch)
    sender.send(None)
