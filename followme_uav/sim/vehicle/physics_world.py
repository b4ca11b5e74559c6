"""MuJoCo's world: the vehicle's body and every solid that it can hit.

The solids are the city's static obstacles, walking people, driving cars and spawned objects. The
gravity of this world points along +z, so world (north, east, down) and body (forward, right, down)
are MuJoCo's own axes and nothing is converted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import mujoco
import numpy as np
from numpy.typing import NDArray

from followme_uav.messages import Quaternion, Vec3
from followme_uav.sim.city.obstacles import PERSON_HEIGHT_M, person_name
from followme_uav.sim.city.spawned import SpawnedObject
from followme_uav.sim.city.world import Collider
from followme_uav.sim.vehicle.state import Collision
from followme_uav.sim.vehicle.vehicle_model import (
    NOWHERE_M,
    field_heights,
    model_xml,
    vehicle_geoms,
)
from followme_uav.sim.vehicle.vehicle_spec import Airframe
from followme_uav.worlds.world import Terrain

GROUND = "ground"

_GROUND_GEOM = 0
_GENTLE_TOUCH_MPS = 0.7
"""Below this speed, a touch of an upward facing surface is a landing, not a collision."""
_UPWARD_NORMAL = 0.7
"""Cosine of the steepest slope that counts as upward facing."""


class PhysicsWorld:
    """The vehicle's body among obstacles, people, cars and spawned objects.

    Attributes:
        qpos: view of the body's position (3) and orientation (4), world NED.
        qvel: view of the body's velocity, world NED (3), and rates, body FRD (3).
        force: view of the force, world NED (3), and torque, body FRD (3), of the next step.

    Args:
        airframe: constants of the vehicle.
        obstacles: static solids.
        people: number of people.
        cars: the solids of the driving cars.
        terrain: heights of the ground; None: the plane z = 0.
    """

    def __init__(
        self,
        airframe: Airframe,
        obstacles: Sequence[Collider],
        people: int,
        cars: Sequence[Collider],
        terrain: Terrain | None = None,
    ) -> None:
        self._xml = partial(model_xml, airframe, obstacles, people, cars, terrain=terrain)
        self._heights = None if terrain is None else field_heights(terrain).ravel()
        self._names = [
            GROUND,
            *(o.name for o in obstacles),
            *map(person_name, range(people)),
            *(car.name for car in cars),
        ]
        self._body_geom = len(self._names)
        self._names += [""] * vehicle_geoms(terrain)  # the vehicle never touches itself
        self._first_object = len(self._names)
        self._people, self._movers = people, people + len(cars)
        self._rays: mujoco.MjData | None
        self._compile(())

    def step(self) -> bool:
        """Advance by one time step under `force`; return whether the body touches anything."""
        mujoco.mj_step(self._model, self._data)
        return bool(self._data.ncon > 0)

    def set_motion(
        self, position_m: Vec3, orientation: Quaternion, velocity_mps: Vec3, rates_radps: Vec3
    ) -> None:
        """Set the body's pose and motion; people, cars and objects stay where they are."""
        movers = self._mocap_pos.copy(), self._mocap_quat.copy()
        mujoco.mj_resetData(self._model, self._data)
        self._mocap_pos[:], self._mocap_quat[:] = movers
        self.qpos[:] = (*position_m, *orientation)
        self.qvel[:] = (*velocity_mps, *rates_radps)

    def acceleration(self) -> list[float]:
        """Acceleration of the body, world NED (3), then of its rates, body FRD (3)."""
        values: list[float] = self._data.qacc.tolist()
        return values

    def move_people(self, feet_m: Sequence[Vec3] | NDArray[np.float64]) -> None:
        """Place the people's capsules.

        Args:
            feet_m: (people, 3) world NED; NaN for an absent person.
        """
        middle = np.asarray(feet_m) - (0.0, 0.0, 0.5 * PERSON_HEIGHT_M)
        self._mocap_pos[: self._people] = np.where(np.isnan(middle), NOWHERE_M, middle)

    def move_cars(
        self, poses: Sequence[tuple[float, float, float]], middles_m: Sequence[float] = ()
    ) -> None:
        """Place the cars: north, east and heading of each.

        Args:
            poses: one for each car.
            middles_m: z of the middle of each car; without them they stay on their level.
        """
        if len(poses):
            where = np.array(poses)
            cars = slice(self._people, self._movers)
            self._mocap_pos[cars, :2] = where[:, :2]
            if len(middles_m):
                self._mocap_pos[cars, 2] = middles_m
            self._mocap_quat[cars, 0] = np.cos(0.5 * where[:, 2])
            self._mocap_quat[cars, 3] = np.sin(0.5 * where[:, 2])

    def set_objects(self, objects: Sequence[SpawnedObject]) -> None:
        """Replace the spawned objects; the rest of the world and its motion stay.

        Takes some tens of milliseconds: MuJoCo compiles the model anew.
        """
        before, movers = self._data, self._movers
        self._compile(objects)
        self._names[self._first_object :] = [one.name for one in objects]
        self.qpos[:], self.qvel[:] = before.qpos, before.qvel
        self._data.qacc[:] = before.qacc
        self._data.qacc_warmstart[:] = before.qacc_warmstart
        self._mocap_pos[:movers] = before.mocap_pos[:movers]
        self._mocap_quat[:movers] = before.mocap_quat[:movers]

    def move_object(self, index: int, position_m: Vec3, orientation: Quaternion) -> None:
        """Place one of the objects of `set_objects`."""
        self._mocap_pos[self._movers + index] = position_m
        self._mocap_quat[self._movers + index] = orientation

    def cast(
        self,
        start_m: Vec3,
        directions: NDArray[np.float64],
        range_m: float,
        *,
        objects_only: bool = False,
    ) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """Send rays from one point; the vehicle itself is transparent.

        Args:
            start_m: world NED.
            directions: (n, 3) unit vectors, world NED.
            range_m: rays end at this distance.
            objects_only: rays meet only the objects of `set_objects`.

        Returns:
            (n,) distances in metres, inf for a ray that meets nothing, and (n,) numbers of the
            solids met, for `met_name`, -1 for nothing.
        """
        if self._rays is None:
            self._rays = mujoco.MjData(self._model)  # casting rays must not change the next step
        data, count = self._rays, len(directions)
        data.qpos[:] = self.qpos
        data.mocap_pos[:], data.mocap_quat[:] = self._mocap_pos, self._mocap_quat
        mujoco.mj_kinematics(self._model, data)
        met, distance_m = np.full(count, -1, np.int32), np.zeros(count)
        groups = np.array([not objects_only, True, *[False] * 4], np.uint8)
        body = int(self._model.geom_bodyid[self._body_geom])
        start, rays = np.array(start_m), np.ascontiguousarray(directions, float).ravel()
        mujoco.mj_multiRay(
            *(self._model, data, start, rays, groups, True, body),
            *(met, distance_m, None, count, range_m),
        )
        # MuJoCo does not apply the cutoff to the ground, which is unbounded.
        met[(distance_m < 0.0) | (distance_m > range_m)] = -1
        return np.where(met < 0, math.inf, distance_m), met

    def met_name(self, number: int) -> str:
        """Name of a solid that a ray met."""
        return self._names[number]

    def collision(self, time_ns: int, position_m: Vec3, velocity_mps: Vec3) -> Collision | None:
        """The last present contact that is not a gentle landing; None without one.

        Args:
            time_ns: time stamp of the collision.
            position_m: of the body before the step.
            velocity_mps: of the body before the step.
        """
        speed = math.hypot(*velocity_mps)
        contacts, found = self._data.contact, None
        if speed < _GENTLE_TOUCH_MPS and (contacts.geom.min(axis=1) == _GROUND_GEOM).all():
            return None  # standing on the ground, the usual case: skips the slow loop below
        for contact in contacts:
            other, sign = contact.geom1, 1.0
            if self._body_geom <= other < self._first_object:
                other, sign = contact.geom2, -1.0
            normal = tuple((sign * contact.frame[:3]).tolist())
            if -normal[2] > _UPWARD_NORMAL and speed < _GENTLE_TOUCH_MPS:
                continue
            found = Collision(
                time_ns=time_ns,
                object_name=self._names[other],
                object_id=int(other),
                penetration_m=max(0.0, -float(contact.dist)),
                normal=normal,
                impact_point_m=tuple(contact.pos.tolist()),
                position_m=position_m,
            )
        return found

    def _compile(self, objects: Sequence[SpawnedObject]) -> None:
        """Make MuJoCo's model with these objects, and its state at rest."""
        self._model = mujoco.MjModel.from_xml_string(self._xml(objects))
        if self._heights is not None:
            self._model.hfield_data[:] = self._heights
        self._data = mujoco.MjData(self._model)
        self._rays = None  # made for the first ray
        # Views into MuJoCo's memory, kept because a lookup costs more than reading them.
        self.qpos, self.qvel = self._data.qpos, self._data.qvel
        self.force = self._data.qfrc_applied
        self._mocap_pos, self._mocap_quat = self._data.mocap_pos, self._data.mocap_quat
