"""Writes docs/city.jpg: images of the embedded city, with exact masks and depth.

python tools/contact_sheet.py            # into docs/city.jpg
python tools/contact_sheet.py --out /somewhere/sheet.jpg
"""

from __future__ import annotations

import argparse
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from followme_uav.geometry import quaternion_from_pan_tilt
from followme_uav.messages import CameraPose
from followme_uav.sim.agents.routes import Hero, HeroMode, Route
from followme_uav.sim.city.atmosphere import Atmosphere, atmosphere, preset
from followme_uav.sim.rendering.objects import SKY_ID
from followme_uav.sim.rendering.rendered_image import Rendering
from followme_uav.sim.rendering.scene import Pose, Scene
from followme_uav.sim.simulation import Simulation

WIDTH_PX, GAP_PX = 1500, 6
FINE = 2
"""Colour images are rendered so many times larger and reduced; masks and depth are not."""
BANNER: tuple[int, str, Atmosphere] = (2, "old_town", atmosphere(235.0, 27.0))
ROWS: tuple[tuple[int, str, Atmosphere], ...] = (
    (1, "plaza", atmosphere(300.0, 46.0)),
    (4, "brick_town", atmosphere(290.0, 36.0)),
    (3, "modern", atmosphere(265.0, 2.0)),
    (9, "plaza", preset("fog")),
)
"""Seed, style and light: two days, dusk and fog."""
ABOVE = (-52.0, -30.0, 26.0, 0.64, -0.36)
"""North, east, height in metres, then yaw and pitch in radians."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/city.jpg"))
    options = parser.parse_args()
    sheet = stacked([banner(*BANNER), *(row_of(*row) for row in ROWS)], axis=0)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet).save(options.out, quality=84)
    print(f"{options.out}: {sheet.shape[1]} x {sheet.shape[0]} px")


def banner(seed: int, style: str, light: Atmosphere) -> np.ndarray:
    """A vehicle that follows the hero, from behind."""
    world, scene = made(seed, style, light, Route(((-46.0, 7.5), (60.0, 7.5))))
    north, east, _ = world.crowd.people[0].position_m
    drone = Pose((north - 3.0, east - 1.95, -2.95), quaternion_from_pan_tilt(0.55, -0.10))
    camera = view(north - 6.0, east - 2.9, 2.55, 0.33, -0.055)
    image = draw(world, scene, replace(camera, fov_rad=math.radians(84.0)), (WIDTH_PX, 600), drone)
    scene.close()
    return image


def row_of(seed: int, style: str, light: Atmosphere) -> np.ndarray:
    """A view from above, and views of the hero from near and far, with masks and depth."""
    world, scene = made(seed, style, light)
    tile = (WIDTH_PX // 2 - 2 * GAP_PX) // 3
    height = 2 * tile + GAP_PX
    wide = draw(world, scene, view(*ABOVE), (WIDTH_PX - 3 * (tile + GAP_PX), height))
    hero = world.crowd.people[0]
    lines = []
    for distance_m, height_m, bearing_rad in ((4.5, 2.8, 0.5), (12.0, 5.0, 2.4)):
        camera = behind(hero.position_m, hero.heading_rad + bearing_rad, distance_m, height_m)
        image = draw(world, scene, camera, (tile, tile))
        people, cars = world.crowd.people, world.traffic.cars
        shown = scene.render(camera, tile, tile, people, cars)
        lines.append(stacked([image, classes(scene, shown, image), depth(shown)], axis=1))
    scene.close()
    return stacked([wide, stacked(lines, axis=0)], axis=1)


def made(
    seed: int, style: str, light: Atmosphere, hero: Hero = HeroMode.RANDOM
) -> tuple[Simulation, Scene]:
    """A city in this light, 15 s after the start."""
    world = Simulation(seed, 40, style=style, cars=12, hero=hero)
    world.step(3000)
    scene = Scene(world.city, 40)
    scene.set_atmosphere(light)
    return world, scene


def draw(
    world: Simulation,
    scene: Scene,
    camera: CameraPose,
    size_px: tuple[int, int],
    drone: Pose | None = None,
) -> np.ndarray:
    """An image with antialiased edges."""
    width, height = size_px
    shown = scene.render(
        camera, FINE * width, FINE * height, world.crowd.people, world.traffic.cars, drone
    )
    return np.asarray(Image.fromarray(shown.rgb).resize(size_px, Image.Resampling.BOX))


def stacked(images: list[np.ndarray], axis: int) -> np.ndarray:
    """Join images along an axis, with a white gap."""
    parts = []
    for image in images:
        gap = list(image.shape)
        gap[axis] = GAP_PX
        parts += [image, np.full(gap, 255, np.uint8)]
    return np.concatenate(parts[:-1], axis=axis)


def view(
    north_m: float, east_m: float, height_m: float, yaw_rad: float, pitch_rad: float
) -> CameraPose:
    """A camera at this place with this orientation."""
    look = quaternion_from_pan_tilt(yaw_rad, pitch_rad)
    return CameraPose((north_m, east_m, -height_m), look, math.radians(66.0))


def behind(
    target_m: tuple[float, float, float], yaw_rad: float, distance_m: float, height_m: float
) -> CameraPose:
    """A camera that looks along `yaw_rad`, and down at the target."""
    north_m = target_m[0] - distance_m * math.cos(yaw_rad)
    east_m = target_m[1] - distance_m * math.sin(yaw_rad)
    return view(north_m, east_m, height_m, yaw_rad, -math.atan2(height_m - 1.0, distance_m))


def classes(scene: Scene, shown: Rendering, colour: np.ndarray) -> np.ndarray:
    """The exact mask: people green, the hero blue, over a dark red version of the image."""
    people, hero = scene.class_masks(shown.object_id)
    grey = colour.mean(axis=2)
    image = np.dstack([60.0 + 0.45 * grey, 0.25 * grey, 0.25 * grey]).astype(np.uint8)
    image[people], image[hero] = (0, 255, 0), (40, 90, 255)
    return image


def depth(shown: Rendering) -> np.ndarray:
    """Depth from 2 to 200 m on a logarithmic scale, near is bright; the sky is blue."""
    share = np.log(np.clip(shown.depth_m, 2.0, 200.0) / 2.0) / math.log(100.0)
    grey = ((1.0 - share) * 255).astype(np.uint8)
    image = np.dstack([grey] * 3)
    image[shown.object_id == SKY_ID] = (20, 30, 70)
    return image


if __name__ == "__main__":
    main()
