"""Child process of other benchmarks: times each image along a flight behind the hero.

    python tools/bench_drawing.py --write-scene scene.json      # for `bench_peer`
    python tools/bench_drawing.py --size 160 --planes rgb
    python tools/bench_drawing.py --world old-town

A process of its own, because Mesa and TensorFlow crash in one process. Prints milliseconds as JSON.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

from followme_uav.geometry import quaternion_from_pan_tilt
from followme_uav.messages import CameraPose
from followme_uav.sim.agents.people import Person
from followme_uav.sim.build import make_simulation
from followme_uav.sim.rendering.scene import Scene
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.world_plan import plan_of

SEED, FRAMES, WARM_UP = 1, 100, 10
FOV_DEG = 60.0
DISTANCE_M, HEIGHT_M = 8.0, 5.0
PLANES = {"rgb": ("rgb",), "all": ("rgb", "object_id", "depth_m")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--planes", choices=PLANES, default="all")
    parser.add_argument(
        "--world", help="a generator or a world file; without: the city of all seeds"
    )
    parser.add_argument("--write-scene", type=Path, help="write the peer's scene; draw nothing")
    args = parser.parse_args()
    world = make_simulation(plan_of(args.world, seed=SEED), None, (args.size, args.size))
    if args.write_scene:
        args.write_scene.write_text(json.dumps(scene_of(world)))
        return
    scene = Scene(world.city)
    times_ms = []
    for _ in range(WARM_UP + FRAMES):
        world.step(20)
        people, cars = world.crowd.people, world.traffic.cars
        camera = follower(people[0])
        start_s = time.perf_counter()
        picture = scene.render(camera, args.size, args.size, people, cars)
        for plane in PLANES[args.planes]:
            getattr(picture, plane)
        times_ms.append(1e3 * (time.perf_counter() - start_s))
    print(json.dumps(times_ms[WARM_UP:]))


def follower(hero: Person) -> CameraPose:
    """A camera behind and above the hero, looking at the hero."""
    north, east, down = hero.position_m
    place = (
        north - DISTANCE_M * math.cos(hero.heading_rad),
        east - DISTANCE_M * math.sin(hero.heading_rad),
        down - HEIGHT_M,
    )
    look = quaternion_from_pan_tilt(hero.heading_rad, -math.atan2(HEIGHT_M - 1.0, DISTANCE_M))
    return CameraPose(place, look, math.radians(FOV_DEG))


def scene_of(world: Simulation) -> dict:
    """The same city for another renderer: solids without textures, people and cameras."""
    cameras, people = [], []
    for _ in range(WARM_UP + FRAMES):
        world.step(20)
        hero = world.crowd.people[0]
        cameras.append({"eye": follower(hero).position_m, "target": hero.position_m})
        people.append([person.position_m for person in world.crowd.people])
    solids = [
        {"shape": c.shape, "centre": c.centre_m, "half": c.half_size_m, "yaw": c.yaw_rad}
        for c in (*world.city.colliders, *world.traffic.colliders())
    ]
    return {"solids": solids, "cameras": cameras, "people": people, "fov_deg": FOV_DEG}


if __name__ == "__main__":
    main()
