"""The codec: round trips, and errors instead of crashes or memory for hostile input."""

from __future__ import annotations

import itertools
import struct

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from followme_uav.rpc.wire import (
    CLIENT_LIMITS,
    Decoder,
    Float64,
    Notification,
    Request,
    Response,
    WireError,
    WireLimits,
    encode_notification,
    encode_request,
    encode_response,
    structs_as_arrays,
)

SMALL = WireLimits(message_bytes=1000, array_items=20)

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, width=32)
    | st.text(max_size=20)
    | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=20,
)
msgids = st.integers(0, 2**32 - 1)


def decode(*chunks: bytes, limits: WireLimits = CLIENT_LIMITS) -> list:
    decoder = Decoder(limits)
    return [message for chunk in chunks for message in decoder.feed(chunk)]


@given(msgids, st.text(), st.lists(values, max_size=5))
def test_requests_survive_encoding_and_decoding(msgid, method, params):
    """Otherwise the simulator would receive another command."""
    assert decode(encode_request(msgid, method, params)) == [Request(msgid, method, params)]
    assert decode(encode_notification(method, params)) == [Notification(method, params)]


@given(st.lists(st.tuples(msgids, values), max_size=4), st.data())
def test_stream_is_decoded_in_chunks_of_any_size(calls, data):
    """TCP delivers chunks of any size; an image needs several."""
    requests = [Request(msgid, "m", [value]) for msgid, value in calls]
    stream = b"".join(encode_request(r.msgid, r.method, r.params) for r in requests)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    edges = [0, *cuts, len(stream)]
    chunks = [stream[a:b] for a, b in itertools.pairwise(edges)]
    assert decode(*chunks) == requests


@given(st.floats(width=32, allow_nan=False), st.floats(allow_nan=False))
def test_replies_have_single_precision_except_where_marked(single, double):
    """AirSim's precision: single for most values, double for GPS."""
    data = encode_response(1, None, {"altitude": single, "place": [Float64(double)]})
    assert decode(data) == [Response(1, None, {"altitude": single, "place": [double]})]
    assert struct.pack(">Bf", 0xCA, single) in data
    assert struct.pack(">Bd", 0xCB, double) in data


@given(values)
def test_marking_one_number_changes_no_other_value(value):
    plain = encode_response(7, None, [value, [1.5]])
    mixed = encode_response(7, None, [value, Float64(1.5)])
    tail = struct.pack(">Bd", 0xCB, 1.5)
    assert mixed == plain[: -len(b"\x91") - 5] + tail


@given(st.binary(max_size=200))
def test_any_bytes_give_messages_or_a_wire_error(data):
    """A port scanner or a faulty client must not crash the process."""
    try:
        messages = decode(data, limits=SMALL)
    except WireError:
        return
    assert all(isinstance(m, Request | Response | Notification) for m in messages)


@given(values)
def test_any_value_that_is_no_message_is_refused(value):
    if isinstance(value, list) and len(value) in (3, 4):
        value = {"a": value}
    with pytest.raises(WireError):
        decode(msgpack.packb(value))


@pytest.mark.parametrize(
    "message",
    [
        [0, -1, "m", []],
        [0, 2**32, "m", []],
        [0, True, "m", []],
        [False, 1, "m", []],
        [0, 1, b"m", []],
        [0, 1, "m", {}],
        [2, "m", None],
        [3, 1, "m", []],
        [1, 1, None],
    ],
)
def test_nearly_valid_messages_are_refused(message):
    """Rpclib aborts the whole simulator on some of these."""
    with pytest.raises(WireError):
        decode(msgpack.packb(message))


@pytest.mark.parametrize(
    "data",
    [
        encode_request(1, "m", ["x" * 2000]),
        b"\x94\x00\x01\xa1m\xdd\xff\xff\xff\xff",  # params of four billion items
        b"\x94\x00\x01\xa1m\xdf\xff\xff\xff\xff",
        b"\x94\x00\x01\xa1m\xc6\xff\xff\xff\xff" + bytes(2000),
        b"\x91" * 2000,  # nesting too deep for any stack
    ],
    ids=["long", "huge array", "huge map", "huge bytes", "deep"],
)
def test_oversized_message_is_refused_before_memory_is_allocated(data):
    with pytest.raises(WireError):
        decode(data, limits=SMALL)


@pytest.mark.parametrize("value", [object(), 2**70, {1, 2}, "\ud800"])
def test_value_without_a_messagepack_form_raises_a_wire_error(value):
    with pytest.raises(WireError, match="cannot be sent"):
        encode_request(1, "m", [value])
    with pytest.raises(WireError, match="cannot be sent"):
        encode_response(1, None, [value, Float64(1.0)])


def test_messages_before_malformed_bytes_are_decoded():
    """A complete request must not be lost to the bytes after it."""
    stream = Decoder(SMALL).feed(encode_request(1, "m", []) + b"\xc1")
    assert next(stream) == Request(1, "m", [])
    with pytest.raises(WireError):
        next(stream)


def test_structs_become_arrays_at_every_depth():
    """Colosseum's form: values only, in the order of the fields."""
    assert structs_as_arrays({"a": {"b": 1, "c": [{"d": 2}]}, "e": "x"}) == [[1, [[2]]], "x"]


def test_unfinished_message_is_refused_although_each_part_is_small():
    """Its parts are kept as objects: a few megabytes on the wire would fill the memory."""
    decoder = Decoder(WireLimits(message_bytes=1000, array_items=1000))
    list(decoder.feed(b"\x94\x00\x01\xa1m\xdc\x03\xe8"))
    with pytest.raises(WireError, match="longer than the limit"):
        for _ in range(200):
            list(decoder.feed(b"\x9e" + b"\x90" * 14))


def test_pending_bytes_are_counted():
    whole = encode_request(1, "m", [])
    decoder = Decoder(SMALL)
    for fed, pending in ((whole, 0), (whole[:3], 3), (whole[3:] + whole + b"\x94", 1)):
        list(decoder.feed(fed))
        assert decoder.pending_bytes == pending


@pytest.mark.parametrize("depth", range(900, 1100, 20))
def test_error_on_deep_nesting_can_be_printed(depth):
    """Python cannot print some values that msgpack can decode."""
    with pytest.raises(WireError):
        decode(b"\x91" * depth + b"\x01")
