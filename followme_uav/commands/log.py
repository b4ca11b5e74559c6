"""Commands on flight logs: show, recover, cut and export."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from followme_uav.commands.options import Json
from followme_uav.errors import ConfigError
from followme_uav.files import check_writable
from followme_uav.terminal import make_console, print_table

if TYPE_CHECKING:
    from followme_uav.flight.track_metrics import TrackMetrics
    from followme_uav.log.labels import Labels
    from followme_uav.log.reader import FlightLog

app = typer.Typer(help="Show, recover, cut and export flight logs.")

LogPath = Annotated[Path, typer.Argument(help="Flight log, as 'fly --log' writes it.")]
NewLogPath = Annotated[Path, typer.Argument(help="Log to write.")]


@app.command()
def info(flight: LogPath, as_json: Json = False) -> None:
    """Show duration, frames, states, weights, configuration and faults of a flight."""
    from rich.markup import escape
    from rich.table import Table

    from followme_uav.flight.track_metrics import TrackMetricsAccumulator
    from followme_uav.log.info import log_info
    from followme_uav.log.reader import read_log

    track = TrackMetricsAccumulator()
    found = log_info(read_log(flight), track.add)
    metrics = track.result()
    if as_json:
        print(json.dumps({**found.to_dict(), "track": metrics.to_dict()}, indent=2))
        return
    minutes = max(found.duration_s, 1.0) / 60.0
    rows = [
        ("flight", f"{found.duration_s:.1f} s, {found.frames} frames"),
        ("end", found.missing or "complete"),
        ("size", f"{found.bytes / 1e6:.1f} MB, {found.bytes / 1e6 / minutes:.1f} a minute"),
        ("pictures", found.pictures),
        *((state, f"{seconds:.1f} s") for state, seconds in found.states_s.items()),
        ("track", _track_line(metrics)),
        ("faults", "\n".join(found.faults) or "none"),
        ("weights", found.weights_sha256[:12] or "none: true masks"),
        ("written by", f"{found.package_version}, log version {found.schema_version}"),
        *((k, v if len(v) <= 60 else f"{v[:57]}...") for k, v in found.extra.items()),
        *((f"config {key}", str(value)) for key, value in found.configuration.items()),
    ]
    table = Table(title=escape(str(flight)), show_header=False)
    for row in rows:
        table.add_row(*map(escape, row))  # texts of a log may have brackets
    console = make_console()
    print_table(table, console)
    for change in found.transitions:
        console.print(
            f"{change['time_s']:7.1f} s  {change['source']} → {change['target']}: "
            f"{change['reason']}",
            highlight=False,
            markup=False,
        )


def _track_line(track: TrackMetrics) -> str:
    """The metrics of the track that need no ground truth."""
    if not track.tracked:
        return "none in FOLLOW"
    jitter = "" if track.jitter_m is None else f", jitter {track.jitter_m:.2f} m"
    return (
        f"{track.tracked:.0%} of the frames in FOLLOW, {track.losses} losses, longest "
        f"{track.longest_follow_s:.1f} s{jitter}"
    )


@app.command()
def recover(broken: LogPath, out: NewLogPath) -> None:
    """Write all frames that a damaged log still holds as a complete log."""
    from followme_uav.log.edit import recover as run_recover
    from followme_uav.log.info import missing_end
    from followme_uav.log.reader import read_log

    log = read_log(broken)
    check_writable(out, broken)
    saved = run_recover(log, out)
    print(f"{out}: {saved.entries} frames")
    reason = saved.damage or missing_end(log)
    print(reason or f"{broken} was complete already")


@app.command()
def cut(
    flight: LogPath,
    out: NewLogPath,
    start_s: Annotated[
        float, typer.Option("--from", min=0.0, help="Seconds since the first frame.")
    ] = 0.0,
    end_s: Annotated[
        float | None,
        typer.Option("--to", help="Seconds since the first frame.", show_default="the end"),
    ] = None,
    masks_only: Annotated[
        bool,
        typer.Option("--masks-only", help="Omit images and ground truth: enough for a replay."),
    ] = False,
) -> None:
    """Write a part of a flight as a new log."""
    from followme_uav.log.edit import cut as run_cut
    from followme_uav.log.reader import read_log

    end_s = float("inf") if end_s is None else end_s
    if not start_s < end_s:  # also for NaN
        raise ConfigError(f"--to {end_s:g}: must be later than --from {start_s:g}")
    log = read_log(flight)
    check_writable(out, flight)
    frames = run_cut(log, out, start_s, end_s, masks_only=masks_only)
    print(f"{out}: {frames} frames")
    _print_missing_end(log)
    if start_s > 0.0:
        print("It begins in mid-flight: a replay differs until the pilot has the same state again.")


@app.command()
def export(
    flight: LogPath,
    csv: Annotated[
        Path | None,
        typer.Option(help="Table to write: a row for each frame, a column for each number."),
    ] = None,
    frames: Annotated[
        Path | None, typer.Option(help="Folder for images and masks, as training data.")
    ] = None,
    labels: Annotated[
        str,
        typer.Option(
            help="Masks for --frames: truth, or network: those of the flight, as far as the track "
            "confirms them."
        ),
    ] = "truth",
    every_s: Annotated[
        float,
        typer.Option("--every", min=0.0, help="Least number of seconds between two --frames."),
    ] = 0.0,
) -> None:
    """Write the numbers of a flight as CSV, or its frames as training data."""
    from followme_uav.log.export import export_csv, export_frames
    from followme_uav.log.reader import read_log

    if csv is None and frames is None:
        raise ConfigError("log export: pass --csv FILE, --frames DIR or both")
    if labels not in ("truth", "network"):
        raise ConfigError(f"--labels {labels}: unknown; choose truth or network")
    if not math.isfinite(every_s):
        raise ConfigError(f"--every {every_s:g}: must be a number of seconds")
    log = read_log(flight)
    if csv is not None:
        check_writable(csv, flight)
        print(f"{csv}: {export_csv(log, csv)} rows")
    if frames is not None:
        counts = export_frames(log, frames, cast("Labels", labels), every_s)
        print(f"{frames}: " + ", ".join(f"{count} {kind}" for kind, count in counts.items()))
    _print_missing_end(log)


def _print_missing_end(log: FlightLog) -> None:
    """Print what a log without an end mark lacks; nothing for a whole log."""
    from followme_uav.log.info import missing_end

    gap = missing_end(log)
    if gap:
        print(gap)
