"""Linear changes of colours in RGB space."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def hue_matrices(angles_rad: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rotations of RGB space around its grey axis (Rodrigues' formula), (n, 3, 3)."""
    c, s = np.cos(angles_rad)[:, None, None], np.sin(angles_rad)[:, None, None]
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], np.float32) / np.float32(np.sqrt(3))
    return np.asarray(c * np.eye(3) + s * cross + (1 - c) / 3, np.float32)


def saturation_matrices(factors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scaling of the distance from grey, (n, 3, 3)."""
    f = factors[:, None, None]
    return np.asarray(f * np.eye(3) + (1 - f) / 3, np.float32)
