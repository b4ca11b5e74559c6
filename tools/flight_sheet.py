"""Writes docs/flight.jpg: a flight as a strip of camera pictures, what the network saw, and a map.

python tools/flight_sheet.py FLIGHT.mcap               # into docs/flight.jpg
python tools/flight_sheet.py FLIGHT.mcap --out sheet.jpg
"""

from __future__ import annotations

import argparse
import itertools
import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from followme_uav.flight.entry import FlightEntry
from followme_uav.flight.log import read_log
from followme_uav.messages import MaskClass, MissionState

TILE_PX = 224
COLUMNS, ROWS = 6, 3
COLOURS = {
    MissionState.PATROL: (70, 160, 200),
    MissionState.ACQUIRE: (230, 180, 40),
    MissionState.FOLLOW: (60, 180, 75),
    MissionState.SEARCH: (235, 120, 30),
}
GREY = (120, 120, 120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("log", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs/flight.jpg"))
    args = parser.parse_args()
    log = read_log(args.log)
    entries = [entry for entry in log.entries() if entry.frame.rgb is not None]
    sheet = Image.new("RGB", (COLUMNS * TILE_PX, ROWS * TILE_PX), "white")
    tiles = [picture(entry) for entry in chosen(entries, COLUMNS * ROWS - 4)]
    places = [
        (column, row)
        for row in range(ROWS)
        for column in range(COLUMNS)
        if not (row >= ROWS - 2 and column >= COLUMNS - 2)
    ]
    for (column, row), tile in zip(places, tiles, strict=False):
        sheet.paste(tile, (column * TILE_PX, row * TILE_PX))
    plan = top_view(entries, log.metadata.config.simulator.flyable_m)
    sheet.paste(plan, ((COLUMNS - 2) * TILE_PX, (ROWS - 2) * TILE_PX))
    sheet.save(args.out, quality=85)
    print(f"{args.out}: {sheet.width} x {sheet.height} px")


def chosen(entries: list[FlightEntry], count: int) -> list[FlightEntry]:
    """The frames of transitions, and others evenly in between."""
    wanted = [i for i, entry in enumerate(entries) if entry.step.transition is not None][
        : count // 2
    ]
    evenly = np.linspace(0, len(entries) - 1, count - len(wanted), dtype=int)
    return [entries[i] for i in sorted({*wanted, *evenly.tolist()})]


def picture(entry: FlightEntry) -> Image.Image:
    """The camera's picture; hero pixels outlined in cyan, the observation in white; the state."""
    rgb = np.array(entry.frame.rgb)
    mask = entry.step.mask
    if mask is not None:
        hero = mask[..., MaskClass.HERO] > 127
        inner = hero.copy()
        inner[1:-1, 1:-1] &= hero[:-2, 1:-1] & hero[2:, 1:-1] & hero[1:-1, :-2] & hero[1:-1, 2:]
        rgb[hero & ~inner] = (0, 255, 255)
    image = Image.fromarray(rgb).resize((TILE_PX, TILE_PX), Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(image)
    seen = entry.step.observation
    if seen is not None:
        scale = TILE_PX / rgb.shape[1]
        x, y = (0.5 * (c + 1.0) * TILE_PX for c in (seen.u, seen.v))
        half_w, half_h = (0.5 * scale * side + 3 for side in (seen.width_px, seen.height_px))
        draw.rectangle((x - half_w, y - half_h, x + half_w, y + half_h), outline="white")
    state = entry.step.state
    draw.rectangle((0, 0, TILE_PX, 14), fill=COLOURS.get(state, GREY))
    draw.text((4, 2), f"{entry.step.time_s:6.1f} s  {state.value}", fill="white")
    return image


def top_view(entries: list[FlightEntry], streets: tuple) -> Image.Image:
    """Paths of vehicle (by state) and hero (red) over the flyable area, north up."""
    size = 2 * TILE_PX
    image = Image.new("RGB", (size, size), (236, 240, 232))
    draw = ImageDraw.Draw(image)
    reach_m = 100.0

    def pixel(north_m: float, east_m: float) -> tuple[float, float]:
        return size * (0.5 + 0.5 * east_m / reach_m), size * (0.5 - 0.5 * north_m / reach_m)

    for south, west, north, east in streets:
        draw.rectangle((*pixel(north, west), *pixel(south, east)), fill=(208, 208, 208))
    truths = [entry.truth.hero_position_m for entry in entries if entry.truth is not None]
    if truths:
        draw.line([pixel(p[0], p[1]) for p in truths], fill=(210, 30, 30), width=2)
    for before, after in itertools.pairwise(entries):
        line = [pixel(*entry.frame.vehicle.position_m[:2]) for entry in (before, after)]
        if math.dist(*line) < size / 4:
            draw.line(line, fill=COLOURS.get(after.step.state, GREY), width=3)
    legend = [("hero", (210, 30, 30))] + [(s.value, c) for s, c in COLOURS.items()]
    for row, (name, colour) in enumerate(legend):
        draw.rectangle((6, 6 + 14 * row, 16, 14 + 14 * row), fill=colour)
        draw.text((21, 4 + 14 * row), name, fill="black")
    return image


if __name__ == "__main__":
    main()
