"""The package `onnx`, imported when a network is read or built: it is slow to import."""

from __future__ import annotations

from typing import Any

from followme_uav.errors import EnvironmentSetupError


def onnx_package() -> Any:
    """Import the package `onnx`; raises `EnvironmentSetupError` where that fails."""
    try:
        import onnx
    except ImportError as error:
        raise EnvironmentSetupError(
            f"the package onnx cannot be imported ({error}); install the package's dependencies"
        ) from error
    return onnx
