"""Commands that run until they are interrupted."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def accept_sigint():
    """Undo an ignored SIGINT, which a shell gives to processes in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Served:
    """A command that serves a page, until `interrupt`."""

    def __init__(self, *arguments):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "followme_uav.cli", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            preexec_fn=accept_sigint,
        )
        self.lines = []
        self.page = ""

    def wait_for(self, word):
        for line in self._process.stdout:
            self.lines.append(line)
            found = re.search(r"http://\S+", line)
            self.page = found[0] if found else self.page
            if word in line:
                return
        raise AssertionError(self._process.stderr.read())

    def interrupt(self):
        self._process.send_signal(signal.SIGINT)
        return self.finish()

    def finish(self):
        """Wait for the end: (exit code, standard output, standard error)."""
        out, err = self._process.communicate(timeout=60)
        return self._process.returncode, "".join(self.lines) + out, err

    def kill(self):
        """End it with SIGKILL, as the kernel does when memory runs out."""
        self._process.kill()
        self._process.communicate(timeout=60)

    def stop(self):
        """Interrupt it if it still runs, so that it ends its server too."""
        if self._process.poll() is None:
            self.interrupt()


@pytest.fixture
def served():
    """Starts commands, and stops them after the test."""
    running = []

    def run(*arguments):
        running.append(Served(*arguments))
        return running[-1]

    yield run
    for command in running:
        command.stop()
