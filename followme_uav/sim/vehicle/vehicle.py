"""The quadrotor: a rigid body with four rotors under gravity, drag and wind.

`PhysicsWorld` integrates the body and finds its contacts. Size, mass, rotors and drag are those of
a vehicle file, see `vehicle_spec`.

`Vehicle.step` is called 200 times per simulated second: it works on plain floats, because NumPy
costs more than the arithmetic at this size.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from followme_uav.messages import Quaternion, Vec3
from followme_uav.sim.city.spawned import SpawnedObject
from followme_uav.sim.city.world import Collider
from followme_uav.sim.vehicle.physics_world import PhysicsWorld
from followme_uav.sim.vehicle.state import Collision, Kinematics
from followme_uav.sim.vehicle.vehicle_model import TIME_STEP_NS, TIME_STEP_S
from followme_uav.sim.vehicle.vehicle_spec import GRAVITY_MPS2, Airframe, load_vehicle
from followme_uav.worlds.world import Terrain

__all__ = ["GRAVITY_MPS2", "TIME_STEP_NS", "TIME_STEP_S", "Airframe", "Vehicle"]

ROTOR_THRUST_COEFFICIENT = 9.31e-6
"""N per (rad/s)^2, of AirSim's 23 cm propeller; other vehicles' propellers are similar."""

_SETTLING_STEPS = 400
"""Time steps, two seconds, in which a vehicle comes to rest on a slope."""
_FAST_SPIN_RADPS = 20.0
"""Three turns a second; above it the drag of the arms grows with the square of the rate."""
_FAST_SPIN_DRAG_NMS2 = 0.002


class RotorDelay:
    """Passes commands to the rotors on after a time, which need not be a whole number of steps.

    Args:
        steps: the delay in time steps.
    """

    def __init__(self, steps: float) -> None:
        whole = math.floor(steps)
        self._share = steps - whole
        """Of the command that is one step older."""
        self._old: deque[Sequence[float]] = deque(maxlen=whole + 2)

    def fill(self, commands_n: Sequence[float]) -> None:
        """Forget older commands: these have been given for long."""
        self._old.extend([tuple(commands_n)] * (self._old.maxlen or 0))

    def pass_on(self, commands_n: Sequence[float]) -> Sequence[float]:
        """Take new commands, and return those that arrive at the rotors now."""
        old = self._old
        old.append(commands_n)
        share = self._share
        return [new + share * (older - new) for older, new in zip(old[0], old[1], strict=True)]


class Vehicle:
    """One quadrotor among static obstacles, walking people and driving cars.

    Args:
        airframe: that of the default vehicle unless given.
        floor_m: height above z = 0 of the ground at the start.
        terrain: heights of the ground; None: the plane z = 0.

    Attributes (all plain floats, valid after every step):
        airframe: constants.
        position_m, velocity_mps: world NED.
        orientation: body to world, (w, x, y, z).
        rates_radps: body FRD.
        thrusts_n: of the rotors front right, rear left, front left, rear right.
        wind_mps: velocity of the air, world NED.
        in_contact: the body touches something, gently or not.
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
        floor_m: float = 0.0,
        terrain: Terrain | None = None,
    ) -> None:
        self.airframe = airframe or load_vehicle().airframe
        self._world = PhysicsWorld(self.airframe, obstacles, people, cars, terrain)
        self._start = (start_m[0], start_m[1], -floor_m - self.airframe.half_size_m[2])
        self._start_yaw_rad = start_yaw_rad
        self._linear_drag = self.airframe.linear_drag_ns_per_m
        self._quadratic_drag = self.airframe.quadratic_drag_ns2_per_m2
        self._is_box = any(self._quadratic_drag)
        delay_s = self.airframe.rotor_delay_s
        self._delay = RotorDelay(delay_s / TIME_STEP_S) if delay_s else None
        self._rotor_blend = 1.0 - math.exp(-TIME_STEP_S / self.airframe.rotor_lag_s)
        self.wind_mps: Vec3 = (0.0, 0.0, 0.0)
        self._start_orientation: Quaternion | None = None
        self.reset()
        if terrain is not None:
            self._settle()

    def _settle(self) -> None:
        """Let the vehicle come to rest on the slope of its start: there it starts from now on."""
        for _ in range(_SETTLING_STEPS):
            self.step((0.0, 0.0, 0.0, 0.0))
        self._start, self._start_orientation = self.position_m, self.orientation
        self.reset()

    @property
    def start_m(self) -> Vec3:
        """Position after `reset`, world NED."""
        return self._start

    def reset(self) -> None:
        """Return to the start: at rest, rotors stopped, no wind, no collision."""
        self.wind_mps = (0.0, 0.0, 0.0)
        self.place(self._start, self._start_yaw_rad, hovering=False)
        if self._start_orientation is not None:
            self.set_motion(self._start, self._start_orientation)

    def place(self, position_m: Vec3, yaw_rad: float, *, hovering: bool = True) -> None:
        """Set the pose, level and at rest, with the rotors at hover thrust or stopped."""
        half = 0.5 * yaw_rad
        self.set_motion(position_m, (math.cos(half), 0.0, 0.0, math.sin(half)))
        thrust = 0.25 * self.airframe.mass_kg * GRAVITY_MPS2 if hovering else 0.0
        self.thrusts_n = [thrust] * 4
        if self._delay is not None:
            self._delay.fill(self.thrusts_n)
        self.collision: Collision | None = None

    def set_motion(
        self,
        position_m: Vec3,
        orientation: Quaternion,
        velocity_mps: Vec3 = (0.0, 0.0, 0.0),
        rates_radps: Vec3 = (0.0, 0.0, 0.0),
    ) -> None:
        """Set pose and motion; the rotors and the latest collision stay."""
        self._world.set_motion(position_m, orientation, velocity_mps, rates_radps)
        self.in_contact = False
        self._read_state()

    def step(self, commands_n: Sequence[float], time_ns: int = 0) -> None:
        """Advance by one time step.

        Args:
            commands_n: wanted thrust of each rotor, order as `thrusts_n`; clipped to the limits.
            time_ns: time stamp of a collision in this step.
        """
        world, blend, limit = self._world, self._rotor_blend, self.airframe.rotor_max_n
        if self._delay is not None:
            commands_n = self._delay.pass_on(commands_n)
        t0, t1, t2, t3 = (
            old + (min(max(new, 0.0), limit) - old) * blend
            for old, new in zip(self.thrusts_n, commands_n, strict=True)
        )
        self.thrusts_n = [t0, t1, t2, t3]
        world.force[:] = (*self._force_n(), *self._torque_nm())
        self.in_contact = world.step()
        if self.in_contact:
            collision = world.collision(time_ns, self.position_m, self.velocity_mps)
            self.collision = collision or self.collision
        self._read_state()

    def down_axis(self) -> Vec3:
        """The body's down axis in the world, a unit vector."""
        w, x, y, z = self.orientation
        return 2.0 * (x * z + w * y), 2.0 * (y * z - w * x), 1.0 - 2.0 * (x * x + y * y)

    def axes(self) -> tuple[Vec3, Vec3, Vec3]:
        """The body's forward, right and down axes in the world, unit vectors."""
        w, x, y, z = self.orientation
        return (
            (1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + w * z), 2.0 * (x * z - w * y)),
            (2.0 * (x * y - w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z + w * x)),
            (2.0 * (x * z + w * y), 2.0 * (y * z - w * x), 1.0 - 2.0 * (x * x + y * y)),
        )

    def euler_rad(self) -> Vec3:
        """Roll, pitch, yaw of the body (yaw first, then pitch, then roll)."""
        w, x, y, z = self.orientation
        roll = math.atan2(2.0 * (w * x + y * z), 1.0 - 2.0 * (x * x + y * y))
        pitch = math.asin(min(max(2.0 * (w * y - z * x), -1.0), 1.0))
        yaw = math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
        return roll, pitch, yaw

    def kinematics(self) -> Kinematics:
        """A snapshot of the motion."""
        an, ae, ad, ap, aq, ar = self._world.acceleration()
        return Kinematics(
            position_m=self.position_m,
            orientation=self.orientation,
            velocity_mps=self.velocity_mps,
            angular_velocity_radps=self.rates_radps,
            acceleration_mps2=(an, ae, ad),
            angular_acceleration_radps2=(ap, aq, ar),
        )

    def clear_collision(self) -> None:
        """Forget the latest collision."""
        self.collision = None

    def move_people(self, feet_m: Sequence[Vec3] | NDArray[np.float64]) -> None:
        """Place the people's capsules, see `PhysicsWorld.move_people`."""
        self._world.move_people(feet_m)

    def move_cars(
        self, poses: Sequence[tuple[float, float, float]], middles_m: Sequence[float] = ()
    ) -> None:
        """Place the cars, see `PhysicsWorld.move_cars`."""
        self._world.move_cars(poses, middles_m)

    def set_objects(self, objects: Sequence[SpawnedObject]) -> None:
        """Replace the spawned objects, see `PhysicsWorld.set_objects`."""
        self._world.set_objects(objects)

    def move_object(self, index: int, position_m: Vec3, orientation: Quaternion) -> None:
        """Place one of the objects of `set_objects`."""
        self._world.move_object(index, position_m, orientation)

    def cast(
        self,
        start_m: Vec3,
        directions: NDArray[np.float64],
        range_m: float,
        *,
        objects_only: bool = False,
    ) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """Send rays through the vehicle's world, see `PhysicsWorld.cast`."""
        return self._world.cast(start_m, directions, range_m, objects_only=objects_only)

    def met_name(self, number: int) -> str:
        """Name of a solid that a ray of `cast` met."""
        return self._world.met_name(number)

    def _force_n(self) -> Vec3:
        """Thrust and drag, world NED."""
        t0, t1, t2, t3 = self.thrusts_n
        lift = t0 + t1 + t2 + t3
        down_n, down_e, down_d = self.down_axis()
        drag = self._linear_drag
        (vn, ve, vd), (wn, we, wd) = self.velocity_mps, self.wind_mps
        force = (
            -lift * down_n - drag * (vn - wn),
            -lift * down_e - drag * (ve - we),
            -lift * down_d - drag * (vd - wd),
        )
        return self._with_quadratic_drag(force) if self._is_box else force

    def _with_quadratic_drag(self, force: Vec3) -> Vec3:
        """Add the drag of the body's sides, each by the square of the airspeed across it."""
        (vn, ve, vd), (wn, we, wd) = self.velocity_mps, self.wind_mps
        n, e, d = vn - wn, ve - we, vd - wd
        (xn, xe, xd), (yn, ye, yd), (zn, ze, zd) = self.axes()
        x = xn * n + xe * e + xd * d
        y = yn * n + ye * e + yd * d
        z = zn * n + ze * e + zd * d
        kx, ky, kz = self._quadratic_drag
        x, y, z = kx * x * abs(x), ky * y * abs(y), kz * z * abs(z)
        fn, fe, fd = force
        return (
            fn - x * xn - y * yn - z * zn,
            fe - x * xe - y * ye - z * ze,
            fd - x * xd - y * yd - z * zd,
        )

    def _torque_nm(self) -> Vec3:
        """Torque of the rotors and of the air, body FRD.

        A rotor at (x, y) that pushes up by t gives the torque (-y t, x t). The front right rotor
        spins counter-clockwise, so its reaction turns the body clockwise (+yaw).
        """
        frame, (t0, t1, t2, t3), (p, q, r) = self.airframe, self.thrusts_n, self.rates_radps
        spin_drag = frame.angular_drag_nms
        spin = max(abs(p), abs(q), abs(r))
        if spin > _FAST_SPIN_RADPS:
            spin_drag += _FAST_SPIN_DRAG_NMS2 * (spin - _FAST_SPIN_RADPS)
        return (
            frame.rotor_y_m * (t1 + t2 - t0 - t3) - spin_drag * p,
            frame.rotor_x_m * (t0 + t2 - t1 - t3) - spin_drag * q,
            frame.yaw_torque_per_thrust_m * (t0 + t1 - t2 - t3) - spin_drag * r,
        )

    def _read_state(self) -> None:
        world = self._world
        n, e, d, w, x, y, z = world.qpos.tolist()
        vn, ve, vd, p, q, r = world.qvel.tolist()
        self.position_m: Vec3 = (n, e, d)
        self.orientation: Quaternion = (w, x, y, z)
        self.velocity_mps: Vec3 = (vn, ve, vd)
        self.rates_radps: Vec3 = (p, q, r)
