"""Fly the embedded simulator by plain MessagePack-RPC: no code of followme-uav, any language.

Each call is one message [0, number, method, parameters]; each answer is [1, number, error, result].
The methods are AirSim's, see docs/simulator.md. Start the simulator, then this program:

    followme-uav sim --seed 8 --port 41451
    python examples/plain_rpc.py 41451
"""

import itertools
import socket
import sys
from typing import Any

import msgpack


class Client:
    """Calls methods; a call may be answered after later ones."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._numbers = itertools.count()
        self._unpacker = msgpack.Unpacker()
        self._answers: dict[int, tuple[Any, Any]] = {}

    def begin(self, method: str, *params: object) -> int:
        """Send a call without waiting for its answer; return its number."""
        number = next(self._numbers)
        self._socket.sendall(msgpack.packb([0, number, method, params]))
        return number

    def result(self, number: int) -> Any:
        """Wait for the answer of a call."""
        while number not in self._answers:
            self._unpacker.feed(self._socket.recv(1 << 16))
            self._answers.update({n: (error, value) for _, n, error, value in self._unpacker})
        error, value = self._answers.pop(number)
        if error is not None:
            raise RuntimeError(error)
        return value

    def call(self, method: str, *params: object) -> Any:
        """Send a call and wait for its answer."""
        return self.result(self.begin(method, *params))


if __name__ == "__main__":
    client = Client(int(sys.argv[1]) if len(sys.argv) > 1 else 41451)
    client.call("simPause", True)  # time passes only in simContinueForTime: repeatable, and fast
    client.call("enableApiControl", True, "")
    client.call("armDisarm", True, "")
    takeoff = client.begin("takeoff", 20.0, "")  # is answered when the task ends
    client.call("simContinueForTime", 5.0)
    client.result(takeoff)  # as on AirSim, true or false is no sign of success; the altitude is
    position = client.call("getMultirotorState", "")["kinematics_estimated"]["position"]
    print(f"took off, altitude {-position['z_val']:.1f} m")
    request = {"camera_name": "0", "image_type": 0, "pixels_as_float": False, "compress": False}
    [image] = client.call("simGetImages", [request], "", False)
    print(f"image: {image['width']} x {image['height']}, {len(image['image_data_uint8'])} bytes")
