"""Listen addresses: a mistake must not open the simulator to every machine of the network."""

import socket

import pytest

from followme_uav.errors import ConfigError
from followme_uav.rpc.server import RpcServer, check_listen_address


@pytest.mark.parametrize("host", ["", " ", "\t", "0", "0.0", "0x0", "00.0.0.0", " 0.0.0.0"])
def test_server_refuses_to_listen_on_all_interfaces_implicitly(host):
    with pytest.raises(ConfigError, match=r"--host .*0\.0\.0\.0"):
        RpcServer({}, host).start()


def test_name_that_resolves_to_all_interfaces_is_refused(monkeypatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("0.0.0.0", 1))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: found)
    with pytest.raises(ConfigError, match="every network"):
        check_listen_address("blocked.example", 1)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "::", "::0", "::1"])
def test_explicit_addresses_are_allowed(host):
    check_listen_address(host, 0)
