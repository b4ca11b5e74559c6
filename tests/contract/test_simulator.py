"""The embedded simulator over real sockets: AirSim's methods, keys, units and semantics.

A flight developed here must fly on AirSim, so each test pins a property that clients rely on.
The image is synthetic (see `painted_sky`), all else is real.
"""

import contextlib
import io
import math
import threading
import time

import numpy as np
import pytest
from PIL import Image

from followme_uav.errors import RemoteError
from followme_uav.geometry import rotate
from followme_uav.rpc.backends import open_session
from followme_uav.rpc.server import RpcServer
from followme_uav.sim.airsim_api.dialects import DIALECTS
from followme_uav.sim.airsim_api.images import segmentation_palette
from followme_uav.sim.airsim_api.methods import handlers_of
from followme_uav.sim.simulation import EPOCH_NS, Simulation
from followme_uav.sim.simulation_runner import SimulationRunner
from followme_uav.sim.vehicle.vehicle_spec import load_vehicle
from tests.painted_sky import HERO_ROW, OBJECT_NAMES, PERSON_ROW, PaintedSky

WIDTH, HEIGHT = 20, 16
NAME = "Drone1"
STILL = {"is_rate": True, "yaw_or_rate": 0.0}
DEADLINE_S = 20.0


@contextlib.contextmanager
def serving(dialect="airsim", *, paused=True, equipment=None, vehicle=None, **extras):
    """A simulator on a free port; yields a function that opens sessions, and the simulation."""
    simulation = Simulation(
        *(5, 8, PaintedSky, (WIDTH, HEIGHT)), equipment=equipment, vehicle=load_vehicle(vehicle)
    )
    simulator = SimulationRunner(simulation, paused=paused)
    settings = {"SimMode": "Multirotor"}
    handlers = handlers_of(simulator, DIALECTS[dialect], OBJECT_NAMES, settings, **extras)
    server = RpcServer(handlers, array_structs=DIALECTS[dialect].array_structs)
    thread = threading.Thread(target=simulator.run, daemon=True)
    sessions = []

    def connect():
        session = open_session(
            "builtin",
            *server.address,
            deadline_s=DEADLINE_S,
            connect_deadline_s=5.0,
            max_message_bytes=2**24,
        )
        sessions.append(session)
        return session

    server.start()
    thread.start()
    try:
        yield connect, simulation
    finally:
        for session in sessions:
            session.close()
        simulator.stop()
        thread.join(5.0)
        server.stop()


@pytest.fixture(scope="module")
def airsim():
    with serving() as (connect, _):
        yield connect()


@pytest.fixture(scope="module")
def unity():
    with serving("unity") as (connect, _):
        yield connect()


@pytest.fixture(scope="module")
def nimble():
    with serving(vehicle="nimble") as (connect, _):
        yield connect()


@pytest.fixture
def call(airsim):
    """The default dialect and vehicle: at the start, paused, under API control and armed."""
    return fresh(airsim)


@pytest.fixture
def call_nimble(nimble):
    """The same with `nimble`, whose answers tell success, and whose speeds settle quickly."""
    return fresh(nimble)


@pytest.fixture
def call_unity(unity):
    return fresh(unity)


def fresh(session):
    session.call("simPause", True)
    session.call("reset")
    session.call("simSetWind", vector())
    session.call("enableApiControl", True, NAME)
    assert session.call("armDisarm", True, NAME) is True
    return session


def vector(x=0.0, y=0.0, z=0.0):
    return {"x_val": x, "y_val": y, "z_val": z}


def orientation(pan_rad=0.0, tilt_rad=0.0):
    from followme_uav.geometry import quaternion_from_pan_tilt

    w, x, y, z = quaternion_from_pan_tilt(pan_rad, tilt_rad)
    return {"w_val": w, **vector(x, y, z)}


def xyz(struct):
    return tuple(struct[k] for k in ("x_val", "y_val", "z_val"))


def state(session):
    return session.call("getMultirotorState", NAME)["kinematics_estimated"]


def request(image_type=0, as_float=False, compress=False, camera="0"):
    return {
        "camera_name": camera,
        "image_type": image_type,
        "pixels_as_float": as_float,
        "compress": compress,
    }


def image(session, *args, **kwargs):
    return session.call("simGetImages", [request(*args, **kwargs)], NAME, False)[0]


def pixels(response):
    data = np.frombuffer(response["image_data_uint8"], np.uint8)
    return data.reshape(response["height"], response["width"], 3)


# -- connection and state --------------------------------------------------------------------


def test_versions_and_settings_are_airsims(call):
    assert call.call("ping") is True
    assert call.call("getServerVersion") == 1
    assert call.call("getMinRequiredClientVersion") == 1
    assert call.call("listVehicles") == [NAME]
    assert "Multirotor" in call.call("getSettingsString")
    assert call.call("getHomeGeoPoint", "")["latitude"] == pytest.approx(47.641468, abs=1e-9)


def test_state_has_exactly_airsims_keys(call):
    """Clients in other languages decode these maps by key, some by order."""
    reply = call.call("getMultirotorState", "")
    assert list(reply) == [
        "collision",
        "kinematics_estimated",
        "gps_location",
        "timestamp",
        "landed_state",
        "rc_data",
    ]
    assert list(reply["kinematics_estimated"]) == [
        "position",
        "orientation",
        "linear_velocity",
        "angular_velocity",
        "linear_acceleration",
        "angular_acceleration",
    ]
    assert list(reply["collision"]) == [
        "has_collided",
        "penetration_depth",
        "time_stamp",
        "normal",
        "impact_point",
        "position",
        "object_name",
        "object_id",
    ]
    assert list(reply["gps_location"]) == ["latitude", "longitude", "altitude"]
    assert reply["landed_state"] == 0
    assert reply["timestamp"] == EPOCH_NS
    pose = call.call("simGetVehiclePose", NAME)
    assert pose["position"] == reply["kinematics_estimated"]["position"]
    assert list(call.call("simGetGroundTruthKinematics", NAME)) == list(
        reply["kinematics_estimated"]
    )


def test_timings_of_the_simulators_parts_grow(call):
    call.call("simContinueForTime", 0.1)
    before = call.call("simFollowMeTimings")
    request = {"camera_name": "0", "image_type": 0, "pixels_as_float": False, "compress": False}
    call.call("simGetImages", [request], "", False)
    call.call("simFollowMeGroundTruth", "")
    call.call("simContinueForTime", 0.1)
    after = call.call("simFollowMeTimings")
    parts = {"vehicle", "people and cars", "drawing", "encode images", "ground truth"}
    assert set(after) == parts
    assert all(after[part] > before.get(part, 0.0) for part in parts)


def test_pose_below_a_building_is_refused_as_one_inside(call):
    """The vehicle would be put on the ground, and so into the building's walls."""
    solids = call.call("simFollowMeSolids")
    building = next(s for s in solids if s["name"].startswith("building"))
    north, east, _ = xyz(building["position"])
    for down in (-1.0, 5.0):
        there = {"position": vector(north, east, down), "orientation": {"w_val": 1.0}}
        with pytest.raises(RemoteError, match="no room"):
            call.call("simSetVehiclePose", there, False, NAME)


def test_arming_needs_api_control(call):
    call.call("enableApiControl", False, NAME)
    assert call.call("isApiControlEnabled", NAME) is False
    assert call.call("armDisarm", True, NAME) is False


def test_unknown_vehicle_is_refused_by_name(call):
    with pytest.raises(RemoteError, match="Vehicle API for 'Ghost' is not available"):
        call.call("getMultirotorState", "Ghost")


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("moveByVelocity", [math.nan, 0.0, 0.0, -1.0, 7, STILL]),
        ("moveToPosition", [math.nan, 0.0, 0.0, 1.0, 1.0, 0, STILL, -1, 1]),
        ("takeoff", [math.nan]),
        ("moveByMotorPWMs", [9.0, 0.0, 0.0, 0.0, 1.0]),
        ("setPositionControllerGains", [[math.nan] * 3, [0.0] * 3, [0.0] * 3]),
        ("moveByRC", [{"pitch": math.nan}]),
        ("simSetVehiclePose", [{"position": {"x_val": math.inf}}, True]),
        ("simSetTraceLine", [[1.0], 1.0]),
    ],
)
def test_unknown_vehicle_is_refused_before_invalid_values(call, method, params):
    """As on AirSim: a misspelt name must not be reported as an invalid number."""
    with pytest.raises(RemoteError, match="Vehicle API for 'Ghost' is not available"):
        call.call(method, *params, "Ghost")


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("moveByVelocity", [math.nan, 0.0, 0.0, 1.0, 0, STILL, NAME]),
        ("moveByVelocity", [0.0, math.inf, 0.0, 1.0, 0, STILL, NAME]),
        ("moveByVelocity", [0.0, 1e9, 0.0, 1.0, 0, STILL, NAME]),
        ("moveByVelocity", [0.0, 0.0, 0.0, math.nan, 0, STILL, NAME]),
        ("moveByVelocity", [0.0, 0.0, 0.0, 1.0, 7, STILL, NAME]),
        ("moveByVelocity", [0.0, 0.0, "up", 1.0, 0, STILL, NAME]),
        ("moveByVelocityZ", [0.0, 0.0, math.nan, 1.0, 0, STILL, NAME]),
        ("rotateByYawRate", [math.nan, 1.0, NAME]),
        ("takeoff", [math.nan, NAME]),
        ("moveOnPath", [[vector(math.nan)], 1.0, 9.0, 0, STILL, -1.0, 1.0, NAME]),
        ("moveByAngleRatesZ", [0.0, 0.0, math.nan, -5.0, 1.0, NAME]),
        ("moveByVelocity", [0.0, 0.0, 0.0, -1.0, 0, STILL, NAME]),
        ("setPositionControllerGains", [[1.0] * 4, [0.0] * 3, [0.0] * 3, NAME]),
        ("simContinueForTime", [-1.0]),
        ("simContinueForTime", [1e12]),
        ("simSetWind", [vector(1e6)]),
        ("simSetCameraFov", ["0", 0.0, NAME, False]),
        ("simSetCameraPose", ["0", {"orientation": vector(math.nan)}, NAME, False]),
        ("simSetCameraPose", ["0", {"orientation": {"w_val": 0.0}}, NAME, False]),
        ("simGetImages", [[request(8)], NAME, False]),
        ("simGetImages", [[request()] * 1000, NAME, False]),
        ("simGetImages", [request(), NAME, False]),
        ("simSetSegmentationObjectID", ["hero", 256, False]),
        ("simSetSegmentationObjectID", ["(", 1, True]),
        ("simSetSegmentationObjectID", ["(a+)+", 1, True]),
        ("simSetSegmentationObjectID", ["a" * 1000, 1, True]),
        ("simFollowMePlaceVehicle", [vector(0.0, 0.0, 5.0), 0.0, NAME]),
        ("moveToPosition", [0, 0, -5, 1, 9, 1, STILL, -1, 1, NAME]),
        ("ping", [1]),
        ("noSuchMethod", []),
    ],
)
def test_invalid_parameters_are_refused_without_side_effects(call, method, params):
    """An invalid call of one client must not end the flight of another."""
    with pytest.raises(RemoteError, match=method):
        call.call(method, *params)
    call.call("simContinueForTime", 0.05)
    assert all(math.isfinite(x) for x in xyz(state(call)["position"]))


# -- time ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0.1, 0.005, 1.0, 0.033, 0.0])
def test_continue_advances_exactly_the_requested_time(call, seconds):
    """Lockstep flights rely on frames at exact intervals."""
    call.call("simContinueForTime", seconds)
    passed_ns = call.call("getMultirotorState", NAME)["timestamp"] - EPOCH_NS
    assert passed_ns == round(seconds / 0.005) * 5_000_000
    assert call.call("simIsPaused") is True


@pytest.mark.parametrize("dialect", ["airsim", "unity"])
@pytest.mark.parametrize(
    ("seconds", "calls"), [(1 / 90, 90), (1 / 3, 9), (0.001, 200), (0.0125, 41), (0.0026, 77)]
)
def test_many_short_times_add_up(request, dialect, seconds, calls):
    """Otherwise a camera of 90 Hz would get frames of 100 Hz, and one of 1 kHz a stopped world."""
    session = request.getfixturevalue("call" if dialect == "airsim" else "call_unity")
    for i in range(calls):
        session.call("simContinueForTime", seconds)
        session.call("simPause", True)  # does not restart the count
        if i == 1 and dialect == "airsim":
            session.call("simContinueForFrames", 1)
    passed_s = (session.call("getMultirotorState", NAME)["timestamp"] - EPOCH_NS) * 1e-9
    frames_s = 0.02 if dialect == "airsim" else 0.0
    assert passed_s - frames_s == pytest.approx(seconds * calls, abs=0.0026)


def test_reset_drops_time_of_less_than_a_step(call):
    def passed_ns():
        call.call("simContinueForTime", 0.002)
        return call.call("getMultirotorState", NAME)["timestamp"] - EPOCH_NS

    assert [passed_ns(), passed_ns()] == [0, 5_000_000]
    call.call("simContinueForTime", 0.002)
    call.call("reset")
    assert [passed_ns(), passed_ns()] == [0, 5_000_000]


def test_time_is_stopped_while_paused(call):
    before = call.call("getMultirotorState", NAME)
    time.sleep(0.05)
    assert call.call("getMultirotorState", NAME) == before


def test_time_runs_when_not_paused(call):
    call.call("simPause", False)
    assert call.call("simIsPaused") is False
    give_up_s = time.monotonic() + DEADLINE_S
    while call.call("getMultirotorState", NAME)["timestamp"] < EPOCH_NS + 100_000_000:
        assert time.monotonic() < give_up_s
    call.call("simPause", True)


def test_people_walk_while_time_passes(call):
    def hero():
        return xyz(call.call("simGetObjectPose", "hero")["position"])

    call.call("simContinueForTime", 8.0)
    before = hero()
    call.call("simContinueForTime", 8.0)
    assert math.dist(hero(), before) > 1.0


# -- motion ----------------------------------------------------------------------------------


def test_command_sent_before_continue_acts_in_it(call, call_nimble):
    """The answer tells success with `nimble` alone: AirSim's says little about a path."""
    for session, answer in ((call, False), (call_nimble, True)):
        takeoff = session.call_async("takeoff", 20.0, NAME)
        session.call("simContinueForTime", 8.0)
        assert takeoff.result(DEADLINE_S) is answer
        assert xyz(state(session)["position"])[2] < -1.4
        assert session.call("getMultirotorState", NAME)["landed_state"] == 1


def test_motion_call_answers_at_its_end_and_a_superseded_one_answers_false(call):
    call.call("simFollowMePlaceVehicle", vector(0.0, 0.0, -5.0), 0.0, NAME)
    first = call.call_async("moveByVelocity", 2.0, 0.0, 0.0, 5.0, 0, STILL, NAME)
    call.call("simContinueForTime", 1.0)
    assert not first.done()
    second = call.call_async("moveByVelocityZ", 0.0, 2.0, -5.0, 1.0, 0, STILL, NAME)
    call.call("simContinueForTime", 0.02)
    assert first.result(DEADLINE_S) is False
    call.call("simContinueForTime", 1.5)
    assert second.result(DEADLINE_S) is True


def test_body_frame_commands_are_relative_to_the_heading(call_nimble):
    call = call_nimble
    call.call("simFollowMePlaceVehicle", vector(0.0, 0.0, -5.0), math.pi / 2, NAME)
    call.call_async("moveByVelocityBodyFrame", 2.0, 0.0, 0.0, 5.0, 0, STILL, NAME)
    call.call("simContinueForTime", 3.0)
    assert xyz(state(call)["linear_velocity"]) == pytest.approx((0.0, 2.0, 0.0), abs=0.1)
    call.call_async("moveByVelocityZBodyFrame", 0.0, 2.0, -6.0, 5.0, 0, STILL, NAME)
    call.call("simContinueForTime", 4.0)
    assert xyz(state(call)["linear_velocity"]) == pytest.approx((-2.0, 0.0, 0.0), abs=0.1)
    assert xyz(state(call)["position"])[2] == pytest.approx(-6.0, abs=0.1)


def test_yaw_is_in_degrees_and_clockwise(call):
    call.call("simFollowMePlaceVehicle", vector(0.0, 0.0, -5.0), 0.0, NAME)
    turned = call.call_async("rotateToYaw", 90.0, 10.0, 2.0, NAME)
    call.call("simContinueForTime", 5.0)
    assert turned.result(DEADLINE_S) is True
    q = state(call)["orientation"]
    assert 2 * math.atan2(q["z_val"], q["w_val"]) == pytest.approx(math.pi / 2, abs=0.1)
    call.call_async("rotateByYawRate", -30.0, 5.0, NAME)
    call.call("simContinueForTime", 2.0)
    rate = xyz(state(call)["angular_velocity"])[2]
    assert rate == pytest.approx(math.radians(-30.0), abs=0.02)


def test_land_hover_and_cancel_work_over_the_wire(call, call_nimble):
    """As AirSim's, the default vehicle answers `hover` with false and stays in state 1."""
    for session, hovering, landed_state in ((call, False, 1), (call_nimble, True, 0)):
        session.call("simFollowMePlaceVehicle", vector(0.0, 0.0, -0.8), 0.0, NAME)
        assert session.call("hover", NAME) is hovering
        moving = session.call_async("moveToPosition", 9, 0, -5, 3, 60, 0, STILL, -1, 1, NAME)
        assert session.call("cancelLastTask", NAME) is None
        assert moving.result(DEADLINE_S) is False
        landing = session.call_async("land", 60.0, NAME)
        session.call("simContinueForTime", 8.0)
        assert landing.result(DEADLINE_S) is True
        assert xyz(state(session)["position"])[2] > -0.2
        assert session.call("getMultirotorState", NAME)["landed_state"] == landed_state


def test_wind_moves_the_vehicle_and_reset_stops_it(call):
    call.call("simFollowMePlaceVehicle", vector(0.0, 0.0, -5.0), 0.0, NAME)
    call.call("simSetWind", vector(0.0, 10.0, 0.0))
    call.call("simContinueForTime", 0.5)
    assert xyz(state(call)["linear_velocity"])[1] > 0.1


def test_state_shows_the_collision_without_clearing_it(call):
    call.call("simFollowMePlaceVehicle", vector(0.0, 0.0, -3.0), 0.0, NAME)
    assert call.call("getMultirotorState", NAME)["collision"]["has_collided"] is False
    call.call("armDisarm", False, NAME)
    call.call("simContinueForTime", 2.0)
    for _ in range(2):
        assert call.call("getMultirotorState", NAME)["collision"]["has_collided"] is True
    assert call.call("simGetCollisionInfo", NAME)["has_collided"] is True
    assert call.call("getMultirotorState", NAME)["collision"]["has_collided"] is False


def test_paths_attitudes_sticks_and_gains_work_over_the_wire(call):
    """They contain lists of structs and of numbers."""
    call.call("simFollowMePlaceVehicle", vector(0.0, 0.0, -5.0), 0.0, NAME)
    path = [vector(2.0, 0.0, -5.0), vector(2.0, 1.0, -5.0)]
    flown = call.call_async("moveOnPath", path, 2.0, 60.0, 0, STILL, -1.0, 0.0, NAME)
    call.call("simContinueForTime", 6.0)
    assert flown.result(DEADLINE_S) is True
    gains = [0.25, 0.25, 0.25]
    assert call.call("setAngleRateControllerGains", gains, [0.0] * 3, [0.0] * 3, NAME) is None
    leaning = call.call_async("moveByRollPitchYawZ", 0.2, 0.0, 0.0, -5.0, 1.0, NAME)
    call.call("simContinueForTime", 0.9)
    q = state(call)["orientation"]
    assert 2 * math.atan2(q["x_val"], q["w_val"]) == pytest.approx(0.2, abs=0.03)
    call.call("simContinueForTime", 0.2)
    assert leaning.result(DEADLINE_S) is True
    assert call.call("moveByRC", {"pitch": 0.5, "is_valid": True, "switch1": 1}, NAME) is None
    sticks = call.call("getMultirotorState", NAME)["rc_data"]
    assert (sticks["pitch"], sticks["is_valid"], sticks["roll"]) == (0.5, True, 0.0)
    assert len(call.call("getRotorStates", NAME)["rotors"]) == 4


def test_collision_is_reported_once(call):
    """Reading clears it, so a collision counts once."""
    call.call("simFollowMePlaceVehicle", vector(0.0, 0.0, -3.0), 0.0, NAME)
    call.call("armDisarm", False, NAME)
    call.call("simContinueForTime", 2.0)
    info = call.call("simGetCollisionInfo", NAME)
    assert info["has_collided"] is True
    assert info["object_name"] == "ground"
    assert info["normal"]["z_val"] < -0.9
    assert call.call("simGetCollisionInfo", NAME)["has_collided"] is False


def test_reset_releases_api_control_and_repeats_the_flight(call):
    def flight():
        call.call("enableApiControl", True, NAME)
        call.call("armDisarm", True, NAME)
        call.call_async("takeoff", 20.0, NAME)
        call.call("simContinueForTime", 3.0)
        return call.call("getMultirotorState", NAME), call.call("simFollowMeGroundTruth", NAME)

    first = flight()
    running = call.call_async("moveByVelocity", 1.0, 0.0, 0.0, 60.0, 0, STILL, NAME)
    call.call("reset")
    assert running.result(DEADLINE_S) is False
    assert call.call("isApiControlEnabled", NAME) is False
    assert call.call("getMultirotorState", NAME)["timestamp"] == EPOCH_NS
    assert flight() == first


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_vehicle_is_armed_at_the_start_and_after_each_reset(dialect):
    """AirSim's scripts arm once, reset many times, and wait for each motion without a limit.

    The answers themselves say nothing: with AirSim's rules the altitude does.
    """
    still = [True, 0.0] if DIALECTS[dialect].array_structs else STILL
    with serving(dialect) as (connect, simulation):
        session = connect()
        for _ in range(2):
            assert session.call("isApiControlEnabled", NAME) is False
            session.call("enableApiControl", True, NAME)
            takeoff = session.call_async("takeoff", 3e38, NAME)
            _pass(session, 6.0)
            takeoff.result(DEADLINE_S)
            assert simulation.vehicle.position_m[2] < -1.4
            move = [0.0, 0.0, -10.0, 5.0, 3e38, 0, still, -1.0, 1.0, NAME]
            moving = session.call_async("moveToPosition", *move)
            _pass(session, 12.0)
            moving.result(DEADLINE_S)
            assert simulation.vehicle.position_m[2] < -9.0
            session.call("reset")


@pytest.mark.parametrize("again", ["armDisarm", "reset"])
def test_disarmed_nimble_stays_down_until_it_is_armed_again(call_nimble, again):
    """On AirSim it would fly; with this vehicle disarming stops the rotors, as documented."""
    call = call_nimble
    call.call("armDisarm", False, NAME)
    assert call.call_async("takeoff", 2.0, NAME) is not None
    call.call("simContinueForTime", 3.0)
    assert xyz(state(call)["position"])[2] > -0.2
    call.call(again, *([True, NAME] if again == "armDisarm" else []))
    call.call("enableApiControl", True, NAME)
    call.call_async("takeoff", 20.0, NAME)
    call.call("simContinueForTime", 6.0)
    assert xyz(state(call)["position"])[2] < -1.4


def test_disarmed_default_vehicle_obeys_a_motion_call_as_on_airsim(call):
    call.call("armDisarm", False, NAME)
    call.call_async("takeoff", 20.0, NAME)
    call.call("simContinueForTime", 6.0)
    assert xyz(state(call)["position"])[2] < -1.4


def _pass(session, seconds):
    """Let time pass and wait for its end, also in dialects that answer before it."""
    session.call("simContinueForTime", seconds)
    give_up_s = time.monotonic() + DEADLINE_S
    while not session.call("simIsPaused"):
        assert time.monotonic() < give_up_s


def test_state_is_served_while_a_motion_call_waits_on_the_same_connection(call):
    call.call_async("moveByVelocity", 1.0, 0.0, 0.0, 60.0, 0, STILL, NAME)
    assert call.call("ping") is True
    assert call.call("getMultirotorState", NAME)["timestamp"] == EPOCH_NS


def test_lost_connection_does_not_end_the_command():
    """`nimble` is at rest soon after the command's end, so that the end shows."""
    with serving(vehicle="nimble") as (connect, _):
        session, other = fresh(connect()), connect()
        session.call("simFollowMePlaceVehicle", vector(0.0, 0.0, -5.0), 0.0, NAME)
        session.call_async("moveByVelocity", 2.0, 0.0, 0.0, 2.0, 0, STILL, NAME)
        session.call("ping")
        session.close()
        other.call("simContinueForTime", 1.5)
        assert xyz(state(other)["linear_velocity"])[0] > 1.5
        other.call("simContinueForTime", 5.0)
        assert abs(xyz(state(other)["linear_velocity"])[0]) < 0.1


# -- images ----------------------------------------------------------------------------------


def test_image_response_has_exactly_airsims_keys(call):
    reply = image(call)
    assert list(reply) == [
        "image_data_uint8",
        "image_data_float",
        "camera_position",
        "camera_name",
        "camera_orientation",
        "time_stamp",
        "message",
        "pixels_as_float",
        "compress",
        "width",
        "height",
        "image_type",
    ]
    assert (reply["width"], reply["height"], reply["image_type"]) == (WIDTH, HEIGHT, 0)
    assert isinstance(reply["image_data_uint8"], bytes)


def test_scene_is_bgr_from_the_top_row_on_unreal(call):
    scene = pixels(image(call))
    assert scene[HEIGHT - 1, 2].tolist() == [200, 2, HEIGHT - 1]


def test_scene_is_rgb_from_the_bottom_row_on_unity(call_unity):
    scene = pixels(image(call_unity))
    assert scene[0, 2].tolist() == [HEIGHT - 1, 2, 200]
    assert scene[HEIGHT - 1, 2].tolist() == [0, 2, 200]


@pytest.mark.parametrize("dialect", ["airsim", "unity"])
def test_compressed_images_are_upright_rgb_png(request, dialect):
    session = request.getfixturevalue(dialect)
    for data in (
        image(session, compress=True)["image_data_uint8"],
        session.call("simGetImage", "0", 0, NAME, False),
    ):
        picture = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
        assert picture[HEIGHT - 1, 2].tolist() == [HEIGHT - 1, 2, 200]


def test_images_of_one_call_show_one_instant(call):
    """A label that is one step off its image spoils the training data."""
    call.call("simContinueForTime", 0.1)
    replies = call.call(
        "simGetImages", [request(0), request(5), request(1, as_float=True)], NAME, False
    )
    assert len({r["time_stamp"] for r in replies}) == 1
    assert replies[0]["time_stamp"] == call.call("getMultirotorState", NAME)["timestamp"]
    assert [r["image_type"] for r in replies] == [0, 5, 1]


def test_depth_is_in_metres(call):
    planar = image(call, 1, as_float=True)
    assert planar["image_data_float"] == [25.0] * (WIDTH * HEIGHT)
    along_rays = np.reshape(image(call, 2, as_float=True)["image_data_float"], (HEIGHT, WIDTH))
    assert along_rays.min() >= 25.0
    half = math.tan(math.radians(30.0))
    edge = 25.0 * math.hypot(1.0, half * (1 - 1 / WIDTH), half * (HEIGHT - 1) / WIDTH)
    assert along_rays[0, 0] == pytest.approx(edge, rel=1e-4)
    assert image(call, 3, as_float=True)["image_data_float"][0] == pytest.approx(0.25)


def test_unity_has_no_metric_depth(call_unity):
    assert pixels(image(call_unity, 1)).tolist() == pixels(image(call_unity, 0)).tolist()
    reply = image(call_unity, 3, as_float=True)
    assert reply["message"] == "no image capture"
    assert max(reply["image_data_float"]) <= 1.0
    assert image(call_unity)["message"] == "success"


def test_segmentation_shows_the_ids_that_a_client_set(call):
    """Scripts collect labelled data from any AirSim in this way."""
    assert call.call("simSetSegmentationObjectID", ".*", 0, True) is True
    assert call.call("simSetSegmentationObjectID", "person.*", 1, True) is True
    assert call.call("simSetSegmentationObjectID", "Hero", 2, False) is True
    assert call.call("simSetSegmentationObjectID", "dragon", 3, False) is False
    assert call.call("simGetSegmentationObjectID", "hero") == 2
    assert call.call("simGetSegmentationObjectID", "dragon") == -1
    colours = pixels(image(call, 5))[:, 0, ::-1]
    palette = segmentation_palette()
    assert colours[HERO_ROW].tolist() == palette[2].tolist()
    assert colours[PERSON_ROW].tolist() == palette[1].tolist()
    assert colours[0].tolist() == palette[0].tolist()
    assert len(np.unique(palette, axis=0)) == 256


def test_camera_turns_with_the_body_and_reports_its_pose_in_the_world(call):
    call.call("simFollowMePlaceVehicle", vector(0.0, 0.0, -5.0), math.pi / 2, NAME)
    pose = {"position": vector(), "orientation": orientation(0.5, -0.3)}
    call.call("simSetCameraPose", "0", pose, NAME, False)
    call.call("simContinueForTime", 1.0)
    info = call.call("simGetCameraInfo", "0", NAME, False)
    assert list(info) == ["pose", "fov", "proj_mat"]
    expected = orientation(math.pi / 2 + 0.5, -0.3)
    assert info["pose"]["orientation"] == pytest.approx(expected, abs=0.01)
    assert image(call)["camera_orientation"] == info["pose"]["orientation"]
    assert np.shape(info["proj_mat"]["matrix"]) == (4, 4)


def test_unity_sets_the_cameras_pose_in_the_world(call_unity):
    call_unity.call("simFollowMePlaceVehicle", vector(0.0, 0.0, -5.0), math.pi / 2, NAME)
    pose = {"position": vector(1.0, 2.0, 3.0), "orientation": orientation(0.5, -0.3)}
    call_unity.call("simSetCameraPose", "0", pose, NAME, False)
    call_unity.call("simContinueForTime", 2.0)
    info = call_unity.call("simGetCameraInfo", "0", NAME, False)
    assert info["pose"]["orientation"] == pytest.approx(orientation(0.5, -0.3), abs=0.001)


@pytest.mark.parametrize(("dialect", "applies"), [("airsim", True), ("unity", False)])
def test_field_of_view_is_reported_and_applied_where_the_dialect_supports_it(dialect, applies):
    with serving(dialect) as (connect, simulation):
        session = connect()
        session.call("simSetCameraFov", "0", 90.0, NAME, False)
        assert session.call("simGetCameraInfo", "0", NAME, False)["fov"] == pytest.approx(90.0)
        image(session)
        seen_deg = math.degrees(simulation.latest_shot.camera.fov_rad)
        assert seen_deg == pytest.approx(90.0 if applies else 60.0)


def test_each_instant_is_rendered_once():
    """Rendering takes most of a step; a second request must not render again."""
    with serving() as (connect, simulation):
        session = connect()
        image(session)
        image(session, 5)
        assert simulation.renderer.renderings == 1
        image(session, camera="3")
        image(session, camera="bottom_center")
        assert simulation.renderer.renderings == 2
        session.call("simContinueForTime", 0.1)
        image(session)
        assert simulation.renderer.renderings == 3


def test_unknown_camera_is_refused_or_empty_by_dialect(call, call_unity):
    with pytest.raises(RemoteError, match="camera 'nose' does not exist"):
        image(call, camera="nose")
    assert image(call_unity, camera="nose")["width"] == 0


@pytest.mark.parametrize(
    ("number", "name", "ahead"),
    [
        ("1", "front_right", (1, 0, 0)),
        ("2", "front_left", (1, 0, 0)),
        ("3", "bottom_center", (0, 0, 1)),
        ("4", "back_center", (-1, 0, 0)),
    ],
)
def test_airsims_other_cameras_exist(call, number, name, ahead):
    """Scripts use the downward camera, by name or number, on every AirSim vehicle."""
    other = image(call, camera=name)
    pose = call.call("simGetCameraInfo", number, NAME, False)["pose"]
    assert other["camera_position"] == pose["position"] != image(call)["camera_position"]
    assert other["camera_orientation"] == pose["orientation"]
    quaternion = tuple(pose["orientation"][f"{axis}_val"] for axis in "wxyz")
    assert rotate(quaternion, (1.0, 0.0, 0.0)) == pytest.approx(ahead, abs=1e-6)


def test_other_cameras_move_at_once(call):
    """They are not on the pan-tilt mount, and each has its own field of view."""
    before = call.call("simGetCameraInfo", "3", NAME, False)
    level = {"w_val": 1.0, "x_val": 0.0, "y_val": 0.0, "z_val": 0.0}
    pose = {"position": {"x_val": 0.0, "y_val": 0.0, "z_val": -2.0}, "orientation": level}
    image(call, camera="3")
    call.call("simSetCameraPose", "3", pose, NAME, False)
    call.call("simSetCameraFov", "3", 90.0, NAME, False)
    after = call.call("simGetCameraInfo", "3", NAME, False)
    assert image(call, camera="3")["camera_position"] == after["pose"]["position"]
    assert after["fov"] == pytest.approx(90.0)
    assert after["pose"]["orientation"] == pytest.approx(level, abs=1e-6)
    up_m = before["pose"]["position"]["z_val"] - after["pose"]["position"]["z_val"]
    assert up_m == pytest.approx(2.06, abs=1e-6)
    assert call.call("simGetCameraInfo", "0", NAME, False)["fov"] == pytest.approx(60.0)
    call.call("reset")
    assert call.call("simGetCameraInfo", "3", NAME, False)["pose"] == before["pose"]


# -- AirSim on Unity -------------------------------------------------------------------------


def test_unity_needs_the_vehicles_name_for_cameras(call_unity):
    with pytest.raises(RemoteError, match="Object reference not set"):
        call_unity.call("simGetImages", [request()], "", False)
    assert call_unity.call("getMultirotorState", "")["landed_state"] == 0


def test_unity_stamps_images_in_milliseconds(call_unity):
    call_unity.call("simContinueForTime", 0.25)
    while not call_unity.call("simIsPaused"):
        pass
    assert image(call_unity)["time_stamp"] == (EPOCH_NS + 250_000_000) // 1_000_000


def test_unity_has_poses_of_vehicles_only(call_unity):
    assert call_unity.call("simGetObjectPose", NAME) == call_unity.call("simGetVehiclePose", NAME)
    with pytest.raises(RemoteError, match="Object reference not set"):
        call_unity.call("simGetObjectPose", "hero")


def test_objects_have_poses_on_unreal(call):
    truth = call.call("simFollowMeGroundTruth", NAME)
    hero = call.call("simGetObjectPose", "hero")
    assert hero["position"] == truth["hero_position"]
    unknown = call.call("simGetObjectPose", "dragon")
    assert math.isnan(unknown["position"]["x_val"])
    assert call.call("simGetObjectPose", "building_0")["position"]["z_val"] < 0.0


# -- beyond AirSim ---------------------------------------------------------------------------


def test_ground_truth_has_classes_people_and_clearance(call):
    empty = call.call("simFollowMeGroundTruth", NAME)
    assert (empty["mask_width"], empty["mask"]) == (0, b"")
    image(call)
    truth = call.call("simFollowMeGroundTruth", NAME)
    mask = np.frombuffer(truth["mask"], np.uint8).reshape(HEIGHT, WIDTH)
    assert set(mask[HERO_ROW]) == {2}
    assert set(mask[PERSON_ROW]) == {1}
    assert set(mask[0]) == {0}
    assert truth["mask_time_stamp"] == truth["time_stamp"] == EPOCH_NS
    assert len(truth["people_positions"]) == 8
    assert 1.0 < truth["clearance"] < 60.0


def test_solids_are_those_of_the_city(call):
    solids = {solid["name"]: solid for solid in call.call("simFollowMeSolids")}
    house, crown = solids["building_0"], solids["tree_0_crown"]
    assert house["position"] == call.call("simGetObjectPose", "building_0")["position"]
    assert house["half_size"]["z_val"] == -house["position"]["z_val"]  # it stands on the ground
    assert (house["is_round"], crown["is_round"]) == (False, True)


def test_placed_vehicle_hovers_at_its_position(call):
    call.call("simFollowMePlaceVehicle", vector(3.0, -2.0, -8.0), 1.0, NAME)
    call.call("simContinueForTime", 2.0)
    assert xyz(state(call)["position"]) == pytest.approx((3.0, -2.0, -8.0), abs=0.05)


def test_time_of_day_and_weather_reach_the_renderer():
    """Scenarios and training frames set dusk and fog with AirSim's own calls."""
    with serving() as (connect, simulation):
        session = connect()
        lights = []
        simulation.renderer.set_atmosphere = lights.append
        request = [{"camera_name": "0", "image_type": 0}]
        session.call("simGetImages", request, NAME, False)
        assert not lights  # no client has changed the light yet
        evening = "2024-06-21 18:00:00"
        session.call("simSetTimeOfDay", True, evening, False, 1.0, 60.0, True)
        session.call("simGetImages", request, NAME, False)
        session.call("simEnableWeather", True)
        session.call("simSetWeatherParameter", 7, 0.5)
        session.call("simGetImages", request, NAME, False)
        session.call("simGetImages", request, NAME, False)
        dusk, fog = lights
        assert dusk.window_light > 0.3
        assert fog.fog_per_m > 5.0 * dusk.fog_per_m
        for bad in ("tomorrow", "2024-06-21"):
            with pytest.raises(RemoteError, match="start_datetime"):
                session.call("simSetTimeOfDay", True, bad, False, 1.0, 60.0, True)
        with pytest.raises(RemoteError):
            session.call("simSetWeatherParameter", 7, math.nan)
