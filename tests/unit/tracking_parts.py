"""A camera over a street, and masks of people on it, for tests of the tracking."""

import math

import numpy as np

from followme_uav.config import load_config
from followme_uav.geometry import pixel_of_point, quaternion_from_euler
from followme_uav.messages import CameraPose, Frame, MaskClass, MissionState, VehicleState
from followme_uav.perception.detection import detect
from followme_uav.pilot.tracking.tracker import Tracker

CONFIG = load_config()
SIZE_PX = 160
PATROL, ACQUIRE = MissionState.PATROL, MissionState.ACQUIRE
FOLLOW, SEARCH = MissionState.FOLLOW, MissionState.SEARCH


def frame_at(time_s):
    """A frame of a camera 4.5 m above the origin that looks north and a little down."""
    position, still = (0.0, 0.0, -4.5), (0.0, 0.0, 0.0)
    vehicle = VehicleState(time_s, position, still, (1.0, 0.0, 0.0, 0.0), still)
    camera = CameraPose(position, quaternion_from_euler(0.0, -0.2, 0.0), math.radians(60))
    return Frame(0, time_s, np.zeros((SIZE_PX, SIZE_PX, 3), np.uint8), camera, vehicle)


def mask_with(*people, area=1.0):
    """The mask of people at (north, east), of the hero's height and `area` times its width."""
    mask = np.zeros((SIZE_PX, SIZE_PX, 3), np.uint8)
    camera = frame_at(0.0).camera
    for north, east in people:
        head = pixel_of_point(camera, (north, east, -1.7))
        feet = pixel_of_point(camera, (north, east, 0.0))
        px_per_m = SIZE_PX / (2 * math.tan(math.radians(30)) * head[2])
        width_px = max(1, round(area * 0.3 * px_per_m))
        left = round((head[0] + 1) * SIZE_PX / 2 - width_px / 2)
        top, bottom = (round((point[1] + 1) * SIZE_PX / 2) for point in (head, feet))
        mask[top:bottom, left : left + width_px, MaskClass.HERO] = 255
    return mask


def track(tracker, time_s, mask, state, feedback=None):
    """The result of the tracker for this mask."""
    detections = detect(mask, CONFIG.detection)
    return tracker.update(frame_at(time_s), detections, mask.shape, state, feedback)


def following(position_m, frames=10):
    """A tracker that has followed a hero that stands at this position."""
    tracker = Tracker(CONFIG)
    for i in range(frames):
        found = track(tracker, 0.1 * i, mask_with(position_m), FOLLOW if i else PATROL)
        assert found.selected is not None
    return tracker
