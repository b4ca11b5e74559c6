"""The command that flies logged flights again and compares."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from followme_uav.commands.options import Json
from followme_uav.commands.watching import Outputs, View, Web, show_log
from followme_uav.errors import ConfigError
from followme_uav.perception import DEFAULT_WEIGHTS
from followme_uav.terminal import make_console

if TYPE_CHECKING:
    from followme_uav.messages import Step


def replay(
    flight: Annotated[
        Path | None, typer.Argument(help="Flight log, as 'fly --log' writes it.")
    ] = None,
    images: Annotated[
        bool,
        typer.Option("--images", help="From the logged pictures, through the network, not masks."),
    ] = False,
    weights: Annotated[
        Path | None, typer.Option(help="What if this network had seen? Implies --images.")
    ] = None,
    overrides: Annotated[
        list[str], typer.Option("--set", metavar="KEY=VALUE", help="What if this key were other?")
    ] = [],  # noqa: B006 - typer copies it
    config: Annotated[
        Path | None, typer.Option(help="What if? YAML file with the keys that shall be other.")
    ] = None,
    check: Annotated[
        Path | None, typer.Option(help="Replay all logs of this folder from their masks.")
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="With --check: log today's decisions, show changes.")
    ] = False,
    as_json: Json = False,
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
    is_question = bool(weights or overrides or config)
    outputs = Outputs(view, web, rrd, video, plots)
    if (flight is None) == (check is None):
        raise ConfigError("replay: pass one flight log, or --check with a folder of them")
    if check is not None:
        if images or is_question or outputs:
            raise ConfigError("--check replays flights as they are; leave out the other options")
        _check(check, update, as_json)
    if update:
        raise ConfigError("--update goes with --check DIR")
    if flight is None:
        return
    if outputs:
        show_log(flight, outputs)
    if is_question or images or not outputs:
        _replay(flight, images, weights, overrides, config, as_json, plots)


def _replay(
    flight: Path,
    images: bool,
    weights: Path | None,
    overrides: list[str],
    config: Path | None,
    as_json: bool,
    plots: Path | None,
) -> None:

    from followme_uav.config import changed
    from followme_uav.log.info import missing_end
    from followme_uav.log.reader import read_log
    from followme_uav.replay.report import NO_REACTION, first_divergence, show, verdict
    from followme_uav.replay.setup import ReplaySetup, compare_log, weights_of

    log = read_log(flight)
    is_question = bool(weights or overrides or config)
    if images and weights is None:
        weights = weights_of(log, DEFAULT_WEIGHTS.parent)
    setup = ReplaySetup(changed(log.metadata.config, config, overrides), weights)
    steps: list[tuple[Step, Step]] = []
    found = compare_log(log, setup, steps if plots else None)
    if not found.frames:
        typer.echo(f"followme-uav: {flight}: holds no complete frame", err=True)
        raise typer.Exit(2)
    if plots is not None:
        from followme_uav.view.what_if import save_what_if

        save_what_if(steps, plots / "what_if.png")
    gap = missing_end(log)
    passed = found.is_rounding or (weights is not None and found.is_tolerable)
    if as_json:
        what = {"log": str(flight), "missing": gap, "what_if": is_question}
        print(json.dumps({**what, **found.to_dict()}, indent=2))
    else:
        print(verdict(found, from_images=weights is not None))
        if gap:
            print(gap)
        if "cut_from_s" in log.metadata.extra and not found.is_rounding:
            print("The log begins in the middle of a flight: what the pilot knew then is missing.")
        if found.first is not None and (is_question or not found.is_rounding):
            print(first_divergence(found.first))
            show(found, make_console())
        if is_question:
            print(NO_REACTION)
    raise typer.Exit(0 if passed or is_question else 1)


def _check(folder: Path, update: bool, as_json: bool) -> None:
    from followme_uav.replay.reference import check_folder

    results = check_folder(folder, update=update)
    if as_json:
        print(json.dumps([result.to_dict() for result in results], indent=2))
    else:
        for result in results:
            print(result.line())
    raise typer.Exit(0 if update or all(result.found.is_rounding for result in results) else 1)
