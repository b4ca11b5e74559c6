"""The pilots that can fly: the pilot itself, and those that it is compared with.

A pilot is imported when it is made, so that a process that only orders flights starts sooner.
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
    """Flies on the ground truth's masks, in place of the network's."""


PILOTS = {
    "network": PilotKind("the pilot, as users fly it", _pilot),
    "oracle": PilotKind("the pilot on true masks: what control alone can do", _pilot, True),
    "original": PilotKind("largest detection, its depth, a place behind it", _original),
    "proportional": PilotKind(
        "largest detection, and nothing but proportional control", _proportional
    ),
}


def pilot_kind(name: str) -> PilotKind:
    """The pilot of that name; raises `ConfigError` when there is none."""
    if name not in PILOTS:
        raise ConfigError(f"--pilot {name}: unknown; choose from {', '.join(PILOTS)}")
    return PILOTS[name]
