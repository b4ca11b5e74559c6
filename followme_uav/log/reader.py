"""Reads flight logs: MCAP files whose messages give back the entries of a flight.

The messages of a `FlightEntry` share a sequence number; `docs/flight_log.md` describes them. The
entries that are read equal those that were written: same numbers to the last bit, same pixels. Log
time is simulation time, so two lockstep flights with the same seed differ in `/timing` only. A log
without an end mark is read up to its last complete entry.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import struct
from collections.abc import Collection, Container, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from mcap.records import Message
from pydantic import ValidationError

from followme_uav.config import FlightConfig, of_older_version
from followme_uav.decoding import decode_grey_jpeg
from followme_uav.errors import LogError
from followme_uav.log.entries import entries_of
from followme_uav.log.entry import EncodedImage, FlightEntry
from followme_uav.log.images import decode_camera_image
from followme_uav.log.layout import PROFILE, TOPICS, record_digest
from followme_uav.log.mcap_records import Records
from followme_uav.log.png import decode_png
from followme_uav.log.schema import SCHEMA_VERSION, from_message

logger = logging.getLogger(__name__)

IMAGE, MASK, TRUTH, DEPTH = "image", "mask", "truth", "depth"
EVERYTHING = (IMAGE, MASK, TRUTH, DEPTH)
"""The parts of an entry that are slow to read."""
_VERSION_DIGITS = 9


@dataclass(frozen=True)
class LogMetadata:
    """Properties of a flight that a replay depends on."""

    config: FlightConfig
    weights_sha256: str
    package_version: str
    extra: Mapping[str, str] = field(default_factory=dict)
    """Further properties of the flight: seed, simulator, versions of libraries."""


@dataclass(frozen=True)
class FlightLog:
    """A log on disk, opened by `read_log`.

    Example:
        >>> from followme_uav import read_log
        >>> log = read_log("flight.mcap")
        >>> log.truncated, log.metadata.extra["pilot"], log.metadata.config.duration_s
        (False, 'oracle', 2.0)
    """

    path: Path
    metadata: LogMetadata
    truncated: bool
    """The file has no end mark: it was cut off, or the flight is in progress."""
    schema_version: int

    def entries(
        self, parts: Collection[str] = EVERYTHING, numbers: Container[int] | None = None
    ) -> Iterator[FlightEntry]:
        """All complete entries, exactly as they were written.

        Args:
            parts: Parts to read, to save time. Without `IMAGE` frames have no `rgb`, without `MASK`
                steps have no mask, without `TRUTH` entries have no truth, without `DEPTH` frames
                have no depth.
            numbers: Indices of the entries to read, from 0; None: all.

        Raises `LogError` when the file is damaged; in a truncated log the first unreadable byte
        counts as the end.
        """
        camera = self.metadata.config.camera
        for sequence, messages in entries_of(self.path, Records(self.path)):
            if numbers is not None and sequence not in numbers:
                continue
            try:
                entry = _entry(messages, parts, (camera.height_px, camera.width_px))
            except KeyError as error:
                raise LogError(
                    f"{self.path}: entry {sequence} has no {error.args[0]} message"
                ) from error
            except (DecodeError, ValueError, TypeError) as error:
                raise _damaged(self.path, f"entry {sequence}: {error}") from error
            yield entry


def read_log(path: Path | str) -> FlightLog:
    """Open a flight log and read its metadata.

    Raises:
        LogError: The file is missing, damaged, no flight log, or of a newer version.

    Example:
        >>> import numpy as np
        >>> from followme_uav import read_log
        >>> entries = read_log("flight.mcap").entries(parts=())  # no images: fast
        >>> down_m = np.array([entry.frame.vehicle.position_m[2] for entry in entries])
        >>> bool(down_m.min() < -1.0)
        True
    """
    path = Path(path)
    records = Records(path)
    for record in records.metadata():
        if record.name == PROFILE:
            metadata = _parse_metadata(path, record.metadata)
            if records.truncated:
                logger.debug("%s has no end mark: it was cut off, or is being written.", path)
            return FlightLog(
                path, metadata, records.truncated, int(record.metadata["schema_version"])
            )
    cut = " (or one cut off before its metadata)" if records.truncated else ""
    raise LogError(
        f"{path}: an MCAP file, but no flight log{cut}; "
        "pass a file that 'followme-uav fly --log' wrote"
    )


def content_digest(path: Path | str) -> str:
    """SHA-256 of all messages but `/timing`.

    Two lockstep flights with equal seed, configuration and weights have equal digests.
    """
    log = read_log(path)
    digest = hashlib.sha256()
    for _, parts in entries_of(log.path, Records(log.path)):
        for topic in TOPICS:
            if topic in parts and topic != "/timing":
                message = parts[topic]
                digest.update(struct.pack("<QQ", message.log_time, len(message.data)))
                digest.update(topic.encode() + message.data)
    return digest.hexdigest()


def _parse_metadata(path: Path, record: Mapping[str, str]) -> LogMetadata:
    schema_version = record.get("schema_version", "")
    if _version_of(schema_version) > SCHEMA_VERSION:
        raise LogError(
            f"{path}: written by followme-uav {record.get('package_version', '?')} in log version "
            f"{schema_version:.20}, this one reads up to {SCHEMA_VERSION}; update followme-uav"
        )
    if record.get("sha256") != record_digest(record):
        raise _damaged(path, "the checksum of its metadata is wrong")
    try:
        return _metadata_of(record)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(part) for part in problem["loc"])
        raise LogError(
            f"{path}: its configuration is not valid in this version: {key}: {problem['msg']}; "
            f"use followme-uav {record.get('package_version', '?')}"
        ) from error
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        # The checksum is right: another program has written it.
        raise _damaged(path, f"its metadata is wrong ({type(error).__name__}: {error})") from error


def _version_of(text: str) -> float:
    """The log version; infinite where it is a number of many digits, 0 where it is none."""
    if not (text.isascii() and text.isdigit()):
        return 0
    return int(text) if len(text) <= _VERSION_DIGITS else math.inf


def _metadata_of(record: Mapping[str, str]) -> LogMetadata:
    config = _parse_config(json.loads(record["config"]))
    extra = json.loads(record["extra"])
    if not (isinstance(extra, dict) and all(isinstance(text, str) for text in extra.values())):
        raise ValueError("the further properties are no texts")
    if not _version_of(record["schema_version"]):
        raise ValueError("it has no log version")
    return LogMetadata(config, record["weights_sha256"], record["package_version"], extra)


def _parse_config(data: dict[str, Any]) -> FlightConfig:
    # Logs without this section were written when there was no other way to store images.
    data = {"log": {"image": "png", "round_masks": False}, **data}
    try:
        return FlightConfig.model_validate(data)
    except ValidationError:  # the keys change more often than the schema version
        logger.debug("The log's configuration is of an older version; its keys are renamed.")
        return FlightConfig.model_validate(of_older_version(data))


def _entry(
    messages: Mapping[str, Message], wanted: Collection[str], size_px: tuple[int, int]
) -> FlightEntry:
    def parsed(topic: str) -> Any:
        if topic not in messages:
            raise KeyError(topic)
        return TOPICS[topic].FromString(messages[topic].data)  # type: ignore[attr-defined]

    def mask(topic: str) -> Any:
        return decode_png(parsed(topic).data)

    truth = image = depth = None
    if TRUTH in wanted and "/truth" in messages:
        truth = from_message(parsed("/truth"), mask=mask("/truth/mask"))
    if "/camera/image" in messages:
        message = parsed("/camera/image")
        image = EncodedImage(message.data, message.format)
    rgb = decode_camera_image(image, size_px) if image is not None and IMAGE in wanted else None
    if "/camera/depth" in messages:
        message = parsed("/camera/depth")
        depth = EncodedImage(message.data, message.format)
    grey = decode_grey_jpeg(depth.data) if depth is not None and DEPTH in wanted else None
    has_mask = MASK in wanted and "/camera/mask" in messages
    return FlightEntry(
        frame=from_message(parsed("/vehicle"), rgb=rgb, depth=grey),
        step=from_message(parsed("/step"), mask=mask("/camera/mask") if has_mask else None),
        truth=truth,
        timings=from_message(parsed("/timing")),
        encoded_image=image,
        encoded_depth=depth,
    )


def _damaged(path: Path, detail: str) -> LogError:
    return LogError(f"{path}: the flight log is damaged: {detail}")
