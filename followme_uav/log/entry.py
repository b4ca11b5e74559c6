"""What one turn of the flight loop leaves behind: the unit of logs and metrics."""

from __future__ import annotations

from dataclasses import dataclass

from followme_uav.messages import Frame, GroundTruth, Step


@dataclass(frozen=True)
class LoopTimings:
    """Where one turn of the loop spent its time: wall-clock milliseconds."""

    receive_ms: float
    """From asking for state and image to having both."""
    segment_ms: float
    """Image to mask."""
    decide_ms: float
    """Mask to command: observation, tracker, mission, control."""
    send_ms: float
    """Handing the command to the simulator."""
    log_ms: float
    """Coding this frame's image and mask as they are logged, handing over the previous entry."""
    total_ms: float
    """Frame received to command sent."""


@dataclass(frozen=True)
class EncodedImage:
    """The camera's image as it is logged."""

    data: bytes
    format: str
    """jpeg or png."""


@dataclass(frozen=True)
class FlightEntry:
    """One frame, all that it led to, what really was, and how long it took."""

    frame: Frame
    step: Step
    truth: GroundTruth | None
    timings: LoopTimings
    encoded_image: EncodedImage | None = None
    """What `frame.rgb` was decoded from; None: the log makes a PNG of it."""
