"""If these fail, `--vehicle` flies another vehicle than it names."""

import pytest

from followme_uav.commands.scenario import PilotOptions
from followme_uav.config import load_config
from followme_uav.flight.embedded import embedded_simulator
from followme_uav.rpc.session import RpcSession
from followme_uav.sim.vehicle.vehicle_spec import VehicleSpec, load_vehicle


@pytest.fixture
def refused(followme):
    """Run a command that must fail with one line, and return the line."""

    def run(*arguments):
        code, out, err = followme(*arguments)
        assert (code, out, err.count("\n")) == (2, "", 1)
        return err

    return run


def thrust_after_a_second(vehicle):
    with (
        embedded_simulator(load_config(), vehicle=vehicle) as config,
        RpcSession(config.simulator.host, config.simulator.port) as session,
    ):
        session.call("simContinueForTime", 1.0)
        rotors = session.call("getRotorStates", "")["rotors"]
    return [rotor["thrust"] for rotor in rotors]


def test_embedded_simulator_flies_the_named_vehicle_and_airsims_where_none_is_named():
    """On the ground the rotors of `simpleflight` turn slowly, those of `nimble` stand still."""
    frame = load_vehicle("simpleflight").airframe
    idle_n = frame.throttle_thrust_n / 15.0
    assert thrust_after_a_second("nimble") == [0.0] * 4
    assert thrust_after_a_second(None) == pytest.approx([idle_n] * 4, rel=0.01)


@pytest.mark.parametrize("command", [("fly",), ("sim", "--port", "0")])
def test_unknown_vehicle_is_refused_with_the_known_ones(refused, command):
    error = refused(*command, "--vehicle", "unheard_of")
    assert "vehicle 'unheard_of' is unknown; give a file, or one of nimble, simpleflight" in error


def test_vehicle_of_another_simulator_cannot_be_chosen(refused):
    error = refused("fly", "--sim", "127.0.0.1:1", "--vehicle", "nimble")
    assert "--vehicle is of the embedded simulator" in error


def test_run_of_scenarios_has_the_content_of_the_vehicle_in_its_plan():
    """A changed file is another flight, so a resumed run must not take it for the same."""
    campaign = PilotOptions(vehicle="nimble").campaign([], random_seeds=[1])
    content = campaign.variants[0].world["vehicle"]
    assert VehicleSpec.model_validate(content) == load_vehicle("nimble")
    assert PilotOptions().campaign([], random_seeds=[1]).variants[0].world == {}
