"""If these fail, Ctrl-C prints tracebacks of workers, or leaves a worker behind."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from followme_uav.workers import _interrupts_delayed

INTERRUPTED = """
import os, signal, sys, threading, time
from followme_uav.workers import _interrupts_delayed

def end_command(number, frame):  # the handler of a command, see `interrupts`
    raise KeyboardInterrupt

number, end, has_started = int(sys.argv[1]), threading.Event(), False
# Takes signals that the main thread blocks, as those of libraries do.
threading.Thread(target=end.wait, daemon=True).start()
signal.signal(number, end_command)
try:
    with _interrupts_delayed():
        os.kill(os.getpid(), number)
        time.sleep(0.2)
        has_started = True
except KeyboardInterrupt:
    assert has_started
    assert signal.getsignal(number) is end_command
    print("delayed")
"""

FAILED = """
import time
from followme_uav.workers import worker_pool

def fail():
    raise ValueError("no work")

if __name__ == "__main__":
    try:
        with worker_pool(1) as pool:
            print(pool.submit(fail).exception())
            time.sleep(0.3)  # the worker waits for work again
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        print("ended")
"""


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
def test_ctrl_c_and_sigterm_wait_until_a_worker_has_been_started(number):
    """In a process of its own: in this one a thread of any library might take the signal."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(int(number))],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("delayed\n", "")


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


def test_worker_whose_work_has_failed_ends_without_a_traceback(tmp_path):
    script = tmp_path / "failed.py"  # workers import the main module
    script.write_text(FAILED)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("no work\nended\n", "")
