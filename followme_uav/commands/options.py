"""What commands share: options, and how arguments are read and files are written."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path
from typing import Annotated

import typer

from followme_uav.errors import ConfigError
from followme_uav.files import is_same_file
from followme_uav.perception import DEFAULT_WEIGHTS
from followme_uav.sole_use import check_free

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
    if not separator or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(f"--sim {text}: write 'embedded' or HOST:PORT")
    return host.strip("[]"), int(port)


def seed_range(text: str) -> range:
    """A:B as the seeds from A up to and without B; raises `ConfigError` otherwise."""
    first, _, end = text.partition(":")
    if not (first.isdigit() and end.isdigit() and int(first) < int(end)):
        raise ConfigError(f"--seeds {text}: write it as A:B with A < B")
    return range(int(first), int(end))


def check_writable(path: Path, *inputs: Path | None) -> None:
    """Know it before the flight, not after; a file that is there keeps its content.

    Raises:
        ConfigError: The file cannot be written, or is one of the command's own inputs.
        InUseError: Another process writes it.
    """
    for kept in inputs:
        if kept is not None and is_same_file(kept, path):
            raise ConfigError(f"{path}: would overwrite {kept}, which is read; choose another file")
    check_free(path)
    with writing(path):
        if path.exists():
            path.open("ab").close()
            return
        probe = path.with_name(f".{path.name}.{os.getpid()}.part")  # not a name that others use
        probe.open("xb").close()
        probe.unlink()


def free_name(path: Path) -> Path:
    """The path, or one with a number where that is taken: two may start in the same second."""
    names = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
    return next(name for name in chain((path,), names) if not name.exists())


def write_json(path: Path, data: object) -> None:
    """Write a JSON file; raises `ConfigError` where that cannot be."""
    with writing(path):
        path.write_text(json.dumps(data, indent=2, allow_nan=False) + "\n", encoding="utf-8")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Makes the file's folder; trouble becomes one line."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except (FileExistsError, NotADirectoryError) as error:
        raise ConfigError(f"{path}: {error.filename} is no folder; choose another file") from error
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot write ({error.strerror}); choose another file"
        ) from error
