"""Every motion call of an AirSim client, and its expected effect on the vehicle.

The client, in an environment with little more than NumPy, makes the calls, and the test compares;
both read this table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

HEIGHT_M = 40.0
"""Above all roofs."""
HOME_LATITUDE_DEG, HOME_LONGITUDE_DEG, HOME_ALTITUDE_M = 47.641468, -122.140165, 122.0
FIVE_METRES_DEG = 4.4916e-5
"""Of the latitude of home."""

Range = tuple[float, float]


@dataclass(frozen=True)
class Motion:
    """One call, from a hover with the nose to the north."""

    call: Callable[[Any, Any], Any]
    """Takes the client and its module; returns the library's future."""
    run_s: float
    """Simulated time after the call; the call must be answered by its end."""
    effect: dict[str, Range] = field(default_factory=dict)
    """Low and high end of a change: of `north`, `east`, `down` in m, or of `roll`, `pitch`, `yaw`
    at the end in degrees, body frame forward, right, down. Others must stay near 0."""
    start_m: tuple[float, float, float] | None = (0.0, 0.0, -HEIGHT_M)
    """World NED; None: on the ground."""
    answer: bool = True


def _yaw(m: Any, degrees: float) -> Any:
    return m.YawMode(is_rate=False, yaw_or_rate=degrees)


def _path(m: Any) -> list[Any]:
    return [m.Vector3r(4.0, 0.0, -HEIGHT_M), m.Vector3r(4.0, 4.0, -HEIGHT_M)]


def _by_sticks(c: Any, m: Any) -> Any:
    c.moveByRC(m.RCData(pitch=0.5, is_initialized=True, is_valid=True))
    return c.moveByManualAsync(4.0, 4.0, -HEIGHT_M - 10.0, 2.0)


def _cancelled(c: Any, m: Any) -> Any:
    future = c.moveByVelocityAsync(2.0, 0.0, 0.0, 60.0)
    c.simContinueForTime(1.0)
    c.cancelLastTask()
    return future


_Z = -HEIGHT_M

MOTIONS: dict[str, Motion] = {
    "takeoff": Motion(lambda c, m: c.takeoffAsync(), 15.0, {"down": (-2.6, -1.3)}, start_m=None),
    "land": Motion(
        lambda c, m: c.landAsync(), 45.0, {"down": (4.5, 5.2)}, start_m=(0.0, 0.0, -5.0)
    ),
    "goHome": Motion(
        lambda c, m: c.goHomeAsync(),
        30.0,
        {"north": (-3.3, -2.7), "down": (3.0, 5.2)},
        start_m=(3.0, 0.0, -5.0),
    ),
    "hover": Motion(lambda c, m: c.hoverAsync(), 2.0),
    "moveByVelocity": Motion(
        lambda c, m: c.moveByVelocityAsync(2.0, 1.0, -1.0, 2.0),
        2.0,
        {"north": (2.0, 4.1), "east": (1.0, 2.1), "down": (-2.1, -1.0), "pitch": (-33, 33)},
    ),
    "moveByVelocity forward only": Motion(
        lambda c, m: c.moveByVelocityAsync(
            0.0, 2.0, 0.0, 4.0, m.DrivetrainType.ForwardOnly, _yaw(m, 0.0)
        ),
        4.0,
        {"east": (5.0, 8.1), "yaw": (80.0, 100.0)},
    ),
    "moveByVelocityZ": Motion(
        lambda c, m: c.moveByVelocityZAsync(0.0, 2.0, _Z - 2.0, 3.0),
        3.0,
        {"east": (3.5, 6.1), "down": (-2.4, -1.4)},
    ),
    "moveByVelocityBodyFrame": Motion(
        lambda c, m: c.moveByVelocityBodyFrameAsync(2.0, -1.0, 1.0, 2.0),
        2.0,
        {"north": (2.0, 4.1), "east": (-2.1, -1.0), "down": (1.0, 2.1)},
    ),
    "moveByVelocityZBodyFrame": Motion(
        lambda c, m: c.moveByVelocityZBodyFrameAsync(2.0, 0.0, _Z + 2.0, 3.0),
        3.0,
        {"north": (3.5, 6.1), "down": (1.4, 2.4)},
    ),
    "moveToPosition": Motion(
        lambda c, m: c.moveToPositionAsync(5.0, -3.0, _Z - 2.0, 3.0, yaw_mode=_yaw(m, 30.0)),
        10.0,
        {"north": (4.5, 5.5), "east": (-3.5, -2.5), "down": (-2.5, -1.5), "yaw": (25.0, 35.0)},
    ),
    "moveToGPS": Motion(
        lambda c, m: c.moveToGPSAsync(
            HOME_LATITUDE_DEG + FIVE_METRES_DEG, HOME_LONGITUDE_DEG, HOME_ALTITUDE_M - _Z, 3.0
        ),
        10.0,
        {"north": (4.5, 5.5)},
    ),
    "moveToZ": Motion(lambda c, m: c.moveToZAsync(_Z - 4.0, 2.0), 10.0, {"down": (-4.5, -3.5)}),
    "moveOnPath": Motion(
        lambda c, m: c.moveOnPathAsync(
            _path(m), 2.0, 60.0, m.DrivetrainType.ForwardOnly, _yaw(m, 0.0), -1, 1
        ),
        15.0,
        {"north": (3.5, 4.5), "east": (3.5, 4.5), "yaw": (70.0, 110.0)},
    ),
    "rotateToYaw": Motion(lambda c, m: c.rotateToYawAsync(90.0), 10.0, {"yaw": (84.0, 96.0)}),
    "rotateByYawRate": Motion(
        lambda c, m: c.rotateByYawRateAsync(30.0, 2.0), 2.0, {"yaw": (45.0, 62.0)}
    ),
    "moveByManual": Motion(_by_sticks, 2.0, {"north": (1.0, 4.5)}),
    "moveByMotorPWMs": Motion(
        lambda c, m: c.moveByMotorPWMsAsync(0.7, 0.7, 0.7, 0.7, 1.0), 1.0, {"down": (-3.0, -0.3)}
    ),
    # The clients' angles are in a frame forward, left, up: a positive pitch flies forward.
    "moveByRollPitchYawZ": Motion(
        lambda c, m: c.moveByRollPitchYawZAsync(0.1, 0.0, 0.5, _Z, 2.0),
        2.0,
        {"north": (-2.0, 2.0), "east": (0.5, 3.0), "roll": (3.0, 8.0), "yaw": (-33.0, -20.0)},
    ),
    "moveByRollPitchYawThrottle": Motion(
        lambda c, m: c.moveByRollPitchYawThrottleAsync(0.0, 0.1, 0.0, 0.7, 1.0),
        1.0,
        {"north": (0.1, 1.5), "down": (-3.0, -0.3), "pitch": (-8.0, -3.0)},
    ),
    "moveByRollPitchYawrateThrottle": Motion(
        lambda c, m: c.moveByRollPitchYawrateThrottleAsync(0.0, 0.1, 0.5, 0.7, 1.0),
        1.0,
        {"north": (0.1, 1.5), "down": (-3.0, -0.3), "pitch": (-8.0, -3.0), "yaw": (-32, -15)},
    ),
    "moveByRollPitchYawrateZ": Motion(
        lambda c, m: c.moveByRollPitchYawrateZAsync(-0.1, 0.0, 0.0, _Z, 2.0),
        2.0,
        {"east": (-3.0, -0.5), "roll": (-8.0, -3.0)},
    ),
    "moveByAngleRatesZ": Motion(
        lambda c, m: c.moveByAngleRatesZAsync(0.0, 0.0, 0.5, _Z, 2.0), 2.0, {"yaw": (-60, -45)}
    ),
    "moveByAngleRatesThrottle": Motion(
        lambda c, m: c.moveByAngleRatesThrottleAsync(0.2, 0.0, 0.0, 0.7, 1.0),
        1.0,
        {"east": (0.05, 1.5), "down": (-3.0, -0.3), "roll": (6.0, 13.0)},
    ),
    "cancelLastTask": Motion(
        _cancelled, 0.1, {"north": (0.5, 2.5), "pitch": (-33, 33)}, answer=False
    ),
}
