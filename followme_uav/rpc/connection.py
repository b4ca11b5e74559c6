"""The connection to one AirSim server: two sessions, the dialect, and the errors of replies.

Commands (motion, camera, clock) go on one session, in order: a command sent before time advances
acts before time advances. Queries (state, images) go on the other, so that a motion call that
blocks in the simulator delays no frame.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from followme_uav.config import RpcConfig, SimulatorProfile
from followme_uav.errors import RpcConnectionError, SimulatorError
from followme_uav.rpc.backends import open_simulator_session
from followme_uav.rpc.dialect import COSYS_VERSION, Dialect
from followme_uav.rpc.session import RpcSession, await_result

logger = logging.getLogger(__name__)


class SimulatorConnection:
    """Two RPC sessions with one server.

    Attributes:
        profile: The simulator: address, names, conventions.
        rpc: Backend and deadlines.
        address: HOST:PORT, for messages.
        dialect: How the server expects structs.
        command_count: Number of commands sent. A reply that was requested before the last command
            may be out of date.
        blocking_command_count: Number of commands that have changed the simulation when they
            return, or that let time pass. Ground truth requested before the last one is out of
            date.
    """

    def __init__(self, profile: SimulatorProfile, rpc: RpcConfig) -> None:
        self.profile, self.rpc = profile, rpc
        self.address = f"{profile.host}:{profile.port}"
        self.dialect = Dialect("maps")
        self.command_count = self.blocking_command_count = 0
        self._commands: RpcSession | None = None
        self._queries: RpcSession | None = None

    def open(self) -> None:
        """Connect, check the vehicle's name, detect the dialect."""
        self.close()
        self._commands = open_simulator_session(self.profile, self.rpc)
        self._queries = open_simulator_session(self.profile, self.rpc)
        self.query("ping")
        self._check_vehicle()
        self.dialect = detected_dialect(self.profile, self.query)
        logger.info(
            "Connected to the simulator at %s, dialect %s.", self.address, self.dialect.name
        )

    def close(self) -> None:
        """Disconnect; without effect when not connected."""
        for session in (self._commands, self._queries):
            if session is not None:
                session.close()
        self._commands = self._queries = None
        self.command_count += 1
        self.blocking_command_count += 1

    @property
    def command_session(self) -> RpcSession:
        """The session of the commands; raises `RpcConnectionError` when not connected."""
        return self._connected(self._commands)

    @property
    def query_session(self) -> RpcSession:
        """The session of the queries; raises `RpcConnectionError` when not connected.

        Held commands are sent before a query, which may depend on them.
        """
        self.release_commands()
        return self._connected(self._queries)

    def hold_commands(self) -> None:
        """Keep commands from now on, until a query or `release_commands` sends them together."""
        self.command_session.hold()

    def release_commands(self) -> None:
        """Send the commands that are held; without effect without any."""
        if self._commands is not None:
            self._commands.release()

    def query(self, method: str, *params: Any) -> Any:
        """Call a method that changes nothing, and return its reply."""
        return self.query_session.call(method, *params)

    def query_async(self, method: str, *params: Any) -> Future[Any]:
        """Call a method that changes nothing, without waiting for its reply."""
        return self.query_session.call_async(method, *params)

    def command(self, method: str, *params: Any, deadline_s: float | None = None) -> Any:
        """Call a method that changes something, and return its reply.

        Without a deadline `rpc.deadline_s` applies.
        """
        self.command_count += 1
        self.blocking_command_count += 1
        return self.command_session.call(method, *params, deadline_s=deadline_s)

    def command_async(self, method: str, *params: Any) -> Future[Any]:
        """Send a command that takes effect while time passes, without waiting for its reply."""
        self.command_count += 1
        return self.command_session.call_async(method, *params)

    def advance_async(self, method: str, *params: Any) -> Future[Any]:
        """Send a command that lets time pass, without waiting for its reply."""
        self.blocking_command_count += 1
        return self.command_async(method, *params)

    def reply(self, call: Future[Any], method: str) -> Any:
        """Wait for a reply for `rpc.deadline_s`; raises as `RpcSession.call` does."""
        if not call.done():
            self.release_commands()
        return await_result(call, method, self.address, self.rpc.deadline_s)

    @contextmanager
    def parsing(self, method: str) -> Iterator[None]:
        """Turn the error of a malformed reply into a `SimulatorError` that names the method."""
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            cause = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise SimulatorError(
                f"{method} at {self.address}: the reply is not what AirSim sends ({cause}); "
                "is simulator.dialect right?"
            ) from error

    def fov_params(self) -> Sequence[Any]:
        """Parameters of simSetCameraFov that set the field of view of the profile."""
        profile = self.profile
        return self.dialect.camera_params(
            profile.camera_name, profile.camera_fov_deg, profile.vehicle_name
        )

    def _connected(self, session: RpcSession | None) -> RpcSession:
        if session is None:
            raise RpcConnectionError(f"not connected to {self.address}; connect first")
        return session

    def _check_vehicle(self) -> None:
        wanted = self.profile.vehicle_name
        names = self.query("listVehicles")
        with self.parsing("listVehicles"):
            if not wanted or wanted in names:
                return
            listed = ", ".join(f"'{name}'" for name in names) or "none"
        raise SimulatorError(
            f"{self.address} has no vehicle '{wanted}', but {listed}; set simulator.vehicle_name"
        )


def detected_dialect(profile: SimulatorProfile, query: Callable[..., Any]) -> Dialect:
    """Return the dialect of the profile; where that is "auto", ask the server by `query`."""
    if profile.dialect != "auto":
        return Dialect(profile.dialect)
    if query("getServerVersion") == COSYS_VERSION:
        return Dialect("cosys")
    state = query("getMultirotorState", profile.vehicle_name)
    return Dialect("arrays" if isinstance(state, list) else "maps")
