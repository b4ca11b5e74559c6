"""Options that several commands have, groups of options, and the reading of arguments."""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from itertools import chain, count
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from followme_uav.errors import ConfigError
from followme_uav.perception import DEFAULT_WEIGHTS
from followme_uav.resources import WEIGHTS, named


def weights_named(given: Path | None) -> Path | None:
    """Return the weights that an option stands for: a file, or the name of one (`model2`)."""
    return None if given is None else named(given, WEIGHTS, "network", ".h5")


Weights = Annotated[
    Path,
    typer.Option(
        callback=weights_named,
        help="Weights of the network: a file, the name of one (model1 to model4), or an ONNX "
        "network with its description (NAME.yaml).",
        show_default=f"weights/{DEFAULT_WEIGHTS.name}",
    ),
]
Pilot = Annotated[
    str,
    typer.Option(
        metavar="PILOT",
        help="network, oracle, original, proportional, the pilot of an installed package, or a "
        "class of your own as module:Class or FILE.py:Class.",
    ),
]
Sim = Annotated[str, typer.Option(help="'embedded', or HOST:PORT of a running simulator.")]
Profile = Annotated[
    str | None,
    typer.Option(help="Simulator profile: a name in configs/simulators, or a file."),
]
ConfigFile = Annotated[
    Path | None, typer.Option(help="YAML file; configs/default.yaml has the keys that it lacks.")
]
Overrides = Annotated[
    list[str], typer.Option("--set", metavar="KEY=VALUE", help="Override one key.")
]
Vehicle = Annotated[
    str | None,
    typer.Option(
        help="Vehicle of the embedded simulator: a name in configs/vehicles "
        "(simpleflight, nimble), or a file. `scenario run` and `random` also take 'drawn'.",
        show_default="simpleflight, or as in the world plan",
    ),
]
SkipIncomplete = Annotated[
    bool, typer.Option("--skip-incomplete", help="Skip frames of which a file is missing.")
]
_MOST_DIGITS = 100
"""Of a range of seeds."""

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def with_option_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command have dataclasses as parameters: each of their fields becomes an option.

    Typer reads options from the signature; the one returned has the fields of a dataclass, whose
    annotations are those of options, in place of the parameter itself.
    """
    kinds = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {}
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        if is_dataclass(kinds[name]):
            groups[name] = kinds[name]
            parameters += _options_of(kinds[name])
        else:
            parameters.append(parameter.replace(annotation=kinds[name]))

    @wraps(command)
    def ungrouped(**values: Any) -> None:
        for name, group in groups.items():
            values[name] = group(**{f.name: values.pop(f.name) for f in fields(group)})
        command(**values)

    keyword_only = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    vars(ungrouped)["__signature__"] = inspect.Signature(keyword_only)
    ungrouped.__annotations__ = {p.name: p.annotation for p in parameters}
    return ungrouped


def _options_of(group: Any) -> list[inspect.Parameter]:
    kinds = get_type_hints(group, include_extras=True)
    parameters = []
    for field in fields(group):
        default = inspect.Parameter.empty if field.default is MISSING else field.default
        if field.default_factory is not MISSING:
            default = field.default_factory()
        parameters.append(
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=default,
                annotation=kinds[field.name],
            )
        )
    return parameters


def address(text: str) -> tuple[str, int]:
    """Read HOST:PORT as (host, port); raises `ConfigError`."""
    host, separator, port = text.rpartition(":")
    host = host.strip().removeprefix("[").removesuffix("]")
    number = int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else 0
    if not separator or not host or not 0 < number < 65536:
        raise ConfigError(f"--sim {text}: write 'embedded' or HOST:PORT")
    return host, number


def address_overrides(sim: str) -> list[str]:
    """Return the configuration overrides for the option --sim; raises `ConfigError`."""
    if sim == "embedded":
        return []
    host, port = address(sim)
    return [f"simulator.host={json.dumps(host)}", f"simulator.port={port}"]


def check_embedded(option: str, sim: str) -> None:
    """Refuse an option that only the embedded simulator has; raises `ConfigError`."""
    if sim != "embedded":
        raise ConfigError(
            f"{option} is of the embedded simulator; leave it out with --sim HOST:PORT"
        )


def seed_range(text: str, option: str = "--seeds") -> range:
    """Read A:B as the seeds from A to B-1; raises `ConfigError`."""
    first, _, end = text.partition(":")
    digits = first + end
    is_short = len(digits) <= _MOST_DIGITS  # `int` raises for thousands of digits
    is_number = bool(first and end) and digits.isascii() and digits.isdigit()
    if not (is_short and is_number and int(first) < int(end)):
        raise ConfigError(f"{option} {text:.60}: write it as A:B with A < B")
    return range(int(first), int(end))


def hour_range(text: str, option: str = "--hours") -> tuple[float, float]:
    """Read A:B as times of day in hours, 0 <= A < B <= 24; raises `ConfigError`."""
    try:
        first_h, end_h = (float(part) for part in text.split(":"))
    except ValueError:
        first_h = end_h = math.nan
    if not 0.0 <= first_h < end_h <= 24.0:
        raise ConfigError(f"{option} {text:.60}: write hours as A:B with 0 <= A < B <= 24")
    return first_h, end_h


def free_name(path: Path) -> Path:
    """Return the path, with a number appended to its stem if it exists.

    Two commands that start in the same second would otherwise choose the same name.
    """
    names = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
    return next(name for name in chain((path,), names) if not name.exists())
