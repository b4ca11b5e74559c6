"""Writes docs/city.jpg: what the embedded city looks like, with exact masks and depth.

python tools/contact_sheet.py            # into docs/city.jpg
python tools/contact_sheet.py --out /somewhere/sheet.jpg
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
from PIL import Image

from followme_uav.messages import CameraPose
from followme_uav.sim.atmosphere import Atmosphere, atmosphere, preset
from followme_uav.sim.people import Crowd
from followme_uav.sim.scene import SKY_ID, Rendering, Scene
from followme_uav.sim.world import make_city

WIDE_PX, TILE_PX = 440, 220
AIR = (-58.0, -34.0, 34.0, 0.62, -0.42)
STREET = (-46.0, 2.0, 5.0, 0.30, -0.10)
"""Views: north, east, height in metres, then yaw and pitch in radians."""
SHEET: tuple[tuple[int, str, Atmosphere], ...] = (
    (1, "plaza", atmosphere(300.0, 46.0)),
    (2, "old_town", atmosphere(215.0, 24.0)),
    (4, "brick_town", atmosphere(290.0, 36.0)),
    (3, "modern", atmosphere(285.0, 1.5)),
    (9, "plaza", preset("fog")),
)
"""Seed, style and light of each row: three days, dusk and fog."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/city.jpg"))
    options = parser.parse_args()
    sheet = np.vstack([row_of(*row) for row in SHEET])
    options.out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet).save(options.out, quality=86)
    print(f"{options.out}: {sheet.shape[1]} x {sheet.shape[0]} px")


def row_of(seed: int, style: str, light: Atmosphere) -> np.ndarray:
    """From above, along a street, after the hero, and what the masks and the depth are of that."""
    city = make_city(seed, style)
    crowd = Crowd(city, seed)
    for _ in range(300):
        crowd.advance(0.05)
    scene = Scene(city)
    scene.set_atmosphere(light)
    wide = [
        scene.render(view(*place), WIDE_PX, WIDE_PX, crowd.people).rgb for place in (AIR, STREET)
    ]
    hero = crowd.people[0]
    tiles = []
    for distance_m, height_m, bearing_rad in ((5.0, 3.2, 0.5), (14.0, 6.0, 2.4)):
        camera = behind(hero.position_m, hero.heading_rad + bearing_rad, distance_m, height_m)
        shown = scene.render(camera, TILE_PX, TILE_PX, crowd.people)
        tiles.append(np.hstack([shown.rgb, classes(scene, shown), depth(shown)]))
    scene.close()
    return np.hstack([*wide, np.vstack(tiles)])


def view(
    north_m: float, east_m: float, height_m: float, yaw_rad: float, pitch_rad: float
) -> CameraPose:
    """A camera there, looking that way."""
    cy, sy = math.cos(yaw_rad / 2), math.sin(yaw_rad / 2)
    cp, sp = math.cos(pitch_rad / 2), math.sin(pitch_rad / 2)
    orientation = (cy * cp, -sy * sp, cy * sp, sy * cp)
    return CameraPose((north_m, east_m, -height_m), orientation, math.radians(66.0))


def behind(
    target_m: tuple[float, float, float], yaw_rad: float, distance_m: float, height_m: float
) -> CameraPose:
    """A camera that looks along `yaw_rad` and down at the target."""
    north_m = target_m[0] - distance_m * math.cos(yaw_rad)
    east_m = target_m[1] - distance_m * math.sin(yaw_rad)
    return view(north_m, east_m, height_m, yaw_rad, -math.atan2(height_m - 1.0, distance_m))


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
