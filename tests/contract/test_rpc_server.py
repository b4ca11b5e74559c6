"""The server over real sockets: rpclib's answers, and isolation of clients from each other."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from concurrent.futures import Future

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followme_uav.errors import ConfigError, EnvironmentSetupError
from followme_uav.rpc.connections import MAX_MESSAGES_PER_TURN, MAX_UNFINISHED_BYTES
from followme_uav.rpc.server import BadCastError, HandlerError, RpcServer
from followme_uav.rpc.wire import WireLimits

DEADLINE_S = 20.0

params = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
pieces = st.one_of(
    st.binary(max_size=40),
    params.map(msgpack.packb),
    st.builds(
        lambda *message: msgpack.packb(message),
        st.integers(-1, 3),
        st.sampled_from([0, 7, -1, 2**32, 2**32 - 1, None]),
        st.sampled_from(["ping", "note", "hold", "refuse", "state", "unsendable", "", "fly"]),
        st.lists(params, max_size=3),
    ),
    st.sampled_from(
        [b"\xdd\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\x91" * 1000, b"\x94\x00"]
    ),
)


class Peer:
    """A minimal client that can misbehave."""

    def __init__(self, server: RpcServer) -> None:
        self.socket = socket.create_connection(server.address, DEADLINE_S)
        self._unpacker = msgpack.Unpacker(max_buffer_size=2**28)

    def send(self, *message) -> None:
        self.socket.sendall(msgpack.packb(message))

    def receive(self):
        """The next message, or None after the server has closed the connection."""
        while True:
            for message in self._unpacker:
                return message
            try:
                data = self.socket.recv(2**20)
            except ConnectionResetError:
                return None
            if not data:
                return None
            self._unpacker.feed(data)

    def ask(self, method, *params):
        self.send(0, 1, method, params)
        return self.receive()


class Bench:
    """Handlers that record their parameters."""

    def __init__(self) -> None:
        self.log: list = []
        self.held: list[Future] = []
        self.noted = threading.Event()

    def handlers(self):
        def note(value):
            self.log.append(value)
            self.noted.set()

        def hold(value):
            self.log.append(value)
            self.held.append(Future())
            return self.held[-1]

        def refuse(kind):
            if kind == "cast":
                raise BadCastError
            if kind == "bug":
                raise KeyError("state")
            raise HandlerError("Vehicle API for 'X' is not available")

        return {
            "ping": lambda: True,
            "note": note,
            "hold": hold,
            "refuse": refuse,
            "blob": lambda size: bytes(size),
            "unsendable": object,
            "state": lambda: {"position": {"x_val": 0.1}, "name": "A"},
        }


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture
def server(bench):
    server = RpcServer(bench.handlers())
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def fuzzed():
    server = RpcServer(Bench().handlers())
    server.start()
    yield server
    server.stop()


def until(holds):
    give_up_s = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < give_up_s, "it did not happen"
        time.sleep(0.005)


@pytest.fixture
def peer(server):
    peer = Peer(server)
    yield peer
    peer.socket.close()


def test_server_listens_on_loopback_by_default(server):
    """A simulator without authentication must not be reachable from the network by default."""
    assert server.address[0] == "127.0.0.1"


def test_answers_do_not_wait_for_acknowledgements(server, peer):
    """Without TCP_NODELAY each frame of a flight, three answers at once, takes 40 ms longer."""
    peer.ask("note", "hello")
    (connection,) = server.connections
    accepted = connection._transport.get_extra_info("socket")
    assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_requests_of_a_connection_are_dispatched_in_order(peer, bench):
    """A motion call that waits must have started before the clock call that follows it."""
    peer.send(0, 1, "hold", ["move"])
    peer.send(0, 2, "note", ["advance"])
    assert peer.receive() == [1, 2, None, None]
    assert bench.log == ["move", "advance"]
    bench.held[0].set_result(True)
    assert peer.receive() == [1, 1, None, True]


def test_waiting_call_does_not_delay_other_calls(server, peer, bench):
    other = Peer(server)
    peer.send(0, 5, "hold", [1])
    assert peer.ask("ping") == [1, 1, None, True]
    assert other.ask("ping") == [1, 1, None, True]
    bench.held[0].set_result("done")
    assert peer.receive() == [1, 5, None, "done"]


def test_held_answers_are_sent_together_when_they_are_released(server, peer, bench):
    """One write wakes the client once; answers that wait for no job are not held."""
    for number in range(3):
        peer.send(0, number, "hold", [number])
    until(lambda: len(bench.held) == 3)
    server.hold_answers(True)
    for call in bench.held:
        call.set_result("done")
    assert peer.ask("ping") == [1, 1, None, True]
    server.hold_answers(False)
    assert [peer.receive() for _ in range(3)] == [[1, n, None, "done"] for n in range(3)]


def test_answers_go_to_the_client_that_asked(server, peer, bench):
    other = Peer(server)
    peer.send(0, 1, "hold", ["mine"])
    assert peer.ask("ping")
    other.send(0, 1, "hold", ["second"])
    assert other.ask("ping")
    bench.held[1].set_result("second")
    bench.held[0].set_result("mine")
    assert peer.receive()[3] == "mine"
    assert other.receive()[3] == "second"


@pytest.mark.parametrize(
    ("method", "params", "text"),
    [
        ("fly", [1, 2], "rpclib: server could not find function 'fly' with argument count 2."),
        (
            "note",
            [1, 2, 3],
            "rpclib: client error C0002: Function 'note' was called with an invalid number of "
            "arguments. Expected: 3, got: 1",
        ),
        (
            "refuse",
            ["cast"],
            "rpclib: function 'refuse' (called with 1 arg(s)) threw an exception. "
            "The exception contained this information: std::bad_cast.",
        ),
        (
            "refuse",
            ["name"],
            "rpclib: function 'refuse' (called with 1 arg(s)) threw an exception. The exception "
            "contained this information: Vehicle API for 'X' is not available.",
        ),
    ],
)
def test_errors_have_rpclibs_words(peer, method, params, text):
    """Clients written for AirSim parse them."""
    assert peer.ask(method, *params) == [1, 1, text, None]


@pytest.mark.parametrize(("method", "params"), [("refuse", ["bug"]), ("unsendable", [])])
def test_failing_handler_gives_an_error_answer_and_the_server_goes_on(peer, method, params):
    answer = peer.ask(method, *params)
    assert "threw an exception" in answer[2] and answer[3] is None
    assert peer.ask("ping") == [1, 1, None, True]


def test_failed_or_cancelled_future_gives_an_error_answer(peer, bench):
    for end in (lambda f: f.set_exception(HandlerError("vehicle is moving")), Future.cancel):
        peer.send(0, 9, "hold", [1])
        peer.ask("ping")
        end(bench.held.pop())
        msgid, error = peer.receive()[1:3]
        assert msgid == 9 and "rpclib: function 'hold'" in error


def test_failing_notifications_do_not_fill_the_log(peer, caplog):
    """A client may send any number of them, each as long as a message may be."""
    caplog.set_level("INFO")
    for _ in range(20):
        peer.send(2, "un\nknown" * 1000, [])
    assert peer.ask("ping") == [1, 1, None, True]
    lines = [r.getMessage() for r in caplog.records if "notification" in r.getMessage()]
    assert 1 <= len(lines) <= 2
    assert all(len(line) < 300 and "\n" not in line for line in lines)


def test_notification_is_executed_without_an_answer(peer, bench):
    peer.send(2, "note", ["quiet"])
    peer.send(2, "unknown", [])
    peer.send(2, "refuse", ["bug"])
    assert peer.ask("ping") == [1, 1, None, True]  # it is the first answer
    assert bench.log == ["quiet"]


@pytest.mark.parametrize(
    "data",
    [
        b"\xc1",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\xdf\xff\xff\xff\xff",
        msgpack.packb([0, 1, "note"]),
        msgpack.packb([0, "one", "note", [1]]),
        msgpack.packb([0, 1, 7, [1]]),
        msgpack.packb([1, 1, None, None]),
        msgpack.packb([0, 1, "note", ["x" * 5000]]),
    ],
    ids=["byte", "http", "map", "short", "msgid", "method", "response", "oversize"],
)
def test_malformed_bytes_close_only_their_own_connection(bench, data):
    """Rpclib would abort the simulator and end every flight."""
    server = RpcServer(bench.handlers(), limits=WireLimits(message_bytes=4000, array_items=100))
    server.start()
    good, bad = Peer(server), Peer(server)
    assert good.ask("ping") and bad.ask("ping")
    bad.socket.sendall(data)
    assert bad.receive() is None
    assert good.ask("ping") == [1, 1, None, True]
    assert bench.log == []
    server.stop()


def test_client_that_does_not_read_is_disconnected(bench):
    """Its unread images must not fill the simulator's memory."""
    server = RpcServer(bench.handlers(), max_outgoing_bytes=2**20)
    server.start()
    unread, good = Peer(server), Peer(server)
    with pytest.raises(OSError):
        for _ in range(1000):
            unread.send(0, 1, "blob", [2**20])
            good.ask("ping")
    assert good.ask("ping") == [1, 1, None, True]
    server.stop()


def test_clients_that_do_not_read_share_one_memory_limit(bench):
    """Each may have little unread, but all together more than fits into memory."""
    server = RpcServer(bench.handlers(), max_outgoing_bytes=16 * 2**20)
    server.start()
    unread = [Peer(server) for _ in range(20)]
    good = Peer(server)
    for peer in unread:
        peer.send(0, 1, "blob", [10 * 2**20])
        assert good.ask("ping")
    until(lambda: sum(c.unread_bytes() for c in set(server.connections)) <= 16 * 2**20)
    assert 1 < len(server.connections) < 21
    assert good.ask("ping") == [1, 1, None, True]
    server.stop()


def test_unfinished_messages_share_one_memory_limit(bench):
    server = RpcServer(bench.handlers())
    server.start()
    good = Peer(server)
    slow = [Peer(server) for _ in range(8)]
    for peer in slow:
        with contextlib.suppress(OSError):  # the server may have closed it already
            peer.socket.sendall(b"\x94\x00\x01\xa1m\x91\xc6\x00\x0f\x00\x00" + bytes(600_000))
        assert good.ask("ping") == [1, 1, None, True]
    until(lambda: len(server.connections) < 9)
    assert sum(c.unfinished_bytes() for c in set(server.connections)) <= MAX_UNFINISHED_BYTES
    assert good.ask("ping") == [1, 1, None, True]
    server.stop()


def test_flood_of_one_client_does_not_delay_the_others(server, peer, bench):
    """Their calls are handled between its messages, not after all thousands of them."""
    flood = Peer(server)
    calls = [msgpack.packb((0, number, "note", ["flood"])) for number in range(20_000)]
    reader = threading.Thread(target=lambda: [flood.receive() for _ in calls], daemon=True)
    reader.start()
    sender = threading.Thread(target=lambda: flood.socket.sendall(b"".join(calls)), daemon=True)
    sender.start()
    assert bench.noted.wait(DEADLINE_S)
    assert peer.ask("note", "mine") == [1, 1, None, None]
    mine = bench.log.index("mine")
    reader.join(DEADLINE_S)
    assert bench.log.count("flood") == len(calls)
    assert mine < len(calls)


def test_messages_of_a_flood_are_handled_completely_and_in_order(peer, bench):
    """Including those left for the next turn, and those received after them."""
    numbers = list(range(10 * MAX_MESSAGES_PER_TURN + 3))
    peer.socket.sendall(b"".join(msgpack.packb((0, n, "note", [n])) for n in numbers))
    assert [peer.receive()[1] for _ in numbers] == numbers
    assert bench.log == numbers


def test_client_killed_during_its_calls_does_not_affect_others(server, peer, bench):
    """As after SIGKILL: the connection is reset, and the answers have no receiver."""
    killed = Peer(server)
    killed.socket.sendall(msgpack.packb((0, 1, "hold", [1])) + b"\x94\x00\x02\xa4no")
    until(lambda: bench.held)
    killed.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    killed.socket.close()
    until(lambda: len(server.connections) == 1)
    bench.held[0].set_result(True)
    assert peer.ask("ping") == [1, 1, None, True]


def test_two_hundred_clients_are_served_at_once(server, bench):
    clients = [Peer(server) for _ in range(200)]
    for number, client in enumerate(clients):
        client.send(0, number, "note", [number])
    assert [client.receive() for client in clients] == [[1, n, None, None] for n in range(200)]
    for client in clients:
        client.socket.close()


def test_client_cannot_fill_the_log(server, peer, caplog):
    with caplog.at_level("WARNING"):
        for _ in range(300):
            faulty = Peer(server)
            faulty.socket.sendall(b"\xc1")
            assert faulty.receive() is None
    assert peer.ask("ping")
    assert 1 <= len(caplog.records) < 100


@settings(max_examples=150, deadline=None)
@given(pieces=st.lists(pieces, max_size=8))
def test_any_bytes_on_a_connection_leave_the_next_one_served(fuzzed, pieces):
    faulty = Peer(fuzzed)
    with contextlib.suppress(OSError):
        for piece in pieces:
            faulty.socket.sendall(piece)
    faulty.socket.close()
    assert Peer(fuzzed).ask("ping") == [1, 1, None, True]


def test_number_of_unanswered_requests_is_limited(bench):
    server = RpcServer(bench.handlers(), max_in_flight=3)
    server.start()
    greedy, good = Peer(server), Peer(server)
    for number in range(4):
        greedy.send(0, number, "hold", [number])
    assert greedy.receive() is None
    assert good.ask("ping") == [1, 1, None, True]
    server.stop()


def test_number_of_connections_is_limited_and_closed_ones_are_free_again(bench):
    server = RpcServer(bench.handlers(), max_connections=2)
    server.start()
    first, second = Peer(server), Peer(server)
    assert first.ask("ping") and second.ask("ping")
    third = Peer(server)
    assert third.receive() is None
    first.socket.close()
    while True:  # the server notices the closing after a while
        fourth = Peer(server)
        try:
            if fourth.ask("ping"):
                break
        except OSError:
            continue
    server.stop()


def test_port_in_use_is_reported_in_one_line(server):
    with pytest.raises(EnvironmentSetupError) as error:
        RpcServer({}, port=server.address[1]).start()
    text = str(error.value)
    assert f"127.0.0.1:{server.address[1]}" in text and "--port" in text and "\n" not in text


def test_port_out_of_range_is_refused_by_number():
    with pytest.raises(ConfigError, match="99999"):
        RpcServer({}, port=99999).start()


def test_stop_closes_all_connections_and_can_be_repeated(server, peer, bench):
    """Ctrl-C must end the simulator even during a take-off, and free the port."""
    peer.send(0, 1, "hold", [1])
    assert peer.ask("ping")
    server.stop()
    server.stop()
    assert peer.receive() is None
    bench.held[0].set_result(True)  # a result after the stop has no effect
    again = RpcServer(bench.handlers(), port=server.address[1])
    again.start()
    assert Peer(again).ask("ping") == [1, 1, None, True]
    again.stop()


def test_structs_are_sent_as_arrays_on_request(bench):
    """Colosseum's form."""
    server = RpcServer(bench.handlers(), array_structs=True)
    server.start()
    assert Peer(server).ask("state")[3] == [[pytest.approx(0.1)], "A"]
    server.stop()


def test_handler_with_a_variable_number_of_parameters_is_refused():
    with pytest.raises(ValueError, match="'loose'"):
        RpcServer({"loose": lambda *params: None})
