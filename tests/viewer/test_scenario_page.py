"""The page of a run of scenarios shows its pictures in a browser, and needs no other host."""

import time
from dataclasses import replace

import numpy as np
import pytest

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


@needs_browser
@pytest.mark.slow
def test_page_of_ten_thousand_flights_is_light_and_can_be_filtered_and_sorted(tmp_path):
    results = many_flights(10_000)
    failed = sum(not r.success for r in results)
    begun_s = time.process_time()
    report = write_report(tmp_path, results, workers=1)
    assert time.process_time() - begun_s <= 10.0, "processor time: other work does not count"
    assert report.stat().st_size <= 5_000_000
    with open_browser((1200, 1000)) as page:
        page.open(report.as_uri())
        wait_for(page, "10000 of 10000 flights")
        assert page.run("document.querySelectorAll('#flights tr').length") == 100
        page.fill("#filter", "failed")
        wait_for(page, f"{failed} of 10000 flights")
        page.fill("#filter", "failed weather=rain in_view<0.5")
        wait_for(page, f"{sum(in_rain(r) for r in results)} of 10000 flights")
        page.fill("#filter", "")
        page.click("#head th:nth-child(2)")
        page.click("#head th:nth-child(2)")
        assert page.run("document.querySelector('#flights td:nth-child(2)').textContent") == "9999"
        drawn = page.run(
            "Array.from(document.getElementById('scatter').getContext('2d')"
            ".getImageData(0, 0, 900, 420).data).filter((v, i) => i % 4 == 3 && v > 0).length"
        )
        assert drawn > 1000, "the scatter plot is empty"
        assert not page.errors
        assert all(url.startswith(("file:", "data:")) for url in page.requested)


def many_flights(count):
    rng = np.random.default_rng(4)
    base = result()
    flights = []
    for seed in range(count):
        rain = round(float(rng.uniform(0.0, 0.5)), 2) if rng.random() < 0.3 else 0.0
        success = bool(rng.random() > 0.02 + 0.2 * rain)
        figures = {name: float(v) for name, v in zip(NAMES, rng.random(len(NAMES)), strict=True)}
        draws = {"rain": rain, "people": int(rng.integers(10, 30)), "style": "plaza"}
        draws |= {"weather": "rain" if rain else "clear", "hour_h": float(rng.uniform(8.0, 18.0))}
        reason = "as expected" if success else f"in_view {figures['in_view']:.2f} < 0.9"
        metrics = {**base.metrics, **figures, "judged_s": 120.0}
        flights.append(
            replace(base, seed=seed, success=success, reason=reason, metrics=metrics, draws=draws)
        )
    return flights


NAMES = ("acquire_s", "in_view", "tracked", "min_clearance_m", "command_rate")


def in_rain(flight):
    is_low = float(f"{flight.metrics['in_view']:.4g}") < 0.5
    return not flight.success and flight.draws["weather"] == "rain" and is_low


def wait_for(page, text):
    deadline_s = time.monotonic() + DEADLINE_S
    while page.run("document.getElementById('count')?.textContent") != text:
        assert time.monotonic() < deadline_s, f"the page does not show '{text}'"
        time.sleep(0.1)
