"""Writes a flight log during the flight.

The loop puts an entry into a queue; a thread serialises it. The entries of a fraction of a second
make one compressed chunk, which goes to the operating system as soon as it is complete: SIGKILL
loses that chunk and the entries in the queue. A second thread synchronises the file with the disk
at intervals, which limits the loss at a power cut.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from followme_uav.config import FlightConfig
from followme_uav.errors import LogError
from followme_uav.log.entry import FlightEntry
from followme_uav.log.layout import metadata_record
from followme_uav.log.mcap_file import DirectFile
from followme_uav.log.mcap_log import McapLog
from followme_uav.log.schema import SCHEMA_VERSION

_QUEUE_ENTRIES = 4
"""Entries that may wait for the thread: 0.4 s at 10 Hz."""
_IDLE_S = 0.3
"""After this time without an entry, the chunk is ended as it is."""
_DEADLINE_S = 20.0
"""A disk that accepts nothing for this long counts as failed."""


class FlightLogWriter:
    """Writes one flight; a context manager.

    Args:
        path: The file to create, with its folder. The first entry replaces an older file of that
            name; without any entry, the older file stays.
        config: The flight's whole configuration.
        weights_sha256: Of the weights file; empty for a flight without a network.
        metadata: Further properties of the flight, such as its seed.
        chunk_s: Flight time in one chunk; None: the configuration's. Long chunks compress better
            and suit logs that are not written during a flight.
        file: The file at `path`, if `open_log` opened it before; closed here.
        schema_version: Version by whose fields the entries are to be compared; see `edit`.

    Raises `InUseError` when another program writes to the file, and `LogError` when the file cannot
    be written, here and in `write` and `close`. After such an error the file keeps all entries
    written before it, and accepts no more.
    """

    def __init__(
        self,
        path: Path | str,
        config: FlightConfig,
        weights_sha256: str,
        metadata: Mapping[str, str] | None = None,
        *,
        chunk_s: float | None = None,
        file: DirectFile | None = None,
        schema_version: int = SCHEMA_VERSION,
    ) -> None:
        self._path = Path(path)
        self._is_open = True
        self._error: Exception | None = None
        self._queue: queue.Queue[FlightEntry | None] = queue.Queue(_QUEUE_ENTRIES)
        self._thread = threading.Thread(target=self._work, name="flight log", daemon=True)
        self._file = file or open_log(self._path, config)
        record = metadata_record(config, weights_sha256, metadata, schema_version)
        try:
            self._log = McapLog(
                self._file, record, config.log.chunk_s if chunk_s is None else chunk_s
            )
        except OSError as error:
            self._file.close()
            raise _cannot_write(self._path, error) from error
        self._thread.start()

    def write(self, entry: FlightEntry) -> None:
        """Append one entry; blocks only while the queue is full."""
        if not self._is_open:
            raise LogError(f"{self._path}: the log is closed already")
        self._put(entry)
        self._check()

    def close(self) -> None:
        """Write the queued entries, the index and the end mark. Idempotent."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            self._put(None)
            self._thread.join(_DEADLINE_S)
            if self._thread.is_alive():
                self._error = self._error or _disk_timeout()
            self._check()
            self._log.finish()
        except OSError as error:
            raise _cannot_write(self._path, error, self._log.entries) from error
        finally:
            self._file.close()

    def __enter__(self) -> FlightLogWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _put(self, entry: FlightEntry | None) -> None:
        try:
            self._queue.put(entry, timeout=_DEADLINE_S)
        except queue.Full:
            self._error = self._error or _disk_timeout()

    def _check(self) -> None:
        """Raise the error of the thread, if there is one."""
        if self._error is None:
            return
        if self._is_open:
            self._is_open = False
            self._queue.put(None, timeout=_DEADLINE_S)
            self._thread.join(_DEADLINE_S)
            self._file.close()
        if isinstance(self._error, OSError):
            raise _cannot_write(self._path, self._error, self._log.entries) from self._error
        raise self._error

    def _work(self) -> None:
        """Append queued entries until None is queued; after an error, only empty the queue."""
        while True:
            try:
                entry = self._queue.get(timeout=_IDLE_S)
            except queue.Empty:  # the loop waits for a frame: end the chunk, so that it is saved
                self._try(self._log.end_chunk)
                continue
            if entry is None:
                return
            self._try(partial(self._log.append, entry))

    def _try(self, action: Callable[[], None]) -> None:
        if self._error is None:
            try:
                action()
            except Exception as error:  # `_check` raises it in the thread of the caller
                self._error = error


def open_log(path: Path, config: FlightConfig) -> DirectFile:
    """Open the file of a log ahead of its first entry; the file's content stays until then.

    Raises `InUseError` when another program writes to it, and `LogError` when it cannot be opened.
    """
    try:
        return DirectFile(path, config.log.sync_s)
    except OSError as error:
        raise _cannot_write(path, error) from error


def _disk_timeout() -> TimeoutError:
    return TimeoutError(f"the disk accepted nothing for {_DEADLINE_S:g} s")


def _cannot_write(path: Path, error: OSError, entries: int = 0) -> LogError:
    return LogError(
        f"{path}: cannot write the flight log after {entries} entries "
        f"({error.strerror or error}); choose another place with --log"
    )
