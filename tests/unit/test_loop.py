"""Tests of the flight loop: order of calls, pace, faults of the simulator, loss of control."""

import itertools
import logging
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

pytestmark = pytest.mark.slow

CONFIG = load_config(overrides=["duration_s=12"])
FRAME_S = 1.0 / CONFIG.camera.rate_hz
GIVE_UP_S = CONFIG.mission.failsafe_land_s
OUTAGE = RpcTimeoutError("getMultirotorState at sim:1: no answer within 5 s")


def route(time_s):
    return 12.0 + 0.5 * time_s, 3.0


class FakeSimulator:
    """The toy world behind the loop's protocol; records calls, and raises injected faults."""

    def __init__(self):
        self.world = ToyWorld(route)
        self.calls = []
        self.commands = []
        self.held_for = 0
        """The clock is held for so many calls of `is_held`."""
        self.faults = {}
        """Method -> function that returns the error to raise in a call of this number, or None."""
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
        """Restart the process."""
        self.world = ToyWorld(route)

    def _called(self, method):
        self.calls.append(method)
        number = self._numbers.get(method, 0)
        self._numbers[method] = number + 1
        error = self.faults.get(method, lambda _: None)(number)
        if error is not None:
            raise error


class FakeTime(types.SimpleNamespace):
    """A clock that advances in `sleep`, and in the faults that tests inject."""

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
    """Return the flight's entries; when it fails, they are in the error's `entries`."""
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


# Order of calls and pace


def test_every_frame_of_a_mission_is_recorded(simulator, clock):
    entries = fly(simulator)
    seen = [state for state, _ in itertools.groupby(states(entries))]
    assert seen[0] is MissionState.TAKEOFF
    assert seen[-1] is MissionState.DONE
    assert MissionState.FOLLOW in seen
    assert [entry.frame.index for entry in entries] == list(range(len(entries)))
    assert [entry.step.frame_index for entry in entries] == list(range(len(entries)))
    assert all(entry.truth.time_s == entry.frame.time_s for entry in entries)
    assert [entry.step.command for entry in entries] == simulator.commands


def test_in_lockstep_each_command_is_sent_before_the_advance(simulator, clock):
    fly(simulator)
    iteration = ["read_frame", "send", "ground_truth", "begin_advance", "end_advance"]
    assert simulator.calls == iteration * (len(simulator.calls) // len(iteration))
    assert clock.slept_s == []


def test_in_real_time_the_loop_keeps_the_camera_rate_and_never_pauses(simulator, clock):
    """A faster loop overloads AirSim; in a slower one velocities end between commands."""

    def pass_time(_):
        if simulator.commands:
            simulator.world.obey(simulator.commands[-1])

    simulator.faults["read_frame"] = pass_time
    entries = fly(simulator, lockstep=False)
    assert "begin_advance" not in simulator.calls
    assert clock.slept_s == pytest.approx([FRAME_S] * len(entries))


def test_late_frame_is_not_followed_by_a_burst_of_frames(simulator, clock):
    def slow(number):
        if simulator.commands:
            simulator.world.obey(simulator.commands[-1])
        clock.now_s += 0.75 if number == 5 else 0.0

    simulator.faults["read_frame"] = slow
    fly(simulator, lockstep=False)
    assert clock.slept_s[5] == 0.0
    assert clock.slept_s[6:] == pytest.approx([FRAME_S] * len(clock.slept_s[6:]))


def test_timings_are_those_of_each_stage(simulator, clock):
    def takes(seconds):
        def work(_):
            clock.now_s += seconds

        return work

    def slow_mask(frame):
        clock.now_s += 0.010
        return simulator.world.mask(frame)

    simulator.faults = {"read_frame": takes(0.003), "send": takes(0.002)}
    timings = fly(simulator, masks=slow_mask)[3].timings
    assert timings.receive_ms == pytest.approx(3.0)
    assert timings.segment_ms == pytest.approx(10.0)
    assert timings.decide_ms == pytest.approx(0.0, abs=1e-6)
    assert timings.send_ms == pytest.approx(2.0)
    assert timings.total_ms == pytest.approx(12.0)


def test_vehicle_lands_when_landing_is_requested(simulator, clock):
    loop = None

    def request_at_frame_30(entry):
        if entry.frame.index == 30:
            loop.request_landing()
        entries.append(entry)

    entries = []
    config = load_config()
    loop = FlightLoop(
        config, simulator, simulator.world.mask, lockstep=True, record=request_at_frame_30
    )
    assert loop.run() is MissionState.DONE
    assert entries[31].step.transition.reason == "landing requested"
    assert entries[-1].frame.time_s < 40.0


# Faults


def test_vehicle_hovers_while_frames_are_missing_and_then_goes_on(simulator, clock):
    simulator.faults["read_frame"] = fails_in(range(40, 49))
    entries = fly(simulator)
    blind = range(40, 49)
    assert [entry.frame.index for entry in entries if entry.frame.rgb is None] == list(blind)
    for entry in entries[46:49]:  # the first five do not change the state
        assert entry.step.state is MissionState.FAILSAFE
        assert entry.step.command.manoeuvre is Manoeuvre.HOVER
        assert entry.truth is None
    seen = [state for state, _ in itertools.groupby(states(entries[49:]))]
    assert seen[:2] == [MissionState.FAILSAFE, MissionState.PATROL]
    assert MissionState.FOLLOW in seen
    assert simulator.calls.count("reconnect") == simulator.calls.count("take_control") == 9


def test_control_is_taken_on_a_new_connection_before_a_command_is_sent(simulator, clock):
    simulator.faults["read_frame"] = fails_in({40})
    fly(simulator)
    at = simulator.calls.index("reconnect")
    assert simulator.calls[at - 1 : at + 3] == ["read_frame", "reconnect", "take_control", "send"]


@pytest.mark.parametrize(
    "error",
    [OUTAGE, RpcConnectionError("moveByVelocity: lost"), RemoteError("moveByVelocity: no control")],
)
def test_loop_reconnects_when_a_command_cannot_be_sent(simulator, clock, error):
    """Without control, later commands would have no effect."""
    simulator.faults["send"] = fails_in({20}, error)
    entries = fly(simulator)
    at = simulator.calls.index("reconnect")
    assert simulator.calls[at - 1 : at + 2] == ["send", "reconnect", "take_control"]
    assert entries[-1].step.state is MissionState.DONE


def test_refused_reconnection_is_tried_again_each_frame(simulator, clock):
    simulator.faults["read_frame"] = fails_in(range(40, 50))
    simulator.faults["send"] = fails_in(range(40, 50))
    simulator.faults["reconnect"] = fails_in(range(15), RpcConnectionError("no server listens"))
    entries = fly(simulator)
    assert simulator.calls.count("reconnect") == 20
    assert simulator.calls.count("take_control") == 5
    assert clock.slept_s == pytest.approx([FRAME_S] * 15)
    assert entries[-1].step.state is MissionState.DONE


def test_dead_simulator_ends_the_flight_at_the_failsafe_limit_with_the_cause(simulator, clock):
    simulator.faults["read_frame"] = lambda number: OUTAGE if number >= 40 else None
    simulator.faults["send"] = simulator.faults["read_frame"]
    simulator.faults["reconnect"] = lambda _: RpcConnectionError("no server listens on sim:1")
    with pytest.raises(SimulatorError, match="no new frame for 15 s, gave up: no server") as end:
        fly(simulator)
    assert GIVE_UP_S <= sum(clock.slept_s) < GIVE_UP_S + 1.0
    assert MissionState.FAILSAFE in states(end.value.entries)


def test_flight_waits_as_long_as_the_clock_is_held(simulator, clock):
    """Minutes longer than any deadline, without a step of the pilot."""

    def pass_time(number):
        held = simulator.calls.count("is_held") < simulator.held_for - 1
        if simulator.commands and not (number >= 50 and held):
            simulator.world.obey(simulator.commands[-1])

    simulator.held_for = round(10 * GIVE_UP_S / FRAME_S)
    simulator.faults["read_frame"] = pass_time
    entries = fly(simulator, lockstep=False)
    assert simulator.calls.count("is_held") == simulator.held_for - 1
    times_s = [entry.frame.time_s for entry in entries]
    assert len(set(times_s)) == len(times_s)
    assert MissionState.FAILSAFE not in states(entries)


def test_second_landing_request_ends_a_held_flight(simulator, clock):
    """In lockstep too, where the advance does not return while the clock is held."""
    loop = FlightLoop(CONFIG, simulator, simulator.world.mask, lockstep=True, record=lambda _: None)

    def advance(while_held):
        loop.request_landing()
        while_held()
        loop.request_landing()
        while_held()

    simulator.end_advance = advance
    with pytest.raises(KeyboardInterrupt):
        loop.run()


def test_closed_window_ends_the_flight_without_an_error(simulator, clock):
    gone = RpcConnectionError("getMultirotorState at sim:1: connection lost")
    simulator.faults["read_frame"] = lambda number: gone if number == 20 else None
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


def test_simulator_whose_clock_stands_still_ends_the_flight(simulator, clock):
    """In an editor on pause, images come, but time does not advance."""
    with pytest.raises(SimulatorError, match="clock stands still; is it paused"):
        fly(simulator, lockstep=False)
    assert GIVE_UP_S <= sum(clock.slept_s) < GIVE_UP_S + 1.0


def test_missing_first_frame_ends_the_flight(simulator, clock):
    """The vehicle's state is not known yet, so the pilot cannot act."""
    simulator.faults["read_frame"] = lambda _: OUTAGE
    with pytest.raises(RpcTimeoutError, match="no answer within 5 s"):
        fly(simulator)


@pytest.mark.parametrize("method", ["read_frame", "send", "begin_advance", "end_advance"])
def test_error_that_reconnecting_cannot_correct_ends_the_flight(simulator, clock, method):
    """An image of the wrong size stays so."""
    simulator.faults[method] = fails_in({20}, SimulatorError("the image is 256x144"))
    with pytest.raises(SimulatorError, match="256x144"):
        fly(simulator)


def test_errors_of_other_parts_are_not_handled_as_faults_of_the_simulator(simulator, clock):
    def broken(frame):
        raise WeightsError("broken")

    with pytest.raises(WeightsError):
        fly(simulator, masks=broken)


def test_missing_truth_does_not_affect_the_flight(simulator, clock):
    simulator.faults["ground_truth"] = fails_in({20})
    entries = fly(simulator)
    assert [entry.frame.index for entry in entries if entry.truth is None] == [20]
    assert MissionState.FAILSAFE not in states(entries)


def test_number_and_time_continue_when_the_simulator_restarts(simulator, clock):
    """Its clock restarts at zero; log, metrics and deadlines must not run backwards."""

    def restart(number):
        if number == 60:
            simulator.restart()
        return OUTAGE if number in range(55, 60) else None

    simulator.faults["read_frame"] = restart
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


# Mask sources


def test_true_mask_is_that_of_the_simulator(simulator):
    frame = simulator.world.frame()
    assert (TrueMasks(simulator)(frame) == simulator.world.mask(frame)).all()


def test_control_refused_on_a_new_connection_is_lost_control(simulator, clock):
    """Another client has the vehicle by now: no further command may reach it."""
    simulator.faults["read_frame"] = fails_in({40})
    simulator.faults["take_control"] = lambda _: SimulatorError("sim:1 did not give control")
    with pytest.raises(ControlLostError, match="sim:1 did not give control"):
        fly(simulator)
    assert simulator.calls[-1] == "take_control"


def test_true_mask_is_background_when_truth_is_missing(simulator):
    simulator.faults["ground_truth"] = lambda _: OUTAGE
    mask = TrueMasks(simulator)(simulator.world.frame())
    assert (mask[..., MaskClass.BACKGROUND] == 255).all()
    assert not mask[..., [MaskClass.PEOPLE, MaskClass.HERO]].any()


def test_true_masks_are_refused_when_the_simulator_offers_no_truth(simulator):
    simulator.ground_truth = lambda: None
    with pytest.raises(SimulatorError, match="fly with --weights"):
        TrueMasks(simulator)(simulator.world.frame())


def test_network_gets_the_image_of_the_frame(simulator):
    frame = simulator.world.frame()
    assert NetworkMasks(lambda rgb: rgb)(frame) is frame.rgb
    with pytest.raises(ValueError, match="without an image"):
        NetworkMasks(lambda rgb: rgb)(replace(frame, rgb=None))


# Another client


class Contested(FakeSimulator):
    """Another client interferes at frame 60; `take_control` ends the interference."""

    def __init__(self, interference, again=False):
        super().__init__()
        self.interference, self.again = interference, again
        self.is_mine = True

    def read_frame(self):
        if self.world.index == 60 or (self.again and self.world.index % 60 == 0):
            self.is_mine = False
            self.interference(self.world)
        frame = super().read_frame()
        taken = self.interference is not _take and not self.is_mine
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
    """Take API control away: the vehicle falls."""


def _disarm(world):
    """Disarm, which no RPC method reports: the vehicle falls."""


def _reset(world):
    world.time_s, world.position, world.velocity = 0.0, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)


def _teleport(world):
    world.position = (-40.0, 30.0, -6.0)


INTERFERENCES = {"taken": _take, "falls": _disarm, "clock went back": _reset, "at once": _teleport}


@pytest.mark.parametrize("word", INTERFERENCES)
def test_interference_of_another_client_is_detected_and_control_retaken(clock, word):
    simulator = Contested(INTERFERENCES[word])
    entries = fly(simulator, load_config(overrides=["duration_s=30"]))
    changes = [e.step.transition for e in entries if e.step.transition]
    (fault,) = (c for c in changes if c.target is MissionState.FAILSAFE)
    assert word in fault.reason
    assert simulator.calls.count("take_control") == 1
    assert max(-e.frame.vehicle.position_m[2] for e in entries[-250:]) > 4.0  # in the air again
    assert entries[-1].step.state is MissionState.DONE
    times_s = [e.frame.time_s for e in entries]
    assert all(b > a for a, b in itertools.pairwise(times_s))


def test_vehicle_takes_off_again_after_a_reset(clock):
    entries = fly(Contested(_reset), load_config(overrides=["duration_s=30"]))
    targets = [e.step.transition.target for e in entries if e.step.transition]
    at = targets.index(MissionState.FAILSAFE)
    assert targets[at + 1 : at + 3] == [MissionState.TAKEOFF, MissionState.PATROL]


@pytest.mark.parametrize("times", [0, 2])
def test_control_is_retaken_at_most_as_often_as_configured(clock, times):
    """Else two clients could retake control from each other without end."""
    simulator = Contested(_take, again=True)
    config = load_config(overrides=["duration_s=60", f"mission.control_take_backs={times}"])
    with pytest.raises(ControlLostError, match="it was taken; gave up") as caught:
        fly(simulator, config)
    assert simulator.calls.count("take_control") == times
    last = caught.value.entries[-1]  # the cause of the end is in the log
    assert last.frame.control_loss and last.step.state is MissionState.FAILSAFE
    assert simulator.calls[-1] != "send"  # no command to the vehicle of another client


def test_refused_control_ends_the_flight_with_both_reasons(clock):
    simulator = Contested(_take)
    simulator.faults["take_control"] = lambda _: SimulatorError("sim:1 did not give control")
    with pytest.raises(ControlLostError, match="it was taken, and sim:1 did not give control"):
        fly(simulator)


def test_true_mask_is_background_when_truth_is_of_no_image_or_another(simulator, clock):
    """After a reset by another client there is no last image."""
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


def test_reported_ground_contact_is_no_collision_at_start_and_touchdown(simulator, clock):
    """AirSim reports contact with the floor like that with any other object."""
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


# Program log


def logged(caplog, level=logging.WARNING):
    return [r.getMessage() for r in caplog.records if r.levelno >= level]


def test_outage_and_recovery_are_logged_once_each(simulator, clock, caplog):
    simulator.faults["read_frame"] = fails_in(range(40, 44))
    fly(simulator)
    begin, end = logged(caplog)
    assert begin == f"At 4.0 s the simulator sends no frame: {OUTAGE}"
    assert end == "failed attempts to read a frame: 4 in 0.3 s, none since"


def test_frames_without_an_image_are_logged_once_with_their_number(simulator, clock, caplog):
    def lose(number):
        simulator.world.blind = number in (40, 42, 43)

    simulator.faults["read_frame"] = lose
    fly(simulator)
    begin, end = logged(caplog)
    assert begin == "Frame 40 at 4.0 s is dropped: it came without an image."
    assert end == "frames without an image: 3 in 0.3 s, none since"


def test_failed_commands_and_missing_truth_are_logged(simulator, clock, caplog):
    simulator.faults["send"] = fails_in({20})
    simulator.faults["ground_truth"] = fails_in({80}, RemoteError("simFollowMe: no"))
    fly(simulator)
    lines = logged(caplog)
    assert [line for line in lines if OUTAGE.args[0] in line]
    assert [line for line in lines if "simFollowMe: no" in line]


def test_late_frames_are_logged_with_the_time_that_passed(simulator, clock, caplog):
    caplog.set_level(logging.INFO, "followme_uav")

    def skip(number):
        if number == 50:
            simulator.world.time_s += 0.3

    simulator.faults["read_frame"] = skip
    fly(simulator)
    (late,) = (line for line in logged(caplog, logging.INFO) if "is late" in line)
    assert late == "Frame 50 at 5.3 s is late: 0.40 s after the last one instead of 0.10 s."


def test_slow_turns_are_logged_in_real_time_only(simulator, clock, caplog):
    caplog.set_level(logging.INFO, "followme_uav")

    def slow(number):
        if simulator.commands and number:
            simulator.world.obey(simulator.commands[-1])
        clock.now_s += 0.25 if 20 <= number < 30 else 0.0

    simulator.faults["read_frame"] = slow
    fly(simulator, lockstep=False)
    begin, end = (line for line in logged(caplog, logging.INFO) if "turn" in line)
    assert "takes 250 ms, longer than the 100 ms of a frame: receive 250," in begin
    assert end == "turns slower than the camera: 10 in 0.9 s, none since"


def test_transitions_are_logged_with_their_reasons(simulator, clock, caplog):
    caplog.set_level(logging.INFO, "followme_uav")
    entries = fly(simulator)
    changes = [e.step.transition for e in entries if e.step.transition]
    lines = [line for line in logged(caplog, logging.INFO) if "mission goes" in line]
    assert len(lines) == len(changes) > 3
    for line, change in zip(lines, changes, strict=True):
        assert f"from {change.source.value} to {change.target.value}: {change.reason}." in line


def test_loss_and_recovery_of_control_are_logged(clock, caplog):
    fly(Contested(_take), load_config(overrides=["duration_s=30"]))
    lines = logged(caplog)
    assert any("is lost (it was taken); it is taken back, time 1 of " in line for line in lines)
    assert "Control of the vehicle is taken back." in lines
    assert any("to failsafe: it was taken." in line for line in lines)


def test_frames_are_logged_with_the_level_debug_only(simulator, clock, caplog):
    caplog.set_level(logging.INFO, "followme_uav")
    entries = fly(simulator)
    quiet = len(caplog.records)
    assert quiet < 20 < len(entries)
