"""Makes the pictures of docs/worlds.md: each world at eye level, its masks, at dusk, from above.

python tools/world_pictures.py [NAME...]
"""

import math
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from followme_uav.files import write_image
from followme_uav.geometry import multiply
from followme_uav.messages import CameraPose
from followme_uav.sim.agents.people import Crowd
from followme_uav.sim.agents.traffic_of import traffic_of
from followme_uav.sim.city.atmosphere import preset
from followme_uav.sim.city.grid_world import WORLDS
from followme_uav.sim.city.obstacles import ClearanceField
from followme_uav.sim.places import load_place
from followme_uav.sim.rendering.scene import Scene

DOCS = Path(__file__).resolve().parents[1] / "docs"
SEEDS = (1, 2)
SIZE_PX = (288, 192)
"""Of each view; drawn at twice the size, and made smaller."""
MAX_BYTES = 60_000
WALK_S = 10
EYE_M = 1.7


def camera(place, north, east, up_m, yaw_rad, pitch_rad, fov_deg=75.0):
    """A camera above the ground that looks along a yaw, and down for a negative pitch."""
    half = 0.5 * yaw_rad, 0.5 * pitch_rad
    yaw = (math.cos(half[0]), 0.0, 0.0, math.sin(half[0]))
    turn = multiply(yaw, (math.cos(half[1]), 0.0, math.sin(half[1]), 0.0))
    down_m = -place.floor_height_m(north, east) - up_m
    return CameraPose((north, east, down_m), turn, math.radians(fov_deg))


def view_of_somebody(place, crowd, field):
    """A view at eye level of the first person near the start with free air in front."""
    by_distance = sorted(crowd.people, key=lambda p: math.dist(p.position_m[:2], place.start_m))
    for person in by_distance:
        north, east, _ = person.position_m
        for turn in range(12):
            yaw = person.heading_rad + turn * math.pi / 6
            n, e = north - 6.5 * math.cos(yaw), east - 6.5 * math.sin(yaw)
            view = camera(place, n, e, EYE_M, yaw, -0.03)
            between = (0.5 * (n + north), 0.5 * (e + east), view.position_m[2])
            if field.clearance_m(view.position_m) > 1.2 and field.clearance_m(between) > 0.7:
                return view
    return camera(place, *place.start_m, EYE_M, 0.0, -0.03)


def pictures(name, seed):
    """Eye level, masks, dusk and from above."""
    place = load_place(name, seed)
    crowd, traffic = Crowd(place, seed), traffic_of(place, seed, 8)
    for _ in range(20 * WALK_S):
        crowd.advance(0.05, traffic)
        traffic.advance(0.05, crowd.in_the_road_m, crowd.crosswalks_in_use)
    scene = Scene(place)

    def render(view):
        width_px, height_px = SIZE_PX
        return scene.render(view, 2 * width_px, 2 * height_px, crowd.people, traffic.cars)

    south_m, west_m, north_m, east_m = place.bounds_m
    size_m = north_m - south_m
    middle = 0.5 * (south_m + north_m), 0.5 * (west_m + east_m)
    eye = view_of_somebody(place, crowd, ClearanceField(place.colliders))
    above = camera(place, middle[0] - 0.42 * size_m, middle[1], 0.42 * size_m, 0.0, -0.8, 70.0)
    day, air = render(eye), render(above)
    scene.set_atmosphere(preset("dusk"))
    dusk = render(eye)
    colours = np.random.default_rng(1).integers(70, 230, (len(scene.object_names), 3))
    colours[0], colours[1] = (20, 20, 30), (60, 60, 60)
    masks = colours[day.object_id].astype(np.uint8)
    people, hero = scene.class_masks(day.object_id)
    masks[people], masks[hero] = (40, 90, 255), (255, 40, 40)
    scene.close()
    views = (Image.fromarray(view) for view in (day.rgb, masks, dusk.rgb, air.rgb))
    return np.hstack([view.resize(SIZE_PX, Image.Resampling.LANCZOS) for view in views])


def save(sheet, path):
    """Write a picture in the best quality for which the file is small enough."""
    for quality in range(85, 0, -5):
        write_image(path, sheet, quality=quality, method=6)
        if path.stat().st_size <= MAX_BYTES:
            return


def main(names):
    for name in names or WORLDS:
        sheet = np.vstack([pictures(name, seed) for seed in SEEDS])
        save(Image.fromarray(sheet), DOCS / f"view-{name}.webp")


if __name__ == "__main__":
    main(sys.argv[1:])
