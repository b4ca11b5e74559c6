"""The colours of plots, videos and the viewer.

Most are from the palette of Okabe and Ito, which people with colour blindness can distinguish.
"""

from __future__ import annotations

from typing import NamedTuple

from followme_uav.messages import MissionState


class MapColours(NamedTuple):
    """Colours of the cells of a map that a vehicle makes itself."""

    unknown: str
    free: str
    viewed: str
    """Free, and the ground below was looked at."""
    frontier: str
    occupied: str


BLUE, SKY, GREEN = "#0072b2", "#56b4e9", "#009e73"
ORANGE, VERMILION, PURPLE, YELLOW = "#e69f00", "#d55e00", "#cc79a7", "#f0e442"
INK, GREY, PALE = "#222222", "#8a9096", "#dfe3e6"

HERO, PEOPLE, VEHICLE = VERMILION, BLUE, INK
TRACK = PURPLE
"""The hero's position as the pilot tracks it."""
OUTLINE = "#2fe6ff"
"""Outline of the hero's mask on camera images; unlike `HERO`, it is not the colour of clothes."""

STATES: dict[MissionState, str] = {
    MissionState.TAKEOFF: "#9aa5b1",
    MissionState.PATROL: "#3d8fc4",
    MissionState.ACQUIRE: "#e6a817",
    MissionState.FOLLOW: "#2f9e5b",
    MissionState.SEARCH: "#e2711d",
    MissionState.LAND: "#7d6bb0",
    MissionState.FAILSAFE: "#c8322b",
    MissionState.DONE: "#5c6670",
}

STREET, GROUND, HOUSE, TREE, DECK = "#d3d6d8", "#eef0ec", "#b9aea3", "#b7d0ac", "#c3c7cc"
"""Maps on a white background."""
DARK_STREET, DARK_HOUSE, DARK_TREE, DARK_DECK = "#3a4047", "#8a7f74", "#4f7a52", "#6a727b"
"""Maps and cities on a dark background."""

MAP_LIGHT = MapColours("#cfd3d6", "#ffffff", "#cfe8cf", "#56b4e9", "#262626")
MAP_DARK = MapColours("#16191d", "#5d6670", "#4c7a5c", "#56b4e9", "#e3e6e8")
"""Of the map that a vehicle makes itself, on a white and on a dark background."""
WAY = "#ff3fb4"
"""The way planned, and the place at its end; unlike paths, which have the colours of states."""
LIKELY = ("#f0e442", "#c8322b")
"""Of the places where a lost hero may be: from a little to most likely."""


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue, 0 to 255, of `#rrggbb`."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue
