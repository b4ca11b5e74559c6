"""Writes docs/city.jpg: what the embedded city looks like, with exact masks and depth.

python tools/contact_sheet.py            # seeds 1, 2, 3 into docs/city.jpg
python tools/contact_sheet.py --seeds 7 8 --out /somewhere/sheet.jpg
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
from PIL import Image

from followme_uav.messages import CameraPose
from followme_uav.sim.people import Crowd
from followme_uav.sim.scene import SKY_ID, Rendering, Scene
from followme_uav.sim.world import make_city

TILE_PX = 224
VIEWS = ((5.0, 4.0, 0.2), (9.0, 5.0, -0.6), (16.0, 7.0, 2.4), (30.0, 9.0, 0.9))
"""(distance to the hero m, height m, bearing from behind her rad)"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--out", type=Path, default=Path("docs/city.jpg"))
    options = parser.parse_args()
    rows = [row for seed in options.seeds for row in rows_of(seed)]
    sheet = np.vstack(rows)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet).save(options.out, quality=85)
    print(f"{options.out}: {sheet.shape[1]} x {sheet.shape[0]} px")


def rows_of(seed: int) -> list[np.ndarray]:
    """Two rows of pictures, each with its mask and depth."""
    city = make_city(seed)
    crowd = Crowd(city, seed)
    scene = Scene(city)
    tiles = []
    for distance_m, height_m, bearing_rad in VIEWS:
        for _ in range(300):
            crowd.advance(0.05)
        hero = crowd.people[0]
        camera = behind(hero.position_m, hero.heading_rad + bearing_rad, distance_m, height_m)
        shown = scene.render(camera, TILE_PX, TILE_PX, crowd.people)
        tiles.append(np.hstack([shown.rgb, classes(scene, shown), depth(shown)]))
    scene.close()
    return [np.hstack(tiles[:2]), np.hstack(tiles[2:])]


def behind(
    target_m: tuple[float, float, float], yaw_rad: float, distance_m: float, height_m: float
) -> CameraPose:
    """A camera that looks along `yaw_rad` and down at the target."""
    pitch_rad = -math.atan2(height_m - 1.0, distance_m)
    cy, sy = math.cos(yaw_rad / 2), math.sin(yaw_rad / 2)
    cp, sp = math.cos(pitch_rad / 2), math.sin(pitch_rad / 2)
    north_m = target_m[0] - distance_m * math.cos(yaw_rad)
    east_m = target_m[1] - distance_m * math.sin(yaw_rad)
    orientation = (cy * cp, -sy * sp, cy * sp, sy * cp)
    return CameraPose((north_m, east_m, -height_m), orientation, math.radians(60.0))


def classes(scene: Scene, shown: Rendering) -> np.ndarray:
    """Red background, green people, blue hero."""
    people, hero = scene.class_masks(shown.object_id)
    return np.dstack([~(people | hero), people, hero]).astype(np.uint8) * 255


def depth(shown: Rendering) -> np.ndarray:
    """Near is bright, the logarithm of depth from 2 to 200 m; the sky is blue."""
    share = np.log(np.clip(shown.depth_m, 2.0, 200.0) / 2.0) / math.log(100.0)
    grey = ((1.0 - share) * 255).astype(np.uint8)
    image = np.dstack([grey] * 3)
    image[shown.object_id == SKY_ID] = (20, 30, 70)
    return image


if __name__ == "__main__":
    main()
