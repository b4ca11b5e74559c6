"""The command that flies a logged flight again and compares."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def replay(
    flight: Annotated[Path, typer.Argument(help="Flight log, as 'fly --log' writes it.")],
) -> None:
    """Feed a logged flight through the pilot again and compare all that it decides."""
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
