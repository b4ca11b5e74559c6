"""Detects that the vehicle stands on the ground, where alone it may be disarmed.

Simulators disagree about `landed_state` after a landing, and none reports the height above ground.
The ground's level is therefore estimated: from a contact with a surface that faces up; or from
`landed_state` on the level of the start. On other levels `landed_state` is ignored: AirSim reports
"landed" of a vehicle that hovers. The vehicle stands if it is at rest on the estimated level.
"""

from __future__ import annotations

import math

from followme_uav.geometry import faces_up
from followme_uav.messages import VehicleState

LANDED = 0
"""AirSim's `landed_state`."""
LEVEL_TOLERANCE_M = 0.3
AT_REST_MPS = 0.2


class GroundContact:
    """Estimates the ground's level from the vehicle's states."""

    def __init__(self) -> None:
        self._start_down_m: float | None = None
        self._ground_down_m: float | None = None
        self._vehicle: VehicleState | None = None

    def update(self, vehicle: VehicleState, landed_state: object) -> None:
        """Take the next state, with AirSim's `landed_state` of the same instant."""
        self._vehicle = vehicle
        down_m = vehicle.position_m[2]
        if self._start_down_m is None:
            self._start_down_m = down_m
        contact = vehicle.contact
        touches_ground = contact is not None and faces_up(contact.normal)
        has_landed = (
            landed_state == LANDED and abs(down_m - self._start_down_m) <= LEVEL_TOLERANCE_M
        )
        if _is_at_rest(vehicle) and (touches_ground or has_landed):
            self._ground_down_m = down_m

    @property
    def is_certain(self) -> bool:
        """Whether the vehicle is at rest on the estimated level of the ground."""
        vehicle, ground_m = self._vehicle, self._ground_down_m
        if vehicle is None or ground_m is None:
            return False
        return _is_at_rest(vehicle) and abs(vehicle.position_m[2] - ground_m) <= LEVEL_TOLERANCE_M


def _is_at_rest(vehicle: VehicleState) -> bool:
    return math.hypot(*vehicle.velocity_mps) < AT_REST_MPS
