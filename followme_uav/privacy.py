"""Keeps libraries from sending anything about their use, or about those who use them.

The package calls `keep_private` before it imports any of them; child processes inherit it.
"""

from __future__ import annotations

import os
import sys

ENVIRONMENT = {
    "DO_NOT_TRACK": "1",  # https://consoledonottrack.com, which some libraries heed
    "HF_HUB_DISABLE_TELEMETRY": "1",  # Hugging Face
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime, which also leaves a device number in HOME
    "RAY_USAGE_STATS_ENABLED": "0",  # Ray
}
"""Each library's own switch."""

_NOWHERE = "http://127.0.0.1:9"  # the discard port, where nobody listens
RERUN_ENVIRONMENT = {
    "CI": "true",  # its only switch for usage data that leaves no file in HOME
    "ALL_PROXY": _NOWHERE,  # it has none for the question whether there is a newer version
    "HTTPS_PROXY": _NOWHERE,
    "https_proxy": _NOWHERE,
    "NO_PROXY": "127.0.0.1,localhost",
}
"""For the processes of the Rerun viewer alone: others may need their proxy."""

_REPORTERS = ("openvino_telemetry",)
"""Packages that do nothing but report. OpenVINO uses a stand-in when its cannot be imported."""


def keep_private() -> None:
    """Switch all of it off; whatever was imported before stays as it is."""
    os.environ.update(ENVIRONMENT)
    for name in _REPORTERS:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type] # no such module, says import
