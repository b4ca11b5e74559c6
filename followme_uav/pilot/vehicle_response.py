"""How the vehicle follows velocity commands, identified in flight, and commands that allow for it.

Vehicles differ in two ways. One needs half a second to reach a velocity, another two; the pilot
exaggerates the changes of velocity for a slow one, so that all follow equally fast. And some,
AirSim's SimpleFlight among them, control the vertical speed along the body's own axis: they climb
while they lean. The pilot lets them sink by as much.

Over a slow link a command acts late. The pilot then exaggerates from the velocity that the vehicle
will have when the command acts, by the commands that are still on their way (the predictor of
Smith, "Closer control of loops with dead time", 1957): exaggerated from an old velocity, commands
make the vehicle rock.

Both values, and the delay, come from recursive least squares with exponential forgetting (Astrom
and Wittenmark, Adaptive Control, 2nd edition, section 2.2), from the frames alone: a replay finds
the same.

World frame NED, velocities in m/s.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from followme_uav.config import FlightConfig
from followme_uav.geometry import rotate, turned_on
from followme_uav.messages import Quaternion, Vec2, Vec3, VehicleResponse, VehicleState

FORGETTING_S = 60.0
"""Time constant with which old observations lose weight."""
_LEAN_FILTER_S, _CLIMB_FILTER_S = 0.4, 0.1
"""Low-pass filters of both sides, for noise and delays: longer than a vehicle takes to lean, or to
climb."""
_MOST_EXAGGERATION = 2.0
"""More would overshoot with an image a tenth of a second old."""
_LONGEST_GAP_S = 0.5
"""After a longer gap between frames the command may have ended in between."""
_RATE_WEIGHT, _LEAN_WEIGHT = 2.0, 0.02
"""Weights of the first guesses: as of so many seconds of observations of 1 m/s."""
_LEAN_DELAY_S = 0.2
"""A command acts so late without a slow link, because the vehicle leans first."""
_DELAYS_S = (_LEAN_DELAY_S, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)
"""Delays that are tried."""
_CLEARLY = 0.7
"""A delay must leave at most this share of the error that the least one leaves."""
_FIRST_LEAN = 0.4
"""The first acceleration of either kind of vehicle then costs less than 0.3 m of altitude."""


class ResponseModel:
    """Identifies the response of one vehicle; takes each frame in turn."""

    def __init__(self, config: FlightConfig) -> None:
        self._lag_s = config.control.response_lag_s
        self._most_mps = config.limits.velocity_error_mps
        self._rate = _Slope(1.0 / self._lag_s, _RATE_WEIGHT, _LEAN_FILTER_S)
        self._late = _Slopes(1.0 / self._lag_s, _RATE_WEIGHT, _LEAN_FILTER_S, len(_DELAYS_S))
        """As `_rate`, for commands that act late by each of the delays."""
        self._delay_s = 0.0
        self._given_s: list[float] = []
        self._given_mps: list[Vec2] = []
        """The last commands without a pause, with their times."""
        self._lean = _Slope(_FIRST_LEAN, _LEAN_WEIGHT, _CLIMB_FILTER_S)
        self._flown: tuple[Vec3, VehicleState] | None = None
        """The last command, and the state that it was given in."""

    @property
    def response(self) -> VehicleResponse:
        """As identified so far, within limits."""
        slowest = 1.0 / (_MOST_EXAGGERATION * self._lag_s)
        rate = min(max(self._rate.value, slowest), 1.0 / self._lag_s)
        return VehicleResponse(1.0 / rate, min(max(self._lean.value, 0.0), 1.0), self._delay_s)

    def _found_delay_s(self) -> float:
        """Of commands, if that explains the motion clearly better than none; else 0."""
        errors = self._late.errors()
        best = int(np.argmin(errors))
        is_clear = self._late.is_sure and errors[best] <= _CLEARLY * errors[0]
        return _DELAYS_S[best] if is_clear and best > 0 else 0.0

    def observe(self, vehicle: VehicleState, dt_s: float) -> None:
        """Learn from the motion since the last command, `dt_s` ago."""
        flown, self._flown = self._flown, None
        if flown is None or dt_s > _LONGEST_GAP_S:
            self._given_s, self._given_mps = [], []
            for slope in (self._rate, self._lean, self._late):
                slope.interrupt()
            return
        wanted_mps, before = flown
        pairs = list(zip(before.velocity_mps, vehicle.velocity_mps, strict=True))
        gained_mps2 = [(after - before) / dt_s for before, after in pairs[:2]]
        missing_mps = [w - sum(pair) / 2.0 for w, pair in zip(wanted_mps, pairs[:2], strict=False)]
        self._rate.add(missing_mps, gained_mps2, dt_s)
        middle_s = vehicle.time_s - dt_s / 2.0
        if self._given_s and self._given_s[0] <= middle_s - _DELAYS_S[-1]:
            acting_mps = np.array([self._acting(middle_s - delay_s) for delay_s in _DELAYS_S])
            flown_mps = np.array([sum(pair) / 2.0 for pair in pairs[:2]])
            self._late.add(acting_mps - flown_mps, np.array(gained_mps2), dt_s)
            self._delay_s = self._found_delay_s()
        leans_mps = [
            _sink_by_lean(wanted_mps, state.velocity_mps, state.orientation)
            for state in (before, vehicle)
        ]
        extra_mps = vehicle.velocity_mps[2] - wanted_mps[2]
        self._lean.add([sum(leans_mps) / 2.0], [extra_mps], dt_s)

    def command(self, velocity_mps: Vec3, vehicle: VehicleState, dt_s: float) -> Vec3:
        """The command on which the vehicle flies this velocity."""
        response = self.response
        then_mps, lag_s = vehicle.velocity_mps, response.lag_s
        if response.delay_s:
            rates = self._late.values()
            rate = max(float(rates[_DELAYS_S.index(response.delay_s)]), 1.0 / lag_s)
            lag_s = max(1.0 / rate, self._lag_s)
            then_mps = self._later(vehicle, response.delay_s, rate)
        north, east = self._exaggerated(velocity_mps, then_mps, lag_s / self._lag_s)
        # Half-way to the next frame the vehicle has turned on.
        lean = turned_on(vehicle.orientation, vehicle.angular_velocity_radps, dt_s / 2.0)
        sink_mps = _sink_by_lean((north, east), vehicle.velocity_mps, lean)
        command = (north, east, velocity_mps[2] - response.lean_share * sink_mps)
        self._flown = command, vehicle
        old = bisect.bisect(self._given_s, vehicle.time_s - _DELAYS_S[-1] - _LONGEST_GAP_S)
        del self._given_s[:old], self._given_mps[:old]
        self._given_s.append(vehicle.time_s)
        self._given_mps.append((north, east))
        return command

    def _acting(self, given_s: float) -> Vec2:
        """The command that was the last one at this time; the first one before it."""
        return self._given_mps[max(bisect.bisect(self._given_s, given_s) - 1, 0)]

    def _later(self, vehicle: VehicleState, delay_s: float, rate: float) -> Vec3:
        """The velocity when a command of now acts, by the commands that are on their way."""
        north, east, down = vehicle.velocity_mps
        since_s = vehicle.time_s - delay_s
        if not self._given_s or self._given_s[0] > since_s:
            return vehicle.velocity_mps
        times_s = [since_s, *(t for t in self._given_s if t > since_s), vehicle.time_s]
        for from_s, to_s in itertools.pairwise(times_s):
            share = -math.expm1(-rate * (to_s - from_s))
            acting_n, acting_e = self._acting(from_s)
            north += share * (acting_n - north)
            east += share * (acting_e - east)
        return north, east, down

    def _exaggerated(self, wanted_mps: Vec3, now_mps: Vec3, factor: float) -> Vec2:
        now_n, now_e, _ = now_mps
        north, east = factor * (wanted_mps[0] - now_n), factor * (wanted_mps[1] - now_e)
        change_mps = math.hypot(north, east)
        share = min(1.0, self._most_mps / change_mps) if change_mps > 0.0 else 1.0
        return now_n + share * north, now_e + share * east


class _Slope:
    """The slope k of y = k x through the origin, from filtered vectors x and y.

    Args:
        first: Before the first observation.
        weight: Of the first value, in seconds of observations with x of length 1.
        filter_s: Time constant of the filter.
    """

    def __init__(self, first: float, weight: float, filter_s: float) -> None:
        self._first, self._weight, self._filter_s = first, weight, filter_s
        self._xy = self._xx = 0.0
        self._filtered: list[tuple[float, float]] = []

    @property
    def value(self) -> float:
        return (self._first * self._weight + self._xy) / (self._weight + self._xx)

    def interrupt(self) -> None:
        """The next observation does not continue the last one."""
        self._filtered = []

    def add(self, xs: Sequence[float], ys: Sequence[float], dt_s: float) -> None:
        """Add an observation that lasted `dt_s`."""
        share = -math.expm1(-dt_s / self._filter_s)
        new = list(zip(xs, ys, strict=True))
        old = self._filtered or [(0.0, 0.0)] * len(new)
        self._filtered = [
            (a + share * (x - a), b + share * (y - b))
            for (a, b), (x, y) in zip(old, new, strict=True)
        ]
        kept = math.exp(-dt_s / FORGETTING_S)
        self._xy = kept * self._xy + dt_s * sum(x * y for x, y in self._filtered)
        self._xx = kept * self._xx + dt_s * sum(x * x for x, _ in self._filtered)


class _Slopes:
    """As `_Slope`, of the same vectors y by several vectors x.

    Args:
        first: Before the first observation.
        weight: Of the first value, in seconds of observations with x of length 1.
        filter_s: Time constant of the filter.
        count: Number of vectors x.
    """

    def __init__(self, first: float, weight: float, filter_s: float, count: int) -> None:
        self._first, self._weight, self._filter_s = first, weight, filter_s
        self._xy, self._xx, self._yy = np.zeros(count), np.zeros(count), 0.0
        self.interrupt()

    def values(self) -> NDArray[np.float64]:
        """Of each slope."""
        return (self._first * self._weight + self._xy) / (self._weight + self._xx)

    def errors(self) -> NDArray[np.float64]:
        """Share of the squares of y that each slope does not explain."""
        explained = np.maximum(self._xx * self._yy, 1e-12)
        return 1.0 - self._xy * self._xy / explained

    @property
    def is_sure(self) -> bool:
        """Whether the observations outweigh the first value."""
        return bool(self._xx[0] > self._weight)

    def interrupt(self) -> None:
        """The next observation does not continue the last one."""
        self._x, self._y = np.zeros((len(self._xx), 2)), np.zeros(2)

    def add(self, xs: NDArray[np.float64], y: NDArray[np.float64], dt_s: float) -> None:
        """Add an observation, (n, 2) and (2,), that lasted `dt_s`."""
        share = -math.expm1(-dt_s / self._filter_s)
        self._x = self._x + share * (xs - self._x)
        self._y = self._y + share * (y - self._y)
        kept = math.exp(-dt_s / FORGETTING_S)
        north, east = self._x[:, 0], self._x[:, 1]
        self._xy = kept * self._xy + dt_s * (north * self._y[0] + east * self._y[1])
        self._xx = kept * self._xx + dt_s * (north * north + east * east)
        self._yy = kept * self._yy + dt_s * float(self._y[0] ** 2 + self._y[1] ** 2)


def _sink_by_lean(wanted_mps: Sequence[float], flown_mps: Vec3, orientation: Quaternion) -> float:
    """Extra speed down of a vehicle that controls its speed along its own down axis.

    Along that axis it removes the whole error of the velocity, of which a part is horizontal while
    it leans.
    """
    north, east, down = rotate(orientation, (0.0, 0.0, 1.0))
    along = north * (wanted_mps[0] - flown_mps[0]) + east * (wanted_mps[1] - flown_mps[1])
    return along / max(down, 0.5)
