"""Shows a flight in the terminal: a live line during the flight, a table after it."""

from __future__ import annotations

import math
import time
from contextlib import ExitStack

from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from followme_uav.flight.fly import FlightPlan
from followme_uav.flight.metrics import MetricsAccumulator
from followme_uav.flight.summary import FlightSummary
from followme_uav.flight.turn_times import TurnTimes
from followme_uav.log.entry import FlightEntry
from followme_uav.messages import MissionState, Transition
from followme_uav.program_log import TRANSITION, printed_by_command
from followme_uav.terminal import make_console, print_summary_table

STYLES = {
    MissionState.PATROL: "cyan",
    MissionState.ACQUIRE: "yellow",
    MissionState.FOLLOW: "bold green",
    MissionState.SEARCH: "yellow",
    MissionState.FAILSAFE: "bold red",
}


class FlightStatus:
    """Shows state, detection, distance, speeds, loop time, real-time factor; lists transitions."""

    def __init__(self, plan: FlightPlan) -> None:
        self._plan = plan
        self._console = make_console(stderr=True)
        self._live = Live(
            Text("Starting simulator and network ..."),
            console=self._console,
            refresh_per_second=8,
            transient=True,
        )
        self._printed = ExitStack()
        self._start_wall_s = 0.0
        self._start_sim_s: float | None = None

    def __enter__(self) -> FlightStatus:
        """Show the line; it disappears when the flight ends before its first frame."""
        self._live.start()
        self._printed.enter_context(printed_by_command(TRANSITION))
        return self

    def __exit__(self, *_: object) -> None:
        self._printed.close()
        self._live.stop()

    def show(self, entry: FlightEntry, metrics: MetricsAccumulator) -> None:
        """Update the line; print a transition above it."""
        step = entry.step
        if self._start_sim_s is None:
            self._start_sim_s, self._start_wall_s = step.time_s, time.monotonic()
            self._announce()
        flown_s = step.time_s - self._start_sim_s
        if step.transition is not None:
            change = step.transition
            self._console.print(transition_text(flown_s, change), highlight=False, markup=False)
        wall_s = max(time.monotonic() - self._start_wall_s, 1e-6)
        self._live.update(_line(entry, flown_s, flown_s / wall_s))

    def _announce(self) -> None:
        plan = self._plan
        city = f"the embedded city, seed {plan.seed}"
        simulator = plan.config.simulator
        where = city if plan.embedded else f"{simulator.host}:{simulator.port}"
        self._console.print(
            f"Flying {plan.config.duration_s:g} s in {where}, "
            f"{'lockstep' if plan.lockstep else 'real time'}; Ctrl-C lands.",
            highlight=False,
        )


def _line(entry: FlightEntry, flown_s: float, real_time_factor: float) -> Text:
    vehicle = entry.frame.vehicle
    speed = math.hypot(vehicle.velocity_mps[0], vehicle.velocity_mps[1])
    return status_line(
        entry,
        flown_s,
        f"{speed:4.1f} m/s  climb {-vehicle.velocity_mps[2]:+4.1f} m/s"
        f"  loop {entry.timings.total_ms:4.1f} ms  {real_time_factor:4.1f}x real time",
    )


def transition_text(time_s: float, change: Transition) -> str:
    """A change of the mission state, as it is printed above the live line."""
    return f"{time_s:7.1f} s  {change.source.value} → {change.target.value}: {change.reason}"


def status_line(entry: FlightEntry, time_s: float, rest: str) -> Text:
    """The live line: time, state, detection, distance to the hero, and the rest."""
    step = entry.step
    hero = "hero detected" if step.detection is not None else "no detection "
    distance = "   –  "
    if step.track is not None:
        distance = f"{math.dist(step.track.position_m, entry.frame.camera.position_m):5.1f} m"
    line = Text(f"{time_s:7.1f} s  ")
    line.append(f"{step.state.value.upper():9}", STYLES.get(step.state, ""))
    line.append(f" {hero}  {distance}  {rest}")
    return line


def print_timings(turn: TurnTimes) -> None:
    """Print the mean milliseconds of each part of a turn, and its share of the whole turn."""
    whole_ms = sum(turn.loop_ms.values())
    table = Table("one turn of the loop", "ms, mean", "share", title="Timings")
    for column in table.columns[1:]:
        column.justify = "right"
    for part, ms in turn.loop_ms.items():
        table.add_row(part, f"{ms:.2f}", f"{ms / max(whole_ms, 1e-9):.0%}")
    table.add_row("whole turn", f"{whole_ms:.2f}", "100%", end_section=True)
    for part, ms in turn.simulator_ms.items():
        table.add_row(f"simulator: {part}", f"{ms:.2f}", f"{ms / max(whole_ms, 1e-9):.0%}")
    make_console().print(table)


def print_summary(summary: FlightSummary) -> None:
    """Print the flight's metrics by name."""
    console = make_console()
    log = {} if summary.log is None else {"log": summary.log}
    print_summary_table("Flight summary", {**summary.metrics.to_dict(), **log}, console)
    verdict = "[bold green]mission accomplished" if summary.success else "[bold red]mission failed"
    console.print(f"{verdict}[/]: {escape(summary.reason)}", highlight=False)
