"""How two flights through the same frames differ: the one that was logged, and its replay."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from followme_uav.replay.differences import Difference, differences, plain
from followme_uav.replay.replay import ReplayedStep

NEW_FIELDS = {
    2: frozenset({"track", "loops"}),
    3: frozenset({"candidates", "inputs", "guidance", "transition.reason"}),
}
"""Fields of a step that older logs than of this version do not have, or word differently."""


def fields_missing_in(version: int) -> frozenset[str]:
    """Fields of a step that a log of this version cannot be compared by."""
    newer = (names for since, names in NEW_FIELDS.items() if version < since)
    return frozenset().union(*newer)


TOLERATED_ROUNDING = 1e-6
"""In any number of any step: processors differ in the last bits of what they multiply and add."""

# What counts as the same where another machine or library rounds the network's output otherwise.
TOLERATED_SHARE = 0.01
"""Of the steps: so many may see somebody where the flight saw nobody, or differ by more ..."""
TOLERATED_COMMAND = 0.1
"""... than this in a command, in m/s or rad."""


@dataclass
class Drift:
    """One field over the whole flight."""

    field: str
    steps: int = 0
    """In how many steps it differs."""
    first_index: int = 0
    mean: float | None = None
    """Of the differences' sizes, where they have any; in the field's unit."""
    largest: float | None = None
    largest_index: int = 0

    is_of_kind: bool = False
    """In some step it differs in kind: something is missing, or no number."""

    @property
    def furthest(self) -> float:
        """How far it is off where most; infinitely where in kind."""
        return math.inf if self.is_of_kind or self.largest is None else self.largest

    def add(self, index: int, found: Difference) -> None:
        """One step more in which it differs."""
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
    """Of the step."""
    time_s: float
    """Since the first frame."""
    field: str
    logged: Any
    replayed: Any
    size: float | None
    """How far they are apart, where that means something."""


@dataclass
class DetectionCounts:
    """In how many frames a detection was selected."""

    logged: int = 0
    replayed: int = 0
    both: int = 0


@dataclass
class Comparison:
    """Of a whole flight."""

    frames: int = 0
    flight_s: float = 0.0
    first: Divergence | None = None
    drift: dict[str, Drift] = field(default_factory=dict)
    detections: DetectionCounts = field(default_factory=DetectionCounts)
    same_state: int = 0
    """Steps in the same mission state."""
    off_course: int = 0
    """Steps whose commands differ by more than `TOLERATED_COMMAND`, or in kind."""

    @property
    def is_identical(self) -> bool:
        """Every field of every step, to the last bit."""
        return self.first is None

    @property
    def largest(self) -> Drift | None:
        """The field that is furthest off; one without a size counts most."""
        return max(self.drift.values(), key=lambda drift: drift.furthest, default=None)

    @property
    def is_rounding(self) -> bool:
        """Nothing is missing or of another kind, and all numbers agree to `TOLERATED_ROUNDING`."""
        return all(drift.furthest <= TOLERATED_ROUNDING for drift in self.drift.values())

    @property
    def is_tolerable(self) -> bool:
        """Same states, and sightings and commands the same but for `TOLERATED_SHARE`."""
        allowed = TOLERATED_SHARE * self.frames
        seen = self.detections
        return (
            self.same_state == self.frames
            and seen.logged + seen.replayed - 2 * seen.both <= allowed
            and self.off_course <= allowed
        )

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
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


def compare(turns: Iterable[ReplayedStep], leave_out: frozenset[str] = frozenset()) -> Comparison:
    """Go through a replay and compare all fields of all steps but those left out."""
    result = Comparison()
    start_s: float | None = None
    for turn in turns:
        logged, step = turn.logged.step, turn.step
        start_s = logged.time_s if start_s is None else start_s
        result.frames += 1
        result.flight_s = logged.time_s - start_s
        seen = result.detections
        seen.logged += logged.detection is not None
        seen.replayed += step.detection is not None
        seen.both += logged.detection is not None and step.detection is not None
        result.same_state += logged.state is step.state
        is_off_course = False
        for found in differences(logged, step):
            if {found.field, found.field.partition(".")[0]} & leave_out:
                continue
            if result.first is None:
                result.first = Divergence(
                    index=logged.frame_index,
                    time_s=result.flight_s,
                    field=found.field,
                    logged=found.logged,
                    replayed=found.replayed,
                    size=found.size,
                )
            result.drift.setdefault(found.field, Drift(found.field)).add(logged.frame_index, found)
            size = found.size
            is_off_course |= found.field.startswith("command.") and (
                size is None or size > TOLERATED_COMMAND
            )
        result.off_course += is_off_course
    return result
