"""The file of a flight log that is being written: unbuffered, synchronised with the disk."""

from __future__ import annotations

import errno
import logging
import os
import stat
import threading
from pathlib import Path

from followme_uav.sole_use import open_alone

logger = logging.getLogger(__name__)

_CLOSE_DEADLINE_S = 20.0
"""`close` does not wait longer for a disk."""

_CANNOT_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EROFS)  # a device or pipe, no file on a disk
_sync = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


class DirectFile:
    """A file whose every write reaches the operating system whole, or raises `OSError`.

    Every `sync_s` seconds a thread synchronises the file with the disk. Writes do not wait for it;
    when it fails, the next write raises.

    The file is locked against other writers of this program until it is closed. It keeps its former
    content until `begin`; closed before, it is as it was, and a new file is removed.

    Raises `InUseError` when another writer has it open, and `OSError`.
    """

    def __init__(self, path: Path, sync_s: float) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        number = open_alone(path)
        self._raw = os.fdopen(number, "wb", buffering=0)
        self._had_content = os.fstat(number).st_size > 0
        self._held_back: list[bytes] | None = []
        """Data written before `begin`; None after it."""
        self._position = 0
        self._error: OSError | None = None
        self._closed = threading.Event()
        self._syncer = threading.Thread(
            target=self._sync_regularly, args=(sync_s,), name="log to disk", daemon=True
        )
        _sync_folder(path.parent)
        self._syncer.start()

    def write(self, data: bytes) -> int:
        """Write all of `data`, or keep it until `begin`; returns its length."""
        if self._error is not None:
            raise self._error
        if self._held_back is not None:
            self._held_back.append(data)
        else:
            rest = memoryview(data)
            while rest:
                rest = rest[self._raw.write(rest) :]
        self._position += len(data)
        return len(data)

    def begin(self) -> None:
        """Replace the file's content by the data written so far; hold back nothing from now on."""
        if self._held_back is None:
            return
        held_back, self._held_back = self._held_back, None
        if self._had_content:
            logger.info("%s: the former flight log is replaced.", self._path)
            self._raw.truncate(0)
        self._position = 0
        for data in held_back:
            self.write(data)

    @property
    def is_untouched(self) -> bool:
        """Whether the file still has content from before this flight."""
        return self._held_back is not None and self._had_content

    def tell(self) -> int:
        """Position in bytes, as `mcap.writer` asks for it."""
        return self._position

    def flush(self) -> None:
        """Do nothing: there is no buffer."""

    def close(self) -> None:
        """Synchronise with the disk and unlock the file. Idempotent."""
        if self._raw.closed:
            return
        self._closed.set()
        self._syncer.join(_CLOSE_DEADLINE_S)
        if self._syncer.is_alive():
            logger.warning(
                "%s: the disk has not stored the end of the log within %g s.",
                *(self._path, _CLOSE_DEADLINE_S),
            )
        found = os.fstat(self._raw.fileno())
        if self._held_back is not None and stat.S_ISREG(found.st_mode) and not found.st_size:
            self._path.unlink(missing_ok=True)  # created here, and no entry came
        self._raw.close()

    def _sync_regularly(self, sync_s: float) -> None:
        is_last = False
        while not is_last:
            is_last = self._closed.wait(sync_s)
            try:
                _sync(self._raw.fileno())
            except OSError as error:
                if error.errno not in _CANNOT_SYNC:
                    self._error = error
                else:
                    logger.debug("%s: cannot be synchronised (%s).", self._path, error.strerror)
                return


def _sync_folder(folder: Path) -> None:
    """Synchronise the folder, so that the file's name survives a power cut."""
    try:
        number = os.open(folder, os.O_RDONLY)
    except OSError:
        return  # a folder with permission to write, but not to read
    try:
        os.fsync(number)
    except OSError:
        pass
    finally:
        os.close(number)
