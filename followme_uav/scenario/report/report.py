"""The report of a run: one HTML page with the results and the pictures of each flight.

The page contains its pictures; it needs no script, no network and no server.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from followme_uav.errors import DataError
from followme_uav.extras import require
from followme_uav.files import make_folder, write_text
from followme_uav.scenario.execution.results import Result, totals
from followme_uav.scenario.report.flight_pictures import KINDS, Drawing, draw
from followme_uav.scenario.report.tables import COLUMNS, number
from followme_uav.workers import worker_pool

REPORT = "report.html"
TEMPLATE = Path(__file__).with_name("report.html.j2")


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
        EnvironmentSetupError: A package of the extra [report] is missing.
        OutputError: The folder cannot be written.
        LogError: A log cannot be read.
    """
    require_packages("the report")
    make_folder(folder / "pictures")
    drawings = {r.key: d for r in results if (d := _drawing(folder, r)) is not None}
    missing = [d for d in drawings.values() if not d.is_done]
    for done, _ in enumerate(_draw(missing, min(workers, len(missing))), 1):
        drawn(done, len(missing))
    page = folder / REPORT
    write_text(page, _page(folder.name, results, drawings))
    return page


def _draw(drawings: Sequence[Drawing], workers: int) -> Iterator[None]:
    """Draw; yield after each flight. One worker draws in this process."""
    if workers < 2:
        yield from map(draw, drawings)
        return
    with worker_pool(workers) as pool:
        for future in [pool.submit(draw, drawing) for drawing in drawings]:
            yield future.result()


def _drawing(folder: Path, result: Result) -> Drawing | None:
    """Return the pictures of a flight; None without a log."""
    if result.log is None or not (folder / result.log).exists():
        return None
    return Drawing(folder / result.log, folder / "pictures" / result.key)


def _page(title: str, results: Sequence[Result], drawings: dict[str, Drawing]) -> str:
    from jinja2 import Environment, StrictUndefined

    t = totals(results)
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.filters.update(number=number, data_uri=_data_uri)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        title=title,
        pilots=", ".join(sorted({result.pilot for result in results})),
        facts={
            "as expected": f"{t.passed} of {t.flights}",
            "tracked": number(t.tracked),
            "in view": number(t.in_view),
            "losses": t.losses,
            "s until found again, median": number(t.reacquire_visible_s),
            "s another person followed": number(t.wrong_target_s),
            "collisions": t.collisions,
        },
        columns=COLUMNS,
        kinds=KINDS,
        flights=results,
        drawings=drawings,
    )


def _data_uri(picture: Path) -> str:
    try:
        content = picture.read_bytes()
    except OSError as error:
        raise DataError(f"{picture}: {error.strerror}; remove it and draw again") from error
    return f"data:image/webp;base64,{base64.b64encode(content).decode()}"
