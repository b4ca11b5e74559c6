"""Commands that fly, serve a city to fly in, and check the machine."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from followme_uav.commands.options import (
    Json,
    Profile,
    Sim,
    Weights,
    address,
    free_name,
)
from followme_uav.commands.watching import View, Web, live_view, serve
from followme_uav.errors import ConfigError
from followme_uav.files import check_writable, write_json
from followme_uav.perception import DEFAULT_WEIGHTS

if TYPE_CHECKING:
    from followme_uav.flight.metrics import MetricsAccumulator
    from followme_uav.log.entry import FlightEntry


def fly(
    weights: Weights = DEFAULT_WEIGHTS,
    config: Annotated[
        Path | None,
        typer.Option(help="YAML file; what it leaves out comes from configs/default.yaml."),
    ] = None,
    overrides: Annotated[
        list[str], typer.Option("--set", metavar="KEY=VALUE", help="Override one key.")
    ] = [],  # noqa: B006 - typer copies it
    sim: Sim = "embedded",
    profile: Profile = None,
    seed: Annotated[int, typer.Option(help="Seed of the embedded city.")] = 0,
    duration: Annotated[
        float | None,
        typer.Option(help="Seconds of flight before the landing."),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(help="Flight log; without it flights/TIME-seedN.mcap."),
    ] = None,
    summary: Annotated[
        Path | None,
        typer.Option(help="Write the summary as JSON."),
    ] = None,
    realtime: Annotated[
        bool | None,
        typer.Option(
            "--realtime/--lockstep",
            help="Run the simulation on, or stop it while the pilot thinks. "
            "Default: lockstep in the embedded simulator, else real time.",
        ),
    ] = None,
    window: Annotated[
        bool,
        typer.Option(help="Watch the embedded simulator; keys in the window pause and speed up."),
    ] = False,
    view: View = False,
    web: Web = False,
    oracle: Annotated[
        bool, typer.Option(help="Fly on the simulator's true masks: control without vision.")
    ] = False,
) -> None:
    """Take off, find the hero, follow her, land, and say how well it went."""
    from followme_uav.config import load_config
    from followme_uav.flight.fly import FlightPlan, IncompleteLogError
    from followme_uav.flight.fly import fly as fly_plan
    from followme_uav.flight.status import FlightStatus, print_summary

    overrides = list(overrides)
    if duration is not None:
        overrides.append(f"duration_s={duration}")
    embedded = sim == "embedded"
    if not embedded:
        host, port = address(sim)
        overrides += [f"simulator.host={json.dumps(host)}", f"simulator.port={port}"]
    if window and not embedded:
        raise ConfigError(
            "--window shows the embedded simulator; leave it out with --sim HOST:PORT"
        )
    log = log or free_name(Path("flights") / f"{time.strftime('%Y%m%d-%H%M%S')}-seed{seed}.mcap")
    plan = FlightPlan(
        config=load_config(config, overrides, profile),
        weights=None if oracle else weights,
        seed=seed,
        log=log,
        embedded=embedded,
        lockstep=embedded if realtime is None else not realtime,
        window=window,
    )
    for path in (log, summary):
        if path is not None:
            check_writable(path)
    with live_view(view, web, log.stem) as live:
        with FlightStatus(plan) as status:

            def watch(entry: FlightEntry, metrics: MetricsAccumulator) -> None:
                status.show(entry, metrics)
                if live is not None:
                    live.show(entry)

            log_trouble = None
            try:
                result = fly_plan(plan, watch, None if live is None else live.begin)
            except IncompleteLogError as error:
                result, log_trouble = error.summary, error
        if summary is not None:
            write_json(summary, result.to_dict())
        print_summary(result)
        if log_trouble is not None:
            raise log_trouble
        if live is not None:
            live.finish()
            serve(live.viewer)
    raise typer.Exit(0 if result.success else 1)


def sim(
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on.", show_default="127.0.0.1, or the settings'"),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(help="Port; 0 takes a free one.", show_default="41451, or the settings'"),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Seed of city, people and cars.", show_default="0, or the world's"),
    ] = None,
    world: Annotated[
        Path | None,
        typer.Option(help="YAML or JSON: routes, crowds, light, ... as in docs/simulator.md."),
    ] = None,
    dialect: Annotated[
        str, typer.Option(help="Speak as airsim, unity, colosseum or cosys.")
    ] = "airsim",
    image_size: Annotated[str, typer.Option(help="WIDTHxHEIGHT of camera images.")] = "256x144",
    settings: Annotated[
        Path | None,
        typer.Option(help="AirSim's settings.json: cameras, sensors, vehicle's name, clock."),
    ] = None,
    style: Annotated[
        str | None,
        typer.Option(
            help="City of this style: plaza, old_town, modern or brick_town.",
            show_default="drawn by the seed",
        ),
    ] = None,
    window: Annotated[bool, typer.Option(help="Watch: chase, orbit, pause, speed.")] = False,
    noise: Annotated[bool, typer.Option("--noise", help="Sensors err, by the seed.")] = False,
    recordings: Annotated[
        Path | None, typer.Option(help="Folder for what clients record with startRecording.")
    ] = None,
) -> None:
    """Run the embedded simulator: a city with people, served over the AirSim RPC."""
    from followme_uav.sim.server import leave, run_server
    from followme_uav.sim.world_plan import plan_world

    if seed is None and world is None:
        seed = 0

    leave(
        run_server(
            host=host,
            port=port,
            world=plan_world(world, seed=seed, style=style),
            dialect=dialect,
            image_size=image_size,
            settings=settings,
            window=window,
            noise=noise,
            recordings=recordings,
        )
    )


def doctor(as_json: Json = False) -> None:
    """Check this machine: Python, TensorFlow, rendering, port, weights; say what to do."""
    from followme_uav.doctor import doctor as run_doctor

    raise typer.Exit(run_doctor(as_json))
