"""A flight without a map in the toy world, among walls: for tests of what shows the map.

The hero walks north from the vehicle and vanishes, so that the flight ends in a search.
"""

import math
from dataclasses import replace
from functools import cache

import numpy as np

from followme_uav.config import load_config
from followme_uav.geometry import yaw_of
from followme_uav.log.entry import FlightEntry, LoopTimings
from followme_uav.log.images import encode_lossless
from followme_uav.log.solids import text_of
from followme_uav.log.writer import FlightLogWriter
from followme_uav.messages import GroundTruth, MaskClass, Solid
from followme_uav.pilot.map_snapshot import snapshot_of
from followme_uav.pilot.pilot import Pilot
from tests.scan_world import scan_around
from tests.toy_world import ToyWorld

CONFIG = load_config(simulator="embedded-no-map")
WALLS = [(24.0, -20.0, 26.0, 20.0), (4.0, 8.0, 12.0, 10.0)]
"""South, west, north, east."""
HOUSE = Solid("building_0", (25.0, 0.0, -6.0), (1.0, 20.0, 6.0), False)
VANISHES_S, END_S = 12.0, 17.0
LAWN = (70, 170, 60)
NO_TIMES = LoopTimings(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def walk(time_s):
    """The hero's position; it is not seen after `VANISHES_S`."""
    return 8.0 + 0.3 * time_s, 0.0


def fly(make_pilot=Pilot, on_step=lambda pilot: None):
    """The entries of the flight; calls `on_step` with the pilot after each step."""
    world = ToyWorld(walk, hidden=((VANISHES_S, math.inf),))
    pilot = make_pilot(CONFIG, world.mask)
    entries = []
    while world.time_s < END_S:
        frame = world.frame()
        heading_deg = math.degrees(yaw_of(frame.camera.orientation))
        scan = scan_around(world.position[:2], WALLS, first_deg=heading_deg - 30.0, span_deg=60.0)
        frame = replace(frame, scan=scan)
        frame.rgb[:] = LAWN
        step = pilot.step(frame)
        on_step(pilot)
        mask = world.mask(frame)
        truth = GroundTruth(frame.time_s, (*walk(frame.time_s), 0.0), (), mask, 5.0)
        entries.append(FlightEntry(frame, step, truth, NO_TIMES, encode_lossless(frame.rgb)))
        world.obey(step.command)
    return entries


@cache
def flown():
    """(entries, the map after each of them) of one flight, to be used by many tests."""
    maps = []
    entries = fly(on_step=lambda pilot: maps.append(snapshot_of(pilot)))
    return entries, maps


def write_log(path):
    """Write the log of the flight."""
    with FlightLogWriter(path, CONFIG, "", {"solids": text_of([HOUSE])}) as log:
        for entry in flown()[0]:
            log.write(entry)
    return path


def cell_at(snapshot, north_m, east_m):
    """The kind of the cell that holds this place."""
    cells = snapshot.cells
    row = int((north_m - cells.south_m) // cells.cell_m)
    column = int((east_m - cells.west_m) // cells.cell_m)
    return cells.values[row, column]


def without_hero(mask):
    """The same mask without a hero."""
    blank = np.zeros_like(mask)
    blank[..., MaskClass.BACKGROUND] = 255
    return blank
