"""RPC methods that report the vehicle's state: motion, pose and collision."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from followme_uav.sim.airsim_api import structs
from followme_uav.sim.airsim_api.service import Handlers, Service
from followme_uav.sim.simulation import Simulation

LANDED, FLYING = 0, 1


class StateMethods(Service):
    """getMultirotorState, simGetVehiclePose and simGetCollisionInfo."""

    def handlers(self) -> Handlers:
        """Method name to function."""
        return {
            "getMultirotorState": self._get_state,
            "simGetVehiclePose": self._get_vehicle_pose,
            "simGetCollisionInfo": self._get_collision,
        }

    def _get_state(self, v: Any) -> Future[structs.Struct]:
        self.check_vehicle(v)

        def job(simulation: Simulation) -> structs.Struct:
            motion, event = simulation.vehicle.kinematics(), simulation.vehicle.collision
            state = {
                "collision": structs.collision(event, has_collided=event is not None),
                "kinematics_estimated": structs.kinematics(motion),
                "gps_location": structs.geo_point(motion.position_m, self.equipment.home),
                "timestamp": simulation.time_ns,
                "landed_state": LANDED if simulation.autopilot.landed else FLYING,
                "rc_data": structs.remote_control(simulation.tasks.remote),
            }
            if self.dialect.reports_readiness:
                state |= {"ready": True, "ready_message": "", "can_arm": True}
            return state

        return self.call(job)

    def _get_vehicle_pose(self, v: Any) -> Future[structs.Struct]:
        self.check_vehicle(v)

        def job(simulation: Simulation) -> structs.Struct:
            return structs.pose(simulation.vehicle.position_m, simulation.vehicle.orientation)

        return self.call(job)

    def _get_collision(self, v: Any) -> Future[structs.Struct]:
        self.check_vehicle(v)

        def job(simulation: Simulation) -> structs.Struct:
            event = simulation.vehicle.collision
            simulation.vehicle.clear_collision()
            return structs.collision(event, has_collided=event is not None)

        return self.call(job)
