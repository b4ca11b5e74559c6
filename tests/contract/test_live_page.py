"""If these fail, the page of a run is open to others, or holds up or stops its campaign."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import pytest

from followme_uav.errors import EnvironmentSetupError
from followme_uav.scenario.execution.jobs import jobs_of
from followme_uav.scenario.execution.runner import fly_jobs
from followme_uav.scenario.live import server
from followme_uav.scenario.live.progress import Progress
from followme_uav.scenario.live.server import MOST_CLIENTS, live_page
from tests.gated_campaign import open_gates
from tests.unit.campaign_parts import InlineFleet, campaign, run_settings
from tests.unit.scenario_parts import result, write_script

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 60.0


@pytest.fixture
def progress():
    return Progress(3)


@pytest.fixture
def port(progress, tmp_path):
    with live_page(progress, tmp_path, 0) as page:
        yield int(page.url.rsplit(":", 1)[1].rstrip("/"))


def ask(port, path="/", method="GET", host=None, **headers):
    """Return (status, headers, content)."""
    connection = HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
    try:
        connection.putrequest(method, path, skip_host=True)
        if host != "":
            connection.putheader("Host", host or f"127.0.0.1:{port}")
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        reply = connection.getresponse()
        return reply.status, reply.headers, reply.read()
    finally:
        connection.close()


def test_page_and_state_are_served(port, progress):
    status, headers, content = ask(port)
    assert status == 200 and b"page.js" in content
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert ask(port, "/page.js")[0] == ask(port, "/page.css")[0] == 200
    progress.end(result(), was_there=False)
    time.sleep(1.1)  # the state is made once a second
    status, headers, content = ask(port, "/state.json", host=f"localhost:{port}")
    assert (status, headers.get_content_type()) == (200, "application/json")
    assert json.loads(content)["done"] == 1


@pytest.mark.parametrize("host", ["", "evil.example", "127.0.0.1", "127.0.0.1:1", "evil:{port}"])
def test_request_that_names_another_host_is_refused(port, host):
    """A page of another origin may let its own name point to this machine."""
    assert ask(port, "/state.json", host=host.format(port=port))[0] == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_methods_other_than_get_are_refused(port, method):
    assert ask(port, "/state.json", method)[0] == 501


def test_server_listens_on_loopback_only(port):
    with socket.socket() as other:
        other.settimeout(2.0)
        # An address of this machine, too, but another one.
        assert other.connect_ex(("127.0.0.2", port)) != 0


PATHS = [
    "/nothing",
    "/../flights.jsonl",
    "/flights.jsonl",
    "//etc/passwd",
    "/page.html",
    "/server.py",
    "/pictures/",
    "/pictures/..%2Fflights.jsonl",
    "/pictures/..%2Fsecret.webp",
    "/pictures/%2Fetc%2Fpasswd",
    "/pictures/a%00.webp",
    "/pictures/linked.webp",
    "/pictures/missing.webp",
    "/pictures/flights.jsonl",
]


def test_nothing_of_the_disk_is_served_besides_the_report_and_its_pictures(
    port, progress, tmp_path
):
    (tmp_path / "pictures").mkdir()
    for name in ("flights.jsonl", "secret.webp", "pictures/flights.jsonl"):
        (tmp_path / name).write_text("secret")
    (tmp_path / "pictures/linked.webp").symlink_to(tmp_path / "flights.jsonl")
    (tmp_path / "pictures/one-seed1-map.webp").write_text("picture")
    (tmp_path / "report.html").write_text("report")
    report = ("/report.html", "/pictures/one-seed1-map.webp")
    assert [ask(port, path)[0] for path in report] == [404, 404], "that of an earlier run"
    progress.enter("ended", has_report=True)
    assert {path: ask(port, path)[0] for path in PATHS} == dict.fromkeys(PATHS, 404)
    assert [ask(port, path)[2] for path in report] == [b"report", b"picture"]


def test_port_in_use_is_an_error_of_one_line(port, progress, tmp_path):
    with (
        pytest.raises(EnvironmentSetupError, match=f"--web-port {port}: .*in use") as error,
        live_page(progress, tmp_path, port),
    ):
        pass
    assert "\n" not in str(error.value) and error.value.exit_code == 2


def test_errors_and_slow_clients_of_the_page_cost_no_flight(tmp_path, monkeypatch, capfd):
    def fails(snapshot, name):
        raise ZeroDivisionError("in the page")

    jobs = jobs_of(campaign(tmp_path))
    monkeypatch.setattr(server, "state_of", fails)
    progress = Progress(len(jobs))
    with live_page(progress, tmp_path, 0) as page:
        port = int(page.url.rsplit(":", 1)[1].rstrip("/"))
        with pytest.raises(OSError, match=r"closed|reset|Remote end"):
            ask(port, "/state.json")
        slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(3 * MOST_CLIENTS)]
        for client in slow[:MOST_CLIENTS]:
            client.send(b"GET /state.json HTTP/1.1\r\nHost: ")
        results = fly_jobs(jobs, InlineFleet(), run_settings(tmp_path), progress.end)
        begun_s = time.monotonic()
    assert time.monotonic() - begun_s < server._CLIENT_S, "the end waits for no client"
    for client in slow:
        client.close()
    assert len(results) == progress.figures().done == 12
    assert "Traceback" not in capfd.readouterr().err


def test_many_clients_get_one_state_a_second(progress, port, monkeypatch):
    made = []

    def counted(snapshot, name):
        made.append(name)
        return {}

    monkeypatch.setattr(server, "state_of", counted)
    monkeypatch.setattr(server, "_STATE_S", 1000.0)
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda _: ask(port, "/state.json")[0], range(40)))
    assert replies == [200] * 40 and len(made) == 1


# The commands


def start(folder, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.gated_campaign", str(folder / "gates"), *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def command(port):
    fly = "scenario run one.yaml --seeds 1:5 --pilot oracle --no-report --logs none --workers 2"
    return [*fly.split(), "--out", "run", "--web-port", str(port)]


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for_state(port, process, holds):
    deadline_s = time.monotonic() + DEADLINE_S
    while True:
        assert time.monotonic() < deadline_s and process.poll() is None, process.stderr.read()
        try:
            state = json.loads(ask(port, "/state.json")[2])
        except OSError:
            state = {}
        if state and holds(state):
            return state
        time.sleep(0.05)


@pytest.fixture
def run(tmp_path):
    """Starts the command with a page; kills it after the test."""
    write_script(tmp_path)
    running = []

    def begin(port, *more):
        running.append(start(tmp_path, *command(port), *more))
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def test_ctrl_c_in_the_middle_ends_run_and_page_and_keeps_what_is_done(run, tmp_path):
    port = free_port()
    open_gates(tmp_path / "gates", [1])
    process = run(port)
    state = wait_for_state(port, process, lambda s: s["done"] == 1 and len(s["running"]) == 2)
    assert {flight["seed"] for flight in state["running"]} == {2, 3}
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130, err
    assert "interrupted" in err and "Traceback" not in err
    assert len((tmp_path / "run" / "flights.jsonl").read_text().splitlines()) == 1
    with pytest.raises(OSError):
        ask(port)


def test_page_stays_after_the_end_until_ctrl_c_and_exit_code_is_that_of_the_flights(run, tmp_path):
    port = free_port()
    open_gates(tmp_path / "gates", range(1, 5))
    process = run(port, "--json")
    state = wait_for_state(port, process, lambda s: s["stage"] == "ended")
    assert (state["passed"], state["has_report"]) == (4, False)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, err
    assert json.loads(out)["totals"]["passed"] == 4, "the address is not a part of the JSON"
    assert f"watch at http://127.0.0.1:{port}/" in err and "until Ctrl-C" in err


def test_command_with_a_port_in_use_ends_at_once_with_one_line(run, tmp_path, port):
    process = run(port)
    _, err = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, len(err.splitlines())) == (2, 1), err
    assert f"--web-port {port}" in err
    assert not (tmp_path / "run").exists()
