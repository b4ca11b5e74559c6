"""PID gains that clients may change, in AirSim's units.

AirSim's SimpleFlight and this autopilot have the same four loops, but differ in airframe and units.
A gain is therefore relative to AirSim's default: the default gives the response that this autopilot
is tuned for, half of it half that response. Integral and differential gains scale with the default
proportional gain.
"""

from __future__ import annotations

from dataclasses import dataclass

from followme_uav.messages import Vec3
from followme_uav.sim.vehicle.vehicle import TIME_STEP_S

_MAX_INTEGRAL = 10.0  # of the error, in its unit times seconds; limits wind-up
_ZERO = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Gains:
    """Gains of one loop, axes roll, pitch, yaw or x, y, z, as AirSim's clients send them."""

    kp: Vec3
    ki: Vec3 = _ZERO
    kd: Vec3 = _ZERO


ANGLE_RATE = Gains((0.25, 0.25, 0.25))
ANGLE_LEVEL = Gains((2.5, 2.5, 2.5))
VELOCITY = Gains((0.2, 0.2, 2.0), (0.0, 0.0, 2.0))
POSITION = Gains((0.25, 0.25, 0.25))
"""AirSim's defaults."""


class Loop:
    """One PID loop over three axes.

    Args:
        response: output per unit of error at AirSim's default gains.
        default: those gains. An integral gain up to its default adds nothing: the disturbance
            observer of `control_loops` compensates the steady forces that AirSim's integrator
            compensates.
    """

    def __init__(self, response: Vec3, default: Gains) -> None:
        self._response = response
        self._default = default
        self.set_gains(default)

    def set_gains(self, gains: Gains) -> None:
        """Use these gains from now on; clears past errors."""
        self._p = self._scaled(gains.kp)
        beyond = tuple(
            max(0.0, ki - own) for ki, own in zip(gains.ki, self._default.ki, strict=True)
        )
        self._i, self._d = self._scaled(beyond), self._scaled(gains.kd)
        self._is_proportional = not any(self._i) and not any(self._d)
        self.restart()

    def restart(self) -> None:
        """Clear past errors."""
        self._integral = [0.0, 0.0, 0.0]
        self._before: list[float | None] = [None, None, None]

    def act(self, axis: int, error: float) -> float:
        """Output for an error on one axis. Call it once per axis and time step."""
        answer = self._p[axis] * error
        if self._is_proportional:
            return answer
        total = self._integral[axis] + error * TIME_STEP_S
        total = self._integral[axis] = min(max(total, -_MAX_INTEGRAL), _MAX_INTEGRAL)
        before, self._before[axis] = self._before[axis], error
        slope = 0.0 if before is None else (error - before) / TIME_STEP_S
        return answer + self._i[axis] * total + self._d[axis] * slope

    def _scaled(self, gain: tuple[float, ...]) -> Vec3:
        x, y, z = (
            tuned * (g / own)
            for tuned, g, own in zip(self._response, gain, self._default.kp, strict=True)
        )
        return x, y, z
