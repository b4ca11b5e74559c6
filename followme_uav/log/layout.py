"""The layout of a flight log: its topics, its metadata record, the messages of an entry."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version

from foxglove_schemas_protobuf.CompressedImage_pb2 import CompressedImage
from google.protobuf.message import Message

from followme_uav import __version__
from followme_uav.config import FlightConfig
from followme_uav.log.entry import EncodedImage, FlightEntry
from followme_uav.log.images import encode_lossless, encode_mask
from followme_uav.log.schema import MESSAGES, SCHEMA_VERSION, to_message

PROFILE = "followme-uav"
"""MCAP profile, and name of the metadata record."""

TOPICS: dict[str, type] = {
    "/entry": MESSAGES["Entry"],
    "/vehicle": MESSAGES["Frame"],
    "/step": MESSAGES["Step"],
    "/transition": MESSAGES["Transition"],
    "/truth": MESSAGES["GroundTruth"],
    "/timing": MESSAGES["LoopTimings"],
    "/truth/mask": CompressedImage,
    "/camera/mask": CompressedImage,
    "/camera/depth": CompressedImage,
    "/camera/image": CompressedImage,
}
"""Message type of each topic, in the order in which an entry is written."""

RARE_TOPICS = frozenset({"/camera/depth"})
"""Topics that most logs do not have; their channels are declared at the first message."""


def metadata_record(
    config: FlightConfig,
    weights_sha256: str,
    extra: Mapping[str, str] | None,
    schema_version: int = SCHEMA_VERSION,
) -> dict[str, str]:
    """The fields of the metadata record: the properties of the flight that a replay depends on."""
    record = {
        "schema_version": str(schema_version),
        "package_version": __version__,
        "mcap_version": version("mcap"),
        "weights_sha256": weights_sha256,
        "config": config.model_dump_json(),
        "extra": json.dumps(dict(extra or {}), sort_keys=True),
    }
    return {**record, "sha256": record_digest(record)}


def record_digest(record: Mapping[str, str]) -> str:
    """SHA-256 of a metadata record, stored in its field `sha256`: MCAP has no checksum for it."""
    rest = {key: value for key, value in record.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def entry_messages(entry: FlightEntry, time_ns: int) -> dict[str, Message]:
    """The messages of an entry by topic."""
    parts: dict[str, Message] = {
        "/vehicle": to_message(entry.frame),
        "/step": to_message(entry.step),
        "/timing": to_message(entry.timings),
    }
    if entry.step.transition is not None:
        parts["/transition"] = to_message(entry.step.transition)
    if entry.truth is not None:
        parts["/truth"] = to_message(entry.truth)
        true_mask = EncodedImage(encode_mask(entry.truth.mask), "png")
        parts["/truth/mask"] = _image_message(true_mask, time_ns)
    if entry.step.mask is not None:
        mask = EncodedImage(encode_mask(entry.step.mask), "png")
        parts["/camera/mask"] = _image_message(mask, time_ns)
    if entry.encoded_depth is not None:
        parts["/camera/depth"] = _image_message(entry.encoded_depth, time_ns)
    image = entry.encoded_image or encode_lossless(entry.frame.rgb)
    if image is not None:
        parts["/camera/image"] = _image_message(image, time_ns)
    parts["/entry"] = MESSAGES["Entry"](parts=len(parts))
    return parts


def _image_message(image: EncodedImage, time_ns: int) -> Message:
    message = CompressedImage(frame_id="camera", format=image.format, data=image.data)
    message.timestamp.FromNanoseconds(time_ns)
    return message
