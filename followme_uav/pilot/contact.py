"""Ground contact or collision: what a reported contact means in this phase of the flight.

Simulators report the floor as well: at the start, where the vehicle stands, and at touchdown. That
is no collision as long as the surface faces up, the touch is soft, and the vehicle is where a
vehicle stands: low above the ground of its start, or low while it takes off or lands.
"""

from __future__ import annotations

import math

from followme_uav.config import MissionConfig
from followme_uav.geometry import faces_up
from followme_uav.ground import LEVEL, Altimeter, Ground
from followme_uav.messages import MissionState, Vec3, VehicleState

ON_THE_GROUND = (MissionState.TAKEOFF, MissionState.LAND, MissionState.DONE)
"""States in which a vehicle may touch the ground."""


class ContactJudge:
    """Tells collisions from ground contact; takes the vehicle's states in order."""

    def __init__(self, config: MissionConfig, ground: Ground = LEVEL) -> None:
        self._config = config
        self._altimeter = Altimeter(ground)
        self._before_mps: Vec3 = (0.0, 0.0, 0.0)

    def is_collision(self, vehicle: VehicleState, state: MissionState) -> bool:
        """Whether this state reports a collision; `state` is that of the mission."""
        altitude_m = self._altimeter.altitude_m(vehicle.position_m)
        before_mps, self._before_mps = self._before_mps, vehicle.velocity_mps
        if not vehicle.has_collided:
            return False
        contact = vehicle.contact
        if contact is None or contact.normal == (0.0, 0.0, 0.0):
            return state is not MissionState.TAKEOFF  # nothing known but that it still stands there
        into_mps = max(speed_into(contact.normal, v) for v in (before_mps, vehicle.velocity_mps))
        highest_m = (
            self._config.touchdown_altitude_m
            if state in ON_THE_GROUND
            else self._config.landed_altitude_m
        )
        return not (
            faces_up(contact.normal)
            and altitude_m <= highest_m
            and into_mps <= self._config.hard_touch_mps
        )


def speed_into(normal: Vec3, velocity_mps: Vec3) -> float:
    """Part of a velocity that goes into the surface; negative away from it."""
    length = math.hypot(*normal)
    return -sum(n * v for n, v in zip(normal, velocity_mps, strict=True)) / length
