"""If these fail, `--view` opens a window that shows nothing."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.made_flight import LAWN, SKY, write_log
from tests.x_screen import Person, Screen

pytest.importorskip("rerun", reason="the viewer is Rerun, extra [view]")

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 200.0
HAS_DRIVER = any(Path("/usr/share/vulkan/icd.d").glob("*.json"))


def shows(picture, colour):
    off = np.abs(picture.astype(int) - colour).sum(axis=2)
    return (off < 24).mean() > 0.005


@pytest.mark.slow
@pytest.mark.timeout(2 * DEADLINE_S)
@pytest.mark.skipif(
    not (shutil.which("Xvfb") and HAS_DRIVER),
    reason="needs Xvfb and a Vulkan driver: tools/system_packages.sh --tests",
)
def test_the_window_shows_the_flight_and_stays(tmp_path):
    log = write_log(tmp_path / "flight.mcap")
    (tmp_path / "screen").mkdir()
    screen = Screen(tmp_path / "screen")
    try:
        person = Person(screen)
        person.move_to(2, 2)  # else the window explains what is under the pointer
        done = subprocess.run(
            [sys.executable, "-m", "followme_uav.cli", "replay", str(log), "--view"],
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            env={**os.environ, "PYTHONPATH": str(ROOT), "DISPLAY": screen.name},
        )
        assert done.returncode == 0, done.stderr
        give_up_s = time.monotonic() + DEADLINE_S
        while not all(shows(screen.picture(), colour) for colour in (SKY, LAWN)):
            assert time.monotonic() < give_up_s
            time.sleep(0.5)
        if keep := os.environ.get("KEEP_SCREENSHOTS"):
            time.sleep(10.0)
            Image.fromarray(screen.picture()).save(Path(keep) / "window.png")
    finally:
        screen.stop()  # and with it the window
