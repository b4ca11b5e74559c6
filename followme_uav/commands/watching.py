"""Viewing of flights, live and from logs: options, checks, plots, videos and recordings."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from followme_uav.errors import LogError
from followme_uav.extras import require
from followme_uav.files import check_outputs, write_image
from followme_uav.terminal import make_console

if TYPE_CHECKING:
    from followme_uav.log.entry import FlightEntry
    from followme_uav.log.reader import FlightLog
    from followme_uav.pilot.map_snapshot import MapSnapshot
    from followme_uav.view.history import History
    from followme_uav.view.live import LiveView
    from followme_uav.view.map_colours import MapReader
    from followme_uav.view.recording import FlightRecording
    from followme_uav.view.viewer import Viewer

ViewOption = Annotated[bool, typer.Option("--view", help="Watch in the Rerun viewer.")]
WebOption = Annotated[
    bool, typer.Option("--web", help="Watch in a browser; the page is served on this machine.")
]

PLOT_FILES = (
    "flight.png",
    "pid_loops.png",
    "loop_times.png",
    "map.png",
    "own_maps.png",
    "film_strip.png",
    "what_if.png",
)
"""All files that --plots may write; which of them depends on the flight."""
FILM_STRIP_IMAGES = 18
_VIDEO_MAP_S = 0.2
"""Time between two maps in a video."""
_FLUSH_S = 60.0
_POLL_S = 0.5


@dataclass(frozen=True)
class Outputs:
    """The options for ways to show a logged flight."""

    view: ViewOption = False
    web: WebOption = False
    rrd: Annotated[
        Path | None, typer.Option(help="Write what --view shows, for any Rerun viewer.")
    ] = None
    video: Annotated[
        Path | None, typer.Option(help="Write camera, mask, map and state as an MP4 video.")
    ] = None
    plots: Annotated[
        Path | None, typer.Option(help="Folder for plots, a map and a film strip as PNG.")
    ] = None

    def __bool__(self) -> bool:
        """Whether any option is given."""
        return bool(self.view or self.web or self.rrd or self.video or self.plots)

    @property
    def files(self) -> list[Path]:
        """The files that may be written."""
        plots = [self.plots / name for name in PLOT_FILES] if self.plots is not None else []
        return [file for file in (self.rrd, self.video, *plots) if file is not None]


def viewer_kind(view: bool, web: bool) -> Literal["window", "web"] | None:
    """Return the viewer to open; check before the long work that it can be opened."""
    if not view and not web:
        return None
    from followme_uav.view.viewer import check_viewer

    kind: Literal["window", "web"] = "web" if web else "window"
    check_viewer(kind)
    return kind


@contextmanager
def live_view(view: bool, web: bool, name: str) -> Iterator[LiveView | None]:
    """Open a viewer for a flight; None without --view and --web."""
    kind = viewer_kind(view, web)
    if kind is None:
        yield None
        return
    from followme_uav.view.live import LiveView

    with LiveView(kind, name) as live:
        if live.viewer.page:
            print(f"watch at {live.viewer.page}", flush=True)
        _warn(live.viewer)
        yield live


def show_log(path: Path, outputs: Outputs) -> None:
    """Show a log, complete or not, in all ways that are asked for.

    Raises:
        ConfigError: An output is the log itself, or two outputs are one file.
        EnvironmentSetupError: A package or the screen is missing.
        LogError: The log cannot be read, or holds no complete frame.
        OutputError: An output cannot be written.
    """
    kind = viewer_kind(outputs.view, outputs.web)
    if outputs.rrd is not None:
        require("rerun", "view", "--rrd")
    if outputs.video is not None:
        require("av", "video", "--video")
    if outputs.plots is not None:
        require("matplotlib", "report", "--plots")
    check_outputs(*outputs.files, inputs=(path,))
    from followme_uav.log.reader import read_log

    shown = _LogPresenter(read_log(path))
    if outputs.plots is not None:
        shown.draw_plots(outputs.plots)
    if outputs.video is not None:
        shown.film(outputs.video)
    if outputs.rrd is not None:
        shown.record(outputs.rrd)
    if kind is not None:
        shown.open_viewer(kind)


def serve(viewer: Viewer) -> None:
    """Keep serving a page until Ctrl-C; return at once for a window."""
    if not viewer.page:
        return
    with suppress(KeyboardInterrupt):
        print(f"serving {viewer.page} until Ctrl-C", flush=True)
        while viewer.is_open():
            time.sleep(_POLL_S)


def _warn(viewer: Viewer) -> None:
    if viewer.warning:
        typer.echo(f"followme-uav: {viewer.warning}", err=True)


class _LogPresenter:
    """Shows a log, which is read once for its numbers and again for the images of each output."""

    def __init__(self, log: FlightLog) -> None:
        from followme_uav.log.solids import solids_of
        from followme_uav.view.history import history_of

        self._log = log
        self._name = log.path.stem
        self._console = make_console(stderr=True)
        self._solids = solids_of(log.metadata.extra)
        with self._console.status(f"Reading {log.path} ..."):
            self._history: History = history_of(log.entries(), log.metadata.config, self._solids)
        if not len(self._history.time_s):
            raise LogError(f"{log.path}: holds no complete frame")
        self._length_s = float(self._history.time_s[-1])
        if log.truncated:
            self._console.print(
                f"{log.path}: the log has no end; its {self._length_s:.1f} s are shown",
                highlight=False,
                soft_wrap=True,
            )

    def draw_plots(self, folder: Path) -> None:
        """Write figures and a film strip as PNG files into `folder`."""
        from followme_uav.view import plots
        from followme_uav.view.map_figure import chosen_moments, own_maps
        from followme_uav.view.panels import COVERAGE_PANEL, FLIGHT_PANELS
        from followme_uav.view.pictures import chosen_times, film_strip

        history = self._history
        moments, last = chosen_moments(history), len(history.time_s) - 1
        maps = self._maps_at([*moments, last])
        panels = (*FLIGHT_PANELS, COVERAGE_PANEL)
        figures = {
            "flight.png": plots.time_lines(history, panels, self._name),
            "pid_loops.png": plots.loop_terms(history),
            "loop_times.png": plots.loop_times(history),
            "map.png": plots.top_view(history, own_map=maps.get(last)),
            **({"own_maps.png": own_maps(history, maps, moments)} if maps else {}),
        }
        for name, figure in figures.items():
            plots.save(figure, folder / name)
        changes = [time_s for time_s, _ in history.transitions]
        chosen = set(chosen_times(history.time_s.tolist(), changes, FILM_STRIP_IMAGES))
        entries = [entry for i, entry in enumerate(self._entries("Film strip")) if i in chosen]
        start_s = entries[0].frame.time_s if entries else 0.0
        write_image(folder / "film_strip.png", film_strip(entries, start_s=start_s))
        print(f"{folder}: {', '.join([*figures, 'film_strip.png'])}")

    def film(self, path: Path) -> None:
        """Write a video."""
        from followme_uav.view.video import write_video
        from followme_uav.view.video_painter import VideoPainter

        painter = VideoPainter(self._history, self._name, self._map_reader(_VIDEO_MAP_S))
        rate_hz = self._log.metadata.config.camera.rate_hz
        write_video(self._entries("Video"), painter, path, rate_hz)
        print(f"{path}: {self._length_s:.1f} s")

    def record(self, path: Path) -> None:
        """Write a Rerun recording."""
        from followme_uav.view.map_colours import VIEWER_MAP_S

        read_map = self._map_reader(VIEWER_MAP_S)
        self._recording().save(self._entries("Recording"), path, read_map)
        print(f"{path}: open it with 'rerun {path}'")

    def open_viewer(self, kind: Literal["window", "web"]) -> None:
        """Open a window, which stays, or serve a page until Ctrl-C."""
        from followme_uav.view.map_colours import VIEWER_MAP_S
        from followme_uav.view.viewer import Viewer

        with Viewer(kind) as viewer:
            _warn(viewer)
            recording, read_map = self._recording(), self._map_reader(VIEWER_MAP_S)
            recording.connect(viewer.url)
            for entry in self._entries("Viewer"):
                recording.log(entry, read_map(entry))
                if not viewer.is_open():
                    return
            recording.finish(_FLUSH_S)
            serve(viewer)

    def _maps_at(self, numbers: list[int]) -> dict[int, MapSnapshot]:
        """The maps that the vehicle has made at these entries."""
        from followme_uav.log.reader import MASK
        from followme_uav.replay.own_maps import maps_at

        if not self._history.makes_map:
            return {}
        log = self._log
        with self._console.status("Making the map anew ..."):
            return maps_at(log.entries((MASK,)), log.metadata.config, numbers)

    def _map_reader(self, every_s: float) -> MapReader:
        """Makes the maps of a flight without a map, in the order of the entries."""
        from followme_uav.replay.own_maps import ReplayedMaps

        maps = ReplayedMaps(self._log.metadata.config)
        return lambda entry: maps.next_snapshot(entry, every_s)

    def _recording(self) -> FlightRecording:
        from followme_uav.view.recording import FlightRecording

        config = self._log.metadata.config
        return FlightRecording(config, self._solids, self._name, self._length_s)

    def _entries(self, what: str) -> Iterator[FlightEntry]:
        """Yield all entries with a progress bar."""
        from rich.progress import Progress  # slow to import

        console = self._console
        # Without a terminal the bar would leave an empty line.
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            count = len(self._history.time_s)
            yield from progress.track(self._log.entries(), total=count, description=what)
