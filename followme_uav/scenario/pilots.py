"""Who can fly a scenario: the pilot, and those whom it is compared with."""

from __future__ import annotations

from dataclasses import dataclass

from followme_uav.errors import ConfigError
from followme_uav.flight.loop import PilotMaker
from followme_uav.pilot.pilot import Pilot
from followme_uav.scenario.baselines import Original, Proportional


@dataclass(frozen=True)
class PilotKind:
    """One who can fly."""

    what: str
    make: PilotMaker
    on_true_masks: bool = False
    """Sees what the simulator knows, in place of the network."""


PILOTS = {
    "network": PilotKind("the pilot, as users fly it", Pilot),
    "oracle": PilotKind("the pilot on true masks: what control alone can do", Pilot, True),
    "original": PilotKind("largest blob, its depth, a place behind it", Original),
    "proportional": PilotKind("largest blob, and nothing but proportional control", Proportional),
}


def pilot_kind(name: str) -> PilotKind:
    """Raises `ConfigError` for one that there is not."""
    if name not in PILOTS:
        raise ConfigError(f"--pilot {name}: unknown; choose from {', '.join(PILOTS)}")
    return PILOTS[name]
