"""Sends one frame with python-socketio 4, and prints the argument of the answer.

usage: socketio_client.py PORT <FRAME
"""

import json
import sys
import threading

import socketio

answered = threading.Event()
client = socketio.Client(reconnection=False)


@client.on("object_detected")
def on_detected(data):
    print(json.dumps(data), flush=True)
    answered.set()


client.connect(f"http://127.0.0.1:{sys.argv[1]}", transports=["websocket"])
client.emit("sensor_frame", json.load(sys.stdin))
in_time = answered.wait(30)
client.disconnect()
sys.exit(not in_time)
