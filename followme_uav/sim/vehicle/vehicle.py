"""The quadrotor: a rigid body with four rotors, air, gravity and things to run into.

MuJoCo integrates the body and finds the contacts. Its world is told that gravity points along
+z, so world (north, east, down) and body (forward, right, down) are MuJoCo's own axes and
nothing has to be converted. Size, mass and rotors are those of a Skydio X2 class machine.

`Vehicle.step` is called 200 times per simulated second: it works on plain floats, because
NumPy costs more than the arithmetic at this size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import mujoco
import numpy as np
from numpy.typing import NDArray

from followme_uav.messages import Quaternion, Vec3
from followme_uav.sim.city.obstacles import PERSON_HEIGHT_M, person_name
from followme_uav.sim.city.spawned import SpawnedObject
from followme_uav.sim.city.world import Collider
from followme_uav.sim.vehicle.vehicle_model import (
    GRAVITY_MPS2,
    NOWHERE_M,
    TIME_STEP_NS,
    TIME_STEP_S,
    Airframe,
    model_xml,
)

__all__ = ["GRAVITY_MPS2", "TIME_STEP_NS", "TIME_STEP_S", "Airframe", "Vehicle"]

GROUND = "ground"

ROTOR_THRUST_COEFFICIENT = 9.31e-6
"""N per (rad/s)^2; of AirSim's 23 cm propeller, and about right for this machine's."""

_GROUND_GEOM = 0
_GENTLE_TOUCH_MPS = 0.7
"""Slower than this onto an upward facing surface is a landing, not a collision."""
_UPWARD_NORMAL = 0.7
"""Cosine of the steepest slope that counts as upward facing."""
_ANGULAR_DRAG_NMS = 0.004
_FAST_SPIN_RADPS = 20.0
"""Three turns a second; beyond, the arms meet ever more air."""
_FAST_SPIN_DRAG_NMS2 = 0.002


@dataclass(frozen=True)
class Kinematics:
    """How the body moves at one instant; frames as in AirSim's KinematicsState."""

    position_m: Vec3
    """World NED."""
    orientation: Quaternion
    """Body FRD to world NED, (w, x, y, z)."""
    velocity_mps: Vec3
    """World NED."""
    angular_velocity_radps: Vec3
    """Body FRD."""
    acceleration_mps2: Vec3
    """World NED."""
    angular_acceleration_radps2: Vec3
    """Body FRD."""


@dataclass(frozen=True)
class Collision:
    """The latest contact with something that should not have been touched."""

    time_ns: int
    object_name: str
    object_id: int
    penetration_m: float
    normal: Vec3
    """World NED, pointing from the object towards the vehicle."""
    impact_point_m: Vec3
    position_m: Vec3
    """Of the vehicle's centre."""


class Vehicle:
    """One quadrotor among static obstacles, walking people and driving cars.

    Attributes (all plain floats, valid after every step):
        position_m, velocity_mps: world NED.
        orientation: body to world, (w, x, y, z).
        rates_radps: body FRD.
        thrusts_n: of the rotors front right, rear left, front left, rear right.
        wind_mps: world NED; of the air itself.
        in_contact: something is being touched, gently or not.
        collision: the latest collision, until `clear_collision`.
    """

    def __init__(
        self,
        obstacles: Sequence[Collider] = (),
        people: int = 0,
        cars: Sequence[Collider] = (),
        start_m: tuple[float, float] = (0.0, 0.0),
        start_yaw_rad: float = 0.0,
        airframe: Airframe | None = None,
    ) -> None:
        self.airframe = airframe or Airframe()
        self._xml = partial(model_xml, self.airframe, obstacles, people, cars)
        self._names = [
            GROUND,
            *(o.name for o in obstacles),
            *map(person_name, range(people)),
            *(car.name for car in cars),
        ]
        self._body_geom = len(self._names)
        self._names.append("")  # the vehicle never touches itself
        self._people, self._movers = people, people + len(cars)
        self._start = (start_m[0], start_m[1], -self.airframe.half_size_m[2])
        self._start_yaw_rad = start_yaw_rad
        self._rotor_blend = 1.0 - math.exp(-TIME_STEP_S / self.airframe.rotor_lag_s)
        self._rays: mujoco.MjData | None
        self._compile(())
        self.wind_mps: Vec3 = (0.0, 0.0, 0.0)
        self.reset()

    @property
    def start_m(self) -> Vec3:
        """Where `reset` puts it, world NED."""
        return self._start

    def reset(self) -> None:
        """Back to the start, at rest, rotors stopped, no wind, no collision remembered."""
        self.wind_mps = (0.0, 0.0, 0.0)
        self.place(self._start, self._start_yaw_rad, hovering=False)

    def place(self, position_m: Vec3, yaw_rad: float, *, hovering: bool = True) -> None:
        """Put the body somewhere, level and at rest, with rotors at hover thrust or stopped."""
        half = 0.5 * yaw_rad
        self.set_motion(position_m, (math.cos(half), 0.0, 0.0, math.sin(half)))
        thrust = 0.25 * self.airframe.mass_kg * GRAVITY_MPS2 if hovering else 0.0
        self.thrusts_n = [thrust] * 4
        self.collision: Collision | None = None

    def set_motion(
        self,
        position_m: Vec3,
        orientation: Quaternion,
        velocity_mps: Vec3 = (0.0, 0.0, 0.0),
        rates_radps: Vec3 = (0.0, 0.0, 0.0),
    ) -> None:
        """Put the body somewhere, moving so; rotors and the memory of a collision stay."""
        movers = self._mocap.copy(), self._mocap_turn.copy()
        mujoco.mj_resetData(self._model, self._data)
        self._mocap[:], self._mocap_turn[:] = movers
        self._qpos[:] = (*position_m, *orientation)
        self._qvel[:] = (*velocity_mps, *rates_radps)
        self.in_contact = False
        self._read_state()

    def move_people(self, feet_m: Sequence[Vec3] | NDArray[np.float64]) -> None:
        """Put the people's capsules where the people are.

        Args:
            feet_m: (people, 3) world NED; NaN for somebody who is not there.
        """
        middle = np.asarray(feet_m) - (0.0, 0.0, 0.5 * PERSON_HEIGHT_M)
        self._mocap[: self._people] = np.where(np.isnan(middle), NOWHERE_M, middle)

    def move_cars(self, poses: Sequence[tuple[float, float, float]]) -> None:
        """Put the cars where they are: north, east and heading of each."""
        if len(poses):
            where = np.array(poses)
            cars = slice(self._people, self._movers)
            self._mocap[cars, :2] = where[:, :2]
            self._mocap_turn[cars, 0] = np.cos(0.5 * where[:, 2])
            self._mocap_turn[cars, 3] = np.sin(0.5 * where[:, 2])

    def set_objects(self, objects: Sequence[SpawnedObject]) -> None:
        """Let these solids stand in the world besides what always does; all else stays as it is.

        Takes some tens of milliseconds.
        """
        before, movers = self._data, self._movers
        self._compile(objects)
        self._names[self._body_geom + 1 :] = [one.name for one in objects]
        self._qpos[:], self._qvel[:] = before.qpos, before.qvel
        self._data.qacc[:] = before.qacc
        self._data.qacc_warmstart[:] = before.qacc_warmstart
        self._mocap[:movers] = before.mocap_pos[:movers]
        self._mocap_turn[:movers] = before.mocap_quat[:movers]

    def move_object(self, index: int, position_m: Vec3, orientation: Quaternion) -> None:
        """Put one of the objects of `set_objects` elsewhere."""
        self._mocap[self._movers + index] = position_m
        self._mocap_turn[self._movers + index] = orientation

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
            range_m: what is further away is not met.
            objects_only: only what `set_objects` brought is met.

        Returns:
            (n,) distances in metres, inf where nothing is met, and (n,) what is met: a number for
            `met_name`, -1 for nothing.
        """
        if self._rays is None:
            self._rays = mujoco.MjData(self._model)  # a step must not notice that rays are cast
        data, count = self._rays, len(directions)
        data.qpos[:] = self._qpos
        data.mocap_pos[:], data.mocap_quat[:] = self._mocap, self._mocap_turn
        mujoco.mj_kinematics(self._model, data)
        met, distance_m = np.full(count, -1, np.int32), np.zeros(count)
        groups = np.array([not objects_only, True, *[False] * 4], np.uint8)
        body = int(self._model.geom_bodyid[self._body_geom])
        start, rays = np.array(start_m), np.ascontiguousarray(directions, float).ravel()
        mujoco.mj_multiRay(
            *(self._model, data, start, rays, groups, True, body),
            *(met, distance_m, None, count, range_m),
        )
        met[(distance_m < 0.0) | (distance_m > range_m)] = -1  # the ground has no bounds to cut off
        return np.where(met < 0, math.inf, distance_m), met

    def met_name(self, number: int) -> str:
        """Name of what a ray met."""
        return self._names[number]

    def step(self, commands_n: Sequence[float], time_ns: int = 0) -> None:
        """Advance by one time step.

        Args:
            commands_n: wanted thrust of each rotor, order as `thrusts_n`; clipped to the possible.
            time_ns: stamp for a collision that happens in this step.
        """
        frame = self.airframe
        blend, limit = self._rotor_blend, frame.rotor_max_n
        t0, t1, t2, t3 = (
            old + (min(max(new, 0.0), limit) - old) * blend
            for old, new in zip(self.thrusts_n, commands_n, strict=True)
        )
        self.thrusts_n = [t0, t1, t2, t3]
        lift = t0 + t1 + t2 + t3
        p, q, r = self.rates_radps
        # Rotor at (x, y) pushing up by t: torque (-y t, x t); the front right one spins
        # counter-clockwise, so its reaction turns the body clockwise (+yaw).
        spin_drag = _ANGULAR_DRAG_NMS
        spin = max(abs(p), abs(q), abs(r))
        if spin > _FAST_SPIN_RADPS:
            spin_drag += _FAST_SPIN_DRAG_NMS2 * (spin - _FAST_SPIN_RADPS)
        roll = frame.rotor_y_m * (t1 + t2 - t0 - t3) - spin_drag * p
        pitch = frame.rotor_x_m * (t0 + t2 - t1 - t3) - spin_drag * q
        yaw = frame.yaw_torque_per_thrust_m * (t0 + t1 - t2 - t3) - spin_drag * r
        down_n, down_e, down_d = self.down_axis()
        drag = frame.drag_ns_per_m
        (vn, ve, vd), (wn, we, wd) = self.velocity_mps, self.wind_mps
        self._force[:] = (
            -lift * down_n - drag * (vn - wn),
            -lift * down_e - drag * (ve - we),
            -lift * down_d - drag * (vd - wd),
            roll,
            pitch,
            yaw,
        )
        mujoco.mj_step(self._model, self._data)
        self.in_contact = self._data.ncon > 0
        if self.in_contact:
            self._judge_contacts(time_ns)
        self._read_state()

    def down_axis(self) -> Vec3:
        """The body's down axis in the world, a unit vector."""
        w, x, y, z = self.orientation
        return 2.0 * (x * z + w * y), 2.0 * (y * z - w * x), 1.0 - 2.0 * (x * x + y * y)

    def euler_rad(self) -> Vec3:
        """Roll, pitch, yaw of the body (yaw first, then pitch, then roll)."""
        w, x, y, z = self.orientation
        roll = math.atan2(2.0 * (w * x + y * z), 1.0 - 2.0 * (x * x + y * y))
        pitch = math.asin(min(max(2.0 * (w * y - z * x), -1.0), 1.0))
        yaw = math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
        return roll, pitch, yaw

    def kinematics(self) -> Kinematics:
        """A snapshot of the motion."""
        acceleration = self._data.qacc.tolist()
        return Kinematics(
            position_m=self.position_m,
            orientation=self.orientation,
            velocity_mps=self.velocity_mps,
            angular_velocity_radps=self.rates_radps,
            acceleration_mps2=tuple(acceleration[:3]),
            angular_acceleration_radps2=tuple(acceleration[3:]),
        )

    def clear_collision(self) -> None:
        """Forget the latest collision."""
        self.collision = None

    def _compile(self, objects: Sequence[SpawnedObject]) -> None:
        """Make MuJoCo's model, with these objects in it, and its state at rest."""
        self._model = mujoco.MjModel.from_xml_string(self._xml(objects))
        self._data = mujoco.MjData(self._model)
        self._rays = None  # made for the first ray
        # Views into MuJoCo's memory, kept because looking them up costs more than reading them.
        self._qpos, self._qvel = self._data.qpos, self._data.qvel
        self._force, self._mocap = self._data.qfrc_applied, self._data.mocap_pos
        self._mocap_turn = self._data.mocap_quat

    def _read_state(self) -> None:
        n, e, d, w, x, y, z = self._qpos.tolist()
        vn, ve, vd, p, q, r = self._qvel.tolist()
        self.position_m: Vec3 = (n, e, d)
        self.orientation: Quaternion = (w, x, y, z)
        self.velocity_mps: Vec3 = (vn, ve, vd)
        self.rates_radps: Vec3 = (p, q, r)

    def _judge_contacts(self, time_ns: int) -> None:
        """Remember a contact that is no gentle landing. Velocities are still those before it."""
        speed = math.hypot(*self.velocity_mps)
        contacts = self._data.contact
        if speed < _GENTLE_TOUCH_MPS and (contacts.geom.min(axis=1) == _GROUND_GEOM).all():
            return  # standing on the ground; looking at each contact would take long
        for contact in contacts:
            other, sign = contact.geom1, 1.0
            if other == self._body_geom:
                other, sign = contact.geom2, -1.0
            normal = tuple((sign * contact.frame[:3]).tolist())
            if -normal[2] > _UPWARD_NORMAL and speed < _GENTLE_TOUCH_MPS:
                continue
            self.collision = Collision(
                time_ns=time_ns,
                object_name=self._names[other],
                object_id=int(other),
                penetration_m=max(0.0, -float(contact.dist)),
                normal=normal,
                impact_point_m=tuple(contact.pos.tolist()),
                position_m=self.position_m,
            )
