"""Measures the embedded simulator: drawing, start, memory, physics, RPC, and a peer's drawing.

    python tools/bench_simulator.py            # also part of `make bench`

Each renderer draws in a process of its own; the processes take turns.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from followme_uav.flight.embedded import EmbeddedSimulator
from followme_uav.rpc.session import RpcSession
from followme_uav.sim.simulation import Simulation

TOOLS = Path(__file__).resolve().parent
ROUNDS = 3
STARTS = 5
STEPS_PER_S = 200
DRAWINGS = {
    "colour, mask and depth, 160x160": ("--size", "160"),
    "colour, mask and depth, 256x256": ("--size", "256"),
    "colour alone, 160x160": ("--size", "160", "--planes", "rgb"),
}
PEER = "pybullet's TinyRenderer, 160x160"


def simulator_figures() -> dict[str, dict[str, float]]:
    """All figures of the simulator."""
    return {"drawing": drawing_figures(), "process": process_figures(), "time": time_figures()}


def drawing_figures() -> dict[str, dict[str, float]]:
    """Median and minimum milliseconds per image, of the scene and of the peer."""
    times: dict[str, list[float]] = {name: [] for name in (*DRAWINGS, PEER)}
    peer = peer_python()
    with tempfile.TemporaryDirectory() as folder:
        scene = Path(folder) / "scene.json"
        draw = (sys.executable, TOOLS / "bench_drawing.py")
        subprocess.run([*draw, "--write-scene", scene], check=True)
        for _ in range(ROUNDS):
            for name, options in DRAWINGS.items():
                times[name] += measured([*draw, *options])
            if peer:
                times[PEER] += measured([peer, TOOLS / "bench_peer.py", scene])
    return {
        name: {"median": statistics.median(ms), "least": min(ms)}
        for name, ms in times.items()
        if ms
    }


def peer_python() -> str | None:
    """Python of the peer's environment; None where the environment cannot be made."""
    made = subprocess.run([TOOLS / "peer_env.sh"], capture_output=True, text=True)
    if made.returncode == 0:
        return made.stdout.strip()
    print(f"no peer to compare with: {made.stderr.strip().splitlines()[-1]}", file=sys.stderr)
    return None


def measured(command: list) -> list[float]:
    """Milliseconds from the last line that a child process prints."""
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def process_figures() -> dict[str, float]:
    """Start-up time and memory of the server, and the cost of the RPC of an image."""
    starts_s, rpc_ms = [], []
    for _ in range(STARTS):
        began_s = time.perf_counter()
        with EmbeddedSimulator(1, "--paused", "--image-size", "160x160") as simulator:
            starts_s.append(time.perf_counter() - began_s)
            with RpcSession(simulator.host, simulator.port) as session:
                request = [{"camera_name": "0", "image_type": 0, "pixels_as_float": False}]
                request[0]["compress"] = False
                for _ in range(5):
                    session.call("simContinueForTime", 0.1)
                    for _ in range(20):  # only the first one of an instant is drawn
                        asked_s = time.perf_counter()
                        session.call("simGetImages", request, "", False)
                        rpc_ms.append(1e3 * (time.perf_counter() - asked_s))
            memory_mb = simulator.memory_mb()
    return {
        "start to 'listening', s": statistics.median(starts_s),
        "memory, MB": memory_mb,
        "simGetImages 160x160, beyond drawing, ms": statistics.median(rpc_ms),
    }


def time_figures() -> dict[str, float]:
    """Simulated seconds per second without drawing, with a hovering vehicle."""
    busy = speed(Simulation(1))
    return {
        "physics and autopilot alone, x real time": speed(Simulation(1, 0, cars=0)),
        "with 31 people and 8 cars, x real time": busy,
        "advance 0.1 s, ms": 100.0 / busy,
    }


def speed(world: Simulation) -> float:
    world.place_vehicle((0.0, 0.0, -5.0), 0.0)
    times_s = []
    for _ in range(25):
        began_s = time.perf_counter()
        world.step(STEPS_PER_S)
        times_s.append(time.perf_counter() - began_s)
    return 1.0 / statistics.median(times_s[5:])


def show_simulator(console: Console, figures: dict[str, dict[str, float]]) -> None:
    drawing = figures["drawing"]
    table = Table("drawing", "frames/s", "ms, median", "ms, minimum", title="Simulator")
    for name, ms in drawing.items():
        table.add_row(
            name, f"{1e3 / ms['median']:.0f}", f"{ms['median']:.2f}", f"{ms['least']:.2f}"
        )
    console.print(table)
    if PEER in drawing:
        ours = drawing[next(iter(DRAWINGS))]["median"]
        console.print(f"{drawing[PEER]['median'] / ours:.1f} times as fast as {PEER}")
    table = Table("process and physics", "")
    for name, value in {**figures["process"], **figures["time"]}.items():
        table.add_row(name, f"{value:.2f}")
    console.print(table)


if __name__ == "__main__":
    show_simulator(Console(), simulator_figures())
