"""Adapts the parameters of the simulator's methods to each dialect.

The services implement those of AirSim 1.8.1. Cosys-AirSim has no `external` in its camera methods,
a frame in simGetObjectPose and another name for simSetLightIntensity; Colosseum sends structs as
arrays, which become maps here.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any

from followme_uav.rpc.server import BadCastError, Handler, HandlerError
from followme_uav.rpc.struct_fields import STRUCTS
from followme_uav.sim.airsim_api.dialects import ServerDialect
from followme_uav.sim.airsim_api.service import Handlers
from followme_uav.sim.airsim_api.structs import read_bool, read_text

_WITHOUT_EXTERNAL = ("simGetImages", "simGetCameraInfo", "simSetCameraPose", "simSetCameraFov")
_ANNOTATION_FOR_EXTERNAL = (
    "simGetImage",
    "simAddDetectionFilterMeshName",
    "simSetDetectionFilterRadius",
    "simClearDetectionMeshNames",
    "simGetDetections",
)

_PARAMETER_STRUCTS: dict[str, dict[int, str]] = {
    "moveByVelocity": {5: "YawMode"},
    "moveByVelocityZ": {5: "YawMode"},
    "moveByVelocityBodyFrame": {5: "YawMode"},
    "moveByVelocityZBodyFrame": {5: "YawMode"},
    "moveToPosition": {6: "YawMode"},
    "moveToZ": {3: "YawMode"},
    "moveOnPath": {0: "[Vector3r]", 4: "YawMode"},
    "moveToGPS": {6: "YawMode"},
    "moveByManual": {5: "YawMode"},
    "moveByRC": {0: "RCData"},
    "simSetWind": {0: "Vector3r"},
    "simSetCameraPose": {1: "Pose"},
    "simGetImages": {0: "[ImageRequest]"},
    "simSetVehiclePose": {0: "Pose"},
    "simSetObjectPose": {1: "Pose"},
    "simSpawnObject": {2: "Pose", 3: "Vector3r"},
    "simSetObjectScale": {1: "Vector3r"},
    "simSetKinematics": {0: "KinematicsState"},
    "simTestLineOfSightToPoint": {0: "GeoPoint"},
    "simTestLineOfSightBetweenPoints": {0: "GeoPoint", 1: "GeoPoint"},
    "simFollowMePlaceVehicle": {0: "Vector3r"},
}
"""Struct of each parameter that is one, counted from 0; "[T]" is a list of T."""


def adapted(handlers: Handlers, dialect: ServerDialect) -> Handlers:
    """The same methods with the dialect's parameters."""
    if dialect.annotations:
        return _for_cosys(handlers)
    if dialect.array_structs:
        return {
            name: _taking_arrays(handler, _PARAMETER_STRUCTS.get(name, {}))
            for name, handler in handlers.items()
        }
    return handlers


def _for_cosys(handlers: Handlers) -> Handlers:
    changed = dict(handlers)
    for name in _WITHOUT_EXTERNAL:
        changed[name] = _without_external(handlers[name])
    for name in _ANNOTATION_FOR_EXTERNAL:
        changed[name] = _with_annotation(handlers[name])
    changed["simGetObjectPose"] = _with_frame(handlers["simGetObjectPose"])
    changed["simSetWorldLightIntensity"] = changed.pop("simSetLightIntensity")
    return changed


def _without_external(handler: Handler) -> Handler:
    def method(*params: Any) -> Any:
        return handler(*params, False)

    return _taking(_arity(handler) - 1, method)


def _with_annotation(handler: Handler) -> Handler:
    """Accept `annotation_name`, which has no effect: there are no annotation layers here."""

    def method(*params: Any) -> Any:
        read_text(params[-1], "annotation_name")
        return handler(*params[:-1], False)

    return _taking(_arity(handler), method)


def _with_frame(handler: Handler) -> Handler:
    def method(name: Any, ned: Any) -> Any:
        if not read_bool(ned, "ned"):
            raise HandlerError("ned is false: only poses in the NED frame are given here")
        return handler(name)

    return method


def _taking_arrays(handler: Handler, kinds: dict[int, str]) -> Handler:
    if not kinds:
        return handler

    names = list(inspect.signature(handler).parameters)

    @functools.wraps(handler)
    def method(*params: Any) -> Any:
        return handler(
            *(
                _as_map(kinds[i], value, names[i]) if i in kinds else value
                for i, value in enumerate(params)
            )
        )

    return method


def _as_map(kind: str, value: Any, parameter: str) -> Any:
    """A map of a struct that arrived as an array; missing fields at its end are left out."""
    if not isinstance(value, list | tuple):
        raise BadCastError(f"{parameter} must be a list")
    if kind.startswith("["):
        return [_as_map(kind[1:-1], item, f"{parameter}[{i}]") for i, item in enumerate(value)]
    return {
        name: _as_map(inner, item, f"{parameter}.{name}") if inner else item
        for (name, inner), item in zip(STRUCTS[kind], value, strict=False)
    }


def _arity(handler: Handler) -> int:
    return len(inspect.signature(handler).parameters)


def _taking(count: int, method: Handler) -> Handler:
    """Make the number of parameters of a method visible to the server."""
    only = inspect.Parameter.POSITIONAL_ONLY
    parameters = [inspect.Parameter(f"p{i}", only) for i in range(count)]
    method.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return method
