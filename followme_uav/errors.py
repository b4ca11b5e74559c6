"""One error tree. Every message says what was wrong, where, and what to do.

The command line prints a `FollowMeError` as one line and exits with its `exit_code`.
"""


class FollowMeError(Exception):
    """Root of all errors a user can cause or cure."""

    exit_code = 2


class ConfigError(FollowMeError):
    """A configuration file or `--set` override that cannot be used."""


class OutputError(FollowMeError):
    """A file that cannot be written; what was there before is still there."""


class WeightsError(FollowMeError):
    """A weights file that is missing, damaged or made for another network."""


class DataError(FollowMeError):
    """A labelled data set that cannot be used."""


class LogError(FollowMeError):
    """A flight log that cannot be written or read."""


class InUseError(FollowMeError):
    """A file or folder that another process is writing to."""


class SimulatorError(FollowMeError):
    """The simulator is missing, gone, or answered with an error."""


class ControlLostError(SimulatorError):
    """Another client has the vehicle now; it is not to be touched any more."""


class RpcError(SimulatorError):
    """A remote call failed; the message names method, address and cause."""


class RpcTimeoutError(RpcError):
    """A remote call got no answer before its deadline."""


class RpcConnectionError(RpcError):
    """The connection to the simulator cannot be made or was lost."""


class RemoteError(RpcError):
    """The simulator answered the call with an error of its own."""


class EnvironmentSetupError(FollowMeError):
    """Something the machine lacks: a display driver, a package, a free port."""
