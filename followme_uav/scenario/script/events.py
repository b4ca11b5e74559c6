"""The events of a script: changes of the world, and faults.

    - {at_s: 20, lasts_s: 4, gust: {north_mps: 8}}    # rises and falls; steady without lasts_s
    - {at_s: 30, move: {who: hero, to_m: [40, 7]}}    # at once; the hero walks on from there
    - {at_s: 30, light: {hour_h: 21.5, fog: 0.6}}     # from then on
    - {drop_frames: {share: 0.2}}                     # frames without an image
    - {delay: {frames_ms: 75, commands_ms: 75, jitter_ms: 25}}
    - {at_s: 30, lasts_s: 3, stall: {}}               # no call is answered, time goes on

Times are simulated seconds from the first frame. Without `lasts_s` an event lasts until the end.
"""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field, model_validator

from followme_uav.config import NonNegative, Number, Point2, Positive, Section, Share

Wind = Annotated[Number, Field(ge=-15, le=15)]
Delay = Annotated[Number, Field(ge=0, le=500)]


class Gust(Section):
    """Wind, by the direction in which it blows."""

    north_mps: Wind = 0.0
    east_mps: Wind = 0.0


class LightChange(Section):
    """Time of day and weather; a value that is not given stays as it is."""

    hour_h: Annotated[Number, Field(ge=0, le=24)] | None = None
    rain: Share | None = None
    dust: Share | None = None
    fog: Share | None = None


class Move(Section):
    """A person (`hero`, `person_01`, ...) is moved to another place at once."""

    who: str
    to_m: Point2
    """North and east."""
    heading_deg: Number = 0.0


class DropFrames(Section):
    """Loss of images."""

    share: Share
    """Probability with which an image is lost."""


class Delays(Section):
    """Delays of frames on the way to the pilot, and of commands on the way to the vehicle."""

    frames_ms: Delay = 0.0
    commands_ms: Delay = 0.0
    jitter_ms: Delay = 0.0
    """Each delay is shorter or longer by up to this much, uniformly distributed."""

    @model_validator(mode="after")
    def _possible(self) -> Delays:
        if self.jitter_ms > max(self.frames_ms, self.commands_ms):
            raise ValueError("jitter_ms above the delays: a frame would arrive before it is taken")
        return self


class Stall(Section):
    """The simulator answers no call; its time goes on."""


KINDS = ("gust", "light", "move", "drop_frames", "delay", "stall")
_AT_ONCE = ("light", "move")


class Event(Section):
    """One event, of exactly one of the kinds."""

    at_s: NonNegative = 0.0
    lasts_s: Positive | None = None
    gust: Gust | None = None
    light: LightChange | None = None
    move: Move | None = None
    drop_frames: DropFrames | None = None
    delay: Delays | None = None
    stall: Stall | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Event:
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of {', '.join(KINDS)}, not {' and '.join(given) or 'none'}")
        if self.lasts_s is not None and given[0] in _AT_ONCE:
            raise ValueError(f"{given[0]} happens at once; leave lasts_s out")
        if self.lasts_s is None and given[0] == "stall":
            raise ValueError("a stall needs lasts_s")
        return self

    def is_on(self, time_s: float) -> bool:
        """Whether the event is active at that time of the flight."""
        return self.at_s <= time_s < self.at_s + (self.lasts_s or math.inf)

    def wind_mps(self, time_s: float) -> tuple[float, float]:
        """Return its wind (north, east); a gust is a 1-cosine hump, as in gust load rules."""
        if self.gust is None or not self.is_on(time_s):
            return 0.0, 0.0
        share = 1.0
        if self.lasts_s is not None:
            share = math.sin(math.pi * (time_s - self.at_s) / self.lasts_s) ** 2
        return share * self.gust.north_mps, share * self.gust.east_mps
