"""The record of one iteration of the flight loop: the unit of logs and metrics."""

from __future__ import annotations

from dataclasses import dataclass

from followme_uav.messages import Frame, GroundTruth, Step


@dataclass(frozen=True)
class LoopTimings:
    """Time spent in the parts of one iteration of the loop: wall-clock milliseconds."""

    receive_ms: float
    """From requesting state and image to having both."""
    segment_ms: float
    """Image to mask."""
    decide_ms: float
    """Mask to command: detection, tracking, mission, guidance, control."""
    send_ms: float
    """Sending the command to the simulator."""
    log_ms: float
    """Encoding the image and the mask of this frame, queueing the previous entry."""
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
    """One frame with the step that it led to, the ground truth, and the loop's timings.

    Example:
        >>> from followme_uav import FlightEntry, read_log
        >>> entry: FlightEntry = next(read_log("flight.mcap").entries())
        >>> entry.frame.rgb.shape, entry.step.mask.shape, entry.step.state.value
        ((160, 160, 3), (160, 160, 3), 'takeoff')
    """

    frame: Frame
    step: Step
    truth: GroundTruth | None
    timings: LoopTimings
    encoded_image: EncodedImage | None = None
    """Source of `frame.rgb`; None: the log encodes `frame.rgb` as a PNG."""
    encoded_depth: EncodedImage | None = None
    """Source of `frame.depth`; None without one."""
