"""The progress of a run on the terminal, or in the file that standard error goes to.

A terminal has one line that is rewritten, with lines of failures above it; a run of few flights
has a line for each. A file has a line for each flight, and the progress once a minute.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from followme_uav.scenario.execution.results import Result
from followme_uav.scenario.live.progress import Figures
from followme_uav.scenario.live.progress import Progress as RunProgress
from followme_uav.scenario.report.tables import MOST_ROWS
from followme_uav.terminal import make_console

SUMMARY_S = 60.0
"""Time between two lines of progress in a file."""
_COLOURS = {"passed": "green", "failed": "bold red", "crashed": "yellow"}


def figures_line(figures: Figures, *, stops_early: bool = False) -> str:
    """Return throughput, time left, failures and crashes."""
    rate, left_s = figures.per_hour, figures.left_s
    parts = [] if rate is None else [f"{rate:.0f} flights/h"]
    if left_s:
        most = "at most " if stops_early else ""
        parts.append(f"{most}{timedelta(seconds=round(left_s))} left")
    parts.append(f"{figures.failed} failed")
    if figures.crashed:
        parts.append(f"{figures.crashed} crashed")
    return ", ".join(parts)


@contextmanager
def shown(
    progress: RunProgress, *, stops_early: bool = False, console: Console | None = None
) -> Iterator[Callable[[Result, bool], None]]:
    """Show the progress in the block; yield a function that is called with each result."""
    console = console or make_console(stderr=True)
    flights = progress.figures().flights
    bar = Progress(
        TextColumn("flying"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        _FiguresColumn(progress, stops_early=stops_early),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    task, summed_s = bar.add_task("", total=flights), time.monotonic()

    def show(result: Result, was_there: bool) -> None:
        nonlocal summed_s
        progress.end(result, was_there)
        bar.update(task, advance=1)
        is_notable = not console.is_terminal or not result.success
        if flights <= MOST_ROWS or (is_notable and not was_there):
            console.print(_flight_line(result, was_there), highlight=False, soft_wrap=True)
        if not console.is_terminal and time.monotonic() - summed_s >= SUMMARY_S:
            summed_s = time.monotonic()
            figures = progress.figures()
            console.print(
                f"{figures.done} of {figures.flights} flights, "
                + figures_line(figures, stops_early=stops_early),
                highlight=False,
                soft_wrap=True,
            )

    with bar:
        yield show


def _flight_line(result: Result, was_there: bool) -> str:
    when = "before" if was_there else f"{result.wall_s:5.1f} s"
    variant = f"{escape(result.variant)} " if result.variant else ""
    return (
        f"[{_COLOURS[result.outcome]}]{result.outcome}[/] {escape(result.name)} seed {result.seed} "
        f"{variant}({when}): {escape(result.reason)}"
    )


class _FiguresColumn(ProgressColumn):
    """Throughput, time left, failures and crashes.

    Rich's own estimates look at the last 30 seconds, in which often no flight ends.
    """

    max_refresh = 1.0

    def __init__(self, progress: RunProgress, *, stops_early: bool) -> None:
        super().__init__()
        self._progress, self._stops_early = progress, stops_early

    def render(self, task: Task) -> Text:
        """Return the text of the column."""
        return Text(figures_line(self._progress.figures(), stops_early=self._stops_early))
