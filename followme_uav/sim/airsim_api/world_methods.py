"""RPC methods of the world: its objects, lines of sight, frames, messages and markers."""

from __future__ import annotations

import logging
import math
from concurrent.futures import Future
from typing import Any

from followme_uav.geometry import yaw_of
from followme_uav.messages import Quaternion, Vec3
from followme_uav.sim.airsim_api import structs
from followme_uav.sim.airsim_api.bodies import find_body, names_of, person_index
from followme_uav.sim.airsim_api.service import Handlers, Service
from followme_uav.sim.airsim_api.structs import read_bool, read_int, read_struct, read_text
from followme_uav.sim.city.patterns import matching
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.vehicle import earth
from followme_uav.sim.vehicle.vehicle import TIME_STEP_NS

log = logging.getLogger(__name__)

FRAME_NS = 20_000_000
"""What counts as one frame of the engine: 50 of them a second."""
MAX_FRAMES = 180_000
MAX_MESSAGE = 500


class WorldMethods(Service):
    """simListSceneObjects and the like."""

    def handlers(self) -> Handlers:
        """Method name to function."""
        return {
            "simListSceneObjects": self._list_objects,
            "simSetObjectPose": self._set_object_pose,
            "simTestLineOfSightToPoint": self._sees_point,
            "simTestLineOfSightBetweenPoints": self._see_each_other,
            "simContinueForFrames": self._continue_for_frames,
            "simPrintLogMessage": self._print_message,
            # Markers are for people who watch: nothing is drawn, images are not changed.
            "simFlushPersistentMarkers": lambda: None,
            "simPlotPoints": lambda points, rgba, size, duration, stays: None,
            "simPlotLineStrip": lambda points, rgba, width, duration, stays: None,
            "simPlotLineList": lambda points, rgba, width, duration, stays: None,
            "simPlotArrows": lambda starts, ends, rgba, width, size, duration, stays: None,
            "simPlotStrings": lambda texts, places, scale, rgba, duration: None,
            "simPlotTransforms": lambda poses, scale, width, duration, stays: None,
            "simPlotTransformsWithNames": (
                lambda poses, names, scale, width, text_scale, rgba, duration: None
            ),
            "simSetTraceLine": lambda rgba, width, v: self.check_vehicle(v),
        }

    def _list_objects(self, name_regex: Any) -> Future[list[str]]:
        self.check_world_tools()
        pattern = read_text(name_regex, "name_regex")
        matching((), pattern, "name_regex")  # refuses a bad one at once
        return self.call(
            lambda simulation: matching(
                names_of(simulation), pattern, "name_regex", exact_case=True
            )
        )

    def _set_object_pose(self, object_name: Any, pose: Any, teleport: Any) -> Future[bool]:
        """Move a person, the vehicle or a spawned object.

        False: it stands fast, is unknown, or has no room there.

        The vehicle hovers where it was put, a person walks on from there. As on AirSim, a pose
        that makes no sense counts only where there is something to move: a client may give back
        the NaN that it got for an unknown name.
        """
        name, fields = read_text(object_name, "object_name"), read_struct(pose, "pose")
        read_bool(teleport, "teleport")  # whatever it says: nobody is swept along the way

        def read_pose() -> tuple[Vec3, Quaternion]:
            place = fields.get("position", {}), "pose.position", earth.MAX_POSITION_M
            turn = fields.get("orientation", {}), "pose.orientation"
            return structs.read_vector(*place), structs.read_orientation(*turn)

        wanted = structs.checked_later(read_pose)
        self.check_has_pose(name)

        def job(simulation: Simulation) -> bool:
            body = find_body(simulation, name)
            if body is None:
                return False
            place, orientation = wanted()
            if simulation.objects.move(body.name, place, orientation):
                return True
            index = person_index(simulation, name)
            if index is not None:
                simulation.place_person(index, place, yaw_of(orientation))
                return True
            is_vehicle = body.name == self.equipment.vehicle_name
            if not is_vehicle or not _has_room(simulation, place):
                return False
            simulation.place_vehicle(place, yaw_of(orientation))
            return True

        return self.call(job)

    def _sees_point(self, point: Any, v: Any) -> Future[bool]:
        self.check_world_tools()
        self.check_vehicle(v)
        place = self._place(point, "point")
        return self.call(lambda simulation: simulation.sees(simulation.vehicle.position_m, place))

    def _see_each_other(self, point1: Any, point2: Any) -> Future[bool]:
        self.check_world_tools()
        one, other = self._place(point1, "point1"), self._place(point2, "point2")
        return self.call(lambda simulation: simulation.sees(one, other))

    def _continue_for_frames(self, frames: Any) -> Future[None]:
        self.check_world_tools()
        count = read_int(frames, "frames", 0, MAX_FRAMES)
        return self.simulator.continue_for(count * (FRAME_NS // TIME_STEP_NS))

    def _place(self, geo_point: Any, name: str) -> Vec3:
        """World NED of a place that is only looked at."""
        fields = read_struct(geo_point, name)
        latitude, longitude, altitude = (
            fields.get(key, 0.0) for key in ("latitude", "longitude", "altitude")
        )
        return structs.read_place(
            *(latitude, longitude, altitude, f"{name}."),
            home=self.equipment.home,
            farthest_m=earth.MAX_SIGHT_M,
        )

    def _print_message(self, message: Any, message_param: Any, severity: Any) -> None:
        texts = read_text(message, "message"), read_text(message_param, "message_param")
        level = read_int(severity, "severity", 0, 255)
        log.log(
            (logging.INFO, logging.INFO, logging.WARNING, logging.ERROR)[min(level, 3)],
            "client: %s",
            repr("".join(texts)[:MAX_MESSAGE]),  # one line, whatever is in it
        )


def object_pose(simulation: Simulation, name: str) -> structs.Struct:
    """Pose of a person (feet) or a thing (centre); NaN for anything unknown."""
    body = find_body(simulation, name)
    if body is None:
        nan = math.nan
        return structs.pose((nan, nan, nan), (nan, nan, nan, nan))
    return structs.pose(body.position_m, body.orientation)


def _has_room(simulation: Simulation, place: Vec3) -> bool:
    """Whether the vehicle can be there; standing on the ground is fine."""
    half_m = simulation.vehicle.airframe.half_size_m
    return simulation.clearance_m(place) >= half_m[0] and -place[2] >= half_m[2]
