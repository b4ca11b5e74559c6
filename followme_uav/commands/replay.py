"""The command that replays logged flights and compares the decisions."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from followme_uav.commands.options import Json, weights_named, with_option_groups
from followme_uav.commands.watching import Outputs, show_log
from followme_uav.errors import ConfigError, LogError
from followme_uav.resources import all_in
from followme_uav.terminal import make_console

if TYPE_CHECKING:
    from followme_uav.log.reader import FlightLog
    from followme_uav.messages import Step
    from followme_uav.replay.setup import ReplaySetup


@dataclass(frozen=True)
class ReplayOptions:
    """The options for the conditions of a replay."""

    images: Annotated[
        bool,
        typer.Option("--images", help="Run the network on the logged images, not on the masks."),
    ] = False
    weights: Annotated[
        Path | None,
        typer.Option(callback=weights_named, help="Replay with this network; implies --images."),
    ] = None
    pilot: Annotated[
        str | None,
        typer.Option(
            metavar="PILOT",
            help="Replay with this pilot, as in fly; needed where a class of your own flew.",
            show_default="the pilot that flew",
        ),
    ] = None
    overrides: Annotated[
        list[str],
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Override one key of the logged configuration."
        ),
    ] = field(default_factory=list)
    config: Annotated[Path | None, typer.Option(help="YAML file with keys to override.")] = None

    @property
    def is_what_if(self) -> bool:
        """Whether network or configuration differ from those of the logged flight."""
        return bool(self.weights or self.overrides or self.config)


@with_option_groups
def replay(
    flight: Annotated[
        Path | None, typer.Argument(help="Flight log, as 'fly --log' writes it.")
    ] = None,
    check: Annotated[
        Path | None, typer.Option(help="Replay all logs of this folder from their masks.")
    ] = None,
    update: Annotated[
        bool,
        typer.Option("--update", help="With --check: log the present decisions, show changes."),
    ] = False,
    as_json: Json = False,
    *,
    options: ReplayOptions,
    outputs: Outputs,
) -> None:
    """Replay a logged flight through the pilot and compare all decisions; or show it."""
    if (flight is None) == (check is None):
        raise ConfigError("replay: pass one flight log, or --check with a folder of them")
    if check is not None:
        if options.images or options.is_what_if or options.pilot or outputs:
            raise ConfigError("--check replays flights as they are; leave out the other options")
        _check(check, update, as_json)
    if update:
        raise ConfigError("--update goes with --check DIR")
    if flight is None:
        return
    has_comparison = options.is_what_if or options.images or options.pilot or as_json or not outputs
    compared = _compared(flight, options) if has_comparison else None
    if outputs:
        with redirect_stdout(sys.stderr) if as_json else nullcontext():
            show_log(flight, outputs)
    if compared is not None:
        _compare(compared, outputs.plots, as_json)


@dataclass(frozen=True)
class _Compared:
    log: FlightLog
    setup: ReplaySetup
    is_what_if: bool


def _compared(flight: Path, options: ReplayOptions) -> _Compared:
    """The log and the settings of its replay, checked before long work."""
    from followme_uav.config import changed
    from followme_uav.log.reader import read_log
    from followme_uav.replay.setup import (
        ReplaySetup,
        is_same_pilot,
        logged_pilot,
        replay_pilot_factory,
        weights_of,
    )

    log = read_log(flight)
    is_other = options.pilot is not None and not is_same_pilot(options.pilot, logged_pilot(log))
    if options.pilot is not None:
        replay_pilot_factory(options.pilot)
    weights = options.weights
    if options.images and weights is None:
        weights = weights_of(log, [*all_in("weights", ".h5"), *all_in("weights", ".onnx")])
    config = changed(log.metadata.config, options.config, options.overrides)
    setup = ReplaySetup(config, weights, options.pilot)
    return _Compared(log, setup, options.is_what_if or is_other)


def _compare(compared: _Compared, plots: Path | None, as_json: bool) -> None:
    from followme_uav.log.info import missing_end
    from followme_uav.replay.report import NO_REACTION, first_divergence, show, verdict
    from followme_uav.replay.setup import compare_log

    log, setup, is_what_if = compared.log, compared.setup, compared.is_what_if
    steps: list[tuple[Step, Step]] = []
    found = compare_log(log, setup, steps if plots else None)
    if not found.frames:
        raise LogError(f"{log.path}: holds no complete frame")
    if plots is not None:
        from followme_uav.view.what_if import save_what_if

        save_what_if(steps, plots / "what_if.png")
    gap = missing_end(log)
    passed = found.is_rounding or (setup.weights is not None and found.is_tolerable)
    if as_json:
        what = {"log": str(log.path), "missing": gap, "what_if": is_what_if}
        print(json.dumps({**what, **found.to_dict()}, indent=2))
    else:
        print(verdict(found, from_images=setup.weights is not None))
        if gap:
            print(gap)
        if "cut_from_s" in log.metadata.extra and not found.is_rounding:
            print("The log begins in mid-flight: the state that the pilot had then is missing.")
        if found.first is not None and (is_what_if or not found.is_rounding):
            print(first_divergence(found.first))
            show(found, make_console())
        if is_what_if:
            print(NO_REACTION)
    raise typer.Exit(0 if passed or is_what_if else 1)


def _check(folder: Path, update: bool, as_json: bool) -> None:
    from followme_uav.replay.reference import check_folder

    results = check_folder(folder, update=update)
    if as_json:
        print(json.dumps([result.to_dict() for result in results], indent=2))
    else:
        for result in results:
            print(result.line())
    raise typer.Exit(0 if update or all(result.found.is_rounding for result in results) else 1)
