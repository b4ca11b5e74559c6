"""Cameras drawn from the seed of a flight: size, field of view, rate and mount.

They test whether the pilot depends on one camera. The ranges are those of the cameras that users of
AirSim set.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from followme_uav.config import FlightConfig, changed

CameraChoice = Literal["given", "drawn"]
"""The camera of the configuration, or one of its own for each flight."""
DRAWN: CameraChoice = "drawn"
WIDTH_PX, LEAST_HEIGHT_PX, ASPECT = (160.0, 640.0), 120, (0.5, 1.0)
"""Width, least height, and height as a share of the width."""
MOST_HEIGHT_PX = 480
FOV_DEG, RATE_HZ = (50.0, 100.0), (5.0, 30.0)
FORWARD_M, RIGHT_M, DOWN_M = (0.0, 0.5), (-0.1, 0.1), (0.0, 0.2)


def with_drawn_camera(config: FlightConfig, seed: int) -> FlightConfig:
    """Return the configuration with the camera that belongs to a seed.

    Widths and rates are drawn such that each doubling is as likely. The size of the images that the
    pilot works with follows from the camera, see `config.derived`.
    """
    rng = np.random.default_rng([seed, 43])
    width_px, rate_hz = (
        float(np.exp(rng.uniform(*np.log(limits)))) for limits in (WIDTH_PX, RATE_HZ)
    )
    height_px = min(max(width_px * rng.uniform(*ASPECT), LEAST_HEIGHT_PX), MOST_HEIGHT_PX)
    fov_deg = rng.uniform(*FOV_DEG)
    mount_m = [round(float(rng.uniform(*limits)), 3) for limits in (FORWARD_M, RIGHT_M, DOWN_M)]
    drawn = {
        "camera.source_width_px": math.floor(width_px),
        "camera.source_height_px": math.floor(height_px),
        "camera.rate_hz": round(rate_hz, 2),
        "simulator.camera_fov_deg": round(float(fov_deg), 1),
        "simulator.camera_mount_m": mount_m,
    }
    return changed(config, overrides=[f"{key}={value}" for key, value in drawn.items()])


def camera_draws_of(config: FlightConfig) -> dict[str, float]:
    """The camera of a flight by the names in `random_draws.DRAWS`."""
    height_px, width_px = config.camera.source_size_px
    return {
        "image_width_px": width_px,
        "image_height_px": height_px,
        "rate_hz": config.camera.rate_hz,
        "fov_deg": config.simulator.camera_fov_deg,
    }
