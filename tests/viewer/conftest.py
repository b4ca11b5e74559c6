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
    """A command that serves a page, until `interrupt`; `page_on` prints its address."""

    def __init__(self, *arguments, module="followme_uav.cli", page_on="stdout"):
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            preexec_fn=accept_sigint,
        )
        self._lines_from = getattr(self._process, page_on)
        self.lines = []
        self.page = ""

    def wait_for(self, word):
        for line in self._lines_from:
            self.lines.append(line)
            found = re.search(r"http://\S+", line)
            self.page = found[0] if found else self.page
            if word in line:
                return
        raise AssertionError("".join(self.lines) + self._process.stderr.read())

    def interrupt(self):
        self._process.send_signal(signal.SIGINT)
        return self.finish()

    def finish(self):
        """Wait for the end: (exit code, standard output, standard error)."""
        out, err = self._process.communicate(timeout=60)
        read = "".join(self.lines)
        if self._lines_from is self._process.stderr:
            return self._process.returncode, out, read + err
        return self._process.returncode, read + out, err

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

    def run(*arguments, **options):
        running.append(Served(*arguments, **options))
        return running[-1]

    yield run
    for command in running:
        command.stop()
