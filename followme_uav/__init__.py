"""Closed-loop visual follow-me for simulated UAVs.

The names below are the public interface; `docs/extending.md` shows how to use them. A name is
imported when it is first used, so that `import followme_uav` takes no time.
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

from followme_uav.privacy import keep_private

if TYPE_CHECKING:
    from followme_uav.config import FlightConfig, load_config
    from followme_uav.errors import FollowMeError
    from followme_uav.flight.embedded import embedded_simulator
    from followme_uav.flight.fly import FlightPlan, fly
    from followme_uav.flight.loop import FlightLoop, Simulator
    from followme_uav.flight.summary import FlightSummary
    from followme_uav.log.entry import FlightEntry
    from followme_uav.log.reader import FlightLog, read_log
    from followme_uav.messages import (
        CameraPose,
        Command,
        Detection,
        Frame,
        Manoeuvre,
        Mask,
        MaskClass,
        MissionState,
        Step,
        VehicleState,
    )
    from followme_uav.perception.detection import detect
    from followme_uav.perception.segmenter import Segmenter
    from followme_uav.pilot.interface import AnyPilot, MaskSource
    from followme_uav.pilot.pilot import Pilot
    from followme_uav.rpc.airsim import AirSimClient, connect
    from followme_uav.scenario.run import ScenarioRun, run_scenarios
    from followme_uav.scenario.script.script import Scenario

__version__ = "0.1.0"

__all__ = [
    "AirSimClient",
    "AnyPilot",
    "CameraPose",
    "Command",
    "Detection",
    "FlightConfig",
    "FlightEntry",
    "FlightLog",
    "FlightLoop",
    "FlightPlan",
    "FlightSummary",
    "FollowMeError",
    "Frame",
    "Manoeuvre",
    "Mask",
    "MaskClass",
    "MaskSource",
    "MissionState",
    "Pilot",
    "Scenario",
    "ScenarioRun",
    "Segmenter",
    "Simulator",
    "Step",
    "VehicleState",
    "connect",
    "detect",
    "embedded_simulator",
    "fly",
    "load_config",
    "read_log",
    "run_scenarios",
]

_ORIGINS = {
    "config": (
        "FlightConfig",
        "load_config",
    ),
    "errors": ("FollowMeError",),
    "flight.embedded": ("embedded_simulator",),
    "flight.fly": (
        "FlightPlan",
        "fly",
    ),
    "flight.loop": (
        "FlightLoop",
        "Simulator",
    ),
    "flight.summary": ("FlightSummary",),
    "log.entry": ("FlightEntry",),
    "log.reader": (
        "FlightLog",
        "read_log",
    ),
    "messages": (
        "CameraPose",
        "Command",
        "Detection",
        "Frame",
        "Manoeuvre",
        "Mask",
        "MaskClass",
        "MissionState",
        "Step",
        "VehicleState",
    ),
    "perception.detection": ("detect",),
    "perception.segmenter": ("Segmenter",),
    "pilot.interface": (
        "AnyPilot",
        "MaskSource",
    ),
    "pilot.pilot": ("Pilot",),
    "rpc.airsim": (
        "AirSimClient",
        "connect",
    ),
    "scenario.run": (
        "ScenarioRun",
        "run_scenarios",
    ),
    "scenario.script.script": ("Scenario",),
}
"""Module -> its public names."""
_MODULE_OF = {name: module for module, names in _ORIGINS.items() for name in names}

logging.getLogger(__name__).addHandler(logging.NullHandler())
keep_private()


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    value = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
