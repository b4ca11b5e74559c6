"""Flies and logs in the toy world like the flight loop, for tests of logs and replays."""

import dataclasses
import time

import numpy as np

from followme_uav.log.entry import FlightEntry, LoopTimings
from followme_uav.log.images import as_logged, rounded_mask
from followme_uav.log.writer import FlightLogWriter
from followme_uav.messages import GroundTruth
from followme_uav.pilot.pilot import Pilot
from tests.toy_world import ToyWorld

NO_TIMES = LoopTimings(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
FRAME_S = 0.1


def walk(time_s):
    """The hero's position: straight ahead, then none, so that FOLLOW and SEARCH occur."""
    return (8.0 + 1.2 * time_s, 0.0) if time_s < 14.0 else None


def painted(mask):
    """An image from which `masks_of_painted` recovers the mask, also after JPEG compression."""
    return np.ascontiguousarray(mask[..., ::-1])


def masks_of_painted(images):
    """Masks of n images: a pixel with red above 127 is a hero pixel."""
    hero = images[..., 0] > 127
    masks = np.zeros_like(images)
    masks[..., 2] = 255 * hero
    masks[..., 0] = 255 - masks[..., 2]
    return masks


def fly_toy(
    config,
    path,
    seconds=25.0,
    *,
    blind_at=(4.0,),
    in_real_time=False,
    on_frame=None,
    make_pilot=lambda config, masks, world: Pilot(config, masks),
    **metadata,
):
    """Fly and write a log; calls `on_frame` with the number of frames logged so far."""
    world = ToyWorld(walk, frame_s=FRAME_S)
    pilot = make_pilot(
        config, lambda frame: rounded_mask(masks_of_painted(frame.rgb[None])[0]), world
    )
    next_s = time.monotonic()
    with FlightLogWriter(path, config, "", {"seed": "1", **metadata}) as log:
        for number in range(round(seconds / FRAME_S)):
            world.blind = world.time_s in blind_at
            frame = world.frame()
            image = truth = None
            if frame.rgb is not None:
                exact = world.mask(frame)
                rgb, image = as_logged(painted(exact), config.log)
                frame = dataclasses.replace(frame, rgb=rgb)
                place = world.route(world.time_s) or (0.0, 50.0)
                truth = GroundTruth(frame.time_s, (*place, 0.0), (), exact, 5.0)
            step = pilot.step(frame)
            log.write(FlightEntry(frame, step, truth, NO_TIMES, image))
            world.obey(step.command)
            if on_frame is not None:
                on_frame(number + 1)
            if in_real_time:
                next_s += FRAME_S
                time.sleep(max(0.0, next_s - time.monotonic()))
    return path
