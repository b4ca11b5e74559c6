"""The result of a flight: its metrics, and whether the mission succeeded."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from followme_uav.flight.metrics import FlightMetrics
from followme_uav.flight.turn_times import TurnTimes


@dataclass(frozen=True)
class FlightSummary:
    """The result of a flight: success with its reason, and the metrics of docs/metrics.md.

    Example:
        >>> from followme_uav import FlightPlan, FlightSummary, fly, load_config
        >>> short = load_config(overrides=["duration_s=1"])
        >>> summary: FlightSummary = fly(FlightPlan(short, pilot="oracle", seed=8))
        >>> summary.success, summary.reason, summary.metrics.collisions
        (False, 'hero never found', 0)
    """

    success: bool
    reason: str
    seed: int
    weights_sha256: str
    segmenter: str
    """Source of the masks: device and runtime of the network, or "truth"."""
    log: str | None
    wall_s: float
    metrics: FlightMetrics
    turn: TurnTimes = field(default_factory=TurnTimes)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, with the metrics beside the rest."""
        data = asdict(self)
        data.update(data.pop("metrics"))
        return data


def judge(metrics: FlightMetrics) -> tuple[bool, str]:
    """Return whether the mission succeeded, and the reason.

    Success: the hero was followed, no other person was, nothing was hit, and the vehicle landed.
    """
    if metrics.collisions:
        return False, f"{metrics.collisions} collisions"
    if not metrics.followed_s:
        return False, "hero never found"
    if not metrics.landed:
        return False, "did not land"
    if metrics.wrong_target_s is None:
        return True, "a person was followed; the simulator does not tell whether it was the hero"
    if metrics.acquire_s is None:
        return False, "hero never acquired"
    if metrics.wrong_target_s:
        return False, f"followed another person for {metrics.wrong_target_s:.1f} s"
    return True, "hero found and followed"
