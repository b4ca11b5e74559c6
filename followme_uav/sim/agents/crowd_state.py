"""The state of the crowd: arrays with one row for each person, the hero first.

World frame NED in metres; headings in radians, 0 = north, clockwise seen from above.
"""

from __future__ import annotations

from dataclasses import dataclass

from followme_uav.sim.agents.avoidance import Pairs
from followme_uav.sim.city.arrays import Floats, Indices


@dataclass(frozen=True)
class Bodies:
    """Pose and speed of each person at one instant."""

    position: Floats
    """(people, 2) north, east."""
    heading_rad: Floats
    """(people,) -pi..pi."""
    speed_mps: Floats
    """(people,)"""
    gait_phase_rad: Floats
    """(people,) 0..2 pi; the left leg is in front at pi / 2."""


@dataclass(frozen=True)
class Surroundings:
    """The neighbourhood of each person, as of the last decision."""

    road_gap_m: Floats
    """(people,) distance to the nearest centre line of a street."""
    on_road: Indices
    """People on a carriageway, or at its edge."""
    height_m: Floats
    """(people,) of the feet above z = 0."""
    pairs: Pairs
    """People who are near each other."""
    obstacles: Pairs
    """People and the obstacle circles near them."""


@dataclass(frozen=True)
class Intent:
    """The action of each person until the next decision."""

    direction: Floats
    """(people, 2) unit vector to the target."""
    speed_mps: Floats
    """(people,) desired."""
    braking_mps2: Floats
    """(people,)"""
    sidestep_mps: Floats
    """(people, 2) velocity added to make room for others."""
    course_rad: Floats
    """(people,) heading that each person turns to."""
    turning_in_place: Indices
    """People who turn although they stand."""
