"""The embedded simulator as a process: `python -m followme_uav.sim.server --port 0 --seed 1`.

It prints `listening on HOST:PORT` when it is ready and runs until SIGINT, SIGTERM or, with
--parent-pid, until that process has ended. The simulation runs on the main thread, the RPC server
on a thread of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from followme_uav.errors import ConfigError, FollowMeError
from followme_uav.program_log import PRINTED, set_up_child
from followme_uav.rpc.server import RpcServer, check_listen_address
from followme_uav.sim.airsim_api.airsim_settings import SimSettings, read_settings
from followme_uav.sim.airsim_api.dialects import AIRSIM, DIALECTS
from followme_uav.sim.airsim_api.methods import handlers_of
from followme_uav.sim.airsim_api.sensor_methods import sensor_settings
from followme_uav.sim.build import make_scene, make_simulation
from followme_uav.sim.names import VEHICLE_NAME
from followme_uav.sim.pace import Pace
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.simulation_runner import SimulationRunner
from followme_uav.sim.vehicle.equipment import DEFAULT_IMAGE_SIZE_PX, Equipment
from followme_uav.sim.world_plan import WorldPlan, plan_of, plan_world
from followme_uav.terminal import prepare_streams

if TYPE_CHECKING:
    from followme_uav.sim.airsim_api.structs import Struct

logger = logging.getLogger("followme_uav.sim.server")  # __name__ is "__main__" with -m

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 41451
DEFAULT_IMAGE_SIZE = "{}x{}".format(*DEFAULT_IMAGE_SIZE_PX)
MIN_IMAGE_SIZE_PX = 16
MAX_IMAGE_SIZE_PX = (640, 480)

_PARENT_POLL_S = 0.5


def run_server(
    host: str | None = None,
    port: int | None = None,
    *,
    world: WorldPlan | None = None,
    dialect: str = AIRSIM.name,
    image_size: str = DEFAULT_IMAGE_SIZE,
    settings: Path | None = None,
    paused: bool = False,
    window: bool = False,
    noise: bool = False,
    recordings: Path | None = None,
    parent_pid: int | None = None,
    on_ready: Callable[[str, int], None] | None = None,
) -> int:
    """Serve one simulated city until it is told to stop. Call it on the main thread.

    Args:
        host: address to listen on; None: that of the settings, else loopback.
        port: 0 for any free port; None: that of the settings, else AirSim's.
        world: the city, people and cars; by default those of seed 1.
        dialect: the AirSim build to imitate, a key of `DIALECTS`.
        image_size: WIDTHxHEIGHT of images whose size the settings do not name, at most
            `MAX_IMAGE_SIZE_PX`.
        settings: AirSim's settings.json; a line on standard error names each ignored key.
        paused: start with simulated time stopped, for lockstep.
        window: show the vehicle from outside, and its camera image; closing it ends the server.
        noise: sensor readings have noise, by the seed.
        recordings: folder that startRecording writes to; None refuses recordings.
        parent_pid: stop when this process has ended.
        on_ready: called with host and port instead of printing them.

    Returns:
        0, the exit status.

    Raises:
        ConfigError: An option has an invalid value.
        EnvironmentSetupError: The address is in use, or rendering or the window fails.
    """
    if dialect not in DIALECTS:
        raise ConfigError(f"dialect '{dialect}' is unknown; choose from {', '.join(DIALECTS)}")
    image_size_px = parse_image_size(image_size)
    world = world or plan_world()
    found = default_settings(image_size_px) if settings is None else read_settings(settings)
    for line in found.ignored:
        print(line, file=sys.stderr)
    address = _address(host, port, found)
    with contextlib.ExitStack() as cleanup:
        simulation = make_simulation(world, make_scene, image_size_px, found.equipment)
        show = _open_window(cleanup, world.seed) if window else None
        simulator = SimulationRunner(
            simulation, paused=paused, clock_speed=found.clock_speed, show=show
        )
        renderer = simulation.renderer
        handlers = handlers_of(
            simulator,
            DIALECTS[dialect],
            tuple(renderer.object_names) if renderer is not None else (),
            found.text,
            noise_seed=world.seed if noise else None,
            recordings=recordings,
        )
        server = RpcServer(handlers, *address, array_structs=DIALECTS[dialect].array_structs)
        server.start()
        simulator.hold_answers = server.hold_answers
        cleanup.callback(server.stop)
        _stop_on_signals(simulator)
        if parent_pid is not None:
            _stop_with_parent(simulator, parent_pid)
        (on_ready or _announce)(*server.address)
        logger.info("The simulator serves city %d at %s:%d.", world.seed, *server.address)
        simulator.run()
    logger.info("The simulator ends.")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line of the simulator alone; returns the exit status."""
    parser = argparse.ArgumentParser(prog="followme-uav sim", description=__doc__)
    parser.add_argument("--host", help=f"default: that of the settings, else {DEFAULT_HOST}")
    parser.add_argument(
        "--port",
        type=int,
        help=f"0: any free port; default: that of the settings, else {DEFAULT_PORT}",
    )
    parser.add_argument(
        "--world", help="a generator, a world file, or a plan, see sim/world_plan.py"
    )
    parser.add_argument("--seed", type=int, help="seed of city, people and cars")
    parser.add_argument("--dialect", choices=sorted(DIALECTS), default=AIRSIM.name)
    parser.add_argument("--image-size", default=DEFAULT_IMAGE_SIZE)
    parser.add_argument("--settings", type=Path, help="AirSim's settings.json")
    parser.add_argument("--vehicle", help="name in configs/vehicles, or a vehicle file")
    parser.add_argument("--people", type=int, help="number of people besides the hero")
    parser.add_argument("--paused", action="store_true", help="start with simulated time stopped")
    parser.add_argument("--window", action="store_true", help="show the vehicle in a window")
    parser.add_argument("--style", help="style of the city; default: drawn by the seed")
    parser.add_argument("--noise", action="store_true", help="sensor readings have noise")
    parser.add_argument("--recordings", type=Path, help="folder for startRecording")
    parser.add_argument("--parent-pid", type=int, help="stop when this process has ended")
    prepare_streams()
    set_up_child("simulator")
    options = parser.parse_args(arguments)
    try:
        return run_server(
            options.host,
            options.port,
            world=plan_of(
                options.world,
                seed=options.seed,
                style=options.style,
                people=options.people,
                vehicle=options.vehicle,
            ),
            dialect=options.dialect,
            image_size=options.image_size,
            settings=options.settings,
            paused=options.paused,
            window=options.window,
            noise=options.noise,
            recordings=options.recordings,
            parent_pid=options.parent_pid,
        )
    except FollowMeError as error:
        logger.error("%s", error, extra={"topic": PRINTED})
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:  # only before the signal handlers are set, while the city is built
        return 130


def leave(status: int) -> NoReturn:
    """End the process at once; a clean shutdown of the renderer's libraries takes about 1 s."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def parse_image_size(text: str) -> tuple[int, int]:
    """Width and height from `160x160`.

    Raises:
        ConfigError: Not of that form, or out of range.
    """
    form = re.fullmatch(r"(\d{1,4})x(\d{1,4})", text)
    width, height = (int(part) for part in form.groups()) if form else (0, 0)
    low, (widest, highest) = MIN_IMAGE_SIZE_PX, MAX_IMAGE_SIZE_PX
    if not (low <= width <= widest and low <= height <= highest):
        raise ConfigError(
            f"image size '{text}': use WIDTHxHEIGHT, {low}x{low} to {widest}x{highest}"
        )
    return width, height


def _open_window(cleanup: contextlib.ExitStack, seed: int) -> Callable[[Simulation], Pace]:
    from followme_uav.sim.viewer.window import Window

    window = Window(f"followme-uav, city {seed}")
    cleanup.callback(window.close)
    return window.show


def _address(host: str | None, port: int | None, settings: SimSettings) -> tuple[str, int]:
    """Host and port to listen on.

    Raises:
        ConfigError: They are invalid, see `check_listen_address`.
    """
    if host is None:
        host = DEFAULT_HOST if settings.host is None else settings.host
    if port is None:
        port = DEFAULT_PORT if settings.port is None else settings.port
    check_listen_address(host, port)
    return host, port


def default_settings(image_size_px: tuple[int, int]) -> SimSettings:
    """The settings of a simulator without a settings file."""
    width, height = image_size_px
    file: Struct = {
        "SettingsVersion": 1.2,
        "SimMode": "Multirotor",
        "Vehicles": {
            VEHICLE_NAME: {"VehicleType": "SimpleFlight", "Sensors": sensor_settings()},
        },
        "CameraDefaults": {
            "CaptureSettings": [{"ImageType": 0, "Width": width, "Height": height}],
        },
    }
    return SimSettings(json.dumps(file, indent=2), Equipment(), 1.0, None, None, ())


def _announce(host: str, port: int) -> None:
    print(f"listening on {host}:{port}", flush=True)


def _stop_on_signals(simulator: SimulationRunner) -> None:
    def stop(signum: int, frame: FrameType | None) -> None:
        simulator.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def _stop_with_parent(simulator: SimulationRunner, parent_pid: int) -> None:
    is_parent = os.getppid() == parent_pid  # false when a shell stands in between

    def watch() -> None:
        while os.getppid() == parent_pid if is_parent else _exists(parent_pid):
            time.sleep(_PARENT_POLL_S)
        logger.info("Process %d has ended, and the simulator ends with it.", parent_pid)
        simulator.stop()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


if __name__ == "__main__":
    leave(main())
