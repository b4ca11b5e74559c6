"""A tour of the simulator with a third-party AirSim client; prints its report as JSON.

It runs in an environment with `airsim` or `cosysairsim`, without this project:

    python airsim_client.py airsim|cosysairsim PORT

Each part of the tour starts from a reset. The report has the result of each part under its name;
the traceback of a part that fails is under "failed" instead, and the tour goes on.
"""

from __future__ import annotations

import base64
import contextlib
import importlib
import inspect
import json
import math
import re
import sys
import threading
import traceback
from typing import Any

from motions import HEIGHT_M, MOTIONS

TIMEOUT_S = 60
m: Any = None
"""The client's module."""
CALLED: set[str] = set()
PORT = 0


def connect() -> Any:
    """A client that records the methods it calls."""
    client = m.MultirotorClient(port=PORT, timeout_value=TIMEOUT_S)
    wire = client.client
    for name in ("call", "call_async"):
        setattr(wire, name, _noting(getattr(wire, name)))
    return client


def _noting(call: Any) -> Any:
    def noted(method: str, *args: Any) -> Any:
        CALLED.add(method)
        return call(method, *args)

    return noted


def ready(c: Any) -> None:
    """Return to the start, paused, armed and under API control."""
    c.simPause(True)
    c.reset()
    c.enableApiControl(True)
    assert c.armDisarm(True) is True


def aloft(c: Any, place: tuple[float, float, float] = (0.0, 0.0, -HEIGHT_M)) -> None:
    """Hover with the nose to the north."""
    ready(c)
    c.simSetVehiclePose(m.Pose(m.Vector3r(*place), rotation()), True)


def rotation(roll: float = 0.0, pitch: float = 0.0, yaw: float = 0.0) -> Any:
    """Quaternionr by the library's own function."""
    if hasattr(m, "to_quaternion"):
        return m.to_quaternion(pitch, roll, yaw)
    return m.euler_to_quaternion(roll, pitch, yaw)


def angles(orientation: Any) -> tuple[float, float, float]:
    """Roll, pitch, yaw in radians by the library's own function."""
    if hasattr(m, "to_eularian_angles"):
        pitch, roll, yaw = m.to_eularian_angles(orientation)
        return roll, pitch, yaw
    roll, pitch, yaw = m.quaternion_to_euler_angles(orientation)
    return roll, pitch, yaw


def state(c: Any) -> dict[str, Any]:
    """Position and angles, as a script computes them."""
    whole = c.getMultirotorState()
    motion = whole.kinematics_estimated
    roll, pitch, yaw = angles(motion.orientation)
    return {
        "position": list(motion.position.to_numpy_array().astype(float)),
        "velocity": list(motion.linear_velocity.to_numpy_array().astype(float)),
        "angles": {"roll": roll, "pitch": pitch, "yaw": yaw},
        "landed": whole.landed_state == m.LandedState.Landed,
        "timestamp": whole.timestamp,
    }


def plain(value: Any) -> Any:
    """A struct of the library as maps, with bytes as base64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if hasattr(value, "to_msgpack"):
        return {key: plain(item) for key, item in vars(value).items()}
    return value


def connection(c: Any) -> Any:
    with contextlib.redirect_stdout(sys.stderr):
        c.confirmConnection()
    c.enableApiControl(True)
    return {
        "versions": [c.getServerVersion(), c.getMinRequiredServerVersion(), c.getClientVersion()],
        "control": c.isApiControlEnabled(),
        "vehicles": list(c.listVehicles()),
        "settings": c.getSettingsString(),
        "home": plain(c.getHomeGeoPoint()),
    }


def motions(c: Any) -> Any:
    seen = {}
    for name, motion in MOTIONS.items():
        if motion.start_m is None:
            ready(c)
        else:
            aloft(c, motion.start_m)
        before = state(c)
        future = motion.call(c, m)
        c.simContinueForTime(motion.run_s)
        after = state(c)
        seen[name] = {"before": before, "answer": future.get(), "after": after}
    return seen


def remote_control(c: Any) -> Any:
    """The sticks fly the vehicle without API control."""
    aloft(c)
    c.enableApiControl(False)
    sticks = m.RCData(roll=0.3, throttle=0.62, is_initialized=True, is_valid=True)
    c.moveByRC(sticks)
    c.simContinueForTime(2.0)
    return {"state": state(c), "sticks": plain(c.getMultirotorState().rc_data)}


def gains(c: Any) -> Any:
    """The calls of an AirSim tuning script, then a hover with the default gains."""
    aloft(c)
    c.setAngleRateControllerGains(m.AngleRateControllerGains())
    c.setAngleLevelControllerGains(m.AngleLevelControllerGains())
    c.setVelocityControllerGains(m.VelocityControllerGains())
    c.setPositionControllerGains(m.PositionControllerGains())
    c.simContinueForTime(2.0)
    return state(c)


def pictures(c: Any) -> Any:
    """Every image type as raw pixels, PNG and numbers, of one instant, ahead and down."""
    aloft(c)
    types = range(8)
    asked = [
        m.ImageRequest("0", kind, as_float, packed)
        for kind in types
        for as_float, packed in ((False, False), (False, True), (True, False))
    ]
    seen = [plain(r) for half in (asked[:12], asked[12:]) for r in c.simGetImages(half)]
    single = plain(c.simGetImage("0", m.ImageType.Scene))
    c.simSetCameraPose("0", m.Pose(m.Vector3r(), rotation(pitch=-0.5 * math.pi)))
    c.simContinueForTime(3.0)
    depth = c.simGetImages([m.ImageRequest("0", m.ImageType.DepthPlanar, True, False)])[0]
    down = m.list_to_2d_float_array(depth.image_data_float, depth.width, depth.height)
    info = c.simGetCameraInfo("0")
    return {
        "responses": seen,
        "single": single,
        "depth below": down.tolist(),
        "height": -state(c)["position"][2],
        "camera below": plain(info),
    }


def camera(c: Any) -> Any:
    aloft(c)
    before = c.simGetCameraInfo("0")
    c.simSetCameraFov("0", 90.0)
    after = c.simGetCameraInfo(0)
    c.simSetCameraFov("0", before.fov)
    return {"before": plain(before), "after": plain(after)}


def sensors(c: Any) -> Any:
    aloft(c)
    c.simContinueForTime(0.5)
    try:
        lidar = plain(c.getLidarData())
    except Exception as error:
        lidar = str(error)
    return {
        "imu": plain(c.getImuData()),
        "barometer": plain(c.getBarometerData()),
        "magnetometer": plain(c.getMagnetometerData()),
        "gps": plain(c.getGpsData()),
        "distance": plain(c.getDistanceSensorData("DistanceDown")),
        "lidar": lidar,
        "environment": plain(c.simGetGroundTruthEnvironment()),
        "kinematics": plain(c.simGetGroundTruthKinematics()),
        "rotors": plain(c.getRotorStates()),
    }


def pause_and_step(c: Any) -> Any:
    ready(c)
    times = [c.getMultirotorState().timestamp]
    c.simContinueForTime(0.5)
    times.append(c.getMultirotorState().timestamp)
    c.simContinueForFrames(10)
    # This call need not wait until they have passed.
    while not c.simIsPause():
        pass
    times.append(c.getMultirotorState().timestamp)
    c.simPause(False)
    running = c.simIsPause()
    c.simPause(True)
    return {"times": times, "paused while running": running, "paused": c.simIsPause()}


def clock_running(c: Any) -> Any:
    """As most scripts fly: the clock runs and the script waits for the call."""
    aloft(c)
    c.simPause(False)
    c.rotateByYawRateAsync(30.0, 1.0).join()
    c.simPause(True)
    return state(c)


def reset_and_fly_again(c: Any) -> Any:
    flights = []
    for _ in range(2):
        ready(c)
        start = state(c)
        future = c.takeoffAsync()
        c.simContinueForTime(10.0)
        flights.append({"start": start, "answer": future.get(), "end": state(c)})
    c.reset()
    return {"flights": flights, "control after reset": c.isApiControlEnabled()}


def two_clients(c: Any) -> Any:
    """The latest command counts; simultaneous calls do not block each other."""
    other = connect()
    aloft(c)
    first = c.moveByVelocityAsync(1.0, 0.0, 0.0, 30.0)
    c.simContinueForTime(1.0)
    second = other.moveByVelocityAsync(0.0, 2.0, 0.0, 1.0)
    other.simContinueForTime(1.02)
    answers = [first.get(), second.get()]
    seen: list[Any] = [None, None]

    def look(index: int) -> None:
        mine = connect()  # one client for each thread, because of the libraries' event loops
        stamps = []
        for _ in range(20):
            stamps.append(mine.getMultirotorState().timestamp)
            size = mine.simGetImages([m.ImageRequest("0", index, False, False)])[0]
        seen[index] = {"stamps": stamps, "pixels": len(size.image_data_uint8)}

    threads = [threading.Thread(target=look, args=(index,)) for index in range(2)]
    c.simPause(False)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_S)
    c.simPause(True)
    return {"answers": answers, "states": [state(c), state(other)], "threads": seen}


def world(c: Any) -> Any:
    aloft(c, (0.0, 0.0, -2.0))
    seen: dict[str, Any] = {"objects": list(c.simListSceneObjects("hero|person.*"))}
    there = m.Pose(m.Vector3r(6.0, 0.0, 0.0), rotation(yaw=1.0))
    seen["moved"] = c.simSetObjectPose("hero", there, True)
    seen["hero"] = plain(c.simGetObjectPose("hero"))
    seen["nobody"] = c.simGetObjectPose("nobody").containsNan()
    c.simAddDetectionFilterMeshName("0", m.ImageType.Scene, "hero*")
    c.simSetDetectionFilterRadius("0", m.ImageType.Scene, 100 * 100)
    seen["detections"] = plain(c.simGetDetections("0", m.ImageType.Scene))
    c.simClearDetectionMeshNames("0", m.ImageType.Scene)
    seen["none"] = plain(c.simGetDetections("0", m.ImageType.Scene))
    seen["id"] = [
        c.simSetSegmentationObjectID("hero", 42),
        c.simGetSegmentationObjectID("hero"),
        c.simSetSegmentationObjectID("nobody", 1),
    ]
    home = c.getHomeGeoPoint()
    above, below = m.GeoPoint(), m.GeoPoint()
    for point, height_m in ((above, 10.0), (below, -10.0)):
        point.latitude, point.longitude = home.latitude, home.longitude
        point.altitude = home.altitude + height_m
    seen["sight"] = [
        c.simTestLineOfSightToPoint(above),
        c.simTestLineOfSightBetweenPoints(above, below),
    ]
    seen["pose"] = plain(c.simGetVehiclePose())
    c.simSetVehiclePose(m.Pose.nanPose(), True)
    seen["nan pose"] = plain(c.simGetVehiclePose())
    motion = c.simGetGroundTruthKinematics()
    motion.position = m.Vector3r(0.0, 0.0, -30.0)
    motion.linear_velocity = m.Vector3r(2.0, 0.0, 0.0)
    c.simSetKinematics(motion, True)
    seen["set"] = state(c)
    c.simSetWind(m.Vector3r(3.0, 0.0, 0.0))
    c.simContinueForTime(0.1)
    c.simSetWind(m.Vector3r(0.0, 0.0, 0.0))
    seen["collision"] = plain(c.simGetCollisionInfo())
    c.simSetTimeOfDay(True, "2024-06-21 18:30:00", False, 1, 60, True)
    c.simEnableWeather(True)
    for parameter in (m.WeatherParameter.Rain, m.WeatherParameter.Snow, m.WeatherParameter.Fog):
        c.simSetWeatherParameter(parameter, 0.5)
    c.simEnableWeather(False)
    c.simSetTimeOfDay(False)
    c.simPrintLogMessage("hello ", "there", 1)
    return seen


def objects(c: Any) -> Any:
    """A spawned object that changes, is an obstacle and is destroyed; a light; refusals."""
    aloft(c, (0.0, 0.0, -2.0))
    seen: dict[str, Any] = {"assets": list(c.simListAssets())}
    there, scale = m.Pose(m.Vector3r(6.0, 0.0, -2.0), rotation()), m.Vector3r(1.0, 2.0, 3.0)
    names = [c.simSpawnObject("crate", "Cube", there, scale, True, False) for _ in range(2)]
    seen["names"] = names
    seen["listed"] = [name in c.simListSceneObjects() for name in names]
    seen["pose"] = plain(c.simGetObjectPose(names[0]))
    seen["scale"] = [plain(c.simGetObjectScale(name)) for name in (names[0], "hero", "nobody")]
    seen["resized"] = [
        c.simSetObjectScale(names[0], m.Vector3r(2.0, 2.0, 2.0)),
        plain(c.simGetObjectScale(names[0])),
    ]
    seen["ahead"] = c.getDistanceSensorData("Distance").distance
    seen["painted"] = [
        c.simSetObjectMaterial(names[0], "red"),
        c.simSetObjectMaterial(names[0], "/Game/Nothing"),
        c.simSetObjectMaterial("building_0", "red"),
    ]
    light = c.simSpawnObject("lamp", "PointLightBP", there, scale, False, True)
    seen["light"] = [c.simSetLightIntensity(light, 100.0), c.simSetLightIntensity("sun", 1.0)]
    seen["destroyed"] = [c.simDestroyObject(name) for name in (*names, light, names[0], "hero")]
    seen["extents"] = plain(c.simGetWorldExtents())
    seen["command"] = c.simRunConsoleCommand("stat fps")
    far = c.getHomeGeoPoint()
    far.latitude -= 1.0
    far.altitude += 50.0
    seen["far"] = c.simTestLineOfSightToPoint(far)
    return seen


def markers(c: Any) -> Any:
    points = [m.Vector3r(0.0, 0.0, -1.0), m.Vector3r(1.0, 0.0, -1.0)]
    poses = [m.Pose(), m.Pose()]
    c.simFlushPersistentMarkers()
    c.simPlotPoints(points)
    c.simPlotLineStrip(points)
    c.simPlotLineList(points)
    c.simPlotArrows(points, points)
    c.simPlotStrings(["a", "b"], points)
    c.simPlotTransforms(poses)
    c.simPlotTransformsWithNames(poses, ["a", "b"])
    c.simSetTraceLine([1.0, 0.0, 0.0, 1.0])
    return True


def recording(c: Any) -> Any:
    ready(c)
    c.startRecording()
    on = c.isRecording()
    c.simContinueForTime(0.2)
    c.stopRecording()
    return [on, c.isRecording()]


def nonsense(c: Any) -> Any:
    """Refusals reach the script as the library's exception, with the server's message."""
    said = {}
    for name, call in {
        "number": lambda: c.moveByVelocityAsync("fast", 0.0, 0.0, 1.0).get(),
        "nan": lambda: c.moveToZAsync(float("nan"), 1.0).get(),
        "vehicle": lambda: c.getMultirotorState("Drone7"),
        "optical flow": lambda: c.simGetImages([m.ImageRequest("0", m.ImageType.OpticalFlow)]),
        "unknown": lambda: c.simGetMeshPositionVertexBuffers(),
    }.items():
        try:
            said[name] = ["answered", str(call())]
        except Exception as error:
            said[name] = [type(error).__name__, str(error)]
    return said


TOUR = (
    connection,
    motions,
    remote_control,
    gains,
    pictures,
    camera,
    sensors,
    pause_and_step,
    clock_running,
    reset_and_fly_again,
    two_clients,
    world,
    objects,
    markers,
    recording,
    nonsense,
)


def main() -> None:
    global m, PORT
    m, PORT = importlib.import_module(sys.argv[1]), int(sys.argv[2])
    report: dict[str, Any] = {}
    for part in TOUR:
        try:
            report[part.__name__] = part(connect())
        except Exception:
            report[part.__name__] = {"failed": traceback.format_exc()}
    sources = "".join(inspect.getsource(c) for c in (m.VehicleClient, m.MultirotorClient))
    report["known"] = sorted(set(re.findall(r"\.call(?:_async)?\(\s*['\"](\w+)", sources)))
    report["called"] = sorted(CALLED)
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main()
