"""The loop that lets time pass: pace, pauses, and what a failing or slow call does to it."""

import threading
import time
from concurrent.futures import Future

import pytest

from followme_uav.errors import ConfigError
from followme_uav.sim.pace import Pace
from followme_uav.sim.server import parse_image_size, run_server
from followme_uav.sim.simulation_runner import SimulationRunner
from followme_uav.sim.vehicle.vehicle import TIME_STEP_S


class CountedTime:
    """A simulation that only counts its steps."""

    def __init__(self):
        self.steps = 0

    def step(self, steps):
        self.steps += steps


@pytest.fixture
def running():
    """Starts loops, and stops them afterwards."""
    started = []

    def start(**options):
        world = CountedTime()
        simulator = SimulationRunner(world, **options)
        thread = threading.Thread(target=simulator.run, daemon=True)
        thread.start()
        started.append((simulator, thread))
        return simulator, world

    yield start
    for simulator, thread in started:
        simulator.stop()
        thread.join(5.0)
        assert not thread.is_alive()


def test_calls_run_in_order_and_a_failing_one_harms_nobody(running):
    simulator, _ = running(paused=True)
    log = []
    calls = [simulator.call(lambda _, i=i: log.append(i)) for i in range(100)]
    failing = simulator.call(lambda _: 1 / 0)
    assert simulator.call(lambda _: "alive").result(5.0) == "alive"
    assert isinstance(failing.exception(), ZeroDivisionError)
    assert log == list(range(100))
    assert all(call.done() for call in calls)


def test_a_call_that_returns_a_future_is_done_when_that_is(running):
    simulator, _ = running(paused=True)
    inner = Future()
    outer = simulator.call(lambda _: inner)
    simulator.call(lambda _: None).result(5.0)
    assert not outer.done()
    inner.set_result(7)
    assert outer.result(5.0) == 7


def test_paused_time_passes_only_when_asked_for(running):
    simulator, world = running(paused=True)
    simulator.continue_for(123).result(5.0)
    assert world.steps == 123
    early = simulator.continue_for(77, answer_first=True)
    assert simulator.is_paused().result(5.0)
    assert early.done()
    assert world.steps == 200


def test_running_time_never_overtakes_the_wall_clock(running):
    began_s = time.monotonic()
    simulator, world = running()
    while simulator.call(lambda w: w.steps).result(5.0) < 30:
        assert time.monotonic() - began_s < 30.0
    simulator.pause(True).result(5.0)
    assert world.steps * TIME_STEP_S <= time.monotonic() - began_s


def test_lost_time_is_given_up_instead_of_caught_up_with(running):
    """After a stall, a simulator that races to catch up would outrun its controller."""
    began_s = time.monotonic()
    simulator, world = running()
    simulator.call(lambda _: time.sleep(0.6)).result(5.0)
    simulator.call(lambda _: time.sleep(0.05)).result(5.0)
    simulator.pause(True).result(5.0)
    assert world.steps * TIME_STEP_S < time.monotonic() - began_s - 0.3


class Watcher:
    """Wants what it is told to want."""

    def __init__(self, **pace):
        self.pace = Pace(**pace)
        self.looks = 0

    def __call__(self, _):
        self.looks += 1
        return self.pace


def looked_again(watcher):
    seen = watcher.looks
    give_up_s = time.monotonic() + 10.0
    while watcher.looks < seen + 2:
        assert time.monotonic() < give_up_s
        time.sleep(0.001)


@pytest.mark.parametrize("paused", [False, True])
def test_held_time_stands_still_and_calls_are_answered(running, paused):
    watcher = Watcher(held=True)
    simulator, world = running(paused=paused, show=watcher)
    looked_again(watcher)
    steps = world.steps
    advance = simulator.continue_for(30)
    looked_again(watcher)
    assert simulator.call(lambda _: "alive").result(5.0) == "alive"
    assert simulator.is_held()
    assert world.steps == steps
    assert not advance.done()
    watcher.pace = Pace(speed=8.0)
    advance.result(5.0)
    assert world.steps == steps + 30
    looked_again(watcher)
    assert not simulator.is_held()


def test_held_advances_are_made_in_order_and_in_full(running):
    """A lockstep flight that was held must go on exactly where it was."""
    watcher = Watcher(held=True)
    simulator, world = running(paused=True, show=watcher)
    looked_again(watcher)
    seen = []
    for steps in (0, 7, 50):
        advance = simulator.continue_for(steps)
        advance.add_done_callback(lambda _: seen.append(world.steps))
    watcher.pace = Pace(speed=8.0)
    advance.result(5.0)
    assert simulator.is_paused().result(5.0)
    assert seen == [0, 7, 57]


def test_an_advance_that_is_not_over_is_no_pause(running):
    """A client told at once polls the pause to know when the time has passed."""
    watcher = Watcher(held=True)
    simulator, _ = running(paused=True, show=watcher)
    looked_again(watcher)
    assert simulator.continue_for(10, answer_first=True).result(5.0) is None
    assert not simulator.is_paused().result(5.0)
    watcher.pace = Pace()
    while not simulator.is_paused().result(5.0):
        pass


@pytest.mark.parametrize("speed", [0.25, 4.0])
def test_watched_time_never_overtakes_the_wanted_speed(running, speed):
    began_s = time.monotonic()
    simulator, world = running(paused=True, show=Watcher(speed=speed))
    simulator.continue_for(40).result(20.0)
    assert world.steps == 40
    assert time.monotonic() - began_s >= 40 * TIME_STEP_S / speed - 0.11 / speed


def test_who_watches_can_end_it():
    watcher = Watcher(quit=True)
    simulator = SimulationRunner(CountedTime(), paused=True, show=watcher)
    simulator.run()
    assert watcher.looks == 1


@pytest.mark.parametrize("text", ["160", "0x160", "160x9999", "axb", "160x160x3", "-160x160"])
def test_image_size_that_cannot_be_is_refused(text):
    with pytest.raises(ConfigError, match="WIDTHxHEIGHT"):
        parse_image_size(text)


def test_image_size_is_width_then_height():
    assert parse_image_size("640x480") == (640, 480)


def test_unknown_dialect_is_refused_before_anything_starts():
    with pytest.raises(ConfigError, match="choose from airsim, unity"):
        run_server(dialect="unrael")
