"""The tree of errors. Every message says what is wrong, where, and what to do.

The command line prints a `FollowMeError` as one line and exits with its `exit_code`.
"""


def printable(text: str) -> str:
    """Return a text from any source as one line that cannot control a terminal.

    White space becomes a space, and any other character that is not printable its escape.
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else " " if c.isspace() else c.encode("unicode_escape").decode()
        for c in text
    )


class FollowMeError(Exception):
    """Root of all errors that a user can cause or correct; the text is one line.

    The text may quote a file or a simulator, see `printable`.

    Example:
        >>> from followme_uav import FollowMeError, load_config
        >>> try:
        ...     load_config(overrides=["camera.rate_hz=fast"])
        ... except FollowMeError as error:
        ...     print("camera.rate_hz" in str(error), error.exit_code)
        True 2
    """

    exit_code = 2

    def __init__(self, text: str = "") -> None:
        super().__init__(printable(text).strip())


class ConfigError(FollowMeError):
    """A configuration file or `--set` override is invalid."""


class OutputError(FollowMeError):
    """A file cannot be written; its former content is unchanged."""


class WeightsError(FollowMeError):
    """A weights file is missing, damaged or made for another network."""


class PilotError(FollowMeError):
    """A pilot or mask source of a user cannot be loaded, or failed in flight."""


class DataError(FollowMeError):
    """A labelled data set is invalid."""


class LogError(FollowMeError):
    """A flight log cannot be written or read."""


class InUseError(FollowMeError):
    """Another process is writing to the file or folder."""


class SimulatorError(FollowMeError):
    """The simulator is missing, gone, or replied with an error."""


class ControlLostError(SimulatorError):
    """Another client has the vehicle; no further command may be sent."""


class RpcError(SimulatorError):
    """A remote call failed; the message names method, address and cause."""


class RpcTimeoutError(RpcError):
    """A remote call got no reply before its deadline."""


class RpcConnectionError(RpcError):
    """The connection to the simulator cannot be made or was lost."""


class RemoteError(RpcError):
    """The simulator replied to the call with an error."""


class EnvironmentSetupError(FollowMeError):
    """The machine lacks something: a display driver, a package, a free port."""
