"""`--web` shows a flight in a browser, and contacts no other host."""

import functools
import os
import re
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests import mapless_flight
from tests.made_flight import write_log
from tests.viewer import painted
from tests.viewer.browser import needs_browser, open_browser

pytest.importorskip("rerun", reason="the viewer is Rerun, extra [view]")

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S, END_DEADLINE_S = 200.0, 20.0
SIZE_PX, MAP_SIZE_PX = (900, 760), (1200, 720)
LOOPBACK = "0100007F"


def ports_of(page):
    return [int(port) for port in re.findall(r"(?:127\.0\.0\.1:|%3A)(\d{4,5})", page)]


def listening(port):
    """Addresses, in the kernel's notation, on which a process listens at this port."""
    rows = [
        row.split()
        for table in ("tcp", "tcp6")
        for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    return {
        row[1].partition(":")[0]
        for row in rows
        if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port
    }


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux' table of sockets")
def test_page_is_served_on_loopback_only_and_until_ctrl_c(served, tmp_path):
    command = served("replay", write_log(tmp_path / "flight.mcap"), "--web")
    command.wait_for("until Ctrl-C")
    ports = ports_of(command.page)
    assert len(ports) == 2
    assert {address for port in ports for address in listening(port)} == {LOOPBACK}
    code, _, err = command.interrupt()
    assert code == 0, err
    assert not any(listening(port) for port in ports)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux' table of sockets")
def test_killed_command_leaves_no_server_behind(served, tmp_path):
    command = served("replay", write_log(tmp_path / "flight.mcap"), "--web")
    command.wait_for("until Ctrl-C")
    ports = ports_of(command.page)
    assert all(listening(port) for port in ports)
    command.kill()
    deadline_s = time.monotonic() + END_DEADLINE_S
    while any(listening(port) for port in ports):
        assert time.monotonic() < deadline_s, "the server is still running"
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.timeout(2 * DEADLINE_S)
@needs_browser
def test_browser_shows_the_flight_and_contacts_loopback_only(served, tmp_path):
    """Camera image, city, plots and band of states are each detected by a unique colour."""
    command = served("replay", write_log(tmp_path / "flight.mcap"), "--web")
    command.wait_for("until Ctrl-C")
    with open_browser(SIZE_PX) as page:
        page.open(command.page)
        assert not missing_in(page, painted.missing, "web.png")
        assert page.errors == []
        assert {urlsplit(url).hostname for url in page.requested} == {"127.0.0.1"}


@pytest.mark.slow
@pytest.mark.timeout(2 * DEADLINE_S)
@needs_browser
def test_browser_shows_the_map_that_a_flight_without_a_map_makes(served, tmp_path):
    log = mapless_flight.write_log(tmp_path / "flight.mcap")
    command = served("replay", log, "--web")
    command.wait_for("until Ctrl-C")
    with open_browser(MAP_SIZE_PX) as page:
        page.open(command.page)
        missing = functools.partial(painted.missing, least_shares=painted.OF_OWN_MAP)
        assert not missing_in(page, missing, "own_map.png")


def missing_in(page, missing_of, name):
    """Colours that are still missing after the deadline."""
    deadline_s = time.monotonic() + DEADLINE_S
    missing = True
    while missing and time.monotonic() < deadline_s:
        time.sleep(0.5)
        picture = page.screenshot()
        missing = missing_of(picture)
    if keep := os.environ.get("KEEP_SCREENSHOTS"):
        Path(keep).mkdir(parents=True, exist_ok=True)
        picture.save(Path(keep) / name)
    return missing
