"""If these fail, a hiccup of the simulator ends a flight, or a dead one keeps it up for ever."""

import itertools
import types
from dataclasses import replace

import numpy as np
import pytest

from followme_uav.config import load_config
from followme_uav.errors import (
    ControlLostError,
    RemoteError,
    RpcConnectionError,
    RpcTimeoutError,
    SimulatorError,
    WeightsError,
)
from followme_uav.flight import loop as loop_module
from followme_uav.flight import mask_sources as masks_module
from followme_uav.flight.loop import FlightLoop
from followme_uav.flight.mask_sources import NetworkMasks, TrueMasks
from followme_uav.flight.metrics import metrics_of
from followme_uav.messages import Command, Contact, GroundTruth, Manoeuvre, MaskClass, MissionState
from tests.toy_world import ToyWorld

CONFIG = load_config(overrides=["duration_s=12"])
FRAME_S = 1.0 / CONFIG.camera.rate_hz
GIVE_UP_S = CONFIG.mission.failsafe_land_s
OUTAGE = RpcTimeoutError("getMultirotorState at sim:1: no answer within 5 s")


def route(time_s):
    return 12.0 + 0.5 * time_s, 3.0


class FakeSimulator:
    """The toy world behind the protocol of the loop; notes what is called, breaks when told to."""

    def __init__(self):
        self.world = ToyWorld(route)
        self.calls = []
        self.commands = []
        self.held_for = 0
        """A person holds the time while she is asked so often."""
        self.trouble = {}
        """Method -> function of the number of its call, giving the error to raise, or None."""
        self._numbers = {}

    def read_frame(self):
        self._called("read_frame")
        return self.world.frame()

    def ground_truth(self):
        self._called("ground_truth")
        frame = self.world.frame()
        self.world.index -= 1
        hero_m = (*route(self.world.time_s), 0.0)
        return GroundTruth(self.world.time_s, hero_m, (), self.world.mask(frame), 3.0)

    def send(self, command):
        self._called("send")
        self.commands.append(command)

    def begin_advance(self, duration_s, *, prefetch):
        self._called("begin_advance")
        assert duration_s == FRAME_S

    def end_advance(self, while_held):
        self._called("end_advance")
        self.world.obey(self.commands[-1])

    def is_held(self):
        self._called("is_held")
        return self._numbers["is_held"] < self.held_for

    def reconnect(self):
        self._called("reconnect")

    def take_control(self):
        self._called("take_control")

    def restart(self):
        """As if the process had been started anew."""
        self.world = ToyWorld(route)

    def _called(self, method):
        self.calls.append(method)
        number = self._numbers.get(method, 0)
        self._numbers[method] = number + 1
        error = self.trouble.get(method, lambda _: None)(number)
        if error is not None:
            raise error


class FakeTime(types.SimpleNamespace):
    """A clock that only `sleep`, and `read_frame` of a hung simulator, move."""

    def __init__(self):
        super().__init__(now_s=1000.0, slept_s=[])

    def monotonic(self):
        return self.now_s

    def perf_counter(self):
        return self.now_s

    def sleep(self, duration_s):
        self.slept_s.append(duration_s)
        self.now_s += duration_s


@pytest.fixture
def clock(monkeypatch):
    fake = FakeTime()
    for module in (loop_module, masks_module):
        monkeypatch.setattr(module, "time", fake)
    return fake


@pytest.fixture
def simulator():
    return FakeSimulator()


def fly(simulator, config=CONFIG, lockstep=True, masks=None):
    """The flight's entries; when it fails, they are the error's `entries`."""
    entries = []
    loop = FlightLoop(
        config,
        simulator,
        masks or simulator.world.mask,
        lockstep=lockstep,
        record=entries.append,
    )
    try:
        assert loop.run() is MissionState.DONE
    except SimulatorError as error:
        error.entries = entries
        raise
    return entries


def states(entries):
    return [entry.step.state for entry in entries]


def fails_in(calls, error=OUTAGE):
    return lambda number: error if number in calls else None


# The way of a frame


def test_a_whole_mission_is_recorded_frame_by_frame(simulator, clock):
    entries = fly(simulator)
    seen = [state for state, _ in itertools.groupby(states(entries))]
    assert seen[0] is MissionState.TAKEOFF
    assert seen[-1] is MissionState.DONE
    assert MissionState.FOLLOW in seen
    assert [entry.frame.index for entry in entries] == list(range(len(entries)))
    assert [entry.step.frame_index for entry in entries] == list(range(len(entries)))
    assert all(entry.truth.time_s == entry.frame.time_s for entry in entries)
    assert [entry.step.command for entry in entries] == simulator.commands


def test_in_lockstep_each_command_acts_before_time_passes(simulator, clock):
    fly(simulator)
    turn = ["read_frame", "send", "ground_truth", "begin_advance", "end_advance"]
    assert simulator.calls == turn * (len(simulator.calls) // len(turn))
    assert clock.slept_s == []


def test_in_real_time_nobody_stops_the_clock_and_the_pace_is_kept(simulator, clock):
    """Too fast, and AirSim drowns in commands; too slow, and the vehicle stops in between."""

    def pass_time(_):
        if simulator.commands:
            simulator.world.obey(simulator.commands[-1])

    simulator.trouble["read_frame"] = pass_time
    entries = fly(simulator, lockstep=False)
    assert "begin_advance" not in simulator.calls
    assert clock.slept_s == pytest.approx([FRAME_S] * len(entries))


def test_a_late_frame_is_not_made_up_for_by_a_burst(simulator, clock):
    def slow(number):
        if simulator.commands:
            simulator.world.obey(simulator.commands[-1])
        clock.now_s += 0.75 if number == 5 else 0.0

    simulator.trouble["read_frame"] = slow
    fly(simulator, lockstep=False)
    assert clock.slept_s[5] == 0.0
    assert clock.slept_s[6:] == pytest.approx([FRAME_S] * len(clock.slept_s[6:]))


def test_timings_tell_where_the_time_went(simulator, clock):
    def takes(seconds):
        def work(_):
            clock.now_s += seconds

        return work

    def slow_mask(frame):
        clock.now_s += 0.010
        return simulator.world.mask(frame)

    simulator.trouble = {"read_frame": takes(0.003), "send": takes(0.002)}
    timings = fly(simulator, masks=slow_mask)[3].timings
    assert timings.receive_ms == pytest.approx(3.0)
    assert timings.segment_ms == pytest.approx(10.0)
    assert timings.decide_ms == pytest.approx(0.0, abs=1e-6)
    assert timings.send_ms == pytest.approx(2.0)
    assert timings.total_ms == pytest.approx(12.0)


def test_a_requested_landing_is_flown(simulator, clock):
    loop = None

    def ask_at_frame_30(entry):
        if entry.frame.index == 30:
            loop.request_landing()
        entries.append(entry)

    entries = []
    config = load_config()
    loop = FlightLoop(
        config, simulator, simulator.world.mask, lockstep=True, record=ask_at_frame_30
    )
    assert loop.run() is MissionState.DONE
    assert entries[31].step.transition.reason == "landing requested"
    assert entries[-1].frame.time_s < 40.0


# Faults


def test_a_frame_that_does_not_come_makes_the_pilot_hover_and_go_on(simulator, clock):
    simulator.trouble["read_frame"] = fails_in(range(40, 49))
    entries = fly(simulator)
    blind = range(40, 49)
    assert [entry.frame.index for entry in entries if entry.frame.rgb is None] == list(blind)
    for entry in entries[46:49]:  # the first five are flown through
        assert entry.step.state is MissionState.FAILSAFE
        assert entry.step.command.manoeuvre is Manoeuvre.HOVER
        assert entry.truth is None
    seen = [state for state, _ in itertools.groupby(states(entries[49:]))]
    assert seen[:2] == [MissionState.FAILSAFE, MissionState.PATROL]
    assert MissionState.FOLLOW in seen
    assert simulator.calls.count("reconnect") == simulator.calls.count("take_control") == 9


def test_control_is_taken_on_the_new_connection_before_anything_is_sent(simulator, clock):
    simulator.trouble["read_frame"] = fails_in({40})
    fly(simulator)
    at = simulator.calls.index("reconnect")
    assert simulator.calls[at - 1 : at + 3] == ["read_frame", "reconnect", "take_control", "send"]


@pytest.mark.parametrize(
    "error",
    [OUTAGE, RpcConnectionError("moveByVelocity: lost"), RemoteError("moveByVelocity: no control")],
)
def test_a_command_that_cannot_be_sent_leads_to_a_new_connection(simulator, clock, error):
    """Another client took the vehicle over, say: without control it would drift on unheard."""
    simulator.trouble["send"] = fails_in({20}, error)
    entries = fly(simulator)
    at = simulator.calls.index("reconnect")
    assert simulator.calls[at - 1 : at + 2] == ["send", "reconnect", "take_control"]
    assert entries[-1].step.state is MissionState.DONE


def test_a_refused_new_connection_is_tried_again_and_again(simulator, clock):
    simulator.trouble["read_frame"] = fails_in(range(40, 50))
    simulator.trouble["send"] = fails_in(range(40, 50))
    simulator.trouble["reconnect"] = fails_in(range(15), RpcConnectionError("nobody listens"))
    entries = fly(simulator)
    assert simulator.calls.count("reconnect") == 20
    assert simulator.calls.count("take_control") == 5
    assert clock.slept_s == pytest.approx([FRAME_S] * 15)
    assert entries[-1].step.state is MissionState.DONE


def test_a_dead_simulator_ends_the_flight_after_a_while_with_the_cause(simulator, clock):
    simulator.trouble["read_frame"] = lambda number: OUTAGE if number >= 40 else None
    simulator.trouble["send"] = simulator.trouble["read_frame"]
    simulator.trouble["reconnect"] = lambda _: RpcConnectionError("nobody listens on sim:1")
    with pytest.raises(SimulatorError, match="no new frame for 15 s, gave up: nobody") as end:
        fly(simulator)
    assert GIVE_UP_S <= sum(clock.slept_s) < GIVE_UP_S + 1.0
    assert MissionState.FAILSAFE in states(end.value.entries)


def test_a_flight_waits_as_long_as_a_person_holds_the_time(simulator, clock):
    """Minutes longer than any deadline, and not one frame is flown meanwhile."""

    def pass_time(number):
        held = simulator.calls.count("is_held") < simulator.held_for - 1
        if simulator.commands and not (number >= 50 and held):
            simulator.world.obey(simulator.commands[-1])

    simulator.held_for = round(10 * GIVE_UP_S / FRAME_S)
    simulator.trouble["read_frame"] = pass_time
    entries = fly(simulator, lockstep=False)
    assert simulator.calls.count("is_held") == simulator.held_for - 1
    times_s = [entry.frame.time_s for entry in entries]
    assert len(set(times_s)) == len(times_s)
    assert MissionState.FAILSAFE not in states(entries)


def test_a_held_flight_can_be_given_up(simulator, clock):
    """With the second Ctrl-C, in lockstep too, where nobody answers but the hold."""
    loop = FlightLoop(CONFIG, simulator, simulator.world.mask, lockstep=True, record=lambda _: None)

    def advance(while_held):
        loop.request_landing()
        while_held()
        loop.request_landing()
        while_held()

    simulator.end_advance = advance
    with pytest.raises(KeyboardInterrupt):
        loop.run()


def test_a_simulator_closed_on_purpose_ends_the_flight_without_an_error(simulator, clock):
    gone = RpcConnectionError("getMultirotorState at sim:1: connection lost")
    simulator.trouble["read_frame"] = lambda number: gone if number == 20 else None
    entries = []
    loop = FlightLoop(
        CONFIG,
        simulator,
        simulator.world.mask,
        lockstep=True,
        record=entries.append,
        was_closed=lambda: True,
    )
    loop.run()
    assert loop.closed
    assert len(entries) == 20
    assert "reconnect" not in simulator.calls


def test_a_simulator_whose_clock_stands_still_ends_the_flight_too(simulator, clock):
    """Somebody pressed pause in the editor: images come, but nothing moves ever again."""
    with pytest.raises(SimulatorError, match="clock stands still; is it paused"):
        fly(simulator, lockstep=False)
    assert GIVE_UP_S <= sum(clock.slept_s) < GIVE_UP_S + 1.0


def test_the_first_frame_must_come(simulator, clock):
    """Nothing is known about the vehicle yet, so there is nothing to hover with."""
    simulator.trouble["read_frame"] = lambda _: OUTAGE
    with pytest.raises(RpcTimeoutError, match="no answer within 5 s"):
        fly(simulator)


@pytest.mark.parametrize("method", ["read_frame", "send", "begin_advance", "end_advance"])
def test_what_no_new_connection_can_mend_ends_the_flight_at_once(simulator, clock, method):
    """An image of the wrong size will not get better by asking again."""
    simulator.trouble[method] = fails_in({20}, SimulatorError("the image is 256x144"))
    with pytest.raises(SimulatorError, match="256x144"):
        fly(simulator)


def test_errors_of_our_own_are_not_taken_for_faults_of_the_simulator(simulator, clock):
    def broken(frame):
        raise WeightsError("broken")

    with pytest.raises(WeightsError):
        fly(simulator, masks=broken)


def test_a_lost_truth_costs_nothing_but_the_truth(simulator, clock):
    simulator.trouble["ground_truth"] = fails_in({20})
    entries = fly(simulator)
    assert [entry.frame.index for entry in entries if entry.truth is None] == [20]
    assert MissionState.FAILSAFE not in states(entries)


def test_number_and_time_go_on_when_the_simulator_starts_anew(simulator, clock):
    """It begins at zero again; log, metrics and deadlines must not run backwards."""

    def restart(number):
        if number == 60:
            simulator.restart()
        return OUTAGE if number in range(55, 60) else None

    simulator.trouble["read_frame"] = restart
    entries = fly(simulator, load_config(overrides=["duration_s=20"]), masks=TrueMasks(simulator))
    times_s = [entry.frame.time_s for entry in entries]
    steps_s = [after - before for before, after in itertools.pairwise(times_s)]
    assert steps_s == pytest.approx([FRAME_S] * len(steps_s))
    assert [entry.frame.index for entry in entries] == list(range(len(entries)))
    for entry in entries[60:]:
        assert entry.frame.vehicle.time_s == entry.frame.time_s
        assert entry.truth.time_s == pytest.approx(entry.frame.time_s)
    assert MissionState.FOLLOW in states(entries[60:])
    land = next(e for e in entries if e.step.state is MissionState.LAND)
    assert land.frame.time_s == pytest.approx(20.0, abs=2 * FRAME_S)


# Where masks come from


def test_true_masks_show_what_is_there(simulator):
    frame = simulator.world.frame()
    assert (TrueMasks(simulator)(frame) == simulator.world.mask(frame)).all()


def test_a_truth_that_does_not_come_shows_nobody(simulator):
    simulator.trouble["ground_truth"] = lambda _: OUTAGE
    mask = TrueMasks(simulator)(simulator.world.frame())
    assert (mask[..., MaskClass.BACKGROUND] == 255).all()
    assert not mask[..., [MaskClass.PEOPLE, MaskClass.HERO]].any()


def test_flying_on_true_masks_needs_a_simulator_that_tells_them(simulator):
    simulator.ground_truth = lambda: None
    with pytest.raises(SimulatorError, match="fly with --weights"):
        TrueMasks(simulator)(simulator.world.frame())


def test_the_network_sees_the_frames_image(simulator):
    frame = simulator.world.frame()
    assert NetworkMasks(lambda rgb: rgb)(frame) is frame.rgb
    with pytest.raises(ValueError, match="without an image"):
        NetworkMasks(lambda rgb: rgb)(replace(frame, rgb=None))


# Another client


class Contested(FakeSimulator):
    """Another client does something at frame 60; `take_control` undoes what can be undone."""

    def __init__(self, deed, again=False):
        super().__init__()
        self.deed, self.again = deed, again
        self.is_mine = True

    def read_frame(self):
        if self.world.index == 60 or (self.again and self.world.index % 60 == 0):
            self.is_mine = False
            self.deed(self.world)
        frame = super().read_frame()
        taken = self.deed is not _take and not self.is_mine
        return replace(frame, control_loss="" if self.is_mine or taken else "it was taken")

    def end_advance(self, while_held):
        self._called("end_advance")
        if self.is_mine:
            self.world.obey(self.commands[-1])
        else:
            self.world.obey(FALL)

    def take_control(self):
        super().take_control()
        self.is_mine = True


FALL = Command(Manoeuvre.VELOCITY, (0.0, 0.0, 30.0), 0.0, 0.0, 0.0)


def _take(world):
    """Takes API control away: the vehicle falls."""


def _disarm(world):
    """Nobody can be asked about that: the vehicle falls."""


def _reset(world):
    world.time_s, world.position, world.velocity = 0.0, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)


def _teleport(world):
    world.position = (-40.0, 30.0, -6.0)


DEEDS = {"taken": _take, "falls": _disarm, "clock went back": _reset, "at once": _teleport}


@pytest.mark.parametrize("word", DEEDS)
def test_what_another_client_does_is_noticed_and_control_is_taken_back(clock, word):
    simulator = Contested(DEEDS[word])
    entries = fly(simulator, load_config(overrides=["duration_s=30"]))
    changes = [e.step.transition for e in entries if e.step.transition]
    (fault,) = (c for c in changes if c.target is MissionState.FAILSAFE)
    assert word in fault.reason
    assert simulator.calls.count("take_control") == 1
    assert max(-e.frame.vehicle.position_m[2] for e in entries[-250:]) > 4.0  # in the air again
    assert entries[-1].step.state is MissionState.DONE
    times_s = [e.frame.time_s for e in entries]
    assert all(b > a for a, b in itertools.pairwise(times_s))


def test_a_vehicle_put_back_to_the_start_takes_off_again(clock):
    entries = fly(Contested(_reset), load_config(overrides=["duration_s=30"]))
    targets = [e.step.transition.target for e in entries if e.step.transition]
    at = targets.index(MissionState.FAILSAFE)
    assert targets[at + 1 : at + 3] == [MissionState.TAKEOFF, MissionState.PATROL]


@pytest.mark.parametrize("times", [0, 2])
def test_control_is_taken_back_so_often_and_no_more(clock, times):
    """Two clients that fight for a vehicle help nobody."""
    simulator = Contested(_take, again=True)
    config = load_config(overrides=["duration_s=60", f"mission.control_take_backs={times}"])
    with pytest.raises(ControlLostError, match="it was taken; gave up") as caught:
        fly(simulator, config)
    assert simulator.calls.count("take_control") == times
    last = caught.value.entries[-1]  # what ended the flight is in its log
    assert last.frame.control_loss and last.step.state is MissionState.FAILSAFE
    assert simulator.calls[-1] != "send"  # nothing is sent to somebody else's vehicle


def test_control_that_is_refused_ends_the_flight_with_both_reasons(clock):
    simulator = Contested(_take)
    simulator.trouble["take_control"] = lambda _: SimulatorError("sim:1 did not give control")
    with pytest.raises(ControlLostError, match="it was taken, and sim:1 did not give control"):
        fly(simulator)


def test_masks_are_empty_where_the_truth_is_of_no_image_or_another(simulator, clock):
    """After another client's reset there is no last image: that ended in a ZeroDivisionError."""
    masks = TrueMasks(simulator)
    frame = simulator.world.frame()
    assert masks(frame).shape == frame.rgb.shape
    simulator.ground_truth = lambda: None
    assert masks(frame)[..., MaskClass.BACKGROUND].min() == 255
    small = np.zeros((8, 8, 3), np.uint8)
    simulator.ground_truth = lambda: GroundTruth(0.0, (0.0, 0.0, 0.0), (), small, 1.0)
    assert masks(frame).shape == frame.rgb.shape
    never = FakeSimulator()
    never.ground_truth = lambda: None
    with pytest.raises(SimulatorError, match="offers no ground truth"):
        TrueMasks(never)(frame)


# Ground contact


def test_a_whole_flight_over_a_floor_that_is_reported_has_no_collision(simulator, clock):
    """As on AirSim: at the start and at touchdown the floor is reported, like any other object."""
    read = simulator.read_frame

    def with_floor():
        frame = read()
        if frame.vehicle.position_m[2] < -0.05:
            return frame
        floor = Contact("Ground", (0.0, 0.0, -1.0))
        vehicle = replace(frame.vehicle, has_collided=True, contact=floor)
        return replace(frame, vehicle=vehicle)

    simulator.read_frame = with_floor
    entries = fly(simulator)
    assert sum(e.frame.vehicle.has_collided for e in entries) >= 2
    assert MissionState.FAILSAFE not in states(entries)
    found = metrics_of(entries, CONFIG)
    assert (found.collisions, found.landed) == (0, True)
