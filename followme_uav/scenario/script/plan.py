"""Campaign plans: the scenarios, seeds and variants of many flights, read from a YAML file.

    why: Compare two networks in fog.
    scenarios: [straight-walk, mine/turn.yaml]   # names, files (relative to the plan) or folders
    seeds: 301:304                # replaces the scripts' own seeds; A:B are A to B-1
    random: 9000:9400             # random scenarios, one for each seed
    pilots: [network, original]
    weights: [model1, mine/net.onnx]             # names, or files relative to the plan
    overrides: {near: [], far: [control.wanted_distance_m=9]}
    vehicles: [nimble, mine/heavy.yaml]          # names, files relative to the plan, or drawn
    cameras: [given, drawn]       # of the configuration, or drawn: one for each seed
    worlds: {clear: {}, fog: {light: {fog: 0.4}}}    # changes of each scenario's world
    combine: crossed              # or paired: the first value of each axis, then the second, ...

Only `scenarios` or `random` is required. Pilots, weights, overrides, vehicles, cameras and
worlds are the axes; one choice of a value for each axis is a variant, and each variant flies every
scenario and seed.

A plan is data: a pilot `module:Class` or `FILE.py:Class` in it runs only if the user names it, too.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, StringConstraints, field_validator, model_validator

from followme_uav.config import Section, read_yaml, validated
from followme_uav.errors import ConfigError
from followme_uav.flight.pilots import PILOTS, is_named
from followme_uav.perception import DEFAULT_WEIGHTS
from followme_uav.resources import WEIGHTS, found_in, named
from followme_uav.scenario.script.camera_draws import CameraChoice
from followme_uav.scenario.script.script import Scenario, Seed, read_scenarios
from followme_uav.scenario.script.vehicle_draws import chosen_vehicle
from followme_uav.sim.vehicle.vehicle_spec import VehicleChoice

MAX_FLIGHTS = 1_000_000
"""More would not fit into the memory of the process that distributes them."""
PLAN = "plan.yaml"
"""Name of the plan in the folder of a run."""
Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,40}$")]


class Variant(Section):
    """One value for each axis of a plan."""

    pilot: str = "network"
    weights: Path = DEFAULT_WEIGHTS
    overrides: tuple[str, ...] = ()
    camera: CameraChoice = "given"
    world: Mapping[str, Any] = Field(default_factory=dict)
    axes: Mapping[str, str] = Field(default_factory=dict)
    """Label of each axis."""
    label: Annotated[str, Field(pattern=r"^[^/]*$")] = ""
    """Labels of the axes with more than one value, as a part of file names; may be empty."""


class Plan(Section):
    """A plan as its file has it; the docstring of the module has an example."""

    why: str = ""
    scenarios: tuple[str | dict[str, Any], ...] = ()
    """Names, files or folders; or whole scripts with a `name`, as in the plan of a run."""
    seeds: tuple[Seed, ...] | None = None
    random: tuple[Seed, ...] = ()
    pilots: Annotated[tuple[str, ...], Field(min_length=1)] = ("network",)
    weights: Annotated[tuple[str, ...], Field(min_length=1)] = (str(DEFAULT_WEIGHTS),)
    overrides: Mapping[Label, tuple[str, ...]] = Field(default_factory=dict)
    vehicles: tuple[str, ...] = ()
    """Names or files, or `drawn`; none: the vehicle of each scenario's world."""
    cameras: Annotated[tuple[CameraChoice, ...], Field(min_length=1)] = ("given",)
    worlds: Mapping[Label, dict[str, Any]] = Field(default_factory=dict)
    combine: Literal["crossed", "paired"] = "crossed"
    variants: tuple[Variant, ...] = ()
    """In place of the axes; the plan in the folder of a run has them."""
    config: str | dict[str, Any] = Field(default_factory=dict)
    """File with changes to `configs/default.yaml`, or the changes."""

    @field_validator("seeds", "random", mode="before")
    @classmethod
    def _range(cls, value: Any) -> Any:
        return seeds_of(value) if isinstance(value, str) else value

    @field_validator("pilots")
    @classmethod
    def _known(cls, pilots: tuple[str, ...]) -> tuple[str, ...]:
        for pilot in pilots:
            if ":" not in pilot and not is_named(pilot):
                raise ValueError(f"'{pilot}' is unknown; choose from {', '.join(PILOTS)}")
        return pilots

    @model_validator(mode="after")
    def _complete(self) -> Plan:
        if not self.scenarios and not self.random:
            raise ValueError("give scenarios, or random with a range of seeds")
        sizes = {size for size in map(len, self._axes().values()) if size > 1}
        if self.combine == "paired" and len(sizes) > 1:
            raise ValueError(
                f"paired axes need as many values each (got {sorted(sizes)}); add or remove some"
            )
        return self

    def _axes(self) -> dict[str, Sequence[Any]]:
        return {
            "pilot": self.pilots,
            "weights": self.weights,
            "overrides": tuple(self.overrides.items()) or (("", ()),),
            "vehicle": self.vehicles or ("",),
            "camera": self.cameras,
            "world": tuple(self.worlds.items()) or (("", {}),),
        }

    def chosen(self, folder: Path) -> Iterator[Variant]:
        """Yield the variants; `folder` is that of files with relative paths."""
        axes = self._axes()
        if self.combine == "crossed":
            combinations = list(itertools.product(*axes.values()))
        else:
            most = max(map(len, axes.values()))
            columns = [v if len(v) > 1 else [*v] * most for v in axes.values()]
            combinations = list(zip(*columns, strict=True))
        for pilot, weights, (changes, overrides), vehicle, camera, (place, world) in combinations:
            labels = (
                *(pilot_label(pilot), Path(weights).stem, changes, Path(vehicle).stem),
                *("" if camera == "given" and self.cameras == ("given",) else camera, place),
            )
            varied = [t for t, v in zip(labels, axes.values(), strict=True) if len(v) > 1]
            yield Variant(
                pilot=pilot,
                weights=_weights(weights, folder),
                overrides=overrides,
                camera=camera,
                world={**world, "vehicle": _vehicle(vehicle, folder)} if vehicle else world,
                axes={axis: t for axis, t in zip(axes, labels, strict=True) if t},
                label="-".join(varied),
            )


@dataclass(frozen=True)
class Campaign:
    """A plan whose files have been read."""

    scenarios: tuple[Scenario, ...]
    variants: tuple[Variant, ...]
    seeds: Sequence[int] | None = None
    """Seeds in place of those of the scenarios."""
    random_seeds: Sequence[int] = ()
    """Seeds of random scenarios, which are drawn where they are flown."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """Changes to `configs/default.yaml`."""
    why: str = ""

    @property
    def flights(self) -> int:
        """Number of flights."""
        scripted = sum(len(self.seeds or s.seeds) for s in self.scenarios)
        return (scripted + len(self.random_seeds)) * len(self.variants)


def one_variant(
    scenarios: Sequence[Scenario],
    variant: Variant,
    *,
    seeds: Sequence[int] | None = None,
    random_seeds: Sequence[int] = (),
    config: Path | None = None,
) -> Campaign:
    """Return a campaign with one pilot, one network and one configuration.

    Args:
        scenarios: The scenarios.
        variant: Pilot, network and overrides; the axes are set here.
        seeds: Replace those of the scenarios.
        random_seeds: Of random scenarios.
        config: File with changes to `configs/default.yaml`.

    Raises:
        ConfigError: The file is wrong.
    """
    axes = {"pilot": pilot_label(variant.pilot), "weights": variant.weights.stem}
    complete = {"weights": variant.weights.resolve(), "axes": axes}
    return Campaign(
        scenarios=tuple(scenarios),
        variants=(variant.model_copy(update=complete),),
        seeds=seeds,
        random_seeds=random_seeds,
        config={} if config is None else read_yaml(config),
    )


def pilot_label(pilot: str) -> str:
    """Return a pilot's name for file names and tables: slow.Slow for `folder/slow.py:Slow`."""
    return Path(pilot).name.replace(".py:", ".").replace(":", ".")


def seeds_of(text: str) -> tuple[int, ...]:
    """Read A:B as the seeds from A to B-1; raises `ValueError`."""
    first, _, end = text.partition(":")
    digits = first + end
    if not (first and end and digits.isascii() and digits.isdigit() and int(first) < int(end)):
        raise ValueError("write seeds as A:B with A < B, or as a list")
    if int(end) - int(first) > MAX_FLIGHTS:
        raise ValueError(f"at most {MAX_FLIGHTS} seeds")
    return tuple(range(int(first), int(end)))


def read_plan(path: Path, allowed: Sequence[str] = ()) -> Campaign:
    """Read a plan and the files that it names; a folder is that of a run.

    Args:
        path: The plan.
        allowed: Pilots in it whose code may run.

    Raises:
        ConfigError: A value is wrong; the message names file and key.
    """
    file = path / PLAN if path.is_dir() else path
    campaign = campaign_of(validated(Plan, read_yaml(file), file), file)
    for variant in campaign.variants:
        if not is_named(variant.pilot) and variant.pilot not in allowed:
            raise ConfigError(
                f"{file}: the pilot '{variant.pilot}' is code; to run it, add --pilot "
                f"{variant.pilot}"
            )
    return campaign


def campaign_of(plan: Plan, source: Path) -> Campaign:
    """Read the files that a plan names; relative paths start at the folder of `source`.

    Raises:
        ConfigError: A file or a value is wrong.
    """
    folder = source.parent
    names = [_path(name, folder) for name in plan.scenarios if isinstance(name, str)]
    scenarios = read_scenarios(names) if names else []
    for number, script in enumerate(s for s in plan.scenarios if isinstance(s, dict)):
        scenarios.append(validated(Scenario, script, f"{source}: scenarios.{number}"))
    campaign = Campaign(
        scenarios=tuple(scenarios),
        variants=plan.variants or tuple(plan.chosen(folder)),
        seeds=plan.seeds,
        random_seeds=plan.random,
        config=read_yaml(folder / plan.config) if isinstance(plan.config, str) else plan.config,
        why=plan.why,
    )
    labels = [variant.label for variant in campaign.variants]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise ConfigError(f"{source}: two variants are called '{twice[0]}'; rename one")
    return campaign


def plan_of(campaign: Campaign) -> dict[str, Any]:
    """Return a plan that needs no other file than the weights, for the folder of a run."""
    plan: dict[str, Any] = {
        "why": campaign.why,
        "scenarios": [s.model_dump(mode="json", exclude_unset=True) for s in campaign.scenarios],
        "random": _short(campaign.random_seeds),
        "variants": [v.model_dump(mode="json") for v in campaign.variants],
        "config": dict(campaign.config),
    }
    return plan if campaign.seeds is None else {**plan, "seeds": _short(campaign.seeds)}


def plan_digest(content: Mapping[str, Any]) -> str:
    """Return the digest of a plan as its file has it, whatever the order of its keys."""
    return hashlib.sha256(yaml.safe_dump(content).encode()).hexdigest()


def digest_in(folder: Path) -> str:
    """Return the digest of the plan in the folder of a run; empty without a plan."""
    try:
        return plan_digest(read_yaml(folder / PLAN))
    except ConfigError:
        return ""


def _path(name: str, folder: Path) -> Path:
    """Return the path of a scenario; a bare name is one of the shipped scenarios."""
    path = Path(name)
    return path if len(path.parts) == 1 and not path.suffix else folder / path


def _weights(name: str, folder: Path) -> Path:
    """Return the path of weights; a bare name is that of the user's or shipped weights."""
    path = Path(name)
    if len(path.parts) == 1 and not path.suffix and not (folder / path).is_file():
        # The current folder has no say: a plan means the same everywhere.
        known = found_in(WEIGHTS, ".h5").get(name)
        return (known or named(path, WEIGHTS, "network", ".h5")).resolve()
    return (folder / path).resolve()


def _vehicle(name: str, folder: Path) -> VehicleChoice:
    """Return the content of a vehicle file, so that the plan of a run needs no other file."""
    path = Path(name)
    return chosen_vehicle(name if len(path.parts) == 1 and not path.suffix else folder / path)


def _short(seeds: Sequence[int]) -> str | list[int]:
    """Return seeds without gaps as A:B."""
    if seeds and tuple(seeds) == tuple(range(seeds[0], seeds[0] + len(seeds))):
        return f"{seeds[0]}:{seeds[0] + len(seeds)}"
    return list(seeds)
