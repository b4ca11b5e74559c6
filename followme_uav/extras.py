"""Packages that only some need: asked for before the long work, not after."""

from __future__ import annotations

import importlib.util

from followme_uav.errors import EnvironmentSetupError


def require(package: str, extra: str, what: str) -> None:
    """To be called before the work that needs an optional package.

    Args:
        package: its import name.
        extra: of followme-uav, which brings it.
        what: needs it, for the message.

    Raises:
        EnvironmentSetupError: It is missing; the message tells how to install it.
    """
    if importlib.util.find_spec(package) is None:
        raise EnvironmentSetupError(
            f"{what} needs the package '{package}', which is not installed; "
            f"run: pip install 'followme-uav[{extra}]'"
        )
