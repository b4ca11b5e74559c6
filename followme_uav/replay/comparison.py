"""Compares a replay with the logged flight, over all steps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from followme_uav.messages import Step
from followme_uav.replay.differences import Difference, differences, plain
from followme_uav.replay.replay import ReplayedStep

NEW_FIELDS = {
    2: frozenset({"track", "loops"}),
    3: frozenset({"candidates", "inputs", "guidance", "transition.reason"}),
    4: frozenset({"response"}),
}
"""Fields of a step, by the first log version that has them, or has them in their present words."""


def fields_missing_in(version: int) -> frozenset[str]:
    """Fields of a step that a comparison with a log of this version leaves out."""
    newer = (names for since, names in NEW_FIELDS.items() if version < since)
    return frozenset().union(*newer)


TOLERATED_ROUNDING = 1e-6
"""Limit for any number of any step: processors differ in the last bits of products and sums."""

# A replay through the network on another machine counts as the same within these limits, because
# libraries round the network's output differently.
TOLERATED_SHARE = 0.01
"""Share of the steps in which a detection, or a command, may differ."""
TOLERATED_COMMAND = 0.1
"""Difference up to which a command counts as the same, in m/s or rad."""


@dataclass
class Drift:
    """The differences of one field over the whole flight."""

    field: str
    steps: int = 0
    """Number of steps in which it differs."""
    first_index: int = 0
    mean: float | None = None
    """Mean size of the differences that have a size, in the field's unit."""
    largest: float | None = None
    largest_index: int = 0

    is_of_kind: bool = False
    """In some step the difference has no size: a value is missing, or not a number."""

    @property
    def furthest(self) -> float:
        """Size of the largest difference; infinite if one has no size."""
        return math.inf if self.is_of_kind or self.largest is None else self.largest

    def add(self, index: int, found: Difference) -> None:
        """Add the difference in one more step."""
        if not self.steps:
            self.first_index = index
        self.steps += 1
        size = found.size
        if size is None:
            self.is_of_kind = True
            return
        self.mean = size if self.mean is None else self.mean + (size - self.mean) / self.steps
        if self.largest is None or size > self.largest:
            self.largest, self.largest_index = size, index


@dataclass(frozen=True)
class Divergence:
    """The first field that differs."""

    index: int
    """Index of the step's frame."""
    time_s: float
    """Since the first frame."""
    field: str
    logged: Any
    replayed: Any
    size: float | None
    """See `Difference.size`."""


@dataclass
class DetectionCounts:
    """Number of frames in which a detection was selected."""

    logged: int = 0
    replayed: int = 0
    both: int = 0

    def add(self, logged: Step, replayed: Step) -> None:
        """Count one frame."""
        in_log, in_replay = logged.detection is not None, replayed.detection is not None
        self.logged += in_log
        self.replayed += in_replay
        self.both += in_log and in_replay


@dataclass
class Comparison:
    """Result for a whole flight."""

    frames: int = 0
    flight_s: float = 0.0
    first: Divergence | None = None
    drift: dict[str, Drift] = field(default_factory=dict)
    detections: DetectionCounts = field(default_factory=DetectionCounts)
    same_state: int = 0
    """Steps in the same mission state."""
    off_course: int = 0
    """Steps whose commands differ by more than `TOLERATED_COMMAND`, or without a size."""

    @property
    def is_identical(self) -> bool:
        """Whether every field of every step is equal to the last bit."""
        return self.first is None

    @property
    def largest(self) -> Drift | None:
        """The field with the largest difference; one without a size counts as infinite."""
        return max(self.drift.values(), key=lambda drift: drift.furthest, default=None)

    @property
    def is_rounding(self) -> bool:
        """Whether only numbers differ, each by `TOLERATED_ROUNDING` at most."""
        return all(drift.furthest <= TOLERATED_ROUNDING for drift in self.drift.values())

    @property
    def is_tolerable(self) -> bool:
        """Whether all states, and all but `TOLERATED_SHARE` of detections and commands, agree."""
        allowed = TOLERATED_SHARE * self.frames
        counts = self.detections
        return (
            self.same_state == self.frames
            and counts.logged + counts.replayed - 2 * counts.both <= allowed
            and self.off_course <= allowed
        )

    def to_dict(self) -> dict[str, Any]:
        """Values for JSON."""
        data = asdict(self)
        data["drift"] = list(data["drift"].values())
        if self.first is not None:
            data["first"]["logged"] = plain(self.first.logged)
            data["first"]["replayed"] = plain(self.first.replayed)
        verdict = {
            "identical": self.is_identical,
            "rounding": self.is_rounding,
            "tolerable": self.is_tolerable,
        }
        return {**verdict, **data}

    def add(self, logged: Step, replayed: Step, found: Sequence[Difference]) -> None:
        """Add one step with its differences; `flight_s` is that of the step."""
        self.frames += 1
        self.detections.add(logged, replayed)
        self.same_state += logged.state is replayed.state
        self.off_course += any(map(_is_off_course, found))
        for difference in found:
            if self.first is None:
                self.first = Divergence(
                    index=logged.frame_index,
                    time_s=self.flight_s,
                    field=difference.field,
                    logged=difference.logged,
                    replayed=difference.replayed,
                    size=difference.size,
                )
            drift = self.drift.setdefault(difference.field, Drift(difference.field))
            drift.add(logged.frame_index, difference)


def compare(steps: Iterable[ReplayedStep], leave_out: frozenset[str] = frozenset()) -> Comparison:
    """Compare all steps of a replay, in all fields except those in `leave_out`."""
    result = Comparison()
    start_s: float | None = None
    for replayed in steps:
        logged, step = replayed.logged.step, replayed.step
        start_s = logged.time_s if start_s is None else start_s
        result.flight_s = logged.time_s - start_s
        found = differences(logged, step, leave_out)
        result.add(logged, step, found)
    return result


def _is_off_course(difference: Difference) -> bool:
    if not difference.field.startswith("command."):
        return False
    return difference.size is None or difference.size > TOLERATED_COMMAND
