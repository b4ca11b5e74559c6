"""The conditions of a flight as numbers and words, so that results can be sorted by them."""

from __future__ import annotations

import math
from typing import Any

from followme_uav.config import FlightConfig
from followme_uav.scenario.script.camera_draws import camera_draws_of
from followme_uav.scenario.script.script import Scenario
from followme_uav.scenario.script.vehicle_draws import vehicle_draws_of
from followme_uav.sim.agents.routes import Route
from followme_uav.sim.city.styles import style_of

DRAWS = {
    "style": "Architecture of the city",
    "hero": "`route`, `random` or `absent`",
    "people": "Pedestrians with random goals",
    "cars": "Driving cars",
    "decoys": "Pedestrians in a red jacket with a hood",
    "hour_h": "Time of day at the start; none: drawn by the simulator",
    "fog": "Fog at the start, 0 to 1",
    "rain": "Rain at the start, 0 to 1",
    "gusts": "Number of gusts",
    "gust_mps": "Speed of the strongest gust",
    "lost_images": "Share of lost images",
    "delay_ms": "Delay of frames and commands together",
    "stall_s": "Duration in which the simulator does not answer",
    "vehicle": "Vehicle file; `own` where the world has all of it",
    "mass": "Mass, as a share of the vehicle file's",
    "drag": "Drag, as a share of the vehicle file's",
    "rotor_lag": "Lag of the rotors, as a share of the vehicle file's",
    "gains": "Gains of the autopilot, as a share of the vehicle file's",
    "image_width_px": "Width of the simulator's images",
    "image_height_px": "Height of the simulator's images",
    "rate_hz": "Frames per second",
    "fov_deg": "Horizontal field of view",
    "weather": "`clear`, `fog` or `rain`",
    "fault": "`none`, or the kinds of faults",
}
"""Each draw and its meaning; the table of results has a column for each."""
AXES = ("scenario", "style", "weather", "fault", "hero", "vehicle")
"""The draws by which success is listed, and the scenario."""


def draws_of(scenario: Scenario, seed: int, config: FlightConfig) -> dict[str, Any]:
    """Return the draws of one flight, by the names in `DRAWS`."""
    world, events = scenario.world, scenario.events
    light = world.light
    gusts = [math.hypot(e.gust.north_mps, e.gust.east_mps) for e in events if e.gust]
    kept = math.prod(1.0 - e.drop_frames.share for e in events if e.drop_frames)
    delay_ms = sum(e.delay.frames_ms + e.delay.commands_ms for e in events if e.delay)
    stall_s = sum(e.lasts_s or 0.0 for e in events if e.stall)
    fog, rain = (light.fog, light.rain) if light else (0.0, 0.0)
    faults = {"lost images": kept < 1.0, "delay": delay_ms > 0.0, "stall": stall_s > 0.0}
    return {
        "style": style_of(seed, world.style).name,
        "hero": "route" if isinstance(world.hero, Route) else world.hero.value,
        "people": world.people,
        "cars": world.cars,
        "decoys": sum(walker.outfit == "decoy" for walker in world.walkers),
        "hour_h": light.hour_h if light else None,
        "fog": fog,
        "rain": rain,
        "gusts": len(gusts),
        "gust_mps": round(max(gusts, default=0.0), 2),
        "lost_images": round(1.0 - kept, 4),
        "delay_ms": delay_ms,
        "stall_s": stall_s,
        **vehicle_draws_of(world.vehicle),
        **camera_draws_of(config),
        "weather": "rain" if rain > 0.0 else "fog" if fog > 0.0 else "clear",
        "fault": "+".join(name for name, given in faults.items() if given) or "none",
    }
