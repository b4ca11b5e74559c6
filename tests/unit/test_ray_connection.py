"""If these fail, `--ray` with a wrong address hangs, or starts a cluster of its own."""

import socket
import threading
from contextlib import contextmanager, suppress

import pytest

from followme_uav.errors import ConfigError, EnvironmentSetupError
from followme_uav.scenario.execution import ray_connection
from followme_uav.scenario.execution.ray_connection import connected
from tests.unit.scenario_parts import write_script

pytest.importorskip("ray")


def refused(address, match, error=EnvironmentSetupError):
    with pytest.raises(error, match=match) as found, connected(address):
        pass
    assert str(found.value).startswith(f"--ray {address}: ")
    assert "\n" not in str(found.value)
    assert found.value.exit_code == 2


@contextmanager
def server(greeting):
    """A service on this machine that greets each client; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet():
            with suppress(OSError), listener.accept()[0] as client:
                client.sendall(greeting)
                client.recv(1)

        threading.Thread(target=greet, daemon=True).start()
        yield listener.getsockname()[1]


@pytest.mark.parametrize(
    "address",
    ["", "local", "head", "ray://127.0.0.1:10001", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536"],
)
def test_address_of_another_form_is_refused(address):
    """`local` would start a cluster, with a dashboard."""
    refused(address, "write 'auto', or HOST:PORT", ConfigError)


def test_port_without_a_service_is_one_line():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    refused(f"127.0.0.1:{port}", "no cluster .*refused.*; start one with 'ray start --head'")


def test_command_with_a_wrong_address_ends_with_one_line_and_exit_code_2(
    followme, monkeypatch, tmp_path
):
    monkeypatch.setattr(ray_connection, "ANSWER_S", 0.3)
    write_script(tmp_path)
    fly = ("scenario", "run", "one.yaml", "--pilot", "oracle", "--no-report", "--out", "run")
    with server(b"") as port:
        code, _, errors = followme(*fly, "--ray", f"127.0.0.1:{port}")
    assert code == 2
    assert errors.strip().splitlines()[-1] == (
        f"followme-uav: --ray 127.0.0.1:{port}: no cluster (timed out); start one with "
        "'ray start --head'"
    )
    assert "Traceback" not in errors


@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH_9.2\r\n", b"", b"HTTP/1.1 400 Bad\r\n"])
def test_port_of_another_service_is_one_line(greeting, monkeypatch):
    monkeypatch.setattr(ray_connection, "ANSWER_S", 0.3)
    match = "another service answers there" if greeting else "timed out"
    with server(greeting) as port:
        refused(f"127.0.0.1:{port}", match)


def test_cluster_that_accepts_but_never_connects_ends_at_the_deadline(monkeypatch):
    """Ray itself would try for minutes."""
    monkeypatch.setattr(ray_connection, "CONNECT_S", 0.2)
    monkeypatch.setattr(ray_connection, "_connect", lambda address, done: None)
    with server(b"\0\0\0\4\0\0\0\0\0") as port:  # what a gRPC server says first
        refused(f"127.0.0.1:{port}", "no answer within 0 s")
