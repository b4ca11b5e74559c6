"""The simulator of a scripted flight: in the worker's process, or in one of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from followme_uav.config import FlightConfig
from followme_uav.flight.embedded import DIALECT_OF_PROFILE, at_address
from followme_uav.flight.fly import SimulatorMaker
from followme_uav.perception.segmenter import may_load_tensorflow
from followme_uav.sim.airsim_api.dialects import AIRSIM
from followme_uav.sim.world_plan import plan_of


def maker_in_process(
    config: FlightConfig, world: Path, seed: int, pilot: str, threads: int
) -> SimulatorMaker | None:
    """Return what runs the simulator in this process; None where it needs one of its own.

    With two processors a flight is faster in two processes: one draws while the other thinks.
    TensorFlow, which a user's pilot may load at any time, crashes beside the software renderer.
    Only the built-in RPC client reaches a simulator without a socket.

    Args:
        config: The flight's configuration.
        world: World plan of the flight.
        seed: Of the flight.
        pilot: Name of the pilot.
        threads: Processors for this flight.
    """
    is_own, is_socket = ":" in pilot, config.rpc.backend != "builtin"
    has_tensorflow = "tensorflow" in sys.modules or may_load_tensorflow(config.perception.runtime)
    if threads > 1 or is_own or is_socket or has_tensorflow:
        return None
    plan = plan_of(str(world), seed=seed)

    @contextmanager
    def make(config: FlightConfig) -> Iterator[FlightConfig]:
        from followme_uav.sim.in_process import simulator_in_process  # loads OpenGL

        height_px, width_px = config.camera.source_size_px
        dialect = DIALECT_OF_PROFILE.get(config.simulator.name, AIRSIM.name)
        with simulator_in_process(plan, (width_px, height_px), dialect) as (host, port):
            yield at_address(config, host, port)

    return make
