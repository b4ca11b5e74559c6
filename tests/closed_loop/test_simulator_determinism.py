"""The simulator as a process: equal seeds and commands give equal bytes; it ends on request.

Replay, sweeps and comparisons of two versions need bit-identical flights.
"""

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import time

import pytest

from followme_uav.errors import RpcConnectionError
from followme_uav.rpc.backends import open_session
from followme_uav.rpc.session import RpcSession

NAME = "Drone1"
DEADLINE_S = 60.0
SCENE = {"camera_name": "0", "image_type": 0, "pixels_as_float": False, "compress": False}


@pytest.fixture
def start():
    """Start simulator processes, and end those that a test leaves running."""
    processes = []

    def start_server(*arguments, command=None):
        command = command or [sys.executable, "-m", "followme_uav.sim.server"]
        process = subprocess.Popen(
            [*command, "--port", "0", *arguments], stdout=subprocess.PIPE, text=True
        )
        processes.append(process)
        line = process.stdout.readline()
        assert line.startswith("listening on 127.0.0.1:")
        return process, int(line.rsplit(":", 1)[1])

    yield start_server
    for process in processes:
        process.kill()
        process.wait()


def fly(port, ticks=25):
    """Make one scripted lockstep flight; return a hash of all replies of each tick."""
    session = open_session(
        "builtin",
        "127.0.0.1",
        port,
        deadline_s=DEADLINE_S,
        connect_deadline_s=10.0,
        max_message_bytes=2**24,
    )
    hashes = []
    try:
        session.call("simPause", True)
        session.call("reset")
        session.call("enableApiControl", True, NAME)
        session.call("armDisarm", True, NAME)
        session.call("simFollowMePlaceVehicle", {"z_val": -4.0}, 0.5, NAME)
        for tick in range(ticks):
            yaw_mode = {"is_rate": True, "yaw_or_rate": 15.0}
            session.call_async("moveByVelocityZ", 3.0, 1.0, -5.0, 0.4, 0, yaw_mode, NAME)
            pose = {"orientation": {"w_val": 1.0, "z_val": 0.02 * tick}}
            session.call("simSetCameraPose", "0", pose, NAME, False)
            session.call("simContinueForTime", 0.1)
            replies = (
                session.call("simGetImages", [SCENE], NAME, False),
                session.call("getMultirotorState", NAME),
                session.call("simFollowMeGroundTruth", NAME),
            )
            hashes.append(hashlib.sha256(repr(replies).encode()).hexdigest())
    finally:
        session.close()
    return hashes


def test_two_processes_and_a_reset_give_the_same_bytes_and_another_seed_others(start):
    _, first_port = start("--seed", "3", "--paused")
    first = fly(first_port)
    again = fly(first_port)
    _, second_port = start("--seed", "3")
    assert first == again == fly(second_port)
    assert len(set(first)) == len(first)
    _, other_port = start("--seed", "4", "--paused")
    assert fly(other_port, ticks=1) != first[:1]


def test_sigterm_ends_the_process_with_exit_code_0(start):
    process, _ = start("--seed", "1")
    process.terminate()
    assert process.wait(DEADLINE_S) == 0


def test_ctrl_c_ends_the_process_while_calls_are_pending(start):
    """The process does not wait for a take-off, an hour of simulated time or other clients."""
    process, port = start("--seed", "1")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(RpcSession("127.0.0.1", port)) for _ in range(20)]
        clients[0].call("enableApiControl", True, "")
        clients[0].call("armDisarm", True, "")
        waiting = [clients[0].call_async("takeoff", 20.0, "")]
        waiting.append(clients[1].call_async("simContinueForTime", 3600.0))
        waiting += [client.call_async("simIsPaused") for client in clients]
        process.send_signal(signal.SIGINT)
        assert process.wait(15.0) == 0  # less than the take-off may take
        for call in waiting[:2]:
            with pytest.raises(RpcConnectionError):
                call.result(5.0)


def test_the_process_ends_with_its_parent(start):
    """Otherwise each killed flight leaves a simulator that holds the port."""
    script = (
        "import os, subprocess, sys;"
        "p = subprocess.Popen([sys.executable, '-m', 'followme_uav.sim.server', *sys.argv[1:],"
        "    '--parent-pid', str(os.getpid())], stdout=subprocess.PIPE, text=True);"
        "print(p.stdout.readline().strip(), flush=True); print(p.pid, flush=True);"
        "sys.stdin.read()"
    )
    parent, _ = start("--seed", "1", command=[sys.executable, "-c", script])
    simulator_pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    give_up_s = time.monotonic() + DEADLINE_S
    while is_running(simulator_pid):
        assert time.monotonic() < give_up_s
        time.sleep(0.05)


def is_running(pid):
    """Whether a process runs; a zombie does not."""
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
