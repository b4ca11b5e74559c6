"""Sessions with a server in the same process cannot be told from those over a socket."""

from concurrent.futures import Future

import numpy as np
import pytest

from followme_uav.errors import RemoteError, RpcConnectionError
from followme_uav.rpc.backends import open_session
from followme_uav.rpc.direct import IN_PROCESS, served_in_process
from followme_uav.rpc.handlers import BadCastError, HandlerError
from followme_uav.rpc.server import RpcServer
from followme_uav.rpc.session import UnknownMethodError
from followme_uav.rpc.wire import Float64

DEADLINES = {"deadline_s": 5.0, "connect_deadline_s": 5.0, "max_message_bytes": 2**20}


class Landing:
    """A call that is answered later, by another call."""

    def __init__(self):
        self.waiting = []

    def start(self):
        self.waiting.append(Future())
        return self.waiting[-1]

    def end(self, works):
        future = self.waiting.pop()
        future.set_result(works) if works else future.set_exception(HandlerError("no ground"))
        return True


def refuse(value):
    raise BadCastError("a number")


def handlers(landing):
    return {
        "state": lambda: {
            "position": (0.1, -2),
            "at": Float64(0.1),
            "image": b"\x01\x02",
            "no": None,
        },
        "echo": lambda value: value,
        "refuse": refuse,
        "divide": lambda: 1 / 0,
        "land": landing.start,
        "end": landing.end,
    }


@pytest.fixture(params=[False, True], ids=["maps", "arrays"])
def sessions(request):
    """A session with a server in this process, and one over a socket."""
    with served_in_process(handlers(Landing()), array_structs=request.param) as port:
        direct = open_session("builtin", IN_PROCESS, port, **DEADLINES)
        server = RpcServer(handlers(Landing()), array_structs=request.param)
        server.start()
        remote = open_session("builtin", *server.address, **DEADLINES)
        yield direct, remote
        remote.close()
        server.stop()


def outcome(session, method, *params):
    """The result with its types, or the error without the address."""
    try:
        return repr(session.call(method, *params))
    except RemoteError as error:
        return type(error), str(error).replace(session.address, "ADDRESS")


@pytest.mark.parametrize(
    "call",
    [
        ("state",),
        ("echo", (1, 2.5, "text", [True, {"a": (3,)}])),
        ("echo",),
        ("refuse", 1),
        ("divide",),
        ("unknown", 1),
    ],
)
def test_answers_and_errors_are_those_of_a_socket(sessions, call):
    direct, remote = (outcome(session, *call) for session in sessions)
    assert direct == remote


def test_numbers_have_the_precision_of_the_wire(sessions):
    """Flights in one process are to be the same as in two."""
    direct, _ = sessions
    assert direct.call("echo", 0.1) == float(np.float32(0.1)) != 0.1


@pytest.mark.parametrize("works", [True, False])
def test_a_call_that_is_answered_later_is_complete_after_the_call_that_ends_it(sessions, works):
    results = []
    for session in sessions:
        landing = session.call_async("land")
        assert not landing.done()
        session.call("end", works)
        error = landing.exception(5.0)
        results.append(str(error).replace(session.address, "ADDRESS"))
        assert error is not None or landing.result() is True
    assert results[0] == results[1]


def test_an_unknown_method_is_told_apart(sessions):
    direct, _ = sessions
    with pytest.raises(UnknownMethodError):
        direct.call("unknown")


def test_calls_fail_after_the_session_is_closed():
    with served_in_process(handlers(Landing())) as port:
        session = open_session("builtin", IN_PROCESS, port, **DEADLINES)
        landing = session.call_async("land")
        session.close()
        with pytest.raises(RpcConnectionError, match="not connected"):
            session.call("state")
        again = open_session("builtin", IN_PROCESS, port, **DEADLINES)
        again.call("end", True)
        with pytest.raises(RpcConnectionError, match="closed by this side"):
            landing.result(0)


def test_no_server_is_found_after_its_block():
    with served_in_process({}) as port:
        pass
    with pytest.raises(RpcConnectionError, match=f"no simulator {IN_PROCESS}:{port}"):
        open_session("builtin", IN_PROCESS, port, **DEADLINES)
