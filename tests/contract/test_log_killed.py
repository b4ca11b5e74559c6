"""The log of a flight that is killed, or that runs out of disk space, is kept."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from followme_uav.config import changed, load_config
from followme_uav.errors import LogError
from followme_uav.log.reader import read_log
from followme_uav.log.writer import FlightLogWriter
from tests.conftest import NO_BYTE_CODE, make_entry

ROOT = Path(__file__).parents[2]

WRITE_UNTIL_STOPPED = """
import resource, signal, sys, time
import numpy as np
from followme_uav.config import load_config
from followme_uav.errors import LogError
from followme_uav.log.writer import FlightLogWriter
from tests.conftest import hero_mask, make_entry

path, limit_bytes, with_images = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "images"
pause_s = float(sys.argv[4])
if limit_bytes:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
image = np.random.default_rng(0).integers(0, 256, (160, 160, 3), np.uint8)
log = FlightLogWriter(path, load_config(), "")
for index in range(100_000):
    entry = make_entry(index)
    if with_images:
        entry = make_entry(index, rgb=image, mask=image, truth_mask=hero_mask(None))
    try:
        log.write(entry)
    except LogError as error:
        sys.exit(str(error))
    print(index, flush=True)
    time.sleep(pause_s)
"""


def start_writer(path, limit_bytes=0, images="images", pause_s=0.0):
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            WRITE_UNTIL_STOPPED,
            str(path),
            str(limit_bytes),
            images,
            str(pause_s),
        ],
        cwd=ROOT,
        env={**os.environ, **NO_BYTE_CODE},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(("frames", "images"), [(1, "images"), (7, "blind"), (40, "images")])
def test_killed_flight_loses_less_than_a_second(tmp_path, frames, images):
    """Otherwise flights that end in a crash of the program would have no log."""
    path = tmp_path / "flight.mcap"
    writer = start_writer(path, images=images, pause_s=0.02)
    written = -1
    try:
        for line in writer.stdout:
            written = int(line)
            if written >= frames:
                break
    finally:
        os.kill(writer.pid, signal.SIGKILL)
        rest = writer.communicate(timeout=60)[0].split()
    written = int(rest[-1]) if rest else written
    log = read_log(path)
    read = [entry.frame.index for entry in log.entries()]
    assert log.truncated
    assert read == list(range(len(read)))
    assert written + 1 - len(read) <= 10, "frames at 10 Hz"


def test_full_disk_mid_flight_keeps_what_was_logged(tmp_path):
    """Otherwise a full disk would destroy the log of the whole flight."""
    path = tmp_path / "flight.mcap"
    writer = start_writer(path, limit_bytes=2_000_000)
    output, errors = writer.communicate(timeout=60)
    assert writer.returncode == 1
    assert errors.count("\n") == 1
    written = int(re.search(r"cannot write the flight log after (\d+) entries", errors)[1])
    log = read_log(path)
    assert log.truncated
    assert written - 10 <= len(list(log.entries())) <= written
    assert written > 5
    assert len(output.split()) - written <= 10, "the flight continues for less than a second"


def test_log_can_be_read_while_it_is_written(tmp_path):
    """Otherwise the log of a flight in progress could not be viewed."""
    path = tmp_path / "flight.mcap"
    writer = start_writer(path, pause_s=0.02)
    try:
        while int(writer.stdout.readline()) < 15:
            pass
        entries = list(read_log(path).entries())
    finally:
        writer.kill()
        writer.communicate(timeout=60)
    assert len(entries) >= 5
    assert np.array_equal(entries[0].frame.rgb, entries[4].frame.rgb)


def test_flights_killed_at_random_moments_replay_identically_up_to_the_cut():
    """Otherwise the seconds before the end, which explain it, would be lost or wrong."""
    result = subprocess.run(
        [sys.executable, "-m", "tests.killed_flights", "--flights", "20", "--seed", "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    found = json.loads(result.stdout)
    assert found["frames"] > 200
    assert found["not_identical"] == 0
    assert found["missing_s_most"] <= 1.0


def test_written_entries_are_synced_to_disk_without_further_entries(tmp_path, monkeypatch):
    """Otherwise a power cut would lose more than the last second."""
    synced = threading.Event()
    monkeypatch.setattr("followme_uav.log.mcap_file._sync", lambda _: synced.set())
    config = changed(load_config(), None, ["log.sync_s=0.05"])
    with FlightLogWriter(tmp_path / "flight.mcap", config, "") as log:
        log.write(make_entry(0))
        assert synced.wait(30.0)


def test_disk_that_fails_to_sync_ends_the_log_with_its_error(tmp_path, monkeypatch):
    """Otherwise a flight would continue without a log on disk."""

    def fail(_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("followme_uav.log.mcap_file._sync", fail)
    config = changed(load_config(), None, ["log.sync_s=0.05", "log.chunk_s=0"])
    with (
        pytest.raises(LogError, match="Input/output error"),
        FlightLogWriter(tmp_path / "flight.mcap", config, "") as log,
    ):
        for index in range(1000):
            log.write(make_entry(index))
            time.sleep(0.01)
