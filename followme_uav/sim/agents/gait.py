"""The gait: how limbs move, and the stride that belongs to a speed, so that feet do not slide.

In a walk, a foot stands still while the body moves over it: two steps cover four leg lengths times
the sine of the swing. A run has a flight phase between the steps, so its stride grows faster than
the swing.
"""

from __future__ import annotations

import numpy as np

from followme_uav.sim.city.arrays import Floats

RUNNING_MPS = 1.8
"""People run at higher speeds."""
BRAKING_MPS2 = 1.8
"""Deceleration with which people stop at a kerb or at the end of a route."""
HIP_M, KNEE_M, SHOULDER_M, ELBOW_M = 0.92, 0.49, 1.42, 1.13
"""Heights of the joints of a figure."""
BODY, ARM, FOREARM, LEG, SHIN = 0, 1, 2, 3, 4
"""Limb numbers; the right-hand ones are these plus `RIGHT`."""
RIGHT, LIMBS = 4, 9

_LEG_M = HIP_M
_WALK_RAD_PER_MPS = 0.31
_RUN_RAD_PER_MPS = 0.09
_RUN_M_PER_MPS = 0.44

_SIDES = np.array((1.0, -1.0))
_ARMS, _FOREARMS, _LEGS, _SHINS = (
    slice(limb, limb + RIGHT + 1, RIGHT) for limb in (ARM, FOREARM, LEG, SHIN)
)  # left and right
_JOINTS_M = np.zeros((3, LIMBS, 1))
"""(3, LIMBS, 1) heights of the joints that each limb turns about, the outermost first."""
_JOINTS_M[2] = HIP_M
_JOINTS_M[1, _ARMS] = _JOINTS_M[1, _FOREARMS] = SHOULDER_M
_JOINTS_M[1, _SHINS] = KNEE_M
_JOINTS_M[0, _FOREARMS] = ELBOW_M


def swing_rad(speed_mps: Floats) -> Floats:
    """The angle by which the thighs swing to either side of upright."""
    walking = np.minimum(speed_mps, RUNNING_MPS)
    return _WALK_RAD_PER_MPS * walking + _RUN_RAD_PER_MPS * (speed_mps - walking)


def limb_turns(phase_rad: Floats, speed_mps: Floats) -> Floats:
    """Compute how each limb is turned and moved in the plane of forward and up.

    Thighs swing by amplitude * sin(phase), the right one opposite; a knee bends while its leg comes
    forward; arms swing against the legs, and bend more at a run. The body sinks as legs spread.

    Args:
        phase_rad: (people,) the left leg is in front at pi / 2.
        speed_mps: (people,)

    Returns:
        (people, LIMBS, 4): rows (c, s, y, z). A point (forward, up) of the model moves to
        (c * forward - s * up + y, s * forward + c * up + z).
    """
    amplitude = swing_rad(speed_mps)
    running = np.clip((speed_mps - RUNNING_MPS) / 0.9, 0.0, 1.0)
    lean = -0.05 * amplitude - 0.14 * running
    elbow = 0.2 + 1.2 * running
    side = _SIDES[:, None]  # left and right
    swing = side * amplitude * np.sin(phase_rad)
    knee = 0.08 + 1.25 * amplitude * np.maximum(0.0, side * np.cos(phase_rad))
    knee += 0.5 * running * amplitude
    # One row per limb: the angle at each of up to three joints, the outermost first.
    angle = np.zeros((3, LIMBS, len(phase_rad)))
    angle[2, BODY] = angle[2, _ARMS] = angle[2, _FOREARMS] = lean
    angle[1, _ARMS] = angle[1, _FOREARMS] = -0.85 * swing
    angle[0, _FOREARMS] = elbow
    angle[2, _LEGS] = angle[2, _SHINS] = swing
    angle[1, _SHINS] = -knee
    turns = np.empty((len(phase_rad), LIMBS, 4))
    y = z = np.zeros(angle.shape[1:])
    for about_m, c, s in zip(_JOINTS_M, np.cos(angle), np.sin(angle), strict=True):
        up = z - about_m
        y, z = c * y - s * up, s * y + c * up + about_m
    total = angle.sum(axis=0)
    turns[..., 0], turns[..., 1], turns[..., 2] = np.cos(total).T, np.sin(total).T, y.T
    turns[..., 3] = (z - 0.85 * HIP_M * (1.0 - np.cos(swing[0]))).T
    return turns


def stride_m(speed_mps: Floats) -> Floats:
    """The distance covered by two steps: 1.5 m at a walk of 1.4 m/s, 3.4 m at a run of 5 m/s."""
    walking = np.minimum(speed_mps, RUNNING_MPS)
    stride: Floats = 4.0 * _LEG_M * np.sin(_WALK_RAD_PER_MPS * walking)
    return stride + _RUN_M_PER_MPS * (speed_mps - walking)
