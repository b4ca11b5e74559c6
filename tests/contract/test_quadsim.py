"""The server for QuadSim over real websockets, with clients of both revisions of Socket.IO.

If these fail, QuadSim finds no server, a client of the other revision gets no answer, or a broken
client ends the session.
"""

import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from followme_uav.config import load_config
from followme_uav.errors import ConfigError, EnvironmentSetupError
from followme_uav.geometry import quaternion_from_euler
from followme_uav.log.reader import read_log
from followme_uav.quadsim.server import (
    MAX_MESSAGE_BYTES,
    QuadSimServer,
    acknowledge,
)
from followme_uav.quadsim.session import QuadSimPlan, serve_quadsim
from followme_uav.quadsim.socketio import Revision, event_text
from tests.quadsim_loop import Server
from tests.quadsim_stand_in import Wire, payload

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(__file__).resolve().parent / "strangers"
DEADLINE_S = 30.0
CLIENTS = {"old": ("old", None), "new": ("new", None), "asset": ("old", 4)}
"""Revision, and the one that the client's address claims."""
HERE = ((0.0, 0.0, -5.0), quaternion_from_euler(0.0, -0.4, 1.0))
DETECTED = ("object_detected", {"coords": [1.0, -2.0, 3.0]})


def frame(time_s=0.0):
    rng = np.random.default_rng(5)
    rgb = rng.integers(60, 120, (256, 256, 3), np.uint8)
    return payload(rgb, np.full((256, 256), 20.0), HERE, HERE, time_s)


@pytest.fixture
def server():
    with QuadSimServer("127.0.0.1", 0) as running:
        running.start()
        yield running


def taken(server):
    """The next frame of a server; fails without one."""
    end_s = time.monotonic() + DEADLINE_S
    while (arrival := server.next(1.0)) is None:
        assert time.monotonic() < end_s
    return arrival


def wait_until(condition):
    end_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.01)


def answer(server, frames=1):
    """Answer so many frames, from a thread, as a session does."""

    def work():
        for _ in range(frames):
            arrival = taken(server)
            arrival.client.send([event_text(*DETECTED)])
            acknowledge(arrival)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("client", CLIENTS)
def test_frame_arrives_and_is_answered_in_both_revisions(server, client):
    revision, engine = CLIENTS[client]
    wire = Wire(server.port, revision, engine=engine)
    answer(server)
    data = frame()
    assert wire.call("sensor_frame", data) == [DETECTED]
    wanted = Revision.NEW if client == "new" else Revision.OLD
    assert server.client.revision is wanted
    wire.emit("sensor_frame", data)
    assert taken(server).data == data
    wire.close()


def test_client_of_python_socketio_5_is_served(server):
    socketio = pytest.importorskip("socketio")
    client, got = socketio.Client(), []
    answered = threading.Event()

    @client.on("object_detected")
    def on_detected(data):
        got.append(data)
        answered.set()

    client.connect(f"http://127.0.0.1:{server.port}", transports=["websocket"])
    try:
        thread = answer(server)
        client.emit("sensor_frame", frame())
        assert answered.wait(DEADLINE_S)
        thread.join(DEADLINE_S)
    finally:
        client.disconnect()
    assert got == [DETECTED[1]]
    wait_until(lambda: server.client is None)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_client_of_python_socketio_4_is_served(server):
    made = subprocess.run(
        [str(ROOT / "tools" / "strangers_env.sh"), "socketio4"],
        env=os.environ | {"PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=250,
    )
    if made.returncode == 2:
        pytest.skip(made.stderr.strip())
    assert made.returncode == 0, made.stderr[-2000:]
    thread = answer(server)
    done = subprocess.run(
        [made.stdout.strip(), str(SCRIPTS / "socketio_client.py"), str(server.port)],
        input=json.dumps(frame()),
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == DETECTED[1]
    thread.join(DEADLINE_S)


def test_newest_frame_replaces_those_that_wait(server):
    wire = Wire(server.port)
    for number in range(5):
        wire.emit("sensor_frame", {"number": number})
    wait_until(lambda: server.skipped == 4)
    assert taken(server).data == {"number": 4}


@pytest.mark.parametrize("goes", ["close", "abort"])
def test_client_that_goes_away_and_comes_back_goes_on(server, goes):
    first = Wire(server.port)
    first.emit("sensor_frame", {})
    assert taken(server)
    getattr(first, goes)()
    wait_until(lambda: server.client is None)
    second = Wire(server.port, "new")
    second.emit("sensor_frame", {"again": True})
    assert taken(server).data == {"again": True}


def test_new_connection_replaces_one_that_was_forgotten(server):
    first = Wire(server.port)
    second = Wire(server.port)
    with pytest.raises(ConnectionClosed):
        first.wait_for("object_lost")
    second.emit("sensor_frame", {"second": True})
    assert taken(server).data == {"second": True}


def test_report_to_a_client_that_is_gone_is_no_error(server):
    wire = Wire(server.port)
    wire.emit("sensor_frame", {})
    arrival = taken(server)
    wire.abort()
    wait_until(lambda: server.client is None)
    assert not arrival.client.send([event_text(*DETECTED)])


def test_malformed_messages_are_one_line_and_the_connection_stays(server, caplog):
    wire = Wire(server.port)
    with caplog.at_level(logging.WARNING):
        for text in ("42{", "9", "451-[]", b"\x00\x01", "42[1]"):
            wire.send(text)
        wire.emit("unknown", {})
        wire.emit("sensor_frame", {"good": True})
        assert taken(server).data == {"good": True}
    lines = [record.getMessage() for record in caplog.records]
    assert len([line for line in lines if "is ignored" in line]) == 1, lines


def test_message_beyond_the_limit_ends_the_connection_only(server):
    wire = Wire(server.port)
    wire.send("42" + "x" * MAX_MESSAGE_BYTES)
    with pytest.raises(ConnectionClosed):
        wire.wait_for("object_lost")
    again = Wire(server.port)
    again.emit("sensor_frame", {})
    assert taken(server)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/socket.io/?EIO=4&transport=polling", {}, 400),
        ("/other?EIO=4&transport=websocket", {}, 404),
        ("/socket.io/?EIO=4&transport=websocket", {"Origin": "http://evil.example"}, 403),
    ],
)
def test_other_requests_are_refused(server, path, headers, status):
    address = f"ws://127.0.0.1:{server.port}{path}"
    with pytest.raises(InvalidStatus) as caught, connect(address, additional_headers=headers):
        pass
    assert caught.value.response.status_code == status
    assert b"followme-uav: " in caught.value.response.body


def test_polling_client_gets_an_answer_in_words(server):
    address = f"http://127.0.0.1:{server.port}/socket.io/?EIO=3&transport=polling"
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(address, timeout=DEADLINE_S)


def test_port_in_use_is_one_line():
    with (
        QuadSimServer("127.0.0.1", 0) as other,
        pytest.raises(EnvironmentSetupError, match="cannot listen on") as caught,
    ):
        serve_quadsim(QuadSimPlan(load_config(simulator="quadsim"), port=other.port))
    assert "\n" not in str(caught.value)


def test_size_that_cannot_be_made_of_the_images_is_refused():
    config = load_config(simulator="quadsim", overrides=["camera.width_px=200"])
    with pytest.raises(ConfigError, match="multiple of 32"):
        serve_quadsim(QuadSimPlan(config, port=0))


@pytest.mark.parametrize(
    "options",
    [
        ("--host", "localhost.invalid"),
        ("--host", ""),
        ("--port", "70000"),
        ("--angles", "turns"),
        ("--duration", "-1"),
        ("--weights", "missing.h5"),
        ("--set", "camera.width_px=100"),
        ("--log", "/dev/null/x.mcap"),
    ],
)
def test_bad_option_is_one_line_and_exit_code_2(followme, options):
    result, _, errors = followme("quadsim", "--port", "0", *options)
    assert result == 2, errors
    lines = [line for line in errors.splitlines() if line.startswith("followme-uav: ")]
    assert len(lines) == 1, errors
    assert "Traceback" not in errors


def test_waiting_is_visible_and_ctrl_c_ends_it_cleanly(tmp_path):
    log = tmp_path / "waiting.mcap"
    log.write_bytes(b"older")
    with Server(log) as server:
        code, out, errors = server.end()
    assert code == 0, errors
    assert "no frame came" in out
    assert log.read_bytes() == b"older"


def test_session_survives_bad_frames_and_absence_and_leaves_a_whole_log(tmp_path, followme):
    log, lines = tmp_path / "session.mcap", tmp_path / "lines.txt"
    bad = [
        frame(0.3) | {"rgb_image": "%%%"},
        frame(0.3) | {"rgb_image": frame()["depth_image"][:80]},
        frame(0.3) | {"pose": "0,0,0,0,0,nan"},
        7,
    ]
    with Server(log, "--log-file", str(lines)) as server:
        wire = Wire(server.port)
        for number in range(3):
            wire.call("sensor_frame", frame(0.1 * number))
        for data in (*bad, *bad):
            wire.call("sensor_frame", data)
        without_depth = frame(0.4)
        del without_depth["depth_image"]
        wire.call("sensor_frame", without_depth)
        wire.abort()
        again = Wire(server.port, "new")
        again.call("sensor_frame", frame(1.0))
        code, _, errors = server.end()
    assert code == 0, errors
    assert "Traceback" not in errors
    found = read_log(log)
    entries = list(found.entries())
    assert not found.truncated
    assert len(entries) == 5
    assert [entry.frame.depth is None for entry in entries] == [False] * 3 + [True, False]
    summary = json.loads(server.summary.read_text())
    assert (summary["frames"], summary["dropped"], summary["without_depth"]) == (5, 8, 1)
    assert summary["connections"] == 2
    logged = lines.read_text()
    assert len(re.findall(r"WARNING.*A frame is dropped: ", logged)) == len(bad)
    assert len(re.findall(r"WARNING.*A frame has no depth: depth_image: is missing", logged)) == 1
    code, out, errors = followme("replay", log)
    assert code == 0, errors
    assert out.startswith("identical: 5 frames")


def test_second_ctrl_c_ends_a_session_at_once(tmp_path):
    with Server(tmp_path / "session.mcap") as server:
        server.process.send_signal(signal.SIGINT)
        server.process.send_signal(signal.SIGINT)
        server.process.communicate(timeout=DEADLINE_S)
        assert server.process.returncode in (0, 130)


def test_client_that_reads_nothing_holds_nobody_up(server):
    wire = Wire(server.port)
    wire.emit("sensor_frame", {})
    client = taken(server).client
    text = event_text("object_detected", {"data": "x" * 200_000})
    end_s = time.monotonic() + DEADLINE_S
    while client.send([text]):
        assert time.monotonic() < end_s
    again = Wire(server.port)
    again.emit("sensor_frame", {"again": True})
    assert taken(server).data == {"again": True}
