"""The flight log: an MCAP file that a flight writes as it goes, and that gives back what was flown.

One `FlightEntry` becomes a handful of messages that share a sequence number; `docs/flight_log.md`
describes them. Reading gives back equal entries: same numbers to the last bit, same pixels. Log
time is simulation time, so that two lockstep flights with the same seed differ in `/timing` only.

A flight may end by SIGKILL, a full disk or a power cut. So the file is cut into small chunks, each
handed to the operating system as soon as it is complete, and a log without an end is read up to its
last complete entry.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any

from foxglove_schemas_protobuf.CompressedImage_pb2 import CompressedImage
from google.protobuf.message import DecodeError
from mcap.records import Channel, Message, Metadata
from mcap.writer import CompressionType, Writer
from mcap_protobuf.schema import register_schema
from pydantic import ValidationError

from followme_uav import __version__
from followme_uav.config import FlightConfig, of_older_version
from followme_uav.errors import LogError
from followme_uav.flight.entry import FlightEntry, LoopTimings
from followme_uav.flight.mcap_file import DirectFile, is_truncated, read_records
from followme_uav.flight.png import decode_png, encode_png
from followme_uav.flight.schema import MESSAGES, SCHEMA_VERSION, from_message, to_message
from followme_uav.messages import RgbImage

__all__ = [
    "FlightEntry",
    "FlightLog",
    "FlightLogWriter",
    "LogMetadata",
    "LoopTimings",
    "content_digest",
    "read_log",
]

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

_CHUNK_BYTES = 2048
"""A chunk ends when it is this full. The image comes last in an entry and is larger than this, so
normally each entry ends a chunk; of entries without images (400 bytes) at most six share one."""


@dataclass(frozen=True)
class LogMetadata:
    """What a flight depended on."""

    config: FlightConfig
    weights_sha256: str
    package_version: str
    extra: Mapping[str, str] = field(default_factory=dict)
    """Whatever the flight added: seed, simulator, versions of libraries."""


class FlightLogWriter:
    """Writes one flight; a context manager.

    Args:
        path: The file to create. Its folder is created; an older file of that name is replaced.
        config: The flight's whole configuration.
        weights_sha256: Of the weights file; empty when no network flies.
        metadata: More to remember about the flight, such as its seed.

    Raises `LogError` when the file cannot be written, here and in `write` and `close`. After such
    an error the file keeps all entries written before it, and takes no more.
    """

    def __init__(
        self,
        path: Path | str,
        config: FlightConfig,
        weights_sha256: str,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        self._path = Path(path)
        self._entries = 0
        self._open = True
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = DirectFile(self._path)
        except OSError as error:
            raise LogError(self._cannot_write(error)) from error
        self._writer = Writer(self._file, chunk_size=_CHUNK_BYTES, compression=CompressionType.NONE)
        try:
            self._writer.start(profile=PROFILE, library=f"followme-uav {__version__}")
            self._writer.add_metadata(PROFILE, _metadata_record(config, weights_sha256, metadata))
        except OSError as error:
            raise self._broken(error) from error
        self._channels = {
            topic: self._writer.register_channel(
                topic, "protobuf", register_schema(self._writer, kind)
            )
            for topic, kind in TOPICS.items()
        }

    def write(self, entry: FlightEntry) -> None:
        """Append one entry; when this returns, the operating system has it (see `_CHUNK_BYTES`)."""
        if not self._open:
            raise LogError(f"{self._path}: the log is closed already")
        parts: dict[str, Any] = {
            "/vehicle": to_message(entry.frame),
            "/step": to_message(entry.step),
            "/timing": to_message(entry.timings),
        }
        if entry.step.transition is not None:
            parts["/transition"] = to_message(entry.step.transition)
        if entry.truth is not None:
            parts["/truth"] = to_message(entry.truth)
            parts["/truth/mask"] = _image_message(entry.truth.mask, entry.frame.time_s)
        if entry.step.mask is not None:
            parts["/camera/mask"] = _image_message(entry.step.mask, entry.frame.time_s)
        if entry.frame.rgb is not None:
            parts["/camera/image"] = _image_message(entry.frame.rgb, entry.frame.time_s)
        parts["/entry"] = MESSAGES["Entry"](parts=len(parts))
        data = {topic: part.SerializeToString(deterministic=True) for topic, part in parts.items()}
        time_ns = _nanoseconds(entry.frame.time_s)
        try:
            for topic in TOPICS:
                if topic in data:
                    self._writer.add_message(
                        self._channels[topic], time_ns, data[topic], time_ns, self._entries
                    )
        except OSError as error:
            raise self._broken(error) from error
        self._entries += 1

    def close(self) -> None:
        """Write index and end mark. Closing again does nothing."""
        if not self._open:
            return
        try:
            self._writer.finish()
        except OSError as error:
            raise self._broken(error) from error
        self._open = False
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

    def _broken(self, error: OSError) -> LogError:
        self._open = False
        self._file.close()
        return LogError(self._cannot_write(error))

    def _cannot_write(self, error: OSError) -> str:
        return (
            f"{self._path}: cannot write the flight log after {self._entries} entries "
            f"({error.strerror or error}); choose another place with --log"
        )


@dataclass(frozen=True)
class FlightLog:
    """A log on disk, opened by `read_log`."""

    path: Path
    metadata: LogMetadata
    truncated: bool
    """The file has no end mark: the flight was cut off, or is still going on."""

    def entries(self) -> Iterator[FlightEntry]:
        """All complete entries, exactly as they were written.

        Raises `LogError` when the file is damaged. In a truncated log the first unreadable byte
        counts as the end.
        """
        for sequence, parts in _grouped(self.path, self.truncated):
            try:
                entry = _entry(parts)
            except KeyError as error:
                raise LogError(
                    f"{self.path}: entry {sequence} has no {error.args[0]} message"
                ) from error
            except (DecodeError, ValueError, TypeError) as error:
                raise _damaged(self.path, f"entry {sequence}: {error}") from error
            yield entry


def read_log(path: Path | str) -> FlightLog:
    """Open a flight log and read what the flight depended on.

    Raises `LogError` for a file that is missing, foreign, damaged or made by a newer version.
    """
    path = Path(path)
    truncated = is_truncated(path)
    for record in read_records(path, truncated):
        if isinstance(record, Metadata) and record.name == PROFILE:
            return FlightLog(path, _parse_metadata(path, record.metadata), truncated)
        if isinstance(record, Message):
            break
    raise LogError(
        f"{path}: an MCAP file, but no flight log; pass a file that 'followme-uav fly --log' wrote"
    )


def content_digest(path: Path | str) -> str:
    """SHA-256 over everything the flight saw, decided and met: all messages but `/timing`.

    Two lockstep flights with equal seed, configuration and weights have equal digests.
    """
    log = read_log(path)
    digest = hashlib.sha256()
    for _, parts in _grouped(log.path, log.truncated):
        for topic, message in parts.items():
            if topic != "/timing":
                digest.update(struct.pack("<QQ", message.log_time, len(message.data)))
                digest.update(topic.encode() + message.data)
    return digest.hexdigest()


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
    return {**record, "sha256": _record_digest(record)}


def _record_digest(record: Mapping[str, str]) -> str:
    """MCAP has no checksum for metadata, so the record carries one of its own."""
    rest = {key: value for key, value in record.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _parse_metadata(path: Path, record: Mapping[str, str]) -> LogMetadata:
    schema_version = record.get("schema_version", "")
    if schema_version.isdecimal() and int(schema_version) > SCHEMA_VERSION:
        raise LogError(
            f"{path}: written by followme-uav {record.get('package_version', '?')} in log version "
            f"{schema_version}, this one reads up to {SCHEMA_VERSION}; update followme-uav"
        )
    if record.get("sha256") != _record_digest(record):
        raise _damaged(path, "the checksum of its metadata is wrong")
    try:
        config = _parse_config(json.loads(record["config"]))
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(part) for part in problem["loc"])
        raise LogError(
            f"{path}: its configuration does not fit this version: {key}: {problem['msg']}; "
            f"use followme-uav {record['package_version']}"
        ) from error
    return LogMetadata(
        config, record["weights_sha256"], record["package_version"], json.loads(record["extra"])
    )


def _parse_config(data: dict[str, Any]) -> FlightConfig:
    try:
        return FlightConfig.model_validate(data)
    except ValidationError:  # settings come and go more often than the schema changes
        return FlightConfig.model_validate(of_older_version(data))


def _nanoseconds(time_s: float) -> int:
    return max(0, round(time_s * 1e9))


def _image_message(image: RgbImage, time_s: float) -> Any:
    message = CompressedImage(frame_id="camera", format="png", data=encode_png(image))
    message.timestamp.FromNanoseconds(_nanoseconds(time_s))
    return message


def _entry(parts: Mapping[str, Message]) -> FlightEntry:
    def image(topic: str) -> Any:
        if topic not in parts:
            return None
        return decode_png(CompressedImage.FromString(parts[topic].data).data)

    def message(topic: str) -> Any:
        return TOPICS[topic].FromString(parts[topic].data)  # type: ignore[attr-defined]

    truth = None
    if "/truth" in parts:
        if "/truth/mask" not in parts:
            raise KeyError("/truth/mask")
        truth = from_message(message("/truth"), mask=image("/truth/mask"))
    return FlightEntry(
        frame=from_message(message("/vehicle"), rgb=image("/camera/image")),
        step=from_message(message("/step"), mask=image("/camera/mask")),
        truth=truth,
        timings=from_message(message("/timing")),
    )


def _grouped(path: Path, truncated: bool) -> Iterator[tuple[int, dict[str, Message]]]:
    """(sequence, messages by topic) of each complete entry, in the order of flight.

    Only the last entry can be incomplete, where the flight was cut off while writing it.
    """
    topics: dict[int, str] = {}
    parts: dict[str, Message] = {}
    expected = sequence = 0
    for record in read_records(path, truncated):
        if isinstance(record, Channel):
            topics[record.id] = record.topic
        elif isinstance(record, Message):
            topic = topics.get(record.channel_id, "")
            if topic == "/entry":
                missing = sorted(TOPICS.keys() - set(topics.values()))
                if missing:
                    raise LogError(
                        f"{path}: channel {missing[0]} is missing; the log was filtered or cut"
                    )
                if record.sequence != sequence:
                    raise _damaged(path, f"entry {sequence} is missing")
                expected = _expected_parts(path, record)
                parts = {}
            elif topic in TOPICS and record.sequence == sequence:
                parts[topic] = record
                if len(parts) == expected:
                    yield sequence, parts
                    sequence, expected = sequence + 1, 0


def _expected_parts(path: Path, record: Message) -> int:
    try:
        return int(MESSAGES["Entry"].FromString(record.data).parts)  # type: ignore[attr-defined]
    except DecodeError as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, detail: str) -> LogError:
    return LogError(f"{path}: the flight log is damaged: {detail}")
