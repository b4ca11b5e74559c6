"""The inputs of a behaviour."""

from __future__ import annotations

from dataclasses import dataclass

from followme_uav.messages import Detection, Frame, Mask, Vec2
from followme_uav.pilot.tracking.track import Track


@dataclass(frozen=True)
class GuidanceInputs:
    """One frame, as a behaviour sees it."""

    frame: Frame
    altitude_m: float
    """Above the start."""
    detection: Detection | None
    """The selected one."""
    track: Track | None
    """Predicted to the frame's time."""
    dt_s: float
    """Time since the previous frame."""
    next_s: float
    """Time until the next frame, as far as can be known."""
    mask: Mask | None = None
    """Of the frame's image."""
    noticed: Track | None = None
    """A person seen far away before; a patrol points the camera there. Predicted to the frame's
    time."""

    @property
    def position_m(self) -> Vec2:
        """Of the vehicle, north and east."""
        return self.frame.vehicle.position_m[0], self.frame.vehicle.position_m[1]

    @property
    def known_track(self) -> Track:
        """The track; FOLLOW, ACQUIRE and SEARCH are never entered without one."""
        if self.track is None:
            raise ValueError("a hero that was never detected cannot be followed or searched for")
        return self.track
