"""A world as somebody writes it down: city, light, people, cars, and who walks where.

`python -m followme_uav.sim.server --world WORLD.yaml` starts a simulator with it (or JSON, which
is YAML too); `--seed` and the like on the command line go first. Everything has a default:

    seed: 7                     # of all that is not said here
    style: old_town             # plaza, old_town, modern, brick_town; else the seed draws one
    people: 30                  # who walk about, besides the hero and everybody below
    cars: 8                     # 0 to 24 drive; one fewer for each lane with somebody in it
    light: {hour_h: 17.5, fog: 0.4}     # also clouds, rain, dust, each 0 to 1
    hero:                       # or: random (walks about), or: absent
      waypoints_m: [[7.5, -20.0], [7.5, 40.0]]              # north, east
      speeds_mps: [[0.0, 1.4], [20.0, 0.0], [25.0, 5.0]]    # from_s, speed
      loop: false
    walkers:                    # others with routes of their own
      - outfit: decoy           # a red jacket with a hood that is not quite hers; or: random
        route: {waypoints_m: [[7.5, 40.0], [7.5, -20.0]]}
    gatherings:                 # people who stand and stroll about in one place
      - {place_m: [30.0, 30.0], people: 15, radius_m: 4.0}

In the simulator the hero is called `hero`, the people `person_01` to `person_NN`, then come the
walkers and then the gatherings, numbered on; `simSetObjectPose` moves any of them. What changes in
flight goes over the RPC: `simSetWind`, `simSetObjectPose` (a teleport), `simSetTimeOfDay`,
`simEnableWeather`, `simSetWeatherParameter`. `world.make_city(seed, style)` tells where everything
stands, houses included, without a simulator.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, model_validator

from followme_uav.config import Number, Point2, Section, Share, read_yaml, validated
from followme_uav.errors import ConfigError
from followme_uav.sim.agents.gatherings import gathering
from followme_uav.sim.agents.people import MAX_PEOPLE, PEOPLE
from followme_uav.sim.agents.routes import HeroMode, Route, Walker
from followme_uav.sim.agents.traffic import CARS, MAX_CARS
from followme_uav.sim.city.layout import City
from followme_uav.sim.city.styles import style_of


class LightPlan(Section):
    """Time of day and weather at the start."""

    hour_h: Annotated[float, Field(ge=0, le=24)] | None = None
    """Of the day, the sun goes on from there; None: a day of the seed."""
    clouds: Share = 0.0
    rain: Share = 0.0
    fog: Share = 0.0
    dust: Share = 0.0


class Gathering(Section):
    """People who stay around a place; every other one stands, the rest stroll about."""

    place_m: Point2
    """North, east."""
    people: Annotated[int, Field(ge=1, le=MAX_PEOPLE)]
    radius_m: Annotated[Number, Field(ge=1, le=30)]


def _kind_of_hero(value: Any) -> str:
    return "route" if isinstance(value, dict | Route) else "mode"


class WorldPlan(Section):
    """Everything that a simulated world starts with; see the module for an example."""

    seed: Annotated[int, Field(ge=0)] = 1
    style: str | None = None
    people: Annotated[int, Field(ge=0, le=MAX_PEOPLE)] = PEOPLE
    cars: Annotated[int, Field(ge=0, le=MAX_CARS)] = CARS
    light: LightPlan | None = None
    """None: the day of the seed, under a clear sky."""
    hero: Annotated[
        Annotated[HeroMode, Tag("mode")] | Annotated[Route, Tag("route")],
        Discriminator(_kind_of_hero),
    ] = HeroMode.RANDOM
    walkers: tuple[Walker, ...] = ()
    gatherings: tuple[Gathering, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> WorldPlan:
        style_of(self.seed, self.style)
        everybody = self.people + len(self.walkers) + sum(g.people for g in self.gatherings)
        if everybody > MAX_PEOPLE:
            raise ValueError(
                f"people, walkers and gatherings are {everybody}; at most {MAX_PEOPLE} fit"
            )
        return self

    def everybody(self, city: City) -> tuple[Walker, ...]:
        """The walkers and those of the gatherings, in the order of their numbers.

        Raises:
            ConfigError: A gathering has no room in that city.
        """
        walkers = list(self.walkers)
        for i, group in enumerate(self.gatherings):
            walkers += gathering(city, group.place_m, group.people, group.radius_m, number=i)
        return tuple(walkers)


def plan_world(path: Path | None = None, **changes: Any) -> WorldPlan:
    """The world in a file, or the default one, with some keys changed.

    Args:
        path: YAML or JSON.
        changes: by key; None leaves what the file says.

    Raises:
        ConfigError: Naming file and key.
    """
    data = {} if path is None else read_yaml(path)
    data |= {key: value for key, value in changes.items() if value is not None}
    path = path or Path("world")
    try:
        return validated(WorldPlan, data, path)
    except ConfigError as error:
        # Routes and styles check themselves, and do not know where they stand.
        text = str(error)
        raise ConfigError(text if text.startswith(str(path)) else f"{path}: {text}") from error
