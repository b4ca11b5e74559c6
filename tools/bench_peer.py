"""Child process of `bench_simulator`: pybullet's TinyRenderer draws the same flight.

    $(tools/peer_env.sh) tools/bench_peer.py scene.json --size 160

Buildings, trees and cars are boxes and cylinders without textures, people are moving cylinders.
Each image has colour with shadows, depth and object numbers. Prints milliseconds as JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import pybullet as bullet

WARM_UP = 10
NEAR_M, FAR_M = 0.1, 500.0
PERSON_RADIUS_M, PERSON_HEIGHT_M = 0.3, 1.75


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scene", type=Path)
    parser.add_argument("--size", type=int, default=160)
    args = parser.parse_args()
    scene = json.loads(args.scene.read_text())
    bullet.connect(bullet.DIRECT)
    people = build(scene)
    lens = bullet.computeProjectionMatrixFOV(scene["fov_deg"], 1.0, NEAR_M, FAR_M)
    times_ms = []
    for camera, feet in zip(scene["cameras"], scene["people"], strict=True):
        for body, place in zip(people, feet, strict=True):
            bullet.resetBasePositionAndOrientation(body, up(place, 0.875), (0, 0, 0, 1))
        view = bullet.computeViewMatrix(up(camera["eye"]), up(camera["target"], 1.0), (0, 0, 1))
        start_s = time.perf_counter()
        bullet.getCameraImage(
            args.size, args.size, view, lens, shadow=1, renderer=bullet.ER_TINY_RENDERER
        )
        times_ms.append(1e3 * (time.perf_counter() - start_s))
    print(json.dumps(times_ms[WARM_UP:]))


def build(scene: dict) -> list[int]:
    """Create all solids and people; return the bodies of the people."""
    ground = bullet.createVisualShape(bullet.GEOM_BOX, halfExtents=(130, 130, 0.05))
    bullet.createMultiBody(0, -1, ground, (0, 0, -0.05))
    for i, solid in enumerate(scene["solids"]):
        north, east, tall = solid["half"]
        colour = (0.4 + 0.01 * (i % 50), 0.5, 0.7 - 0.01 * (i % 50), 1)
        if solid["shape"] == "box":
            size = {"halfExtents": (east, north, tall)}
            shape = bullet.createVisualShape(bullet.GEOM_BOX, rgbaColor=colour, **size)
        else:
            size = {"radius": north, "length": 2 * tall}
            shape = bullet.createVisualShape(bullet.GEOM_CYLINDER, rgbaColor=colour, **size)
        turn = bullet.getQuaternionFromEuler((0, 0, -solid["yaw"]))
        bullet.createMultiBody(0, -1, shape, up(solid["centre"]), turn)
    figure = bullet.createVisualShape(
        bullet.GEOM_CYLINDER, radius=PERSON_RADIUS_M, length=PERSON_HEIGHT_M
    )
    return [bullet.createMultiBody(0, -1, figure, (0, 0, 1)) for _ in scene["people"][0]]


def up(place: list[float], higher_m: float = 0.0) -> tuple[float, float, float]:
    """NED to (east, north, up)."""
    return place[1], place[0], higher_m - place[2]


if __name__ == "__main__":
    main()
