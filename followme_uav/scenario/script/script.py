"""Scenario scripts, `configs/scenarios/NAME.yaml`, and how they are read.

why: The pilot has to keep the hero in view in a side wind.
duration_s: 60
seeds: [301, 302, 303]      # of city, people and faults; one flight each
world:                      # as in docs/simulator.md, without the seed
  hero: {waypoints_m: [[15.0, 7.0], [95.0, 7.0]]}
events:                     # see followme_uav/scenario/script/events.py
  - {at_s: 20, lasts_s: 4, gust: {north_mps: 8}}
flight:                     # changes to configs/default.yaml
  control: {wanted_distance_m: 9}
expect:                     # metrics, see docs/metrics.md
  tracked: {min: 0.9}
  collisions: 0
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator

from followme_uav.config import (
    FlightConfig,
    Positive,
    Section,
    make_config,
    merged,
    read_yaml,
    validated,
)
from followme_uav.config.aliases import renamed
from followme_uav.errors import ConfigError
from followme_uav.resources import found_in, named
from followme_uav.scenario.script.checks import Expectations
from followme_uav.scenario.script.events import Event
from followme_uav.sim.world_plan import WorldPlan

SCENARIOS = "scenarios"
"""Folder of scenarios that are known by their names."""
SEEDS = (301, 302, 303)
"""Default seeds of a scenario."""

MAX_SEED = 2**63 - 1
"""Tables of results have 64-bit integers."""
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]


class Scenario(Section):
    """A scenario: a city, events, and the metrics that are expected; keys as in a script.

    Example:
        >>> from followme_uav import Scenario
        >>> gust = Scenario.model_validate({
        ...     "name": "gust", "why": "A gust from the side.", "duration_s": 20, "seeds": [8],
        ...     "events": [{"at_s": 8, "lasts_s": 4, "gust": {"east_mps": 6}}],
        ...     "expect": {"collisions": 0, "in_view": {"min": 0.9}},
        ... })
        >>> gust.config().duration_s
        20.0
    """

    name: Annotated[str, Field(pattern=r"^[^/\\\x00-\x1f]+$")]
    """Name of the file without its ending; no key of the file. A part of the names of logs."""
    why: Annotated[str, Field(min_length=1)]
    """The ability that the scenario tests, or the condition that makes it hard."""
    duration_s: Positive
    """Flight time in seconds until the landing begins."""
    follow_s: Positive | None = None
    """Land this many seconds after the hero was found, if that is earlier."""
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)] = SEEDS
    world: WorldPlan = WorldPlan()
    events: tuple[Event, ...] = ()
    flight: Mapping[str, Any] = Field(default_factory=dict)
    expect: Annotated[Expectations, Field(min_length=1)]

    @field_validator("world")
    @classmethod
    def _without_seed(cls, world: WorldPlan) -> WorldPlan:
        if "seed" in world.model_fields_set:
            raise ValueError("leave the key seed out; the key seeds of the scenario has it")
        return world

    def world_of(self, seed: int) -> dict[str, Any]:
        """Return the world of one flight, as the file of `sim --world` has it."""
        plan = self.world.model_dump(mode="json", exclude_unset=True)
        return {**plan, "seed": seed}

    def config(
        self, changes: Mapping[str, Any] | None = None, overrides: Sequence[str] = ()
    ) -> FlightConfig:
        """Return the configuration: the defaults, changed by `changes`, the script and `overrides`.

        Raises:
            ConfigError: A value is wrong; the message names scenario and key.
        """
        data = merged(
            merged(renamed(changes or {}), renamed(self.flight)), {"duration_s": self.duration_s}
        )
        return make_config(data, f"scenario {self.name}: flight", overrides)


def read_scenario(path: Path) -> Scenario:
    """Read the scenario in a file.

    Raises:
        ConfigError: A value is wrong; the message names file and key.
    """
    data = {**read_yaml(path), "name": path.stem}
    try:
        scenario = validated(Scenario, data, path)
        scenario.config()
    except ConfigError as error:
        # Messages about routes and the configuration do not name the file.
        text = str(error)
        raise ConfigError(text if text.startswith(str(path)) else f"{path}: {text}") from error
    return scenario


def read_scenarios(paths: Sequence[Path]) -> list[Scenario]:
    """Read scenarios from files, folders, or by their names in a folder `scenarios`.

    Without paths, all scenarios with a name are read, the user's and shipped ones.

    Raises:
        ConfigError: A path does not exist, or two scenarios have the same name.
    """
    files = [file for path in paths for file in _files(path)]
    files = files if paths else list(found_in(SCENARIOS).values())
    scenarios = [read_scenario(file) for file in dict.fromkeys(files)]
    names = [scenario.name for scenario in scenarios]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"two scenarios are called {twice[0]}; rename one of the files")
    return scenarios


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(path.glob("*.yaml"))
        if not found:
            raise ConfigError(f"{path}: holds no scenario; scenarios are files NAME.yaml")
        return found
    return [named(path, SCENARIOS, "scenario")]
