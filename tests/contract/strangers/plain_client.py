"""A short flight with nothing but msgpack-rpc-python; prints its report as JSON.

    python plain_client.py PORT

It uses AirSim's wire, not its Python client: maps instead of classes, strings as str or, by the
library's default, as bytes.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import msgpackrpc

TIMEOUT_S = 60
STILL = {"is_rate": True, "yaw_or_rate": 0.0}


def main() -> None:
    address = msgpackrpc.Address("127.0.0.1", int(sys.argv[1]))
    client = msgpackrpc.Client(
        address, timeout=TIMEOUT_S, pack_encoding="utf-8", unpack_encoding="utf-8"
    )
    call = client.call
    report: dict[str, Any] = {"ping": call("ping")}
    call("simPause", True)
    call("reset")
    call("enableApiControl", True, "")
    report["armed"] = call("armDisarm", True, "")
    for method, params, run_s in (
        ("takeoff", (20.0, ""), 10.0),
        ("moveByVelocity", (2, 0, 0, 2.0, 0, STILL, ""), 2.0),  # integers are accepted as numbers
        ("land", (60.0, ""), 30.0),
    ):
        future = client.call_async(method, *params)
        call("simContinueForTime", run_s)
        state = call("getMultirotorState", "")
        report[method] = {"answer": future.get(), "state": state}
        call("simContinueForTime", 8.0)  # to rest: AirSim's `land` ends where nothing sinks
    request = {"camera_name": "0", "image_type": 0, "pixels_as_float": False, "compress": False}
    (image,) = call("simGetImages", [request], "", False)
    report["image"] = [image["width"], image["height"], len(image["image_data_uint8"])]
    report["errors"] = {}
    for method, params in (
        ("simFly", ()),
        ("takeoff", ("",)),
        ("moveToZ", (None, 1.0, 10.0, STILL, -1.0, 1.0, "")),
    ):
        try:
            report["errors"][method] = f"answered {call(method, *params)}"
        except msgpackrpc.error.RPCError as error:
            report["errors"][method] = str(error)
    silent = msgpackrpc.Client(address, timeout=TIMEOUT_S)
    silent.notify("simSetWind", {"x_val": 0.0, "y_val": 0.0, "z_val": 0.0})
    raw = silent.call("getMultirotorState", "")
    report["bytes"] = sorted(repr(key) for key in raw)
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main()
