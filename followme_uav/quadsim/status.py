"""Shows a session with QuadSim in the terminal: a live line, and a table at the end."""

from __future__ import annotations

import time
from contextlib import ExitStack

from rich.live import Live
from rich.text import Text

from followme_uav.flight.status import status_line, transition_text
from followme_uav.log.entry import FlightEntry
from followme_uav.messages import Vec3
from followme_uav.program_log import TRANSITION, printed_by_command
from followme_uav.quadsim.server import Client
from followme_uav.quadsim.session import QuadSimSummary, Watcher
from followme_uav.terminal import make_console, print_summary_table

SILENT_S = 1.0
"""After this time without a frame the line says so."""
RATE_SHARE = 0.1
"""Share of the newest interval in the mean that the frame rate is computed from."""


class QuadSimStatus(Watcher):
    """Shows state, distance, reported position, frame rate and loop time; lists transitions."""

    def __init__(self) -> None:
        self._console = make_console(stderr=True)
        self._live = Live(
            Text("Loading the network ..."),
            console=self._console,
            refresh_per_second=8,
            transient=True,
        )
        self._printed = ExitStack()
        self._shown_s: float | None = None
        self._interval_s = 0.0

    def __enter__(self) -> QuadSimStatus:
        self._live.start()
        self._printed.enter_context(printed_by_command(TRANSITION))
        return self

    def __exit__(self, *_: object) -> None:
        self._printed.close()
        self._live.stop()

    def waits(self, address: str) -> None:
        """See `Watcher`."""
        self._print(f"Waiting for QuadSim on {address}; Ctrl-C ends.")
        self._live.update(Text(f"waiting for QuadSim on {address} ..."))
        self._shown_s = None

    def has_connected(self, client: Client) -> None:
        """See `Watcher`."""
        self._print("QuadSim has connected.")
        self._live.update(Text("waiting for the first frame ..."))

    def silent(self, silent_s: float) -> None:
        """See `Watcher`."""
        if silent_s >= SILENT_S:
            self._live.update(Text(f"no frame for {silent_s:.0f} s ..."))

    def shows(self, entry: FlightEntry, position_m: Vec3 | None) -> None:
        """See `Watcher`."""
        now_s = time.monotonic()
        if self._shown_s is not None:
            passed_s = now_s - self._shown_s
            share = RATE_SHARE if self._interval_s else 1.0
            self._interval_s += share * (passed_s - self._interval_s)
        self._shown_s = now_s
        change = entry.step.transition
        if change is not None:
            self._print(transition_text(entry.frame.time_s, change))
        rate_hz = 1.0 / self._interval_s if self._interval_s else 0.0
        self._live.update(_line(entry, rate_hz, position_m))

    def _print(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False)


def _line(entry: FlightEntry, rate_hz: float, position_m: Vec3 | None) -> Text:
    reported = ""
    if position_m is not None:
        north, east, down = position_m
        reported = f"  reported ({north:.1f}, {-east:.1f}, {-down:.1f})"
    rest = f"{rate_hz:4.1f} frames/s  loop {entry.timings.total_ms:4.1f} ms{reported}"
    return status_line(entry, entry.step.time_s, rest)


def print_summary(summary: QuadSimSummary) -> None:
    """Print the session's figures by name."""
    console = make_console()
    print_summary_table("QuadSim summary", summary.to_dict(), console)
    if not summary.metrics.frames:
        console.print("no frame came", highlight=False)
