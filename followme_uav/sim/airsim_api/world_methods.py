"""RPC methods of the world: names and poses of its objects, and lines of sight."""

from __future__ import annotations

import math
from concurrent.futures import Future
from typing import Any

from followme_uav.geometry import yaw_of
from followme_uav.messages import Quaternion, Vec3
from followme_uav.sim.airsim_api import structs
from followme_uav.sim.airsim_api.bodies import find_body, names_of, person_index
from followme_uav.sim.airsim_api.service import Handlers, Service
from followme_uav.sim.airsim_api.structs import read_bool, read_struct, read_text
from followme_uav.sim.city.patterns import matching
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.vehicle import earth


class WorldMethods(Service):
    """simListSceneObjects, simGetObjectPose, simSetObjectPose and the lines of sight."""

    def handlers(self) -> Handlers:
        """Method name to function."""
        return {
            "simListSceneObjects": self._list_objects,
            "simGetObjectPose": self._get_object_pose,
            "simSetObjectPose": self._set_object_pose,
            "simTestLineOfSightToPoint": self._sees_point,
            "simTestLineOfSightBetweenPoints": self._see_each_other,
        }

    def _list_objects(self, name_regex: Any) -> Future[list[str]]:
        self.check_world_tools()
        pattern = read_text(name_regex, "name_regex")
        matching((), pattern, "name_regex")  # refuses a malformed pattern at once
        return self.call(
            lambda simulation: matching(
                names_of(simulation), pattern, "name_regex", exact_case=True
            )
        )

    def _get_object_pose(self, object_name: Any) -> Future[structs.Struct]:
        name = read_text(object_name, "object_name")
        self.check_has_pose(name)
        return self.call(lambda simulation: object_pose(simulation, name))

    def _set_object_pose(self, object_name: Any, pose: Any, teleport: Any) -> Future[bool]:
        """Move a person, the vehicle or a spawned object.

        Answers False for an object that is static or unknown, and for an occupied position. The
        vehicle hovers at its new position; a person walks on from there. As on AirSim, an invalid
        pose is refused only for an object that can move: a client may send back the NaN that it
        received for an unknown name.
        """
        name, fields = read_text(object_name, "object_name"), read_struct(pose, "pose")
        read_bool(teleport, "teleport")  # has no effect: every move is a teleport

        def read_pose() -> tuple[Vec3, Quaternion]:
            place = fields.get("position", {}), "pose.position", earth.MAX_POSITION_M
            turn = fields.get("orientation", {}), "pose.orientation"
            return structs.read_vector(*place), structs.read_orientation(*turn)

        wanted = structs.checked_later(read_pose)
        self.check_has_pose(name)

        def job(simulation: Simulation) -> bool:
            body = find_body(simulation, name)
            return body is not None and self._move(simulation, body.name, *wanted())

        return self.call(job)

    def _move(
        self, simulation: Simulation, name: str, position_m: Vec3, orientation: Quaternion
    ) -> bool:
        if simulation.objects.move(name, position_m, orientation):
            return True
        index = person_index(simulation, name)
        if index is not None:
            simulation.place_person(index, position_m, yaw_of(orientation))
            return True
        is_vehicle = name == self.equipment.vehicle_name
        if not is_vehicle or not _has_room(simulation, position_m):
            return False
        simulation.place_vehicle(position_m, yaw_of(orientation))
        return True

    def _sees_point(self, point: Any, v: Any) -> Future[bool]:
        self.check_world_tools()
        self.check_vehicle(v)
        end_m = self._read_point(point, "point")
        return self.call(lambda simulation: simulation.sees(simulation.vehicle.position_m, end_m))

    def _see_each_other(self, point1: Any, point2: Any) -> Future[bool]:
        self.check_world_tools()
        start_m, end_m = self._read_point(point1, "point1"), self._read_point(point2, "point2")
        return self.call(lambda simulation: simulation.sees(start_m, end_m))

    def _read_point(self, geo_point: Any, name: str) -> Vec3:
        """World NED of an end of a line of sight."""
        fields = read_struct(geo_point, name)
        latitude, longitude, altitude = (
            fields.get(key, 0.0) for key in ("latitude", "longitude", "altitude")
        )
        return structs.read_place(
            *(latitude, longitude, altitude, f"{name}."),
            home=self.equipment.home,
            farthest_m=earth.MAX_SIGHT_M,
        )


def object_pose(simulation: Simulation, name: str) -> structs.Struct:
    """Pose of a person (feet) or an object (centre); NaN for an unknown name."""
    body = find_body(simulation, name)
    if body is None:
        nan = math.nan
        return structs.pose((nan, nan, nan), (nan, nan, nan, nan))
    return structs.pose(body.position_m, body.orientation)


def _has_room(simulation: Simulation, position_m: Vec3) -> bool:
    """Whether the vehicle fits there; standing on the ground is allowed."""
    half_m = simulation.vehicle.airframe.half_size_m
    north, east, down = position_m
    above_m = -down - simulation.city.floor_height_m(north, east)
    return simulation.clearance_m(position_m) >= half_m[0] and above_m >= half_m[2]
