"""If these fail, Ctrl-C prints tracebacks of workers, or leaves a worker behind."""

import os
import signal
import threading
import time

import pytest

from followme_uav.workers import _interrupts_delayed


def end_command(number, frame):
    """The handler of a command, see `interrupts`."""
    raise KeyboardInterrupt


@pytest.fixture
def another_thread():
    """Takes signals that the main thread blocks, as those of libraries do."""
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    yield
    end.set()
    thread.join()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_wait_until_a_worker_has_been_started(another_thread, number):
    before = signal.signal(number, end_command)
    has_started = False
    try:
        with pytest.raises(KeyboardInterrupt), _interrupts_delayed():
            os.kill(os.getpid(), number)
            while number in signal.sigpending():  # the other thread is late on a busy machine
                time.sleep(0.001)
            time.sleep(0.05)
            has_started = True
        assert has_started
        assert signal.getsignal(number) is end_command
    finally:
        signal.signal(number, before)


def test_process_that_ignores_ctrl_c_goes_on_ignoring_it(another_thread):
    """As a job that a shell has started in the background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with _interrupts_delayed():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_interrupts_are_delayed_on_other_threads_without_handlers_of_their_own():
    """Python lets the main thread alone handle signals."""
    errors = []

    def start():
        try:
            with _interrupts_delayed():
                pass
        except ValueError as error:
            errors.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert errors == []
