"""Processes that work for a command, and end with it however it ends.

Ctrl-C is the command's affair: workers do not get it, not even while they start. When the block of
`worker_pool` ends with an exception they are asked to end (SIGTERM), which ends what they have
started in turn, and after `STOP_S` they are killed. Nothing waits longer than that.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.process import BaseProcess
from threading import Thread
from types import FrameType
from typing import Any, TypeVar

from followme_uav.terminal import prepare_streams

STOP_S = 4.0
"""From SIGTERM to SIGKILL; a worker needs some seconds to end its simulator."""
_POLL_S = 0.05

T = TypeVar("T")


class WorkerPool:
    """Runs functions in other processes; made by `worker_pool`."""

    def __init__(self, executor: ProcessPoolExecutor) -> None:
        self._executor = executor

    def submit(self, work: Callable[..., T], *arguments: Any) -> Future[T]:
        """As `Executor.submit`."""
        with _ctrl_c_held():  # submitting starts processes, which inherit that
            return self._executor.submit(_in_worker, work, *arguments)


@contextmanager
def worker_pool(
    processes: int, initialise: Callable[..., None] | None = None, *arguments: Any
) -> Iterator[WorkerPool]:
    """A pool of new processes.

    Args:
        processes: How many.
        initialise: Called once in each, with the arguments.
        arguments: Of `initialise`.
    """
    resource_tracker.ensure_running()  # starting it later would let Ctrl-C through, see `submit`
    others = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(
        processes,
        multiprocessing.get_context("spawn"),
        initializer=_start,
        initargs=(initialise, arguments),
    )
    try:
        yield WorkerPool(executor)
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        _stop([child for child in multiprocessing.active_children() if child not in others])
        raise
    executor.shutdown()


def _stop(workers: list[BaseProcess]) -> None:
    for worker in workers:
        worker.terminate()
    give_up_s = time.monotonic() + STOP_S
    while any(worker.is_alive() for worker in workers) and time.monotonic() < give_up_s:
        time.sleep(_POLL_S)
    for worker in workers:
        if worker.is_alive():
            worker.kill()
    for worker in workers:
        worker.join(STOP_S)


@contextmanager
def _ctrl_c_held() -> Iterator[None]:
    """Ctrl-C waits until the end of the block; processes started in it do not get it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Ended(BaseException):
    """Raised by SIGTERM in a worker."""


def _start(initialise: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    """The beginning of a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT,))
    prepare_streams()
    Thread(target=_end_with_parent, daemon=True).start()
    if initialise is not None:
        initialise(*arguments)


def _on_term(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise _Ended


def _in_worker(work: Callable[..., T], *arguments: Any) -> T:
    """The work; told to end, the process ends when the work has put its things away."""
    try:
        signal.signal(signal.SIGTERM, _on_term)
        result = work(*arguments)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # nothing is left to put away
        return result
    except _Ended:
        os._exit(1)


def _end_with_parent() -> None:
    """A pool that is killed cannot tell its workers, and they would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        with suppress(Exception):
            parent.join()
        os._exit(1)
