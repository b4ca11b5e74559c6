"""Fuzzes a simulator server, which runs in a process of its own.

    python tools/fuzz_server.py --seconds 300 --seed 1

Attackers send garbage, incomplete messages and calls with wrong parameters, do not read answers,
disconnect during calls, and connect by the hundred. A well-behaved client must be served all the
time. The exit code is 1 when the simulator crashed, hung, leaked memory or had an unexpected error.
The seed decides what is sent, but not in which order messages of several clients arrive.
"""

from __future__ import annotations

import argparse
import contextlib
import inspect
import math
import os
import random
import re
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import msgpack

from followme_uav.errors import RpcError
from followme_uav.rpc.session import RpcSession
from followme_uav.sim.airsim_api.dialects import AIRSIM
from followme_uav.sim.airsim_api.methods import handlers_of
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.simulation_runner import SimulationRunner

WORKERS = 4
HANG_S = 10.0
LEAK_MB = 64.0
MAX_END_S = 1.0
CROWD = 200
WARM_UP_SHARE = 0.2
MEMORY_SAMPLES = 8
IMAGE = {"camera_name": "0", "image_type": 0, "pixels_as_float": False, "compress": False}
KEYS = ("x_val", "y_val", "z_val", "w_val", "is_rate", "yaw_or_rate", "position", "orientation")
WORDS = ("", "0", "Drone1", "hero", "person.*", "(", "[a-", "front_center", "2024-06-21 12:00:00")
NUMBERS = (0, 1, -1, 0.5, 5, -5.0, 1e9, -1e300, math.nan, math.inf, -math.inf, 2**63, 2**64 - 1)
LENGTHS = (
    b"\xdd\xff\xff\xff\xff",
    b"\xdf\xff\xff\xff\xff",
    b"\xc6\xff\xff\xff\xff",
    b"\x91" * 1020,
)
TIME_METHODS = ("simContinueForTime", "simContinueForFrames")


class Attacker:
    """Misbehaving clients, one after the other; `counts` has what they sent and received."""

    def __init__(self, port: int, methods: dict[str, int], seed: str) -> None:
        self._port = port
        self._methods = methods
        self._random = random.Random(seed)
        self.counts: Counter[str] = Counter()

    def run(self, until_s: float) -> None:
        """Attack in random ways until a time of `time.monotonic`."""
        attacks = (
            (self.garbage, 3),
            (self.calls, 12),
            (self.damaged_calls, 4),
            (self.endless, 2),
            (self.deaf, 1),
            (self.vanishing, 3),
        )
        while time.monotonic() < until_s:
            kinds, weights = zip(*attacks, strict=True)
            (attack,) = self._random.choices(kinds, weights)
            self.counts[f"clients: {attack.__name__.replace('_', ' ')}"] += 1
            try:
                with socket.create_connection(("127.0.0.1", self._port), HANG_S) as peer:
                    self.counts["connections"] += 1
                    attack(peer)
            except (ConnectionError, BrokenPipeError):
                self.counts["connections closed by the server"] += 1

    def garbage(self, peer: socket.socket) -> None:
        """Random bytes."""
        self._send(peer, self._random.randbytes(self._random.choice((1, 10, 100, 100_000))))
        self._drain(peer)

    def calls(self, peer: socket.socket) -> None:
        """Well-formed calls of random methods with random parameters."""
        for _ in range(self._random.randrange(1, 60)):
            self._send(peer, self._call())
        self._drain(peer)

    def damaged_calls(self, peer: socket.socket) -> None:
        """Calls with some bytes changed."""
        for _ in range(5):
            data = bytearray(self._call())
            for _ in range(self._random.randrange(1, 4)):
                data[self._random.randrange(len(data))] = self._random.randrange(256)
            self._send(peer, bytes(data))
        self._drain(peer)

    def endless(self, peer: socket.socket) -> None:
        """A message that announces a huge length, or that grows without end."""
        self._send(peer, b"\x94\x00\x01\xa4ping" + self._random.choice(LENGTHS))
        row = b"\xdc\x10\x00" + b"\x90" * 4096
        for _ in range(self._random.choice((0, 3, 300))):
            self._send(peer, row)
        self._drain(peer)

    def deaf(self, peer: socket.socket) -> None:
        """Requests for images that are never read."""
        peer.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            for number in range(200):
                self._send(peer, msgpack.packb([0, number, "simGetImages", [[IMAGE], "", False]]))
        time.sleep(0.5)

    def vanishing(self, peer: socket.socket) -> None:
        """Calls of a client that is killed: the connection is reset, not closed."""
        for method, params in (
            ("enableApiControl", [True, ""]),
            ("armDisarm", [True, ""]),
            ("takeoff", [20.0, ""]),
            ("simGetImages", [[IMAGE] * 4, "", False]),
        ):
            self._send(peer, msgpack.packb([0, 1, method, params]))
        self._send(peer, self._call()[:-1])
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def crowd(self) -> None:
        """Many clients at once; each must get an answer."""
        with contextlib.ExitStack() as stack:
            for _ in range(CROWD):
                peer = stack.enter_context(
                    socket.create_connection(("127.0.0.1", self._port), HANG_S)
                )
                self.counts["connections"] += 1
                with contextlib.suppress(ConnectionError, BrokenPipeError):
                    self._send(peer, msgpack.packb([0, 1, "ping", []]))
                    peer.settimeout(HANG_S)
                    self.counts["of a crowd, served"] += bool(peer.recv(100))
                self.counts["of a crowd"] += 1

    def _call(self) -> bytes:
        chance = self._random.random()
        method = self._random.choice(sorted(self._methods))
        arity = self._methods[method]
        if chance < 0.05:
            method = self._random.choice(["fly", "", "x" * 1000, "__init__", "simContinue"])
        elif chance < 0.15:
            arity = self._random.randrange(12)
        params = [self._value() for _ in range(arity)]
        if method in TIME_METHODS:  # an hour of simulation would be valid, and delay all clients
            params = [
                p if not isinstance(p, int | float) else self._random.random() for p in params
            ]
        kind = [0, self._random.choice([0, 1, 2**32 - 1]), method, params]
        return msgpack.packb(kind if self._random.random() < 0.9 else [2, method, params])

    def _value(self, depth: int = 0) -> object:
        pick = self._random.randrange(8 if depth < 3 else 5)
        return (
            lambda: self._random.choice(NUMBERS),
            lambda: self._random.uniform(-10, 10),
            lambda: self._random.choice(WORDS),
            lambda: self._random.choice([True, False, None]),
            lambda: self._random.randbytes(4),
            lambda: [self._value(depth + 1) for _ in range(self._random.randrange(5))],
            lambda: {key: self._value(depth + 1) for key in self._random.sample(KEYS, 3)},
            lambda: self._random.choice(
                [IMAGE, [IMAGE], {"x_val": 1.0, "y_val": 2.0, "z_val": -3.0}]
            ),
        )[pick]()

    def _send(self, peer: socket.socket, data: bytes) -> None:
        peer.sendall(data)
        self.counts["messages"] += 1
        self.counts["bytes"] += len(data)

    def _drain(self, peer: socket.socket) -> None:
        """Count the answers that come within 0.1 s of each other."""
        peer.settimeout(0.1)
        answers = msgpack.Unpacker(max_buffer_size=2**28, strict_map_key=False)
        with contextlib.suppress(TimeoutError):
            while data := peer.recv(2**20):
                answers.feed(data)
                for answer in answers:
                    self.counts["answers"] += 1
                    self.counts["answers that are errors"] += answer[2] is not None
            self.counts["connections closed by the server"] += 1


class Witness:
    """A well-behaved client that reads a state and an image 20 times a second."""

    def __init__(self, port: int) -> None:
        self.latencies_ms: list[float] = []
        self.memory_mb: list[float] = []
        self.failure: str | None = None
        self._session = RpcSession("127.0.0.1", port, deadline_s=HANG_S)
        self._session.connect()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop, and disconnect."""
        self._stopped.set()
        self._thread.join(2 * HANG_S)
        self._session.close()

    def _run(self) -> None:
        while not self._stopped.wait(0.05) and self.failure is None:
            began_s = time.perf_counter()
            try:
                self._session.call("getMultirotorState", "")
                self._session.call("simGetImages", [IMAGE], "", False)
            except RpcError as error:
                self.failure = str(error)
            self.latencies_ms.append(1e3 * (time.perf_counter() - began_s))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(1 if fuzz(args.seconds, args.seed, Path(folder) / "stderr") else 0)


def fuzz(seconds: float, seed: int, stderr: Path) -> list[str]:
    """Fuzz, print the figures, and return the faults found."""
    simulator = SimulationRunner(Simulation(1, 0), paused=True)  # only for the list of methods
    methods = {
        name: len(inspect.signature(handler).parameters)
        for name, handler in handlers_of(simulator, AIRSIM, (), {}).items()
    }
    with stderr.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "followme_uav.sim.server", "--port", "0", "--seed", "1"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    faults = []
    try:
        port = int(re.search(r":(\d+)$", process.stdout.readline().strip())[1])
        attackers = [Attacker(port, methods, f"{seed} {i}") for i in range(WORKERS)]
        quiet = watched(process, port, 5.0, [])
        begin_mb = memory_mb(process)
        warm_up_s = WARM_UP_SHARE * seconds
        watched(process, port, warm_up_s, attackers)
        before_mb = memory_mb(process)
        busy = watched(process, port, seconds - warm_up_s, attackers)
        attackers[0].crowd()
        time.sleep(1.0)
        after_mb = memory_mb(process)
        after = watched(process, port, 5.0, [])
        end_s = interrupted_s(process, port)
    finally:
        process.kill()
    counts = sum((attacker.counts for attacker in attackers), Counter())
    for name in sorted(counts):
        print(f"{name:45} {counts[name]:>12,}")
    for name, witness in (("quiet", quiet), ("under attack", busy), ("afterwards", after)):
        print(f"witness {name:37} {spread(witness.latencies_ms)}")
        if witness.failure:
            faults.append(f"hung or crashed ({name}): {witness.failure}")
    samples = ", ".join(f"{mb:.0f}" for mb in busy.memory_mb)
    print(f"{'memory, MB':45} {begin_mb:.0f} at first, under attack {samples}, then {after_mb:.0f}")
    print(f"{'Ctrl-C to end, 50 clients and a take-off':45} {end_s:.2f} s")
    if after_mb - before_mb > LEAK_MB:
        faults.append(f"leaked: {after_mb - before_mb:.0f} MB more than after the warm-up")
    if counts["of a crowd, served"] < CROWD:
        faults.append(f"of {CROWD} clients at once only {counts['of a crowd, served']} were served")
    if end_s > MAX_END_S or process.returncode != 0:
        faults.append(f"Ctrl-C took {end_s:.2f} s and ended with {process.returncode}")
    errors = stderr.read_text()
    if "Traceback" in errors:
        faults.append("unexpected error:\n" + errors[errors.index("Traceback") :][:3000])
    for fault in faults:
        print(f"FAULT {fault}")
    print("faults:", len(faults))
    return faults


def watched(
    process: subprocess.Popen, port: int, seconds: float, attackers: list[Attacker]
) -> Witness:
    """Run a witness for a duration, under attack or not, and return it."""
    witness = Witness(port)
    until_s = time.monotonic() + seconds
    threads = [threading.Thread(target=a.run, args=(until_s,), daemon=True) for a in attackers]
    for thread in threads:
        thread.start()
    while (left_s := until_s - time.monotonic()) > 0:
        time.sleep(min(left_s, seconds / MEMORY_SAMPLES))
        witness.memory_mb.append(memory_mb(process))
    for thread in threads:
        thread.join(3 * HANG_S)
        if thread.is_alive():
            witness.failure = "an attacker is blocked"
    witness.stop()
    return witness


def interrupted_s(process: subprocess.Popen, port: int) -> float:
    """Time from Ctrl-C to the end of the process, with connected clients and a running task."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(RpcSession("127.0.0.1", port)) for _ in range(50)]
        clients[0].call("simPause", False)
        clients[0].call("enableApiControl", True, "")
        clients[0].call("armDisarm", True, "")
        clients[0].call_async("takeoff", 20.0, "")
        clients[1].call_async("simContinueForTime", 3600.0)
        began_s = time.monotonic()
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(3 * HANG_S)
        return time.monotonic() - began_s


def memory_mb(process: subprocess.Popen) -> float:
    """Resident memory of a process (Linux)."""
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def spread(latencies_ms: list[float]) -> str:
    """Number, median, 99th percentile and maximum, as text."""
    ordered = sorted(latencies_ms) or [math.nan]
    p99 = ordered[int(0.99 * (len(ordered) - 1))]
    return (
        f"{len(latencies_ms):>6} frames, p50 {statistics.median(ordered):.1f} ms, "
        f"p99 {p99:.1f} ms, max {ordered[-1]:.0f} ms"
    )


if __name__ == "__main__":
    main()
