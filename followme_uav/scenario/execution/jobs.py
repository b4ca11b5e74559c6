"""The flights of a campaign as jobs, which any process on any machine can fly."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from followme_uav.config import INPUT_SIZE_PX, FlightConfig, merged, validated
from followme_uav.errors import ConfigError
from followme_uav.flight.pilots import PilotKind, pilot_kind
from followme_uav.perception.network_files import check_network, sha256, with_images_for
from followme_uav.scenario.script.camera_draws import DRAWN as CAMERA_DRAWN
from followme_uav.scenario.script.camera_draws import with_drawn_camera
from followme_uav.scenario.script.draws import draw_scenario
from followme_uav.scenario.script.plan import MAX_FLIGHTS, Campaign, Variant
from followme_uav.scenario.script.script import Scenario
from followme_uav.scenario.script.vehicle_draws import DRAWN, draw_delay, draw_vehicle
from followme_uav.sim.places import checked_digest

ID_DIGITS = 16
RANDOM = "random"
"""Name of random scenarios."""
_KEY_BYTES = 240
"""Of the name of a flight: names of files have 255, and those of pictures the longest ending."""
_NOT_IN_ID = {"why", "seeds"}
"""Keys of a script that do not change a flight."""


@dataclass(frozen=True)
class Job:
    """A flight to be flown; it is sent to another process."""

    id: str
    """Digest of everything that determines the flight, besides the program."""
    name: str
    """Name of the scenario."""
    seed: int
    script: Scenario | None
    """None: a random scenario, drawn by the seed where it is flown."""
    config: FlightConfig
    """Before the camera is drawn, where it is."""
    variant: Variant
    pilot_sha256: str = ""
    """Of the file with a user's pilot; empty for the pilots of this program."""
    weights_sha256: str = ""
    """Empty for a pilot on exact masks."""
    config_sha256: str = ""
    world: Mapping[str, Any] = field(default_factory=dict)
    """Changes of the scenario's world."""
    place_sha256: str = ""
    """Of the world file; empty for the generators."""

    @property
    def key(self) -> str:
        """Name of the flight, unique in a run; file names begin with it."""
        return flight_key(self.name, self.seed, self.variant.label)

    @property
    def pair(self) -> str:
        """Digest of scenario and seed: equal for all variants, and in no order of either."""
        return _digest(f"{self.name}-{self.seed}")

    @property
    def place(self) -> str | None:
        """Name of a generator, or path of a world file; None: the city of all seeds."""
        of_script = None if self.script is None else self.script.world.place
        place: str | None = self.world.get("place", of_script)
        return place

    def flight_config(self) -> FlightConfig:
        """Return the configuration with the variant's camera."""
        if self.variant.camera == CAMERA_DRAWN:
            return with_drawn_camera(self.config, self.seed)
        return self.config

    def scenario(self) -> Scenario:
        """Return the scenario with the variant's world."""
        script = self.script or draw_scenario(self.seed, self.world.get("place"))
        return _in_world(script, self.world, self.seed)


def flight_key(name: str, seed: int, label: str) -> str:
    """Return the name of a flight from its scenario, seed and the variant's label."""
    return f"{name}-seed{seed}" + (f"-{label}" if label else "")


def jobs_of(campaign: Campaign) -> list[Job]:
    """Return all flights of a campaign; one that two variants have in common is there once.

    Raises:
        ConfigError: A scenario contradicts the configuration, or a variant's world, or two have
            the same name, or there are more flights than `MAX_FLIGHTS`.
        PilotError: The code of a pilot cannot be imported.
        WeightsError: The weights cannot be used.
    """
    if campaign.flights > MAX_FLIGHTS:
        raise ConfigError(f"{campaign.flights} flights, at most {MAX_FLIGHTS}; fly a part of them")
    _check_names(campaign)
    jobs: dict[str, Job] = {}
    place_sha256 = cache(checked_digest)  # read once, not for each script
    for variant in campaign.variants:
        inputs = _inputs_of(variant)
        for script in campaign.scenarios:
            seeds = campaign.seeds or script.seeds
            for job in _jobs(campaign, variant, inputs, script, seeds, place_sha256):
                jobs.setdefault(job.id, job)
        for job in _jobs(campaign, variant, inputs, None, campaign.random_seeds, place_sha256):
            jobs.setdefault(job.id, job)
    _check_keys([job.key for job in jobs.values()])
    return list(jobs.values())


def _check_keys(keys: Sequence[str]) -> None:
    """Refuse names that no file can have, before the first flight."""
    longest = max(keys, key=len, default="")
    if len(longest.encode()) > _KEY_BYTES:
        raise ConfigError(
            f"{longest:.60}...: the names of scenario and variant are too long for a file; "
            "rename the scenario, or the labels"
        )


def _check_names(campaign: Campaign) -> None:
    """Refuse two scenarios of one name, whose flights would overwrite each other's logs.

    Refuse labels that the files of results cannot hold, too.
    """
    names = [scenario.name for scenario in campaign.scenarios]
    names += [RANDOM] if campaign.random_seeds else []
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"two scenarios are called {twice[0]}; rename one of them")
    for variant in campaign.variants:
        for text in (variant.pilot, *variant.axes.values()):
            if text != text.encode(errors="replace").decode():
                raise ConfigError(f"{text!r}: is no UTF-8 text, which the table needs; rename it")


def shard_of(jobs: Sequence[Job], number: int, count: int) -> list[Job]:
    """Return the part `number` (from 1) of `count` parts: every `count`-th job by id."""
    chosen = {job.id for job in sorted(jobs, key=lambda job: job.id)[number - 1 :: count]}
    return [job for job in jobs if job.id in chosen]


def chosen_by(jobs: Iterable[Job], prefix: str) -> list[Job]:
    """Return the job with this id, beginning of an id, or name.

    Raises:
        ConfigError: There is none, or there are several.
    """
    found = [job for job in jobs if job.key == prefix or (prefix and job.id.startswith(prefix))]
    if len(found) != 1:
        raise ConfigError(
            f"--only {prefix}: {len(found)} flights of the plan have this id; "
            "another weights file, or an edited scenario, gives other ids"
        )
    return found


@dataclass(frozen=True)
class _Inputs:
    """Pilot and network of a variant, by their content."""

    pilot: PilotKind
    pilot_sha256: str
    weights_sha256: str


def _inputs_of(variant: Variant) -> _Inputs:
    """Import the pilot and check the network of a variant, before the first flight."""
    kind = pilot_kind(variant.pilot)
    code = "" if kind.source is None else hashlib.sha256(kind.source.read_bytes()).hexdigest()
    if kind.on_true_masks:
        return _Inputs(kind, code, "")
    check_network(variant.weights)
    return _Inputs(kind, code, sha256(variant.weights))


def _jobs(
    campaign: Campaign,
    variant: Variant,
    inputs: _Inputs,
    script: Scenario | None,
    seeds: Sequence[int],
    digest_of_place: Callable[[str | None], str],
) -> Iterator[Job]:
    if not seeds:
        return
    # The configuration is the same for all seeds, also of random scenarios.
    scenario = _in_world(script or draw_scenario(seeds[0]), variant.world, seeds[0])
    config = scenario.config(campaign.config, variant.overrides)
    if inputs.weights_sha256:
        config = with_images_for(variant.weights, config)
    settings = config.model_dump(mode="json")
    for key in ("flyable_polygons_m", "ground", "ceilings", "decks", "patrol_on_decks"):
        if not settings["simulator"][key]:
            del settings["simulator"][key]  # ids are those of before the key
    if config.camera.trained_width_px == INPUT_SIZE_PX:
        del settings["camera"]["trained_width_px"]
    settings["perception"].pop("threads")  # depends on the machine, and changes no result
    place_sha256 = digest_of_place(scenario.world.place)
    content = {
        "scenario": RANDOM if script is None else _content_of(script, place_sha256),
        "world": _with_content(variant.world, place_sha256),
        "config": settings,
        "pilot": inputs.pilot.name,
        "weights": inputs.weights_sha256,
    }
    if variant.camera == CAMERA_DRAWN:
        content["camera"] = variant.camera
    if inputs.pilot_sha256:
        content["pilot_code"] = inputs.pilot_sha256
    common, config_sha256 = _digest(_text(content)), _digest(_text(settings))
    for seed in seeds:
        yield Job(
            id=_digest(f"{common} {seed}")[:ID_DIGITS],
            name=scenario.name,
            seed=seed,
            script=script,
            config=config,
            variant=variant,
            pilot_sha256=inputs.pilot_sha256,
            weights_sha256=inputs.weights_sha256,
            config_sha256=config_sha256,
            world=variant.world,
            place_sha256=place_sha256,
        )


def _content_of(script: Scenario, place_sha256: str) -> dict[str, Any]:
    content = script.model_dump(mode="json", exclude=_NOT_IN_ID)
    world = _with_content(content["world"], place_sha256)
    if world["place"] is None:
        del world["place"]  # ids are those of before the key
    return {**content, "world": world}


def _with_content(world: Mapping[str, Any], place_sha256: str) -> dict[str, Any]:
    """Replace the path of a world file by its content: the one may change without the other."""
    is_of_file = place_sha256 and "place" in world
    return {**world, "place": place_sha256} if is_of_file else dict(world)


def _in_world(scenario: Scenario, changes: Mapping[str, Any], seed: int) -> Scenario:
    """Return a scenario with a changed world; the seed draws the vehicle, if it is to be drawn.

    A drawn vehicle has a slow link in a random scenario that has no other delay.

    Raises:
        ConfigError: The changes are wrong, or contradict the scenario.
    """
    if not changes:
        return scenario
    data = scenario.model_dump(mode="json", exclude_unset=True)
    if changes.get("vehicle") == DRAWN:
        changes = {**changes, "vehicle": draw_vehicle(seed)}
        if scenario.name == RANDOM and not any(event.delay for event in scenario.events):
            data["events"] = [*data.get("events", ()), draw_delay(seed)]
    world = merged(scenario.world.model_dump(mode="json", exclude_unset=True), changes)
    return validated(Scenario, {**data, "world": world}, f"scenario {scenario.name}")


def _text(content: Any) -> str:
    return json.dumps(content, sort_keys=True)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
