"""A run of scenarios that is killed leaves no worker process behind."""

import os
import subprocess
import sys
import time
from pathlib import Path

DEADLINE_S = 30.0

RUN = """
import os, time
from followme_uav.scenario.execution.runner import _pool

if __name__ == "__main__":
    with _pool(1, 1) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(600)
"""


def test_worker_of_a_killed_run_ends(tmp_path):
    """Otherwise it would occupy a processor core and half a gigabyte of memory."""
    script = tmp_path / "run.py"
    script.write_text(RUN)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as run:
        worker = int(run.stdout.readline())
        run.kill()
    end_s = time.monotonic() + DEADLINE_S
    while is_alive(worker):
        assert time.monotonic() < end_s, "the worker is still running"
        time.sleep(0.1)


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state != "Z"
