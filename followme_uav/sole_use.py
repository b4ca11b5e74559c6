"""Locks outputs: one process at a time writes to a file or folder, a second one gets an error.

The locks are those of the operating system (`flock`): they end with the process, however it ends,
and apply to a file or folder under all its names. They bind this program alone, and do not prevent
reading. On a file system without locks nothing is refused.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from followme_uav.errors import InUseError

logger = logging.getLogger(__name__)

_ATTEMPTS, _PAUSE_S = 10, 0.02
"""`check_free` in another process holds a lock for a moment."""
_BUSY = (errno.EWOULDBLOCK, errno.EACCES)
_ours: set[tuple[int, int]] = set()
"""Device and inode of the files and folders that this process has locked by `sole_use`."""


@contextmanager
def sole_use(path: Path) -> Iterator[None]:
    """Lock a folder, or the name of a file that will be replaced, against other processes.

    A path is a folder if it exists as one. For a file the lock is on `.NAME.lock` beside it, since
    the file itself will be replaced; the folder of the file must exist.

    Raises `InUseError` when another process holds the lock.
    """
    is_folder = path.is_dir()
    place = path if is_folder else lock_beside(path)
    try:
        number = _open(place, os.O_RDONLY if is_folder else os.O_RDWR | os.O_CREAT, path)
    except OSError:  # cannot be opened: the error of writing is clearer
        yield
        return
    key = _identity(number)
    _ours.add(key)
    try:
        yield
    finally:
        _ours.discard(key)
        if not is_folder:
            with suppress(OSError):
                place.unlink()  # while it is locked: it cannot be that of another process
        os.close(number)


def open_alone(path: Path) -> int:
    """Open a file for writing in place, its content kept; locked until the descriptor is closed.

    Raises `InUseError` when another process writes to it, and `OSError`.
    """
    return _open(path, os.O_WRONLY | os.O_CREAT, path)


def check_free(path: Path) -> None:
    """Raise `InUseError` when another process writes to this file, or is about to replace it."""
    for place in (path, lock_beside(path)):
        try:
            number = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            continue  # missing or unreadable: the error of writing is clearer
        try:
            if _identity(number) not in _ours and stat.S_ISREG(os.fstat(number).st_mode):
                _lock(number, fcntl.LOCK_SH, path)
        finally:
            os.close(number)


def lock_beside(path: Path) -> Path:
    """Return the file that is locked in place of one that will be replaced."""
    return path.parent / f".{path.name}.lock"


def _open(place: Path, flags: int, path: Path) -> int:
    """Open and lock; repeat if another process has replaced the file meanwhile."""
    while True:
        number = os.open(place, flags | os.O_CLOEXEC, 0o666)
        try:
            mode = os.fstat(number).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                return number  # a device or a pipe
            _lock(number, fcntl.LOCK_EX, path)
            if _is_still(place, number):
                return number
        except BaseException:
            os.close(number)
            raise
        os.close(number)


def _lock(number: int, kind: int, path: Path) -> None:
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE_S)
        try:
            fcntl.flock(number, kind | fcntl.LOCK_NB)
            return
        except OSError as error:
            if error.errno not in _BUSY:
                logger.debug("%s: this file system has no locks (%s).", path, error.strerror)
                return
    raise InUseError(
        f"{path}: another process is writing there; wait until it has ended, or choose another "
        "place"
    )


def _is_still(place: Path, number: int) -> bool:
    try:
        found = os.stat(place)
    except FileNotFoundError:
        return False
    return (found.st_dev, found.st_ino) == _identity(number)


def _identity(number: int) -> tuple[int, int]:
    found = os.fstat(number)
    return found.st_dev, found.st_ino
