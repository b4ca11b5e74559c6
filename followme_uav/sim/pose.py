"""Position and attitude of a body."""

from __future__ import annotations

from dataclasses import dataclass

from followme_uav.messages import Quaternion, Vec3


@dataclass(frozen=True)
class Pose:
    """Pose of a body: position in world NED, rotation from its FRD axes to NED."""

    position_m: Vec3
    orientation: Quaternion
