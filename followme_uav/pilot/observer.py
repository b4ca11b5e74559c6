"""Pilots for a vehicle that steers itself: they only find and track the hero.

`Observer` uses the pilot's detection, tracker and mission, and the depth image where there is one.
`ClassicObserver` does what the follower of the Udacity follow-me project did, with both of its
faults, for comparison. Their commands are to hover, and nobody obeys them.
"""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from followme_uav.config import FlightConfig
from followme_uav.geometry import rotate
from followme_uav.messages import (
    DEPTH_RANGE_M,
    CameraPose,
    Classification,
    Command,
    DepthImage,
    Detection,
    Frame,
    Manoeuvre,
    Mask,
    MaskClass,
    MissionInputs,
    MissionState,
    Step,
    TrackEstimate,
    Transition,
    Vec3,
)
from followme_uav.perception.detection import detect
from followme_uav.pilot.interface import MaskSource
from followme_uav.pilot.mission import Change, Mission, Rule
from followme_uav.pilot.pilot import FrameClock, mission_inputs
from followme_uav.pilot.tracking.ranging import GroundLevel, Ranged, measure_range
from followme_uav.pilot.tracking.tracker import Tracker, TrackFeedback

CLASSIC_THRESHOLD = 127
"""A hero pixel of the classic follower has more than this, in 1/255."""
CLASSIC_AREA_PX = 10
"""The classic follower needs more hero pixels than this."""
CLASSIC_LOST_FRAMES = 7
"""The classic follower gives up after this many frames without a detection."""


class ObserverMission(Mission):
    """The pilot's mission without take-off, landing and faults: the vehicle has its own pilot."""

    def _fault(self, now: MissionInputs) -> str | None:
        return None  # after a gap without frames the track is lost, or it continues

    def _begin(self, now: MissionInputs) -> Change | None:
        return MissionState.PATROL, "frames arrive"

    _rules: ClassVar[dict[MissionState, Rule]] = {
        **Mission._rules,
        MissionState.TAKEOFF: _begin,  # type: ignore[dict-item]
    }


class Observer:
    """Finds and tracks the hero.

    Args:
        config: Of the flight.
        mask_source: Computes the masks.
    """

    def __init__(self, config: FlightConfig, mask_source: MaskSource) -> None:
        self._config = config
        self._mask_source = mask_source
        self._clock = FrameClock(config.camera.rate_hz)
        self._tracker = Tracker(config)
        self._mission = ObserverMission(config.mission, math.inf)
        self._feedback: TrackFeedback | None = None
        self._level = GroundLevel()

    @property
    def state(self) -> MissionState:
        """The present mission state; never DONE."""
        return self._mission.state

    def step(self, frame: Frame) -> Step:
        """Detect, measure, track, decide, once."""
        dt_s = self._clock.time_step_s(frame)
        mask = None if frame.rgb is None else self._mask_source(frame)
        detections = [] if mask is None else detect(mask, self._config.detection)
        ranged = [] if mask is None else [self._measure(frame, d, mask) for d in detections]
        tracking = self._tracker.update_measured(
            frame.time_s,
            detections,
            [found.measurement for found in ranged],
            self.state,
            self._feedback,
        )
        selected = tracking.selected
        if selected is not None and selected.classification is Classification.CONFIRMED:
            number = next(i for i, d in enumerate(detections) if d is selected.detection)
            self._learn_level(ranged[number])
        inputs = mission_inputs(
            frame,
            self._level.down_m - frame.camera.position_m[2],
            dt_s,
            has_collided=False,
            classification=tracking.classification,
            is_expected=tracking.is_expected,
        )
        decision = self._mission.update(inputs)
        self._feedback, track = decision.feedback, tracking.track
        if decision.feedback is not None and decision.feedback.resume_followed:
            track = tracking.followed or track
        return Step(
            frame_index=frame.index,
            time_s=frame.time_s,
            mask=mask,
            detection=None if selected is None else selected.detection,
            state=self.state,
            transition=decision.transition,
            track=None if track is None else track.estimate(),
            command=Command(Manoeuvre.HOVER),
            candidates=tracking.candidates,
            inputs=inputs,
        )

    def _measure(self, frame: Frame, detection: Detection, mask: Mask) -> Ranged:
        return measure_range(frame.camera, detection, mask, frame.depth, self._level, self._config)

    def _learn_level(self, ranged: Ranged) -> None:
        """Only a whole hero tells the ground: the centroid of a part is at another height."""
        found = ranged.measurement
        if ranged.ground_down_m is not None and found is not None and not found.is_truncated:
            self._level = self._level.with_sample(ranged.ground_down_m)


class ClassicObserver:
    """The follower of the Udacity follow-me project of 2017.

    Every frame with enough hero pixels gives a point, from the centroid of the largest blob and its
    depth; neither is it tracked, nor is it asked whether this is the hero. The two faults of the
    original are kept: the depth is read at the centroid of the smaller image of the network, and
    row and column are exchanged in the projection.

    Args:
        config: Of the flight.
        mask_source: Computes the masks.
    """

    def __init__(self, config: FlightConfig, mask_source: MaskSource) -> None:
        self._mask_source = mask_source
        self._state = MissionState.TAKEOFF
        self._missed = 0

    @property
    def state(self) -> MissionState:
        """FOLLOW from a detection until seven frames without one, else PATROL."""
        return self._state

    def step(self, frame: Frame) -> Step:
        """Detect and project, once."""
        mask = None if frame.rgb is None else self._mask_source(frame)
        blob = None if mask is None else _largest_blob(mask)
        point_m = None
        if blob is not None and mask is not None and frame.depth is not None:
            point_m = _classic_point(frame.camera, blob, mask.shape[0], frame.depth)
        transition = self._go_on(point_m is not None)
        return Step(
            frame_index=frame.index,
            time_s=frame.time_s,
            mask=mask,
            detection=None if blob is None or mask is None else _detection_of(blob, mask),
            state=self._state,
            transition=transition,
            track=None if point_m is None else TrackEstimate(point_m, (0.0, 0.0, 0.0), 0.0),
            command=Command(Manoeuvre.HOVER),
        )

    def _go_on(self, is_detected: bool) -> Transition | None:
        before = self._state
        self._missed = 0 if is_detected else self._missed + 1
        if is_detected:
            self._state, reason = MissionState.FOLLOW, "a detection"
        elif before is MissionState.TAKEOFF:
            self._state, reason = MissionState.PATROL, "frames arrive"
        elif self._missed >= CLASSIC_LOST_FRAMES:
            self._state, reason = MissionState.PATROL, f"{CLASSIC_LOST_FRAMES} frames without"
        return None if self._state is before else Transition(before, self._state, reason)


Blob = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Rows and columns of its pixels."""


def _largest_blob(mask: Mask) -> Blob | None:
    hero = mask[..., MaskClass.HERO] > CLASSIC_THRESHOLD
    if np.count_nonzero(hero) <= CLASSIC_AREA_PX:
        return None
    labels, _ = ndimage.label(hero)
    largest = int(np.argmax(np.bincount(labels[hero])))
    rows, columns = np.nonzero(labels == largest)
    return rows, columns


def _classic_point(camera: CameraPose, blob: Blob, size_px: int, depth: DepthImage) -> Vec3:
    """World NED. The simulator's axes are x forward, y left, z up; the point is (d, -x, y)."""
    row, column = int(blob[0].mean()), int(blob[1].mean())
    along_m = float(depth[min(row, depth.shape[0] - 1), min(column, depth.shape[1] - 1)])
    along_m *= DEPTH_RANGE_M / 255.0
    x_m = (row - size_px / 2.0) * along_m / size_px
    y_m = (column - size_px / 2.0) * along_m / size_px
    north, east, down = rotate(camera.orientation, (along_m, x_m, -y_m))
    at = camera.position_m
    return at[0] + north, at[1] + east, at[2] + down


def _detection_of(blob: Blob, mask: Mask) -> Detection:
    rows, columns = blob
    height_px, width_px = mask.shape[:2]
    return Detection(
        u=2.0 * (float(columns.mean()) + 0.5) / width_px - 1.0,
        v=2.0 * (float(rows.mean()) + 0.5) / height_px - 1.0,
        area_px=rows.size,
        width_px=int(columns.max() - columns.min()) + 1,
        height_px=int(rows.max() - rows.min()) + 1,
        confidence=float(mask[rows, columns, MaskClass.HERO].mean()) / 255.0,
    )
