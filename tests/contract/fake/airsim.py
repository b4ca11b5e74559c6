"""A fake AirSim: fixed replies in the form of one simulator, and a record of all calls.

    python airsim.py unreal|unity|colosseum|cosys|embedded

Its only vehicle "Drone1" is at (1, 2, -3) and points east; its camera "0" takes the image of
`picture()`. `fakeSet` changes a reply, `fakeCalls` returns and clears the record, `fakeReset`
restores the initial state. `fakeTouch` causes a contact: as on AirSim the floor is reported too,
and the flag is kept until it is read, or always with the reply `keepsContact`.
"""

from __future__ import annotations

import functools
import re
import sys
import threading
from concurrent.futures import Future
from typing import Any

from followme_uav.rpc.server import BadCastError, HandlerError, RpcServer
from followme_uav.rpc.wire import Float64

WIDTH, HEIGHT = 64, 32
EPOCH_NS = 1_700_000_000_000_000_000
EAST = {"w_val": 0.70710678, "x_val": 0.0, "y_val": 0.0, "z_val": 0.70710678}
CAMERA = {"w_val": 1.0, "x_val": 0.0, "y_val": 0.0, "z_val": 0.0}
RED, GREEN, BLUE, GREY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (9, 90, 200)
COLOURS = {0: (0, 0, 0), 1: (153, 108, 6), 2: (112, 105, 191)}  # of segmentation ids


def picture() -> list[list[tuple[int, int, int]]]:
    """RGB rows from the top: red top left, green top right, blue bottom left, grey elsewhere."""
    rows = [[GREY] * WIDTH for _ in range(HEIGHT)]
    rows[0][0], rows[0][-1], rows[-1][0] = RED, GREEN, BLUE
    return rows


def wall() -> list[list[tuple[int, int, int]]]:
    """DepthVis of a wall 5.1 m ahead on the left, beneath an open sky on the right."""
    return [[(13,) * 3] * (WIDTH // 2) + [(255,) * 3] * (WIDTH // 2) for _ in range(HEIGHT)]


def classes() -> list[list[int]]:
    """A person in the left half of row 5, the hero at the right end of row 6."""
    rows = [[0] * WIDTH for _ in range(HEIGHT)]
    rows[5][: WIDTH // 2] = [1] * (WIDTH // 2)
    rows[6][-1] = 2
    return rows


def vector(x: float, y: float, z: float) -> dict[str, float]:
    return {"x_val": x, "y_val": y, "z_val": z}


class FakeAirSim:
    """The state that the handlers share."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.reset()

    def reset(self) -> None:
        self.calls: list[list[Any]] = []
        self.answers: dict[str, Any] = {}
        self.motion: Future[bool] | None = None
        self.elapsed_ns = 0
        self.paused = False
        self.meshes: dict[str, int] = {}
        self.contact: dict[str, Any] | None = None
        self.fov_deg = 90.0
        self.api_control = True

    def handlers(self) -> dict[str, Any]:
        camera = self.cosys_camera() if self.kind == "cosys" else self.camera()
        own = {
            "simFollowMeGroundTruth": self.ground_truth,
            "simFollowMeSolids": lambda: [
                {
                    "name": "house",
                    "position": vector(1.0, -2.0, -3.0),
                    "half_size": vector(4.0, 5.0, 6.0),
                    "is_round": False,
                }
            ],
            "simFollowMePlaceVehicle": lambda position, yaw_rad, name: None,
        }
        plain = {
            "ping": lambda: True,
            "getServerVersion": lambda: 4 if self.kind == "cosys" else 1,
            "listVehicles": lambda: ["Drone1"],
            "enableApiControl": self.enable,
            "isApiControlEnabled": self.is_enabled,
            "armDisarm": self.arm,
            "reset": lambda: None,
            "simPause": self.pause,
            "simIsPaused": lambda: self.paused,
            "simContinueForTime": self.go_on,
            "getMultirotorState": self.state,
            "simGetCollisionInfo": self.collision,
            "simSetSegmentationObjectID": self.set_object_id,
            "simSetVehiclePose": lambda pose, ignore_collision, name: None,
            "takeoff": lambda timeout_s, name: self.move(),
            "hover": lambda name: self.move(),
            "land": lambda timeout_s, name: self.move(),
            "moveByVelocity": lambda x, y, z, duration, drive, yaw, name: self.move(),
        }
        methods = plain | camera | (own if self.kind == "embedded" else {})
        methods = {name: self.recorded(name, f) for name, f in methods.items()}
        return methods | {
            "fakeCalls": self.take_calls,
            "fakeSet": lambda key, value: self.answers.update({key: value}),
            "fakeReset": self.reset,
            "fakeTouch": self.touch,
        }

    def recorded(self, name: str, function: Any) -> Any:
        @functools.wraps(function)  # the server checks the number of parameters
        def call(*params: Any) -> Any:
            self.calls.append([name, list(params)])
            if name in self.answers.get("refuse", ()):
                raise HandlerError(f"{name} refused")
            return function(*params)

        return call

    def camera(self) -> dict[str, Any]:
        return {
            "simGetImages": lambda requests, name, external: self.images(requests),
            "simSetCameraPose": lambda camera, pose, name, external: None,
            "simSetCameraFov": lambda camera, fov, name, external: self.set_fov(fov),
            "simGetCameraInfo": lambda camera, name, external: self.camera_info(),
        }

    def cosys_camera(self) -> dict[str, Any]:
        return {
            "simGetImages": lambda requests, name: self.images(requests),
            "simSetCameraPose": lambda camera, pose, name: None,
            "simSetCameraFov": lambda camera, fov, name: self.set_fov(fov),
            "simGetCameraInfo": lambda camera, name: self.camera_info(),
        }

    def set_fov(self, fov_deg: float) -> None:
        self.fov_deg = fov_deg

    def camera_info(self) -> dict[str, Any]:
        pose = {"position": vector(0.5, 0, 0.1), "orientation": CAMERA}
        return {"pose": pose, "fov": self.fov_deg, "proj_mat": {"matrix": [[0.0] * 4] * 4}}

    def enable(self, enabled: bool, name: str) -> None:
        self.api_control = enabled

    def is_enabled(self, name: str) -> bool:
        return self.answers.get("isApiControlEnabled", self.api_control)

    def arm(self, arm: bool, name: str) -> bool | Future[bool]:
        if self.answers.get("silentArming"):
            return Future()
        return self.api_control

    def take_calls(self) -> list[list[Any]]:
        calls, self.calls = self.calls, []
        return calls

    def move(self) -> Future[bool]:
        """End the previous motion, which replies False, as AirSim does."""
        old, self.motion = self.motion, Future()
        if old is not None and not self.answers.get("silent"):
            old.set_result(False)
        return self.motion

    def pause(self, paused: bool) -> None:
        self.paused = paused

    def go_on(self, seconds: float) -> Future[None] | None:
        if self.answers.get("watched"):  # other calls are served during the advance
            over: Future[None] = Future()

            def end() -> None:
                self.elapsed_ns += round(seconds * 1e9)
                over.set_result(None)

            threading.Timer(0.05, end).start()
            return over
        self.elapsed_ns += round(seconds * 1e9)
        if self.kind == "unity":  # replies at once, is paused later or never
            self.paused = False
            if not self.answers.get("neverPauses"):
                threading.Timer(0.03, self.pause, (True,)).start()
        return None

    def state(self, name: str) -> dict[str, Any]:
        if name != "Drone1":
            raise HandlerError(f"Vehicle API for '{name}' is not available")
        zero = vector(0, 0, 0)
        state = {
            "collision": self.no_collision(),
            "kinematics_estimated": {
                "position": vector(*self.answers.get("position", (1, 2, -3))),
                "orientation": EAST,
                "linear_velocity": vector(*self.answers.get("velocity", (0.5, 0.25, -0.125))),
                "angular_velocity": vector(0.1, 0.2, 0.3),
                "linear_acceleration": zero,
                "angular_acceleration": zero,
            },
            "gps_location": {
                "latitude": Float64(47.6),
                "longitude": Float64(-122.1),
                "altitude": 120.0,
            },
            "timestamp": EPOCH_NS + self.elapsed_ns,
            "landed_state": self.answers.get("landedState", 1),
            "rc_data": {"timestamp": 0, "pitch": 0.0},
        }
        for key in self.answers.get("missing", ()):
            del state[key]
        return state

    def no_collision(self) -> dict[str, Any]:
        zero = vector(0, 0, 0)
        return {
            "has_collided": False,
            "penetration_depth": 0.0,
            "time_stamp": 0,
            "normal": zero,
            "impact_point": zero,
            "position": zero,
            "object_name": "",
            "object_id": -1,
        }

    def collision(self, name: str) -> dict[str, Any]:
        contact = self.contact or {"has_collided": bool(self.answers.pop("collided", False))}
        if not self.answers.get("keepsContact"):
            self.contact = None
        return self.no_collision() | contact

    def touch(self, object_name: str, normal: list[float], seconds: float) -> None:
        """Cause a contact at this time after the start of the clock."""
        self.contact = {
            "has_collided": True,
            "time_stamp": EPOCH_NS + round(seconds * 1e9),
            "normal": vector(*normal),
            "object_name": object_name,
            "object_id": 7,
        }

    def images(self, requests: list[Any]) -> list[dict[str, Any]]:
        return [self.image(request) for request in requests]

    def image(self, request: Any) -> dict[str, Any]:
        if self.kind == "colosseum":
            names = ("camera_name", "image_type", "pixels_as_float", "compress")
            request = dict(zip(names, request, strict=True))
        if ("annotation_name" in request) != (self.kind == "cosys"):
            raise BadCastError
        known = request["camera_name"] == "0"
        rows = {0: picture, 3: wall}.get(request["image_type"], self.segmentation)()
        if self.kind == "unity":
            rows.reverse()
        reorder = (lambda p: p) if self.kind == "unity" else (lambda p: p[::-1])
        data = bytes(value for row in rows for pixel in row for value in reorder(pixel))
        in_ms = self.kind == "unity"
        image = {
            "image_data_uint8": data,
            "image_data_float": [],
            "camera_position": vector(1.5, 2.5, -3.5),
            "camera_name": request["camera_name"],
            "camera_orientation": CAMERA,
            "time_stamp": (EPOCH_NS + self.elapsed_ns) // (10**6 if in_ms else 1),
            "message": "",
            "pixels_as_float": False,
            "compress": False,
            "width": WIDTH if known else 0,
            "height": HEIGHT if known else 0,
            "image_type": request["image_type"],
        }
        return image | self.answers.get("image", {})

    def segmentation(self) -> list[list[tuple[int, int, int]]]:
        names = ("Ground", "person_7", "hero_2")
        return [[COLOURS[self.meshes.get(names[c], 0)] for c in row] for row in classes()]

    def set_object_id(self, pattern: str, object_id: int, is_regex: bool) -> bool:
        found = [n for n in ("Ground", "person_7", "hero_2") if re.fullmatch(pattern, n)]
        self.meshes.update(dict.fromkeys(found, object_id))
        return bool(found)

    def ground_truth(self, name: str) -> dict[str, Any]:
        return {
            "time_stamp": EPOCH_NS + self.elapsed_ns,
            "hero_position": vector(10, 20, 0),
            "people_positions": [vector(1, 1, 0), vector(2, 2, 0)],
            "clearance": 4.5,
            "mask_width": WIDTH,
            "mask_height": HEIGHT,
            "mask": bytes(value for row in classes() for value in row),
            **self.answers.get("truth", {}),
        }


def main(kind: str) -> None:
    server = RpcServer(FakeAirSim(kind).handlers(), array_structs=kind == "colosseum")
    server.start()
    print(*server.address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
