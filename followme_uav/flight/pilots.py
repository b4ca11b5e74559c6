"""The pilots that can be chosen by name: the pilot itself, and baselines to compare it with.

A pilot is imported when it is made, so that a process that only schedules flights starts sooner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from followme_uav.errors import ConfigError

if TYPE_CHECKING:
    from followme_uav.config import FlightConfig
    from followme_uav.pilot.interface import AnyPilot, MaskSource, PilotMaker


def _pilot(config: FlightConfig, masks: MaskSource) -> AnyPilot:
    from followme_uav.pilot.pilot import Pilot

    return Pilot(config, masks)


def _original(config: FlightConfig, masks: MaskSource) -> AnyPilot:
    from followme_uav.pilot.baselines import Original
    from followme_uav.rpc.depth_camera import DepthCamera

    return Original(config, masks, DepthCamera(config))


def _proportional(config: FlightConfig, masks: MaskSource) -> AnyPilot:
    from followme_uav.pilot.baselines import Proportional

    return Proportional(config, masks)


@dataclass(frozen=True)
class PilotKind:
    """A pilot that can be chosen by name."""

    what: str
    make: PilotMaker
    on_true_masks: bool = False
    """Uses the masks of the ground truth, in place of the network's."""


PILOTS = {
    "network": PilotKind("the pilot, as users fly it", _pilot),
    "oracle": PilotKind("the pilot on true masks: what control alone can do", _pilot, True),
    "original": PilotKind("flies to a point behind the largest detection, by its depth", _original),
    "proportional": PilotKind("proportional control towards the largest detection", _proportional),
}


def pilot_kind(name: str) -> PilotKind:
    """Return the pilot of that name; raises `ConfigError` when there is none."""
    if name not in PILOTS:
        raise ConfigError(f"--pilot {name}: unknown; choose from {', '.join(PILOTS)}")
    return PILOTS[name]
