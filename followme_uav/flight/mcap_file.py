"""The file under a flight log that is being written: writes that reach the disk at once."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

_PATIENCE_S = 20.0
"""A disk that takes longer will not take it at all."""

_CANNOT_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EROFS)  # a device or pipe, not a disk's file
_sync = getattr(os, "fdatasync", os.fsync)  # not on every system


class DirectFile:
    """A file whose every write reaches the operating system whole, or raises `OSError`.

    Every `sync_s` seconds a thread has the system put what it has on the disk. That may take long,
    and nobody waits for it; when the disk refuses, the next write raises.
    """

    def __init__(self, path: Path, sync_s: float) -> None:
        self._raw = path.open("wb", buffering=0)
        self._position = 0
        self._error: OSError | None = None
        self._closed = threading.Event()
        self._syncer = threading.Thread(
            target=self._keep_safe, args=(sync_s,), name="log to disk", daemon=True
        )
        _sync_folder(path.parent)
        self._syncer.start()

    def write(self, data: bytes) -> int:
        """Write all of `data`; returns its length."""
        if self._error is not None:
            raise self._error
        rest = memoryview(data)
        while rest:
            rest = rest[self._raw.write(rest) :]
        self._position += len(data)
        return len(data)

    def tell(self) -> int:
        """Bytes written so far."""
        return self._position

    def flush(self) -> None:
        """There is no buffer."""

    def close(self) -> None:
        """Put everything on the disk and give the file back."""
        self._closed.set()
        self._syncer.join(_PATIENCE_S)
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
