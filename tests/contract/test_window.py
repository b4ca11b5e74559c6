"""If these fail, `sim --window` shows nothing, obeys nobody, or crashes without a screen."""

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
from followme_uav.sim.viewer.overlay import BAR_PX, INSET_PX, MARGIN_PX, PANEL
from followme_uav.sim.viewer.window import SIZE_PX
from tests import x_screen
from tests.x_screen import Person, Screen

needs_screen = pytest.mark.skipif(not shutil.which("Xvfb"), reason="needs Xvfb, a virtual screen")
DEADLINE_S = 60.0


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
    """Whatever a test finds out, no process stays behind."""
    try:
        yield
    finally:
        process.kill()


def until(holds):
    """Wait for it; the value that made it hold."""
    give_up_s = time.monotonic() + DEADLINE_S
    while not (value := holds()):
        assert time.monotonic() < give_up_s, "it did not happen"
        time.sleep(0.1)
    return value


class Watched:
    """A simulator with a window, seen and used by a person and by a client."""

    def __init__(self, screen, process, session):
        self.process, self._screen, self._session = process, screen, session
        self.person = Person(screen)
        until(lambda: len(np.unique(self.view().reshape(-1, 3), axis=0)) > 1000)
        self.person.move_to(self._left + 300, self._top + 300)

    def view(self):
        """The window's content. Without a window manager it stands where it was opened."""
        picture = self._screen.picture()
        lit = np.nonzero(picture.any(axis=2))
        self._top, self._left = (int(axis.min()) if len(axis) else 0 for axis in lit)
        return picture[self._top :, self._left :][: SIZE_PX[1], : SIZE_PX[0]]

    def call(self, method, *params):
        return self._session.call(method, *params)

    def time_ns(self):
        return self.call("getMultirotorState", "")["timestamp"]

    def scenery(self):
        """What is seen of the city, without texts and inset: only the eye changes it much."""
        return self.view()[2 * BAR_PX : -2 * BAR_PX, : SIZE_PX[0] // 2].astype(float)

    def moved(self, before):
        return np.abs(self.scenery() - before).mean() > 5.0

    def freeze(self):
        self.person.press(x_screen.SPACE)
        until(lambda: self.call("simFollowMeIsHeld"))

    def let_go(self):
        if self.process.poll() is None and self.call("simFollowMeIsHeld"):
            self.person.press(x_screen.SPACE)
            until(lambda: not self.call("simFollowMeIsHeld"))


@pytest.fixture(scope="module")
def screen(tmp_path_factory):
    screen = Screen(tmp_path_factory.mktemp("screen"))
    yield screen
    screen.stop()


@contextlib.contextmanager
def a_watched_simulator(screen):
    with contextlib.ExitStack() as stack:
        process = stack.enter_context(command(screen.name, "sim", "--window", "--port", "0"))
        stack.enter_context(ending(process))
        port = re.search(r":(\d+)$", process.stdout.readline().strip())[1]
        session = stack.enter_context(RpcSession("127.0.0.1", int(port)))
        watched = Watched(screen, process, session)
        stack.callback(watched.person.stop)
        yield watched


@pytest.fixture(scope="module")
def shared(screen):
    """One for all tests that leave it as it was."""
    with a_watched_simulator(screen) as watched:
        yield watched


@pytest.fixture
def watched(shared):
    yield shared
    shared.let_go()


@needs_screen
def test_the_window_shows_the_city_as_time_passes(watched):
    first = watched.view()
    until(lambda: not np.array_equal(first, watched.view()))


@needs_screen
def test_the_camera_is_in_a_corner_and_a_key_hides_it(watched):
    bottom, right = SIZE_PX[1] - MARGIN_PX - BAR_PX, SIZE_PX[0] - MARGIN_PX
    frame = (slice(bottom - INSET_PX, bottom), right)  # a column of the border

    def shows_inset():
        return (watched.view()[frame] == PANEL).all()

    assert shows_inset()
    inside = watched.view()[bottom - INSET_PX : bottom, right - INSET_PX : right]
    assert len(np.unique(inside.reshape(-1, 3), axis=0)) > 100
    watched.person.press(x_screen.P)
    until(lambda: not shows_inset())
    watched.person.press(x_screen.P)
    until(shows_inset)


@needs_screen
def test_space_holds_the_time_but_no_client(watched):
    """A client that gets no answers would give up, and its flight with it."""
    watched.freeze()
    held_ns = watched.time_ns()
    watched.call("simGetImages", [{"camera_name": "0", "image_type": 0}], "", False)
    assert watched.call("simIsPaused")
    assert watched.time_ns() == held_ns
    watched.person.press(x_screen.SPACE)
    until(lambda: watched.time_ns() > held_ns)
    assert not watched.call("simFollowMeIsHeld")


@needs_screen
def test_mouse_and_keys_move_the_eye(watched):
    watched.freeze()
    chase = watched.scenery()
    person = watched.person
    person.hold(x_screen.LEFT)
    person.move_to(watched._left + 520, watched._top + 330)
    person.let_go(x_screen.LEFT)
    until(lambda: watched.moved(chase))
    around = watched.scenery()
    for _ in range(8):
        person.click(x_screen.WHEEL_DOWN)
    until(lambda: watched.moved(around))
    person.press(x_screen.C)
    until(lambda: not watched.moved(chase))


@pytest.fixture(scope="module")
def other_screen(tmp_path_factory):
    screen = Screen(tmp_path_factory.mktemp("screen"))
    yield screen
    screen.stop()


@needs_screen
@pytest.mark.parametrize("how", ["escape", "close button"])
def test_closing_ends_the_simulator_in_good_order(other_screen, how):
    with a_watched_simulator(other_screen) as watched:
        if how == "escape":
            watched.person.press(x_screen.ESCAPE)
        else:
            watched.person.close_window()
        assert watched.process.wait(DEADLINE_S) == 0
        complaints = watched.process.stderr.read().splitlines()
    assert [line for line in complaints if not line.startswith("Xlib:  extension")] == []


@pytest.mark.parametrize("display", [None, ":9999"])
def test_without_a_screen_one_line_says_so(display):
    with command(display, "sim", "--window", "--port", "0") as process, ending(process):
        _, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 2
    assert "screen" in errors
    assert len(errors.strip().splitlines()) == 1


FLY = ["fly", "--oracle", "--duration", "3", "--set", "rpc.deadline_s=1.0"]


@pytest.fixture
def flight(other_screen, tmp_path):
    """A flight being watched: its process, the person, and where its summary will be."""
    files = ["--log", str(tmp_path / "log.mcap"), "--summary", str(tmp_path / "summary.json")]
    screen = other_screen
    with command(screen.name, *FLY, "--window", *files) as process, ending(process):
        until(lambda: len(np.unique(screen.picture().reshape(-1, 3), axis=0)) > 1000)
        person = Person(screen)
        person.move_to(500, 350)
        yield process, person, tmp_path / "summary.json"
        person.stop()


def changes(screen):
    before = screen.picture()
    time.sleep(1.0)
    return not np.array_equal(before, screen.picture())


@needs_screen
@pytest.mark.slow
def test_a_flight_that_is_held_goes_on_as_if_nothing_had_been(other_screen, flight):
    """Longer than any deadline of the controller: it must neither give up nor notice."""
    process, person, summary = flight
    person.press(x_screen.SPACE)
    until(lambda: not changes(other_screen))
    time.sleep(4.0)
    assert process.poll() is None
    person.press(x_screen.SPACE)
    for _ in range(3):
        person.press(x_screen.PLUS)
    _, errors = process.communicate(timeout=DEADLINE_S)
    assert json.loads(summary.read_text())["final_state"] == "done", errors
    assert "failsafe" not in errors
    unwatched = summary.with_name("unwatched.mcap")
    with command(None, *FLY, "--log", str(unwatched)) as process, ending(process):
        process.communicate(timeout=DEADLINE_S)
    assert content_digest(summary.with_name("log.mcap")) == content_digest(unwatched)


@needs_screen
@pytest.mark.slow
def test_closing_the_window_ends_the_flight_with_a_summary(flight):
    process, person, summary = flight
    person.press(x_screen.ESCAPE)
    output, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode in (0, 1), errors
    assert "the window was closed" in json.loads(summary.read_text())["reason"]
    assert "the window was closed" in output
