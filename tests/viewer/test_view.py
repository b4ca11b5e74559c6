"""`--view` opens a window that shows the flight."""

import os
import shutil
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.made_flight import write_log
from tests.viewer import painted
from tests.x_screen import Screen

pytest.importorskip("rerun", reason="the viewer is Rerun, extra [view]")

SIZE_PX = (1000, 700)
DEADLINE_S = 120.0
NO_TRANSPARENCY = ("-extension", "Composite")
"""Mesa 22 renders in software only for windows of 24 bits; without it, Rerun's have 32."""
HAS_VULKAN = any(Path("/usr/share/vulkan/icd.d").glob("*.json"))


@pytest.mark.skipif(
    shutil.which("Xvfb") is None or not HAS_VULKAN,
    reason="needs Xvfb and Mesa's Vulkan: tools/system_packages.sh --tests",
)
@pytest.mark.timeout(2 * DEADLINE_S)
def test_window_shows_the_flight_and_stays_open_after_the_command(served, tmp_path, monkeypatch):
    screen = Screen(tmp_path, SIZE_PX, *NO_TRANSPARENCY)
    monkeypatch.setenv("DISPLAY", screen.name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))  # Rerun's settings
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    try:
        code, _, err = served("replay", write_log(tmp_path / "flight.mcap"), "--view").finish()
        assert code == 0, err
        deadline_s = time.monotonic() + DEADLINE_S
        while missing := painted.missing(screen.picture()):
            if time.monotonic() > deadline_s:
                break
            time.sleep(0.5)
        if keep := os.environ.get("KEEP_SCREENSHOTS"):
            Path(keep).mkdir(parents=True, exist_ok=True)
            Image.fromarray(screen.picture().copy()).save(Path(keep) / "window.png")
        assert not missing
    finally:
        screen.stop()  # and the window with it
