"""Who can fly a scenario: the pilot, and those whom it is compared with.

Only the process that flies loads them: whoever gives the order starts sooner so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from followme_uav.errors import ConfigError

if TYPE_CHECKING:
    from followme_uav.config import FlightConfig
    from followme_uav.flight.loop import AnyPilot, PilotMaker
    from followme_uav.flight.replay import Logged, PilotOfLog
    from followme_uav.pilot.pilot import MaskSource


def _pilot(config: FlightConfig, masks: MaskSource) -> AnyPilot:
    from followme_uav.pilot.pilot import Pilot

    return Pilot(config, masks)


def _original(config: FlightConfig, masks: MaskSource) -> AnyPilot:
    from followme_uav.scenario.baselines import Original

    return Original(config, masks)


def _original_of_log(config: FlightConfig, logged: Logged) -> AnyPilot:
    from followme_uav.scenario.baselines import LoggedDepth, Original

    return Original(config, logged, LoggedDepth(logged))


def _proportional(config: FlightConfig, masks: MaskSource) -> AnyPilot:
    from followme_uav.scenario.baselines import Proportional

    return Proportional(config, masks)


@dataclass(frozen=True)
class PilotKind:
    """One who can fly."""

    what: str
    make: PilotMaker
    on_true_masks: bool = False
    """Sees what the simulator knows, in place of the network."""
    make_for_replay: PilotOfLog | None = None
    """For a pilot that asks the simulator for more than frames: takes that from the log."""

    @property
    def for_replay(self) -> PilotOfLog:
        """Makes one that flies a log again, without any connection."""
        return self.make_for_replay or self.make


PILOTS = {
    "network": PilotKind("the pilot, as users fly it", _pilot),
    "oracle": PilotKind("the pilot on true masks: what control alone can do", _pilot, True),
    "original": PilotKind(
        "largest blob, its depth, a place behind it",
        _original,
        make_for_replay=_original_of_log,
    ),
    "proportional": PilotKind("largest blob, and nothing but proportional control", _proportional),
}


def pilot_kind(name: str) -> PilotKind:
    """Raises `ConfigError` for one that there is not."""
    if name not in PILOTS:
        raise ConfigError(f"--pilot {name}: unknown; choose from {', '.join(PILOTS)}")
    return PILOTS[name]
