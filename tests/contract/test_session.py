"""The calling side, over real sockets. The same tests run on both backends (`rpc.backend`)."""

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

PATIENCE_S = 20.0  # more than any machine needs; only a hang takes as long


def connected(address, *, deadline_s=PATIENCE_S, connect_deadline_s=5.0, max_message_bytes=2**24):
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


def test_values_arrive_as_they_were_sent(session):
    """Otherwise poses and names would reach the simulator changed."""
    values = [None, True, -1, 2**40, 1.5, -0.25, "für Köln", [], [1, [2.5, "x"]], {"a": {"b": [1]}}]
    for value in values:
        assert session.call("echo", value) == value
    assert session.call("echo", values) == values


def test_images_arrive_as_bytes(session):
    assert session.call("blob", 160 * 160 * 3) == bytes(160 * 160 * 3)


def test_a_blocked_call_delays_no_other(session):
    """A take-off of 20 s must not stop images from coming."""
    blocked = session.call_async("hold")
    assert session.call("echo", 1) == 1
    assert not blocked.done()
    session.call("release", "landed")
    assert blocked.result(PATIENCE_S) == "landed"


def test_calls_are_dispatched_in_the_order_sent(session):
    """A velocity sent before time advances must act before time advances."""
    for number in range(200):
        session.call_async("take", number)
    assert session.call("taken") == list(range(200))


def test_many_threads_get_their_own_answers(session):
    def ask(start):
        return [session.call("echo", start + i) for i in range(50)]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, (0, 1000, 2000, 3000)))
    assert answers == [[start + i for i in range(50)] for start in (0, 1000, 2000, 3000)]


def test_a_silent_method_ends_at_the_deadline_and_the_session_lives_on(session, server):
    """A hung simulator must give an error that says where, not a hung controller."""
    with pytest.raises(RpcTimeoutError) as error:
        session.call("hold", deadline_s=0.2)
    text = one_line(error)
    assert "hold" in text and f"{server[0]}:{server[1]}" in text and "0.2 s" in text
    session.call("release", "late")  # the late answer must not become another call's
    assert session.call("echo", "mine") == "mine"


def test_an_error_of_the_simulator_is_passed_on_with_method_and_address(session, server):
    with pytest.raises(RemoteError) as error:
        session.call("refuse", "no such vehicle")
    text = one_line(error)
    assert "refuse" in text and f"{server[0]}:{server[1]}" in text and "no such vehicle" in text
    with pytest.raises(RemoteError, match="could not find function 'nonsense'"):
        session.call("nonsense")


def test_nobody_listening_is_said_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as placeholder:
        address = placeholder.getsockname()
    with pytest.raises(RpcConnectionError) as error:
        connected(address)
    assert f"nobody listens on 127.0.0.1:{address[1]}; start" in one_line(error)


def test_connecting_has_a_deadline():
    """A firewall that swallows packets must not hang the start."""
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


def test_a_dead_peer_fails_all_calls_at_once_and_reconnect_heals():
    """A crashed simulator must be noticed at once; a restarted one must be usable."""
    with serving("plain.py") as address:
        session = connected(address)
        waiting = [session.call_async("hold") for _ in range(3)]
        session.call_async("die")
        for future in waiting:
            with pytest.raises(RpcConnectionError, match=r"hold at .* connection lost"):
                future.result(PATIENCE_S)
        with pytest.raises(RpcConnectionError, match="echo"):
            session.call("echo", 1)
    with pytest.raises(RpcConnectionError, match="nobody listens"):
        session.reconnect()
    with serving("plain.py", str(address[1])):
        session.reconnect()
        assert session.call("echo", 2) == 2
        session.close()


def test_closing_fails_the_calls_in_flight(server):
    session = connected(server)
    waiting = session.call_async("hold")
    session.close()
    with pytest.raises(RpcConnectionError):
        waiting.result(PATIENCE_S)
    with pytest.raises(RpcConnectionError, match="not connected"):
        session.call("echo", 1)
    session.close()


@pytest.mark.parametrize(
    "answer",
    [b"\xc1", b"\x93\x01\x02\xc3", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xdf\xff\xff\xff\xff"],
    ids=["no MessagePack", "short response", "another protocol", "huge map"],
)
def test_garbage_breaks_the_connection_with_an_error(answer):
    """Something else that listens on the port must be found out, not waited for."""
    with raw_peer(answer) as address:
        session = connected(address)
        with pytest.raises(RpcConnectionError):
            session.call("ping")
        session.close()


def test_an_answer_over_the_cap_breaks_the_connection(server):
    """A broken simulator must not fill the memory."""
    session = connected(server, max_message_bytes=10_000)
    assert session.call("blob", 5_000) == bytes(5_000)
    with pytest.raises(RpcConnectionError):
        session.call("blob", 2_000_000)
    session.close()


def test_a_peer_that_never_reads_cannot_block_a_call_for_ever():
    with raw_peer(None) as address:
        session = connected(address, deadline_s=0.3)
        with pytest.raises((RpcTimeoutError, RpcConnectionError)):
            session.call("echo", "x" * 2**25)
        session.close()


def test_no_thread_is_left_after_closing(server):
    before = set(threading.enumerate())
    sessions = [connected(server) for _ in range(3)]
    for session in sessions:
        session.call("echo", 1)
        session.close()
    assert set(threading.enumerate()) <= before


def test_an_unknown_backend_is_refused():
    with pytest.raises(EnvironmentSetupError, match="builtin or msgpack-rpc-python"):
        open_session(
            "carrier-pigeon",
            "127.0.0.1",
            1,
            deadline_s=1,
            connect_deadline_s=1,
            max_message_bytes=1,
        )
