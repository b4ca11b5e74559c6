"""Switches off the usage reports of libraries.

The package calls `keep_private` before it imports any of them; child processes inherit the
environment.
"""

from __future__ import annotations

import os
import sys

ENVIRONMENT = {
    "DO_NOT_TRACK": "1",  # https://consoledonottrack.com, respected by some libraries
    "HF_HUB_DISABLE_TELEMETRY": "1",  # Hugging Face
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime, which also writes a device number to HOME
    "RAY_USAGE_STATS_ENABLED": "0",  # Ray
}
"""The switch of each library."""

_NOWHERE = "http://127.0.0.1:9"  # the discard port, without a server
RERUN_ENVIRONMENT = {
    "CI": "true",  # its only switch for usage data that writes no file to HOME
    "ALL_PROXY": _NOWHERE,  # it has no switch for its check for newer versions
    "HTTPS_PROXY": _NOWHERE,
    "https_proxy": _NOWHERE,
    "NO_PROXY": "127.0.0.1,localhost",
}
"""For processes of the Rerun viewer only: other processes may need their proxy."""

_REPORTERS = ("openvino_telemetry",)
"""Packages that only report. OpenVINO uses a stub when this one cannot be imported."""


def keep_private() -> None:
    """Switch all reports off; has no effect on libraries imported before."""
    os.environ.update(ENVIRONMENT)
    for name in _REPORTERS:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type] # import then raises ModuleNotFoundError
