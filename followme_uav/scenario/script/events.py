"""What happens during a flight besides the flying, and when.

    - {at_s: 20, lasts_s: 4, gust: {north_mps: 8}}    # rises and falls; steady without lasts_s
    - {at_s: 30, move: {who: hero, to_m: [40, 7]}}    # at once; she walks on from there
    - {at_s: 30, light: {hour_h: 21.5, fog: 0.6}}     # from then on
    - {drop_frames: {share: 0.2}}                     # images that never come
    - {delay: {frames_ms: 75, commands_ms: 75, jitter_ms: 25}}
    - {at_s: 30, lasts_s: 3, stall: {}}               # no call is answered, time goes on

Times are simulated seconds from the first frame; without `lasts_s` it goes on until the end.
"""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field, model_validator

from followme_uav.config import NonNegative, Number, Point2, Positive, Section, Share

Wind = Annotated[Number, Field(ge=-15, le=15)]
Delay = Annotated[Number, Field(ge=0, le=500)]


class Gust(Section):
    """Wind, where it blows to."""

    north_mps: Wind = 0.0
    east_mps: Wind = 0.0


class Light(Section):
    """Time of day and weather; what is not given stays."""

    hour_h: Annotated[Number, Field(ge=0, le=24)] | None = None
    rain: Share | None = None
    dust: Share | None = None
    fog: Share | None = None


class Move(Section):
    """Somebody is somewhere else at once: `hero`, `person_01` and so on."""

    who: str
    to_m: Point2
    """North, east."""
    heading_deg: Number = 0.0


class DropFrames(Section):
    """Images that get lost."""

    share: Share


class Delays(Section):
    """How much older a frame is when it comes, and how much later a command acts."""

    frames_ms: Delay = 0.0
    commands_ms: Delay = 0.0
    jitter_ms: Delay = 0.0
    """Each delay is up to so much shorter or longer, all equally likely."""

    @model_validator(mode="after")
    def _possible(self) -> Delays:
        if self.jitter_ms > max(self.frames_ms, self.commands_ms):
            raise ValueError("jitter_ms above the delays would bring frames before they are taken")
        return self


class Stall(Section):
    """The simulator answers nothing; its world goes on."""


KINDS = ("gust", "light", "move", "drop_frames", "delay", "stall")
_AT_ONCE = ("light", "move")


class Event(Section):
    """One thing that happens: exactly one of the kinds."""

    at_s: NonNegative = 0.0
    lasts_s: Positive | None = None
    gust: Gust | None = None
    light: Light | None = None
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
        """Whether it goes on at that time of the flight."""
        return self.at_s <= time_s < self.at_s + (self.lasts_s or math.inf)

    def wind_mps(self, time_s: float) -> tuple[float, float]:
        """(north, east) share in the wind: a gust is a cosine's hump, as in gust load rules."""
        if self.gust is None or not self.is_on(time_s):
            return 0.0, 0.0
        share = 1.0
        if self.lasts_s is not None:
            share = math.sin(math.pi * (time_s - self.at_s) / self.lasts_s) ** 2
        return share * self.gust.north_mps, share * self.gust.east_mps
