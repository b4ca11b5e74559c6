"""Makes a simulation from a world plan."""

from __future__ import annotations

from collections.abc import Sequence

from followme_uav.sim.agents.routes import Outfit
from followme_uav.sim.city.environment import TimeOfDay
from followme_uav.sim.city.layout import City
from followme_uav.sim.city.world import make_city
from followme_uav.sim.simulation import Renderer, RendererMaker, Simulation
from followme_uav.sim.vehicle.equipment import Equipment
from followme_uav.sim.vehicle.vehicle_spec import load_vehicle
from followme_uav.sim.world_plan import WorldPlan


def make_simulation(
    world: WorldPlan,
    make_renderer: RendererMaker | None,
    image_size_px: tuple[int, int],
    equipment: Equipment | None = None,
) -> Simulation:
    """Make the simulation that a world plan describes.

    Raises:
        ConfigError: The plan does not fit its city.
    """
    simulation = Simulation(
        world.seed,
        world.people,
        make_renderer,
        image_size_px,
        style=world.style,
        cars=world.cars,
        hero=world.hero,
        walkers=world.everybody(make_city(world.seed, world.style)),
        equipment=equipment,
        vehicle=load_vehicle(world.vehicle),
    )
    light = world.light
    if light is not None:
        environment = simulation.environment
        if light.hour_h is not None:
            environment.set_time_of_day(TimeOfDay(light.hour_h), simulation.time_ns)
        environment.set_weather(
            clouds=light.clouds, rain=light.rain, fog=light.fog, dust=light.dust
        )
        environment.enable_weather(True)
    return simulation


def make_scene(city: City, people: int, walkers: Sequence[Outfit]) -> Renderer:
    """Make the renderer; import graphics only here, so that `--help` works without them."""
    from followme_uav.sim.rendering.scene import Scene

    return Scene(city, people, walkers)
