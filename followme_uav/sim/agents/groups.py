"""People who stand together and talk: two to four in a ring, facing each other.

Two who meet may stop for a talk, who comes by may join, and after a while each walks on. The hero
never does: she is there to be followed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PERIOD_S = 1.0
"""How often people look around for company."""
MOST = 4
"""In one group."""

_MEET_M, _JOIN_M = 2.5, 7.0
_MEET_SHARE, _JOIN_SHARE = 0.5, 0.15
_TALK_S = (12.0, 50.0)
_JOINED_S = 10.0  # a newcomer keeps the others at least so long
_ALONE_S = (20.0, 80.0)  # after a talk, before the next
_PASSED_S = 10.0  # after passing somebody without a word
_APART_M = 4.0  # between groups


def ring_radius_m(size: int) -> float:
    """Of a group of that size, so that neighbours stand 1.1 to 1.4 m apart."""
    return 0.45 + 0.12 * size


@dataclass(eq=False)
class _Talk:
    centre: Floats
    members: list[int]
    leave_s: dict[int, float] = field(default_factory=dict)


class Talks:
    """Who talks with whom.

    Attributes:
        busy: (people,) whether each stands in a group, or is on the way to it.
        spot_m: (people, 2) where in the ring; means nothing for those who are not busy.
        centre_m: (people, 2) of their group; likewise.
    """

    def __init__(self, people: int, rng: np.random.Generator) -> None:
        self.busy = np.zeros(people, dtype=np.bool_)
        self.spot_m = np.zeros((people, 2))
        self.centre_m = np.zeros((people, 2))
        self._again_s = np.zeros(people)
        self._rng = rng
        self._talks: list[_Talk] = []
        self._member_of: dict[int, _Talk] = {}

    @property
    def groups(self) -> Sequence[Sequence[int]]:
        """Who is in each group."""
        return [tuple(talk.members) for talk in self._talks]

    def begin(self, centre_m: Floats, members: Sequence[int], leave_s: Sequence[float]) -> None:
        """Let some people talk around a place, each until a time of their own."""
        talk = _Talk(centre_m.copy(), list(members), dict(zip(members, leave_s, strict=True)))
        self._talks.append(talk)
        for i in members:
            self._member_of[i] = talk
            self.busy[i] = True
            self.centre_m[i] = talk.centre

    def arrange(self, i: int, position: Floats) -> None:
        """Spread the group of person i evenly around its ring, everybody near where they are."""
        talk = self._member_of[i]
        centre, size = talk.centre, len(talk.members)
        away = position[talk.members] - centre
        bearing = dict(zip(talk.members, np.arctan2(away[:, 1], away[:, 0]).tolist(), strict=True))
        talk.members.sort(key=lambda k: bearing[k])
        step = 2.0 * math.pi / size
        off = [bearing[k] - step * turn for turn, k in enumerate(talk.members)]
        first = math.atan2(sum(map(math.sin, off)), sum(map(math.cos, off)))
        radius_m = ring_radius_m(size)
        for turn, k in enumerate(talk.members):
            angle = first + step * turn
            self.spot_m[k] = centre + radius_m * np.array([math.cos(angle), math.sin(angle)])

    def leave(self, i: int, time_s: float, position: Floats) -> list[int]:
        """Person i walks on, and so does who would stay alone; returns both.

        The others close up.
        """
        talk = self._member_of.pop(i)
        talk.members.remove(i)
        self.busy[i] = False
        self._again_s[i] = time_s + float(self._rng.uniform(*_ALONE_S))
        if len(talk.members) == 1:
            return [i, *self.leave(talk.members[0], time_s, position)]
        if talk.members:
            self.arrange(talk.members[0], position)
        else:
            self._talks.remove(talk)
        return [i]

    def over(self, time_s: float) -> list[int]:
        """Those for whom it is time to walk on."""
        return [i for talk in self._talks for i, end_s in talk.leave_s.items()
                if i in talk.members and time_s >= end_s]  # fmt: skip

    def rings(self) -> tuple[Floats, Floats]:
        """(groups, 2) centres and (groups,) radii: who does not belong to one walks around it."""
        centres = np.array([talk.centre for talk in self._talks]).reshape(-1, 2)
        return centres, np.array([ring_radius_m(len(talk.members)) for talk in self._talks])

    def mingle(
        self,
        time_s: float,
        position: Floats,
        free: NDArray[np.bool_],
        pairs: Sequence[tuple[int, int]],
        fits: Callable[[Floats], bool],
    ) -> list[int]:
        """Let people meet, once every `PERIOD_S`; returns those who stop for a talk now.

        Args:
            time_s: now.
            position: (people, 2).
            free: (people,) who has nothing better to do.
            pairs: who is near whom.
            fits: whether there is room for a group around a place (north, east).
        """
        ready = free & ~self.busy & (time_s >= self._again_s)
        joined: list[int] = []
        for talk in self._talks:
            away = position - talk.centre
            near = ready & (np.einsum("ij,ij->i", away, away) < _JOIN_M**2)
            for i in np.flatnonzero(near).tolist():
                if len(talk.members) < MOST and self._rng.random() < _JOIN_SHARE:
                    self._join(i, talk, time_s, position)
                    ready[i] = False
                    joined.append(i)
        for i, j in pairs:
            gap_m = math.dist(position[i], position[j])
            if not (ready[i] and ready[j]) or gap_m > _MEET_M:
                continue
            middle = (position[i] + position[j]) / 2
            apart = all(math.dist(middle, talk.centre) > _APART_M for talk in self._talks)
            if apart and self._rng.random() < _MEET_SHARE and fits(middle):
                end_s = time_s + float(self._rng.uniform(*_TALK_S))
                leave_s = [end_s, end_s + float(self._rng.uniform(0.0, 2.0))]
                self.begin(middle, (i, j), leave_s)
                self.arrange(i, position)
                joined += [i, j]
            else:
                self._again_s[[i, j]] = time_s + _PASSED_S
            ready[[i, j]] = False
        return joined

    def _join(self, i: int, talk: _Talk, time_s: float, position: Floats) -> None:
        talk.members.append(i)
        for k in talk.members:
            stays_s = _JOINED_S + float(self._rng.uniform(0.0, 3.0))
            talk.leave_s[k] = max(talk.leave_s.get(k, 0.0), time_s + stays_s)
        talk.leave_s[i] = time_s + float(self._rng.uniform(*_TALK_S))
        self._member_of[i] = talk
        self.busy[i] = True
        self.centre_m[i] = talk.centre
        self.arrange(i, position)
