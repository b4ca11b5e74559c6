"""AirSim's structs as maps for the wire, and checked reading of parameters.

Builders return maps with exactly AirSim's keys in AirSim's order. Readers convert a received value
into the simulator's types, or refuse it: with rpclib's words for a wrong type, with a message that
names parameter and limits for a value out of range.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

from followme_uav.messages import Quaternion, Vec3
from followme_uav.rpc.server import BadCastError, HandlerError
from followme_uav.rpc.wire import Float64
from followme_uav.sim.vehicle.earth import EARTH_RADIUS_M, HOME, MAX_POSITION_M, Home, place_of
from followme_uav.sim.vehicle.remote_control import RemoteControl
from followme_uav.sim.vehicle.state import Collision, Kinematics

Struct = dict[str, Any]
T = TypeVar("T")


def vector(value: Vec3) -> Struct:
    """Vector3r."""
    x, y, z = value
    return {"x_val": x, "y_val": y, "z_val": z}


def quaternion(value: Quaternion) -> Struct:
    """Quaternionr."""
    w, x, y, z = value
    return {"w_val": w, "x_val": x, "y_val": y, "z_val": z}


def pose(position_m: Vec3, orientation: Quaternion) -> Struct:
    """Pose."""
    return {"position": vector(position_m), "orientation": quaternion(orientation)}


def kinematics(motion: Kinematics) -> Struct:
    """KinematicsState."""
    return {
        "position": vector(motion.position_m),
        "orientation": quaternion(motion.orientation),
        "linear_velocity": vector(motion.velocity_mps),
        "angular_velocity": vector(motion.angular_velocity_radps),
        "linear_acceleration": vector(motion.acceleration_mps2),
        "angular_acceleration": vector(motion.angular_acceleration_radps2),
    }


def collision(event: Collision | None, *, has_collided: bool) -> Struct:
    """CollisionInfo; with AirSim's defaults when `event` is None."""
    nowhere = (0.0, 0.0, 0.0)
    return {
        "has_collided": has_collided,
        "penetration_depth": event.penetration_m if event else 0.0,
        "time_stamp": event.time_ns if event else 0,
        "normal": vector(event.normal if event else nowhere),
        "impact_point": vector(event.impact_point_m if event else nowhere),
        "position": vector(event.position_m if event else nowhere),
        "object_name": event.object_name if event else "",
        "object_id": event.object_id if event else -1,
    }


def geo_point(position_m: Vec3, home: Home = HOME) -> Struct:
    """GeoPoint of a position near the origin, on a flat Earth."""
    north, east, down = position_m
    east_radius_m = EARTH_RADIUS_M * math.cos(math.radians(home.latitude_deg))
    return {
        "latitude": Float64(home.latitude_deg + math.degrees(north / EARTH_RADIUS_M)),
        "longitude": Float64(home.longitude_deg + math.degrees(east / east_radius_m)),
        "altitude": home.altitude_m - down,
    }


def remote_control(remote: RemoteControl) -> Struct:
    """RCData."""
    return {
        "timestamp": remote.timestamp_ns,
        "pitch": remote.pitch,
        "roll": remote.roll,
        "throttle": remote.throttle,
        "yaw": remote.yaw,
        "left_z": remote.left_z,
        "right_z": remote.right_z,
        "switches": remote.switches,
        "vendor_id": remote.vendor_id,
        "is_initialized": remote.is_initialized,
        "is_valid": remote.is_valid,
    }


def projection(fov_rad: float, aspect: float) -> list[list[float]]:
    """4x4 projection to clip space with reversed depth, near plane at 0.1 m, as in Unreal."""
    scale = 1.0 / math.tan(0.5 * fov_rad)
    return [
        [scale, 0.0, 0.0, 0.0],
        [0.0, scale * aspect, 0.0, 0.0],
        [0.0, 0.0, 0.0, 1.0],
        [0.0, 0.0, 0.1, 0.0],
    ]


def read_number(value: Any, name: str, low: float, high: float) -> float:
    """A finite number within bounds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadCastError(f"{name} must be a number")
    if not low <= value <= high:  # also catches NaN
        raise HandlerError(f"{name} is {value}, must be {low:g} to {high:g}")
    return float(value)


def read_bool(value: Any, name: str) -> bool:
    """A boolean."""
    if not isinstance(value, bool):
        raise BadCastError(f"{name} must be true or false")
    return value


def read_int(value: Any, name: str, low: int, high: int) -> int:
    """A whole number within bounds."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadCastError(f"{name} must be a whole number")
    if not low <= value <= high:
        raise HandlerError(f"{name} is {value}, must be {low} to {high}")
    return value


def read_text(value: Any, name: str) -> str:
    """A string."""
    if not isinstance(value, str):
        raise BadCastError(f"{name} must be a text")
    return value


def checked_later(read: Callable[[], T]) -> Callable[[], T]:
    """Read parameters now, but refuse values out of range only when they are used.

    Their use may depend on a name that only the simulation's thread can look up.

    Returns:
        A function that returns the values, or raises the HandlerError that `read` raised.

    Raises:
        BadCastError: A parameter has the wrong type; it is refused at once.
    """
    try:
        value = read()
    except BadCastError:
        raise
    except HandlerError as error:
        refusal = error

        def refuse() -> T:
            raise refusal

        return refuse
    return lambda: value


def read_struct(value: Any, name: str) -> Struct:
    """A map; missing keys have AirSim's defaults, unknown keys are ignored."""
    if not isinstance(value, dict):
        raise BadCastError(f"{name} must be a struct")
    return value


def read_vector(value: Any, name: str, limit: float) -> Vec3:
    """Vector3r with components within +-limit."""
    keys = ("x_val", "y_val", "z_val")
    fields = read_struct(value, name)
    x, y, z = (read_number(fields.get(k, 0.0), f"{name}.{k}", -limit, limit) for k in keys)
    return x, y, z


def read_orientation(value: Any, name: str) -> Quaternion:
    """Quaternionr, normalised."""
    fields = read_struct(value, name)
    default = {"w_val": 1.0, "x_val": 0.0, "y_val": 0.0, "z_val": 0.0}
    w, x, y, z = (
        read_number(fields.get(k, d), f"{name}.{k}", -1e3, 1e3) for k, d in default.items()
    )
    norm = math.sqrt(w * w + x * x + y * y + z * z)
    if norm < 1e-3:
        raise HandlerError(f"{name} is no rotation: its length is {norm:g}")
    return w / norm, x / norm, y / norm, z / norm


def read_place(
    latitude: Any,
    longitude: Any,
    altitude: Any,
    prefix: str = "",
    *,
    home: Home = HOME,
    farthest_m: float = MAX_POSITION_M,
) -> Vec3:
    """World NED of the parameters of a GeoPoint.

    Args:
        latitude: degrees.
        longitude: degrees.
        altitude: metres above sea level.
        prefix: prefix of the parameters' names in an error.
        home: geodetic position of the origin.
        farthest_m: largest distance from home, to the north or the east.

    Raises:
        HandlerError: A parameter is out of range, or the position too far from home.
    """
    place = place_of(
        read_number(latitude, f"{prefix}latitude", -90.0, 90.0),
        read_number(longitude, f"{prefix}longitude", -180.0, 180.0),
        read_number(altitude, f"{prefix}altitude", -MAX_POSITION_M, MAX_POSITION_M),
        home,
    )
    if max(abs(place[0]), abs(place[1])) > farthest_m:
        raise HandlerError(
            f"{prefix}latitude {latitude}, {prefix}longitude {longitude} is more than "
            f"{farthest_m / 1e3:g} km from home; see getHomeGeoPoint"
        )
    return place
