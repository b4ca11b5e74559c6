"""The command that flies logged flights again and compares."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from followme_uav.commands.options import DEFAULT_WEIGHTS, Json
from followme_uav.errors import ConfigError


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
) -> None:
    """Feed a logged flight through the pilot again and compare all that it decides."""
    if (flight is None) == (check is None):
        raise ConfigError("replay: pass one flight log, or --check with a folder of them")
    if check is not None:
        if images or weights or overrides or config:
            raise ConfigError("--check replays flights as they are; leave out the other options")
        _check(check, update, as_json)
    if update:
        raise ConfigError("--update goes with --check DIR")
    if flight is not None:
        _replay(flight, images, weights, overrides, config, as_json)


def _replay(
    flight: Path,
    images: bool,
    weights: Path | None,
    overrides: list[str],
    config: Path | None,
    as_json: bool,
) -> None:
    from rich.console import Console

    from followme_uav.config import changed
    from followme_uav.flight.log import read_log
    from followme_uav.flight.log_info import missing_end
    from followme_uav.flight.replay_report import NO_REACTION, first_divergence, show, verdict
    from followme_uav.flight.rerun import Rerun, compare_log, weights_of

    log = read_log(flight)
    is_question = bool(weights or overrides or config)
    if images and weights is None:
        weights = weights_of(log, DEFAULT_WEIGHTS.parent)
    rerun = Rerun(changed(log.metadata.config, config, overrides), weights)
    found = compare_log(log, rerun)
    if not found.frames:
        typer.echo(f"followme-uav: {flight}: holds no complete frame", err=True)
        raise typer.Exit(2)
    gap = missing_end(log)
    passed = found.is_identical or (weights is not None and found.is_tolerable)
    if as_json:
        what = {"log": str(flight), "missing": gap, "what_if": is_question}
        print(json.dumps({**what, **found.to_dict()}, indent=2))
    else:
        print(verdict(found, from_images=weights is not None))
        if gap:
            print(gap)
        if found.first is not None:
            print(first_divergence(found.first))
            show(found, Console())
        if is_question:
            print(NO_REACTION)
    raise typer.Exit(0 if passed or is_question else 1)


def _check(folder: Path, update: bool, as_json: bool) -> None:
    from followme_uav.flight.reference import check_folder

    results = check_folder(folder, update=update)
    if as_json:
        print(json.dumps([result.to_dict() for result in results], indent=2))
    else:
        for result in results:
            print(result.line())
    raise typer.Exit(0 if update or all(result.found.is_identical for result in results) else 1)
