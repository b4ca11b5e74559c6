"""The page of a run of scenarios shows its pictures in a browser, and needs no other host."""

import time

import numpy as np

from followme_uav.scenario.report.report import write_report
from tests.made_flight import write_log
from tests.unit.scenario_parts import result
from tests.viewer.browser import needs_browser, open_browser
from tests.x_screen import colour_count

DEADLINE_S = 60.0


@needs_browser
def test_browser_shows_the_page_with_its_pictures(tmp_path):
    write_log(tmp_path / "flight.mcap")
    report = write_report(tmp_path, [result(log="flight.mcap")], workers=1)
    with open_browser((1200, 1000)) as page:
        page.open(report.as_uri())
        deadline_s = time.monotonic() + DEADLINE_S
        while (
            colour_count(np.asarray(page.screenshot())) < 500
        ):  # text alone has some shades of grey
            assert time.monotonic() < deadline_s, "the page shows no pictures"
        assert not page.errors
        assert report.as_uri() in page.requested
        assert all(url.startswith(("file:", "data:")) for url in page.requested)
