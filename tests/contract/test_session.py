"""Tests of the client session, over sockets, on both backends (`rpc.backend`)."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from followme_uav.errors import (
    EnvironmentSetupError,
    RemoteError,
    RpcConnectionError,
    RpcTimeoutError,
)
from followme_uav.rpc.backends import open_session

from .fake.process import BACKEND, serving
from .fake.raw import raw_peer

TIMEOUT_S = 20.0  # only a hang takes as long, on any machine


def connected(address, *, deadline_s=TIMEOUT_S, connect_deadline_s=5.0, max_message_bytes=2**24):
    return open_session(
        BACKEND,
        *address[:2],
        deadline_s=deadline_s,
        connect_deadline_s=connect_deadline_s,
        max_message_bytes=max_message_bytes,
    )


@pytest.fixture(scope="module")
def server():
    with serving("plain.py") as address:
        yield address


@pytest.fixture
def session(server):
    session = connected(server)
    yield session
    session.call("release", None)
    session.close()


def one_line(error) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


def test_values_arrive_unchanged(session):
    """Else poses and names would differ in the simulator."""
    values = [None, True, -1, 2**40, 1.5, -0.25, "für Köln", [], [1, [2.5, "x"]], {"a": {"b": [1]}}]
    for value in values:
        assert session.call("echo", value) == value
    assert session.call("echo", values) == values


def test_images_arrive_as_bytes(session):
    assert session.call("blob", 160 * 160 * 3) == bytes(160 * 160 * 3)


def test_blocked_call_does_not_delay_others(session):
    """Images must arrive during a take-off of 20 s."""
    blocked = session.call_async("hold")
    assert session.call("echo", 1) == 1
    assert not blocked.done()
    session.call("release", "landed")
    assert blocked.result(TIMEOUT_S) == "landed"


def test_calls_are_dispatched_in_the_order_sent(session):
    """A velocity that is sent before an advance must act before it."""
    for number in range(200):
        session.call_async("take", number)
    assert session.call("taken") == list(range(200))


def test_held_calls_leave_together_and_no_later_than_a_call_that_waits(session):
    """Else a command that is held would act after a query that depends on it."""
    session.call("release", None)
    session.hold()
    held = [session.call_async("echo", number) for number in range(3)]
    if BACKEND == "builtin":
        assert not any(call.done() for call in held)
        assert len(session._link.held) == 3
    assert session.call("echo", "now") == "now"
    assert [call.result(TIMEOUT_S) for call in held] == [0, 1, 2]
    session.hold()
    last = session.call_async("echo", 3)
    session.release()
    assert last.result(TIMEOUT_S) == 3


def test_each_thread_gets_the_replies_to_its_own_calls(session):
    def ask(start):
        return [session.call("echo", start + i) for i in range(50)]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, (0, 1000, 2000, 3000)))
    assert answers == [[start + i for i in range(50)] for start in (0, 1000, 2000, 3000)]


def test_call_without_reply_ends_at_its_deadline_and_the_session_stays_usable(session, server):
    """A hung simulator must cause an error that names the method, not a hung controller."""
    with pytest.raises(RpcTimeoutError) as error:
        session.call("hold", deadline_s=0.2)
    text = one_line(error)
    assert "hold" in text and f"{server[0]}:{server[1]}" in text and "0.2 s" in text
    session.call("release", "late")  # the late reply must not become that of another call
    assert session.call("echo", "mine") == "mine"


def test_error_of_the_simulator_names_method_and_address(session, server):
    with pytest.raises(RemoteError) as error:
        session.call("refuse", "no such vehicle")
    text = one_line(error)
    assert "refuse" in text and f"{server[0]}:{server[1]}" in text and "no such vehicle" in text
    with pytest.raises(RemoteError, match="could not find function 'nonsense'"):
        session.call("nonsense")


def test_error_of_the_simulator_cannot_control_the_terminal(session):
    """AirSim's errors may have several lines, and another server may send any text."""
    with pytest.raises(RemoteError) as error:
        session.call("refuse", "first\nsecond\x1b[2J")
    assert "first second\\x1b[2J" in one_line(error)


def test_missing_server_is_an_error_of_one_line():
    with socket.create_server(("127.0.0.1", 0)) as placeholder:
        address = placeholder.getsockname()
    with pytest.raises(RpcConnectionError) as error:
        connected(address)
    assert f"no server listens on 127.0.0.1:{address[1]}; start" in one_line(error)


def test_connecting_ends_at_its_deadline():
    """A firewall that drops packets must not block the start."""
    fillers = []
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(8):  # a full backlog: the kernel ignores further connections
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
            fillers.append(filler)
        with pytest.raises(RpcConnectionError) as error:
            connected(full.getsockname(), connect_deadline_s=0.3)
        assert "deadline" in one_line(error)
    for filler in fillers:
        filler.close()


def test_calls_fail_at_once_when_the_peer_dies_and_reconnect_restores_the_session():
    """A crash of the simulator must be detected at once; a restarted one must be usable."""
    with serving("plain.py") as address:
        session = connected(address)
        waiting = [session.call_async("hold") for _ in range(3)]
        session.call_async("die")
        for future in waiting:
            with pytest.raises(RpcConnectionError, match=r"hold at .* connection lost"):
                future.result(TIMEOUT_S)
        with pytest.raises(RpcConnectionError, match="echo"):
            session.call("echo", 1)
    with pytest.raises(RpcConnectionError, match="no server listens"):
        session.reconnect()
    with serving("plain.py", str(address[1])):
        session.reconnect()
        assert session.call("echo", 2) == 2
        session.close()


def test_calls_in_flight_fail_when_the_session_is_closed(server):
    session = connected(server)
    waiting = session.call_async("hold")
    session.close()
    with pytest.raises(RpcConnectionError):
        waiting.result(TIMEOUT_S)
    with pytest.raises(RpcConnectionError, match="not connected"):
        session.call("echo", 1)
    session.close()


@pytest.mark.parametrize(
    "answer",
    [b"\xc1", b"\x93\x01\x02\xc3", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xdf\xff\xff\xff\xff"],
    ids=["no MessagePack", "short response", "another protocol", "huge map"],
)
def test_malformed_reply_breaks_the_connection_with_an_error(answer):
    """A server of another protocol must be detected at once."""
    with raw_peer(answer) as address:
        session = connected(address)
        with pytest.raises(RpcConnectionError):
            session.call("ping")
        session.close()


def test_reply_over_the_size_limit_breaks_the_connection(server):
    """A faulty simulator must not fill the memory."""
    session = connected(server, max_message_bytes=10_000)
    assert session.call("blob", 5_000) == bytes(5_000)
    with pytest.raises(RpcConnectionError):
        session.call("blob", 2_000_000)
    session.close()


def test_call_ends_at_its_deadline_when_the_peer_does_not_read():
    with raw_peer(None) as address:
        session = connected(address, deadline_s=0.3)
        with pytest.raises((RpcTimeoutError, RpcConnectionError)):
            session.call("echo", "x" * 2**25)
        session.close()


def test_closed_sessions_leave_no_thread(server):
    before = set(threading.enumerate())
    sessions = [connected(server) for _ in range(3)]
    for session in sessions:
        session.call("echo", 1)
        session.close()
    assert set(threading.enumerate()) <= before


def test_unknown_backend_is_refused():
    with pytest.raises(EnvironmentSetupError, match="builtin or msgpack-rpc-python"):
        open_session(
            "unknown",
            "127.0.0.1",
            1,
            deadline_s=1,
            connect_deadline_s=1,
            max_message_bytes=1,
        )
