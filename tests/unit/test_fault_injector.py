"""If these fail, events of a script are missing, or occur at another time in each flight."""

import itertools
from dataclasses import replace

import pytest

from followme_uav.errors import RpcTimeoutError
from followme_uav.flight.loop import FlightLoop
from followme_uav.messages import Command, GroundTruth, Manoeuvre, MissionState
from followme_uav.rpc.command_sender import MIN_COMMAND_SPACING_S
from followme_uav.scenario.execution.fault_injector import FaultInjector
from followme_uav.scenario.script.events import Event
from tests.conftest import hero_mask
from tests.toy_world import ToyWorld

FRAME_S = 0.1


class FakeSimulator:
    """A simulator with steps of 5 ms; the index of a frame is the step at which it was taken."""

    def __init__(self):
        self.step = 0
        self.world = ToyWorld(lambda time_s: (10.0, 0.0))
        self.sent = []
        self.reconnected = 0
        self.under_way = self.looked_ahead = 0

    @property
    def now_s(self):
        return round(0.005 * self.step, 6)

    def read_frame(self):
        self.world.time_s = self.now_s
        return replace(self.world.frame(), index=self.step)

    def ground_truth(self):
        return GroundTruth(self.now_s, (10.0, 0.0, 0.0), (), hero_mask((16, 16)), 5.0)

    def send(self, command):
        self.sent.append((self.now_s, command.yaw_rate_radps))

    def begin_advance(self, duration_s, *, prefetch):
        steps = duration_s / 0.005
        assert steps == pytest.approx(round(steps), abs=1e-6)
        assert self.under_way == 0
        self.under_way = round(steps)
        self.looked_ahead += prefetch

    def end_advance(self, while_held):
        self.step, self.under_way = self.step + self.under_way, 0

    def is_held(self):
        return False

    def reconnect(self):
        self.reconnected += 1

    def take_control(self):
        pass


class WorldRecorder:
    """Records the changes of the world with their times."""

    def __init__(self, simulator):
        self.done = []
        self._simulator = simulator

    def __getattr__(self, name):
        def note(*values, **named):
            self.done.append((self._simulator.now_s, name, *values, *sorted(named.items())))

        return note


def fly(events, seconds, seed=1):
    """Fly: (simulator, world, [(time, frame or None, truth or error)])."""
    simulator = FakeSimulator()
    world = WorldRecorder(simulator)
    script = [Event.model_validate(event) for event in events]
    injector = FaultInjector(simulator, world, script, seed, FRAME_S)
    seen = []
    for number in range(round(seconds / FRAME_S)):
        now_s = simulator.now_s
        try:
            frame = injector.read_frame()
            seen.append((now_s, frame, injector.ground_truth()))
            injector.send(Command(Manoeuvre.VELOCITY, (0, 0, 0), float(number), 0, 0))
        except RpcTimeoutError as error:
            seen.append((now_s, None, error))
            injector.reconnect()
        injector.begin_advance(FRAME_S, prefetch=True)
        injector.end_advance(lambda: None)
        assert simulator.now_s == pytest.approx(now_s + FRAME_S)
    return simulator, world, seen


def ages_ms(seen):
    return [round(1e3 * (now_s - frame.time_s)) for now_s, frame, _ in seen]


def test_without_events_frames_and_commands_pass_unchanged():
    simulator, world, seen = fly([], 3)
    assert ages_ms(seen) == [0] * 30
    assert [time_s for time_s, _ in simulator.sent] == [now_s for now_s, _, _ in seen]
    assert world.done == []
    assert simulator.looked_ahead == 30, "the next frame is prefetched"


def test_no_frame_is_prefetched_while_frames_are_delayed():
    simulator, _, _ = fly([{"delay": {"frames_ms": 75, "jitter_ms": 25}}], 3)
    assert simulator.looked_ahead == 0


def test_delayed_frames_are_old_and_have_the_truth_of_their_own_time():
    _, _, seen = fly([{"delay": {"frames_ms": 75, "jitter_ms": 25}}], 30)
    ages = ages_ms(seen)[2:]
    assert 45 <= min(ages) < 60 and 90 < max(ages) <= 105
    assert 70 < sum(ages) / len(ages) < 80
    assert all(truth.time_s == pytest.approx(frame.time_s) for _, frame, truth in seen)


def test_delay_longer_than_the_frame_time_keeps_frames_in_order():
    _, _, seen = fly([{"delay": {"frames_ms": 250, "jitter_ms": 80}}], 20)
    ages = ages_ms(seen)[5:]
    assert min(ages) >= 170
    times_s = [frame.time_s for _, frame, _ in seen]
    assert times_s == sorted(times_s)


def test_delayed_commands_are_sent_in_order():
    simulator, _, _ = fly([{"delay": {"commands_ms": 150, "jitter_ms": 50}}], 20)
    numbers = [number for _, number in simulator.sent]
    assert numbers == sorted(numbers)
    late_ms = [1e3 * (time_s - FRAME_S * number) for time_s, number in simulator.sent]
    assert 95 <= min(late_ms) < 115 and 185 < max(late_ms) <= 205
    assert len(numbers) > 195


def test_delayed_commands_keep_the_distance_that_airsim_needs():
    """Calls that arrive together wait for each other: after minutes they end the flight."""
    simulator, _, _ = fly([{"delay": {"commands_ms": 150, "jitter_ms": 140}}], 60)
    times_s = [time_s for time_s, _ in simulator.sent]
    steps_s = [after - before for before, after in itertools.pairwise(times_s)]
    assert min(steps_s) >= MIN_COMMAND_SPACING_S - 1e-6
    assert sum(step < 0.5 * FRAME_S for step in steps_s) > 20, "some would arrive together"


def test_dropped_frames_have_no_image():
    _, _, seen = fly([{"at_s": 10, "lasts_s": 100, "drop_frames": {"share": 0.2}}], 110)
    blind = [now_s for now_s, frame, _ in seen if frame.rgb is None]
    assert min(blind) >= 10.0
    assert 0.15 < len(blind) / 1000 < 0.25


def test_stalled_simulator_answers_no_call_while_time_passes():
    simulator, _, seen = fly([{"at_s": 1, "lasts_s": 3, "stall": {}}], 6)
    silent = [now_s for now_s, frame, _ in seen if frame is None]
    assert silent == pytest.approx([1 + FRAME_S * i for i in range(30)])
    assert simulator.reconnected == 0
    assert not any(1 <= time_s < 4 for time_s, _ in simulator.sent)


def test_loop_continues_through_a_stall(config):
    """The pilot gets frames without an image, and images again after the stall."""
    simulator = FakeSimulator()
    script = [Event.model_validate({"at_s": 0.5, "lasts_s": 1, "stall": {}})]
    injector = FaultInjector(simulator, WorldRecorder(simulator), script, 1, FRAME_S)
    entries = []
    loop = FlightLoop(
        config, injector, lambda f: hero_mask(None), lockstep=True, record=entries.append
    )

    class Enough(Exception):
        pass

    def record(entry):
        entries.append(entry)
        if len(entries) == 30:
            raise Enough

    loop._record = record
    with pytest.raises(Enough):
        loop.run()
    blind = [entry.frame.time_s for entry in entries if entry.frame.rgb is None]
    assert blind == pytest.approx([0.5 + FRAME_S * i for i in range(10)])
    assert entries[-1].step.state is not MissionState.DONE


def test_gust_rises_falls_and_ends():
    _, world, _ = fly([{"at_s": 1, "lasts_s": 4, "gust": {"north_mps": 8, "east_mps": -4}}], 8)
    winds = {time_s: values for time_s, name, *values in world.done if name == "set_wind"}
    assert min(winds) > 1.0 and max(winds) == pytest.approx(5.0)
    assert winds[3.0] == pytest.approx([8.0, -4.0])
    assert winds[max(winds)] == [0.0, 0.0]


def test_moves_and_light_changes_are_applied_once_at_their_time():
    _, world, _ = fly(
        [
            {"at_s": 2.0, "light": {"hour_h": 18, "fog": 0.3}},
            {"at_s": 0.7, "move": {"who": "hero", "to_m": [40, 7]}},
        ],
        5,
    )
    assert world.done == [
        (0.7, "move", "hero", 40.0, 7.0, 0.0),
        (2.0, "set_hour", 18.0),
        (2.0, "set_weather", ("fog", 0.3)),
    ]


def test_losses_and_delays_depend_on_the_seed_only():
    events = [{"drop_frames": {"share": 0.3}}, {"delay": {"frames_ms": 60, "jitter_ms": 40}}]

    def story(seed):
        _, _, seen = fly(events, 10, seed)
        return [(frame.time_s, frame.rgb is None) for _, frame, _ in seen]

    first, again, other = story(1), story(1), story(2)
    assert first == again
    assert first != other
    assert len(list(itertools.groupby(first))) > 50
