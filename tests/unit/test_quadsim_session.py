"""If these fail, a session loses frames or its log, or a person in front of it sees nothing."""

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from followme_uav.config import load_config
from followme_uav.errors import LogError
from followme_uav.geometry import quaternion_from_euler
from followme_uav.log.reader import read_log
from followme_uav.messages import MaskClass, MissionState
from followme_uav.quadsim import server
from followme_uav.quadsim import session as sessions
from followme_uav.quadsim.session import QuadSimPlan, Watcher, serve_quadsim
from followme_uav.quadsim.socketio import event_text
from followme_uav.quadsim.status import QuadSimStatus, print_summary
from tests.quadsim_stand_in import Wire, payload

DEADLINE_S = 30.0
CONFIG = load_config(simulator="quadsim")
HERE = ((0.0, 0.0, -4.5), quaternion_from_euler(0.0, -0.45, 0.0))


def segment(rgb):
    """A hero in the middle of every image."""
    mask = np.zeros((*rgb.shape[:2], 3), np.uint8)
    mask[..., MaskClass.BACKGROUND] = 255
    mask[68:102, 76:84] = (0, 0, 255)
    return mask


@pytest.fixture
def network(monkeypatch):
    """In place of the network's: a second for each test would be too much."""
    fake = SimpleNamespace(segment=segment, sha256="0" * 64, device="test", architecture="none")
    monkeypatch.setattr(sessions, "segmenter_for", lambda weights, config: fake)


def frame(time_s):
    rgb, depth_m = np.full((256, 256, 3), 80, np.uint8), np.full((256, 256), 8.0)
    return payload(rgb, depth_m, HERE, HERE, time_s)


def wait_until(condition):
    end_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.01)


class Told(Watcher):
    """Keeps what it is told, and passes it on."""

    def __init__(self, other=None):
        self.address, self.states, self.reported = None, [], []
        self.is_waiting = threading.Event()
        self._other = other or Watcher()

    def waits(self, address):
        self._other.waits(address)
        self.address = self.address or address
        self.is_waiting.set()

    def has_connected(self, client):
        self._other.has_connected(client)

    def silent(self, silent_s):
        self._other.silent(silent_s)

    def shows(self, entry, position_m):
        self._other.shows(entry, position_m)
        self.states.append(entry.step.state)
        self.reported.append(position_m)


def served(plan, told, frames):
    """The summary of a session with these frames, and the events that the client got."""
    results = []

    def work():
        try:
            results.append(serve_quadsim(plan, told))
        except Exception as error:  # for the test's own thread
            results.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    assert told.is_waiting.wait(DEADLINE_S), results
    wire = Wire(int(told.address.rpartition(":")[2]))
    events = []
    for data in frames:
        try:
            events += wire.call("sensor_frame", data)
        except Exception:  # the session has ended
            break
    thread.join(DEADLINE_S)
    wire.close()
    return results[0], events


def test_session_reports_logs_and_counts(network, tmp_path, capfd):
    log = tmp_path / "session.mcap"
    plan = QuadSimPlan(CONFIG, port=0, log=log, duration_s=1.45)
    with QuadSimStatus() as status:
        told = Told(status)
        frames = [frame(0.0), {"pose": "no"}, *(frame(0.1 * i) for i in range(1, 17))]
        summary, events = served(plan, told, frames)
    assert summary.metrics.frames == 16
    assert summary.dropped == 1
    assert told.states[-1] is MissionState.FOLLOW
    names = [name for name, _ in events]
    reported = [position_m for position_m in told.reported[:-1] if position_m is not None]
    assert names.count("object_detected") >= len(reported) > 5
    assert len(list(read_log(log).entries())) == 16
    assert summary.to_dict()["losses"] == 0
    print_summary(summary)
    out, errors = capfd.readouterr()
    assert "Waiting for QuadSim" in errors
    assert "patrol → acquire" in errors
    assert "jitter_m" in out


def test_classic_session_reports_at_once(network):
    told = Told()
    plan = QuadSimPlan(CONFIG, port=0, classic=True, duration_s=0.25)
    _, events = served(plan, told, [frame(0.1 * i) for i in range(4)])
    assert events[0][0] == "object_detected"
    assert told.states[0] is MissionState.FOLLOW


def test_log_that_cannot_be_written_ends_the_session(network, tmp_path, monkeypatch):
    def full(self, entry):
        raise LogError("no space")

    monkeypatch.setattr(sessions.FlightLogWriter, "write", full)
    plan = QuadSimPlan(CONFIG, port=0, log=tmp_path / "x.mcap")
    result, _ = served(plan, Told(), [frame(0.0)])
    assert isinstance(result, LogError)


class Running:
    """A session in a thread, with its clients."""

    def __init__(self, plan):
        self.told, self.results = Told(), []
        self._thread = threading.Thread(target=self._work, args=(plan,))
        self._thread.start()
        assert self.told.is_waiting.wait(DEADLINE_S), self.results

    def wire(self):
        return Wire(int(self.told.address.rpartition(":")[2]))

    def summary(self):
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive()
        return self.results[0]

    def _work(self, plan):
        self.results.append(serve_quadsim(plan, self.told))


def classic_plan(log, duration_s=0.0):
    """One detection is reported at once."""
    return QuadSimPlan(CONFIG, port=0, classic=True, log=log, duration_s=duration_s)


def test_report_does_not_wait_for_the_log(network, tmp_path, monkeypatch):
    log, has_report, waited = tmp_path / "x.mcap", threading.Event(), []
    write = sessions.FlightLogWriter.write

    def write_after_report(self, entry):
        waited.append(has_report.wait(DEADLINE_S))
        write(self, entry)

    monkeypatch.setattr(sessions.FlightLogWriter, "write", write_after_report)
    running = Running(classic_plan(log))
    wire = running.wire()
    wire.emit("sensor_frame", frame(0.0))
    wire.wait_for("object_detected")
    has_report.set()
    assert running.summary().metrics.frames == 1
    wire.close()
    assert waited == [True]
    assert len(list(read_log(log).entries())) == 1


def test_frame_of_a_client_that_goes_before_its_report_is_logged(network, tmp_path, monkeypatch):
    log, taken = tmp_path / "x.mcap", []
    send = server.Client.send

    def send_after_the_end(self, texts):
        texts = list(texts)
        if not taken and "object_detected" in "".join(texts):
            self.close()
            taken.append(send(self, texts))
        return send(self, texts)

    monkeypatch.setattr(server.Client, "send", send_after_the_end)
    running = Running(classic_plan(log, duration_s=0.05))
    running.wire().emit("sensor_frame", frame(0.0))
    wait_until(lambda: running.told.states)
    assert taken == [False]
    again = running.wire()
    assert again.call("sensor_frame", frame(0.1))[0][0] == "object_detected"
    assert running.summary().metrics.frames == 2
    again.close()
    assert [entry.frame.index for entry in read_log(log).entries()] == [0, 1]


def test_frame_is_logged_when_the_session_is_stopped_at_its_report(network, tmp_path, monkeypatch):
    log, made = tmp_path / "x.mcap", []

    class Kept(sessions._Session):
        def __init__(self, *args):
            super().__init__(*args)
            made.append(self)

    def stop(name, data):
        made[0].stop()  # as Ctrl-C does
        return event_text(name, data)

    monkeypatch.setattr(sessions, "_Session", Kept)
    monkeypatch.setattr(sessions, "event_text", stop)
    running = Running(classic_plan(log, duration_s=100.0))
    wire = running.wire()
    wire.emit("sensor_frame", frame(0.0))
    assert running.summary().metrics.frames == 1
    wire.close()
    assert len(list(read_log(log).entries())) == 1
