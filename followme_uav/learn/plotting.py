"""Matplotlib, which only those who draw need: asked for before the long work, not after."""

from __future__ import annotations

import importlib.util

from followme_uav.errors import EnvironmentSetupError


def require_matplotlib(what: str) -> None:
    """To be called before the long work that figures come after.

    Args:
        what: That draws, for the message.

    Raises:
        EnvironmentSetupError: Matplotlib is missing.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise EnvironmentSetupError(
            f"{what} draws with Matplotlib, which is not installed; "
            "run: pip install 'followme-uav[report]'"
        )
