"""RPC methods of the vehicle's body: rotors, true motion, and a change of pose."""

from __future__ import annotations

import math
from concurrent.futures import Future
from typing import Any

from followme_uav.messages import Quaternion, Vec3
from followme_uav.rpc.server import HandlerError
from followme_uav.sim.airsim_api import structs
from followme_uav.sim.airsim_api.motion_parameters import MAX_SPEED_MPS
from followme_uav.sim.airsim_api.service import Handlers, Service
from followme_uav.sim.airsim_api.structs import read_bool, read_number, read_struct
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.vehicle.earth import MAX_POSITION_M
from followme_uav.sim.vehicle.vehicle import ROTOR_THRUST_COEFFICIENT

MAX_SPIN_RADPS = 20.0
ROOM_M = 0.45
"""Clearance required at a new position, unless collisions are ignored."""

_SPIN = (-1.0, -1.0, 1.0, 1.0)
"""Direction of each rotor, seen from above: clockwise is positive, as in AirSim."""
_XYZ = ("x_val", "y_val", "z_val")


class VehicleMethods(Service):
    """getRotorStates, simGetGroundTruthKinematics, simSetVehiclePose, simSetKinematics."""

    def handlers(self) -> Handlers:
        """Method name to function."""
        return {
            "getRotorStates": self._get_rotors,
            "simGetGroundTruthKinematics": self._get_kinematics,
            "simSetVehiclePose": self._set_pose,
            "simSetKinematics": self._set_kinematics,
        }

    def _get_rotors(self, v: Any) -> Future[structs.Struct]:
        """RotorStates: thrust in N, torque about the body's axis in Nm, speed in rad/s."""
        self.check_vehicle(v)

        def job(simulation: Simulation) -> structs.Struct:
            vehicle = simulation.vehicle
            torque_m = vehicle.airframe.yaw_torque_per_thrust_m
            rotors = [
                {
                    "thrust": thrust,
                    "torque_scaler": spin * torque_m * thrust,
                    "speed": math.sqrt(thrust / ROTOR_THRUST_COEFFICIENT),
                }
                for thrust, spin in zip(vehicle.thrusts_n, _SPIN, strict=True)
            ]
            return {"rotors": rotors, "timestamp": simulation.time_ns}

        return self.call(job)

    def _get_kinematics(self, v: Any) -> Future[structs.Struct]:
        self.check_vehicle(v)
        return self.call(lambda simulation: structs.kinematics(simulation.vehicle.kinematics()))

    def _set_pose(self, pose: Any, ignore_collision: Any, v: Any) -> Future[None]:
        return self._set_motion({"pose": pose}, pose, ignore_collision, v)

    def _set_kinematics(self, state: Any, ignore_collision: Any, v: Any) -> Future[None]:
        return self._set_motion(state, state, ignore_collision, v)

    def _set_motion(self, state: Any, pose: Any, ignore_collision: Any, v: Any) -> Future[None]:
        """Set the vehicle's motion; NaN in the pose keeps the present value.

        Raises:
            HandlerError: The position is occupied and collisions are not ignored.
        """
        self.check_vehicle(v)
        motion, place = read_struct(state, "state"), read_struct(pose, "pose")
        position = _read_position(place.get("position", {}))
        orientation = _read_orientation(place.get("orientation", {}))
        velocity = structs.read_vector(
            motion.get("linear_velocity", {}), "linear_velocity", MAX_SPEED_MPS
        )
        rates = structs.read_vector(
            motion.get("angular_velocity", {}), "angular_velocity", MAX_SPIN_RADPS
        )
        ignore = read_bool(ignore_collision, "ignore_collision")

        def job(simulation: Simulation) -> None:
            vehicle = simulation.vehicle
            north, east, down = (
                now if math.isnan(new) else new
                for new, now in zip(position, vehicle.position_m, strict=True)
            )
            place_m = simulation.above_ground((north, east, down))
            if not ignore and simulation.clearance_m(place_m) < ROOM_M:
                raise HandlerError(
                    f"no room at ({north:g}, {east:g}, {down:g}): less than {ROOM_M} m to the "
                    "nearest solid; choose another position or ignore_collision"
                )
            simulation.set_motion(place_m, orientation or vehicle.orientation, velocity, rates)

        return self.call(job)


def _read_position(value: Any) -> Vec3:
    """Vector3r with NaN allowed."""
    fields = read_struct(value, "position")
    north, east, down = (
        math.nan if _is_nan(number) else read_number(number, name, -MAX_POSITION_M, MAX_POSITION_M)
        for name, number in ((f"position.{k}", fields.get(k, 0.0)) for k in _XYZ)
    )
    return north, east, down


def _read_orientation(value: Any) -> Quaternion | None:
    """Quaternionr; None if any of it is NaN."""
    if any(_is_nan(number) for number in read_struct(value, "orientation").values()):
        return None
    return structs.read_orientation(value, "orientation")


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
