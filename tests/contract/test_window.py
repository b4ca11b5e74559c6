"""If these fail, `sim --window` shows nothing, or a simulator without a screen does not start."""

import shutil
import struct
import subprocess
import sys
import time

import numpy as np
import pytest

needs_screen = pytest.mark.skipif(not shutil.which("Xvfb"), reason="needs Xvfb, a virtual screen")
DEADLINE_S = 60.0


@pytest.fixture
def screen(tmp_path):
    """A virtual screen: (its name, a function that takes a picture of it)."""
    process = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "800x600x24", "-fbdir", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    number = process.stdout.readline().strip()

    def picture():
        raw = (tmp_path / "Xvfb_screen0").read_bytes()
        # X window dump: 25 big-endian words, then a colour map of 12-byte entries.
        words = struct.unpack(">25I", raw[:100])
        header_size, width, height, line_bytes, colours = (words[i] for i in (0, 4, 5, 12, 19))
        pixels = np.frombuffer(raw, np.uint8, height * line_bytes, header_size + 12 * colours)
        return pixels.reshape(height, line_bytes // 4, 4)[:, :width, 2::-1]

    yield f":{number}", picture
    process.terminate()
    process.wait(10)


def simulator(display):
    return subprocess.Popen(
        [sys.executable, "-m", "followme_uav.cli", "sim", "--window", "--port", "0"],
        env={"PATH": "/usr/bin:/bin", **({"DISPLAY": display} if display else {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@needs_screen
def test_the_window_shows_the_city_as_time_passes(screen):
    display, picture = screen
    with simulator(display) as process:
        try:
            assert process.stdout.readline().startswith("listening on")
            deadline_s = time.monotonic() + DEADLINE_S
            shown = []
            while len(shown) < 2 and time.monotonic() < deadline_s:
                now = picture()
                colours = len(np.unique(now.reshape(-1, 3), axis=0))
                if colours > 500 and not (shown and np.array_equal(shown[-1], now)):
                    shown.append(now)
                time.sleep(0.2)
            assert len(shown) == 2
        finally:
            process.terminate()


def test_without_a_screen_one_line_says_so():
    with simulator(None) as process:
        _, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 2
    assert "screen" in errors
    assert len(errors.strip().splitlines()) == 1
