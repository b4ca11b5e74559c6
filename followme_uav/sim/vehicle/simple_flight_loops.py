"""The control loops of SimpleFlight: position -> velocity -> angle -> turn rate, on each axis.

Each axis has loops of its own. The output of a loop, clipped to -1 and 1, is a share of the limit
of the next one. The goal of an outer loop is a vector in the world of which each axis sees only its
own component, turned into the body's frame:

- a lean tilts the vertical axis of the body, so a horizontal goal also asks for a climb;
- with a goal for altitude, the altitude stands in place of the vertical speed in the horizontal
  goal, and disturbs it in proportion to the lean;
- the position loop knows the heading only by the cosine: turned by 90 degrees it does not hold.

AirSim has these properties, and clients meet them there. Source: the public sources of AirSim,
AirLib, simple_flight/firmware: PidController, CascadeController and the controller of each loop.
"""

from __future__ import annotations

from followme_uav.sim.vehicle.gains import Gains
from followme_uav.sim.vehicle.vehicle_model import TIME_STEP_S
from followme_uav.sim.vehicle.vehicle_spec import PidSpec, SimpleFlightController


class Pid:
    """One loop on one axis, output -1 to 1.

    Args:
        kp: proportional gain.
        ki: integral gain.
        kd: differential gain.
        keep: share of the integral that a time step leaves.
    """

    __slots__ = ("_before", "_is_proportional", "_kd", "_keep", "_ki", "_kp", "integral")

    def __init__(self, kp: float, ki: float = 0.0, kd: float = 0.0, keep: float = 1.0) -> None:
        self._kp, self._ki, self._kd, self._keep = kp, ki, kd, keep
        self._is_proportional = ki == 0.0 and kd == 0.0
        self.restart()

    def restart(self) -> None:
        """Forget past errors."""
        self.integral = 0.0
        self._before: float | None = None

    def act(self, error: float) -> float:
        """Output for an error. Call it once per time step."""
        answer = self._kp * error
        if not self._is_proportional:
            before, self._before = self._before, error
            if before is not None:
                total = self.integral * self._keep + TIME_STEP_S * self._ki * error
                self.integral = -1.0 if total < -1.0 else min(total, 1.0)
                answer += self._kd * (error - before) / TIME_STEP_S
            answer += self.integral
        return -1.0 if answer < -1.0 else min(answer, 1.0)


class Loop:
    """One loop on three axes, whose gains a client may change.

    Attributes:
        axes: x, y, z or roll, pitch, yaw.
    """

    def __init__(self, spec: PidSpec, keep: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> None:
        self._spec, self._keep = spec, keep
        self.reset()

    def reset(self) -> None:
        """Restore the gains of the vehicle file."""
        self.set_gains(Gains(self._spec.kp, self._spec.ki, self._spec.kd))

    def set_gains(self, gains: Gains) -> None:
        """Use these gains from now on; clears past errors."""
        self.axes = tuple(
            Pid(*values) for values in zip(gains.kp, gains.ki, gains.kd, self._keep, strict=True)
        )


class SimpleFlightLoops:
    """The loops of one vehicle.

    Attributes:
        position: axes x, y, z.
        velocity: axes x, y, z.
        angle: axes roll, pitch, yaw.
        rate: axes roll, pitch, yaw.
    """

    def __init__(self, spec: SimpleFlightController) -> None:
        keep = 1.0 - TIME_STEP_S / spec.integral_leak_s
        self.position = Loop(spec.position)
        self.velocity = Loop(spec.velocity, (1.0, 1.0, keep))
        self.angle = Loop(spec.angle)
        self.rate = Loop(spec.rate)

    def reset(self) -> None:
        """Restore the gains of the vehicle file, and clear all state."""
        for loop in (self.position, self.velocity, self.angle, self.rate):
            loop.reset()

    def restart_roll(self) -> None:
        """Forget past errors of the loops that end in roll."""
        for pid in (
            self.position.axes[1],
            self.velocity.axes[1],
            self.angle.axes[0],
            self.rate.axes[0],
        ):
            pid.restart()

    def restart_pitch(self) -> None:
        """Forget past errors of the loops that end in pitch."""
        for pid in (
            self.position.axes[0],
            self.velocity.axes[0],
            self.angle.axes[1],
            self.rate.axes[1],
        ):
            pid.restart()

    def restart_yaw(self) -> None:
        """Forget past errors of the loops of yaw."""
        self.angle.axes[2].restart()
        self.rate.axes[2].restart()

    def restart_throttle(self) -> None:
        """Forget past errors of the loops that end in the throttle."""
        self.position.axes[2].restart()
        self.velocity.axes[2].restart()
