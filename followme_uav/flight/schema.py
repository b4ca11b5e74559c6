"""The log's own message types, as Protocol Buffers, and their way from and to our dataclasses.

`SCHEMA` below is ordinary proto3 text. It is compiled here, at import, by a few lines that know the
little of proto3 that it uses, so nothing needs `protoc`, and no generated file ages. Each message
has the name and the field names of a dataclass; `to_message` and `from_message` go by these names.
All fractions are doubles: what is read is bit for bit what was written. Images are not in here:
they travel as `foxglove.CompressedImage`, which log viewers show. `Entry` opens each entry and says
how many messages follow for it.

Changing it: new fields get new numbers, old numbers keep their meaning, and `SCHEMA_VERSION` grows
when a program that does not know the new fields would misread the rest.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from enum import Enum
from functools import cache
from operator import attrgetter
from typing import Any, get_type_hints

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

from followme_uav import messages
from followme_uav.flight.entry import LoopTimings

SCHEMA_VERSION = 2
PACKAGE = "followme_uav"

SCHEMA = """
message Vec3 {
  double x = 1;
  double y = 2;
  double z = 3;
}
message Quaternion {
  double w = 1;
  double x = 2;
  double y = 3;
  double z = 4;
}
message VehicleState {
  double time_s = 1;
  Vec3 position_m = 2;
  Vec3 velocity_mps = 3;
  Quaternion orientation = 4;
  Vec3 angular_velocity_radps = 5;
  bool has_collided = 6;
  Contact contact = 7;
}
message Contact {
  string object_name = 1;
  Vec3 normal = 2;
}
message CameraPose {
  Vec3 position_m = 1;
  Quaternion orientation = 2;
  double fov_rad = 3;
}
message Frame {
  int64 index = 1;
  double time_s = 2;
  CameraPose camera = 3;
  VehicleState vehicle = 4;
  bool land_requested = 5;
  repeated Vec3 obstacles_m = 6;
  string control_loss = 7;
}
message Observation {
  double u = 1;
  double v = 2;
  int64 area_px = 3;
  int64 width_px = 4;
  int64 height_px = 5;
  double confidence = 6;
  double purity = 7;
}
message HeroEstimate {
  Vec3 position_m = 1;
  Vec3 velocity_mps = 2;
  double sigma_m = 3;
}
message LoopTerms {
  string name = 1;
  double error = 2;
  double p = 3;
  double i = 4;
  double d = 5;
  double output = 6;
}
message Command {
  string manoeuvre = 1;
  Vec3 velocity_mps = 2;
  double yaw_rate_radps = 3;
  double camera_pan_rad = 4;
  double camera_tilt_rad = 5;
}
message Transition {
  string source = 1;
  string target = 2;
  string reason = 3;
}
message Step {
  int64 frame_index = 1;
  double time_s = 2;
  Observation observation = 3;
  string state = 4;
  Transition transition = 5;
  Vec3 hero_position_m = 6;
  Command command = 7;
  HeroEstimate hero = 8;
  repeated LoopTerms loops = 9;
}
message GroundTruth {
  double time_s = 1;
  Vec3 hero_position_m = 2;
  repeated Vec3 people_position_m = 3;
  double clearance_m = 4;
}
message LoopTimings {
  double receive_ms = 1;
  double segment_ms = 2;
  double decide_ms = 3;
  double send_ms = 4;
  double log_ms = 5;
  double total_ms = 6;
}
message Entry {
  int64 parts = 1;
}
"""


def _compile(schema: str) -> dict[str, type[Message]]:
    """Message classes by name, from proto3 text of flat messages."""
    field_type = descriptor_pb2.FieldDescriptorProto
    scalars = {
        "double": field_type.TYPE_DOUBLE,
        "int64": field_type.TYPE_INT64,
        "bool": field_type.TYPE_BOOL,
        "string": field_type.TYPE_STRING,
    }
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{PACKAGE}/flight_log.proto", package=PACKAGE, syntax="proto3"
    )
    for name, body in re.findall(r"message (\w+) \{(.*?)\}", schema, re.DOTALL):
        message = file.message_type.add(name=name)
        for repeated, kind, field_name, number in re.findall(
            r"(repeated )?(\w+) (\w+) = (\d+);", body
        ):
            field = message.field.add(name=field_name, number=int(number))
            field.label = field_type.LABEL_REPEATED if repeated else field_type.LABEL_OPTIONAL
            if kind in scalars:
                field.type = scalars[kind]
            else:
                field.type = field_type.TYPE_MESSAGE
                field.type_name = f".{PACKAGE}.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        message.name: message_factory.GetMessageClass(
            pool.FindMessageTypeByName(f"{PACKAGE}.{message.name}")
        )
        for message in file.message_type
    }


MESSAGES = _compile(SCHEMA)

RETIRED = {"Step": ("hero_position_m",)}
"""Fields of older versions: read, no longer written."""

_DATACLASSES: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        messages.VehicleState,
        messages.Contact,
        messages.CameraPose,
        messages.Frame,
        messages.Observation,
        messages.HeroEstimate,
        messages.LoopTerms,
        messages.Command,
        messages.Transition,
        messages.Step,
        messages.GroundTruth,
        LoopTimings,
    )
}


def to_message(value: Any) -> Message:
    """The message of a dataclass, without its images; None fields stay unset."""
    name = type(value).__name__
    message = MESSAGES[name]()
    for field in message.DESCRIPTOR.fields:
        if field.name not in RETIRED.get(name, ()):
            _set(message, field, getattr(value, field.name))
    return message


def from_message(message: Any, **images: Any) -> Any:
    """The dataclass of a message; the fields that are images come as keywords.

    Raises `ValueError` when the message cannot have been made by `to_message`.
    """
    name = message.DESCRIPTOR.name
    values = {field: read(message) for field, read in _readers(name)}
    if name == "Step" and message.HasField("hero_position_m"):  # version 1 knew no more of her
        place_m = _VECTORS["Vec3"](message.hero_position_m)
        values["hero"] = messages.HeroEstimate(place_m, (0.0, 0.0, 0.0), math.inf)
    return _DATACLASSES[name](**values, **images)


_VECTORS: dict[str, Callable[[Any], Any]] = {
    "Vec3": attrgetter("x", "y", "z"),
    "Quaternion": attrgetter("w", "x", "y", "z"),
}


@cache
def _readers(name: str) -> list[tuple[str, Callable[[Any], Any]]]:
    """For each field of a dataclass, what takes its value out of the message."""
    hints = get_type_hints(_DATACLASSES[name])
    return [
        (field.name, _reader(name, field, hints[field.name]))
        for field in MESSAGES[name].DESCRIPTOR.fields
        if field.name not in RETIRED.get(name, ())
    ]


def _reader(owner: str, field: Any, hint: Any) -> Callable[[Any], Any]:
    get = attrgetter(field.name)
    if field.message_type is None:
        if isinstance(hint, type) and issubclass(hint, Enum):
            return lambda message: hint(get(message))
        return get
    unpack = _VECTORS.get(field.message_type.name, from_message)
    if field.is_repeated:
        return lambda message: tuple(map(unpack, get(message)))
    if type(None) in getattr(hint, "__args__", ()):
        return lambda message: unpack(get(message)) if message.HasField(field.name) else None

    def required(message: Any) -> Any:
        if not message.HasField(field.name):
            raise ValueError(f"{owner} without {field.name}")
        return unpack(get(message))

    return required


def _set(message: Any, field: Any, value: Any) -> None:
    if value is None:
        return
    if field.message_type is None:
        plain = value.value if isinstance(value, Enum) else value
        setattr(message, field.name, plain)
    elif field.is_repeated:
        for item in value:
            _fill(getattr(message, field.name).add(), field.message_type, item)
    else:
        part = getattr(message, field.name)
        part.SetInParent()
        _fill(part, field.message_type, value)


def _fill(part: Any, kind: Any, value: Any) -> None:
    """Put a vector's numbers or a dataclass's fields into the message `part`."""
    if kind.name in _DATACLASSES:
        for field in kind.fields:
            _set(part, field, getattr(value, field.name))
    else:
        for field, number in zip(kind.fields, value, strict=True):
            setattr(part, field.name, number)
