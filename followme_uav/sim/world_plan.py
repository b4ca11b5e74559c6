"""The world plan: a file that describes city, light, people, cars and routes.

`python -m followme_uav.sim.server --world WORLD.yaml` starts a simulator with it (JSON is YAML,
too); options such as `--seed` take precedence. Everything has a default:

    place: old-town             # a generator (`followme-uav world list`), or a world file
    seed: 7                     # of everything that is drawn at random
    style: old_town             # plaza, old_town, modern, brick_town; default: drawn by the seed
    people: 30                  # people with random goals, besides the hero and everybody below
    cars: 8                     # 0 to 24 driving cars; one fewer for each lane that is blocked
    vehicle: simpleflight       # a name, a file, or {extends: NAME, airframe: {mass_kg: 1.2}}
    light: {hour_h: 17.5, fog: 0.4}     # also clouds, rain, dust, each 0 to 1
    hero:                       # or: random (random goals), or: absent
      waypoints_m: [[7.5, -20.0], [7.5, 40.0]]              # north, east
      speeds_mps: [[0.0, 1.4], [20.0, 0.0], [25.0, 5.0]]    # from_s, speed
      loop: false
    walkers:                    # further people with routes
      - outfit: decoy           # a red jacket with a hood that resembles the hero's; or: random
        route: {waypoints_m: [[7.5, 40.0], [7.5, -20.0]]}
    gatherings:                 # people who stand or walk slowly around one place
      - {place_m: [30.0, 30.0], people: 15, radius_m: 4.0}

The simulator calls the hero `hero` and the people `person_01` to `person_NN`; the walkers and then
the members of the gatherings have the next numbers. RPC methods change the world in flight:
`simSetWind`, `simSetObjectPose` (moves any person at once), `simSetTimeOfDay`, `simEnableWeather`,
`simSetWeatherParameter`. `world.make_city(seed, style)` returns all positions, houses included,
without a simulator.
"""

from __future__ import annotations

import os.path
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, model_validator

from followme_uav.config import Number, Point2, Section, Share, read_yaml, validated
from followme_uav.errors import ConfigError
from followme_uav.sim.agents.gatherings import gathering
from followme_uav.sim.agents.people import MAX_PEOPLE, PEOPLE
from followme_uav.sim.agents.routes import GRID_REACH_M, HeroMode, Route, Walker, check_within
from followme_uav.sim.agents.traffic import CARS, MAX_CARS
from followme_uav.sim.city.grid_world import WORLDS
from followme_uav.sim.city.place import Place
from followme_uav.sim.city.styles import style_of
from followme_uav.sim.places import check_place, is_grid
from followme_uav.sim.vehicle.vehicle_spec import VehicleChoice, load_vehicle
from followme_uav.worlds.world_file import MAX_BYTES


class LightPlan(Section):
    """Time of day and weather at the start."""

    hour_h: Annotated[float, Field(ge=0, le=24)] | None = None
    """Time of day at the start; it advances from there. None: a light drawn by the seed."""
    clouds: Share = 0.0
    rain: Share = 0.0
    fog: Share = 0.0
    dust: Share = 0.0


class Gathering(Section):
    """People who stay around a place; every other one stands, the others walk slowly."""

    place_m: Point2
    """North, east."""
    people: Annotated[int, Field(ge=1, le=MAX_PEOPLE)]
    radius_m: Annotated[Number, Field(ge=1, le=30)]


def _kind_of_hero(value: Any) -> str:
    return "route" if isinstance(value, dict | Route) else "mode"


class WorldPlan(Section):
    """The start of a simulated world; the module docstring shows an example."""

    place: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    """Name of a generator, or path of a world file; None: `grid`, the city of all seeds."""
    seed: Annotated[int, Field(ge=0)] = 1
    style: str | None = None
    people: Annotated[int, Field(ge=0, le=MAX_PEOPLE)] = PEOPLE
    cars: Annotated[int, Field(ge=0, le=MAX_CARS)] = CARS
    vehicle: VehicleChoice | None = None
    """A vehicle file, by name or path, or the content of one; None: the default vehicle."""
    light: LightPlan | None = None
    """None: a light drawn by the seed, under a clear sky."""
    hero: Annotated[
        Annotated[HeroMode, Tag("mode")] | Annotated[Route, Tag("route")],
        Discriminator(_kind_of_hero),
    ] = HeroMode.RANDOM
    walkers: tuple[Walker, ...] = ()
    gatherings: tuple[Gathering, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> WorldPlan:
        style_of(self.seed, self.style)
        check_place(self.place)
        if is_grid(self.place):
            for route in (self.hero, *(walker.route for walker in self.walkers)):
                if isinstance(route, Route):
                    check_within(route, GRID_REACH_M)
        load_vehicle(self.vehicle)
        everybody = self.people + len(self.walkers) + sum(g.people for g in self.gatherings)
        if everybody > MAX_PEOPLE:
            raise ValueError(
                f"people, walkers and gatherings are {everybody}; at most {MAX_PEOPLE} fit"
            )
        return self

    def everybody(self, city: Place) -> tuple[Walker, ...]:
        """The walkers and the members of the gatherings, in the order of their numbers.

        Raises:
            ConfigError: The city has no room for a gathering.
        """
        walkers = list(self.walkers)
        for i, group in enumerate(self.gatherings):
            walkers += gathering(city, group.place_m, group.people, group.radius_m, number=i)
        return tuple(walkers)


def plan_of(where: str | None, **changes: Any) -> WorldPlan:
    """Make the world plan that an option `--world` names.

    Args:
        where: a world plan, a world file, or the name of a generator; None: the default plan.
        changes: values by key; None keeps the value of the file.

    Raises:
        ConfigError: There is no such file or generator, or a value is wrong.
    """
    if where is None:
        return plan_world(None, **changes)
    path = Path(where)
    is_a_name = not path.suffix and not os.path.exists(path)  # perhaps one that is unknown
    if is_a_name or where in WORLDS or _is_world_file(path):
        return plan_world(None, place=where, **changes)
    return plan_world(path, **changes)


def _is_world_file(path: Path) -> bool:
    """Whether a file is a world, which has bounds, and no plan of one."""
    try:
        with path.open("rb") as file:
            return bool(re.search(rb'^[\s{]*"?bounds"?\s*:', file.read(MAX_BYTES), re.MULTILINE))
    except OSError:
        return False


def plan_world(path: Path | None = None, **changes: Any) -> WorldPlan:
    """Read the world plan in a file, or make the default one, with some keys changed.

    Args:
        path: YAML or JSON.
        changes: values by key; None keeps the value of the file.

    Raises:
        ConfigError: A value is wrong; the message names file and key.
    """
    data = {} if path is None else read_yaml(path)
    data |= {key: value for key, value in changes.items() if value is not None}
    path = path or Path("world")
    try:
        return validated(WorldPlan, data, path)
    except ConfigError as error:
        # Errors of routes and styles do not name the file.
        text = str(error)
        raise ConfigError(text if text.startswith(str(path)) else f"{path}: {text}") from error
