"""Makes a simulation from a world plan."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from followme_uav.sim.agents.routes import Outfit
from followme_uav.sim.city.environment import TimeOfDay
from followme_uav.sim.city.place import Place
from followme_uav.sim.places import load_place
from followme_uav.sim.simulation import Renderer, RendererMaker, Simulation
from followme_uav.sim.vehicle.earth import HOME, Home
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

    A place with a position on the Earth gives it to the world, unless the equipment has another.

    Raises:
        ConfigError: The plan does not fit its city.
    """
    place = load_place(world.place, world.seed, world.style)
    equipment = equipment or Equipment()
    if place.home is not None and equipment.home == HOME:
        home = place.home
        at = Home(home.latitude_deg, home.longitude_deg, home.altitude_m)
        equipment = dataclasses.replace(equipment, home=at)
    simulation = Simulation(
        world.seed,
        world.people,
        make_renderer,
        image_size_px,
        style=world.style,
        cars=world.cars,
        hero=world.hero,
        walkers=world.everybody(place),
        equipment=equipment,
        vehicle=load_vehicle(world.vehicle),
        place=place,
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


def make_scene(city: Place, people: int, walkers: Sequence[Outfit]) -> Renderer:
    """Make the renderer; import graphics only here, so that `--help` works without them."""
    from followme_uav.sim.rendering.scene import Scene

    return Scene(city, people, walkers)
