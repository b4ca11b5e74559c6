"""PID loops that take their time from the frames and tell what they did."""

from __future__ import annotations

from simple_pid import PID

from followme_uav.config import PidGains
from followme_uav.messages import LoopTerms


class PidLoop:
    """One loop; its output has the sign of the error.

    Args:
        name: For logs and viewers.
        gains: Gains, and the limit of the output.
    """

    def __init__(self, name: str, gains: PidGains) -> None:
        self._name = name
        # `sample_time=None` and the caller's `dt` keep simple-pid away from the clock.
        self._pid = PID(
            gains.kp,
            gains.ki,
            gains.kd,
            setpoint=0.0,
            sample_time=None,
            output_limits=(-gains.limit, gains.limit),
        )

    def update(self, error: float, dt_s: float) -> LoopTerms:
        """One turn: the output and the terms that it is the sum of."""
        output = self._pid(-error, dt=dt_s) or 0.0  # simple-pid drives its input to the set point 0
        p, i, d = self._pid.components
        return LoopTerms(self._name, error, p, i, d, output)

    def reset(self) -> None:
        """Forget the integral and the last error."""
        self._pid.reset()
