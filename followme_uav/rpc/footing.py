"""Whether the vehicle surely stands on the ground: only there may it be disarmed.

Simulators disagree about `landed_state` after a landing, and none tells the height above ground.
So the ground's level is learnt from evidence: the simulator reports that something facing up was
touched; or, on the level of the start, it says "landed" - elsewhere that means little,
as AirSim says so of a vehicle that hovers still. The vehicle stands where it rests on that level.
"""

from __future__ import annotations

import math

from followme_uav.geometry import faces_up
from followme_uav.messages import VehicleState

LANDED = 0
"""AirSim's `landed_state`."""
LEVEL_M = 0.3
"""Higher or lower than this, it is another level."""
AT_REST_MPS = 0.2


class Footing:
    """Takes the vehicle's states in order."""

    def __init__(self) -> None:
        self._start_down_m: float | None = None
        self._ground_down_m: float | None = None
        self._vehicle: VehicleState | None = None

    def feel(self, vehicle: VehicleState, landed_state: object) -> None:
        """Take the next state."""
        self._vehicle = vehicle
        down_m = vehicle.position_m[2]
        if self._start_down_m is None:
            self._start_down_m = down_m
        contact = vehicle.contact
        touches = contact is not None and faces_up(contact.normal)
        says_so = landed_state == LANDED and abs(down_m - self._start_down_m) <= LEVEL_M
        if self._is_slow(vehicle) and (touches or says_so):
            self._ground_down_m = down_m

    @property
    def is_sure(self) -> bool:
        """Whether the vehicle rests where the ground is known to be."""
        vehicle, ground_m = self._vehicle, self._ground_down_m
        if vehicle is None or ground_m is None:
            return False
        return self._is_slow(vehicle) and abs(vehicle.position_m[2] - ground_m) <= LEVEL_M

    @staticmethod
    def _is_slow(vehicle: VehicleState) -> bool:
        return math.hypot(*vehicle.velocity_mps) < AT_REST_MPS
