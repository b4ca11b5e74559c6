"""If these fail, QuadSim connects and nothing happens, or a broken message ends the server."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followme_uav.quadsim.socketio import (
    DECIDE_S,
    PING_INTERVAL_S,
    Event,
    PacketError,
    Revision,
    SocketIoSession,
    acknowledgement_text,
    event_text,
)

FRAME = '42["sensor_frame",{"pose":"1"}]'


def session(engine):
    return SocketIoSession("name", engine, now_s=0.0)


def test_old_client_is_connected_without_asking():
    opening, connected = session("3").opening(1000)
    assert opening.startswith("0")
    assert json.loads(opening[1:])["maxPayload"] == 1000
    assert connected == "40"


def test_new_client_is_connected_when_it_asks():
    new = session("4")
    assert len(new.opening(1000)) == 1
    assert new.receive("40").replies == ('40{"sid":"name"}',)
    assert new.revision is Revision.NEW


@pytest.mark.parametrize("first", ["2", FRAME])
def test_client_that_says_four_and_does_not_ask_is_an_old_one(first):
    asset = session("4")
    asset.opening(1000)
    received = asset.receive(first)
    assert received.replies[0] == "40"
    assert asset.revision is Revision.OLD
    assert (received.event is None) == (first == "2")


def test_silent_client_is_connected_as_an_old_one_after_a_while():
    silent = session("4")
    assert silent.tick(DECIDE_S / 2) == ()
    assert silent.tick(DECIDE_S + 0.1) == ("40",)
    assert silent.tick(DECIDE_S + 0.2) == ()


def test_pings_come_from_the_client_in_the_old_revision_and_from_the_server_in_the_new():
    old, new = session("3"), session("4")
    new.receive("40")
    assert old.receive("2probe").replies == ("3probe",)
    assert old.tick(10 * PING_INTERVAL_S) == ()
    assert new.tick(PING_INTERVAL_S - 0.1) == ()
    assert new.tick(PING_INTERVAL_S) == ("2",)
    assert new.receive("3").replies == ()


def test_event_has_name_arguments_and_number():
    old = session("3")
    assert old.receive('42["a",1,{"b":2}]').event == Event("a", (1, {"b": 2}), None)
    assert old.receive('42/,17["a"]').event == Event("a", (), 17)


def test_other_namespaces_are_refused_in_the_words_of_each_revision():
    old, new = session("3"), session("4")
    assert old.receive("40/admin,").replies == ('44/admin,"Invalid namespace"',)
    assert new.receive("40/admin,{}").replies == ('44/admin,{"message":"Invalid namespace"}',)
    with pytest.raises(PacketError, match="/admin"):
        old.receive('42/admin,["a"]')


@pytest.mark.parametrize("text", ["1", "41"])
def test_client_that_says_goodbye_has_left(text):
    assert session("3").receive(text).is_end


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "9", "4", "47", "42", "42{}", "42[]", "42[1]", '42["a"', "42" + "[" * 100_000),
        *("451-[]", '42/ns,["a"]', "42" + "1" * 99 + '["a"]'),
    ],
)
def test_malformed_message_is_one_line_and_the_session_goes_on(text):
    old = session("3")
    with pytest.raises(PacketError) as caught:
        old.receive(text)
    assert len(str(caught.value)) < 120
    assert str(caught.value).isprintable()
    assert old.receive(FRAME).event is not None


@given(
    st.text()
    | st.builds(lambda head, rest: head + rest, st.sampled_from(["42", "40", "45"]), st.text())
)
def test_no_text_causes_any_other_error(text):
    for engine in ("3", "4"):
        try:
            session(engine).receive(text)
        except PacketError as error:
            assert "\n" not in str(error)


def test_sent_events_are_read_back_equal():
    old = session("3")
    data = {"coords": [1.5, -2.0, 0.25]}
    assert old.receive(event_text("object_detected", data)).event == Event(
        "object_detected", (data,), None
    )
    assert acknowledgement_text(3) == "433[]"
