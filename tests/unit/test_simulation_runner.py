"""The simulation runner: pace, pauses, and failing or slow calls."""

import threading
import time
from concurrent.futures import Future

import pytest

from followme_uav.errors import ConfigError
from followme_uav.rpc.handlers import HandlerError
from followme_uav.sim.inline_runner import InlineRunner
from followme_uav.sim.pace import Pace
from followme_uav.sim.server import parse_image_size, run_server
from followme_uav.sim.simulation_runner import SimulationRunner
from followme_uav.sim.vehicle.vehicle import TIME_STEP_S


class CountedTime:
    """A simulation that only counts its time steps."""

    def __init__(self):
        self.steps = 0

    def step(self, steps):
        self.steps += steps


@pytest.fixture
def running():
    """Start runners, and stop them afterwards."""
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


def test_calls_run_in_order_and_a_failing_call_affects_no_other(running):
    simulator, _ = running(paused=True)
    log = []
    calls = [simulator.call(lambda _, i=i: log.append(i)) for i in range(100)]
    failing = simulator.call(lambda _: 1 / 0)
    assert simulator.call(lambda _: "alive").result(5.0) == "alive"
    assert isinstance(failing.exception(), ZeroDivisionError)
    assert log == list(range(100))
    assert all(call.done() for call in calls)


def test_answers_of_jobs_that_wait_together_are_held_until_the_last_one(running):
    """The server sends them in one write."""
    simulator, _ = running(paused=True)
    log, go, idle = [], threading.Event(), threading.Event()
    simulator.call(lambda _: go.wait(5.0))
    simulator.hold_answers = lambda holding: (log.append(holding), holding or idle.set())
    jobs = [simulator.call(lambda _, i=i: log.append(i)) for i in range(3)]
    go.set()
    assert all(job.result(5.0) is None for job in jobs)
    assert idle.wait(5.0)
    places = [log.index(i) for i in range(3)]
    assert log[places[0] - 1] is True
    assert log[places[2] + 1 :] == [False]


def test_no_answer_is_held_during_a_long_advance(running):
    """Another client would wait for it as long."""
    simulator, world = running(paused=True)
    holding = True

    def hold(value):
        nonlocal holding
        holding = value

    world.step = lambda steps: seen.append(holding)
    simulator.hold_answers, seen = hold, []
    simulator.continue_for(200).result(5.0)
    assert seen == [False] * 10


def test_a_call_that_returns_a_future_completes_with_it(running):
    simulator, _ = running(paused=True)
    inner = Future()
    outer = simulator.call(lambda _: inner)
    simulator.call(lambda _: None).result(5.0)
    assert not outer.done()
    inner.set_result(7)
    assert outer.result(5.0) == 7


def test_paused_time_advances_only_on_request(running):
    simulator, world = running(paused=True)
    simulator.continue_for(123).result(5.0)
    assert world.steps == 123
    early = simulator.continue_for(77, answer_first=True)
    assert simulator.is_paused().result(5.0)
    assert early.done()
    assert world.steps == 200


def test_running_time_never_exceeds_real_time(running):
    began_s = time.monotonic()
    simulator, world = running()
    while simulator.call(lambda w: w.steps).result(5.0) < 30:
        assert time.monotonic() - began_s < 30.0
    simulator.pause(True).result(5.0)
    assert world.steps * TIME_STEP_S <= time.monotonic() - began_s


def test_time_lost_in_a_stall_is_dropped(running):
    """A simulator that catches up after a stall would outrun its controller."""
    began_s = time.monotonic()
    simulator, world = running()
    simulator.call(lambda _: time.sleep(0.6)).result(5.0)
    simulator.call(lambda _: time.sleep(0.05)).result(5.0)
    simulator.pause(True).result(5.0)
    assert world.steps * TIME_STEP_S < time.monotonic() - began_s - 0.3


class Window:
    """Asks for the pace that a test sets, and counts how often it is drawn."""

    def __init__(self, **pace):
        self.pace = Pace(**pace)
        self.drawn = 0

    def __call__(self, _):
        self.drawn += 1
        return self.pace


def drawn_again(window):
    before = window.drawn
    give_up_s = time.monotonic() + 10.0
    while window.drawn < before + 2:
        assert time.monotonic() < give_up_s
        time.sleep(0.001)


@pytest.mark.parametrize("paused", [False, True])
def test_held_time_stands_still_and_calls_are_answered(running, paused):
    window = Window(held=True)
    simulator, world = running(paused=paused, show=window)
    drawn_again(window)
    steps = world.steps
    advance = simulator.continue_for(30)
    drawn_again(window)
    assert simulator.call(lambda _: "alive").result(5.0) == "alive"
    assert simulator.is_held()
    assert world.steps == steps
    assert not advance.done()
    window.pace = Pace(speed=8.0)
    advance.result(5.0)
    assert world.steps == steps + 30
    drawn_again(window)
    assert not simulator.is_held()


def test_held_steps_are_made_in_order_and_in_full_after_the_release(running):
    """A lockstep flight must continue exactly where it was held."""
    window = Window(held=True)
    simulator, world = running(paused=True, show=window)
    drawn_again(window)
    seen = []
    for steps in (0, 7, 50):
        advance = simulator.continue_for(steps)
        advance.add_done_callback(lambda _: seen.append(world.steps))
    window.pace = Pace(speed=8.0)
    advance.result(5.0)
    assert simulator.is_paused().result(5.0)
    assert seen == [0, 7, 57]


def test_unfinished_steps_do_not_count_as_paused(running):
    """A client with `answer_first` polls the pause to learn when the steps are done."""
    window = Window(held=True)
    simulator, _ = running(paused=True, show=window)
    drawn_again(window)
    assert simulator.continue_for(10, answer_first=True).result(5.0) is None
    assert not simulator.is_paused().result(5.0)
    window.pace = Pace()
    while not simulator.is_paused().result(5.0):
        pass


@pytest.mark.parametrize("speed", [0.25, 4.0])
def test_time_with_a_window_never_exceeds_its_speed(running, speed):
    began_s = time.monotonic()
    simulator, world = running(paused=True, show=Window(speed=speed))
    simulator.continue_for(40).result(20.0)
    assert world.steps == 40
    assert time.monotonic() - began_s >= 40 * TIME_STEP_S / speed - 0.11 / speed


def test_closing_the_window_ends_the_run():
    window = Window(quit=True)
    simulator = SimulationRunner(CountedTime(), paused=True, show=window)
    simulator.run()
    assert window.drawn == 1


@pytest.mark.parametrize("text", ["160", "0x160", "160x9999", "axb", "160x160x3", "-160x160"])
def test_an_invalid_image_size_is_a_config_error(text):
    with pytest.raises(ConfigError, match="WIDTHxHEIGHT"):
        parse_image_size(text)


def test_image_size_is_width_then_height():
    assert parse_image_size("640x480") == (640, 480)


def test_an_unknown_dialect_is_refused_before_the_start():
    with pytest.raises(ConfigError, match="choose from airsim, unity"):
        run_server(dialect="unrael")


def test_inline_calls_are_complete_when_they_return():
    world = CountedTime()
    simulator = InlineRunner(world)
    assert simulator.call(lambda simulation: simulation is world).result(0) is True
    assert isinstance(simulator.call(lambda _: 1 / 0).exception(0), ZeroDivisionError)
    assert simulator.continue_for(50).result(0) is None
    assert simulator.continue_for(3, answer_first=True).result(0) is None
    assert world.steps == 53


def test_inline_time_cannot_run_by_itself():
    simulator = InlineRunner(CountedTime())
    assert simulator.pause(True).result(0) is None
    assert simulator.is_paused().result(0)
    with pytest.raises(HandlerError, match="simContinueForTime"):
        simulator.pause(False)
