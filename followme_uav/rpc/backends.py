"""Opens an RPC session of one of the two implementations."""

from __future__ import annotations

from followme_uav.config import RpcConfig, SimulatorProfile
from followme_uav.errors import EnvironmentSetupError
from followme_uav.rpc.direct import IN_PROCESS, DirectSession
from followme_uav.rpc.session import RpcSession


def open_simulator_session(simulator: SimulatorProfile, rpc: RpcConfig) -> RpcSession:
    """Connect a session with a simulator; raises as `open_session`."""
    return open_session(
        rpc.backend,
        simulator.host,
        simulator.port,
        deadline_s=rpc.deadline_s,
        connect_deadline_s=rpc.connect_deadline_s,
        max_message_bytes=rpc.max_message_bytes,
    )


def open_session(
    backend: str,
    host: str,
    port: int,
    *,
    deadline_s: float,
    connect_deadline_s: float,
    max_message_bytes: int,
) -> RpcSession:
    """Connect a session of the backend "builtin" or "msgpack-rpc-python" (`rpc.backend`).

    Raises:
        EnvironmentSetupError: The backend is unknown or not installed.
        RpcConnectionError: No server accepts the connection before the deadline.
    """
    kind = DirectSession if host == IN_PROCESS else RpcSession
    if backend == "msgpack-rpc-python":
        from followme_uav.rpc.legacy import LegacySession as kind
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
