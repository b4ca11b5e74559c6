"""Files that are written whole or not at all: whoever reads one never sees half of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from followme_uav.errors import DataError
from followme_uav.sole_use import check_free, sole_use


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Gives another name in the same folder to write to; then it becomes `path`.

    When writing fails, what was at `path` is still there, and the other file is gone.

    Raises `InUseError` when another process is writing to `path`, as a flight to its log.
    """
    check_free(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        check_free(path)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def is_same_file(first: Path, second: Path) -> bool:
    """Whether two names stand for one file: through links, relative paths or other spelling."""
    try:
        return first.samefile(second)
    except OSError:  # one of them is not there
        return first.resolve() == second.resolve()


def write_data(path: Path, content: bytes) -> None:
    """Writes a file of a data set or a result whole.

    Raises:
        DataError: It cannot be written.
    """
    try:
        with written_whole(path) as part:
            part.write_bytes(content)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})") from error


def make_data_folder(folder: Path) -> None:
    """Makes a folder for them, if it is not there.

    Raises:
        DataError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder}: cannot be made ({error.strerror}); choose another") from error


@contextmanager
def sole_folder(folder: Path) -> Iterator[None]:
    """Holds a folder of results against other processes; made if it is not there.

    Raises:
        DataError: It cannot be made.
        InUseError: Another process writes to it.
    """
    is_new = not folder.exists()
    make_data_folder(folder)
    try:
        with sole_use(folder):
            yield
    finally:
        if is_new:
            with suppress(OSError):
                folder.rmdir()  # if nothing came into it
