"""The pilots that can be chosen: by name, as code of the user, or as a class.

A pilot is imported when it is made, so that a process that only schedules flights starts sooner.
Entry points of the group `followme_uav.pilots` are names, too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from followme_uav.errors import ConfigError
from followme_uav.flight.foreign_code import load, source_of

if TYPE_CHECKING:
    from followme_uav.config import FlightConfig
    from followme_uav.pilot.interface import AnyPilot, MaskSource, PilotMaker

GROUP = "followme_uav.pilots"


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


def _observer(config: FlightConfig, masks: MaskSource) -> AnyPilot:
    from followme_uav.pilot.observer import Observer

    return Observer(config, masks)


def _classic_observer(config: FlightConfig, masks: MaskSource) -> AnyPilot:
    from followme_uav.pilot.observer import ClassicObserver

    return ClassicObserver(config, masks)


@dataclass(frozen=True)
class PilotKind:
    """A pilot that can be chosen."""

    what: str
    make: PilotMaker
    on_true_masks: bool = False
    """Uses the masks of the ground truth, in place of the network's."""
    name: str = ""
    """As `--pilot` and logs have it."""
    source: Path | None = None
    """File with the code of a user's pilot."""
    is_foreign: bool = False
    """Code of a user, which may fail, and which may look at the images."""


PILOTS = {
    "network": PilotKind("the pilot, as users fly it", _pilot, name="network"),
    "oracle": PilotKind(
        "the pilot on true masks: what control alone can do", _pilot, True, name="oracle"
    ),
    "original": PilotKind(
        "flies to a point behind the largest detection, by its depth", _original, name="original"
    ),
    "proportional": PilotKind(
        "proportional control towards the largest detection", _proportional, name="proportional"
    ),
}

OBSERVERS = {
    "quadsim": PilotKind("tracks the hero for QuadSim", _observer, name="quadsim"),
    "quadsim-classic": PilotKind(
        "the follower of the Udacity follow-me project", _classic_observer, name="quadsim-classic"
    ),
}
"""Pilots of vehicles that steer themselves: logs name them, `fly` has none."""


def pilot_kind(pilot: str | PilotMaker) -> PilotKind:
    """Return the pilot that a name, `module:Class`, `FILE.py:Class` or a class stands for.

    `module:Class` and `FILE.py:Class` run code: pass only names that a user has typed.

    Raises:
        ConfigError: There is no pilot of that name.
        PilotError: Its code cannot be imported, or lacks the class.
    """
    if not isinstance(pilot, str):
        return _foreign(name_of(pilot), pilot)
    if pilot in PILOTS:
        return PILOTS[pilot]
    if ":" in pilot:
        # Logs get the name of a file without its folder, which may name a person.
        file, _, kind = pilot.rpartition(":")
        name = f"{Path(file).name}:{kind}" if file.endswith(".py") else pilot
        return _foreign(name, load(pilot, "--pilot"))
    installed = _installed()
    if pilot in installed:
        return _foreign(pilot, load(installed[pilot].value, f"--pilot {pilot}, entry point"))
    raise ConfigError(
        f"--pilot {pilot}: unknown; choose from {', '.join([*PILOTS, *sorted(installed)])}, or "
        "give a class of your own as module:Class or FILE.py:Class"
    )


def is_named(name: str) -> bool:
    """Whether a name chooses a pilot that is installed, so that no other code has to run."""
    return name in PILOTS or name in _installed()


def name_of(make: Callable[..., object]) -> str:
    """The name of a class as `--pilot` takes it: `module:Class`, `FILE.py:Class` in a script."""
    kind = getattr(make, "__qualname__", type(make).__qualname__)
    module = getattr(make, "__module__", None) or "?"
    if module == "__main__":
        script = getattr(sys.modules["__main__"], "__file__", None)
        module = Path(script).name if script else module
    return f"{module}:{kind}"


def _foreign(name: str, make: PilotMaker) -> PilotKind:
    return PilotKind(
        "code of a user",
        partial(_guarded, name, make),
        name=name,
        source=source_of(make),
        is_foreign=True,
    )


def _guarded(name: str, make: PilotMaker, config: FlightConfig, masks: MaskSource) -> AnyPilot:
    from followme_uav.pilot.guarded import GuardedPilot

    return GuardedPilot(name, make, config, masks)


def _installed() -> dict[str, EntryPoint]:
    """The pilots of installed packages by name."""
    return {point.name: point for point in entry_points(group=GROUP)}
