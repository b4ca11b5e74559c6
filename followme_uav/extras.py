"""Optional packages, which are checked before the long work."""

from __future__ import annotations

import importlib.util

from followme_uav.errors import EnvironmentSetupError


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
        raise EnvironmentSetupError(
            f"{what} needs the package '{package}', which is not installed; "
            f"run: pip install 'followme-uav[{extra}]'"
        )
