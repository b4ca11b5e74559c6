"""A run as one page: what passed, what failed and why, and pictures of each flight.

Pictures are in the page itself, which needs no scripts, no network and no server.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from html import escape
from pathlib import Path

from followme_uav.errors import DataError
from followme_uav.extras import require
from followme_uav.files import make_folder, write_text
from followme_uav.scenario.execution.results import Result, totals
from followme_uav.scenario.report.flight_pictures import KINDS, Drawing, draw
from followme_uav.scenario.report.tables import COLUMNS, number
from followme_uav.workers import worker_pool

REPORT = "report.html"


def write_report(
    folder: Path,
    results: Sequence[Result],
    workers: int,
    drawn: Callable[[int, int], None] = lambda done, of: None,
) -> Path:
    """Draw what is not drawn yet and write the page.

    Args:
        folder: of the run.
        results: in the order of the page.
        workers: processes that draw.
        drawn: told how many flights are drawn, and of how many.

    Returns:
        The page.

    Raises:
        EnvironmentSetupError: Matplotlib is missing.
        OutputError: The folder cannot be written.
        LogError: A log cannot be read.
    """
    require("matplotlib", "report", "the report")
    make_folder(folder / "pictures")
    drawings = {r.key: d for r in results if (d := _drawing(folder, r)) is not None}
    missing = [d for d in drawings.values() if not d.is_done]
    for done, _ in enumerate(_draw(missing, min(workers, len(missing))), 1):
        drawn(done, len(missing))
    page = folder / REPORT
    write_text(page, _page(folder.name, results, drawings))
    return page


def _draw(drawings: Sequence[Drawing], workers: int) -> Iterator[None]:
    """One after the other; several at once where that is worth starting processes."""
    if workers < 2:
        yield from map(draw, drawings)
        return
    with worker_pool(workers) as pool:
        for future in [pool.submit(draw, drawing) for drawing in drawings]:
            yield future.result()


def _drawing(folder: Path, result: Result) -> Drawing | None:
    """None for a flight without a log."""
    if result.log is None or not (folder / result.log).exists():
        return None
    return Drawing(folder / result.log, folder / "pictures" / result.key)


def _page(title: str, results: Sequence[Result], drawings: dict[str, Drawing]) -> str:
    t = totals(results)
    pilots = ", ".join(sorted({result.pilot for result in results}))
    facts = {
        "as expected": f"{t.passed} of {t.flights}",
        "tracked": number(t.tracked),
        "in view": number(t.in_view),
        "losses": str(t.losses),
        "s until found again, median": number(t.reacquire_visible_s),
        "s somebody else followed": number(t.wrong_target_s),
        "collisions": str(t.collisions),
    }
    boxes = "".join(
        f"<div><b>{escape(value)}</b><span>{escape(name)}</span></div>"
        for name, value in facts.items()
    )
    rows = "".join(_row(result) for result in results)
    heads = "".join(f"<th>{escape(c)}</th>" for c in ("scenario", "seed", "", *COLUMNS.values()))
    flights = "".join(_flight(result, drawings.get(result.key)) for result in results)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Scenarios: {escape(title)}</title>
<style>{_CSS}</style>
</head>
<body>
<main>
<h1>Scenarios: {escape(title)}</h1>
<p>Flown by: {escape(pilots)}. Shares are over all time after she was found.</p>
<div class="facts">{boxes}</div>
<h2>Flights</h2>
<table><thead><tr>{heads}<th>reason</th></tr></thead><tbody>{rows}</tbody></table>
<h2>Each flight</h2>
{flights}
</main>
</body>
</html>
"""


def _row(r: Result) -> str:
    word, kind = ("passed", "good") if r.success else ("failed", "bad")
    numbers = "".join(f"<td>{number(r.metrics.get(name))}</td>" for name in COLUMNS)
    reason = "" if r.success else escape(r.reason)
    return (
        f'<tr><td><a href="#{r.key}">{escape(r.name)}</a></td><td>{r.seed}</td>'
        f'<td class="{kind}">{word}</td>{numbers}<td class="reason">{reason}</td></tr>'
    )


def _flight(r: Result, drawing: Drawing | None) -> str:
    kind = "good" if r.success else "bad"
    body = "<p>There is no log of this flight, so there are no pictures.</p>"
    if drawing is not None:
        body = "".join(
            f'<figure><img class="{kind_of}" src="{_inline(drawing.file(kind_of))}" '
            f'alt="{escape(what)}"><figcaption>{escape(what)}</figcaption></figure>'
            for kind_of, what in KINDS.items()
        )
        body += f"<p>To replay it, here: <code>followme-uav replay {escape(r.log or '')}</code></p>"
    return (
        f'<section id="{r.key}"><h3>{escape(r.name)}, seed {r.seed}: '
        f'<span class="{kind}">{escape(r.reason)}</span></h3>{body}</section>'
    )


def _inline(picture: Path) -> str:
    try:
        content = picture.read_bytes()
    except OSError as error:
        raise DataError(f"{picture}: {error.strerror}; remove it and draw again") from error
    return f"data:image/webp;base64,{base64.b64encode(content).decode()}"


_CSS = """
:root { color-scheme: light; }
body { margin: 0; background: #f6f7f8; color: #222;
  font: 15px/1.45 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 24px; }
h1 { font-size: 26px; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 20px; margin: 32px 0 8px; padding-top: 14px; border-top: 1px solid #d5d9dc; }
h3 { font-size: 16px; margin: 24px 0 8px; }
.facts { display: flex; flex-wrap: wrap; gap: 12px; margin-top: 16px; }
.facts div { background: #fff; border: 1px solid #d5d9dc; border-radius: 6px; padding: 8px 16px; }
.facts b { font-size: 24px; display: block; font-variant-numeric: tabular-nums; }
.facts span, p, figcaption { color: #555; }
table { border-collapse: collapse; background: #fff; border: 1px solid #d5d9dc; width: 100%; }
th, td { padding: 4px 9px; text-align: right; border-bottom: 1px solid #e8eaec;
  font-variant-numeric: tabular-nums; }
th { font-size: 13px; color: #444; background: #eef0f2; }
th:first-child, td:first-child, th:last-child, .reason { text-align: left; }
.reason { font-size: 13px; }
a { color: #1f5d8c; text-decoration: none; }
.good { color: #1b7a3d; }
.bad { color: #b3261e; font-weight: 600; }
section { display: grid; grid-template-columns: 3fr 2fr; gap: 8px 16px; align-items: start; }
section h3, section > p, figure:nth-of-type(3) { grid-column: 1 / -1; }
figure { margin: 0; }
img { width: 100%; height: auto; display: block; background: #fff; border: 1px solid #d5d9dc;
  box-sizing: border-box; }
figcaption { font-size: 13px; }
code { background: #eef0f2; padding: 1px 5px; }
"""
