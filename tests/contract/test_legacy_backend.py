"""Runs the contract tests on the backend msgpack-rpc-python, in an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from followme_uav.errors import EnvironmentSetupError
from followme_uav.rpc.backends import open_session

from .fake.process import ROOT

SETUP_LIMIT_S, TESTS_LIMIT_S = 250, 200


def test_error_says_what_to_do_when_the_library_is_missing():
    """The library is not installed here; selecting it must not end in an ImportError."""
    with pytest.raises(EnvironmentSetupError, match=r"legacy_env\.sh .*; or set rpc\.backend"):
        open_session(
            "msgpack-rpc-python",
            "127.0.0.1",
            1,
            deadline_s=1,
            connect_deadline_s=1,
            max_message_bytes=1,
        )


@pytest.mark.slow
@pytest.mark.timeout(SETUP_LIMIT_S + TESTS_LIMIT_S)
@pytest.mark.skipif(
    sys.version_info >= (3, 12), reason="msgpack-rpc-python cannot be imported on Python 3.12+"
)
def test_legacy_backend_passes_the_contract_tests_of_session_and_client():
    """Users of that library have the same guarantees: deadlines, order, errors."""
    setup = subprocess.run(
        [str(ROOT / "tools" / "legacy_env.sh")],
        env=os.environ | {"PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=SETUP_LIMIT_S,
    )
    assert setup.returncode == 0, setup.stderr
    contract = ROOT / "tests" / "contract"
    command = [setup.stdout.strip(), "-m", "pytest", "-q", "--noconftest", "-p", "no:cacheprovider"]
    result = subprocess.run(
        [*command, str(contract / "test_session.py"), str(contract / "test_airsim_client.py")],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
        | {
            "FOLLOWME_RPC_BACKEND": "msgpack-rpc-python",
            "FOLLOWME_PEER_PYTHON": sys.executable,
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "ignore",
        },
        capture_output=True,
        text=True,
        timeout=TESTS_LIMIT_S,
    )
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-1000:]
    assert "failed" not in result.stdout and "passed" in result.stdout
