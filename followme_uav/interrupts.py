"""Handles Ctrl-C and SIGTERM: the first ends the command within seconds, more are ignored.

The first Ctrl-C raises `KeyboardInterrupt`, so that the command stops its processes and closes its
files. An exception of a second one would interrupt that and leave processes behind. A thread ends
the process when it has not ended after `DEADLINE_S`; its child processes detect that and end too.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

EXIT_CODE = 130
DEADLINE_S = 8.0
"""From the first Ctrl-C to the end of the process."""


class Interrupts:
    """Handler of SIGINT and SIGTERM for a command on the main thread.

    Attributes:
        is_ending: Ctrl-C was pressed, or SIGTERM sent, to end the command.
    """

    def __init__(self) -> None:
        self.is_ending = False
        self._is_over = False

    def install(self) -> None:
        """Handle both from now on, unless the process was started to ignore them.

        A shell starts jobs in the background so that they ignore Ctrl-C; SIGTERM ends those.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:
                with suppress(ValueError):  # not the main thread, which alone handles signals
                    signal.signal(number, self)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """End the command."""
        if self._is_over:
            # Nothing is left to interrupt, unless the command was called by a program that goes on.
            if threading.main_thread().is_alive():
                raise KeyboardInterrupt
        elif not self.is_ending:
            self.end()
            raise KeyboardInterrupt

    def end(self) -> None:
        """Ignore Ctrl-C from now on, and end the process after `DEADLINE_S`."""
        if not self.is_ending:
            self.is_ending = True
            threading.Thread(target=self._end_by_force, name="end of process", daemon=True).start()

    def over(self) -> None:
        """The command has returned; only the end of the process follows."""
        self._is_over = True
        if self.is_ending:
            _ignore()
        else:
            atexit.register(_ignore)

    def _end_by_force(self) -> None:
        time.sleep(DEADLINE_S)
        if self._is_over and threading.main_thread().is_alive():
            return  # the program that called the command goes on
        with suppress(Exception):
            print("followme-uav: ended by force", file=sys.stderr, flush=True)
        os._exit(EXIT_CODE)


@contextmanager
def first_ctrl_c_requests(
    end: Callable[[], None], is_requested: Callable[[], bool]
) -> Iterator[None]:
    """The first Ctrl-C requests the end, the second interrupts.

    An exception in a signal handler can end in any function, even silently, or in the middle of an
    entry of a log. A second Ctrl-C means that the work does not react, as in a pilot that hangs.

    Args:
        end: Requests the end.
        is_requested: Whether the end has been requested.
    """
    before = signal.getsignal(signal.SIGINT)

    def on_signal(number: int, frame: FrameType | None) -> None:
        if is_requested():
            raise KeyboardInterrupt
        end()

    try:
        signal.signal(signal.SIGINT, on_signal)
    except ValueError:  # not the main thread, which alone handles signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _ignore() -> None:
    """Ignore SIGINT: Python restores the system's handler at exit, which would kill the process."""
    with suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
