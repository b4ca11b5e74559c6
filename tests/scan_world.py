"""A flat world of upright walls for tests of flight without a map: what a scan would show."""

import math

import numpy as np

from followme_uav.geometry import quaternion_from_pan_tilt
from followme_uav.messages import SCAN_STEP_DEG, CameraPose, Frame, RangeScan, VehicleState

RANGE_M = 40.0


def scan_around(here_m, boxes, *, first_deg=0.0, span_deg=360.0, range_m=RANGE_M):
    """The scan of a camera with this field of view among boxes (south, west, north, east)."""
    first = round(first_deg / SCAN_STEP_DEG) % 180
    rays = first + np.arange(round(span_deg / SCAN_STEP_DEG))
    azimuths_rad = np.radians((rays + 0.5) * SCAN_STEP_DEG)
    return RangeScan(first, tuple(_reach_dm(here_m, one, boxes, range_m) for one in azimuths_rad))


def _reach_dm(here_m, azimuth_rad, boxes, range_m):
    towards = math.cos(azimuth_rad), math.sin(azimuth_rad)
    nearest_m = min((_entry_m(here_m, towards, box) for box in boxes), default=math.inf)
    return -int(10.0 * nearest_m) if nearest_m <= range_m else int(10.0 * range_m)


def _entry_m(here_m, towards, box):
    """Distance along a ray to a box; infinite without a hit."""
    entry_m, leave_m = 0.0, math.inf
    for at, step, low, high in zip(here_m, towards, box[:2], box[2:], strict=True):
        if abs(step) < 1e-12:
            if not low <= at <= high:
                return math.inf
            continue
        one, other = sorted(((low - at) / step, (high - at) / step))
        entry_m, leave_m = max(entry_m, one), min(leave_m, other)
    return entry_m if entry_m <= leave_m else math.inf


def frame_at(
    here_m, boxes, *, time_s=0.0, altitude_m=4.5, pan_deg=0.0, tilt_deg=-12.0, all_around=False
):
    """A frame of a vehicle that hovers there, its camera turned."""
    place = (*here_m, -altitude_m)
    camera = quaternion_from_pan_tilt(math.radians(pan_deg), math.radians(tilt_deg))
    view = {} if all_around else {"first_deg": pan_deg - 30.0, "span_deg": 60.0}
    vehicle = VehicleState(time_s, place, (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    return Frame(
        round(10 * time_s),
        time_s,
        None,
        CameraPose(place, camera, math.radians(60)),
        vehicle,
        scan=scan_around(here_m, boxes, **view),
    )
