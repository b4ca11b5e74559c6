"""Recording of labelled frames from a simulator, in the layout of the real data.

The vehicle is placed at viewpoints that occur in flights: near the hero, far from the hero, in
front of another pedestrian, and anywhere over the streets. The exact mask then decides the kind of
the frame: `following_images` (a viewpoint near the hero, the hero is in the image),
`patrol_with_targ` (another viewpoint, the hero is in the image) or `patrol_non_targ` (the hero is
not in the image).
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image
from rich.progress import Progress

from followme_uav.config import FlightConfig
from followme_uav.errors import ConfigError, DataError, RemoteError
from followme_uav.files import write_image
from followme_uav.flight.embedded import embedded_simulator
from followme_uav.geometry import wrap_angle
from followme_uav.ground import Ground
from followme_uav.labelled_frames import FOLLOWING, WITH_HERO, WITHOUT_HERO, kind_of
from followme_uav.messages import Command, Frame, GroundTruth, Manoeuvre, Mask, Vec3
from followme_uav.rpc.collection_client import DataCollectionClient
from followme_uav.sim.places import with_map_of
from followme_uav.sim.world_plan import plan_of
from followme_uav.terminal import make_console

logger = logging.getLogger(__name__)

KINDS = (FOLLOWING, WITH_HERO, WITHOUT_HERO)
"""In the order in which random viewpoints are drawn."""
SETTLE_S = 0.7
"""Time from the placement of the vehicle to the image; the camera needs it to turn."""
JPEG_QUALITY = 92
FIELDS_OF_VIEW_DEG = (60.0, 60.0, 75.0, 50.0, 90.0)
"""Field of view of one place after the other: the network must not depend on one lens."""

FRAMES_PER_CONDITIONS = 20
"""Number of frames after which the embedded simulator gets another time of day and weather."""


@dataclass(frozen=True)
class Conditions:
    """Time of day and weather."""

    hour_h: float | None = None
    """Time of day; None keeps the sun of the city."""
    rain: float = 0.0
    fog: float = 0.0


@dataclass(frozen=True)
class Viewpoint:
    """Position of the vehicle and direction of its camera."""

    position_m: Vec3
    yaw_rad: float
    pan_rad: float
    tilt_rad: float
    near_hero: bool


def collect(
    config: FlightConfig,
    out: Path,
    *,
    frames_per_kind: int,
    seeds: Sequence[int],
    embedded: bool,
    vary_lens: bool = True,
    world: str | None = None,
    hours_h: tuple[float, float] | None = None,
) -> None:
    """Write `frames_per_kind` frames of each kind under `out`, spread evenly over the seeds.

    Args:
        config: Simulator, and size of the images.
        out: Folder of the frames.
        frames_per_kind: Number of frames of each kind.
        seeds: Seeds of the places.
        embedded: Start the embedded simulator for each seed; else use that at the configuration's
            address.
        vary_lens: The field of view changes from place to place; otherwise the profile sets it.
        world: A generator, a world file or a world plan for the embedded simulator; None: the city
            of all seeds.
        hours_h: The time of day of all frames of the embedded simulator lies between these; None:
            mostly by day.

    Raises:
        DataError: `out` already holds frames.
        OutputError: `out` cannot be written.
        SimulatorError: There is no connection to the simulator; the recorded frames stay.
    """
    if any((out / kind).exists() for kind in KINDS):
        raise DataError(f"{out}: holds frames already; choose an empty folder")
    console = make_console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("collecting", total=len(KINDS) * frames_per_kind)
        for number, seed in enumerate(seeds):
            share = Counter(
                dict.fromkeys(
                    KINDS,
                    frames_per_kind * (number + 1) // len(seeds)
                    - frames_per_kind * number // len(seeds),
                )
            )
            place = with_map_of(config, plan_of(world).place, seed) if embedded else config
            place = _with_lens(place, number) if vary_lens else place
            found = _frames(place, seed, share, embedded, world, hours_h)
            for index, (kind, frame, mask) in enumerate(found):
                _save(out / kind, f"seed{seed}_{index:05d}", frame, mask)
                progress.advance(task)


def _with_lens(config: FlightConfig, number: int) -> FlightConfig:
    lens = {"camera_fov_deg": FIELDS_OF_VIEW_DEG[number % len(FIELDS_OF_VIEW_DEG)]}
    return config.model_copy(update={"simulator": config.simulator.model_copy(update=lens)})


def _frames(
    config: FlightConfig,
    seed: int,
    wanted: Counter[str],
    embedded: bool,
    world: str | None,
    hours_h: tuple[float, float] | None,
) -> Iterator[tuple[str, Frame, Mask]]:
    """Yield frames of one place until every kind has the wanted number."""
    viewpoints, weather = (np.random.default_rng([seed, number]) for number in (77, 78))
    with ExitStack() as stack:
        if embedded:
            config = stack.enter_context(embedded_simulator(config, seed, paused=True, world=world))
        client = DataCollectionClient(config.simulator, config.rpc, config.camera)
        stack.callback(client.close)
        client.connect()
        client.pause(True)
        stack.callback(client.pause, False)
        client.take_control()
        client.read_frame()
        left = Counter(wanted)
        tries = found = next_change = 0
        while sum(left.values()) > 0:
            if embedded and found == next_change:
                next_change += FRAMES_PER_CONDITIONS
                conditions = _draw_conditions(weather, hours_h)
                client.set_light(conditions.hour_h, conditions.rain, conditions.fog)
            tries += 1
            if tries > 40 * sum(wanted.values()) + 100:
                raise DataError(f"seed {seed}: no view found for {dict(+left)}; use other seeds")
            viewpoint = _viewpoint(config, client.ground_truth(), left, viewpoints)
            labelled = _labelled_frame(client, viewpoint)
            if labelled is None:
                continue
            kind = kind_of(*labelled[1:])
            if kind is not None and left[kind] > 0:
                left[kind] -= 1
                found += 1
                yield kind, labelled[0], labelled[1]
        logger.info("Seed %d gave %d frames, from %d viewpoints.", seed, found, tries)


def _draw_conditions(
    random: np.random.Generator, hours_h: tuple[float, float] | None = None
) -> Conditions:
    """Draw conditions: mostly a clear day, as in the real frames; else overcast, dusk or fog.

    With `hours_h` the time of day lies between these, in any weather.
    """
    if hours_h is not None:
        conditions = _draw_conditions(random)
        return replace(conditions, hour_h=random.uniform(*hours_h))
    draw = random.random()
    if draw < 0.35:
        return Conditions()
    if draw < 0.65:
        return Conditions(hour_h=random.uniform(8.5, 15.5))
    if draw < 0.80:
        return Conditions(hour_h=random.uniform(9.0, 15.0), rain=random.uniform(0.25, 0.5))
    if draw < 0.90:
        return Conditions(hour_h=random.uniform(17.2, 18.3))
    return Conditions(hour_h=random.uniform(8.5, 15.5), fog=random.uniform(0.25, 0.6))


def _labelled_frame(
    client: DataCollectionClient, view: Viewpoint
) -> tuple[Frame, Mask, bool] | None:
    """A labelled frame from a viewpoint, and whether that is near the hero.

    None when the simulator refuses the position, because an object is there, or sends no image.
    """
    try:
        client.place_vehicle(view.position_m, view.yaw_rad)
    except RemoteError as error:
        logger.debug("The simulator refuses a viewpoint: %s", error)
        return None
    hover = Command(Manoeuvre.HOVER, (0.0, 0.0, 0.0), 0.0, view.pan_rad, view.tilt_rad)
    client.send(hover)
    client.advance(SETTLE_S)
    frame, mask = client.read_labelled_frame()
    return None if frame.rgb is None else (frame, mask, view.near_hero)


def _viewpoint(
    config: FlightConfig,
    truth: GroundTruth | None,
    left: Counter[str],
    random: np.random.Generator,
) -> Viewpoint:
    """Draw a viewpoint that is likely to give a frame of a kind that is still wanted."""
    kind = str(random.choice([kind for kind in KINDS if left[kind] > 0]))
    if truth is None:
        return _over_the_streets(config, random)
    ground, hero_m = Ground(config.simulator.ground), truth.hero_position_m
    if kind == FOLLOWING:
        return _facing(ground, hero_m, (3.0, 15.0), (2.0, 8.0), 0.15, True, random)
    if kind == WITH_HERO:
        return _facing(ground, hero_m, (12.0, 50.0), (2.5, 10.0), 0.35, False, random)
    if random.random() < 0.6 and truth.people_position_m:
        person = truth.people_position_m[random.integers(len(truth.people_position_m))]
        return _facing(ground, person, (3.0, 25.0), (2.0, 8.0), 0.3, False, random)
    return _over_the_streets(config, random)


def _facing(
    ground: Ground,
    target_m: Vec3,
    distance_m: tuple[float, float],
    altitude_m: tuple[float, float],
    jitter_rad: float,
    near_hero: bool,
    random: np.random.Generator,
) -> Viewpoint:
    """Draw a viewpoint around a target; the camera points at the target with a random error.

    Args:
        ground: Of the place.
        target_m: Position of the target.
        distance_m: Smallest and largest horizontal distance.
        altitude_m: Smallest and largest height above the ground below the vehicle.
        jitter_rad: Largest error of pan and tilt.
        near_hero: Whether the frame counts as taken near the hero.
        random: Source of the random numbers.
    """
    away_m = math.exp(random.uniform(math.log(distance_m[0]), math.log(distance_m[1])))
    bearing = random.uniform(-math.pi, math.pi)
    height_m = random.uniform(*altitude_m)
    north_m = target_m[0] - away_m * math.cos(bearing)
    east_m = target_m[1] - away_m * math.sin(bearing)
    ground_m = ground.height_m(north_m, east_m)
    above_m = height_m + ground_m + target_m[2]
    down = math.atan2(above_m - 0.9, away_m)
    pan = random.uniform(-0.5, 0.5)
    return Viewpoint(
        position_m=(north_m, east_m, -(height_m + ground_m)),
        yaw_rad=wrap_angle(bearing - pan),
        pan_rad=pan + random.uniform(-jitter_rad, jitter_rad),
        tilt_rad=max(-down + random.uniform(-jitter_rad, jitter_rad), -1.5),
        near_hero=near_hero,
    )


def _over_the_streets(config: FlightConfig, random: np.random.Generator) -> Viewpoint:
    """Draw a viewpoint on the patrol route, in a random direction."""
    waypoints = config.simulator.patrol_waypoints_m
    if not waypoints:
        raise ConfigError(f"profile {config.simulator.name}: collecting needs patrol_waypoints_m")
    start, end = (waypoints[random.integers(len(waypoints))] for _ in range(2))
    share = random.random()
    north, east = (s + share * (e - s) for s, e in zip(start, end, strict=True))
    ground_m = Ground(config.simulator.ground).height_m(north, east)
    return Viewpoint(
        position_m=(north, east, -(random.uniform(2.5, 10.0) + ground_m)),
        yaw_rad=random.uniform(-math.pi, math.pi),
        pan_rad=0.0,
        tilt_rad=random.uniform(-0.7, 0.1),
        near_hero=False,
    )


def _save(folder: Path, name: str, frame: Frame, mask: Mask) -> None:
    image, labels = folder / "images" / f"{name}.jpeg", folder / "masks" / f"{name}.png"
    # The image is written last, because a frame counts as complete when its image is there.
    write_image(labels, Image.fromarray(mask), sync=False)
    write_image(image, Image.fromarray(np.asarray(frame.rgb)), sync=False, quality=JPEG_QUALITY)
