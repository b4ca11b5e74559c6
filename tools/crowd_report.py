"""Lets people and cars walk and drive through worlds, and reports what goes wrong between them.

python tools/crowd_report.py --worlds hills,campus --seeds 4001:4004 --minutes 10
python tools/crowd_report.py --seeds 1:3 --json crowd.jsonl

Prints a row for each world and seed, and a row of the worst values for each world. The columns are
the fields of `Row`. `--json` appends each row to a file as soon as it is known; rows that the file
has already are not simulated again, so that a run which was interrupted goes on.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from followme_uav.sim.agents.ground_contact import BODY_RADIUS_M
from followme_uav.sim.agents.people import PEOPLE, Crowd
from followme_uav.sim.agents.traffic import CARS
from followme_uav.sim.agents.traffic_of import AnyTraffic, traffic_of
from followme_uav.sim.city.arrays import Floats
from followme_uav.sim.city.grid_world import WORLDS
from followme_uav.sim.city.layout import Car
from followme_uav.sim.places import load_place
from followme_uav.worlds.derived.walking import obstacles_on_foot
from followme_uav.worlds.terrain import ground_heights_m
from followme_uav.worlds.world import World

STEPS_PER_S = 20
"""As the simulator moves people and cars."""
SLACK_M = 0.02
"""A body that is this deep in something touches it only."""
LEVEL_M = 1.5
"""Those whose heights differ more are on different levels, one above the other."""
DECK_M = 0.05
"""A person this high above the ground is on a deck, above water and below no wall."""
STANDING_PERSON_M, STANDING_CAR_M = 0.3, 0.2
"""Those who move less in a second stand."""


@dataclass(frozen=True)
class Row:
    """The counts of one world and seed; see `HEADINGS` for how they are printed."""

    world: str
    seed: int
    minutes: float
    people: int
    cars: int
    driving: int
    """Cars that found room on the lanes."""
    inside_s: int
    """Seconds with a person inside a wall, water or another solid; each person counts."""
    person_gap_m: float
    """Least distance between the middles of two people."""
    person_stand_s: int
    """Longest time for which a person outside of a group stands."""
    car_stand_s: int
    """Longest time for which a car stands."""
    touch_s: int
    """Seconds in which a car touches a person; each pair counts."""
    person_car_m: float
    """Least distance from the outline of a car to the middle of a person, whose radius is 0.3."""
    car_gap_m: float
    """Least distance between the outlines of two cars."""
    ms_per_s: float
    """Processor time for each simulated second of people and cars, in milliseconds."""
    digest: str
    """Of all places at the end: equal runs have equal digests."""


HEADINGS = {
    "world": "world",
    "seed": "seed",
    "driving": "cars",
    "inside_s": "inside s",
    "person_gap_m": "people m",
    "person_stand_s": "person stands s",
    "car_stand_s": "car stands s",
    "touch_s": "touches s",
    "person_car_m": "person-car m",
    "car_gap_m": "cars m",
    "ms_per_s": "ms/s",
}
LEAST = ("person_gap_m", "person_car_m", "car_gap_m", "driving")
"""Columns whose lowest value is the worst."""


class Walls:
    """The solids and the water that nobody may stand in.

    Args:
        world: the world.
    """

    def __init__(self, world: World) -> None:
        self._terrain = world.terrain
        self._tree = shapely.STRtree(shapely.get_parts(obstacles_on_foot(world)))

    def inside(self, feet_m: Floats) -> int:
        """Number of people (n, 3), world NED, on the ground whose bodies reach into a solid."""
        places = feet_m[:, :2]
        on_ground = -feet_m[:, 2] - ground_heights_m(self._terrain, places) < DECK_M
        points = shapely.points(places[on_ground])
        person, _ = self._tree.query(points, predicate="dwithin", distance=BODY_RADIUS_M - SLACK_M)
        return len(set(person.tolist()))


def person_gap_m(feet_m: Floats) -> float:
    """Least distance between two people of one level; inf without two."""
    apart = np.hypot(*(feet_m[:, None, :2] - feet_m[None, :, :2]).transpose(2, 0, 1))
    level = np.abs(feet_m[:, None, 2] - feet_m[None, :, 2]) < LEVEL_M
    first, second = np.triu_indices(len(feet_m), 1)
    near = apart[first, second][level[first, second]]
    return float(near.min(initial=math.inf))


def person_car_gaps_m(feet_m: Floats, cars: Sequence[Car]) -> Floats:
    """(cars, people) distances from outlines to middles of people; inf on other levels."""
    if not cars:
        return np.full((0, len(feet_m)), math.inf)
    pose = np.array([(c.north_m, c.east_m, c.up_m, c.yaw_rad) for c in cars])[:, None]
    half = np.array([(c.length_m / 2.0, c.width_m / 2.0) for c in cars])[:, None]
    off = feet_m[None, :, :2] - pose[..., :2]
    cos, sin = np.cos(pose[..., 3]), np.sin(pose[..., 3])
    ahead = np.abs(off[..., 0] * cos + off[..., 1] * sin) - half[..., 0]
    aside = np.abs(off[..., 1] * cos - off[..., 0] * sin) - half[..., 1]
    outside = np.hypot(np.maximum(ahead, 0.0), np.maximum(aside, 0.0))
    gaps = np.where(outside > 0.0, outside, np.maximum(ahead, aside))
    level = np.abs(-feet_m[None, :, 2] - pose[..., 2]) < LEVEL_M
    return np.where(level, gaps, math.inf)


def car_gap_m(cars: Sequence[Car]) -> float:
    """Least distance between the outlines of two cars of one level; inf without two."""
    least = math.inf
    for one, other in itertools.combinations(cars, 2):
        apart = math.hypot(one.north_m - other.north_m, one.east_m - other.east_m)
        if apart < 12.0 and abs(one.up_m - other.up_m) < LEVEL_M:
            least = min(least, float(_outline(one).distance(_outline(other))))
    return least


def _outline(car: Car) -> Any:
    cos, sin = math.cos(car.yaw_rad), math.sin(car.yaw_rad)
    corners = [(s * car.length_m / 2.0, t * car.width_m / 2.0)
               for s, t in ((1, 1), (1, -1), (-1, -1), (-1, 1))]  # fmt: skip
    return shapely.Polygon(
        [(car.north_m + a * cos - b * sin, car.east_m + a * sin + b * cos) for a, b in corners]
    )


@dataclass
class Stands:
    """For how many seconds each of those observed has stood."""

    least_m: float
    """Those who move less in a second stand."""
    longest_s: int = 0
    _last: Floats | None = None
    _standing_s: Floats = field(default_factory=lambda: np.zeros(0))

    def observe(self, places_m: Floats, excused: Sequence[int] = ()) -> None:
        """Observe the places (n, 2) once a second; the `excused` count as moving."""
        if self._last is None:
            self._standing_s = np.zeros(len(places_m))
        else:
            stands = np.hypot(*(places_m - self._last).T) < self.least_m
            stands[list(excused)] = False
            self._standing_s = np.where(stands, self._standing_s + 1, 0.0)
            self.longest_s = max(self.longest_s, int(self._standing_s.max(initial=0.0)))
        self._last = places_m.copy()


def report(name: str, seed: int, minutes: float, people: int, cars: int) -> Row:
    """Simulate one world and seed, and count."""
    place = load_place(name, seed)
    crowd, traffic = Crowd(place, seed, people), traffic_of(place, seed, cars)
    traffic.reset(crowd.in_the_road_m)
    walls = Walls(WORLDS[name].world(seed))
    persons, drivers = Stands(STANDING_PERSON_M), Stands(STANDING_CAR_M)
    inside = touches = 0
    gaps_m = {"person_gap_m": math.inf, "person_car_m": math.inf, "car_gap_m": math.inf}
    spent_s = 0.0
    for _ in range(round(60 * minutes)):
        nearest_m = math.inf * np.ones((len(traffic.cars), people + 1))
        for _ in range(STEPS_PER_S):
            began_s = time.process_time()
            crowd.advance(1.0 / STEPS_PER_S, traffic)
            traffic.advance(1.0 / STEPS_PER_S, crowd.in_the_road_m, crowd.crosswalks_in_use)
            spent_s += time.process_time() - began_s
            nearest_m = np.minimum(nearest_m, person_car_gaps_m(crowd.feet_m, traffic.cars))
        feet_m = crowd.feet_m
        inside += walls.inside(feet_m)
        touches += int((nearest_m < BODY_RADIUS_M - SLACK_M).sum())
        persons.observe(feet_m[:, :2], [i for group in crowd.groups for i in group])
        drivers.observe(np.array(traffic.poses).reshape(-1, 3)[:, :2])
        now_m = (person_gap_m(feet_m), float(nearest_m.min(initial=math.inf)),
                 car_gap_m(traffic.cars))  # fmt: skip
        gaps_m = {key: min(old, new) for (key, old), new in zip(gaps_m.items(), now_m, strict=True)}
    return Row(
        name, seed, minutes, people, cars, len(traffic.cars),
        inside_s=inside, person_stand_s=persons.longest_s, car_stand_s=drivers.longest_s,
        touch_s=touches, ms_per_s=round(1e3 * spent_s / (60 * minutes), 1),
        digest=digest(crowd, traffic), **{key: round(gap, 2) for key, gap in gaps_m.items()},
    )  # fmt: skip


def digest(crowd: Crowd, traffic: AnyTraffic) -> str:
    """The first digits of the SHA-256 of all places."""
    places = crowd.feet_m.tobytes() + np.array(traffic.poses).tobytes()
    return hashlib.sha256(places).hexdigest()[:12]


def worst(rows: Sequence[Row]) -> Row:
    """The worst value of each column; the mean of the processor time."""
    ms = round(sum(row.ms_per_s for row in rows) / len(rows), 1)
    values: dict[str, Any] = {
        f.name: (min if f.name in LEAST else max)(getattr(row, f.name) for row in rows)
        for f in fields(Row)
    }
    return Row(**{**values, "seed": len(rows), "ms_per_s": ms, "digest": ""})


def table(rows: Sequence[Row], seed_heading: str = "seed") -> str:
    """A Markdown table."""
    heads = {**HEADINGS, "seed": seed_heading}
    lines = ["| " + " | ".join(heads.values()) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(str(getattr(row, key)) for key in heads) + " |" for row in rows]
    return "\n".join(lines)


def _seeds(text: str) -> list[int]:
    """Seeds as `7`, `1,2,5` or `1:4`, which stands for 1, 2 and 3."""
    first, colon, end = text.partition(":")
    return list(range(int(first), int(end))) if colon else [int(v) for v in text.split(",")]


def _known(file: Path | None) -> dict[tuple[Any, ...], Row]:
    """The rows that a file has already."""
    if file is None or not file.exists():
        return {}
    rows = [Row(**json.loads(line)) for line in file.read_text().splitlines()]
    return {(row.world, row.seed, row.minutes, row.people, row.cars): row for row in rows}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", default=",".join(WORLDS), help="names, separated by commas")
    parser.add_argument("--seeds", type=_seeds, default=[1], help="as 7 or 1,2,5 or 1:4")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--cars", type=int, default=CARS)
    parser.add_argument("--json", type=Path, help="append the rows to this file, one a line")
    options = parser.parse_args(arguments)
    names = options.worlds.split(",")
    rows: list[Row] = []
    known = _known(options.json)
    for seed, name in itertools.product(options.seeds, names):
        row = known.get((name, seed, options.minutes, options.people, options.cars))
        if row is None:
            row = report(name, seed, options.minutes, options.people, options.cars)
            if options.json is not None:
                with options.json.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(row)) + "\n")
        rows.append(row)
        print(table([row]).splitlines()[-1], flush=True)
    print("\n" + table(rows))
    by_world = [[row for row in rows if row.world == name] for name in names]
    print("\n" + table([worst(of_world) for of_world in by_world], "seeds"))


if __name__ == "__main__":
    main()
