"""`sim --window`: shows the flight, follows keys and mouse, fails cleanly without a display."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

from followme_uav.log.reader import content_digest
from followme_uav.rpc.session import RpcSession
from followme_uav.sim.vehicle.equipment import DEFAULT_IMAGE_SIZE_PX
from followme_uav.sim.viewer.overlay import BAR_PX, INSET_PX, MARGIN_PX, PANEL
from followme_uav.sim.viewer.window import SIZE_PX
from tests import x_screen
from tests.x_screen import Person, Screen, colour_count

needs_screen = pytest.mark.skipif(not shutil.which("Xvfb"), reason="needs Xvfb, a virtual screen")
DEADLINE_S = 120.0


def command(display, *arguments):
    environment = {key: value for key, value in os.environ.items() if key != "DISPLAY"}
    return subprocess.Popen(
        [sys.executable, "-m", "followme_uav.cli", *arguments],
        env={**environment, **({"DISPLAY": display} if display else {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextlib.contextmanager
def ending(process):
    """Kill the process when the test ends, passed or failed."""
    try:
        yield
    finally:
        process.kill()


def wait_until(condition):
    """Wait until `condition()` is true; fails after `DEADLINE_S`."""
    deadline_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline_s, "the condition did not become true in time"
        time.sleep(0.1)


class WindowedSimulator:
    """A simulator with a window, a person at the window, and a client."""

    def __init__(self, screen, process, session):
        self.process, self._screen, self._session = process, screen, session
        self.person = Person(screen)
        wait_until(lambda: colour_count(self.view()) > 1000)
        self.person.move_to(self._left + 300, self._top + 300)

    def view(self):
        """Content of the window, which is the only lit part of the screen."""
        picture = self._screen.picture()
        lit = np.nonzero(picture.any(axis=2))
        self._top, self._left = (int(axis.min()) if len(axis) else 0 for axis in lit)
        return picture[self._top :, self._left :][: SIZE_PX[1], : SIZE_PX[0]]

    def call(self, method, *params):
        return self._session.call(method, *params)

    def time_ns(self):
        return self.call("getMultirotorState", "")["timestamp"]

    def scenery(self):
        """The view of the city without text and inset; it changes much only with the camera."""
        return self.view()[2 * BAR_PX : -2 * BAR_PX, : SIZE_PX[0] // 2].astype(float)

    def has_moved_since(self, before):
        return np.abs(self.scenery() - before).mean() > 5.0

    def hold_time(self):
        self.person.press(x_screen.SPACE)
        wait_until(lambda: self.call("simFollowMeIsHeld"))

    def release_time(self):
        if self.process.poll() is None and self.call("simFollowMeIsHeld"):
            self.person.press(x_screen.SPACE)
            wait_until(lambda: not self.call("simFollowMeIsHeld"))


@pytest.fixture(scope="module")
def screen(tmp_path_factory):
    screen = Screen(tmp_path_factory.mktemp("screen"))
    yield screen
    screen.stop()


@contextlib.contextmanager
def open_simulator(screen):
    with contextlib.ExitStack() as stack:
        process = stack.enter_context(command(screen.name, "sim", "--window", "--port", "0"))
        stack.enter_context(ending(process))
        port = re.search(r":(\d+)$", process.stdout.readline().strip())[1]
        session = stack.enter_context(RpcSession("127.0.0.1", int(port)))
        simulator = WindowedSimulator(screen, process, session)
        stack.callback(simulator.person.stop)
        yield simulator


@pytest.fixture(scope="module")
def shared(screen):
    """One simulator for all tests that leave it as it was."""
    with open_simulator(screen) as simulator:
        yield simulator


@pytest.fixture
def simulator(shared):
    yield shared
    shared.release_time()


@needs_screen
def test_window_changes_as_time_passes(simulator):
    first = simulator.view()
    wait_until(lambda: not np.array_equal(first, simulator.view()))


@needs_screen
def test_camera_image_is_in_a_corner_and_a_key_hides_it(simulator):
    bottom, right = SIZE_PX[1] - MARGIN_PX - BAR_PX, SIZE_PX[0] - MARGIN_PX
    width_px, height_px = DEFAULT_IMAGE_SIZE_PX
    top = bottom - round(height_px * INSET_PX / max(width_px, height_px))
    frame = (slice(top, bottom), right)  # a column of the border

    def shows_inset():
        return (simulator.view()[frame] == PANEL).all()

    assert shows_inset()
    inside = simulator.view()[top:bottom, right - INSET_PX : right]
    assert colour_count(inside) > 100
    simulator.person.press(x_screen.P)
    wait_until(lambda: not shows_inset())
    simulator.person.press(x_screen.P)
    wait_until(shows_inset)


@needs_screen
def test_held_time_does_not_block_clients(simulator):
    """A client without answers would end its flight at its deadline."""
    simulator.hold_time()
    held_ns = simulator.time_ns()
    simulator.call("simGetImages", [{"camera_name": "0", "image_type": 0}], "", False)
    assert simulator.call("simIsPaused")
    assert simulator.time_ns() == held_ns
    simulator.person.press(x_screen.SPACE)
    wait_until(lambda: simulator.time_ns() > held_ns)
    assert not simulator.call("simFollowMeIsHeld")


@needs_screen
def test_mouse_and_keys_move_the_camera(simulator):
    simulator.hold_time()
    chase = simulator.scenery()
    person = simulator.person
    person.hold(x_screen.LEFT)
    person.move_to(simulator._left + 520, simulator._top + 330)
    person.release(x_screen.LEFT)
    wait_until(lambda: simulator.has_moved_since(chase))
    orbited = simulator.scenery()
    for _ in range(8):
        person.click(x_screen.WHEEL_DOWN)
    wait_until(lambda: simulator.has_moved_since(orbited))
    person.press(x_screen.C)
    wait_until(lambda: not simulator.has_moved_since(chase))


@pytest.fixture(scope="module")
def other_screen(tmp_path_factory):
    screen = Screen(tmp_path_factory.mktemp("screen"))
    yield screen
    screen.stop()


@needs_screen
@pytest.mark.parametrize("how", ["escape", "close button"])
def test_closing_the_window_ends_the_simulator_with_code_0(other_screen, how):
    with open_simulator(other_screen) as simulator:
        if how == "escape":
            simulator.person.press(x_screen.ESCAPE)
        else:
            simulator.person.close_window()
        assert simulator.process.wait(DEADLINE_S) == 0
        complaints = simulator.process.stderr.read().splitlines()
    assert [line for line in complaints if not line.startswith("Xlib:  extension")] == []


@pytest.mark.parametrize("display", [None, ":9999"])
def test_missing_display_is_reported_in_one_line(display):
    with command(display, "sim", "--window", "--port", "0") as process, ending(process):
        _, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 2
    assert "screen" in errors
    assert len(errors.strip().splitlines()) == 1


FLY = ["fly", "--oracle", "--duration", "3", "--set", "rpc.deadline_s=3.0"]


@pytest.fixture
def flight(other_screen, tmp_path):
    """A flight with a window: its process, the person at the window, the path of its summary."""
    files = ["--log", str(tmp_path / "log.mcap"), "--summary", str(tmp_path / "summary.json")]
    screen = other_screen
    with command(screen.name, *FLY, "--window", *files) as process, ending(process):
        wait_until(lambda: colour_count(screen.picture()) > 1000)
        person = Person(screen)
        person.move_to(500, 350)
        yield process, person, tmp_path / "summary.json"
        person.stop()


def is_changing(screen):
    before = screen.picture()
    time.sleep(1.0)
    return not np.array_equal(before, screen.picture())


@needs_screen
@pytest.mark.slow
def test_flight_held_beyond_its_deadlines_ends_as_an_unheld_one(other_screen, flight):
    """The controller must neither time out nor log anything else than without a window."""
    process, person, summary = flight
    person.press(x_screen.SPACE)
    wait_until(lambda: not is_changing(other_screen))
    time.sleep(7.0)  # longer than any deadline of the flight
    assert process.poll() is None
    person.press(x_screen.SPACE)
    for _ in range(3):
        person.press(x_screen.PLUS)
    _, errors = process.communicate(timeout=DEADLINE_S)
    assert json.loads(summary.read_text())["final_state"] == "done", errors
    assert "failsafe" not in errors
    windowless = summary.with_name("unsimulator.mcap")
    with command(None, *FLY, "--log", str(windowless)) as process, ending(process):
        process.communicate(timeout=DEADLINE_S)
    assert content_digest(summary.with_name("log.mcap")) == content_digest(windowless)


@needs_screen
@pytest.mark.slow
def test_closing_the_window_ends_the_flight_with_a_summary(flight):
    process, person, summary = flight
    person.press(x_screen.ESCAPE)
    output, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode in (0, 1), errors
    assert "the window was closed" in json.loads(summary.read_text())["reason"]
    assert "the window was closed" in output
