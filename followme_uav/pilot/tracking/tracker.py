"""Detections of one frame -> the track of the hero: measurement, association, Kalman filter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from followme_uav.config import FlightConfig
from followme_uav.ground import Ground
from followme_uav.messages import (
    Candidate,
    Classification,
    Detection,
    Frame,
    Measurement,
    MissionState,
    Outcome,
)
from followme_uav.pilot.navigation.decks import Decks
from followme_uav.pilot.tracking.association import Association, Expectation, associate
from followme_uav.pilot.tracking.measurement import measure
from followme_uav.pilot.tracking.noticed import (
    LOOK_S,
    Noticed,
    recent,
    seen_most,
    with_candidates,
)
from followme_uav.pilot.tracking.rejected_regions import (
    Regions,
    Tried,
    reconsidered,
    with_rejections,
)
from followme_uav.pilot.tracking.seen_twice import is_doubtful, is_seen_again, seen_once, without
from followme_uav.pilot.tracking.track import Track, start_track, update_track


@dataclass(frozen=True)
class Rejection:
    """The selected detection is not the hero: ignore its place for a while."""

    duration_s: float
    is_certain: bool
    """It was classified from nearby, not only lost from sight."""


@dataclass(frozen=True)
class TrackFeedback:
    """The consequence of a mission decision for the tracker, from the next frame on."""

    time_s: float
    forget_followed: bool = False
    """Nobody is expected any longer: the hero that was followed is in doubt, or given up."""
    resume_followed: bool = False
    """Go back to the track of the hero that was followed last."""
    rejection: Rejection | None = None


@dataclass(frozen=True)
class Memory:
    """The state that the tracker keeps from frame to frame."""

    track: Track | None = None
    followed: Track | None = None
    """The track of the hero that was followed last."""
    regions: Regions = ()
    takeoff_s: float = -math.inf
    """When the vehicle last took off."""
    noticed: tuple[Noticed, ...] = ()
    """People seen too far away during the first look around."""
    seen_in_regions: tuple[Noticed, ...] = ()
    """People seen lately in rejected regions."""
    seen_once: Track | None = None
    """A detection that counts if another one follows in the same place."""
    distance_m: float = 0.0
    """From which the last detection of the track was seen."""
    left: tuple[Tried, ...] = ()
    """Places of detections that were approached, until another detection was."""


@dataclass(frozen=True)
class Tracking:
    """The result of one frame."""

    candidates: tuple[Candidate, ...]
    selected: Candidate | None
    is_expected: bool
    """The selected detection lies where the hero that was followed last may be by now."""
    track: Track | None
    """Predicted to the frame's time; None before the first detection."""
    followed: Track | None
    """The track of the hero that was followed last, predicted likewise."""
    noticed: Track | None = None
    """A person seen far away before; a patrol points the camera there. Predicted to the frame's
    time."""

    @property
    def classification(self) -> Classification | None:
        """Of the selected detection; None when there is none."""
        return None if self.selected is None else self.selected.classification


class Tracker:
    """Keeps the track of the hero.

    Attributes:
        memory: The state kept from frame to frame.
    """

    def __init__(self, config: FlightConfig) -> None:
        self._config = config
        self._ground = Ground(config.simulator.ground)
        self._decks = Decks(config.simulator.decks)
        self.memory = Memory()

    def update(
        self,
        frame: Frame,
        detections: Sequence[Detection],
        image_shape: tuple[int, ...],
        state: MissionState,
        feedback: TrackFeedback | None = None,
    ) -> Tracking:
        """Process the detections of one frame.

        Args:
            frame: Of which the detections are.
            detections: Most prominent first; empty when the frame has no image.
            image_shape: (height, width, ...) of the mask, pixels.
            state: Of the mission, as the last frame left it.
            feedback: The decision of the mission at the last frame.
        """
        config = self._config
        place = (config.hero, config.measurement, self._ground, self._decks)
        measurements = [measure(frame.camera, found, image_shape, *place) for found in detections]
        return self.update_measured(frame.time_s, detections, measurements, state, feedback)

    def update_measured(
        self,
        time_s: float,
        detections: Sequence[Detection],
        measurements: Sequence[Measurement | None],
        state: MissionState,
        feedback: TrackFeedback | None = None,
    ) -> Tracking:
        """Process the detections of one frame, each with its measurement; as `update`."""
        if feedback is not None:
            self.memory = self._after(feedback)
        if state is MissionState.TAKEOFF:
            self.memory = replace(self.memory, takeoff_s=time_s, noticed=())
        memory, config = self.memory, self._config
        track = followed = self._allowing_turns(memory.track, time_s)
        if memory.followed is not memory.track:
            followed = self._allowing_turns(memory.followed, time_s)
        expectation = Expectation(
            time_s=time_s,
            state=state,
            track=track,
            followed=followed,
            regions=memory.regions,
            reach_m=self._reach_m(time_s - memory.takeoff_s),
        )
        association = associate(
            detections, measurements, expectation, config.association, config.classification
        )
        association, memory = self._seen_twice(association, expectation, memory)
        self.memory = self._updated(memory, association, expectation)
        noticed = self._noticed(time_s, association)
        self.memory = self._reconsidered(time_s, association)
        return Tracking(
            candidates=association.candidates,
            selected=association.selected,
            is_expected=association.is_expected,
            track=self._predicted(self.memory.track, time_s),
            followed=self._predicted(self.memory.followed, time_s),
            noticed=self._predicted(noticed, time_s),
        )

    def _noticed(self, time_s: float, association: Association) -> Track | None:
        """Notice people during the first look around; then the one to look at again."""
        flown_s, look_s = time_s - self.memory.takeoff_s, self._config.association.first_look_s
        known = self.memory.noticed
        if flown_s < look_s:
            too_far = association.candidates, Outcome.TOO_FAR
            known = with_candidates(known, time_s, *too_far, self._config)
            self.memory = replace(self.memory, noticed=known)
        found = seen_most(known) if look_s <= flown_s < look_s + LOOK_S else None
        return None if found is None else found.track

    def _reconsidered(self, time_s: float, association: Association) -> Memory:
        """The memory, after somebody was seen again and again in a rejected region."""
        memory, ignored = self.memory, (association.candidates, Outcome.REJECTED_REGION)
        lately = recent(memory.seen_in_regions, time_s)
        seen = with_candidates(lately, time_s, *ignored, self._config)
        if seen == memory.seen_in_regions:
            return memory
        found, regions = seen_most(seen), memory.regions
        if found is not None:
            place = Tried(found.track.position_m, found.distance_m)
            regions = reconsidered(regions, place, time_s, self._config.association)
        return replace(memory, seen_in_regions=seen, regions=regions)

    def _reach_m(self, flown_s: float) -> float:
        """Distance up to which detections are approached.

        Until the camera has looked all around once, somebody nearer may be the hero.
        """
        association, classification = self._config.association, self._config.classification
        if flown_s < association.first_look_s:
            return (classification.distance_m + classification.expected_distance_m) / 2.0
        return association.approach_distance_m

    def _seen_twice(
        self, association: Association, expectation: Expectation, memory: Memory
    ) -> tuple[Association, Memory]:
        """The association without a selection that has to be seen once more, and the memory."""
        selected, track, time_s = association.selected, memory.track, expectation.time_s
        if selected is None or track is None:
            return association, memory
        found = None
        doubts = expectation.keeps_to_track and is_doubtful(selected, time_s, track)
        if doubts and not is_seen_again(selected, time_s, memory.seen_once, self._config):
            association = without(association, selected)
            found = seen_once(selected, time_s, self._config)
        if found is memory.seen_once:
            return association, memory
        return association, replace(memory, seen_once=found)

    def _updated(
        self, memory: Memory, association: Association, expectation: Expectation
    ) -> Memory:
        """The memory after the measurement of the selected detection."""
        selected, time_s, track = association.selected, expectation.time_s, memory.track
        if selected is None or selected.measurement is None:
            return memory
        if track is not None and time_s <= track.time_s:
            return memory  # the same image again holds no new information
        measurement, mahalanobis_sq = selected.measurement, selected.mahalanobis_sq
        is_outside = mahalanobis_sq is None or mahalanobis_sq > self._config.association.gate
        left = memory.left
        if track is None or is_outside:
            if track is not None and expectation.state is MissionState.ACQUIRE:
                left = (*left, Tried(track.position_m, memory.distance_m))
            track = start_track(time_s, measurement, self._config.track)
        else:
            track = update_track(track, time_s, measurement, self._config.track)
        followed = track if expectation.keeps_to_track else memory.followed
        return replace(
            memory, track=track, followed=followed, distance_m=measurement.distance_m, left=left
        )

    def _after(self, feedback: TrackFeedback) -> Memory:
        memory, rejection = self.memory, feedback.rejection
        track, followed, regions = memory.track, memory.followed, memory.regions
        if feedback.forget_followed:
            followed = None
        if rejection is not None and track is not None:
            regions = with_rejections(
                regions,
                (Tried(track.position_m, memory.distance_m), *memory.left),
                feedback.time_s,
                rejection.duration_s,
                self._config.association,
                is_certain=rejection.is_certain,
            )
        if feedback.resume_followed and followed is not None:
            track = followed
        return replace(memory, track=track, followed=followed, regions=regions, left=())

    def _predicted(self, track: Track | None, time_s: float) -> Track | None:
        return None if track is None else track.predict(time_s, self._config.track)

    def _allowing_turns(self, track: Track | None, time_s: float) -> Track | None:
        """Predicted to `time_s`, if the hero may have turned right after the last measurement."""
        if track is None:
            return None
        unseen_s = max(time_s - track.time_s, 0.0)
        predicted = track.predict(time_s, self._config.track)
        return predicted.with_possible_turn(unseen_s, self._config.track)
