"""The report of a run: one HTML page with figures, a table of all flights, and pictures.

The page needs no network and no server. Up to `EMBEDDED` flights are drawn into the page; of a
larger run only the failures are drawn, and the page loads their pictures from the folder beside it
when they come into view, so that it stays light.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from math import floor
from pathlib import Path

from followme_uav.errors import DataError, EnvironmentSetupError
from followme_uav.extras import require
from followme_uav.files import make_folder, write_text
from followme_uav.scenario.execution.results import Result, Totals, has_stopped_early, totals
from followme_uav.scenario.report.axes import by_axis
from followme_uav.scenario.report.flight_pictures import Drawing, draw
from followme_uav.scenario.report.page_data import (
    hardest_draws,
    headings,
    histograms,
    is_text,
    table_data,
)
from followme_uav.scenario.report.tables import number, with_error
from followme_uav.scenario.script.random_draws import DRAWS
from followme_uav.statistics.intervals import Interval
from followme_uav.workers import worker_pool

REPORT, PICTURES = "report.html", "pictures"
TEMPLATE = Path(__file__).with_name("report.html.j2")
SCRIPT = Path(__file__).with_name("report.js")
EMBEDDED = 100
"""Flights whose pictures are a part of the page, at most."""
MOST_DRAWN = 500
"""Failures that are drawn, at most."""


def require_packages(purpose: str) -> None:
    """Check that the packages of the extra [report] are there.

    Raises:
        EnvironmentSetupError: One is missing; the message says how to install it.
    """
    for package in ("matplotlib", "jinja2"):
        require(package, "report", purpose)


def write_report(
    folder: Path,
    results: Sequence[Result],
    workers: int,
    drawn: Callable[[int, int], None] = lambda done, of: None,
) -> Path:
    """Draw the missing pictures and write the page.

    Args:
        folder: The folder of the run.
        results: The results, in the order of the page.
        workers: Number of processes that draw.
        drawn: Called with the number of flights drawn, and of those to draw.

    Returns:
        The path of the page.

    Raises:
        EnvironmentSetupError: A package of the extra [report] is missing, or a process that draws
            has died.
        OutputError: The folder cannot be written.
        LogError: A log cannot be read.
    """
    require_packages("the report")
    make_folder(folder / PICTURES)
    with_log = [r for r in results if _drawing(folder, r) is not None]
    if len(with_log) > EMBEDDED:
        with_log = [r for r in with_log if not r.success]
    drawings = {r.key: d for r in with_log[:MOST_DRAWN] if (d := _drawing(folder, r)) is not None}
    missing = [d for d in drawings.values() if not d.is_done]
    for done, _ in enumerate(_draw(missing, min(workers, len(missing))), 1):
        drawn(done, len(missing))
    page = folder / REPORT
    write_text(page, _page(folder, results, drawings, len(with_log) - len(drawings)))
    return page


def _draw(drawings: Sequence[Drawing], workers: int) -> Iterator[None]:
    """Draw; yield after each flight. One worker draws in this process."""
    if workers < 2:
        yield from map(draw, drawings)
        return
    with worker_pool(workers) as pool:
        left, running = list(drawings), set[Future[None]]()
        while left or running:
            while left and len(running) < workers:
                running.add(pool.submit(draw, left.pop()))
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                running.remove(future)
                _check_drawn(future)
                yield


def _check_drawn(future: Future[None]) -> None:
    try:
        future.result()
    except BrokenProcessPool as error:
        raise EnvironmentSetupError(
            "a process that draws the report has died, perhaps for lack of memory; "
            "run 'followme-uav scenario report' with fewer --workers"
        ) from error


def _drawing(folder: Path, result: Result) -> Drawing | None:
    """Return the pictures of a flight; None without a log."""
    if result.log is None or not (folder / result.log).exists():
        return None
    return Drawing(folder / result.log, folder / PICTURES / result.key)


def _page(
    folder: Path, results: Sequence[Result], drawings: dict[str, Drawing], left_out: int
) -> str:
    from jinja2 import Environment, StrictUndefined

    stopped_early = has_stopped_early(folder)
    t, axes = totals(results, stopped_early=stopped_early), by_axis(results)
    embeds = len(drawings) <= EMBEDDED
    script = SCRIPT.read_text(encoding="utf-8")
    draws = hardest_draws(results)
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.filters.update(
        number=number, with_error=with_error, picture=_data_uri if embeds else _address
    )
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        title=folder.name,
        pilots=", ".join(sorted({result.pilot for result in results})),
        facts=_facts(t),
        stopped_early=stopped_early,
        axes=axes,
        start=floor(10.0 * min((row.success.low for row in axes), default=0.0)) / 10.0,
        histograms=histograms(results),
        draws=draws,
        headings=[(name, is_text(name, results)) for name in headings(results)],
        meanings=DRAWS,
        has_failures=any(not result.success for result in results),
        drawn=[result for result in results if result.key in drawings],
        draws_all=len(drawings) == len(results),
        left_out=left_out,
        drawings=drawings,
        data=table_data(results, [draw.name for draw in draws[:2]], list(drawings)),
        script=script,
        script_sha256=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


@dataclass(frozen=True)
class _Fact:
    """A figure at the top of the page."""

    name: str
    value: str
    error: str = ""


def _facts(t: Totals) -> list[_Fact]:
    """Return the totals; counts have the share of flights, because it has an interval."""

    def of_flights(share: Interval) -> str:
        return f"in {with_error(share)} of the flights"

    return [
        _Fact("as expected", f"{t.passed} of {t.flights}", f"share {with_error(t.success)}"),
        _Fact("crashed, not counted", str(t.crashed)),
        _Fact("tracked", *_parts(t.tracked)),
        _Fact("in view", *_parts(t.in_view)),
        _Fact("losses", str(t.losses), of_flights(t.with_loss)),
        _Fact("s until found again, median", *_parts(t.reacquire_visible_s)),
        _Fact(
            "s another person followed", number(t.wrong_target_s), of_flights(t.with_wrong_target)
        ),
        _Fact("collisions", str(t.collisions), of_flights(t.with_collision)),
    ]


def _parts(interval: Interval | None) -> tuple[str, str]:
    """Return an estimate and its error as texts."""
    value, _, error = with_error(interval).partition(" ")
    return value, error.strip("()")


def _data_uri(picture: Path) -> str:
    try:
        content = picture.read_bytes()
    except OSError as error:
        raise DataError(f"{picture}: {error.strerror}; remove it and draw again") from error
    return f"data:image/webp;base64,{base64.b64encode(content).decode()}"


def _address(picture: Path) -> str:
    """Return the address of a picture relative to the page."""
    return f"{picture.parent.name}/{picture.name}"
