"""Commands that fly, run the embedded simulator, and check the machine."""

from __future__ import annotations

import os.path
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from followme_uav.commands.options import (
    ConfigFile,
    Json,
    Overrides,
    Pilot,
    Profile,
    Sim,
    Vehicle,
    Weights,
    address_overrides,
    check_embedded,
    free_name,
    with_option_groups,
)
from followme_uav.commands.watching import ViewOption, WebOption, live_view, serve
from followme_uav.errors import ConfigError
from followme_uav.files import check_outputs, write_json
from followme_uav.perception import DEFAULT_WEIGHTS

if TYPE_CHECKING:
    from followme_uav.flight.fly import FlightPlan
    from followme_uav.flight.metrics import MetricsAccumulator
    from followme_uav.log.entry import FlightEntry


@dataclass(frozen=True)
class FlightOptions:
    """The options for the conditions of a flight."""

    weights: Weights = DEFAULT_WEIGHTS
    config: ConfigFile = None
    overrides: Overrides = field(default_factory=list)
    sim: Sim = "embedded"
    profile: Profile = None
    seed: Annotated[int, typer.Option(help="Seed of the embedded city.")] = 0
    vehicle: Vehicle = None
    world: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="Place to fly in: a generator ('world list'), a world file or a world plan. The "
            "pilot gets its streets as a map.",
            show_default="grid",
        ),
    ] = None
    duration: Annotated[
        float | None,
        typer.Option(help="Seconds of flight before the landing."),
    ] = None
    realtime: Annotated[
        bool | None,
        typer.Option(
            "--realtime/--lockstep",
            help="Let simulation time run, or stop it while the pilot computes. "
            "Default: lockstep in the embedded simulator, else real time.",
        ),
    ] = None
    window: Annotated[
        bool,
        typer.Option(help="Watch the embedded simulator; keys in the window pause and speed up."),
    ] = False
    pilot: Pilot = "network"
    oracle: Annotated[
        bool, typer.Option(help="Fly on the simulator's true masks: control without vision.")
    ] = False

    def plan(self, log: Path) -> FlightPlan:
        """Return the plan of the flight.

        Raises:
            ConfigError: An option or a key of the configuration is wrong.
        """
        from followme_uav.config import load_config
        from followme_uav.flight.fly import FlightPlan
        from followme_uav.sim.places import with_map_of
        from followme_uav.sim.vehicle.vehicle_spec import load_vehicle
        from followme_uav.sim.world_plan import plan_of

        embedded = self.sim == "embedded"
        duration = [] if self.duration is None else [f"duration_s={self.duration}"]
        overrides = [*self.overrides, *duration, *address_overrides(self.sim)]
        if self.window and not embedded:
            raise ConfigError(
                "--window shows the embedded simulator; leave it out with --sim HOST:PORT"
            )
        if self.vehicle is not None:
            check_embedded("--vehicle", self.sim)
            load_vehicle(self.vehicle)
        config = load_config(self.config, overrides, self.profile)
        if self.world is not None:
            check_embedded("--world", self.sim)
            place = plan_of(self.world, seed=self.seed).place
            config = with_map_of(config, place, self.seed)
        return FlightPlan(
            config=config,
            weights=None if self.oracle else self.weights,
            pilot="oracle" if self.oracle and self.pilot == "network" else self.pilot,
            seed=self.seed,
            log=log,
            embedded=embedded,
            lockstep=embedded if self.realtime is None else not self.realtime,
            window=self.window,
            vehicle=self.vehicle,
            world=self.world,
        )


@with_option_groups
def fly(
    options: FlightOptions,
    log: Annotated[
        Path | None,
        typer.Option(help="Flight log; without it flights/TIME-seedN.mcap."),
    ] = None,
    summary: Annotated[
        Path | None,
        typer.Option(help="Write the summary as JSON."),
    ] = None,
    timings: Annotated[
        bool,
        typer.Option("--timings", help="Print where the time of a turn of the flight loop goes."),
    ] = False,
    view: ViewOption = False,
    web: WebOption = False,
) -> None:
    """Take off, find the hero, follow, land, and print a summary."""
    from followme_uav.flight.fly import IncompleteLogError
    from followme_uav.flight.fly import fly as fly_plan
    from followme_uav.flight.status import FlightStatus, print_summary, print_timings

    name = f"{time.strftime('%Y%m%d-%H%M%S')}-seed{options.seed}.mcap"
    log = log or free_name(Path("flights") / name)
    plan = options.plan(log)
    check_outputs(log, summary, inputs=(options.config, options.weights))
    with live_view(view, web, log.stem) as live:
        with FlightStatus(plan) as status:

            def watch(entry: FlightEntry, metrics: MetricsAccumulator) -> None:
                status.show(entry, metrics)
                if live is not None:
                    live.show(entry)

            log_error = None
            try:
                result = (
                    fly_plan(plan, watch)
                    if live is None
                    else fly_plan(plan, watch, live.begin, live.read_maps_of)
                )
            except IncompleteLogError as error:
                result, log_error = error.summary, error
        if summary is not None:
            write_json(summary, result.to_dict())
        print_summary(result)
        if timings:
            print_timings(result.turn)
        if log_error is not None:
            raise log_error
        if live is not None:
            live.finish()
            serve(live.viewer)
    raise typer.Exit(0 if result.success else 1)


def sim(
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on.", show_default="127.0.0.1, or as in the settings"),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            help="Port; 0 chooses a free one.", show_default="41451, or as in the settings"
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            help="Seed of city, people and cars.", show_default="0, or as in the world plan"
        ),
    ] = None,
    world: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="Place: a generator ('world list') or a world file; or a plan with routes, crowds "
            "and light, see docs/simulator.md.",
            show_default="grid",
        ),
    ] = None,
    vehicle: Vehicle = None,
    dialect: Annotated[
        str, typer.Option(help="RPC dialect: airsim, unity, colosseum or cosys.")
    ] = "airsim",
    image_size: Annotated[str, typer.Option(help="WIDTHxHEIGHT of camera images.")] = "256x144",
    settings: Annotated[
        Path | None,
        typer.Option(help="AirSim's settings.json: cameras, sensors, name of the vehicle, clock."),
    ] = None,
    style: Annotated[
        str | None,
        typer.Option(
            help="Style of the city: plaza, old_town, modern or brick_town.",
            show_default="drawn from the seed",
        ),
    ] = None,
    window: Annotated[
        bool, typer.Option(help="Watch in a window: chase, orbit, pause, speed.")
    ] = False,
    noise: Annotated[
        bool, typer.Option("--noise", help="Add noise to the sensors, drawn from the seed.")
    ] = False,
    recordings: Annotated[
        Path | None,
        typer.Option(help="Folder for recordings that clients start with startRecording."),
    ] = None,
) -> None:
    """Run the embedded simulator: a city with people, served over the AirSim RPC."""
    from followme_uav.sim.server import leave, run_server
    from followme_uav.sim.world_plan import plan_of

    if seed is None and (world is None or not os.path.isfile(world)):
        seed = 0

    leave(
        run_server(
            host=host,
            port=port,
            world=plan_of(world, seed=seed, style=style, vehicle=vehicle),
            dialect=dialect,
            image_size=image_size,
            settings=settings,
            window=window,
            noise=noise,
            recordings=recordings,
        )
    )


def doctor(as_json: Json = False) -> None:
    """Check this machine: Python, packages, rendering, port, weights; say what to do."""
    from followme_uav.doctor import doctor as run_doctor

    raise typer.Exit(run_doctor(as_json))
