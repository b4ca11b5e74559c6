"""`flight_log.desc`, which the program loads, is the compiled form of `flight_log.proto`."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

from followme_uav.log import schema

FOLDER = Path(schema.__file__).parent
PROTO, COMPILED = FOLDER / "flight_log.proto", FOLDER / "flight_log.desc"
FIELD = descriptor_pb2.FieldDescriptorProto
SCALARS = {
    "double": FIELD.TYPE_DOUBLE,
    "int64": FIELD.TYPE_INT64,
    "sint32": FIELD.TYPE_SINT32,
    "bool": FIELD.TYPE_BOOL,
    "string": FIELD.TYPE_STRING,
}


def compiled():
    return descriptor_pb2.FileDescriptorSet.FromString(COMPILED.read_bytes())


def test_compiled_schema_is_what_protoc_makes_of_the_source(tmp_path):
    pytest.importorskip("grpc_tools", reason="protoc comes with the package grpcio-tools")
    out = tmp_path / "flight_log.desc"
    command = [sys.executable, "-m", "grpc_tools.protoc", "--proto_path=."]
    subprocess.run(
        [*command, f"--descriptor_set_out={out}", PROTO.name], cwd=FOLDER, check=True, timeout=120
    )
    assert descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()) == compiled()


def declared():
    """{message: {field: (number, type, message type, is repeated, is optional)}} of the source."""
    text = re.sub(r"//.*", "", PROTO.read_text(encoding="utf-8"))
    field = re.compile(r"\s*(?:(repeated|optional)\s+)?(\w+)\s+(\w+)\s*=\s*(\d+)\s*;")
    messages = {}
    for name, body in re.findall(r"message\s+(\w+)\s*\{(.*?)\}", text, re.DOTALL):
        assert field.sub("", body).strip() == "", f"{name}: more than fields"
        messages[name] = {
            label: (
                int(number),
                SCALARS.get(kind, FIELD.TYPE_MESSAGE),
                "" if kind in SCALARS else f".followme_uav.{kind}",
                prefix == "repeated",
                prefix == "optional",
            )
            for prefix, kind, label, number in field.findall(body)
        }
    return messages


def test_compiled_schema_has_the_messages_and_fields_of_the_source():
    """Needs no protoc, so it always detects a source that was changed and not compiled."""
    (file,) = compiled().file
    assert (file.package, file.syntax, file.name) == ("followme_uav", "proto3", PROTO.name)
    found = {
        message.name: {
            field.name: (
                field.number,
                field.type,
                field.type_name,
                field.label == FIELD.LABEL_REPEATED,
                field.proto3_optional,
            )
            for field in message.field
        }
        for message in file.message_type
    }
    assert found == declared()
    assert len(found["Step"]) >= 12


def test_every_message_except_entry_is_of_a_dataclass_or_a_vector():
    vectors = {"Vec2", "Vec3", "Quaternion", "GroundCovariance"}
    assert set(schema.MESSAGES) == set(schema._DATACLASSES) | vectors | {"Entry"}
