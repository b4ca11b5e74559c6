"""How steps belong to speeds, so that feet do not slide.

A walker's foot stands still while her leg swings over it: two steps cover four legs' lengths times
the sine of the swing. From a run on she flies between the steps, and strides grow faster than the
swing does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RUNNING_MPS = 1.8
"""Faster is running."""

_LEG_M = 0.92
_WALK_RAD_PER_MPS = 0.31
_RUN_RAD_PER_MPS = 0.09
_RUN_M_PER_MPS = 0.44


def swing_rad(speed_mps: float) -> float:
    """How far the thighs swing to either side of upright."""
    walking = min(speed_mps, RUNNING_MPS)
    return _WALK_RAD_PER_MPS * walking + _RUN_RAD_PER_MPS * (speed_mps - walking)


def stride_m(speed_mps: NDArray[np.float64]) -> NDArray[np.float64]:
    """The way covered by two steps: 1.5 m at a walk of 1.4 m/s, 3.4 m at a run of 5 m/s."""
    walking = np.minimum(speed_mps, RUNNING_MPS)
    stride: NDArray[np.float64] = 4.0 * _LEG_M * np.sin(_WALK_RAD_PER_MPS * walking)
    return stride + _RUN_M_PER_MPS * (speed_mps - walking)
