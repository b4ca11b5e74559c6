"""A synthetic flight whose images have known colours, for tests of viewers of logs."""

import numpy as np

from followme_uav.config import load_config
from followme_uav.log.solids import text_of
from followme_uav.log.writer import FlightLogWriter
from followme_uav.messages import LoopTerms, MissionState, Solid, TrackEstimate, Transition
from tests.conftest import SIZE_PX, detection_at, hero_mask, make_entry

PATROL, FOLLOW = MissionState.PATROL, MissionState.FOLLOW
SKY, LAWN = (190, 60, 200), (70, 170, 60)
HOUSE = Solid("building_0", (20.0, 0.0, -6.0), (6.0, 6.0, 6.0), False)
TREE = Solid("tree_0_crown", (10.0, 8.0, -4.0), (2.0, 2.0, 2.0), True)
DECK = Solid("highway_deck", (40.0, 0.0, -11.0), (5.0, 30.0, 0.5), False)
FRAMES = 40


def painted_image():
    """A purple sky above a lawn."""
    image = np.empty((SIZE_PX, SIZE_PX, 3), np.uint8)
    image[: SIZE_PX // 2], image[SIZE_PX // 2 :] = SKY, LAWN
    return image


def entries(count=FRAMES):
    """PATROL, then FOLLOW; one frame has no image, some have no hero."""
    for index in range(count):
        follows = index >= count // 4
        blind = index == count // 2
        change = Transition(PATROL, FOLLOW, "hero confirmed") if index == count // 4 else None
        yield make_entry(
            index,
            FOLLOW if follows else PATROL,
            transition=change,
            rgb=None if blind else painted_image(),
            mask=None if blind else hero_mask((16, 20) if follows else None, 4),
            detection=detection_at((16, 20), 9) if follows and not blind else None,
            track=TrackEstimate((7.0, 0.1 * index, -0.95), (0.0, 1.0, 0.0), 0.4)
            if follows
            else None,
            loops=(LoopTerms("forward", 0.1, 0.4, 0.0, 0.0, 0.4),) if follows else (),
            truth_mask=None if blind else hero_mask((16, 20), 4),
        )


def write_log(path, count=FRAMES):
    """Write the log of the flight."""
    metadata = {"solids": text_of([HOUSE, TREE, DECK])}
    with FlightLogWriter(path, load_config(), "", metadata) as log:
        for entry in entries(count):
            log.write(entry)
    return path
