"""Colours of the flight of `tests.made_flight` in the viewer, with their least shares."""

import numpy as np

from followme_uav.messages import MissionState
from followme_uav.view.colours import DARK_HOUSE, MAP_DARK, STATES, TRACK, rgb
from tests.made_flight import LAWN, SKY

_LEAST_SHARES = {
    "camera: sky": (SKY, 0.005),
    "camera: lawn": (LAWN, 0.005),
    "band: FOLLOW": (rgb(STATES[MissionState.FOLLOW]), 0.0005),
    "plot: distance of the track": (rgb(TRACK), 0.0002),
    "house": (rgb(DARK_HOUSE), 0.002),
}


OF_OWN_MAP = {
    "map: ground looked at": (rgb(MAP_DARK.viewed), 0.005),
    "map: free": (rgb(MAP_DARK.free), 0.002),
    "map: frontier": (rgb(MAP_DARK.frontier), 0.001),
}
"""Those of the flight of `tests.mapless_flight`."""


def missing(picture, least_shares=_LEAST_SHARES):
    """Names of the colours that are missing in a screenshot of the viewer."""
    return {
        name for name, (colour, least) in least_shares.items() if _share(picture, colour) < least
    }


def _share(picture, colour):
    """Share of the pixels that have this colour, at 50 to 103 % of its brightness."""
    pixels = np.asarray(picture).astype(float)
    paint = np.asarray(colour, float)
    light = pixels @ paint / (paint @ paint)
    off = np.linalg.norm(pixels - light[..., None] * paint, axis=2)
    return float(((off < 8) & (light > 0.5) & (light < 1.03)).mean())
