"""`--web` of a campaign: the page counts flights while they end, and says when the run is over."""

import os
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.gated_campaign import open_gates
from tests.unit.scenario_parts import write_script
from tests.viewer.browser import needs_browser, open_browser

DEADLINE_S = 100.0
SIZE_PX = (1200, 1000)
RUN = "scenario run {script} --seeds 1:13 --pilot oracle --logs none --workers 2 --out {out} --web"


@needs_browser
def test_browser_shows_flights_as_they_end_and_the_end_of_run_and_server(served, tmp_path):
    gates = tmp_path / "gates"
    open_gates(gates, [1, 2, 3])
    command = start(served, gates, tmp_path)
    with open_browser(SIZE_PX) as page:
        page.open(command.page)
        wait_for(page, "done", "3 of 12")
        wait_for(page, "running-count", "2 flights")
        assert rows(page, "running") == [["one", "4"], ["one", "5"]]
        assert text(page, "stage") == "flying" and text(page, "share").startswith("1.000 (0.4")
        keep(page, "flying")
        open_gates(gates, range(4, 9))
        wait_for(page, "done", "8 of 12")
        wait_for(page, "failed", "1")
        assert rows(page, "failures") == [["one", "7"]]
        open_gates(gates, range(9, 13))
        wait_for(page, "done", "12 of 12")
        wait_for(page, "stage", "ended")
        assert page.first_link("#report a") == f"{command.page}report.html"
        assert page.run("document.getElementById('flying-now').hidden")
        keep(page, "ended")
        page.open(f"{command.page}report.html")
        wait_for(page, "count", "12 of 12 flights")
        page.open(command.page)
        wait_for(page, "stage", "ended")
        code, _, err = command.interrupt()
        assert code == 1, err
        wait_for(page, "notice", "The command has ended. The results are in the folder of the run.")
        assert page.errors == []
        assert {urlsplit(url).hostname for url in page.requested} == {"127.0.0.1"}


@needs_browser
def test_page_says_that_a_killed_run_can_go_on(served, tmp_path):
    gates = tmp_path / "gates"
    open_gates(gates, [1, 2, 7])
    command = start(served, gates, tmp_path)
    with open_browser(SIZE_PX) as page:
        page.open(command.page)
        wait_for(page, "done", "2 of 12")
        command.kill()
        wait_for(page, "stage", "no connection")
        assert "the same command continues the run" in text(page, "notice")
        keep(page, "gone")
        assert page.errors == []


def start(served, gates, folder):
    """Start a run of twelve flights, each of which ends when its gate opens."""
    arguments = RUN.format(script=write_script(folder), out=folder / "run").split()
    command = served(gates, *arguments, module="tests.gated_campaign", page_on="stderr")
    command.wait_for("watch at")
    return command


def text(page, name):
    return page.run(f"document.getElementById('{name}')?.textContent")


def rows(page, name):
    """Texts of the first two cells of each row of a table."""
    return page.run(
        f"Array.from(document.querySelectorAll('#{name} tr'), row => "
        "Array.from(row.cells, cell => cell.textContent).slice(0, 2))"
    )


def wait_for(page, name, expected):
    deadline_s = time.monotonic() + DEADLINE_S
    while (found := text(page, name)) != expected:
        assert time.monotonic() < deadline_s, f"#{name} shows '{found}', not '{expected}'"
        time.sleep(0.1)


def keep(page, name):
    """Write a picture of the page, to look at it."""
    if folder := os.environ.get("KEEP_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot().save(Path(folder) / f"live-{name}.png")
