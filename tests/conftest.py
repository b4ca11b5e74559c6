"""Shared by all tests: synthetic entries, so that tests of logs and metrics need no simulator."""

import dataclasses
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from followme_uav.config import FlightConfig, load_config
from followme_uav.log.entry import FlightEntry, LoopTimings
from followme_uav.log.images import encode_lossless
from followme_uav.messages import (
    CameraPose,
    Command,
    Detection,
    Frame,
    GroundTruth,
    Manoeuvre,
    MissionState,
    Step,
    VehicleState,
)

settings.register_profile("shared", deadline=None, derandomize=True)
settings.load_profile("shared")

STILL = Command(Manoeuvre.VELOCITY, (0.0, 0.0, 0.0), 0.0, 0.0, 0.0)
SIZE_PX = 32

# Python keeps byte code that it could write in part only, and every later import of it fails:
# what a test runs with a limit on file sizes therefore writes none.
NO_BYTE_CODE = {"PYTHONDONTWRITEBYTECODE": "1"}


def hero_mask(centre_px: tuple[int, int] | None, half_px: int = 2) -> np.ndarray:
    """Background with a square hero around (column, row)."""
    mask = np.zeros((SIZE_PX, SIZE_PX, 3), np.uint8)
    mask[..., 0] = 255
    if centre_px is not None:
        column, row = centre_px
        box = np.s_[row - half_px : row + half_px + 1, column - half_px : column + half_px + 1]
        mask[box] = (0, 0, 255)
    return mask


def detection_at(centre_px: tuple[float, float], size_px: int = 5) -> Detection:
    """The detection of a square of hero pixels around (column, row)."""
    u, v = (2.0 * (pixel + 0.5) / SIZE_PX - 1.0 for pixel in centre_px)
    return Detection(u, v, size_px**2, size_px, size_px, 0.9)


def make_entry(
    index: int = 0,
    state: MissionState = MissionState.FOLLOW,
    *,
    time_s: float | None = None,
    rgb: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    detection: Detection | None = None,
    truth_mask: np.ndarray | None = None,
    hero_position_m: tuple[float, float, float] = (7.0, 0.0, 0.95),
    command: Command = STILL,
    total_ms: float = 1.0,
    collided: bool = False,
    clearance_m: float = 5.0,
    **step: Any,
) -> FlightEntry:
    """One entry of a flight at 10 Hz; the camera is at the origin and looks north."""
    time_s = 0.1 * index if time_s is None else time_s
    zero = (0.0, 0.0, 0.0)
    level = (1.0, 0.0, 0.0, 0.0)
    vehicle = VehicleState(time_s, zero, zero, level, zero, collided)
    frame = Frame(index, time_s, rgb, CameraPose(zero, level, 1.5), vehicle)
    truth = None
    if truth_mask is not None:
        truth = GroundTruth(time_s, hero_position_m, (), truth_mask, clearance_m)
    step = {"transition": None, "track": None, **step}
    return FlightEntry(
        frame=frame,
        step=Step(index, time_s, mask, detection, state, command=command, **step),
        truth=truth,
        timings=LoopTimings(0.5, 0.25, 0.125, 0.1, 0.2, total_ms),
        encoded_image=encode_lossless(rgb),
    )


def same(first: Any, second: Any) -> bool:
    """Whether two dataclasses with arrays are equal to the last bit."""
    if type(first) is not type(second):
        return False
    if dataclasses.is_dataclass(first):
        return all(
            same(getattr(first, field.name), getattr(second, field.name))
            for field in dataclasses.fields(first)
        )
    if isinstance(first, np.ndarray):
        return first.dtype == second.dtype and np.array_equal(first, second)
    if isinstance(first, tuple):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, float):
        return first.hex() == second.hex()
    return bool(first == second)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip rendering tests among others: two copies of LLVM (Mesa, TensorFlow) crash a process."""
    rendering = [item for item in items if "rendering" in item.path.parts]
    if 0 < len(rendering) < len(items):
        for item in rendering:
            item.add_marker(pytest.mark.skip(reason="run 'pytest tests/rendering' by itself"))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the documentation site, built once for all processes of a test run."""
    pytest.importorskip("material", reason="needs the extra [docs]")
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    with (shared / "site.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "site").exists():
            build_site(shared / "site")
    return shared / "site"


def build_site(folder: Path) -> None:
    """Build the documentation site as `make docs` does; a warning of MkDocs is an error."""
    tool = Path(__file__).resolve().parents[1] / "tools" / "docs_site.py"
    done = subprocess.run(
        [sys.executable, str(tool), "--out", str(folder)],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def config() -> FlightConfig:
    return load_config()


@pytest.fixture
def entry() -> Callable[..., FlightEntry]:
    return make_entry


@pytest.fixture
def followme(monkeypatch: pytest.MonkeyPatch, capfd: Any, tmp_path: Path) -> Callable[..., Any]:
    """Run the command line in this process: (exit code, standard output, standard error).

    The working directory is an empty folder: commands must not depend on the checkout.
    """
    from followme_uav import cli

    monkeypatch.chdir(tmp_path)

    def run(*arguments: Any) -> tuple[Any, str, str]:
        monkeypatch.setattr(sys, "argv", ["followme-uav", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return end.value.code, *capfd.readouterr()

    return run
