"""The box around every static solid and spawned object."""

from __future__ import annotations

import math

import numpy as np

from followme_uav.messages import Vec3
from followme_uav.sim.simulation import Simulation


def world_extents(simulation: Simulation) -> tuple[Vec3, Vec3]:
    """The south-western corner on the ground and the highest north-eastern one, world NED."""
    boxes = [
        (one.centre_m, one.half_size_m, one.yaw_rad != 0.0) for one in simulation.city.colliders
    ]
    boxes += [(one.position_m, one.half_size_m, True) for one in simulation.objects]
    boxes = boxes or [((*simulation.city.start_m, 0.0), (1.0, 1.0, 0.0), False)]
    centres = np.array([centre for centre, _, _ in boxes])
    # A rotated solid reaches no further than its diagonal.
    reach = np.array([(math.hypot(*half),) * 3 if turned else half for _, half, turned in boxes])
    south, west, top = (centres - reach).min(axis=0).tolist()
    north, east, _ = (centres + reach).max(axis=0).tolist()
    terrain = simulation.city.terrain
    bottom = 0.0 if terrain is None else -float(terrain.grid.min())
    return (south, west, bottom), (north, east, top)
