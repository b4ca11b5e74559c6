"""The file under a flight log that is being written: writes that reach the disk at once."""

from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path

from followme_uav.sole_use import open_alone

_PATIENCE_S = 20.0
"""A disk that takes longer will not take it at all."""

_CANNOT_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EROFS)  # a device or pipe, not a disk's file
_sync = getattr(os, "fdatasync", os.fsync)  # not on every system


class DirectFile:
    """A file whose every write reaches the operating system whole, or raises `OSError`.

    Every `sync_s` seconds a thread has the system put what it has on the disk. That may take long,
    and nobody waits for it; when the disk refuses, the next write raises.

    Nobody else of this program can write to the file until it is closed. What was in it stays until
    `begin`; closed before, the file is as it was, or not there if it was not.

    Raises `InUseError` when somebody writes to it, and `OSError`.
    """

    def __init__(self, path: Path, sync_s: float) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        number = open_alone(path)
        self._raw = os.fdopen(number, "wb", buffering=0)
        self._is_old = os.fstat(number).st_size > 0
        self._waiting: list[bytes] | None = []
        self._position = 0
        self._error: OSError | None = None
        self._closed = threading.Event()
        self._syncer = threading.Thread(
            target=self._keep_safe, args=(sync_s,), name="log to disk", daemon=True
        )
        _sync_folder(path.parent)
        self._syncer.start()

    def write(self, data: bytes) -> int:
        """Write all of `data`, or keep it until `begin`; returns its length."""
        if self._error is not None:
            raise self._error
        if self._waiting is not None:
            self._waiting.append(data)
        else:
            rest = memoryview(data)
            while rest:
                rest = rest[self._raw.write(rest) :]
        self._position += len(data)
        return len(data)

    def begin(self) -> None:
        """Replace what is in the file by what was written; from now on nothing is kept back."""
        if self._waiting is None:
            return
        waiting, self._waiting = self._waiting, None
        if self._is_old:
            self._raw.truncate(0)
        self._position = 0
        for data in waiting:
            self.write(data)

    @property
    def is_untouched(self) -> bool:
        """Whether the file holds what it held before this flight."""
        return self._waiting is not None and self._is_old

    def tell(self) -> int:
        """Bytes written so far."""
        return self._position

    def flush(self) -> None:
        """There is no buffer."""

    def close(self) -> None:
        """Put everything on the disk and give the file back. Closing again does nothing."""
        if self._raw.closed:
            return
        self._closed.set()
        self._syncer.join(_PATIENCE_S)
        found = os.fstat(self._raw.fileno())
        if self._waiting is not None and stat.S_ISREG(found.st_mode) and not found.st_size:
            self._path.unlink(missing_ok=True)  # made here, for a flight that never was
        self._raw.close()

    def _keep_safe(self, sync_s: float) -> None:
        is_last = False
        while not is_last:
            is_last = self._closed.wait(sync_s)
            try:
                _sync(self._raw.fileno())
            except OSError as error:
                if error.errno not in _CANNOT_SYNC:
                    self._error = error
                return


def _sync_folder(folder: Path) -> None:
    """Make sure that after a power cut the file is there at all."""
    try:
        number = os.open(folder, os.O_RDONLY)
    except OSError:
        return  # a folder that may be written to, but not read
    try:
        os.fsync(number)
    except OSError:
        pass
    finally:
        os.close(number)
