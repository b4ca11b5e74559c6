"""A real browser without a screen: Chromium, driven through a pipe by its DevTools protocol.

https://chromedevtools.github.io/devtools-protocol/ - messages are JSON, each ended by a zero byte.
"""

import base64
import io
import json
import os
import select
import shutil
import subprocess
import time

from PIL import Image

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DEADLINE_S = 60.0
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
)


class NoPageError(Exception):
    """Between two pages there is none."""


class Browser:
    """One page; `requested` lists the addresses that it asked for."""

    def __init__(self, folder, size_px=(1600, 1000)):
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        self._in, self._out = ours_in, ours_out
        # The browser reads its commands from descriptor 3 and answers on 4.
        pipes = f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}'
        options = [
            *OPTIONS,
            f"--user-data-dir={folder}",
            f"--window-size={size_px[0]},{size_px[1]}",
            "--remote-debugging-pipe",
        ]
        self._process = subprocess.Popen(
            ["bash", "-c", pipes, CHROMIUM, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(theirs_in, theirs_out),
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._rest, self._number, self._session = b"", 0, None
        self.requested, self.errors = [], []
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self._ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self._ask(f"{domain}.enable")
        width, height = size_px
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        dark = [{"name": "prefers-color-scheme", "value": "dark"}]
        self._ask("Emulation.setEmulatedMedia", features=dark)

    def open(self, address):
        self._ask("Page.navigate", url=address)

    def click(self, x, y):
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            buttons = {} if kind == "mouseMoved" else {"button": "left", "clickCount": 1}
            self._ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, **buttons)

    def move(self, x, y):
        self._ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def screenshot(self):
        """Of the page; waits while the browser goes from one to the next."""
        give_up_s = time.monotonic() + DEADLINE_S
        while True:
            try:
                data = self._ask("Page.captureScreenshot", format="png")["data"]
                break
            except NoPageError:
                assert time.monotonic() < give_up_s, "no page comes"
                time.sleep(0.2)
        return Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")

    def stop(self):
        self._process.kill()
        self._process.wait()
        os.close(self._in)
        os.close(self._out)

    def _ask(self, method, **params):
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        give_up_s = time.monotonic() + DEADLINE_S
        while True:
            reply = self._read(give_up_s)
            if reply.get("id") == self._number:
                error = reply.get("error", {}).get("message", "")
                if "Not attached to an active page" in error:
                    raise NoPageError(error)
                assert not error, reply
                return reply["result"]
            self._note(reply)

    def _note(self, event):
        params = event.get("params", {})
        if event.get("method") == "Network.requestWillBeSent":
            self.requested.append(params["request"]["url"])
        if event.get("method") == "Runtime.exceptionThrown":
            self.errors.append(params["exceptionDetails"]["text"])

    def _read(self, give_up_s):
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._in], [], [], max(0.0, give_up_s - time.monotonic()))
            assert ready, "the browser does not answer"
            piece = os.read(self._in, 1 << 20)
            assert piece, "the browser is gone"
            self._rest += piece
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)
