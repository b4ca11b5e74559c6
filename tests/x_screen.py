"""A virtual X display (Xvfb), and a person who uses its keyboard and mouse.

The few X requests are packed here (https://www.x.org/releases/X11R7.7/doc/), which needs no
library: input through the XTEST extension, the close button as a window manager sends it.
"""

import socket
import struct
import subprocess

import numpy as np

SIZE_PX = (1000, 700)
SPACE, ESCAPE, PLUS, M, P, C = 65, 9, 21, 58, 33, 54  # key codes of a PC keyboard
LEFT, WHEEL_UP, WHEEL_DOWN = 1, 4, 5
_PRESS, _RELEASE, _BUTTON_PRESS, _BUTTON_RELEASE, _MOTION = 2, 3, 4, 5, 6


def colour_count(picture):
    """Number of colours in every third row and column: (height, width, 3) of bytes."""
    red, green, blue = np.moveaxis(picture[::3, ::3].astype(np.uint32), 2, 0)
    return len(np.unique(red << 16 | green << 8 | blue))


class Screen:
    """A running Xvfb, started with further options; `name` is its value of DISPLAY."""

    def __init__(self, folder, size_px=SIZE_PX, *options):
        self._frame = folder / "Xvfb_screen0"
        geometry = f"{size_px[0]}x{size_px[1]}x24"
        command = ["Xvfb", "-displayfd", "1", "-screen", "0", geometry, "-fbdir", str(folder)]
        self._process = subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.name = ":" + self._process.stdout.readline().strip()

    def stop(self):
        self._process.terminate()
        self._process.wait(10)

    def picture(self):
        """Present content of the screen, (height, width, 3) RGB."""
        raw = self._frame.read_bytes()
        # X window dump: 25 big-endian words, then a colour map of 12-byte entries.
        words = struct.unpack(">25I", raw[:100])
        header_size, width, height, line_bytes, colours = (words[i] for i in (0, 4, 5, 12, 19))
        pixels = np.frombuffer(raw, np.uint8, height * line_bytes, header_size + 12 * colours)
        return pixels.reshape(height, line_bytes // 4, 4)[:, :width, 2::-1]


class Person:
    """Keyboard and mouse of a screen on which one window is open."""

    def __init__(self, screen):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(20.0)
        self._socket.connect(f"/tmp/.X11-unix/X{screen.name[1:]}")
        self._socket.sendall(struct.pack("<BxHHHHxx", ord("l"), 11, 0, 0, 0))
        status, length = struct.unpack("<BxxxxxH", self._read(8))
        setup = self._read(4 * length)
        assert status == 1, setup
        vendor_bytes, formats = struct.unpack_from("<H", setup, 16)[0], setup[21]
        (self._root,) = struct.unpack_from(
            "<I", setup, 32 + (vendor_bytes + 3) // 4 * 4 + 8 * formats
        )
        name = b"XTEST"
        answer = self._ask(struct.pack("<BxHHxx", 98, 4, len(name)) + name.ljust(8, b"\0"))
        assert answer[8], "this screen has no XTEST extension"
        self._xtest = answer[9]

    def stop(self):
        self._socket.close()

    def press(self, key_code):
        self._input(_PRESS, key_code)
        self._input(_RELEASE, key_code)

    def click(self, button):
        self._input(_BUTTON_PRESS, button)
        self._input(_BUTTON_RELEASE, button)

    def move_to(self, x, y):
        self._input(_MOTION, 0, x, y)

    def hold(self, button):
        self._input(_BUTTON_PRESS, button)

    def release(self, button):
        self._input(_BUTTON_RELEASE, button)

    def close_window(self):
        """Send WM_DELETE_WINDOW to the window, as the close button does."""
        protocols, delete = self._atom(b"WM_PROTOCOLS"), self._atom(b"WM_DELETE_WINDOW")
        for window in self._children():
            event = struct.pack("<BBHIIII12x", 33, 32, 0, window, protocols, delete, 0)
            self._socket.sendall(struct.pack("<BBHII", 25, 0, 11, window, 0) + event)
        self._ask(struct.pack("<BxH", 43, 1))

    def _input(self, kind, detail, x=0, y=0):
        request = struct.pack("<BBHBBxxII8xhh8x", self._xtest, 2, 9, kind, detail, 0, 0, x, y)
        self._socket.sendall(request)
        self._ask(struct.pack("<BxH", 43, 1))  # its answer comes after all earlier requests

    def _children(self):
        answer = self._ask(struct.pack("<BxHI", 15, 2, self._root))
        (count,) = struct.unpack_from("<H", answer, 16)
        return struct.unpack_from(f"<{count}I", answer, 32)

    def _atom(self, name):
        padded = name + b"\0" * (-len(name) % 4)
        request = struct.pack("<BBHHxx", 16, 0, 2 + len(padded) // 4, len(name))
        return struct.unpack_from("<I", self._ask(request + padded), 8)[0]

    def _ask(self, request):
        self._socket.sendall(request)
        while True:
            answer = self._read(32)
            assert answer[0] != 0, f"X error {answer[1]}"
            if answer[0] == 1:
                return answer + self._read(4 * struct.unpack_from("<I", answer, 4)[0])

    def _read(self, size):
        data = b""
        while len(data) < size:
            piece = self._socket.recv(size - len(data))
            assert piece, "the screen closed the connection"
            data += piece
        return data
