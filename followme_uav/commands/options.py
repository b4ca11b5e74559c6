"""What commands share: options, and how arguments are read."""

from __future__ import annotations

from itertools import chain, count
from pathlib import Path
from typing import Annotated

import typer

from followme_uav.errors import ConfigError
from followme_uav.perception import DEFAULT_WEIGHTS

Weights = Annotated[
    Path,
    typer.Option(help="Weights of the network.", show_default=f"weights/{DEFAULT_WEIGHTS.name}"),
]
Sim = Annotated[str, typer.Option(help="'embedded', or HOST:PORT of a running simulator.")]
Profile = Annotated[
    str | None,
    typer.Option(help="Simulator profile, by name in configs/simulators or as a file."),
]
SkipIncomplete = Annotated[
    bool, typer.Option("--skip-incomplete", help="Leave frames out of which a file is missing.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def address(text: str) -> tuple[str, int]:
    """HOST:PORT as (host, port); raises `ConfigError` otherwise."""
    host, separator, port = text.rpartition(":")
    host = host.strip().removeprefix("[").removesuffix("]")
    number = int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else 0
    if not separator or not host or not 0 < number < 65536:
        raise ConfigError(f"--sim {text}: write 'embedded' or HOST:PORT")
    return host, number


def seed_range(text: str) -> range:
    """A:B as the seeds from A up to and without B; raises `ConfigError` otherwise."""
    first, _, end = text.partition(":")
    digits = first + end
    if not (first and end and digits.isascii() and digits.isdigit() and int(first) < int(end)):
        raise ConfigError(f"--seeds {text}: write it as A:B with A < B")
    return range(int(first), int(end))


def free_name(path: Path) -> Path:
    """The path, or one with a number where that is taken: two may start in the same second."""
    names = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
    return next(name for name in chain((path,), names) if not name.exists())
