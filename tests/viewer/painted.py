"""Colours of the flight of `tests.made_flight` in the viewer, and how much of each is expected."""

import numpy as np

from followme_uav.messages import MissionState
from followme_uav.view.colours import DARK_HOUSE, STATES, TRACK, rgb
from tests.made_flight import LAWN, SKY

_LEAST_SHARES = {
    "camera: sky": (SKY, 0.005),
    "camera: lawn": (LAWN, 0.005),
    "band: following": (rgb(STATES[MissionState.FOLLOW]), 0.0005),
    "plot: distance of the track": (rgb(TRACK), 0.0002),
    "house": (rgb(DARK_HOUSE), 0.002),
}


def missing(picture):
    """Colours that are missing in this screenshot of the viewer."""
    return {
        name for name, (colour, least) in _LEAST_SHARES.items() if _share(picture, colour) < least
    }


def _share(picture, colour):
    """Of the pixels: how many have this colour, as bright or up to half as bright."""
    pixels = np.asarray(picture).astype(float)
    paint = np.asarray(colour, float)
    light = pixels @ paint / (paint @ paint)
    off = np.linalg.norm(pixels - light[..., None] * paint, axis=2)
    return float(((off < 8) & (light > 0.5) & (light < 1.03)).mean())
