"""The AirSim client against scripted simulators of each kind. Runs on both RPC backends."""

from __future__ import annotations

import math
import time
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest

from followme_uav.config import CameraConfig, DepthConfig, RpcConfig, SimulatorProfile
from followme_uav.errors import RemoteError, RpcConnectionError, SimulatorError
from followme_uav.messages import Command, Contact, Manoeuvre, Solid
from followme_uav.rpc.airsim import AirSimClient
from followme_uav.rpc.backends import open_session
from followme_uav.rpc.collection_client import DataCollectionClient

from .fake.process import BACKEND, serving

RPC = RpcConfig(
    backend=BACKEND,
    deadline_s=20.0,
    connect_deadline_s=5.0,
    command_duration_s=0.4,
    max_message_bytes=2**24,
)
DEPTH = DepthConfig(
    strips=8,
    range_m=15.0,
    band_m=1.0,
    own_radius_m=0.6,
    above_m=1.8,
    free_m=0.4,
    scan_range_m=40.0,
)
CAMERA = CameraConfig(width_px=64, height_px=32, rate_hz=10.0)
QUARTER = math.radians(90.0)
HALF_ROOT = math.sqrt(0.5)
HOVER = Command(Manoeuvre.HOVER, (0.0, 0.0, 0.0), 0.0, 0.0, 0.0)
KINDS = ("unreal", "unity", "colosseum", "cosys", "embedded")


def profile(kind: str, address, **changes) -> SimulatorProfile:
    unity = kind == "unity"
    values = {
        "name": kind,
        "host": address[0],
        "port": address[1],
        "dialect": "auto",
        "vehicle_name": "Drone1",
        "camera_name": "0",
        "channel_order": "rgb" if unity else "bgr",
        "row_order": "bottom_up" if unity else "top_down",
        "camera_pose_frame": "world" if unity else "body",
        "camera_mount_m": (0.5, 0.0, 0.1),
        "camera_fov_deg": 60.0,
        "metric_depth": not unity,
        "frame_time": "image",
        "continue_blocks": not unity,
        "patrol_waypoints_m": ((0.0, 0.0),),
    }
    return SimulatorProfile(**values | changes)


class ClientHarness:
    """A client connected to a fake server, and a second connection that controls the fake."""

    def __init__(self, kind: str, address, rpc: RpcConfig = RPC, depth=None, **changes) -> None:
        self.client = DataCollectionClient(profile(kind, address, **changes), rpc, CAMERA, depth)
        self._spy = open_session(
            BACKEND, *address, deadline_s=20.0, connect_deadline_s=5.0, max_message_bytes=2**24
        )
        self._spy.call("fakeReset")

    def calls(self, *methods: str) -> list[list]:
        """Recorded [method, params], all or those of some methods, since the last call of this."""
        calls = self._spy.call("fakeCalls")
        return [call for call in calls if not methods or call[0] in methods]

    def sent(self, command: Command, *methods: str) -> list[list]:
        """Calls caused by sending a command; a call on the same connection ensures its arrival."""
        self.calls()
        self.client.send(command)
        self.client.pause(False)
        return [call for call in self.calls(*methods) if call[0] != "simPause"]

    def answer(self, key: str, value) -> None:
        self._spy.call("fakeSet", key, value)

    def end_motion(self) -> None:
        """End the client's motion by one of another client; its answer has arrived on return."""
        self._spy.call_async("takeoff", 20.0, "Drone1")
        self._spy.call("ping")
        self.client.pause(False)

    def close(self) -> None:
        self.client.close()
        self._spy.close()


@pytest.fixture(scope="module")
def simulator():
    """Makes a `ClientHarness` of one kind; one process of each kind serves all tests."""
    addresses = {}
    with ExitStack() as processes:

        @contextmanager
        def make(kind: str, rpc: RpcConfig = RPC, **changes):
            if kind not in addresses:
                addresses[kind] = processes.enter_context(serving("airsim.py", kind))
            made = ClientHarness(kind, addresses[kind], rpc, **changes)
            try:
                yield made
            finally:
                made.close()

        yield make


@pytest.fixture(params=KINDS)
def any_sim(request, simulator):
    with simulator(request.param) as made:
        made.client.connect()
        made.kind = request.param
        yield made


@pytest.fixture
def sim(simulator):
    with simulator("unreal") as made:
        made.client.connect()
        yield made


def velocity(*mps: float, yaw_rate=0.0, pan=0.0, tilt=0.0) -> Command:
    return Command(Manoeuvre.VELOCITY, mps, yaw_rate, pan, tilt)


# -- reading ----------------------------------------------------------------------------------


def test_frame_is_the_same_from_every_simulator(any_sim):
    """Mirrored images or swapped channels would mislead the pilot."""
    frame = any_sim.client.read_frame()
    assert frame.rgb.shape == (32, 64, 3) and frame.rgb.dtype == np.uint8
    assert frame.rgb.flags.c_contiguous
    assert frame.rgb[0, 0].tolist() == [255, 0, 0]
    assert frame.rgb[0, -1].tolist() == [0, 255, 0]
    assert frame.rgb[-1, 0].tolist() == [0, 0, 255]
    assert frame.rgb[5, 5].tolist() == [9, 90, 200]
    assert frame.camera.position_m == (1.5, 2.5, -3.5)
    assert frame.camera.orientation == (1.0, 0.0, 0.0, 0.0)
    assert frame.camera.fov_rad == pytest.approx(math.radians(60.0))
    assert frame.vehicle.position_m == (1.0, 2.0, -3.0)
    assert frame.vehicle.velocity_mps == (0.5, 0.25, -0.125)
    assert frame.vehicle.orientation == pytest.approx((HALF_ROOT, 0, 0, HALF_ROOT))
    assert frame.vehicle.angular_velocity_radps == pytest.approx((0.1, 0.2, 0.3))
    assert frame.vehicle.has_collided is False


@pytest.mark.parametrize("kind", KINDS)
def test_wall_in_the_depth_image_is_an_obstacle(simulator, kind):
    """Requested in one call with the image, and only where depth is in metres."""
    with simulator(kind, depth=DEPTH) as sim:
        sim.client.connect()
        sim.calls()
        frame = sim.client.read_frame()
        ((_, params),) = sim.calls("simGetImages")
        requests = params[0]
    assert frame.rgb is not None
    if kind == "unity":
        assert len(requests) == 1
        assert frame.obstacles_m == ()
        return
    assert len(requests) == 2
    assert len(frame.obstacles_m) == DEPTH.strips / 2
    for north, east, down in frame.obstacles_m:
        assert north == pytest.approx(1.5 + 5.1, abs=0.01)
        assert east < 2.5
        assert abs(down + 3.0) <= DEPTH.band_m


def test_time_starts_with_the_first_frame_and_is_in_seconds(any_sim):
    """Time stamps of 1e18 ns lose microseconds as floats; Unity stamps images in milliseconds."""
    client = any_sim.client
    client.pause(True)
    times = []
    for _ in range(3):
        frame = client.read_frame()
        times.append((frame.index, frame.time_s, frame.vehicle.time_s))
        client.advance(0.1)
    assert times == [(0, 0.0, 0.0), (1, 0.1, 0.1), (2, 0.2, 0.2)]


def test_collisions_come_from_the_collision_call(sim):
    """AirSim never fills the collision inside the state: a crash would not be detected."""
    sim.answer("collided", True)
    assert sim.client.read_frame().vehicle.has_collided is True


def test_contact_is_reported_once_and_only_after_the_first_frame(any_sim):
    """AirSim reports the floor, and keeps the flag from before the flight."""
    spy, client = any_sim._spy, any_sim.client
    client.pause(True)
    spy.call("fakeTouch", "Cube", [-1.0, 0.0, 0.0], -0.5)
    assert client.read_frame().vehicle.has_collided is False
    client.advance(0.1)
    spy.call("fakeTouch", "Ground", [0.0, 0.0, -1.0], 0.05)
    vehicle = client.read_frame().vehicle
    assert vehicle.has_collided is True
    assert vehicle.contact == Contact("Ground", (0.0, 0.0, -1.0))
    assert client.read_frame().vehicle.contact is None


def test_collision_flag_that_reading_does_not_clear_is_one_contact(sim):
    sim.client.read_frame()
    sim.answer("keepsContact", True)
    sim._spy.call("fakeTouch", "Wall", [0.0, 1.0, 0.0], 0.05)
    reported = [sim.client.read_frame().vehicle.has_collided for _ in range(3)]
    assert reported == [True, False, False]


def test_frame_has_no_image_when_the_camera_is_unknown(simulator):
    """AirSim replies with width 0, not with an error."""
    with simulator("unreal", camera_name="nose") as sim:
        sim.client.connect()
        frame = sim.client.read_frame()
        assert frame.rgb is None
        assert frame.vehicle.position_m == (1.0, 2.0, -3.0)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("image", {"width": 32}, ("32x32 instead of 64x32", "CaptureSettings")),
        ("image", {"image_data_uint8": b""}, ("0 bytes", "6144 bytes")),
        ("image", {"image_data_uint8": [1, 2]}, ("raw pixels",)),
        ("image", {"camera_position": None}, ("simGetImages", "not what AirSim sends")),
        ("missing", ["timestamp"], ("getMultirotorState", "dialect")),
        ("missing", ["kinematics_estimated"], ("getMultirotorState",)),
    ],
)
def test_malformed_reply_is_an_error_of_one_line(sim, key, value, words):
    """A misconfigured simulator is the most frequent cause; a traceback would not name it."""
    if BACKEND != "builtin" and isinstance(value, dict) and b"" in value.values():
        pytest.skip("the legacy backend cannot send bytes")
    sim.answer(key, value)
    with pytest.raises(SimulatorError) as error:
        sim.client.read_frame()
    text = str(error.value)
    assert "\n" not in text
    assert all(word in text for word in words), text


def test_solids_are_read_where_the_simulator_offers_them(any_sim):
    """A simulator without them must not end the flight."""
    expected = Solid("house", (1.0, -2.0, -3.0), (4.0, 5.0, 6.0), False)
    assert any_sim.client.solids() == ((expected,) if any_sim.kind == "embedded" else ())


def test_truth_requested_with_a_frame_is_used_for_that_frame_only(simulator):
    """From the second frame on it is requested with the frame; an advance makes it out of date."""
    with simulator("embedded") as sim:
        client = sim.client
        client.connect()
        client.pause(True)
        for _ in range(2):
            client.read_frame()
            before = client.ground_truth()
        assert len(sim.calls("simFollowMeGroundTruth")) == 2
        client.read_frame()
        client.advance(0.1)
        assert client.ground_truth().time_s == pytest.approx(before.time_s + 0.1)


def advance_and_prefetch(client):
    """Advance by 0.1 s and request the frame after it."""
    client.begin_advance(0.1, prefetch=True)
    client.end_advance()


@contextmanager
def with_truth(simulator, kind):
    """A paused simulator that was asked for a frame and its truth; the record of calls is empty."""
    with simulator(kind) as sim:
        sim.client.connect()
        sim.client.pause(True)
        sim.client.read_frame()
        sim.client.ground_truth()
        sim.calls()
        yield sim


def test_collision_is_kept_when_its_frame_was_too_early(simulator):
    """Reading a collision clears it, so the frame that is requested again has none."""
    with with_truth(simulator, "embedded") as sim:
        sim.answer("watched", True)  # the prefetched frame comes before the end of the advance
        sim.answer("collided", True)
        advance_and_prefetch(sim.client)
        frame = sim.client.read_frame()
        assert len(sim.calls("simGetCollisionInfo")) == 2
        assert frame.time_s == pytest.approx(0.1)
        assert frame.vehicle.has_collided is True


@pytest.fixture
def prefetching(simulator):
    with with_truth(simulator, "embedded") as sim:
        yield sim


def test_prefetched_frame_is_requested_once_and_shows_the_end_of_the_advance(prefetching):
    """The loop records the previous frame meanwhile."""
    client = prefetching.client
    advance_and_prefetch(client)
    frame, truth = client.read_frame(), client.ground_truth()
    assert frame.time_s == frame.vehicle.time_s == truth.time_s == 0.1
    assert [call[0] for call in prefetching.calls()] == [
        "simContinueForTime",
        "getMultirotorState",
        "simGetImages",
        "simGetCollisionInfo",
        "simFollowMeGroundTruth",
    ]


def test_prefetched_frame_from_before_the_end_of_the_advance_is_requested_again(prefetching):
    """With a window, an advance takes wall-clock time, and calls are served meanwhile."""
    prefetching.answer("watched", True)
    client = prefetching.client
    advance_and_prefetch(client)
    frame, truth = client.read_frame(), client.ground_truth()
    assert frame.time_s == frame.vehicle.time_s == truth.time_s == 0.1


def test_prefetched_frame_from_before_a_command_is_requested_again(prefetching):
    client = prefetching.client
    advance_and_prefetch(client)
    client.send(velocity(1.0, 0.0, 0.0))
    client.read_frame()
    assert len(prefetching.calls("simGetImages")) == 2


def test_no_frame_is_prefetched_from_a_simulator_that_may_answer_out_of_order(simulator):
    """Its image may be from before the advance."""
    with with_truth(simulator, "cosys") as sim:
        advance_and_prefetch(sim.client)
        assert sim.calls("simGetImages") == []


def test_ground_truth_is_converted(any_sim):
    client = any_sim.client
    client.read_frame()
    truth = client.ground_truth()
    if any_sim.kind != "embedded":
        any_sim.calls()
        assert truth is None and client.ground_truth() is None
        return
    assert truth.time_s == 0.0
    assert truth.hero_position_m == (10.0, 20.0, 0.0)
    assert truth.people_position_m == ((1.0, 1.0, 0.0), (2.0, 2.0, 0.0))
    assert truth.clearance_m == 4.5
    assert truth.mask.shape == (32, 64, 3)
    assert truth.mask[0, 0].tolist() == [255, 0, 0]
    assert truth.mask[5, 0].tolist() == [0, 255, 0]
    assert truth.mask[6, -1].tolist() == [0, 0, 255]


def test_labelled_frames_are_read_from_every_simulator(any_sim):
    """Training data can be recorded with any colours of segmentation ids."""
    frame, mask = any_sim.client.read_labelled_frame()
    assert frame.rgb[0, 0].tolist() == [255, 0, 0]
    assert mask[5, 0].tolist() == [0, 255, 0] and mask[5, 40].tolist() == [255, 0, 0]
    assert np.argwhere(mask[:, :, 2]).tolist() == [[6, 63]]
    assert set(np.unique(mask)) == {0, 255}


def test_labelled_frame_is_refused_when_no_mesh_has_the_name(sim):
    with pytest.raises(SimulatorError, match="no mesh named like 'woman'"):
        sim.client.read_labelled_frame(hero_meshes="woman")


# -- commanding -------------------------------------------------------------------------------


def test_velocity_is_sent_in_units_of_airsim(any_sim):
    """The yaw rate is in degrees per second; the duration is short, to stop without a client."""
    ((_, params),) = any_sim.sent(velocity(1.0, -2.0, 0.5, yaw_rate=QUARTER), "moveByVelocity")
    *numbers, yaw_mode, name = params
    assert numbers == pytest.approx([1.0, -2.0, 0.5, 0.4, 0])
    if any_sim.kind == "colosseum":
        assert yaw_mode == [True, pytest.approx(90.0)]
    else:
        assert yaw_mode == {"is_rate": True, "yaw_or_rate": pytest.approx(90.0)}
    assert name == "Drone1"


def test_velocity_is_sent_every_time_and_other_manoeuvres_once(sim):
    """A repeated take-off starts again; a velocity that is not repeated ends."""
    commands = [Manoeuvre.TAKEOFF] * 3 + [Manoeuvre.VELOCITY] * 3 + [Manoeuvre.HOVER] * 2
    commands += [Manoeuvre.LAND] * 2 + [Manoeuvre.HOVER]
    names = []
    for manoeuvre in commands:
        command = Command(manoeuvre, (0.0, 0.0, 0.0), 0.0, 0.0, 0.0)
        names += [call[0] for call in sim.sent(command) if call[0] != "simSetCameraPose"]
    assert names == ["takeoff", *["moveByVelocity"] * 3, "hover", "land", "hover"]


def test_landing_that_has_ended_in_the_air_is_sent_again(sim):
    """AirSim's `land` ends at once while the vehicle climbs; it would hover until the time-out."""
    land = Command(Manoeuvre.LAND, (0.0, 0.0, 0.0), 0.0, 0.0, 0.0)
    assert len(sim.sent(land, "land")) == 1
    assert sim.sent(land, "land") == []
    sim.end_motion()
    assert len(sim.sent(land, "land")) == 1


def test_command_is_sent_without_waiting_and_acts_before_the_next_advance(sim):
    """In lockstep the command of a frame must act in the advance that follows."""
    sim.client.pause(True)
    sim.calls()
    for _ in range(3):
        sim.client.send(velocity(1.0, 0.0, 0.0))  # the motion of the fake does not end by itself
        sim.client.advance(0.1)
    names = [call[0] for call in sim.calls("moveByVelocity", "simContinueForTime")]
    assert names == ["moveByVelocity", "simContinueForTime"] * 3


def test_calls_of_a_turn_in_lockstep_leave_in_one_write(simulator):
    """Each write wakes a thread of the simulator."""
    with with_truth(simulator, "embedded") as sim:
        advance_and_prefetch(sim.client)
        sim.client.read_frame()
        link = sim.client._connection.command_session._link
        if not hasattr(link, "sock"):
            pytest.skip("the library of this backend writes each call by itself")
        link.sock = spy = WriteSpy(link.sock)
        sim.client.send(velocity(1.0, 0.0, 0.0))
        sim.client.ground_truth()
        sim.client.begin_advance(0.1, prefetch=True)
        assert len(spy.writes) == 1
        sim.client.end_advance()
        sim.client.send(velocity(0.0, 1.0, 0.0))
        assert len(spy.writes) == 1
        sim.client.read_frame()  # a query may depend on the command
        assert len(spy.writes) == 2
        assert len(sim.calls("moveByVelocity")) == 2


class WriteSpy:
    """A socket that counts its writes."""

    def __init__(self, sock) -> None:
        self._sock, self.writes = sock, []

    def __getattr__(self, name):
        return getattr(self._sock, name)

    def sendall(self, data) -> None:
        self.writes.append(data)
        self._sock.sendall(data)


def test_motion_commands_in_real_time_are_20_ms_apart(sim):
    """When they are closer, AirSim can lose a cancellation and carry out both in turn."""
    start_s = time.monotonic()
    for _ in range(6):
        sim.client.send(velocity(1.0, 0.0, 0.0))
    assert time.monotonic() - start_s > 5 * 0.0199


@pytest.mark.parametrize("field", ["velocity", "yaw_rate", "pan", "tilt"])
def test_command_with_nan_or_infinity_is_not_sent(sim, field):
    """AirSim accepts NaN and replies true."""
    sim.calls()
    for bad in (math.nan, math.inf, -math.inf):
        command = (
            velocity(0.0, bad, 0.0) if field == "velocity" else velocity(0, 0, 0, **{field: bad})
        )
        with pytest.raises(SimulatorError, match="not finite"):
            sim.client.send(command)
    sim.client.pause(False)
    assert [call[0] for call in sim.calls()] == ["simPause"]


def test_error_of_a_command_is_raised_by_the_next_command(sim):
    """No call waits for the reply of a motion, but its error must not be lost."""
    sim.answer("refuse", ["takeoff"])
    sim.client.send(Command(Manoeuvre.TAKEOFF, (0.0, 0.0, 0.0), 0.0, 0.0, 0.0))
    sim.client.pause(False)
    with pytest.raises(RemoteError, match="takeoff refused"):
        sim.client.send(HOVER)
    sim.client.send(HOVER)  # reported once


def test_simulator_that_answers_no_command_is_an_error(sim):
    """Else commands would be sent to a hung simulator without end."""
    sim.answer("silent", True)
    sim.client.pause(True)
    with pytest.raises(SimulatorError, match="has not answered"):
        for _ in range(200):
            sim.client.send(velocity(0.0, 0.0, 0.0))


def test_camera_pose_is_sent_in_the_frame_of_the_profile(any_sim):
    """On Unity a pose in the body frame would leave the camera at the origin of the world."""
    any_sim.client.read_frame()
    command = velocity(0.0, 0.0, 0.0, pan=QUARTER)
    ((_, params),) = any_sim.sent(command, "simSetCameraPose")
    camera, pose, name, *external = params
    assert (camera, name) == ("0", "Drone1")
    assert external == ([] if any_sim.kind == "cosys" else [False])
    if any_sim.kind == "colosseum":
        position, orientation = pose
    else:
        assert list(pose) == ["position", "orientation"]
        assert list(pose["position"]) == ["x_val", "y_val", "z_val"]
        assert list(pose["orientation"]) == ["w_val", "x_val", "y_val", "z_val"]
        position, orientation = pose["position"].values(), pose["orientation"].values()
    if any_sim.kind == "unity":
        # The vehicle points east: its mount 0.5 m forward is 0.5 m east, right is south.
        assert list(position) == pytest.approx([1.0, 2.5, -2.9], abs=1e-6)
        assert np.abs(list(orientation)) == pytest.approx([0.0, 0.0, 0.0, 1.0], abs=1e-6)
    else:
        assert list(position) == pytest.approx([0.5, 0.0, 0.1])
        assert list(orientation) == pytest.approx([HALF_ROOT, 0.0, 0.0, HALF_ROOT], abs=1e-6)


def test_camera_pose_is_sent_only_when_it_changes(sim):
    def moves(pan):
        return len(sim.sent(velocity(0.0, 0.0, 0.0, pan=pan), "simSetCameraPose"))

    assert [moves(pan) for pan in (0.1, 0.1, 0.2, 0.2)] == [1, 0, 1, 0]


def test_vehicle_is_placed_in_every_simulator(any_sim):
    """Data collection places the vehicle; a swapped axis would put it into a wall."""
    any_sim.calls()
    any_sim.client.place_vehicle((3.0, 4.0, -5.0), QUARTER)
    ((method, params),) = any_sim.calls()
    if any_sim.kind == "embedded":
        place = {"x_val": 3.0, "y_val": 4.0, "z_val": -5.0}
        assert (method, params[0], params[2]) == ("simFollowMePlaceVehicle", place, "Drone1")
        assert params[1] == pytest.approx(QUARTER)
        return
    assert method == "simSetVehiclePose"
    position, orientation = params[0] if any_sim.kind == "colosseum" else params[0].values()
    if any_sim.kind != "colosseum":
        position, orientation = position.values(), orientation.values()
    assert list(position) == [3.0, 4.0, -5.0]
    assert list(orientation) == pytest.approx([HALF_ROOT, 0.0, 0.0, HALF_ROOT], abs=1e-6)


def test_failed_frame_uses_up_its_number(sim):
    """It has an entry in the log, and two entries of one number make a replay fail."""
    sim.client.read_frame()
    sim.answer("refuse", ["simGetImages"])
    with pytest.raises(RemoteError):
        sim.client.read_frame()
    sim.answer("refuse", [])
    assert sim.client.read_frame().index == 2


# -- connection and time ----------------------------------------------------------------------


def test_missing_server_is_an_error_of_one_line():
    client = AirSimClient(profile("unreal", ("127.0.0.1", 1)), RPC, CAMERA)
    with pytest.raises(RpcConnectionError, match=r"no server listens on 127.0.0.1:1; start"):
        client.connect()
    with pytest.raises(SimulatorError, match="connect first"):
        client.read_frame()


def test_error_of_an_unknown_vehicle_lists_the_known_ones(simulator):
    with (
        simulator("unreal", vehicle_name="Wasp") as sim,
        pytest.raises(SimulatorError, match="no vehicle 'Wasp', but 'Drone1'"),
    ):
        sim.client.connect()


def test_connecting_sets_the_field_of_view(any_sim):
    """The pilot computes distances with the configured field of view."""
    ((_, params),) = any_sim.calls("simSetCameraFov")
    assert params[:3] == ["0", 60.0, "Drone1"]


def test_control_is_checked_after_it_was_taken(sim):
    """Without control AirSim replies true to every motion and does not move."""
    sim.client.take_control()
    assert [call[0] for call in sim.calls()][-3:] == [
        "enableApiControl",
        "armDisarm",
        "isApiControlEnabled",
    ]
    sim.answer("isApiControlEnabled", False)
    with pytest.raises(SimulatorError, match="did not give control of vehicle 'Drone1'"):
        sim.client.take_control()


def losses(sim, seconds):
    """Reported losses of control, of ten frames per simulated second."""
    found = []
    for _ in range(round(10 * seconds)):
        found.append(sim.client.read_frame().control_loss)
        sim.client.advance(0.1)
        sim.client.solids()  # on the same connection: earlier queries are answered by now
    return found


def test_loss_of_api_control_is_reported_within_two_seconds(any_sim):
    client = any_sim.client
    client.pause(True)
    client.take_control()
    assert set(losses(any_sim, 2.5)) == {""}
    any_sim._spy.call("enableApiControl", False, "Drone1")
    lost = losses(any_sim, 2.0)
    assert "another client took API control away" in lost
    client.take_control()
    assert set(losses(any_sim, 2.5)) == {""}


def test_control_is_polled_once_a_second_and_only_after_it_was_taken(sim):
    sim.client.pause(True)
    losses(sim, 3.0)
    assert sim.calls("isApiControlEnabled", "simGetCameraInfo") == []
    sim.client.take_control()
    sim.calls()
    losses(sim, 5.05)
    polled = [name for name, _ in sim.calls("isApiControlEnabled", "simGetCameraInfo")]
    assert 4 <= polled.count("isApiControlEnabled") <= 5
    assert 4 <= polled.count("simGetCameraInfo") <= 5


@pytest.mark.parametrize("method", ["isApiControlEnabled", "simGetCameraInfo"])
def test_flight_goes_on_when_the_simulator_refuses_the_poll(sim, method):
    sim.client.take_control()
    sim.answer("refuse", [method])
    assert set(losses(sim, 3.0)) == {""}


def test_field_of_view_is_restored_when_another_client_changes_it(any_sim):
    """The pilot computes distances with the configured field of view."""
    client = any_sim.client
    client.take_control()
    camera = ["0", 90.0, "Drone1"] + ([] if any_sim.kind == "cosys" else [False])
    any_sim._spy.call("simSetCameraFov", *camera)
    any_sim.calls()
    losses(any_sim, 3.0)
    assert [params[1] for _, params in any_sim.calls("simSetCameraFov")][:1] == [60.0]
    client.send(velocity(1.0, 0.0, 0.0))
    info = any_sim._spy.call("simGetCameraInfo", *camera[:1], *camera[2:])
    assert (info[1] if isinstance(info, list) else info["fov"]) == 60.0


def test_camera_pose_is_sent_again_when_another_client_may_have_changed_it(sim):
    sim.client.take_control()
    sim.client.send(velocity(1.0, 0.0, 0.0, pan=0.5))
    losses(sim, 3.0)
    assert sim.sent(velocity(1.0, 0.0, 0.0, pan=0.5), "simSetCameraPose")


STANDING = {"landedState": 0, "velocity": (0.0, 0.0, 0.0), "position": (0.0, 0.0, 0.0)}


def test_vehicle_on_the_ground_is_disarmed_and_then_released(any_sim):
    for key, value in STANDING.items():
        any_sim.answer(key, value)
    any_sim.client.take_control()
    any_sim.client.read_frame()
    any_sim.calls()
    assert any_sim.client.release_control(2.0)
    assert any_sim.calls() == [
        ["armDisarm", [False, "Drone1"]],
        ["enableApiControl", [False, "Drone1"]],
    ]
    assert not any_sim.client.release_control(2.0)  # control was given back


@pytest.mark.parametrize(
    "in_the_air", [{"position": (0.0, 0.0, -4.5)}, {"position": (0.0, 0.0, -4.5), "landedState": 1}]
)
def test_vehicle_in_the_air_is_not_disarmed(sim, in_the_air):
    for key, value in STANDING.items():
        sim.answer(key, value)
    sim.client.take_control()
    sim.client.read_frame()
    for key, value in in_the_air.items():
        sim.answer(key, value)
    sim.client.read_frame()
    sim.calls()
    assert not sim.client.release_control(2.0)
    assert sim.calls() == []


def test_vehicle_of_another_client_is_not_released(sim):
    for key, value in STANDING.items():
        sim.answer(key, value)
    sim.client.take_control()
    sim.client.read_frame()
    sim.client.forgo_control()
    sim.calls()
    assert not sim.client.release_control(2.0)
    assert sim.calls() == []


def test_release_ends_at_its_deadline_when_the_simulator_does_not_answer(sim):
    for key, value in STANDING.items():
        sim.answer(key, value)
    sim.client.take_control()
    sim.client.read_frame()
    sim.answer("silentArming", True)
    start_s = time.monotonic()
    with pytest.raises(SimulatorError, match="armDisarm"):
        sim.client.release_control(0.2)
    assert time.monotonic() - start_s < RPC.deadline_s / 2


def test_truth_without_a_mask_is_none(simulator):
    """After a reset there is no last image, and the mask has size 0x0."""
    with simulator("embedded") as sim:
        sim.client.connect()
        sim.client.read_frame()
        sim.answer("truth", {"mask_width": 0, "mask_height": 0, "mask": b""})
        assert sim.client.ground_truth() is None
        sim.answer("truth", {})
        assert sim.client.ground_truth().mask.shape == (32, 64, 3)


def test_advance_waits_until_the_simulator_is_paused(simulator):
    """Unity replies to simContinueForTime at once; the next frame must come after the advance."""
    with simulator("unity") as sim:
        sim.client.connect()
        sim.client.pause(True)
        sim.client.advance(0.1)
        assert sim._spy.call("simIsPaused") is True
        sim.answer("neverPauses", True)
    quick = RPC.model_copy(update={"deadline_s": 0.3})
    with simulator("unity", quick) as sim:
        sim.client.connect()
        sim.answer("neverPauses", True)
        with pytest.raises(SimulatorError, match="still runs"):
            sim.client.advance(0.1)


def test_reset_restarts_time_and_frame_numbers(sim):
    sim.client.read_frame()
    sim.client.advance(0.5)
    sim.client.reset()
    frame = sim.client.read_frame()
    assert (frame.index, frame.time_s) == (0, 0.0)


def test_time_continues_and_manoeuvres_are_sent_again_after_reconnecting(sim):
    """The fail-safe reconnects in flight: the vehicle must hover, the log must stay in order."""
    sim.client.read_frame()
    assert [call[0] for call in sim.sent(HOVER)][-1] == "hover"
    sim.client.advance(0.5)
    sim.client.reconnect()
    frame = sim.client.read_frame()
    assert (frame.index, frame.time_s) == (1, 0.5)
    assert [call[0] for call in sim.sent(HOVER)][-1] == "hover"
