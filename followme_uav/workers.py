"""Worker processes of a command, which end with the command, however it ends.

Ctrl-C is handled by the command alone: workers do not receive it, not even while they start. When
the block of `worker_pool` ends with an exception, workers get SIGTERM, on which they end their own
child processes, and SIGKILL after `STOP_S`. A process that dies costs its own work only: its future
gets a `BrokenProcessPool`, and another process takes its place.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.process import BaseProcess
from threading import Lock, Thread
from types import FrameType, MappingProxyType
from typing import Any, TypeVar

from followme_uav.program_log import set_up_child
from followme_uav.terminal import prepare_streams

logger = logging.getLogger(__name__)

STOP_S = 4.0
"""From SIGTERM to SIGKILL; a worker needs up to some seconds to end its simulator."""
_POLL_S = 0.05

T = TypeVar("T")


class WorkerPool:
    """Runs functions in worker processes; made by `worker_pool`.

    Each process has an executor of its own: an executor ends all its processes when one dies.

    Args:
        processes: Their number; each starts with its first work.
        make: Makes an executor of one process.
        environment: Variables of the processes, from their start on.
    """

    def __init__(
        self,
        processes: int,
        make: Callable[[], ProcessPoolExecutor],
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._make, self._environment = make, environment
        self._executors: list[ProcessPoolExecutor | None] = [None] * processes
        self._loads = [0] * processes
        self._lock = Lock()

    def submit(self, work: Callable[..., T], *arguments: Any) -> Future[T]:
        """Run a function in the process with the least work, as `Executor.submit` does."""
        with self._lock:
            place = self._loads.index(min(self._loads))
            self._loads[place] += 1

        def release(done: Future[T]) -> None:
            with self._lock:
                self._loads[place] -= 1

        # Submitting starts processes, which inherit the block and the variables.
        with _interrupts_delayed(), _with_variables(self._environment):
            try:
                future = self._executor(place).submit(_in_worker, work, *arguments)
            except BrokenProcessPool:
                logger.info("A worker process has died; another one takes its place.")
                self._executors[place] = None
                future = self._executor(place).submit(_in_worker, work, *arguments)
        future.add_done_callback(release)
        return future

    def shutdown(self, *, wait: bool = True) -> None:
        """End the processes, after their work or, without `wait`, without new work."""
        executors = [executor for executor in self._executors if executor is not None]
        for executor in executors:
            executor.shutdown(wait=False, cancel_futures=not wait)
        for executor in executors if wait else ():
            executor.shutdown()

    def _executor(self, place: int) -> ProcessPoolExecutor:
        executor = self._executors[place] or self._make()
        self._executors[place] = executor
        return executor


@contextmanager
def worker_pool(
    processes: int,
    initialise: Callable[..., None] | None = None,
    *arguments: Any,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[WorkerPool]:
    """Start a pool of processes.

    Args:
        processes: Their number.
        initialise: Called once in each process, with the arguments.
        arguments: Of `initialise`.
        environment: Variables of the processes. `initialise` comes too late for those that a
            library reads while it is imported.
    """
    resource_tracker.ensure_running()  # started later, it would unblock Ctrl-C in `submit`
    others = set(multiprocessing.active_children())

    def make() -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            1,
            multiprocessing.get_context("spawn"),
            initializer=_start,
            initargs=(initialise, arguments),
        )

    logger.debug("A pool of %d worker processes starts.", processes)
    pool = WorkerPool(processes, make, environment)
    try:
        yield pool
    except BaseException as error:
        logger.debug("The pool of worker processes ends: %s.", type(error).__name__)
        pool.shutdown(wait=False)
        _stop([child for child in multiprocessing.active_children() if child not in others])
        raise
    pool.shutdown()


def _stop(workers: list[BaseProcess]) -> None:
    for worker in workers:
        worker.terminate()
    deadline_s = time.monotonic() + STOP_S
    while any(worker.is_alive() for worker in workers) and time.monotonic() < deadline_s:
        time.sleep(_POLL_S)
    for worker in workers:
        if worker.is_alive():
            logger.warning(
                "Worker process %s has not ended within %g s and is killed.", worker.pid, STOP_S
            )
            worker.kill()
    for worker in workers:
        worker.join(STOP_S)


@contextmanager
def _interrupts_delayed() -> Iterator[None]:
    """Delay Ctrl-C and SIGTERM until the end of the block.

    Processes started in it do not receive Ctrl-C. The mask alone delays nothing: another thread
    takes the signal, and Python runs its handler on the main thread. An exception there would cut
    the start of a process short; that process would print a traceback, and nobody would stop it.
    """
    received: list[int] = []
    handlers: dict[signal.Signals, Any] = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        handler = signal.getsignal(number)
        if callable(handler):
            with suppress(ValueError):  # not the main thread, which alone handles signals
                signal.signal(number, lambda number, frame: received.append(number))
                handlers[number] = handler
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for late in received:
            signal.raise_signal(late)


@contextmanager
def _with_variables(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables of the environment until the end of the block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class _Terminated(BaseException):
    """SIGTERM was received in a worker."""


def _start(initialise: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    """Initialise a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT,))
    prepare_streams()
    set_up_child("worker")
    Thread(target=_end_with_parent, daemon=True).start()
    if initialise is not None:
        initialise(*arguments)


def _on_term(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise _Terminated


def _in_worker(work: Callable[..., T], *arguments: Any) -> T:
    """Run the work; on SIGTERM the process ends after the work's clean-up."""
    try:
        signal.signal(signal.SIGTERM, _on_term)
        try:
            return work(*arguments)
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)  # no clean-up is left, after an error too
    except _Terminated:
        os._exit(1)


def _end_with_parent() -> None:
    """End with the parent: a killed parent cannot stop its workers, which would wait for work."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        with suppress(Exception):
            parent.join()
        os._exit(1)
