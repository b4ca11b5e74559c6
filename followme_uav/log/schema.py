"""The log's message types, and the conversion between messages and dataclasses.

`flight_log.proto` describes the messages; `flight_log.desc` is its compiled form, loaded here, so
that a flight needs neither protoc nor generated code. Each message has the name and the field names
of a dataclass; `to_message` and `from_message` use these names.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import Enum
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any, get_type_hints

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

from followme_uav import messages
from followme_uav.log.entry import LoopTimings

SCHEMA_VERSION = 4


def _load(path: Path) -> dict[str, type[Message]]:
    """Message classes by name, from a compiled descriptor set."""
    descriptors = descriptor_pb2.FileDescriptorSet.FromString(path.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in descriptors.file:
        pool.Add(file)
    return {
        message.name: message_factory.GetMessageClass(
            pool.FindMessageTypeByName(f"{file.package}.{message.name}")
        )
        for file in descriptors.file
        for message in file.message_type
    }


MESSAGES = _load(Path(__file__).with_name("flight_log.desc"))

RETIRED = {"Step": ("hero_position_m",)}
"""Fields of older versions, by message: read, no longer written."""

_DATACLASSES: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        messages.VehicleState,
        messages.Contact,
        messages.CameraPose,
        messages.RangeScan,
        messages.Frame,
        messages.Detection,
        messages.Measurement,
        messages.Candidate,
        messages.MissionInputs,
        messages.LineOfSight,
        messages.Guidance,
        messages.VehicleResponse,
        messages.MapProgress,
        messages.TrackEstimate,
        messages.LoopTerms,
        messages.Command,
        messages.Transition,
        messages.Step,
        messages.GroundTruth,
        LoopTimings,
    )
}


def to_message(value: Any) -> Message:
    """The message of a dataclass, without its images; fields that are None stay unset."""
    name = type(value).__name__
    return MESSAGES[name](**_writer(name)(value))


def from_message(message: Any, **images: Any) -> Any:
    """The dataclass of a message; the fields that are images are passed as keywords.

    Raises `ValueError` for a message that `to_message` does not make.
    """
    name = message.DESCRIPTOR.name
    values = {field: read(message) for field, read in _readers(name)}
    if name == "Step" and message.HasField("hero_position_m"):  # version 1
        position_m = _VECTORS["Vec3"](message.hero_position_m)
        values["track"] = messages.TrackEstimate(position_m, (0.0, 0.0, 0.0), math.inf)
    return _DATACLASSES[name](**values, **images)


_VECTORS: dict[str, Callable[[Any], Any]] = {
    "Vec2": attrgetter("north", "east"),
    "Vec3": attrgetter("x", "y", "z"),
    "Quaternion": attrgetter("w", "x", "y", "z"),
}


@cache
def _unpacker(name: str) -> Callable[[Any], Any]:
    """The function that converts a message within a message."""
    if name in _VECTORS:
        return _VECTORS[name]
    kind = messages.GroundCovariance if name == "GroundCovariance" else _DATACLASSES[name]
    hints = get_type_hints(kind)
    if set(hints.values()) <= {float, int, bool, str}:  # one `attrgetter` is faster than one each
        read_all = attrgetter(*hints)
        return lambda message: kind(*read_all(message))
    return from_message


@cache
def _readers(name: str) -> list[tuple[str, Callable[[Any], Any]]]:
    """(field, function that reads its value from the message) of each field of a dataclass."""
    hints = get_type_hints(_DATACLASSES[name])
    return [
        (field.name, _reader(name, field, hints[field.name]))
        for field in MESSAGES[name].DESCRIPTOR.fields
        if field.name not in RETIRED.get(name, ())
    ]


def _reader(owner: str, field: Any, hint: Any) -> Callable[[Any], Any]:
    name, get = field.name, attrgetter(field.name)
    is_optional = type(None) in getattr(hint, "__args__", ())
    if field.message_type is None and field.is_repeated:
        return lambda message: tuple(get(message))
    if field.message_type is None:
        read = _scalar_reader(get, hint, is_optional)
        if not is_optional:
            return read
        return lambda message: read(message) if message.HasField(name) else None
    unpack = _unpacker(field.message_type.name)
    if field.is_repeated:
        return lambda message: tuple(map(unpack, get(message)))
    if is_optional:
        return lambda message: unpack(get(message)) if message.HasField(name) else None

    def required(message: Any) -> Any:
        if not message.HasField(name):
            raise ValueError(f"{owner} without {name}")
        return unpack(get(message))

    return required


def _scalar_reader(get: Callable[[Any], Any], hint: Any, is_optional: bool) -> Callable[[Any], Any]:
    """Reads a number or text that is set; as a member of the enumeration, if `hint` is one."""
    kind = hint
    if is_optional:
        kind = next(part for part in hint.__args__ if part is not type(None))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return lambda message: kind(get(message))
    return get


@cache
def _writer(name: str) -> Callable[[Any], dict[str, Any]]:
    """The function that converts a dataclass or a vector to the fields of its message.

    Protobuf fills a whole message from dictionaries in one call, which takes a third of the time of
    setting its fields one by one.
    """
    if name not in _DATACLASSES:
        names = [field.name for field in _descriptor(name).fields]
        return lambda vector: dict(zip(names, vector, strict=True))
    fields = [
        (field.name, _field_writer(field))
        for field in MESSAGES[name].DESCRIPTOR.fields
        if field.name not in RETIRED.get(name, ())
    ]

    def write(value: Any) -> dict[str, Any]:
        written = {}
        for field, convert in fields:
            part = getattr(value, field)
            if part is not None:
                written[field] = part if convert is None else convert(part)
        return written

    return write


def _text(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _descriptor(name: str) -> Any:
    return MESSAGES[name].DESCRIPTOR


def _field_writer(field: Any) -> Callable[[Any], Any] | None:
    """The conversion of a field's value; None for a number, which stays as it is."""
    if field.message_type is None:
        return _text if field.type == field.TYPE_STRING else None
    write = _writer(field.message_type.name)
    return (lambda items: [write(item) for item in items]) if field.is_repeated else write
