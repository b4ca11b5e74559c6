"""If these fail, watching a flight disturbs it, or shows nothing of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from followme_uav.log.reader import content_digest
from tests.made_flight import HOUSE, entries

pytest.importorskip("rerun", reason="the viewer is Rerun, extra [view]")
from followme_uav.view.live import QUEUE_ENTRIES, LiveView

ROOT = Path(__file__).resolve().parents[2]
FLY = ["fly", "--oracle", "--seed", "8", "--duration", "3"]


def test_a_closed_viewer_holds_nothing_up(config):
    """Entries are left out rather than kept: memory has a bound, and the loop does not wait."""
    some = list(entries())
    with LiveView("web", "made up") as live:
        live.begin(config, (HOUSE,))
        live.viewer.close()
        for _ in range(20):
            for entry in some:
                live.show(entry)
        assert live.left_out > 20 * len(some) - 10 * QUEUE_ENTRIES
        live.finish()


def test_nothing_is_left_out_while_somebody_looks(config):
    with LiveView("web", "made up") as live:
        live.begin(config, ())
        for entry in entries(QUEUE_ENTRIES // 2):
            live.show(entry)
        live.finish()
        assert live.left_out == 0
        assert live.viewer.is_open()


def test_a_killed_flight_leaves_nobody_waiting():
    """Whoever lives on holds the output open."""
    script = """
import time
from followme_uav.view.live import LiveView
with LiveView("web", "made up"):
    print("watched", flush=True)
    time.sleep(600)
"""
    flight = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert flight.stdout.readline() == "watched\n"
    flight.kill()
    flight.communicate(timeout=30)


@pytest.mark.slow
def test_a_watched_flight_is_the_one_nobody_watched(served, tmp_path):
    command = served(*FLY, "--log", tmp_path / "watched.mcap", "--web")
    command.wait_for("until Ctrl-C")
    code, out, err = command.interrupt()
    assert code in (0, 1), err
    assert "watch at http://127.0.0.1:" in out
    done = subprocess.run(
        [sys.executable, "-m", "followme_uav.cli", *FLY, "--log", str(tmp_path / "alone.mcap")],
        capture_output=True,
        timeout=200,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == code
    assert content_digest(tmp_path / "watched.mcap") == content_digest(tmp_path / "alone.mcap")
