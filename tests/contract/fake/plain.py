"""A MessagePack-RPC server with methods that block, fail, or end the process."""

from __future__ import annotations

import os
import sys
from concurrent.futures import Future

from followme_uav.rpc.server import HandlerError, RpcServer


def main(port: int) -> None:
    held: list[Future] = []
    taken: list = []

    def hold():
        held.append(Future())
        return held[-1]

    def release(value):
        for future in held:
            future.set_result(value)
        count = len(held)
        held.clear()
        return count

    def refuse(what):
        raise HandlerError(what)

    server = RpcServer(
        {
            "echo": lambda value: value,
            "take": taken.append,
            "taken": lambda: list(taken),
            "hold": hold,
            "release": release,
            "refuse": refuse,
            "blob": lambda size: bytes(size),
            "die": lambda: os._exit(0),
        },
        port=port,
    )
    server.start()
    print(*server.address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
