"""The RPC methods of the simulator: connection, time, state and ground truth, and all the others.

Names, parameters, result keys and units are those of AirSim's MessagePack-RPC. Methods whose name
starts with `simFollowMe` are ours alone: the ground truth that judges flights, the map for those
who watch them, a teleport for collecting labelled images, and whether a person at the window holds
the time. A pilot must never call them.
"""

from __future__ import annotations

import json
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from followme_uav.messages import MaskClass
from followme_uav.rpc.server import HandlerError
from followme_uav.sim.airsim_api import structs
from followme_uav.sim.airsim_api.adapters import adapted
from followme_uav.sim.airsim_api.attitude_methods import AttitudeMethods
from followme_uav.sim.airsim_api.camera_methods import CameraMethods
from followme_uav.sim.airsim_api.detection import DetectionMethods
from followme_uav.sim.airsim_api.dialects import ServerDialect
from followme_uav.sim.airsim_api.environment_methods import EnvironmentMethods
from followme_uav.sim.airsim_api.lidar_methods import LidarMethods
from followme_uav.sim.airsim_api.motion_methods import MotionMethods
from followme_uav.sim.airsim_api.object_methods import ObjectMethods
from followme_uav.sim.airsim_api.recording import RecordingMethods
from followme_uav.sim.airsim_api.sensor_methods import SensorMethods
from followme_uav.sim.airsim_api.service import Handlers, Service
from followme_uav.sim.airsim_api.structs import read_bool, read_number, read_text
from followme_uav.sim.airsim_api.vehicle_methods import VehicleMethods
from followme_uav.sim.airsim_api.world_methods import WorldMethods, object_pose
from followme_uav.sim.city.obstacles import person_name
from followme_uav.sim.simulation import Shot, Simulation
from followme_uav.sim.simulator import Simulator
from followme_uav.sim.vehicle.earth import MAX_POSITION_M

MAX_CONTINUE_S = 3600.0
MAX_WIND_MPS = 30.0
PLACEMENT_CLEARANCE_M = 0.45
LANDED, FLYING = 0, 1


def handlers_of(
    simulator: Simulator,
    dialect: ServerDialect,
    object_names: tuple[str, ...],
    settings: structs.Struct | str,
    *,
    noise_seed: int | None = None,
    recordings: Path | None = None,
) -> Handlers:
    """Every method this simulator serves.

    Args:
        simulator: that serves them.
        dialect: which AirSim to imitate.
        object_names: of the renderer's object ids.
        settings: answered by getSettingsString, as JSON or as this very text.
        noise_seed: of the sensors' noise; None for none.
        recordings: folder that startRecording writes to; None to refuse it.
    """
    cameras = CameraMethods(simulator, dialect, object_names)
    handlers = {
        **GeneralMethods(simulator, dialect, settings).handlers(),
        **MotionMethods(simulator, dialect).handlers(),
        **AttitudeMethods(simulator, dialect).handlers(),
        **VehicleMethods(simulator, dialect).handlers(),
        **cameras.handlers(),
        **EnvironmentMethods(simulator, dialect).handlers(),
        **SensorMethods(simulator, dialect, noise_seed).handlers(),
        **LidarMethods(simulator, dialect, cameras.segmentation_id).handlers(),
        **WorldMethods(simulator, dialect).handlers(),
        **ObjectMethods(simulator, dialect).handlers(),
        **DetectionMethods(simulator, dialect, object_names).handlers(),
        **RecordingMethods(simulator, dialect, recordings).handlers(),
        **TruthMethods(simulator, dialect, object_names).handlers(),
    }
    return adapted(handlers, dialect)


class GeneralMethods(Service):
    """Connection, clock and state."""

    def __init__(
        self, simulator: Simulator, dialect: ServerDialect, settings: structs.Struct | str
    ) -> None:
        super().__init__(simulator, dialect)
        self._settings = settings if isinstance(settings, str) else json.dumps(settings, indent=2)

    def handlers(self) -> Handlers:
        """Method name to function."""
        return {
            "ping": lambda: True,
            "getServerVersion": lambda: self.dialect.server_version,
            "getMinRequiredClientVersion": lambda: self.dialect.server_version,
            "getSettingsString": lambda: self._settings,
            "listVehicles": lambda: [self.equipment.vehicle_name],
            "enableApiControl": self._enable_api_control,
            "isApiControlEnabled": self._is_api_control_enabled,
            "armDisarm": self._arm_disarm,
            "reset": self._reset,
            "simPause": self._pause,
            "simIsPaused": self.simulator.is_paused,
            "simFollowMeIsHeld": self.simulator.is_held,
            "simContinueForTime": self._continue_for_time,
            "getHomeGeoPoint": self._get_home,
            "getMultirotorState": self._get_state,
            "simGetVehiclePose": self._get_vehicle_pose,
            "simGetObjectPose": self._get_object_pose,
            "simGetCollisionInfo": self._get_collision,
            "simSetWind": self._set_wind,
        }

    def _enable_api_control(self, is_enabled: Any, v: Any) -> Future[None]:
        self.check_vehicle(v)
        enabled = read_bool(is_enabled, "is_enabled")

        def job(simulation: Simulation) -> None:
            simulation.tasks.api_control = enabled

        return self.call(job)

    def _is_api_control_enabled(self, v: Any) -> Future[bool]:
        self.check_vehicle(v)
        return self.call(lambda simulation: simulation.tasks.api_control)

    def _arm_disarm(self, arm: Any, v: Any) -> Future[bool]:
        self.check_vehicle(v)
        armed = read_bool(arm, "arm")

        def job(simulation: Simulation) -> bool:
            if simulation.tasks.api_control:
                simulation.autopilot.armed = armed
            return simulation.tasks.api_control

        return self.call(job)

    def _reset(self) -> Future[None]:
        return self.call(lambda simulation: simulation.reset())

    def _pause(self, is_paused: Any) -> Future[None]:
        return self.simulator.pause(read_bool(is_paused, "is_paused"))

    def _continue_for_time(self, seconds: Any) -> Future[None]:
        duration_s = read_number(seconds, "seconds", 0.0, MAX_CONTINUE_S)
        answer_first = not self.dialect.continue_blocks
        return self.simulator.continue_for_time(duration_s, answer_first=answer_first)

    def _get_home(self, v: Any) -> structs.Struct:
        self.check_vehicle(v)
        return structs.geo_point((0.0, 0.0, 0.0), self.equipment.home)

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
        return self.call(_vehicle_pose)

    def _get_object_pose(self, object_name: Any) -> Future[structs.Struct]:
        name = read_text(object_name, "object_name")
        self.check_has_pose(name)
        return self.call(lambda simulation: object_pose(simulation, name))

    def _get_collision(self, v: Any) -> Future[structs.Struct]:
        self.check_vehicle(v)

        def job(simulation: Simulation) -> structs.Struct:
            event = simulation.vehicle.collision
            simulation.vehicle.clear_collision()
            return structs.collision(event, has_collided=event is not None)

        return self.call(job)

    def _set_wind(self, wind: Any) -> Future[None]:
        velocity = structs.read_vector(wind, "wind", MAX_WIND_MPS)

        def job(simulation: Simulation) -> None:
            simulation.vehicle.wind_mps = velocity

        return self.call(job)


class TruthMethods(Service):
    """What only a simulator can know, and do."""

    def __init__(
        self, simulator: Simulator, dialect: ServerDialect, object_names: tuple[str, ...]
    ) -> None:
        super().__init__(simulator, dialect)
        self._classes = class_of_objects(object_names)

    def handlers(self) -> Handlers:
        """Method name to function."""
        return {
            "simFollowMeGroundTruth": self._ground_truth,
            "simFollowMeSolids": self._solids,
            "simFollowMePlaceVehicle": self._place_vehicle,
        }

    def _ground_truth(self, v: Any) -> Future[structs.Struct]:
        """Where everybody is now, and the exact mask of the last image.

        `mask` holds one class per pixel (0 background, 1 people, 2 hero), first row on top;
        `mask_time_stamp` is when its image was taken. Both are empty before the first image.
        """
        self.check_vehicle(v)

        def job(simulation: Simulation) -> structs.Struct:
            hero, *others = (person.position_m for person in simulation.crowd.people)
            shot = simulation.latest_shot
            mask = self._mask(shot)
            return {
                "time_stamp": simulation.time_ns,
                "hero_position": structs.vector(hero),
                "people_positions": [structs.vector(feet) for feet in others],
                "clearance": simulation.clearance_m(),
                "mask_width": mask.shape[1],
                "mask_height": mask.shape[0],
                "mask": mask.tobytes(),
                "mask_time_stamp": shot.time_ns if shot is not None else 0,
            }

        return self.call(job)

    def _solids(self) -> Future[list[structs.Struct]]:
        """Everything in the city that stands fast."""

        def job(simulation: Simulation) -> list[structs.Struct]:
            return [
                {
                    "name": solid.name,
                    "position": structs.vector(solid.centre_m),
                    "half_size": structs.vector(solid.half_size_m),
                    "is_round": solid.shape == "cylinder",
                }
                for solid in simulation.city.colliders
            ]

        return self.call(job)

    def _place_vehicle(self, position: Any, yaw_rad: Any, v: Any) -> Future[None]:
        """Put the vehicle somewhere, hovering and with motors armed.

        Raises:
            HandlerError: Something is there already.
        """
        self.check_vehicle(v)
        place = structs.read_vector(position, "position", MAX_POSITION_M)
        yaw = read_number(yaw_rad, "yaw_rad", -1e3, 1e3)

        def job(simulation: Simulation) -> None:
            free_m = min(simulation.clearance_m(place), -place[2])
            if free_m < PLACEMENT_CLEARANCE_M:
                raise HandlerError(
                    f"no room at {place}: {free_m:.2f} m to the nearest thing or the ground, "
                    f"{PLACEMENT_CLEARANCE_M} m needed"
                )
            simulation.place_vehicle(place, yaw)

        return self.call(job)

    def _mask(self, shot: Shot | None) -> NDArray[np.uint8]:
        if shot is None:
            return np.zeros((0, 0), dtype=np.uint8)
        mask: NDArray[np.uint8] = self._classes[shot.picture.object_id]
        return mask


def class_of_objects(object_names: tuple[str, ...]) -> NDArray[np.uint8]:
    """(objects,) class of each object number; the hero is 'hero', other people are 'person...'."""
    classes = np.full(len(object_names), MaskClass.BACKGROUND, dtype=np.uint8)
    for number, name in enumerate(object_names):
        if name == person_name(0):
            classes[number] = MaskClass.HERO
        elif name.startswith("person"):
            classes[number] = MaskClass.PEOPLE
    return classes


def _vehicle_pose(simulation: Simulation) -> structs.Struct:
    return structs.pose(simulation.vehicle.position_m, simulation.vehicle.orientation)
