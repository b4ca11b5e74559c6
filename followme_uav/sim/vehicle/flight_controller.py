"""Flight controllers: the interface that all of them have, and the choice by the vehicle file."""

from __future__ import annotations

from typing import Protocol

from followme_uav.sim.vehicle.autopilot import Autopilot
from followme_uav.sim.vehicle.control_loops import Thrusts
from followme_uav.sim.vehicle.gains import Gains
from followme_uav.sim.vehicle.setpoints import SetPoint
from followme_uav.sim.vehicle.simple_flight import SimpleFlight
from followme_uav.sim.vehicle.vehicle import Vehicle
from followme_uav.sim.vehicle.vehicle_spec import ObserverController, SimpleFlightController


class GainLoop(Protocol):
    """A control loop whose gains a client may change."""

    def set_gains(self, gains: Gains) -> None:
        """Use these gains from now on."""


class GainLoops(Protocol):
    """The control loops of a flight controller."""

    @property
    def position(self) -> GainLoop:
        """Axes x, y, z."""

    @property
    def velocity(self) -> GainLoop:
        """Axes x, y, z."""

    @property
    def angle(self) -> GainLoop:
        """Axes roll, pitch, yaw."""

    @property
    def rate(self) -> GainLoop:
        """Axes roll, pitch, yaw."""


class FlightController(Protocol):
    """Computes rotor thrusts from set points.

    Attributes:
        armed: the vehicle is armed.
        landed: the vehicle stands on something, or has not taken off.
        api_control: set points of tasks are flown.
    """

    armed: bool
    landed: bool
    api_control: bool

    @property
    def loops(self) -> GainLoops:
        """The control loops."""

    def arm(self, armed: bool) -> bool:
        """Arm or disarm; return whether that was possible."""

    def reset(self, *, landed: bool) -> None:
        """Clear all state and restore the gains; armed."""

    def command(self, set_point: SetPoint) -> None:
        """Fly this set point for the next 60 ms."""

    def hold(self) -> None:
        """Hold position from now on."""

    def moved(self, *, landed: bool) -> None:
        """Take note that the vehicle was teleported."""

    def update(self) -> Thrusts:
        """Rotor thrusts in newtons for the coming step, in the order of `Vehicle.thrusts_n`."""


def make_controller(
    vehicle: Vehicle, spec: ObserverController | SimpleFlightController
) -> FlightController:
    """Make the flight controller of a vehicle."""
    if isinstance(spec, SimpleFlightController):
        return SimpleFlight(vehicle, spec)
    return Autopilot(vehicle, spec)
