"""Writes a flight log while the flight goes on.

The loop hands an entry over and goes on; a thread makes bytes of it. Entries of a part of a second
make one compressed chunk, which the operating system gets as soon as it is complete: that part of
a second, and what waits for the thread, is all that a SIGKILL takes. Another thread has the system
put on the disk what it has, once in a while: what a power cut takes.
"""

from __future__ import annotations

import hashlib
import json
import queue
import threading
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import TracebackType

from foxglove_schemas_protobuf.CompressedImage_pb2 import CompressedImage
from google.protobuf.message import Message
from mcap.writer import CompressionType, Writer
from mcap_protobuf.schema import register_schema

from followme_uav import __version__
from followme_uav.config import FlightConfig
from followme_uav.errors import LogError
from followme_uav.log.entry import EncodedImage, FlightEntry
from followme_uav.log.images import encode_lossless, encode_mask
from followme_uav.log.mcap_file import DirectFile
from followme_uav.log.schema import MESSAGES, SCHEMA_VERSION, to_message

PROFILE = "followme-uav"

TOPICS: dict[str, type] = {
    "/entry": MESSAGES["Entry"],
    "/vehicle": MESSAGES["Frame"],
    "/step": MESSAGES["Step"],
    "/transition": MESSAGES["Transition"],
    "/truth": MESSAGES["GroundTruth"],
    "/timing": MESSAGES["LoopTimings"],
    "/truth/mask": CompressedImage,
    "/camera/mask": CompressedImage,
    "/camera/image": CompressedImage,
}
"""Message type of each topic, in the order in which an entry is written."""

_WAITING = 4
"""Entries that may wait for the thread: 0.4 s at 10 Hz."""
_IDLE_S = 0.3
"""After so long without an entry the chunk is ended as it is."""
_PATIENCE_S = 20.0
"""A disk that takes nothing for so long counts as broken."""
_CHUNK_BYTES = 1 << 20
"""No chunk grows larger, however long a time it shall hold."""


class FlightLogWriter:
    """Writes one flight; a context manager.

    Args:
        path: The file to create. Its folder is created; an older file of that name is replaced when
            the first entry comes, and stays if none does.
        config: The flight's whole configuration.
        weights_sha256: Of the weights file; empty when no network flies.
        metadata: More to remember about the flight, such as its seed.
        chunk_s: Flight time in one chunk; None: the configuration's. Long for what is no flight in
            progress: larger chunks compress better.
        file: The file at `path`, if it was opened before by `open_log`; closed here.

    Raises `InUseError` when somebody else writes to the file, and `LogError` when it cannot be
    written, here and in `write` and `close`. After such an error the file keeps all entries written
    before it, and takes no more.
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
    ) -> None:
        self._path = Path(path)
        self._chunk_s = config.log.chunk_s if chunk_s is None else chunk_s
        self._chunk_from_s: float | None = None
        self._written = 0
        self._open = True
        self._error: Exception | None = None
        self._waiting: queue.Queue[FlightEntry | None] = queue.Queue(_WAITING)
        self._thread = threading.Thread(target=self._work, name="flight log", daemon=True)
        self._file = file or open_log(self._path, config)
        self._writer = Writer(
            self._file,
            chunk_size=_CHUNK_BYTES,
            compression=CompressionType.ZSTD,
            enable_data_crcs=True,
        )
        try:
            self._writer.start(profile=PROFILE, library=f"followme-uav {__version__}")
            self._writer.add_metadata(PROFILE, _metadata_record(config, weights_sha256, metadata))
            if not self._file.is_untouched:
                self._file.begin()
        except OSError as error:
            self._open = False
            self._file.close()
            raise _cannot_write(self._path, error) from error
        self._channels = {
            topic: self._writer.register_channel(
                topic, "protobuf", register_schema(self._writer, kind)
            )
            for topic, kind in TOPICS.items()
        }
        self._thread.start()

    def write(self, entry: FlightEntry) -> None:
        """Append one entry; only waits when the disk is behind."""
        if not self._open:
            raise LogError(f"{self._path}: the log is closed already")
        self._hand_over(entry)
        self._check()

    def close(self) -> None:
        """Write what waits, index and end mark. Closing again does nothing."""
        if not self._open:
            return
        self._open = False
        try:
            self._hand_over(None)
            self._thread.join(_PATIENCE_S)
            if self._thread.is_alive():
                self._error = self._error or TimeoutError("the disk takes nothing")
            self._check()
            if not self._file.is_untouched:
                self._writer.finish()
        except OSError as error:
            raise _cannot_write(self._path, error, self._written) from error
        finally:
            self._file.close()

    def __enter__(self) -> FlightLogWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _hand_over(self, entry: FlightEntry | None) -> None:
        try:
            self._waiting.put(entry, timeout=_PATIENCE_S)
        except queue.Full:
            self._error = self._error or TimeoutError("the disk takes nothing")

    def _check(self) -> None:
        """Raise what went wrong in the thread."""
        if self._error is None:
            return
        if self._open:
            self._open = False
            self._waiting.put(None, timeout=_PATIENCE_S)
            self._thread.join(_PATIENCE_S)
            self._file.close()
        if isinstance(self._error, OSError):
            raise _cannot_write(self._path, self._error, self._written) from self._error
        raise self._error

    def _work(self) -> None:
        """The thread: until None comes. After an error it only empties the queue."""
        while True:
            try:
                entry = self._waiting.get(timeout=_IDLE_S)
            except queue.Empty:  # the flight waits for something: nothing is lost meanwhile
                self._try(self._end_chunk)
                continue
            if entry is None:
                return
            self._try(partial(self._append, entry))

    def _try(self, action: Callable[[], None]) -> None:
        if self._error is None:
            try:
                action()
            except Exception as error:  # raised again where somebody can act on it
                self._error = error

    def _append(self, entry: FlightEntry) -> None:
        self._file.begin()
        time_ns = max(0, round(entry.frame.time_s * 1e9))
        parts = _messages(entry, time_ns)
        for topic in TOPICS:
            if topic in parts:
                self._writer.add_message(
                    self._channels[topic],
                    time_ns,
                    parts[topic].SerializeToString(deterministic=True),
                    time_ns,
                    self._written,
                )
        self._written += 1
        if self._chunk_from_s is None:
            self._chunk_from_s = entry.frame.time_s
        if entry.frame.time_s >= self._chunk_from_s + self._chunk_s:
            self._end_chunk()

    def _end_chunk(self) -> None:
        self._chunk_from_s = None
        self._writer.flush()


def open_log(path: Path, config: FlightConfig) -> DirectFile:
    """A log's file, before there is anything to write; what is in it stays until then.

    Raises `InUseError` when somebody else writes to it, and `LogError` when it cannot be opened.
    """
    try:
        return DirectFile(path, config.log.sync_s)
    except OSError as error:
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: OSError, entries: int = 0) -> LogError:
    return LogError(
        f"{path}: cannot write the flight log after {entries} entries "
        f"({error.strerror or error}); choose another place with --log"
    )


def record_digest(record: Mapping[str, str]) -> str:
    """MCAP has no checksum for metadata, so the record carries one of its own."""
    rest = {key: value for key, value in record.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _metadata_record(
    config: FlightConfig, weights_sha256: str, extra: Mapping[str, str] | None
) -> dict[str, str]:
    record = {
        "schema_version": str(SCHEMA_VERSION),
        "package_version": __version__,
        "mcap_version": version("mcap"),
        "weights_sha256": weights_sha256,
        "config": config.model_dump_json(),
        "extra": json.dumps(dict(extra or {}), sort_keys=True),
    }
    return {**record, "sha256": record_digest(record)}


def _messages(entry: FlightEntry, time_ns: int) -> dict[str, Message]:
    """By topic: all that an entry becomes."""
    parts: dict[str, Message] = {
        "/vehicle": to_message(entry.frame),
        "/step": to_message(entry.step),
        "/timing": to_message(entry.timings),
    }
    if entry.step.transition is not None:
        parts["/transition"] = to_message(entry.step.transition)
    if entry.truth is not None:
        parts["/truth"] = to_message(entry.truth)
        parts["/truth/mask"] = _image(EncodedImage(encode_mask(entry.truth.mask), "png"), time_ns)
    if entry.step.mask is not None:
        parts["/camera/mask"] = _image(EncodedImage(encode_mask(entry.step.mask), "png"), time_ns)
    picture = entry.encoded_image or encode_lossless(entry.frame.rgb)
    if picture is not None:
        parts["/camera/image"] = _image(picture, time_ns)
    parts["/entry"] = MESSAGES["Entry"](parts=len(parts))
    return parts


def _image(picture: EncodedImage, time_ns: int) -> Message:
    message = CompressedImage(frame_id="camera", format=picture.format, data=picture.data)
    message.timestamp.FromNanoseconds(time_ns)
    return message
