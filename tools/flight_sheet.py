"""Writes docs/flight.jpg and docs/viewing.jpg: a flight as a film strip with a map, and a moment.

python tools/flight_sheet.py FLIGHT.mcap              # into docs
python tools/flight_sheet.py FLIGHT.mcap --at 30 --out pictures
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np
from PIL import Image

from followme_uav.log.reader import FlightLog, read_log
from followme_uav.log.solids import solids_of
from followme_uav.view.history import History, history_of
from followme_uav.view.pictures import chosen_times, film_strip
from followme_uav.view.plots import top_view
from followme_uav.view.video_painter import VideoPainter

PICTURES, COLUMNS = 12, 4
MAP_IN = 6.5
"""Small, so that its letters are large once it is as high as the strip."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("log", type=Path)
    parser.add_argument("--at", type=float, default=30.0, help="Seconds; of the moment.")
    parser.add_argument("--out", type=Path, default=Path("docs"))
    args = parser.parse_args()
    log = read_log(args.log)
    history = history_of(log.entries(), log.metadata.config, solids_of(log.metadata.extra))
    for name, picture in (
        ("flight.jpg", sheet(log, history)),
        ("viewing.jpg", moment(log, history, args.at)),
    ):
        picture.save(args.out / name, quality=85)
        print(f"{args.out / name}: {picture.width} x {picture.height} px")


def sheet(log: FlightLog, history: History) -> Image.Image:
    """The strip on the left, the map on the right."""
    changes_s = [time_s for time_s, _ in history.transitions]
    chosen = set(chosen_times(history.time_s.tolist(), changes_s, PICTURES))
    entries = [entry for index, entry in enumerate(log.entries()) if index in chosen]
    strip = film_strip(entries, COLUMNS, start_s=entries[0].frame.time_s)
    content = io.BytesIO()
    top_view(history, MAP_IN).savefig(content, dpi=strip.height / MAP_IN, facecolor="white")
    plan = Image.open(content)
    both = Image.new("RGB", (strip.width + plan.width, strip.height), "white")
    both.paste(strip, (0, 0))
    both.paste(plan, (strip.width, 0))
    return both


def moment(log: FlightLog, history: History, at_s: float) -> Image.Image:
    """As the video shows it."""
    painter = VideoPainter(history, log.path.stem)
    last = int(np.searchsorted(history.time_s, at_s))
    for index, entry in enumerate(log.entries()):
        picture = painter.paint(entry)
        if index >= last:
            break
    return picture


if __name__ == "__main__":
    main()
