"""A figure of a what-if: states, detections and commands of the flight and of the replay."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from followme_uav.extras import require
from followme_uav.files import write_figure
from followme_uav.messages import MissionState, Step

_STATES = list(MissionState)
_ROWS: tuple[tuple[str, Callable[[Step], float]], ...] = (
    ("mission state", lambda step: _STATES.index(step.state)),
    ("hero, right of the middle", lambda step: _detection_value(step, "u")),
    ("hero's area, px", lambda step: _detection_value(step, "area_px")),
    ("speed, m/s", lambda step: math.hypot(*step.command.velocity_mps[:2])),
    ("yaw rate, rad/s", lambda step: step.command.yaw_rate_radps),
    ("camera pan, rad", lambda step: step.command.camera_pan_rad),
    ("camera tilt, rad", lambda step: step.command.camera_tilt_rad),
)


def save_what_if(steps: Sequence[tuple[Step, Step]], path: Path) -> None:
    """Write the figure of (logged step, replayed step) pairs.

    Raises:
        EnvironmentSetupError: Matplotlib is missing.
        OutputError: The file cannot be written.
    """
    require("matplotlib", "report", "--plots")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.0, 1.6 * len(_ROWS)), layout="constrained")
    axes = figure.subplots(len(_ROWS), sharex=True)
    times_s = [logged.time_s - steps[0][0].time_s for logged, _ in steps]
    for axis, (title, value) in zip(axes, _ROWS, strict=True):
        for which, (label, colour, width) in enumerate(
            (("as flown", "tab:gray", 2.5), ("replayed", "tab:red", 1.0))
        ):
            values = [value(pair[which]) for pair in steps]
            axis.plot(times_s, values, color=colour, linewidth=width, label=label)
        axis.set_ylabel(title, fontsize=8)
        axis.grid(alpha=0.3)
    axes[0].set_yticks(range(len(_STATES)), [state.value for state in _STATES], fontsize=6)
    axes[0].legend(loc="upper right")
    axes[0].set_title("The world does not react: other decisions in the situations of the flight")
    axes[-1].set_xlabel("s")
    write_figure(path, figure, dpi=100)


def _detection_value(step: Step, name: str) -> float:
    return math.nan if step.detection is None else getattr(step.detection, name)
