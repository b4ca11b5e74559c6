"""Pictures of one flight for the report: time series, map and film strip, as WebP."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from followme_uav.files import write_image
from followme_uav.log.reader import MASK, TRUTH, read_log
from followme_uav.log.solids import solids_of
from followme_uav.pilot.map_snapshot import MapSnapshot
from followme_uav.replay.own_maps import maps_at
from followme_uav.view import pictures, plots
from followme_uav.view.history import history_of
from followme_uav.view.map_figure import chosen_moments, own_maps
from followme_uav.view.panels import COVERAGE_PANEL, FLIGHT_PANELS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS = {
    "lines": "State, hero in view, image error, distance, speeds and clearance over time",
    "map": "The vehicle's and the hero's paths from above, among the buildings",
    "strip": "Camera images",
}
"""Name and meaning of each picture."""
OWN_MAPS = "own-maps"
OWN_MAPS_CAPTION = (
    "The map that the vehicle makes: the ground that it has looked at, the way planned, and in a "
    "search where the hero may be"
)
"""One more picture, of flights without a map."""

_FRAMES, _COLUMNS, _SIDE_PX = 12, 6, 200
_PANELS = (
    *(p for p in FLIGHT_PANELS if p.key in ("image_error", "distance", "speed", "height")),
    COVERAGE_PANEL,
)
_DPI = 90


@dataclass(frozen=True)
class Drawing:
    """The pictures of one flight."""

    log: Path
    prefix: Path
    """Path of the files up to `-KIND.webp`."""

    def file(self, kind: str) -> Path:
        """Return the path of one of `KINDS`, or of `OWN_MAPS`."""
        return self.prefix.with_name(f"{self.prefix.name}-{kind}.webp")

    @property
    def shown(self) -> dict[str, str]:
        """Name and meaning of each picture that was drawn; the last ones need the most space."""
        has_maps = self.file(OWN_MAPS).exists()
        return {**KINDS, **({OWN_MAPS: OWN_MAPS_CAPTION} if has_maps else {})}

    @property
    def is_done(self) -> bool:
        """Whether all files exist and are no older than the log."""
        files = [self.file(kind) for kind in KINDS]
        drawn_ns = self.log.stat().st_mtime_ns
        return all(f.exists() and f.stat().st_mtime_ns >= drawn_ns for f in files)


def draw(drawing: Drawing) -> None:
    """Draw and write the pictures; the log is read twice, to load only the images shown.

    That of a flight without a map is read once more, to make its map anew.
    """
    log = read_log(drawing.log)
    history = history_of(log.entries((TRUTH,)), log.metadata.config, solids_of(log.metadata.extra))
    changes_s = [time_s for time_s, _ in history.transitions]
    chosen = set(pictures.chosen_times(history.time_s.tolist(), changes_s, _FRAMES))
    entries = list(log.entries(numbers=chosen))
    strip = pictures.film_strip(
        entries,
        columns=_COLUMNS,
        side_px=_SIDE_PX,
        start_s=entries[0].frame.time_s if entries else 0.0,  # the first frame is always chosen
    )
    moments, last = chosen_moments(history), len(history.time_s) - 1
    maps: dict[int, MapSnapshot] = {}
    if history.makes_map:
        maps = maps_at(log.entries((MASK,)), log.metadata.config, [*moments, last])
    images = {
        "lines": _image(plots.time_lines(history, _PANELS)),
        "map": _image(plots.top_view(history, own_map=maps.get(last))),
        "strip": strip,
    }
    if maps:
        images[OWN_MAPS] = _image(own_maps(history, maps, moments))
    else:
        drawing.file(OWN_MAPS).unlink(missing_ok=True)  # of an earlier flight of this name
    for kind, image in images.items():
        write_image(drawing.file(kind), image, quality=80)


def _image(figure: Figure) -> Image.Image:
    content = io.BytesIO()
    figure.savefig(content, dpi=_DPI, facecolor="white", format="png")
    return Image.open(content).convert("RGB")
