"""A world as a place for the simulator: its solids as colliders, its ground, its start."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from followme_uav.messages import Vec2, Vec3
from followme_uav.sim.city.arrays import Floats
from followme_uav.sim.city.layout import Collider
from followme_uav.sim.city.styles import style_of
from followme_uav.worlds.derived.lanes import LaneNetwork, lane_network
from followme_uav.worlds.derived.solids import ConvexPart, Pillar, solids_of
from followme_uav.worlds.derived.walking import WalkGraph, walk_graph
from followme_uav.worlds.terrain import ground_height_m
from followme_uav.worlds.world import GeoOrigin, Terrain, World

_SQUARE_M = 1e-3
"""A ring whose corners are nearer than this to those of a rectangle is a box."""


@dataclass(frozen=True, eq=False)
class WorldPlace:
    """One world, and what the simulator derives from it.

    Args:
        world: the world.
        seed: of everything that is drawn at random in it: people, cars, leaves.
        style_name: name of its style; None: that of the world, else the seed draws one.

    Raises:
        ConfigError: The style is unknown.
    """

    world: World
    seed: int
    style_name: str | None = None
    style: str = field(init=False)

    def __post_init__(self) -> None:
        name = self.style_name or self.world.style or None
        object.__setattr__(self, "style", style_of(self.seed, name).name)

    @cached_property
    def colliders(self) -> tuple[Collider, ...]:
        """All static solids; those of one object follow each other."""
        return tuple(
            _post(solid) if isinstance(solid, Pillar) else _part(solid)
            for solid in solids_of(self.world)
        )

    @cached_property
    def objects(self) -> tuple[Collider, ...]:
        """Each object as one solid: those of several parts as the box around them."""
        return tuple(
            _around(list(parts)) for _, parts in itertools.groupby(self.colliders, _name_of)
        )

    @cached_property
    def walk_graph(self) -> WalkGraph:
        """The ways of people, and the crosswalks on them."""
        return walk_graph(self.world)

    @cached_property
    def lane_network(self) -> LaneNetwork:
        """The lanes of cars."""
        return lane_network(self.world, self.walk_graph.crosswalks)

    @property
    def parked_cars(self) -> int:
        """Number of parked cars; driving ones have the names after them."""
        return len(self.world.parked_cars)

    @property
    def start_m(self) -> Vec2:
        """Place of the take-off."""
        return self.world.start_m

    @property
    def bounds_m(self) -> tuple[float, float, float, float]:
        """South, west, north, east."""
        b = self.world.bounds
        return b.south_m, b.west_m, b.north_m, b.east_m

    @property
    def terrain(self) -> Terrain | None:
        """Heights of the ground; None: the plane z = 0."""
        return self.world.terrain

    @property
    def home(self) -> GeoOrigin | None:
        """Position of (0, 0) on the Earth, of an imported world."""
        return self.world.geo_origin

    def floor_height_m(self, north_m: float, east_m: float) -> float:
        """Height of the ground above z = 0."""
        return ground_height_m(self.world.terrain, north_m, east_m)


def _name_of(solid: Collider) -> str:
    return solid.name


def _around(parts: list[Collider]) -> Collider:
    """The upright box around the parts of one object; the part itself if there is one."""
    if len(parts) == 1 and parts[0].shape != "hull":
        return parts[0]
    boxes = [box_around(part) for part in parts]
    low = np.min([low for low, _ in boxes], axis=0)
    high = np.max([high for _, high in boxes], axis=0)
    n, e, d = (0.5 * (low + high)).tolist()
    half_n, half_e, half_d = (0.5 * (high - low)).tolist()
    return Collider(parts[0].name, "box", (n, e, d), (half_n, half_e, half_d))


def box_around(part: Collider) -> tuple[Floats, Floats]:
    """(3,) lowest and highest coordinates of a solid."""
    half = np.array(part.half_size_m)
    if part.shape == "box":
        c, s = abs(math.cos(part.yaw_rad)), abs(math.sin(part.yaw_rad))
        half[:2] = c * half[0] + s * half[1], s * half[0] + c * half[1]
    return part.centre_m - half, part.centre_m + half


def _post(solid: Pillar) -> Collider:
    half_m = 0.5 * (solid.top_m - solid.bottom_m)
    centre = (*solid.at_m, -0.5 * (solid.top_m + solid.bottom_m))
    return Collider(solid.name, "cylinder", centre, (solid.radius_m, solid.radius_m, half_m))


def _part(solid: ConvexPart) -> Collider:
    """Make a box if the part is one, because boxes cost less than hulls."""
    ring = np.array(solid.ring_m)
    if len(ring) == 4 and len(set(solid.tops_m)) == len(set(solid.bottoms_m)) == 1:
        centre, along, aside = ring.mean(axis=0), ring[1] - ring[0], ring[2] - ring[1]
        length_m, width_m = float(np.hypot(*along)), float(np.hypot(*aside))
        yaw_rad = math.atan2(along[1], along[0])
        a = 0.5 * length_m * np.array((math.cos(yaw_rad), math.sin(yaw_rad)))
        side = math.copysign(1.0, along[0] * aside[1] - along[1] * aside[0])
        b = 0.5 * width_m * side * np.array((-math.sin(yaw_rad), math.cos(yaw_rad)))
        if np.abs(ring - centre - np.array((-a - b, a - b, a + b, b - a))).max() < _SQUARE_M:
            top_m, bottom_m = solid.tops_m[0], solid.bottoms_m[0]
            middle: Vec3 = (float(centre[0]), float(centre[1]), -0.5 * (top_m + bottom_m))
            half: Vec3 = (0.5 * length_m, 0.5 * width_m, 0.5 * (top_m - bottom_m))
            return Collider(solid.name, "box", middle, half, yaw_rad)
    corners = tuple(
        (n, e, -h)
        for heights in (solid.bottoms_m, solid.tops_m)
        for (n, e), h in zip(solid.ring_m, heights, strict=True)
    )
    low, high = np.min(corners, axis=0), np.max(corners, axis=0)
    n, e, d = (0.5 * (low + high)).tolist()
    half_n, half_e, half_d = (0.5 * (high - low)).tolist()
    return Collider(solid.name, "hull", (n, e, d), (half_n, half_e, half_d), 0.0, corners)
