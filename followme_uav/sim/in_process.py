"""The embedded simulator in the process, and on the thread, of its only client.

`followme_uav.sim.server` has a process of its own, which draws the next image while the client
works. That gains nothing when every processor has a flight of its own, and messages between two
processes take a fifth of a flight's processor time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from followme_uav.rpc.direct import IN_PROCESS, served_in_process
from followme_uav.sim.airsim_api.dialects import AIRSIM, DIALECTS
from followme_uav.sim.airsim_api.methods import handlers_of
from followme_uav.sim.build import make_scene, make_simulation
from followme_uav.sim.inline_runner import InlineRunner
from followme_uav.sim.rendering.scene import Scene
from followme_uav.sim.server import default_settings
from followme_uav.sim.world_plan import WorldPlan


@contextmanager
def simulator_in_process(
    world: WorldPlan, image_size_px: tuple[int, int], dialect: str = AIRSIM.name
) -> Iterator[tuple[str, int]]:
    """Serve one simulated city, with the time stopped, until the end of the block.

    Args:
        world: The city, people and cars.
        image_size_px: Width and height.
        dialect: The AirSim build to imitate, a key of `DIALECTS`.

    Yields:
        Host and port for the client.

    Raises:
        ConfigError: The plan does not fit its city.
        EnvironmentSetupError: This machine cannot render, or TensorFlow is loaded beside Mesa.
    """
    settings = default_settings(image_size_px)
    with ExitStack() as stack:
        simulation = make_simulation(world, make_scene, image_size_px, settings.equipment)
        renderer = simulation.renderer
        if isinstance(renderer, Scene):
            stack.callback(renderer.close)
        names = () if renderer is None else tuple(renderer.object_names)
        handlers = handlers_of(InlineRunner(simulation), DIALECTS[dialect], names, settings.text)
        is_array = DIALECTS[dialect].array_structs
        yield IN_PROCESS, stack.enter_context(served_in_process(handlers, array_structs=is_array))
