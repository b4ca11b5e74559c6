"""The fields of AirSim's structs, in the order of AirSim's MSGPACK_DEFINE lists.

AirSim sends structs as maps, where the order does not matter; Colosseum sends arrays, where the
order alone identifies the fields.
"""

from __future__ import annotations

Fields = tuple[tuple[str, str | None], ...]


def _plain(*names: str) -> Fields:
    return tuple((name, None) for name in names)


STRUCTS: dict[str, Fields] = {
    "Vector3r": _plain("x_val", "y_val", "z_val"),
    "Quaternionr": _plain("w_val", "x_val", "y_val", "z_val"),
    "Pose": (("position", "Vector3r"), ("orientation", "Quaternionr")),
    "GeoPoint": _plain("latitude", "longitude", "altitude"),
    "YawMode": _plain("is_rate", "yaw_or_rate"),
    "KinematicsState": (
        ("position", "Vector3r"),
        ("orientation", "Quaternionr"),
        ("linear_velocity", "Vector3r"),
        ("angular_velocity", "Vector3r"),
        ("linear_acceleration", "Vector3r"),
        ("angular_acceleration", "Vector3r"),
    ),
    "CollisionInfo": (
        *_plain("has_collided", "penetration_depth", "time_stamp"),
        ("normal", "Vector3r"),
        ("impact_point", "Vector3r"),
        ("position", "Vector3r"),
        *_plain("object_name", "object_id"),
    ),
    "RCData": _plain(
        "timestamp",
        "pitch",
        "roll",
        "throttle",
        "yaw",
        "left_z",
        "right_z",
        "switches",
        "vendor_id",
        "is_initialized",
        "is_valid",
    ),
    "MultirotorState": (
        ("collision", "CollisionInfo"),
        ("kinematics_estimated", "KinematicsState"),
        *_plain("gps_location", "timestamp", "landed_state", "rc_data"),  # not read as structs
    ),
    "ImageRequest": _plain("camera_name", "image_type", "pixels_as_float", "compress"),
    "ImageResponse": (
        *_plain("image_data_uint8", "image_data_float"),
        ("camera_position", "Vector3r"),
        ("camera_name", None),
        ("camera_orientation", "Quaternionr"),
        *_plain("time_stamp", "message", "pixels_as_float", "compress"),
        *_plain("width", "height", "image_type"),
    ),
    "CameraInfo": _plain("pose", "fov", "proj_mat"),
    # Replies of the embedded simulator's own methods simFollowMeGroundTruth and simFollowMeSolids.
    "FollowMeGroundTruth": (
        ("time_stamp", None),
        ("hero_position", "Vector3r"),
        ("people_positions", "[Vector3r]"),
        *_plain("clearance", "mask_width", "mask_height", "mask", "mask_time_stamp"),
    ),
    "FollowMeSolid": (
        ("name", None),
        ("position", "Vector3r"),
        ("half_size", "Vector3r"),
        ("is_round", None),
    ),
}
"""(name, type) of each field: None for a plain value, in brackets for a list of structs."""
