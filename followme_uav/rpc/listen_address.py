"""Addresses to listen on: checks, and the listening socket."""

from __future__ import annotations

import ipaddress
import os
import socket

from followme_uav.errors import ConfigError, EnvironmentSetupError

_MAX_PORT = 65535


def check_listen_address(host: str, port: int) -> None:
    """Refuse an address that listens on all interfaces without naming them explicitly.

    Only 0.0.0.0 and ::, written out, may do that: an empty host, "0" or a name may not.

    Raises:
        ConfigError: The address is invalid or refused.
    """
    remedy = "use 127.0.0.1 for this machine alone, or 0.0.0.0 or :: for every network it is in"
    if not host or host != host.strip():
        raise ConfigError(f"--host '{host}': not an address to listen on; {remedy}")
    if not 0 <= port <= _MAX_PORT:
        raise ConfigError(f"cannot listen on port {port}: use 0 to {_MAX_PORT}")
    try:
        found = socket.getaddrinfo(host, port, _family(host), socket.SOCK_STREAM)
    except (OSError, UnicodeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a name"
        raise ConfigError(f"--host '{host}': unknown ({reason}); {remedy}") from None
    is_everywhere = any(_is_unspecified(str(address[0])) for *_, address in found)
    if is_everywhere and not _is_unspecified(host):
        raise ConfigError(f"--host '{host}': would listen on every network; {remedy}")


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        ConfigError: The address is invalid or refused, see `check_listen_address`.
        EnvironmentSetupError: The address cannot be used, for example the port is in use.
    """
    check_listen_address(host, port)
    try:
        return socket.create_server((host, port), family=_family(host))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error
        raise EnvironmentSetupError(
            f"cannot listen on {host}:{port}: {reason}; "
            "stop the program that uses it, or choose another address with --host and --port "
            "(0: any free port)"
        ) from None


def _is_unspecified(text: str) -> bool:
    """Whether it is 0.0.0.0 or ::, in any notation."""
    try:
        return ipaddress.ip_address(text).is_unspecified
    except ValueError:
        return False


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
