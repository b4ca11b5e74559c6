"""Detects from the vehicle's motion that another client has the vehicle.

`AirSimClient` reports when API control was taken away. Disarming, a `reset`, a teleport or a
command of another client show in the vehicle's motion only.
"""

from __future__ import annotations

import math
from dataclasses import replace

from followme_uav.config import FlightConfig
from followme_uav.messages import Command, Frame, Manoeuvre, MissionState, VehicleState

FLYING = (
    MissionState.PATROL,
    MissionState.ACQUIRE,
    MissionState.FOLLOW,
    MissionState.SEARCH,
)
CLIMB_MPS = 0.3
"""A vehicle that is commanded to climb at this rate or faster must move."""
AT_REST_MPS = 0.1


class ControlWatch:
    """Checks the frames of a flight in order, each with the command before it."""

    def __init__(self, config: FlightConfig) -> None:
        self._config = config.mission
        self._lowest_m = config.limits.low_altitude_m
        self._start_down_m: float | None = None
        self._last: VehicleState | None = None
        self._at_rest_since_s: float | None = None
        self._control_since_s: float | None = None
        """Time of the first frame since control was taken."""

    def restart(self) -> None:
        """Control was taken anew: the next state may differ from the last one in any way.

        For `mission.disobeyed_s` the vehicle may then fall or rest, until it reacts to commands.
        """
        self._last = self._at_rest_since_s = self._control_since_s = None

    def check(self, frame: Frame, state: MissionState, command: Command | None) -> Frame:
        """Return the frame, with the reason why control may be lost.

        Args:
            frame: As the simulator sent it, with the simulator's time.
            state: Of the mission, before this frame.
            command: The last one.
        """
        now = frame.vehicle
        if self._start_down_m is None:
            self._start_down_m = now.position_m[2]
        if self._control_since_s is None:
            self._control_since_s = now.time_s
        loss = frame.control_loss or self._was_moved(now)
        if now.time_s - self._control_since_s > self._config.disobeyed_s:
            loss = loss or self._falls(now, state) or self._disobeys(now, state, command)
        self._last = now
        return replace(frame, control_loss=loss) if loss else frame

    def _was_moved(self, now: VehicleState) -> str:
        last = self._last
        if last is None:
            return ""
        dt_s = now.time_s - last.time_s
        if dt_s < 0.0:
            return f"the simulator was reset: its clock went back by {-dt_s:.1f} s"
        if dt_s > self._config.frame_gap_s:
            return ""  # too long to bound the distance flown
        flown_m = dt_s * (math.hypot(*last.velocity_mps) + math.hypot(*now.velocity_mps))
        moved_m = math.dist(last.position_m, now.position_m)
        if moved_m > flown_m + self._config.jump_m:
            return f"another client reset or moved the vehicle: it is {moved_m:.1f} m away at once"
        return ""

    def _falls(self, now: VehicleState, state: MissionState) -> str:
        sink_mps = now.velocity_mps[2]
        if state is MissionState.DONE or sink_mps <= self._config.fall_mps:
            return ""
        return (
            f"the vehicle falls at {sink_mps:.1f} m/s; was it disarmed, or was API control taken?"
        )

    def _disobeys(self, now: VehicleState, state: MissionState, command: Command | None) -> str:
        """The vehicle rests low down, perhaps on the ground, although it should climb."""
        should_climb = (
            command is not None
            and state in FLYING
            and command.manoeuvre is Manoeuvre.VELOCITY
            and command.velocity_mps[2] <= -CLIMB_MPS
        )
        altitude_m = (self._start_down_m or 0.0) - now.position_m[2]
        is_at_rest = math.hypot(*now.velocity_mps) < AT_REST_MPS
        if not (should_climb and is_at_rest and altitude_m < self._lowest_m):
            self._at_rest_since_s = None
            return ""
        if self._at_rest_since_s is None:
            self._at_rest_since_s = now.time_s
        if now.time_s - self._at_rest_since_s < self._config.disobeyed_s:
            return ""
        self._at_rest_since_s = None
        return f"the vehicle does not climb from {altitude_m:.1f} m; was it disarmed?"
