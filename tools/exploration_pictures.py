"""Draws the map that the pilot makes in a flight without a map, at several times of the flight.

python tools/exploration_pictures.py FLIGHT.mcap 15 30 60 90 --out docs/exploration.webp

The log is replayed: its frames and masks give the same maps as in flight. The pictures are those of
`replay --plots`, at chosen times.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np
from PIL import Image

from followme_uav.log.reader import MASK, TRUTH, read_log
from followme_uav.replay.own_maps import maps_at
from followme_uav.view.history import history_of
from followme_uav.view.map_figure import own_maps

DPI = 90


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("log", type=Path)
    parser.add_argument("times_s", type=float, nargs="+", metavar="SECONDS")
    parser.add_argument("--out", type=Path, default=Path("exploration.webp"))
    args = parser.parse_args()
    picture = drawn(args.log, sorted(args.times_s))
    picture.save(args.out, quality=80)
    print(f"{args.out}: {picture.width} x {picture.height} px")


def drawn(path: Path, times_s: list[float]) -> Image.Image:
    """One map for each time, side by side."""
    log = read_log(path)
    config = log.metadata.config
    history = history_of(log.entries((TRUTH,)), config)
    if not history.makes_map:
        raise SystemExit(f"{path}: this flight had a map; fly with --profile embedded-no-map")
    last = len(history.time_s) - 1
    numbers = [min(int(i), last) for i in np.searchsorted(history.time_s, times_s)]
    maps = maps_at(log.entries((MASK,)), config, numbers)
    content = io.BytesIO()
    own_maps(history, maps, numbers, columns=len(numbers)).savefig(content, dpi=DPI)
    return Image.open(content).convert("RGB")


if __name__ == "__main__":
    main()
