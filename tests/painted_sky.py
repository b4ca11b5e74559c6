"""A fast renderer for tests: colours encode row and column, which reveals wrong byte orders."""

from dataclasses import dataclass

import numpy as np

from followme_uav.sim.city.spawned import SLOT_NAMES

OBJECT_NAMES = ("sky", "ground", "hero", "person_01", "tree", *SLOT_NAMES[:3])
HERO_ROW, PERSON_ROW = 3, 5


@dataclass(frozen=True)
class Painting:
    rgb: np.ndarray
    object_id: np.ndarray
    depth_m: np.ndarray


class PaintedSky:
    """Red grows with the row, green with the column; row 3 is the hero, row 5 a person."""

    def __init__(self, city, people, walkers):
        self.object_names = OBJECT_NAMES
        self.renderings = 0
        self.objects = ()
        self.vehicle = None

    def set_objects(self, objects):
        self.objects = tuple(objects)

    def render(self, camera, width_px, height_px, people, cars, vehicle=None):
        self.renderings += 1
        self.vehicle = vehicle
        row, column = np.mgrid[:height_px, :width_px]
        rgb = np.stack((row, column, np.full_like(row, 200)), axis=2).astype(np.uint8)
        object_id = np.ones((height_px, width_px), np.uint8)
        object_id[HERO_ROW], object_id[PERSON_ROW] = 2, 3
        depth_m = np.full((height_px, width_px), 25.0, np.float32)
        return Painting(rgb, object_id, depth_m)
