"""Runs a fake server in a process of its own.

The tests also run on the legacy backend, whose environment has a msgpack that is too old for the
server: FOLLOWME_PEER_PYTHON names the Python that runs the server.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
BACKEND = os.environ.get("FOLLOWME_RPC_BACKEND", "builtin")


@contextmanager
def serving(script: str, *arguments: str) -> Iterator[tuple[str, int]]:
    """Start `fake/SCRIPT`, yield its (host, port), and end it."""
    process = subprocess.Popen(
        [
            os.environ.get("FOLLOWME_PEER_PYTHON", sys.executable),
            str(HERE / script),
            *arguments,
        ],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,  # the server ends when this closes, however the test ends
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        assert line, f"{script} ended with {process.wait(10)} before it listened"
        host, port = line.split()
        yield host, int(port)
    finally:
        process.kill()
        process.communicate()
