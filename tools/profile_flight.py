"""Print where the processor time of a random flight goes, in both processes.

    python tools/profile_flight.py --seed 9001 --duration 60

Each line is the processor time of one thread in some functions, without that of the functions in
other lines; the lines add up to the total. Waiting takes no processor time and has no line. The
clocks add about 2 %.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

SIMULATOR = "--simulator-process"
REST = "rest of the main thread"
_times: Counter[str] = Counter()
_local = threading.local()


def clock(owner: Any, name: str, label: str) -> None:
    """Count the processor time of a function under a label."""
    function: Callable[..., Any] = getattr(owner, name)

    def clocked(*args: Any, **kwargs: Any) -> Any:
        stack = _local.__dict__.setdefault("stack", [])
        begin_s = time.thread_time()
        if stack:
            _times[stack[-1][0]] += begin_s - stack[-1][1]
        stack.append([label, begin_s])
        try:
            return function(*args, **kwargs)
        finally:
            end_s = time.thread_time()
            _times[label] += end_s - stack.pop()[1]
            if stack:
                stack[-1][1] = end_s

    setattr(owner, name, clocked)


def thread_times() -> dict[str, float]:
    """Processor time of each thread in seconds, by its name; that of pixels is llvmpipe."""
    names = {thread.native_id: thread.name for thread in threading.enumerate()}
    times: Counter[str] = Counter()
    for task in Path("/proc/self/task").iterdir():
        name = names.get(int(task.name)) or (task / "comm").read_text().strip()
        name = "RPC reader" if name.startswith("rpc 127") else name
        times[name] += int((task / "schedstat").read_text().split()[0]) / 1e9
    return times


class Loop:
    """Processor time between `begin` and `end`: by label on the main thread, else by thread."""

    def begin(self) -> None:
        """Start to count; what came before is the start."""
        self.start_s, self._threads = time.process_time(), thread_times()
        _times.clear()

    def end(self) -> dict[str, float]:
        """Return the seconds of each line."""
        threads = {k: v - self._threads.get(k, 0.0) for k, v in thread_times().items()}
        main_s = threads.pop("MainThread")
        lines = {"start": self.start_s, **_times, **threads}
        lines[REST] = main_s - sum(_times.values())
        return lines


def simulator_process(arguments: list[str]) -> None:
    """Run the simulator with clocks; write the seconds when it ends."""
    from followme_uav.sim import server
    from followme_uav.sim.airsim_api import image_methods
    from followme_uav.sim.rendering.scene import Scene
    from followme_uav.sim.rendering.scene_people import DrawnPeople
    from followme_uav.sim.rendering.view_buffer import ViewBuffer
    from followme_uav.sim.simulation import Simulation
    from followme_uav.sim.simulation_runner import SimulationRunner
    from followme_uav.sim.vehicle.physics_world import PhysicsWorld

    clock(Simulation, "step", "vehicle and autopilot")
    clock(Simulation, "_move_movers", "people and cars")
    clock(PhysicsWorld, "step", "MuJoCo")
    clock(Scene, "render", "drawing: place objects")
    clock(ViewBuffer, "render", "drawing: Panda3D, vertices, read back")
    clock(DrawnPeople, "_add_figure", "drawing: figures, made at first sight")
    clock(image_methods.images, "image_response", "encode images")
    clock(Simulation, "clearance_m", "ground truth: clearance")
    clock(SimulationRunner, "_serve", "jobs and their hand-over")
    loop, run = Loop(), SimulationRunner.run

    def timed_run(runner: SimulationRunner) -> None:
        loop.begin()
        run(runner)
        # Here, because the thread of the RPC server ends next.
        Path(os.environ["PROFILE_FILE"]).write_text(json.dumps(loop.end()))

    SimulationRunner.run = timed_run
    server.leave(server.main(arguments))


def profile(seed: int, duration_s: float, log: Path | None) -> None:
    """Fly, and print the table."""
    from followme_uav.flight import mask_sources
    from followme_uav.flight.embedded import EmbeddedSimulator
    from followme_uav.flight.fly import FlightPlan, fly
    from followme_uav.flight.loop import FlightLoop
    from followme_uav.flight.recorder import FlightRecorder
    from followme_uav.perception.openvino_runtime import OpenVinoRunner
    from followme_uav.pilot.pilot import Pilot
    from followme_uav.rpc.airsim import AirSimClient
    from followme_uav.scenario.execution.fault_injector import fault_injector_for
    from followme_uav.scenario.script.draws import draw_scenario

    clock(FlightLoop, "_as_logged", "log: JPEG and back")
    clock(mask_sources, "rounded_mask", "log: round the mask")
    clock(FlightRecorder, "record", "metrics")
    clock(Pilot, "step", "pilot")
    clock(OpenVinoRunner, "infer", "network")
    for name in ("read_frame", "ground_truth", "send", "begin_advance", "end_advance"):
        clock(AirSimClient, name, "RPC client")
    loop, run, lines = Loop(), FlightLoop.run, dict[str, float]()

    def timed_run(flight: FlightLoop) -> Any:
        loop.begin()
        try:
            return run(flight)
        finally:
            lines.update(loop.end())

    FlightLoop.run = timed_run
    launch = EmbeddedSimulator.launch

    def clocked_launch(simulator: Any) -> None:
        end = simulator._command.index("followme_uav.sim.server") + 1
        simulator._command = [sys.executable, __file__, SIMULATOR, *simulator._command[end:]]
        launch(simulator)

    EmbeddedSimulator.launch = clocked_launch
    scenario = draw_scenario(seed)
    config = scenario.config({}, [])
    perception = config.perception.model_copy(update={"threads": 1})
    config = config.model_copy(update={"duration_s": duration_s, "perception": perception})
    with tempfile.TemporaryDirectory() as folder:
        world, answer = Path(folder) / "world.yaml", Path(folder) / "simulator.json"
        world.write_text(yaml.safe_dump(scenario.world_of(seed)))
        os.environ.update({"PROFILE_FILE": str(answer), "LP_NUM_THREADS": "1"})
        faults = fault_injector_for(scenario.events, seed, lambda injector: None)
        plan = FlightPlan(config, seed=seed, log=log, world=world, wrap_simulator=faults)
        flown_s = fly(plan).metrics.flight_s
        show("simulator", json.loads(answer.read_text()), flown_s)
    show("pilot", lines, flown_s)


def show(process: str, lines: dict[str, float], flown_s: float) -> None:
    """Print the lines of a process, the start apart."""
    start_s = lines.pop("start")
    print(f"{process}: start {start_s:.2f} s; ms of processor time for each simulated second:")
    for label, seconds in sorted(lines.items(), key=lambda line: -line[1]):
        if seconds > 0.0005 * flown_s:
            print(f"  {1e3 * seconds / flown_s:6.1f}  {label}")
    print(f"  {1e3 * sum(lines.values()) / flown_s:6.1f}  total")


def main() -> None:
    """Command line."""
    if SIMULATOR in sys.argv:
        simulator_process(sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=9001, help="of the random flight")
    parser.add_argument("--duration", type=float, default=60.0, help="seconds until landing")
    parser.add_argument("--log", type=Path, help="write a flight log, which takes time too")
    options = parser.parse_args()
    profile(options.seed, options.duration, options.log)


if __name__ == "__main__":
    main()
