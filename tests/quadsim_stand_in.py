"""A stand-in for QuadSim: a Socket.IO client with the camera of the embedded simulator.

`Wire` speaks the protocol over a real websocket, in both revisions, without a library for it: as
the Unity asset does, and independent of the server's code. `StandIn` is a pilot of the flight loop
that sends each frame in QuadSim's format, and flies towards the reported point as QuadSim does: the
camera looks at it, and the vehicle keeps the wanted distance along the streets. Without a report it
patrols.

Each frame waits for its acknowledgement, so that a flight does not depend on the machine's speed.
"""

from __future__ import annotations

import base64
import json
import math
import socket
import time
from contextlib import ExitStack
from typing import ClassVar

import numpy as np
import simplejpeg
from websockets.sync.client import connect

from followme_uav.geometry import euler_of
from followme_uav.messages import Classification, MissionState, Step, TrackEstimate
from followme_uav.pilot.contact import ContactJudge
from followme_uav.pilot.control import Control
from followme_uav.pilot.guidance.behaviours import Behaviours
from followme_uav.pilot.guidance.inputs import GuidanceInputs
from followme_uav.pilot.mission import Mission
from followme_uav.pilot.pilot import FrameClock, mission_inputs
from followme_uav.pilot.tracking.track import Covariance, Track
from followme_uav.rpc.depth_camera import DepthCamera

SIZE_PX = 256
DEPTH_RANGE_M = 50.0
JPEG_QUALITY = 75
"""Of Unity's encoder, if not told otherwise."""
EPOCH_S = 1_500_000_000.0
DEADLINE_S = 30.0
OVERRIDES = (
    f"camera.width_px={SIZE_PX}",
    f"camera.height_px={SIZE_PX}",
    "simulator.camera_fov_deg=53.13",
    "patrol.speed_mps=5",
)
"""Configuration of the embedded simulator with QuadSim's camera, and a patrol slow enough for five
detections in a row."""


class Wire:
    """A client of Socket.IO 2 ("old") or 5 ("new")."""

    def __init__(self, port, revision="old", *, engine=None):
        engine = engine or {"old": 3, "new": 4}[revision]
        self.events = []
        self._number = 0
        self._stack = ExitStack()
        self._socket = self._stack.enter_context(
            connect(
                f"ws://127.0.0.1:{port}/socket.io/?EIO={engine}&transport=websocket",
                compression=None,
                max_size=None,
                open_timeout=DEADLINE_S,
                ping_interval=None,
            )
        )
        self.opening = json.loads(self._expect("0"))
        if revision == "new":
            self._socket.send("40")
        elif engine == 4:
            self._socket.send("2")  # the asset of 2017: it says 4, and pings
            self._expect_one_of("3", "40")
            self._expect_one_of("3", "40")
            return
        self.connected = self._expect("40")

    def emit(self, name, data):
        """Send an event as QuadSim does, without waiting."""
        self.send(f"42{json.dumps([name, data])}")

    def send(self, text):
        self._socket.send(text)

    def call(self, name, data):
        """Send an event; returns the events that came before its acknowledgement."""
        number, self._number = self._number, self._number + 1
        before = len(self.events)
        self._socket.send(f"42{number}{json.dumps([name, data])}")
        self._read_until(lambda text: text.startswith(f"43{number}["))
        return self.events[before:]

    def drain(self):
        """Read what has come, and forget it."""
        while True:
            try:
                text = self._socket.recv(timeout=0)
            except TimeoutError:
                return
            if text == "2":
                self._socket.send("3")

    def wait_for(self, name):
        """The argument of the next event of that name."""
        seen = len(self.events)
        self._read_until(lambda text: any(found == name for found, _ in self.events[seen:]))
        return next(data for found, data in self.events[seen:] if found == name)

    def close(self):
        self._stack.close()

    def abort(self):
        """Go away without a word, as a process that is killed."""
        self._socket.socket.shutdown(socket.SHUT_RDWR)

    def _expect(self, start):
        text = self._socket.recv(timeout=DEADLINE_S)
        assert text.startswith(start), text
        return text[len(start) :]

    def _expect_one_of(self, *texts):
        assert self._socket.recv(timeout=DEADLINE_S) in texts

    def _read_until(self, is_last):
        deadline_s = time.monotonic() + DEADLINE_S
        while True:
            text = self._socket.recv(timeout=max(deadline_s - time.monotonic(), 0.0))
            if text == "2":
                self._socket.send("3")
            elif text.startswith("42"):
                name, data = json.loads(text[2:])
                self.events.append((name, data))
            if is_last(text):
                return


def payload(rgb, depth_m, vehicle_pose, camera_pose, time_s, *, in_degrees=True):
    """The argument of `sensor_frame`; the poses are (position, orientation) in NED."""
    data = {
        "timestamp": f"{EPOCH_S + time_s:.6f}",
        "rgb_image": _base64(np.ascontiguousarray(rgb), "420"),
        "pose": pose_text(*vehicle_pose, in_degrees=in_degrees),
        "gimbal_pose": pose_text(*camera_pose, in_degrees=in_degrees),
    }
    if depth_m is not None:
        levels = np.clip(np.nan_to_num(depth_m, posinf=DEPTH_RANGE_M), 0.0, DEPTH_RANGE_M)
        grey = np.rint(levels * (255.0 / DEPTH_RANGE_M)).astype(np.uint8)
        data["depth_image"] = _base64(np.repeat(grey[..., None], 3, axis=2), "420")
    return data


def pose_text(position_m, orientation, *, in_degrees=True):
    """Text of a pose: x forward, y left, z up; roll, pitch (nose down), yaw (to the left)."""
    north, east, down = position_m
    roll, pitch, yaw = euler_of(orientation)
    unit = 180.0 / math.pi if in_degrees else 1.0
    numbers = (north, -east, -down, roll * unit, -pitch * unit, -yaw * unit)
    return ",".join(f"{number:.6f}" for number in numbers)


def _base64(pixels, subsampling):
    jpeg = simplejpeg.encode_jpeg(pixels, JPEG_QUALITY, colorsubsampling=subsampling)
    return base64.b64encode(jpeg).decode()


class _Mission(Mission):
    """Take off, patrol, follow while there is a report, end in the air."""

    def _has_lost_hero(self, now):
        return False

    def _follow_at_once(self, now):
        return (MissionState.FOLLOW, "a report") if now.classification is not None else None

    def _end(self, now):
        return MissionState.DONE, "a landing would show nothing"

    def _follow_reports(self, now):
        return None if now.classification is not None else (MissionState.PATROL, "lost")

    _rules: ClassVar[dict] = {
        **Mission._rules,
        MissionState.PATROL: _follow_at_once,
        MissionState.FOLLOW: _follow_reports,
        MissionState.LAND: _end,
    }


class StandIn:
    """QuadSim's side of the loop, as a pilot of `FlightLoop`.

    Args:
        config: Of the flight, with `OVERRIDES`.
        wire: The connection to the server.

    Attributes:
        sent: Index of the simulator's frame, for each frame that was sent.
    """

    def __init__(self, config, wire):
        self._config, self._wire = config, wire
        self._depth = DepthCamera(config)
        self._clock = FrameClock(config.camera.rate_hz)
        self._mission = _Mission(config.mission, config.duration_s)
        self._behaviours = Behaviours(config)
        self._control = Control(config)
        self._contacts = ContactJudge(config.mission)
        self._coords = None
        self.sent = []

    @property
    def state(self):
        return self._mission.state

    def step(self, frame):
        dt_s, altitude_m = self._clock.time_step_s(frame), self._clock.altitude_m(frame)
        if self.state in (MissionState.PATROL, MissionState.FOLLOW) and frame.rgb is not None:
            self._exchange(frame)
        inputs = mission_inputs(
            frame,
            altitude_m,
            dt_s,
            has_collided=self._contacts.is_collision(frame.vehicle, self.state),
            classification=None if self._coords is None else Classification.UNCONFIRMED,
        )
        transition = self._mission.update(inputs).transition
        if transition is not None:
            self._behaviours.enter(transition.target, frame.time_s)
        point = None
        if self._coords is not None:  # a point at rest: QuadSim is told no velocity
            point = Track(frame.time_s, self._coords, (0.0, 0.0), Covariance(*[0.0] * 10))
        guidance_inputs = GuidanceInputs(
            frame, altitude_m, None, point, dt_s, self._clock.next_step_s
        )
        guidance, _ = self._behaviours.guide(self.state, guidance_inputs)
        command, _ = self._control.command(guidance, guidance_inputs)
        followed = self.state is MissionState.FOLLOW
        track = TrackEstimate(self._coords, (0.0, 0.0, 0.0), 0.0) if followed else None
        return Step.of(frame, self.state, command, transition=transition, track=track)

    def _exchange(self, frame):
        vehicle, camera = frame.vehicle, frame.camera
        data = payload(
            frame.rgb,
            self._depth(),
            (vehicle.position_m, vehicle.orientation),
            (camera.position_m, camera.orientation),
            frame.time_s,
        )
        self.sent.append(frame.index)
        for name, argument in self._wire.call("sensor_frame", data):
            if name == "object_detected":
                x, y, z = argument["coords"]
                self._coords = (x, -y, -z)
            elif name == "object_lost":
                self._coords = None
