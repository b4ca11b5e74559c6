"""The simulator answers or refuses any call of a client, and goes on.

After a crash of the simulation's thread every client would wait until its timeout.
"""

import inspect
import math
import threading
from concurrent.futures import Future

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followme_uav.rpc.server import HandlerError
from followme_uav.sim.airsim_api.dialects import DIALECTS
from followme_uav.sim.airsim_api.methods import handlers_of
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.simulation_runner import SimulationRunner
from tests.painted_sky import OBJECT_NAMES, PaintedSky

BLOCKING = {"simContinueForTime", "simContinueForFrames"}  # can take a minute; tested separately

numbers = st.one_of(
    st.integers(-(2**63), 2**64 - 1),
    st.floats(width=64),
    st.floats(-10.0, 10.0),
    st.sampled_from([0, 1, -1, 0.5, math.nan, math.inf, 3e38]),
)
keys = st.sampled_from(
    [
        "x_val",
        "y_val",
        "z_val",
        "w_val",
        "is_rate",
        "yaw_or_rate",
        "position",
        "orientation",
        "latitude",
        "longitude",
        "altitude",
        "camera_name",
        "image_type",
        "pixels_as_float",
        "compress",
    ]
)
simple = st.one_of(
    numbers,
    st.booleans(),
    st.none(),
    st.binary(max_size=4),
    st.sampled_from(["", "0", "Drone1", "hero", "person.*", "(", "[a-", "a{9999}"]),
    st.text(max_size=8),
)
values = st.recursive(
    simple,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=6)),
    max_leaves=12,
)


@pytest.fixture(scope="module", params=sorted(DIALECTS))
def simulator(request):
    simulation = Simulation(1, 4, PaintedSky, (16, 16))
    running = SimulationRunner(simulation, paused=True)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    yield running, handlers_of(running, DIALECTS[request.param], OBJECT_NAMES, {})
    running.stop()
    thread.join(5.0)
    assert not thread.is_alive()


@settings(max_examples=200)
@given(data=st.data())
def test_any_parameters_are_answered_or_refused(simulator, data):
    running, handlers = simulator
    method = data.draw(st.sampled_from(sorted(handlers.keys() - BLOCKING)))
    arity = len(inspect.signature(handlers[method]).parameters)
    params = [data.draw(values) for _ in range(arity)]
    try:
        answer = handlers[method](*params)
        running.pause(True).result(10.0)  # queued after the call
        if isinstance(answer, Future) and answer.done() and answer.exception() is not None:
            raise answer.exception()
    except HandlerError as refusal:
        assert str(refusal)
    running.continue_for(2).result(10.0)
    place = running.call(lambda simulation: simulation.vehicle.position_m).result(10.0)
    assert all(math.isfinite(x) for x in place)


@settings(max_examples=50)
@given(seconds=values)
def test_any_duration_is_run_or_refused(simulator, seconds):
    running, handlers = simulator
    if isinstance(seconds, int | float) and 1.0 < seconds <= 3600.0:
        seconds = 1.0 / seconds
    try:
        handlers["simContinueForTime"](seconds).result(20.0)
    except HandlerError as refusal:
        assert str(refusal)
    assert running.is_paused().result(10.0)
