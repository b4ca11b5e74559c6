"""Kills flights at random moments and replays what their logs hold.

    python -m tests.killed_flights --flights 100

Each flight is a process that flies in the toy world in real time and logs at 10 Hz. The processes
are forked from one that has imported everything, so that a hundred take some seconds.
"""

import argparse
import json
import mmap
import os
import random
import signal
import struct
import tempfile
import time
from pathlib import Path

from followme_uav.config import load_config
from followme_uav.log.reader import read_log
from followme_uav.replay.setup import ReplaySetup, compare_log
from tests.toy_flight import FRAME_S, fly_toy

AT_ONCE = 20
LONGEST_S = 4.0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--flights", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    draw = random.Random(args.seed)
    durations_s = [draw.uniform(0.05, LONGEST_S) for _ in range(args.flights)]
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for start in range(0, len(durations_s), AT_ONCE):
            results += fly_and_kill(Path(folder), durations_s[start : start + AT_ONCE])
    missing_s = sorted(result["missing_s"] for result in results)
    summary = {
        "flights": len(results),
        "frames": sum(result["frames"] for result in results),
        "not_identical": sum(not result["identical"] for result in results),
        "missing_s_median": missing_s[len(missing_s) // 2],
        "missing_s_most": missing_s[-1],
    }
    print(json.dumps(summary))


def fly_and_kill(folder, durations_s):
    """Fly at the same time; kill flight n `durations_s[n]` seconds after its first frame."""
    flights = []
    for number, duration_s in enumerate(durations_s):
        flown = mmap.mmap(-1, 16)  # shared with the process: start time, number of frames logged
        path = folder / f"{number}-{duration_s:.6f}.mcap"
        flights.append((start(path, flown), path, flown, duration_s))
    while not all(struct.unpack("d", flown[:8])[0] for _, _, flown, _ in flights):
        time.sleep(0.01)
    results = []
    for process, path, flown, duration_s in sorted(flights, key=lambda flight: flight[3]):
        begun_s = struct.unpack("d", flown[:8])[0]
        time.sleep(max(0.0, begun_s + duration_s - time.monotonic()))
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        results.append((path, struct.unpack("q", flown[8:])[0]))
    return [check(path, flown) for path, flown in results]


def start(path, flown):
    process = os.fork()
    if process:
        return process
    try:

        def count(frames):
            if frames == 1:
                flown[:8] = struct.pack("d", time.monotonic())
            flown[8:] = struct.pack("q", frames)

        fly_toy(load_config(), path, 60.0, in_real_time=True, on_frame=count)
    finally:
        os._exit(1)


def check(path, flown):
    """Read and replay a log; raises when it cannot be read."""
    log = read_log(path)
    found = compare_log(log, ReplaySetup(log.metadata.config))
    assert log.truncated
    return {
        "frames": found.frames,
        "identical": found.is_identical,
        "missing_s": round((flown - found.frames) * FRAME_S, 3),
    }


if __name__ == "__main__":
    main()
