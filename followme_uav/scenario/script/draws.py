"""Random scenarios: city, people, route, weather and faults drawn from one seed.

They test the pilot in situations for which it was not tuned. A flight is as expected when the hero
is found, is in view for nine tenths of the two minutes after that, no other person is followed and
nothing is hit.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from followme_uav.errors import ConfigError
from followme_uav.messages import Vec2
from followme_uav.scenario.script.script import Scenario
from followme_uav.sim.agents.routes import Route, check_route
from followme_uav.sim.city.layout import STREET_CENTRES_M, City
from followme_uav.sim.city.place import Place
from followme_uav.sim.places import is_grid, load_place

if TYPE_CHECKING:
    from followme_uav.scenario.script.world_ways import WorldWays

FIND_S = 300.0
"""Time to find the hero: three rounds of the patrol."""
FOLLOW_S = 120.0

_PAVEMENT_M = 7.2  # from a street's centre line to the middle of the pavement
_CORNERS = tuple(
    (c + s, d + t)
    for c, d in itertools.product(STREET_CENTRES_M, repeat=2)
    for s, t in itertools.product((-_PAVEMENT_M, _PAVEMENT_M), repeat=2)
)
_MAX_LEG_M = 60.0
_LEGS = 12
_TRIES = 30


def draw_scenario(seed: int, place: str | None = None) -> Scenario:
    """Draw the scenario that belongs to a seed.

    Args:
        seed: of everything that is drawn.
        place: name of a generator, or path of a world file; None: the city of all seeds.

    Raises:
        ConfigError: There is no such place.
    """
    rng = np.random.default_rng([seed, 40])
    city = load_place(place, seed)
    ways = _ways_of(city)
    world: dict[str, Any] = {
        "people": int(rng.integers(10, 31)),
        "cars": int(rng.integers(0, 9)),
        "light": _light(rng),
        "hero": _route(rng, city, ways) if rng.random() < 0.6 else "random",
    }
    decoys = [_route(rng, city, ways) for _ in range(int(rng.integers(0, 3)))]
    world["walkers"] = [
        {"outfit": "decoy", "route": route} for route in decoys if route != "random"
    ]
    if not is_grid(place):
        world["place"] = place
    return Scenario.model_validate(
        {
            "name": "random",
            "why": "Test the pilot in a situation for which it was not tuned.",
            "duration_s": FIND_S + FOLLOW_S,
            "follow_s": FOLLOW_S,
            "seeds": [seed],
            "world": world,
            "events": _events(rng),
            "expect": {
                "acquire_s": {"max": FIND_S},
                "in_view": {"min": 0.9},
                "wrong_target_s": 0,
                "collisions": 0,
            },
        }
    )


def _ways_of(place: Place) -> WorldWays | None:
    """The ways of a world; None for the city of all seeds, which needs no polygons."""
    if isinstance(place, City):
        return None
    from followme_uav.scenario.script.world_ways import WorldWays
    from followme_uav.sim.city.world_place import WorldPlace

    return WorldWays(place) if isinstance(place, WorldPlace) else None


def _light(rng: np.random.Generator) -> dict[str, float]:
    light = {"hour_h": round(float(rng.uniform(8.5, 17.8)), 2)}
    weather = rng.random()
    if weather < 0.2:
        light["fog"] = round(float(rng.uniform(0.1, 0.5)), 2)
    elif weather < 0.4:
        light["rain"] = round(float(rng.uniform(0.1, 0.5)), 2)
    return light


def _events(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Draw gusts, lost frames, delays and stalls, each for some of the flights."""
    events: list[dict[str, Any]] = []
    for _ in range(int(rng.integers(0, 6)) if rng.random() < 0.4 else 0):
        towards, speed_mps = rng.uniform(-math.pi, math.pi), rng.uniform(2.0, 8.0)
        gust = {
            "north_mps": speed_mps * math.cos(towards),
            "east_mps": speed_mps * math.sin(towards),
        }
        events.append(
            {
                "at_s": round(float(rng.uniform(5.0, 200.0)), 1),
                "lasts_s": round(float(rng.uniform(2.0, 8.0)), 1),
                "gust": {axis: round(float(v), 1) for axis, v in gust.items()},
            }
        )
    if rng.random() < 0.25:
        events.append({"drop_frames": {"share": round(float(rng.uniform(0.02, 0.2)), 2)}})
    if rng.random() < 0.25:
        way_ms = round(float(rng.uniform(20.0, 75.0)))
        delay = {"frames_ms": way_ms, "commands_ms": way_ms, "jitter_ms": round(way_ms / 3)}
        events.append({"delay": delay})
    if rng.random() < 0.15:
        at_s, lasts_s = rng.uniform(20.0, 120.0), rng.uniform(1.0, 3.0)
        events.append({"at_s": round(at_s, 1), "lasts_s": round(lasts_s, 1), "stall": {}})
    return events


def _route(rng: np.random.Generator, city: Place, ways: WorldWays | None) -> dict[str, Any] | str:
    """Draw a route; after too many blocked ones, let people walk randomly."""
    for _ in range(_TRIES):
        points = _round_corners(rng) if ways is None else ways.draw(rng)
        route = {"waypoints_m": [list(p) for p in points], "speeds_mps": _speeds(rng)}
        try:
            check_route(Route(tuple(points)), city)
        except ConfigError:
            continue
        return route
    return "random"


def _round_corners(rng: np.random.Generator) -> list[Vec2]:
    """Draw a way from corner to corner in the city of all seeds."""
    points = [_CORNERS[int(rng.integers(len(_CORNERS)))]]
    for _ in range(_LEGS):
        before = points[-2] if len(points) > 1 else None
        near = [c for c in _CORNERS if c != before and 0.0 < _leg_m(points[-1], c) < _MAX_LEG_M]
        points.append(near[int(rng.integers(len(near)))])
    return points


def _leg_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Return the length along a pavement or crosswalk; infinite where none connects the points."""
    return math.dist(a, b) if a[0] == b[0] or a[1] == b[1] else math.inf


def _speeds(rng: np.random.Generator) -> list[list[float]]:
    """Draw speeds over time: mostly walking, sometimes standing or running."""
    speeds, at_s = [], 0.0
    while at_s < FIND_S + FOLLOW_S:
        kind = rng.random()
        speed_mps = 0.0 if kind < 0.12 else rng.uniform(3.0, 5.0) if kind < 0.22 else None
        speeds.append([round(at_s, 1), round(float(speed_mps or rng.uniform(0.8, 2.2)), 2)])
        if speed_mps == 0.0:
            speeds[-1][1] = 0.0
        at_s += float(rng.uniform(4.0, 10.0) if kind < 0.22 else rng.uniform(8.0, 25.0))
    return speeds
