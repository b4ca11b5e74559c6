"""The command that serves QuadSim."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from followme_uav.commands.options import (
    ConfigFile,
    Overrides,
    Weights,
    free_name,
    with_option_groups,
)
from followme_uav.commands.watching import ViewOption, WebOption, live_view, serve
from followme_uav.errors import ConfigError
from followme_uav.extras import require
from followme_uav.files import check_outputs, write_json
from followme_uav.perception import DEFAULT_WEIGHTS

if TYPE_CHECKING:
    from followme_uav.log.entry import FlightEntry
    from followme_uav.messages import Vec3
    from followme_uav.quadsim.frames import AngleUnit
    from followme_uav.quadsim.session import QuadSimPlan

UNITS = ("auto", "degrees", "radians")


@dataclass(frozen=True)
class QuadSimOptions:
    """The options for the connection and the tracking."""

    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1"
    port: Annotated[
        int, typer.Option(help="Port that QuadSim connects to; 0 chooses a free one.")
    ] = 4567
    weights: Weights = DEFAULT_WEIGHTS
    config: ConfigFile = None
    overrides: Overrides = field(default_factory=list)
    classic: Annotated[
        bool,
        typer.Option("--classic", help="Report as the follower of the Udacity project did."),
    ] = False
    angles: Annotated[
        str,
        typer.Option(
            metavar="UNIT",
            help="Unit of QuadSim's angles: degrees, radians, or auto: decided by their size.",
        ),
    ] = "auto"
    markers: Annotated[
        bool, typer.Option(help="Let QuadSim show the hero and the gate of the track.")
    ] = True
    duration: Annotated[
        float | None,
        typer.Option(help="Seconds from the first frame to the end.", show_default="until Ctrl-C"),
    ] = None

    def plan(self, log: Path) -> QuadSimPlan:
        """Return the plan of the session.

        Raises:
            ConfigError: An option or a key of the configuration is wrong.
        """
        from followme_uav.config import load_config
        from followme_uav.quadsim.session import QuadSimPlan
        from followme_uav.rpc.listen_address import check_listen_address

        check_listen_address(self.host, self.port)
        if self.angles not in UNITS:
            raise ConfigError(f"--angles {self.angles}: unknown; choose from {', '.join(UNITS)}")
        duration_s = math.inf if self.duration is None else self.duration
        if not duration_s > 0.0:
            raise ConfigError(f"--duration {self.duration}: must be more than 0")
        return QuadSimPlan(
            config=load_config(self.config, self.overrides, "quadsim"),
            weights=self.weights,
            host=self.host,
            port=self.port,
            log=log,
            classic=self.classic,
            angles=cast("AngleUnit", self.angles),
            markers=self.markers,
            duration_s=duration_s,
        )


@with_option_groups
def quadsim(
    options: QuadSimOptions,
    log: Annotated[
        Path | None,
        typer.Option(help="Flight log; without it flights/TIME-quadsim.mcap."),
    ] = None,
    summary: Annotated[Path | None, typer.Option(help="Write the summary as JSON.")] = None,
    view: ViewOption = False,
    web: WebOption = False,
) -> None:
    """Wait for QuadSim, and tell it where the hero is, until Ctrl-C."""
    require("websockets", "quadsim", "quadsim")
    from followme_uav.quadsim.session import serve_quadsim
    from followme_uav.quadsim.status import QuadSimStatus, print_summary

    name = f"{time.strftime('%Y%m%d-%H%M%S')}-quadsim.mcap"
    log = log or free_name(Path("flights") / name)
    plan = options.plan(log)
    check_outputs(log, summary, inputs=(options.config, options.weights))
    with live_view(view, web, log.stem) as live:

        class Status(QuadSimStatus):
            """Shows each entry in the viewer, too."""

            def shows(self, entry: FlightEntry, position_m: Vec3 | None) -> None:
                super().shows(entry, position_m)
                if live is not None:
                    live.show(entry)

        with Status() as status:
            result = serve_quadsim(plan, status, None if live is None else live.begin)
        if summary is not None:
            write_json(summary, result.to_dict())
        print_summary(result)
        if live is not None:
            live.finish()
            serve(live.viewer)
