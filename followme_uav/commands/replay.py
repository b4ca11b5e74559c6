"""The command that flies a logged flight again and compares."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from followme_uav.commands.watching import Outputs, View, Web, show_log


def replay(
    flight: Annotated[Path, typer.Argument(help="Flight log, as 'fly --log' writes it.")],
    view: View = False,
    web: Web = False,
    rrd: Annotated[
        Path | None, typer.Option(help="Write what --view shows, for any Rerun viewer.")
    ] = None,
    video: Annotated[
        Path | None, typer.Option(help="Write camera, mask, map and state as an MP4 video.")
    ] = None,
    plots: Annotated[
        Path | None, typer.Option(help="Folder for plots, a map and a film strip as PNG.")
    ] = None,
) -> None:
    """Feed a logged flight through the pilot again and compare all that it decides; or show it."""
    outputs = Outputs(view, web, rrd, video, plots)
    if outputs:
        show_log(flight, outputs)
        return
    from followme_uav.flight.compare import readable
    from followme_uav.flight.log import read_log
    from followme_uav.flight.replay import replay_masks

    log = read_log(flight)
    frames = 0
    for turn in replay_masks(log.entries(), log.metadata.config):
        frames += 1
        for found in turn.differences:
            print(
                f"step {turn.step.frame_index} ({turn.step.time_s:.1f} s): {found.field} "
                f"was {readable(found.logged)}, is {readable(found.replayed)}"
            )
            raise typer.Exit(1)
    print(f"identical: {frames} frames")
