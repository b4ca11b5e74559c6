"""Draws the map that the pilot makes in a flight without a map, at several times of the flight.

python tools/exploration_pictures.py FLIGHT.mcap 15 30 60 90 --out docs/exploration.webp

The log is replayed: its frames and masks give the same maps as in flight.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from followme_uav.config import FlightConfig
from followme_uav.log.reader import MASK, TRUTH, read_log
from followme_uav.messages import MissionState
from followme_uav.pilot.mapping.surroundings import Surroundings
from followme_uav.pilot.pilot import Pilot
from followme_uav.pilot.search.hero_search import HeroSearch
from followme_uav.replay.replay import LoggedSensors, replay_masks

PANEL_IN, DPI = 3.2, 100
UNKNOWN, FREE, OCCUPIED = (0.80, 0.80, 0.80), (1.0, 1.0, 1.0), (0.15, 0.15, 0.15)
VIEWED = (0.80, 0.93, 0.80)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("log", type=Path)
    parser.add_argument("times_s", type=float, nargs="+", metavar="SECONDS")
    parser.add_argument("--out", type=Path, default=Path("exploration.webp"))
    parser.add_argument("--radius-m", type=float, default=60.0, help="Half the side of the picture")
    args = parser.parse_args()
    picture = drawn(args.log, sorted(args.times_s), args.radius_m)
    picture.save(args.out, quality=80)
    print(f"{args.out}: {picture.width} x {picture.height} px")


def drawn(path: Path, times_s: list[float], radius_m: float) -> Image.Image:
    """One panel for each time, side by side."""
    log = read_log(path)
    if log.metadata.config.simulator.has_map:
        raise SystemExit(f"{path}: this flight had a map; fly with --profile embedded-no-map")
    pilots: list[Pilot] = []

    def make_pilot(config: FlightConfig, sensors: LoggedSensors) -> Pilot:
        pilots.append(Pilot(config, sensors))
        return pilots[0]

    figure, axes = plt.subplots(
        1, len(times_s), figsize=(PANEL_IN * len(times_s), PANEL_IN * 1.12), squeeze=False
    )
    panels = list(zip(times_s, axes[0], strict=True))
    path_m: list[tuple[float, float]] = []
    for replayed in replay_masks(log.entries((MASK, TRUTH)), log.metadata.config, make_pilot):
        entry, step, pilot = replayed.logged, replayed.step, pilots[0]
        path_m.append(entry.frame.vehicle.position_m[:2])
        while panels and step.time_s >= panels[0][0] and pilot.surroundings is not None:
            time_s, axis = panels.pop(0)
            search = pilot.ways.search if step.state is MissionState.SEARCH else None
            draw(axis, pilot.surroundings, search, path_m, radius_m)
            if entry.truth is not None:
                north_m, east_m, _ = entry.truth.hero_position_m
                axis.plot(east_m, north_m, "*", color="crimson", markersize=11)
            axis.set_title(f"{time_s:g} s, {step.state.value}", fontsize=9)
        if not panels:
            break
    figure.tight_layout(pad=0.4)
    content = io.BytesIO()
    figure.savefig(content, dpi=DPI, facecolor="white")
    plt.close(figure)
    return Image.open(content).convert("RGB")


def draw(
    axis: Any,
    surroundings: Surroundings,
    search: object,
    path_m: list[tuple[float, float]],
    radius_m: float,
) -> None:
    """Draw the map of one moment: north up."""
    fine, coarse = surroundings.grid.window, surroundings.ground.window
    share = coarse.size * coarse.cell_m / (fine.size * fine.cell_m)
    colours = np.full((fine.size, fine.size, 3), UNKNOWN)
    colours[surroundings.grid.is_free] = FREE
    viewed = np.isfinite(surroundings.ground.viewed_s)
    step = round(share * fine.size / coarse.size)
    ground = np.repeat(np.repeat(viewed, step, 0), step, 1)[: fine.size, : fine.size]
    colours[ground & surroundings.grid.is_free] = VIEWED
    colours[surroundings.grid.is_occupied] = OCCUPIED
    axis.imshow(colours, origin="lower", extent=_extent(fine), interpolation="nearest")
    if isinstance(search, HeroSearch) and search.hero_map is not None:
        likely = search.hero_map.probability / search.hero_map.probability.max()
        shown = np.ma.masked_less(likely, 0.02)
        axis.imshow(
            shown,
            origin="lower",
            extent=_extent(search.hero_map.window),
            cmap="autumn_r",
            alpha=0.7,
            interpolation="nearest",
        )
    north_m, east_m = zip(*path_m, strict=True)
    axis.plot(east_m, north_m, color="tab:blue", linewidth=1.0)
    if surroundings.way_m:
        way_north_m, way_east_m = zip(path_m[-1], *surroundings.way_m, strict=True)
        axis.plot(way_east_m, way_north_m, "--", color="tab:orange", linewidth=1.2)
    axis.plot(east_m[-1], north_m[-1], "o", color="tab:blue", markersize=5)
    north, east = surroundings.start_m
    axis.set_xlim(east - radius_m, east + radius_m)
    axis.set_ylim(north - radius_m, north + radius_m)
    axis.tick_params(labelsize=7)


def _extent(window: Any) -> tuple[float, float, float, float]:
    """Of an image of the window's cells: west, east, south, north."""
    south_m, west_m = window.south * window.cell_m, window.west * window.cell_m
    side_m = window.size * window.cell_m
    return west_m, west_m + side_m, south_m, south_m + side_m


if __name__ == "__main__":
    main()
