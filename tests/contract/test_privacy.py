"""Tests that nothing is sent to other hosts, and that no library writes a user number to HOME."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from followme_uav import privacy
from tests.ray_cluster import processes_of, ray_cluster
from tests.unit.labelled_frames import write_frames
from tests.unit.scenario_parts import write_script

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "tests" / "reference_flights" / "follow_and_land.mcap"

GUARD = """
import os, socket

def check(address):
    host = address[0] if isinstance(address, tuple) else ""
    own = os.environ.get("GUARD_OWN", "").split()
    if host not in ("", "127.0.0.1", "::1", "localhost", "0.0.0.0", *own):
        with open(os.environ["GUARD_FILE"], "a") as file:
            file.write(f"{host}\\n")
        raise OSError(f"{host}: not this machine")

def guarded(name):
    plain = getattr(socket.socket, name)
    def call(self, *arguments):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            check(arguments[-1])
        return plain(self, *arguments)
    setattr(socket.socket, name, call)

for name in ("connect", "connect_ex", "sendto"):
    guarded(name)
look_up = socket.getaddrinfo
def getaddrinfo(host, *arguments, **named):
    check((host or "",))
    return look_up(host, *arguments, **named)
socket.getaddrinfo = getaddrinfo
"""

RUN_NETWORK = """
import numpy as np
from followme_uav.perception import DEFAULT_WEIGHTS
from followme_uav.perception.segmenter import Segmenter
segmenter = Segmenter(DEFAULT_WEIGHTS, runtime="openvino", size_px=(32, 32), threads=1)
print(segmenter.segment(np.zeros((32, 32, 3), np.uint8)).shape)
"""
CONTACT_ANOTHER_HOST = "import socket; socket.create_connection(('example.invalid', 80), 1.0)"
HARMLESS = re.compile(r"\.keras/keras\.json|\.cache/(matplotlib|fontconfig|mesa_shader_cache)")
"""Settings and caches without data about the user."""

CASES = {
    "network": ["-c", RUN_NETWORK],
    "onnxruntime": ["-c", "import followme_uav, onnxruntime"],
    "evaluate": ["-m", "followme_uav.cli", "evaluate", "frames"],
    "replay": ["-m", "followme_uav.cli", "replay", str(REFERENCE)],
    "fly": ["-m", "followme_uav.cli", "fly", "--oracle", "--duration", "1", "--log", "f.mcap"],
}
if sys.version_info >= (3, 11):  # Rerun has no package for older ones
    CASES["rrd"] = ["-m", "followme_uav.cli", "replay", str(REFERENCE), "--rrd", "f.rrd"]
if importlib.util.find_spec("nncf"):  # the extra [int8]
    CASES["int8"] = ["-m", "followme_uav.cli", "export", "--onnx", "n.onnx", "--int8", "frames"]


@pytest.fixture
def guarded(tmp_path):
    """Runs Python with a HOME of its own; returns the process, hosts contacted, files in HOME.

    `own` are further addresses of this machine.
    """
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(GUARD)
    home = tmp_path / "home"
    home.mkdir()

    def run(*arguments, before=(), own=()):
        asked = tmp_path / "asked"
        environment = {
            key: value
            for key, value in os.environ.items()
            if key not in (*privacy.ENVIRONMENT, "CI", "TF_BUILD", "JENKINS_URL")
        }
        environment |= {"HOME": str(home), "GUARD_FILE": str(asked), "GUARD_OWN": " ".join(own)}
        environment["PYTHONPATH"] = os.pathsep.join([str(tmp_path / "guard"), str(ROOT)])
        done = subprocess.run(
            [*before, sys.executable, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
        )
        hosts = asked.read_text().split() if asked.exists() else []
        files = [str(f.relative_to(home)) for f in home.rglob("*") if f.is_file()]
        return done, hosts, [file for file in files if not HARMLESS.match(file)]

    return run


@pytest.mark.parametrize("name", CASES)
def test_command_contacts_no_host_and_writes_no_number_to_home(name, guarded, tmp_path):
    """Else others would know the user and the times of use."""
    if name in ("evaluate", "int8"):
        write_frames(tmp_path / "frames", count=2, size=160)
    done, hosts, files = guarded(*CASES[name])
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr
    assert (hosts, files) == ([], [])


def test_guard_detects_contacted_hosts(guarded):
    """Else the tests above could not fail."""
    done, hosts, _ = guarded("-c", CONTACT_ANOTHER_HOST)
    assert done.returncode == 1
    assert hosts == ["example.invalid"]


def test_openvino_reports_its_use_unless_switched_off(guarded):
    """Else the switch would be unnecessary, or the guard would not detect the report."""
    _, hosts, files = guarded("-c", "import openvino, time; time.sleep(2)")
    if not hosts and not files:
        pytest.skip("this OpenVINO reports nothing")
    assert any("analytics" in host for host in hosts)
    assert any(file.startswith("intel/") for file in files)


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_kernel_sees_no_connection_of_a_network_run(guarded, tmp_path):
    """Covers native code and child processes too."""
    trace = tmp_path / "trace"
    watch = ("strace", "-f", "-e", "trace=connect,sendto,openat", "-o", str(trace))
    done, _, _ = guarded("-c", RUN_NETWORK, before=watch)
    if "ptrace" in done.stderr.lower():
        pytest.skip("strace is not permitted on this machine")
    assert done.returncode == 0, done.stderr
    calls = trace.read_text()
    assert "openat(" in calls
    assert not re.findall(r"sa_family=AF_INET6?\b.*", calls)
    assert "resolv.conf" not in calls


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Rerun has no package for this Python")
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_viewer_contacts_no_host_and_writes_no_number_to_home(guarded, tmp_path):
    """Else it would report every use."""
    open_viewer = """
import time
from followme_uav.view.viewer import Viewer
with Viewer("web"):
    time.sleep(2)
"""
    trace = tmp_path / "trace"
    watch = ("strace", "-f", "-e", "trace=connect", "-o", str(trace))
    done, hosts, files = guarded("-c", open_viewer, before=watch)
    if "ptrace" in done.stderr.lower():
        pytest.skip("strace is not permitted on this machine")
    assert done.returncode == 0, done.stderr
    assert (hosts, files) == ([], [])
    addresses = set(re.findall(r'inet_addr\("([\d.]+)"\)', trace.read_text()))
    assert addresses == {"127.0.0.1"}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_flight_on_ray_contacts_this_machine_alone(guarded, tmp_path, monkeypatch):
    """Command, process of the flight, and simulator; the cluster itself is the user's."""
    pytest.importorskip("ray")
    write_script(tmp_path, duration_s=1, seeds=[1])
    fly = ["scenario", "run", "one.yaml", "--pilot", "oracle", "--no-report", "--out", "run"]
    trace, trace_of_node = tmp_path / "trace", tmp_path / "trace_of_node"
    watch = ("strace", "-f", "-e", "trace=connect", "-o")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with ray_cluster(nodes=1) as cluster:
        own = {"127.0.0.1", cluster.head_node.node_ip_address}
        known = [part for pid in processes_of(cluster) for part in ("-p", str(pid))]
        watcher = subprocess.Popen(
            [*watch, str(trace_of_node), *known], stderr=subprocess.PIPE, text=True
        )
        try:
            if "attached" not in watcher.stderr.readline():
                pytest.skip("strace is not permitted on this machine")
            done, hosts, files = guarded(
                *("-m", "followme_uav.cli", *fly, "--ray", cluster.address),
                before=(*watch, str(trace)),
                own=own,
            )
        finally:
            watcher.terminate()
            watcher.communicate()
    assert done.returncode == 0, done.stderr
    assert "1 of 1 flights as expected" in done.stdout
    assert (hosts, files) == ([], [])
    for file in (trace, trace_of_node):
        found = set(
            re.findall(r'inet_(?:addr\(|pton\(AF_INET6, )"(?:::ffff:)?([^"]+)"', file.read_text())
        )
        assert found and found <= own, file.name
