"""If this fails, the page of a run of scenarios is blank, or asks others for what it shows."""

import time

import numpy as np
import pytest

from followme_uav.scenario.report.report import write_report
from tests.made_flight import write_log
from tests.unit.scenario_parts import result
from tests.viewer.browser import CHROMIUM, Browser

DEADLINE_S = 30.0


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium; run tools/system_packages.sh --tests")
def test_a_browser_shows_the_page_with_its_pictures(tmp_path):
    write_log(tmp_path / "flight.mcap")
    page = write_report(tmp_path, [result(log="flight.mcap")], workers=1)
    browser = Browser(tmp_path / "profile", size_px=(1200, 1000))
    try:
        browser.open(page.as_uri())
        give_up_s = time.monotonic() + DEADLINE_S
        while colours(browser) < 500:  # text alone has some shades of grey
            assert time.monotonic() < give_up_s, "no pictures to be seen"
        assert not browser.errors
        assert all(url.startswith(("file:", "data:")) for url in browser.requested)
    finally:
        browser.stop()


def colours(browser):
    pixels = np.asarray(browser.screenshot()).reshape(-1, 3)
    return len(np.unique(pixels, axis=0))
