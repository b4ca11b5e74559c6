"""A viewer shows a flight in progress without a change or a delay of the flight."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from followme_uav.log.reader import content_digest
from followme_uav.pilot.pilot import Pilot
from tests import mapless_flight
from tests.made_flight import HOUSE, entries

pytest.importorskip("rerun", reason="the viewer is Rerun, extra [view]")
from followme_uav.view.live import QUEUE_ENTRIES, LiveView

ROOT = Path(__file__).resolve().parents[2]
FLY = ["fly", "--oracle", "--seed", "8", "--duration", "3", "--profile", "embedded-no-map"]


def test_entries_are_dropped_when_the_viewer_is_closed(config):
    """They are not kept: memory is bounded, and the loop does not wait."""
    some = list(entries())
    with LiveView("web", "made up") as live:
        live.begin(config, (HOUSE,))
        live.viewer.close()
        for _ in range(20):
            for entry in some:
                live.show(entry)
        assert live.dropped > 20 * len(some) - 10 * QUEUE_ENTRIES
        live.finish()


def test_no_entry_is_dropped_while_the_viewer_is_open(config):
    with LiveView("web", "made up") as live:
        live.begin(config, ())
        for entry in entries(QUEUE_ENTRIES // 2):
            live.show(entry)
        live.finish()
        assert live.dropped == 0
        assert live.viewer.is_open()


def test_map_of_the_pilot_is_sent_once_a_second(monkeypatch):
    sent = []
    with LiveView("web", "no map") as live:
        monkeypatch.setattr(live, "_put", sent.append)
        pilot = Pilot(mapless_flight.CONFIG, lambda frame: None)
        live.read_maps_of(pilot)
        for entry in mapless_flight.flown()[0]:
            live.show(entry)
    times_s = [entry.frame.time_s for entry, own_map in sent if own_map is not None]
    assert len(sent) == len(mapless_flight.flown()[0])
    assert times_s == pytest.approx(list(range(len(times_s)))) and len(times_s) > 10


def test_killed_flight_leaves_no_process_behind():
    """A process that is left keeps the standard output open, and `communicate` times out."""
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
def test_flight_with_a_viewer_equals_the_flight_without(served, tmp_path):
    """It makes a map of its own, which the viewer reads."""
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
