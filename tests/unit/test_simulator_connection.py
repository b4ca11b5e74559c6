"""If these fail, a simulator that answers wrongly ends a flight with a traceback."""

import pytest

from followme_uav.config import load_config
from followme_uav.errors import SimulatorError
from followme_uav.rpc.connection import SimulatorConnection


@pytest.mark.parametrize("reply", [None, 7])
def test_malformed_list_of_vehicles_is_an_error_of_one_line(monkeypatch, reply):
    config = load_config(overrides=["simulator.vehicle_name=Drone1"])
    connection = SimulatorConnection(config.simulator, config.rpc)
    monkeypatch.setattr(connection, "query", lambda method: reply)
    with pytest.raises(SimulatorError, match=r"listVehicles at .*not what AirSim sends"):
        connection._check_vehicle()
