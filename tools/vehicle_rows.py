"""Measurements of a vehicle over AirSim's RPC, each a function from a `Flyer` to values by name.

All motion is measured from the state that the simulator reports, every 20 ms of simulated time,
which stands still in between. Lengths are in metres, times in seconds, angles in degrees.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

from followme_uav.errors import SimulatorError

PERIOD_S = 0.02
LIMIT_S = 120.0
"""A motion call that takes longer is cancelled."""
STILL_MPS = 0.05
STILL_S = 0.5
"""At rest: slower than this for this time."""

STOP = {"is_rate": True, "yaw_or_rate": 0.0}
NORTH = {"is_rate": False, "yaw_or_rate": 0.0}
NO_LIMIT_S = 3e38

Values = dict[str, float | str]


class Session(Protocol):
    """The part of `RpcSession` that the measurements need."""

    def call(self, method: str, *params: Any) -> Any: ...  # noqa: D102

    def call_async(self, method: str, *params: Any) -> Future[Any]: ...  # noqa: D102


@dataclass(frozen=True)
class Moment:
    """The motion of the vehicle at one time."""

    time_s: float
    x: float
    y: float
    z: float
    vx: float
    vy: float
    vz: float
    roll: float
    pitch: float
    yaw: float
    """Degrees."""
    yaw_rate: float
    """Degrees per second."""

    @property
    def speed(self) -> float:
        """In all directions."""
        return math.hypot(self.vx, self.vy, self.vz)

    @property
    def lean(self) -> float:
        """Angle between the body's down axis and the vertical, in degrees."""
        return math.degrees(
            math.acos(math.cos(math.radians(self.roll)) * math.cos(math.radians(self.pitch)))
        )


class Flyer:
    """One vehicle, flown step by step."""

    def __init__(self, session: Session, vehicle: str = "") -> None:
        self._session, self._vehicle = session, vehicle
        self.time_s = 0.0

    def call(self, method: str, *params: Any) -> Any:
        """Call a method of the vehicle."""
        return self._session.call(method, *params, self._vehicle)

    def start(self, method: str, *params: Any) -> Future[Any]:
        """Send a motion call; it goes on while `watch` lets time pass."""
        return self._session.call_async(method, *params, self._vehicle)

    def set_wind(self, x: float) -> None:
        """Let the wind blow along x, in m/s."""
        self._session.call("simSetWind", _point(x, 0.0, 0.0))

    def step(self) -> None:
        """Let one period of simulated time pass."""
        self._session.call("simContinueForTime", PERIOD_S)
        while not self._session.call("simIsPaused"):  # Unity answers before the time has passed
            time.sleep(0.001)
        self.time_s += PERIOD_S

    def moment(self) -> Moment:
        """Return the motion of now."""
        state = self.call("simGetGroundTruthKinematics")
        if not isinstance(state, dict):
            raise SimulatorError("the simulator sends structs as arrays, as Colosseum from 2.3 on")
        place, speed = _vector(state["position"]), _vector(state["linear_velocity"])
        roll, pitch, yaw = _euler(state["orientation"])
        turn = math.degrees(state["angular_velocity"]["z_val"])
        return Moment(self.time_s, *place, *speed, roll, pitch, yaw, turn)

    def watch(self, duration_s: float) -> list[Moment]:
        """Let time pass; return the motion at the start and after each step."""
        moments = [self.moment()]
        for _ in range(round(duration_s / PERIOD_S)):
            self.step()
            moments.append(self.moment())
        return moments

    def watch_until(self, call: Future[Any]) -> list[Moment]:
        """Let time pass until a call answers."""
        moments = [self.moment()]
        while not call.done():
            if self.time_s > moments[0].time_s + LIMIT_S:
                self.call("cancelLastTask")
                break
            self.step()
            moments.append(self.moment())
        return moments

    def begin(self) -> None:
        """Reset; take API control and arm."""
        self._session.call("reset")
        self._session.call("simPause", True)
        self.call("enableApiControl", True)
        self.call("armDisarm", True)
        self.watch(0.5)

    def hover_at(self, z: float) -> None:
        """From the start to rest at about this altitude, above the start."""
        self.begin()
        self.watch_until(self.start("takeoff", 20.0))
        self.watch(1.0)
        if z < -2.0:
            self.watch_until(self.start("moveToZ", z, 5.0, NO_LIMIT_S, STOP, -1.0, 1.0))
        self.watch(5.0)

    def move(self, vx: float, vy: float, vz: float, duration_s: float) -> Future[Any]:
        """Send moveByVelocity."""
        return self.start("moveByVelocity", vx, vy, vz, duration_s, 0, STOP)


def takeoff(flyer: Flyer) -> Values:
    flyer.begin()
    seen = flyer.watch_until(flyer.start("takeoff", 20.0))
    rest = flyer.watch(5.0)
    return {"takeoff_s": _span(seen), "takeoff_z": rest[-1].z}


def speeding(speed: float) -> Callable[[Flyer], Values]:
    """Speed up from hover, then `hover` again."""

    def measure(flyer: Flyer) -> Values:
        flyer.hover_at(-10.0)
        flyer.move(speed, 0.0, 0.0, 60.0)
        seen = flyer.watch(8.0 if speed < 10.0 else 5.0)
        call = flyer.start("hover")
        after = flyer.watch(20.0)
        call.result(1.0)
        name = f"{speed:g}"
        values: Values = {
            f"climb_{name}": seen[0].z - min(m.z for m in seen),
            f"hover_{name}_farthest": max(m.x for m in after) - after[0].x,
            f"hover_{name}_ends": math.dist(_place(after[-1])[:2], _place(after[0])[:2]),
        }
        if speed < 10.0:
            values |= {
                f"speed_{name}_s": _first(seen, lambda m: m.vx >= 0.9 * speed),
                f"speed_{name}_steady": seen[-1].vx,
                f"speed_{name}_lean": max(m.lean for m in seen),
                f"hover_{name}_rest_s": _rest(after),
            }
        else:
            values[f"speed_{name}"] = seen[-1].vx
        if speed == 5.0:
            values["lean_steady"] = seen[-1].lean
        return values

    return measure


def duration_ends(flyer: Flyer) -> Values:
    flyer.hover_at(-10.0)
    flyer.watch_until(flyer.move(5.0, 0.0, 0.0, 5.0))
    after = flyer.watch(20.0)
    return {
        "end_farthest": max(m.x for m in after) - after[0].x,
        "end_final": abs(after[-1].x - after[0].x),
    }


def climbing(flyer: Flyer) -> Values:
    flyer.hover_at(-10.0)
    flyer.move(0.0, 0.0, -2.0, 4.0)
    seen = flyer.watch(4.0)
    return {
        "up_s": _first(seen, lambda m: m.vz <= -1.8),
        "up_peak": max(-m.vz for m in seen),
    }


def vertical_limits(flyer: Flyer) -> Values:
    flyer.hover_at(-10.0)
    flyer.move(0.0, 0.0, -10.0, 5.0)
    up = flyer.watch(5.0)
    flyer.watch(5.0)
    flyer.move(0.0, 0.0, 10.0, 4.0)
    down = flyer.watch(4.0)
    return {"vz_up": max(-m.vz for m in up), "vz_down": max(m.vz for m in down)}


def velocity_z(flyer: Flyer) -> Values:
    flyer.hover_at(-5.0)
    flyer.start("moveByVelocityZ", 3.0, 0.0, -10.0, 8.0, 0, STOP)
    seen = flyer.watch(8.0)
    return {
        "velocity_z_s": _first(seen, lambda m: m.vx >= 2.7),
        "velocity_z_end": seen[-1].vx,
    }


def reversal(flyer: Flyer) -> Values:
    flyer.hover_at(-10.0)
    flyer.move(5.0, 0.0, 0.0, 60.0)
    flyer.watch(6.0)
    flyer.move(-5.0, 0.0, 0.0, 60.0)
    seen = flyer.watch(6.0)
    return {
        "reversal_s": _first(seen, lambda m: m.vx <= -4.5),
        "reversal_runs_on": max(m.x for m in seen) - seen[0].x,
        "reversal_climb": seen[0].z - min(m.z for m in seen),
    }


def turning(flyer: Flyer) -> Values:
    flyer.hover_at(-10.0)
    seen = flyer.watch_until(flyer.start("rotateToYaw", 90.0, 30.0, 5.0))
    flyer.hover_at(-10.0)
    rate = flyer.start("rotateByYawRate", 45.0, 3.0)
    turned = flyer.watch_until(rate)
    after = flyer.watch(5.0)
    return {
        "yaw_s": _span(seen),
        "yaw_rate": max(m.yaw_rate for m in seen),
        "yaw_overshoot": max(0.0, max(m.yaw for m in seen) - 90.0),
        "rate_s": _first(turned, lambda m: m.yaw_rate >= 40.5),
        "rate_turns_on": (after[-1].yaw - after[0].yaw) % 360.0,
    }


def to_position(flyer: Flyer) -> Values:
    flyer.hover_at(-10.0)
    z = flyer.moment().z
    call = flyer.start("moveToPosition", 20.0, 0.0, z, 5.0, NO_LIMIT_S, 0, STOP, -1.0, 1.0)
    seen = flyer.watch_until(call)
    after = flyer.watch(20.0)
    return {
        "position_s": _span(seen),
        "position_speed": seen[-1].speed,
        "position_farthest": max(m.x for m in [*seen, *after]),
        "position_rest_s": _rest([*seen, *after]),
    }


def square(flyer: Flyer) -> Values:
    flyer.hover_at(-10.0)
    corners = [(20.0, 0.0), (20.0, 20.0), (0.0, 20.0), (0.0, 0.0)]
    start = flyer.moment()
    path = [_point(x, y, -10.0) for x, y in corners]
    call = flyer.start("moveOnPath", path, 5.0, LIMIT_S, 0, STOP, -1.0, 1.0)
    seen = flyer.watch_until(call)
    flyer.hover_at(-10.0)
    ahead = flyer.start("moveOnPath", path, 5.0, LIMIT_S, 1, NORTH, 20.0, 1.0)
    forward = flyer.watch_until(ahead)
    return {
        "square_s": _span(seen),
        "square_off": max(_off_square(m.x, m.y, 20.0) for m in seen),
        "square_climb": start.z - min(m.z for m in seen),
        "lookahead_answer": _letter(ahead.result()),
        "lookahead_s": _span(forward),
        "lookahead_x": forward[-1].x,
        "lookahead_y": forward[-1].y,
    }


def attitude(flyer: Flyer) -> Values:
    lean = math.radians(10.0)
    flyer.hover_at(-10.0)
    call = flyer.start("moveByRollPitchYawThrottle", 0.0, -lean, 0.0, 0.594, 2.0)
    pitched = flyer.watch_until(call)
    flyer.hover_at(-10.0)
    rolled = flyer.watch_until(flyer.start("moveByRollPitchYawZ", lean, 0.0, 0.0, -10.0, 2.0))
    return {
        "pitch_speed": pitched[-1].vx,
        "pitch_s": _first(pitched, lambda m: m.pitch <= -9.0),
        "roll_speed": rolled[-1].vy,
        "roll_climb": max(abs(m.z - rolled[0].z) for m in rolled),
    }


def yaw_rate_z(flyer: Flyer) -> Values:
    flyer.hover_at(-10.0)
    start = flyer.moment()
    call = flyer.start("moveByRollPitchYawrateZ", 0.0, 0.0, math.radians(60.0), -10.0, 3.0)
    seen = flyer.watch_until(call)
    return {
        "yaw_rate_z_s": _first(seen, lambda m: m.yaw_rate >= 54.0),
        "yaw_rate_z_climb": start.z - min(m.z for m in seen),
    }


def rotors(flyer: Flyer) -> Values:
    values: Values = {}
    for name, throttle in (("pwm_hover", 0.594), ("pwm_climb", 0.7)):
        flyer.hover_at(-10.0)
        values[name] = flyer.watch_until(
            flyer.start("moveByMotorPWMs", throttle, throttle, throttle, throttle, 1.5)
        )[-1].vz
    return values


def wind(flyer: Flyer) -> Values:
    flyer.hover_at(-10.0)
    start = flyer.moment()
    flyer.set_wind(10.0)
    seen = flyer.watch(15.0)
    flyer.set_wind(0.0)
    return {"wind_pushed": max(m.x for m in seen) - start.x}


def landing(flyer: Flyer) -> Values:
    flyer.hover_at(-4.0)
    ground = -flyer.moment().z
    seen = flyer.watch_until(flyer.start("land", 60.0))
    height = ground + seen[-1].z
    sinks = [m.vz for m in seen if 2.0 < m.time_s - seen[0].time_s < 10.0]
    return {"land_sink": sum(sinks) / len(sinks), "land_s_per_m": _span(seen) / height}


def going_home(flyer: Flyer) -> Values:
    flyer.hover_at(-15.0)
    call = flyer.start(
        "moveToPosition", 10.0, 5.0, flyer.moment().z, 3.0, NO_LIMIT_S, 0, STOP, -1.0, 1.0
    )
    flyer.watch_until(call)
    flyer.watch(15.0)
    seen = flyer.watch_until(flyer.start("goHome", NO_LIMIT_S))
    middle = [m.speed for m in seen if 5.0 < m.time_s - seen[0].time_s < 30.0]
    return {"home_s": _span(seen), "home_speed": sum(middle) / len(middle)}


def burst(flyer: Flyer) -> Values:
    flyer.hover_at(-10.0)
    calls = [flyer.move(1.0, 0.0, 0.0, 2.0) for _ in range(5)]
    start_s = flyer.time_s
    for call in calls:
        flyer.watch_until(call)
    answers = "".join(_letter(call.result()) for call in calls)
    return {"burst_s": flyer.time_s - start_s, "burst_answers": answers}


MEASUREMENTS: dict[str, Callable[[Flyer], Values]] = {
    "takeoff": takeoff,
    "speed 2": speeding(2.0),
    "speed 5": speeding(5.0),
    "speed 8": speeding(8.0),
    "speed 15": speeding(15.0),
    "end of a move": duration_ends,
    "climb": climbing,
    "vertical limits": vertical_limits,
    "velocity and z": velocity_z,
    "reversal": reversal,
    "yaw": turning,
    "position": to_position,
    "square": square,
    "attitude": attitude,
    "yaw rate and z": yaw_rate_z,
    "rotors": rotors,
    "wind": wind,
    "land": landing,
    "home": going_home,
    "burst": burst,
}
"""In the order of the table."""


def _since(start: Moment, end: Moment) -> float:
    """Time between two moments, rounded to nanoseconds, which the clock counts."""
    return round(end.time_s - start.time_s, 9)


def _span(moments: list[Moment]) -> float:
    return _since(moments[0], moments[-1])


def _first(moments: list[Moment], holds: Callable[[Moment], bool]) -> float:
    """Time until a condition first holds; NaN if it never does."""
    found: Iterator[float] = (_since(moments[0], m) for m in moments if holds(m))
    return next(found, math.nan)


def _rest(moments: list[Moment]) -> float:
    """Time until the vehicle is at rest; NaN if it never is."""
    since_s = math.inf
    for moment in moments:
        since_s = min(since_s, moment.time_s) if moment.speed < STILL_MPS else math.inf
        if moment.time_s - since_s >= STILL_S:
            return since_s - moments[0].time_s
    return math.nan


def _place(moment: Moment) -> tuple[float, float, float]:
    return moment.x, moment.y, moment.z


def _off_square(x: float, y: float, side: float) -> float:
    """Distance from the outline of a square with corners at the origin and at (side, side)."""
    outside = math.hypot(max(-x, 0.0, x - side), max(-y, 0.0, y - side))
    return outside or min(x, side - x, y, side - y)


def _point(x: float, y: float, z: float) -> dict[str, float]:
    return {"x_val": x, "y_val": y, "z_val": z}


def _vector(value: dict[str, float]) -> tuple[float, float, float]:
    return value["x_val"], value["y_val"], value["z_val"]


def _letter(answer: Any) -> str:
    return "T" if answer else "F"


def _euler(q: dict[str, float]) -> tuple[float, float, float]:
    w, x, y, z = q["w_val"], q["x_val"], q["y_val"], q["z_val"]
    roll = math.atan2(2.0 * (w * x + y * z), 1.0 - 2.0 * (x * x + y * y))
    pitch = math.asin(min(max(2.0 * (w * y - z * x), -1.0), 1.0))
    yaw = math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
    return math.degrees(roll), math.degrees(pitch), math.degrees(yaw)
