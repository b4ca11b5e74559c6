"""The motion methods of a client: parameters, refusals, replies and reset.

The test calls them on the simulation itself, without sockets, threads or a renderer.
"""

import inspect
import math
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from followme_uav.rpc.server import HandlerError
from followme_uav.sim.airsim_api import structs
from followme_uav.sim.airsim_api.attitude_methods import AttitudeMethods
from followme_uav.sim.airsim_api.dialects import AIRSIM
from followme_uav.sim.airsim_api.methods import handlers_of
from followme_uav.sim.airsim_api.motion_methods import MotionMethods
from followme_uav.sim.airsim_api.path_methods import PathMethods
from followme_uav.sim.airsim_api.structs import read_place
from followme_uav.sim.airsim_api.vehicle_methods import VehicleMethods
from followme_uav.sim.names import VEHICLE_NAME
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.simulation_runner import SimulationRunner
from followme_uav.sim.vehicle import earth
from followme_uav.sim.vehicle.remote_control import RemoteControl
from followme_uav.sim.vehicle.vehicle import TIME_STEP_S
from followme_uav.sim.vehicle.vehicle_spec import load_vehicle
from tests.direct_session import AtOnce

pytestmark = pytest.mark.slow

STILL = {"is_rate": True, "yaw_or_rate": 0.0}
NORTH = {"is_rate": False, "yaw_or_rate": 0.0}
NAN = math.nan
THREE = [1.0, 1.0, 1.0]
HOME = (earth.HOME_LATITUDE_DEG, earth.HOME_LONGITUDE_DEG, earth.HOME_ALTITUDE_M)


class Client:
    """Calls methods by name and adds the vehicle's name."""

    def __init__(self):
        self.simulation = Simulation(1, 2, vehicle=load_vehicle("nimble"))
        simulator = AtOnce(self.simulation)
        self.handlers = {
            name: handler
            for methods in (MotionMethods, PathMethods, AttitudeMethods, VehicleMethods)
            for name, handler in methods(simulator, AIRSIM).handlers().items()
        }

    def fresh(self, height_m=40.0):
        """At the start; hovering above the roofs unless the height is 0."""
        self.simulation.reset()
        if height_m:
            self.simulation.place_vehicle((0.0, 0.0, -height_m), 0.0)
        self.simulation.autopilot.armed = True
        self.simulation.tasks.api_control = True
        return self

    def call(self, method, *params):
        return self.handlers[method](*params, VEHICLE_NAME)

    def run(self, duration_s):
        self.simulation.step(round(duration_s / TIME_STEP_S))

    @property
    def vehicle(self):
        return self.simulation.vehicle


@pytest.fixture(scope="module")
def client_of_module():
    return Client()


@pytest.fixture
def client(client_of_module):
    return client_of_module.fresh()


def vector(x=0.0, y=0.0, z=0.0):
    return {"x_val": x, "y_val": y, "z_val": z}


PATH = [vector(3.0, 0.0, -40.0), vector(3.0, 3.0, -40.0)]

LASTING = {
    "moveByVelocity": (1.0, 0.0, 0.0, 1.0, 0, STILL),
    "moveByVelocityZ": (1.0, 0.0, -40.0, 1.0, 0, STILL),
    "moveByVelocityBodyFrame": (1.0, 0.0, 0.0, 1.0, 0, STILL),
    "moveByVelocityZBodyFrame": (1.0, 0.0, -40.0, 1.0, 0, STILL),
    "rotateByYawRate": (20.0, 1.0),
    "moveByManual": (1e6, 1e6, -1e6, 1.0, 0, STILL),
    "moveByMotorPWMs": (0.6, 0.6, 0.6, 0.6, 1.0),
    "moveByRollPitchYawZ": (0.1, 0.0, 0.0, -40.0, 1.0),
    "moveByRollPitchYawThrottle": (0.1, 0.0, 0.0, 0.6, 1.0),
    "moveByRollPitchYawrateThrottle": (0.1, 0.0, 0.5, 0.6, 1.0),
    "moveByRollPitchYawrateZ": (0.1, 0.0, 0.5, -40.0, 1.0),
    "moveByAngleRatesZ": (0.1, 0.0, 0.5, -40.0, 1.0),
    "moveByAngleRatesThrottle": (0.1, 0.0, 0.5, 0.6, 1.0),
}
"""Methods that last one second with these parameters."""
ARRIVING = {
    "takeoff": (3e38,),
    "goHome": (3e38,),
    "moveToPosition": (2.0, 0.0, -40.0, 2.0, 3e38, 0, STILL, -1, 1),
    "moveToZ": (-42.0, 2.0, 3e38, STILL, -1, 1),
    "moveOnPath": (PATH, 2.0, 3e38, 1, NORTH, -1, 1),
    "moveToGPS": (HOME[0] + 2e-5, HOME[1], HOME[2] + 40.0, 2.0, 3e38, 0, STILL, -1, 1),
    "rotateToYaw": (90.0, 3e38, 5.0),
}
"""Methods that end at their goal."""
OTHERS = {
    "land": (60.0,),
    "hover": (),
    "cancelLastTask": (),
    "moveByRC": ({},),
    "setAngleRateControllerGains": (THREE, THREE, THREE),
    "setAngleLevelControllerGains": (THREE, THREE, THREE),
    "setVelocityControllerGains": (THREE, THREE, THREE),
    "setPositionControllerGains": (THREE, THREE, THREE),
    "getRotorStates": (),
    "simGetGroundTruthKinematics": (),
    "simSetVehiclePose": ({"position": vector(0.0, 0.0, -40.0)}, True),
    "simSetKinematics": ({"position": vector(0.0, 0.0, -40.0)}, True),
}
METHODS = {**LASTING, **ARRIVING, **OTHERS}


def test_motion_methods_are_served_with_airsims_number_of_parameters(client):
    assert set(client.handlers) == set(METHODS)
    for name, params in METHODS.items():
        assert len(inspect.signature(client.handlers[name]).parameters) == len(params) + 1, name


def test_documentation_lists_every_served_method(client):
    """Methods of every group, not only those of motion."""
    page = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text()
    served, _, not_served = page.partition("## Not served")
    handlers = handlers_of(SimulationRunner(client.simulation), AIRSIM, (), {})
    assert [name for name in handlers if f"`{name}`" not in served] == []
    assert [name for name in handlers if f"`{name}`" in not_served] == []


@pytest.mark.parametrize("method", LASTING)
def test_command_with_a_duration_answers_true_after_it(client, method):
    client.call("moveByRC", {"is_valid": True})
    future = client.call(method, *LASTING[method])
    client.run(0.98)
    assert not future.done()
    client.run(0.04)
    assert future.result(0) is True


def test_command_answers_in_the_last_step_of_its_duration(client):
    """A client that steps one second for a command of one second waits for its answer then."""
    future = client.call("moveByVelocity", 1.0, 0.0, 0.0, 1.0, 0, STILL)
    client.run(0.995)
    assert not future.done()
    client.run(0.005)
    assert future.result(0) is True


@pytest.mark.parametrize("method", ARRIVING)
def test_command_with_a_goal_answers_true_on_arrival(client, method):
    if method == "goHome":
        client.simulation.place_vehicle((3.0, 0.0, -3.0), 0.0)
    future = client.call(method, *ARRIVING[method])
    assert not future.done()
    client.run(10.0)
    assert future.result(0) is True


@pytest.mark.parametrize("method", [*LASTING, *ARRIVING, "land"])
def test_every_motion_is_superseded_by_the_next_and_ended_by_cancel(client, method):
    first = client.call(method, *METHODS[method])
    second = client.call(method, *METHODS[method])
    assert first.result(0) is False
    assert not second.done()
    client.call("cancelLastTask")
    assert second.result(0) is False


def with_parameter(client, method, name, value):
    """The method's usual parameters with one of them replaced."""
    params = list(METHODS[method])
    params[list(inspect.signature(client.handlers[method]).parameters).index(name)] = value
    return params


@pytest.mark.parametrize("method", LASTING)
def test_zero_duration_ends_at_once(client, method):
    params = with_parameter(client, method, "duration", 0.0)
    assert client.call(method, *params).result(0) is (not method.startswith("moveByVelocityZ"))


@pytest.mark.parametrize("method", [*LASTING, *ARRIVING, "land"])
@pytest.mark.parametrize("bad", [NAN, math.inf, -1.0, "soon", None, True], ids=str)
def test_invalid_durations_are_refused_by_name(client, method, bad):
    name = "duration" if method in LASTING else "timeout_sec"
    with pytest.raises(HandlerError, match=name):
        client.call(method, *with_parameter(client, method, name, bad))


@pytest.mark.parametrize("method", METHODS)
def test_nan_is_refused_by_name(client, method):
    for i, value in enumerate(METHODS[method]):
        if isinstance(value, float):
            params = [NAN if k == i else p for k, p in enumerate(METHODS[method])]
            name = list(inspect.signature(client.handlers[method]).parameters)[i]
            with pytest.raises(HandlerError, match=name):
                client.call(method, *params)


@pytest.mark.parametrize(
    ("method", "params", "words"),
    [
        ("moveOnPath", (5, 2.0, 9.0, 0, STILL, -1, 1), "path must be a list"),
        ("moveOnPath", ([3], 2.0, 9.0, 0, STILL, -1, 1), r"path\[0\] must be a struct"),
        ("moveOnPath", ([vector(z=NAN)], 2.0, 9.0, 0, STILL, -1, 1), r"path\[0\].z_val is nan"),
        ("moveOnPath", ([vector()] * 10_001, 2.0, 9.0, 0, STILL, -1, 1), "at most 10000"),
        ("moveOnPath", (PATH, 2.0, 9.0, 1, STILL, -1, 1), "ForwardOnly needs yaw_mode.is_rate"),
        ("moveOnPath", (PATH, 2.0, 9.0, 0, STILL, 0, 1), "lookahead is 0 m, must be at least 0.5"),
        ("moveOnPath", (PATH, 50.0, 9.0, 0, STILL, 0.9, 1), "at least 1 m at 50 m/s"),
        ("moveToPosition", (0, 0, -9, 2.0, 9.0, 3, STILL, -1, 1), "drivetrain is 3"),
        ("moveToPosition", (0, 0, -9, 2.0, 9.0, 0, [], -1, 1), "yaw_mode must be a struct"),
        ("moveToPosition", (0, 0, -9, 2.0, 9.0, 0, {"is_rate": 1}, -1, 1), "yaw_mode.is_rate"),
        ("moveToGPS", (0.0, 0.0, 100.0, 2.0, 9.0, 0, STILL, -1, 1), "getHomeGeoPoint"),
        ("moveToGPS", (91.0, 0.0, 100.0, 2.0, 9.0, 0, STILL, -1, 1), "latitude is 91"),
        ("moveByMotorPWMs", (0.5, 0.5, 1.5, 0.5, 1.0), "front_left_pwm is 1.5"),
        ("moveByAngleRatesThrottle", (0.0, 0.0, 0.0, -0.1, 1.0), "throttle is -0.1"),
        ("moveByRC", (7,), "rc_data must be a struct"),
        ("moveByRC", ({"pitch": 1500.0},), "pitch is 1500"),
        ("moveByRC", ({"timestamp": -1},), "timestamp is -1"),
        ("moveByRC", ({"is_valid": 1},), "is_valid must be true or false"),
        ("moveByRC", ({"vendor_id": "x" * 101},), "vendor_id has 101 characters"),
        ("setVelocityControllerGains", (1.0, THREE, THREE), "kp must be a list"),
        ("setVelocityControllerGains", (THREE, [1.0], THREE), "ki has 1 numbers"),
        ("setPositionControllerGains", (THREE, THREE, [0.0, NAN, 0.0]), r"kd\[1\] is nan"),
        ("setPositionControllerGains", ([-1.0, 0.0, 0.0], THREE, THREE), r"kp\[0\] is -1"),
        ("simSetVehiclePose", ({"position": 3}, True), "position must be a struct"),
        ("simSetVehiclePose", ({"position": vector(1e9)}, True), "position.x_val"),
        (
            "simSetVehiclePose",
            ({"orientation": {"w_val": 0.0}}, True),
            "orientation is no rotation",
        ),
        ("simSetVehiclePose", ({}, 1), "ignore_collision must be true or false"),
        ("simSetKinematics", ({"linear_velocity": vector(NAN)}, True), "linear_velocity.x_val"),
        ("simSetKinematics", ([], True), "state must be a struct"),
    ],
)
def test_refusal_names_the_invalid_parameter(client, method, params, words):
    running = client.call("moveByVelocity", 1.0, 0.0, 0.0, 60.0, 0, STILL)
    with pytest.raises(HandlerError, match=words):
        client.call(method, *params)
    client.run(0.1)
    assert not running.done()  # a refused call does not end the task of another client


numbers = st.one_of(
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    st.floats(-10.0, 10.0),
    st.floats(0.0, 1.0),
    st.sampled_from([0, 1, -1, 3e38, math.nan, math.inf]),
)
keys = st.sampled_from(
    [
        *("x_val", "y_val", "z_val", "w_val", "is_rate", "yaw_or_rate", "position", "orientation"),
        *("linear_velocity", "angular_velocity", "is_valid", "pitch", "throttle", "switches"),
    ]
)
values = st.recursive(
    st.one_of(numbers, st.booleans(), st.none(), st.text(max_size=3), st.binary(max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(st.floats(0.0, 20.0), min_size=3, max_size=3),
        st.dictionaries(keys, inner, max_size=6),
    ),
    max_leaves=10,
)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_parameters_are_refused_or_flown_and_the_state_stays_finite(client_of_module, data):
    """Each parameter is the usual one or an arbitrary value."""
    client = client_of_module
    method = data.draw(st.sampled_from(sorted(METHODS)))
    params = [data.draw(st.one_of(st.just(p), values)) for p in METHODS[method]]
    try:
        client.call(method, *params)
    except HandlerError as refusal:
        assert str(refusal)
    client.run(0.1)
    motion = client.vehicle.kinematics()
    for numbers_of in (motion.position_m, motion.orientation, motion.velocity_mps):
        assert all(map(math.isfinite, numbers_of))


@settings(max_examples=8, deadline=None)
@given(
    st.lists(
        st.sampled_from([m for m in sorted(METHODS) if m != "takeoff"]), min_size=1, max_size=4
    )
)
@example(["moveByMotorPWMs", "setAngleRateControllerGains", "moveByRC", "simSetKinematics"])
def test_reset_returns_to_the_same_start_after_any_commands(client_of_module, methods):
    client = client_of_module

    def flight():
        client.fresh(height_m=0.0)
        took_off = client.call("takeoff", 20.0)
        client.run(6.0)
        return took_off.result(0), client.vehicle.kinematics(), client.simulation.time_ns

    first = flight()
    for method in methods:
        client.call(method, *METHODS[method])
        client.run(0.2)
    assert flight() == first
    assert first[0] is True
    assert client.simulation.tasks.remote == RemoteControl()


# -- effects of single methods -----------------------------------------------------------------


def test_gps_goal_is_the_position_of_the_same_gps_state(client):
    """A goal read from gps_location must be the position at which it was read."""
    goal = (12.5, -7.25, -42.0)
    point = structs.geo_point(goal)
    place = (point["latitude"].value, point["longitude"].value, point["altitude"])
    assert read_place(*place) == pytest.approx(goal, abs=1e-6)
    arrived = client.call("moveToGPS", *place, 5.0, 60.0, 0, STILL, -1, 1)
    client.run(10.0)
    assert arrived.result(0) is True
    assert client.vehicle.position_m == pytest.approx(goal, abs=0.4)


def test_rotor_states_add_up_to_the_weight(client):
    client.run(2.0)
    states = client.call("getRotorStates").result(0)
    assert list(states) == ["rotors", "timestamp"]
    assert [list(rotor) for rotor in states["rotors"]] == [["thrust", "torque_scaler", "speed"]] * 4
    frame = client.vehicle.airframe
    thrust = sum(rotor["thrust"] for rotor in states["rotors"])
    assert thrust == pytest.approx(frame.mass_kg * 9.81, rel=0.01)
    assert sum(rotor["torque_scaler"] for rotor in states["rotors"]) == pytest.approx(0, abs=0.01)
    assert [math.copysign(1, r["torque_scaler"]) for r in states["rotors"]] == [-1, -1, 1, 1]
    assert all(300.0 < rotor["speed"] < 1200.0 for rotor in states["rotors"])


def test_set_pose_is_held(client):
    """AirSim on Unity pins the vehicle there until a restart; this simulator flies on."""
    yawed = {"w_val": math.cos(0.5), **vector(0.0, 0.0, math.sin(0.5))}
    pose = {"position": vector(5.0, -4.0, -45.0), "orientation": yawed}
    client.call("simSetVehiclePose", pose, False)
    assert client.vehicle.position_m == (5.0, -4.0, -45.0)
    client.run(4.0)
    assert client.vehicle.position_m == pytest.approx((5.0, -4.0, -45.0), abs=0.1)
    assert client.vehicle.euler_rad() == pytest.approx((0.0, 0.0, 1.0), abs=0.02)
    client.call("moveByVelocity", 2.0, 0.0, 0.0, 9.0, 0, STILL)
    client.run(3.0)
    assert client.vehicle.velocity_mps == pytest.approx((2.0, 0.0, 0.0), abs=0.1)


def test_nan_in_a_pose_keeps_the_present_value(client):
    nowhere = vector(NAN, NAN, NAN)
    turned = {"w_val": 0.0, "x_val": 0.0, "y_val": 0.0, "z_val": 1.0}
    client.call("simSetVehiclePose", {"position": nowhere, "orientation": turned}, True)
    assert client.vehicle.position_m == (0.0, 0.0, -40.0)
    assert abs(client.vehicle.euler_rad()[2]) == pytest.approx(math.pi)
    as_it_is = {"w_val": NAN, **nowhere}
    pose = {"position": vector(1.0, NAN, -41.0), "orientation": as_it_is}
    client.call("simSetVehiclePose", pose, True)
    assert client.vehicle.position_m == (1.0, 0.0, -41.0)
    assert abs(client.vehicle.euler_rad()[2]) == pytest.approx(math.pi)


def test_pose_inside_a_solid_is_refused_unless_collisions_are_ignored(client):
    building = next(c for c in client.simulation.city.colliders if "building" in c.name)
    pose = {"position": vector(*building.centre_m)}
    with pytest.raises(HandlerError, match="no room at"):
        client.call("simSetVehiclePose", pose, False)
    client.call("simSetVehiclePose", pose, True)
    client.run(0.1)
    assert client.vehicle.collision is not None
    assert all(map(math.isfinite, client.vehicle.position_m))


def test_pose_on_or_below_the_ground_stands_on_it(client):
    client.fresh(height_m=0.0)
    client.call("simSetVehiclePose", {"position": vector(1.0, 0.0, 3.0)}, True)
    client.run(1.0)
    assert client.vehicle.position_m == pytest.approx((1.0, 0.0, -0.12), abs=0.01)
    assert client.simulation.autopilot.landed


def test_disarmed_vehicle_falls_from_a_set_pose(client):
    client.fresh(height_m=0.0)
    client.simulation.autopilot.armed = False
    client.call("simSetVehiclePose", {"position": vector(0.0, 0.0, -20.0)}, True)
    assert not client.simulation.autopilot.landed
    client.run(1.0)
    assert client.vehicle.velocity_mps[2] > 8.0


def test_kinematics_are_set_as_given(client):
    state = {
        "position": vector(0.0, 0.0, -60.0),
        "orientation": {"w_val": 1.0},
        "linear_velocity": vector(4.0, -3.0, 1.0),
        "angular_velocity": vector(0.5, -0.5, 1.0),
        "linear_acceleration": vector(9.0),
    }
    client.call("simSetKinematics", state, True)
    truth = client.call("simGetGroundTruthKinematics").result(0)
    for key in ("position", "linear_velocity", "angular_velocity"):
        assert truth[key] == state[key]
    client.run(6.0)
    assert math.hypot(*client.vehicle.velocity_mps) < 0.1


def test_airsims_demo_of_manual_flight_flies(client):
    """With its values: a million m/s, practically no time limit, sticks set once."""
    client.call("moveByManual", 1e6, 1e6, -1e6, 1e10, 0, STILL)
    client.call("moveByRC", {"throttle": 1.0, "is_initialized": True, "is_valid": True})
    client.run(3.0)
    assert client.vehicle.position_m[2] < -44.0
    sticks = {"roll": 0.5, "throttle": 1.0, "yaw": 0.5, "is_initialized": True, "is_valid": True}
    client.call("moveByRC", sticks)
    client.run(3.0)
    assert client.vehicle.velocity_mps == pytest.approx((0.0, 3.0, -2.0), abs=0.3)
