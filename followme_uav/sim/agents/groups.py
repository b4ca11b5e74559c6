"""Groups: two to four people who stand in a ring and face each other.

Two people who meet may form a group, a person who passes may join, and after a while each member
walks on. The hero never joins a group.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from followme_uav.sim.city.arrays import Flags, Floats

PERIOD_S = 1.0
"""Groups form, and people join them, this often."""
MAX_SIZE = 4

_MEET_M, _JOIN_M = 2.5, 7.0  # people nearer than this may form, or join, a group
_MEET_SHARE, _JOIN_SHARE = 0.5, 0.15  # probability that they do
_STAY_S = (12.0, 50.0)
_STAY_FOR_NEWCOMER_S = 10.0  # the least that members stay after another has joined
_PAUSE_S = (20.0, 80.0)  # after one group, before the next
_PASSED_S = 10.0  # after passing a person without forming a group
_GROUP_GAP_M = 4.0  # between the centres of two groups


def ring_radius_m(size: int) -> float:
    """The radius of a group of that size; neighbours stand 1.1 to 1.4 m apart."""
    return 0.45 + 0.12 * size


@dataclass(eq=False)
class _Group:
    centre: Floats
    members: list[int]
    """Counter-clockwise or clockwise, as they stand."""
    leave_s: dict[int, float] = field(default_factory=dict)
    """The time at which each member walks on."""


class Groups:
    """All groups of a crowd.

    Attributes:
        in_group: (people,) whether each person stands in a group, or is on the way to it.
        slot_m: (people, 2) place in the ring; undefined for people without a group.
        centre_m: (people, 2) centre of the group; undefined for people without a group.
    """

    def __init__(self, people: int, rng: np.random.Generator) -> None:
        self.in_group = np.zeros(people, dtype=np.bool_)
        self.slot_m = np.zeros((people, 2))
        self.centre_m = np.zeros((people, 2))
        self._ready_s = np.zeros(people)
        self._rng = rng
        self._groups: list[_Group] = []
        self._group_of: dict[int, _Group] = {}

    @property
    def members(self) -> tuple[tuple[int, ...], ...]:
        """The members of each group."""
        return tuple(tuple(group.members) for group in self._groups)

    def form(self, centre_m: Floats, members: Sequence[int], leave_s: Sequence[float]) -> None:
        """Form a group around a place; each member walks on at its own time."""
        group = _Group(centre_m.copy(), list(members), dict(zip(members, leave_s, strict=True)))
        self._groups.append(group)
        for i in members:
            self._enter(i, group)

    def arrange(self, i: int, position: Floats) -> None:
        """Spread the group of person i evenly around its ring, each member near its position."""
        group = self._group_of[i]
        centre, size = group.centre, len(group.members)
        away = position[group.members] - centre
        bearings = np.arctan2(away[:, 1], away[:, 0]).tolist()
        bearing = dict(zip(group.members, bearings, strict=True))
        group.members.sort(key=lambda k: bearing[k])
        step = 2.0 * math.pi / size
        off = [bearing[k] - step * order for order, k in enumerate(group.members)]
        first = math.atan2(sum(map(math.sin, off)), sum(map(math.cos, off)))
        radius_m = ring_radius_m(size)
        for order, k in enumerate(group.members):
            angle = first + step * order
            self.slot_m[k] = centre + radius_m * np.array([math.cos(angle), math.sin(angle)])

    def leave(self, i: int, time_s: float, position: Floats) -> list[int]:
        """Take person i out of the group; a last member leaves, too.

        The remaining members close the gap in the ring.

        Returns:
            The people who left.
        """
        group = self._group_of.pop(i)
        group.members.remove(i)
        self.in_group[i] = False
        self._ready_s[i] = time_s + float(self._rng.uniform(*_PAUSE_S))
        if len(group.members) == 1:
            return [i, *self.leave(group.members[0], time_s, position)]
        if group.members:
            self.arrange(group.members[0], position)
        else:
            self._groups.remove(group)
        return [i]

    def due(self, time_s: float) -> list[int]:
        """The members whose time to walk on has come."""
        return [i for group in self._groups for i, end_s in group.leave_s.items()
                if i in group.members and time_s >= end_s]  # fmt: skip

    def rings(self) -> tuple[Floats, Floats]:
        """(groups, 2) centres and (groups,) radii, which other people walk around."""
        centres = np.array([group.centre for group in self._groups]).reshape(-1, 2)
        return centres, np.array([ring_radius_m(len(group.members)) for group in self._groups])

    def meet(
        self,
        time_s: float,
        position: Floats,
        free: Flags,
        pairs: Sequence[tuple[int, int]],
        fits: Callable[[Floats], bool],
    ) -> None:
        """Let people join groups and form new ones; call it every `PERIOD_S`.

        Args:
            time_s: now.
            position: (people, 2).
            free: (people,) whether each person walks and may stop.
            pairs: indices of two people who are near each other.
            fits: whether there is room for a group around a place (north, east).
        """
        ready = free & ~self.in_group & (time_s >= self._ready_s)
        self._join_near(time_s, position, ready)
        self._form_from(pairs, time_s, position, ready, fits)

    def _join_near(self, time_s: float, position: Floats, ready: Flags) -> None:
        """Let people near a group join it; they are not `ready` afterwards."""
        for group in self._groups:
            away = position - group.centre
            near = ready & (np.einsum("ij,ij->i", away, away) < _JOIN_M**2)
            for i in np.flatnonzero(near).tolist():
                if len(group.members) < MAX_SIZE and self._rng.random() < _JOIN_SHARE:
                    self._join(i, group, time_s, position)
                    ready[i] = False

    def _form_from(
        self,
        pairs: Sequence[tuple[int, int]],
        time_s: float,
        position: Floats,
        ready: Flags,
        fits: Callable[[Floats], bool],
    ) -> None:
        """Let pairs of ready people who meet form groups; they are not `ready` afterwards."""
        for i, j in pairs:
            gap_m = math.dist(position[i], position[j])
            if not (ready[i] and ready[j]) or gap_m > _MEET_M:
                continue
            middle = (position[i] + position[j]) / 2
            apart = all(math.dist(middle, group.centre) > _GROUP_GAP_M for group in self._groups)
            if apart and self._rng.random() < _MEET_SHARE and fits(middle):
                end_s = time_s + float(self._rng.uniform(*_STAY_S))
                leave_s = [end_s, end_s + float(self._rng.uniform(0.0, 2.0))]
                self.form(middle, (i, j), leave_s)
                self.arrange(i, position)
            else:
                self._ready_s[[i, j]] = time_s + _PASSED_S
            ready[[i, j]] = False

    def _join(self, i: int, group: _Group, time_s: float, position: Floats) -> None:
        group.members.append(i)
        for k in group.members:
            stays_s = _STAY_FOR_NEWCOMER_S + float(self._rng.uniform(0.0, 3.0))
            group.leave_s[k] = max(group.leave_s.get(k, 0.0), time_s + stays_s)
        group.leave_s[i] = time_s + float(self._rng.uniform(*_STAY_S))
        self._enter(i, group)
        self.arrange(i, position)

    def _enter(self, i: int, group: _Group) -> None:
        self._group_of[i] = group
        self.in_group[i] = True
        self.centre_m[i] = group.centre
