"""Optional packages, which are checked before the long work."""

from __future__ import annotations

import importlib.util
import sys

from followme_uav.errors import EnvironmentSetupError

OLDEST_PYTHON = {"view": (3, 11)}
"""The first Python for which an extra has packages, if that is not the program's own first."""


def require(package: str, extra: str, what: str) -> None:
    """Check that an optional package is installed.

    Args:
        package: Its import name.
        extra: The extra of followme-uav that installs it.
        what: The function that needs it, for the message.

    Raises:
        EnvironmentSetupError: The package is missing; the message says how to install it.
    """
    if importlib.util.find_spec(package) is None:
        oldest = OLDEST_PYTHON.get(extra, (3, 0))
        if sys.version_info[:2] < oldest:
            raise EnvironmentSetupError(
                f"{what} needs the package '{package}', which exists for Python "
                f"{'.'.join(map(str, oldest))} and later; install followme-uav[{extra}] there"
            )
        raise EnvironmentSetupError(
            f"{what} needs the package '{package}', which is not installed; "
            f"run: pip install 'followme-uav[{extra}]'"
        )
