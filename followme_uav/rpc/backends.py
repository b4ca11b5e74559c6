"""The two implementations of an RPC session, by name."""

from __future__ import annotations

from followme_uav.errors import EnvironmentSetupError
from followme_uav.rpc.session import RpcSession


def open_session(
    backend: str,
    host: str,
    port: int,
    *,
    deadline_s: float,
    connect_deadline_s: float,
    max_message_bytes: int,
) -> RpcSession:
    """A connected session of the backend "builtin" or "msgpack-rpc-python" (`rpc.backend`).

    Raises:
        EnvironmentSetupError: The backend is not installed or not known.
        RpcConnectionError: Nobody listens, or not before the deadline.
    """
    kind = RpcSession
    if backend == "msgpack-rpc-python":
        from followme_uav.rpc.legacy import LegacySession as kind  # type: ignore[assignment]
    elif backend != "builtin":
        raise EnvironmentSetupError(
            f"rpc.backend {backend!r} is unknown; use builtin or msgpack-rpc-python"
        )
    session = kind(
        host,
        port,
        deadline_s=deadline_s,
        connect_deadline_s=connect_deadline_s,
        max_message_bytes=max_message_bytes,
    )
    session.connect()
    return session
