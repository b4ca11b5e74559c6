"""All RPC methods of the simulator.

Names, parameters, result keys and units are those of AirSim's MessagePack-RPC. Methods whose name
starts with `simFollowMe` exist only here: ground truth for judging flights, the map for viewers,
a teleport for collecting labelled images, and whether the user holds the time at the window. A
pilot must never call them.
"""

from __future__ import annotations

from pathlib import Path

from followme_uav.sim.airsim_api import structs
from followme_uav.sim.airsim_api.adapters import adapted
from followme_uav.sim.airsim_api.attitude_methods import AttitudeMethods
from followme_uav.sim.airsim_api.camera_methods import CameraMethods
from followme_uav.sim.airsim_api.clock_methods import ClockMethods
from followme_uav.sim.airsim_api.detection import DetectionMethods
from followme_uav.sim.airsim_api.dialects import ServerDialect
from followme_uav.sim.airsim_api.environment_methods import EnvironmentMethods
from followme_uav.sim.airsim_api.general_methods import GeneralMethods
from followme_uav.sim.airsim_api.ground_truth_methods import GroundTruthMethods
from followme_uav.sim.airsim_api.image_methods import ImageMethods
from followme_uav.sim.airsim_api.lidar_methods import LidarMethods
from followme_uav.sim.airsim_api.message_methods import MessageMethods
from followme_uav.sim.airsim_api.motion_methods import MotionMethods
from followme_uav.sim.airsim_api.object_methods import ObjectMethods
from followme_uav.sim.airsim_api.path_methods import PathMethods
from followme_uav.sim.airsim_api.recording import RecordingMethods
from followme_uav.sim.airsim_api.segmentation_methods import SegmentationMethods
from followme_uav.sim.airsim_api.sensor_methods import SensorMethods
from followme_uav.sim.airsim_api.service import Handlers
from followme_uav.sim.airsim_api.state_methods import StateMethods
from followme_uav.sim.airsim_api.vehicle_methods import VehicleMethods
from followme_uav.sim.airsim_api.world_methods import WorldMethods
from followme_uav.sim.simulation_runner import SimulationRunner


def handlers_of(
    simulator: SimulationRunner,
    dialect: ServerDialect,
    object_names: tuple[str, ...],
    settings: structs.Struct | str,
    *,
    noise_seed: int | None = None,
    recordings: Path | None = None,
) -> Handlers:
    """Handlers of every method that the simulator serves, by name.

    Args:
        simulator: the simulator that serves them.
        dialect: the AirSim build to imitate.
        object_names: names of the renderer's object ids.
        settings: answer of getSettingsString, as a map or as text.
        noise_seed: seed of the sensors' noise; None for readings without noise.
        recordings: folder that startRecording writes to; None to refuse recordings.
    """
    segmentation = SegmentationMethods(simulator, dialect, object_names)
    services = (
        GeneralMethods(simulator, dialect, settings),
        ClockMethods(simulator, dialect),
        StateMethods(simulator, dialect),
        MotionMethods(simulator, dialect),
        PathMethods(simulator, dialect),
        AttitudeMethods(simulator, dialect),
        VehicleMethods(simulator, dialect),
        ImageMethods(simulator, dialect, segmentation.ids),
        CameraMethods(simulator, dialect),
        segmentation,
        EnvironmentMethods(simulator, dialect),
        SensorMethods(simulator, dialect, noise_seed),
        LidarMethods(simulator, dialect, segmentation.segmentation_id),
        WorldMethods(simulator, dialect),
        MessageMethods(simulator, dialect),
        ObjectMethods(simulator, dialect),
        DetectionMethods(simulator, dialect, object_names),
        RecordingMethods(simulator, dialect, recordings),
        GroundTruthMethods(simulator, dialect, object_names),
    )
    handlers = {
        name: handler for service in services for name, handler in service.handlers().items()
    }
    return adapted(handlers, dialect)
