"""The options of the program log, which every command has: -v, -vv and --log-file.

They stand before the command or after it: `followme-uav -v fly` and `followme-uav fly -v`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from followme_uav.program_log import set_up

_PANEL = "Program log"
Verbose = Annotated[
    int,
    typer.Option(
        "--verbose",
        "-v",
        count=True,
        rich_help_panel=_PANEL,
        show_default=False,
        help="Say more on standard error: -v information, -vv everything.",
    ),
]
LogFile = Annotated[
    Path | None,
    typer.Option(
        "--log-file",
        metavar="FILE",
        rich_help_panel=_PANEL,
        help="Append the program's messages to a file, with time and process.",
    ),
]
_NAMES = {"log_context": typer.Context, "verbose": Verbose, "log_file": LogFile}


def keep_logging_options(context: typer.Context, verbose: int, log_file: Path | None) -> None:
    """Keep the options that stand before the command."""
    context.obj = (verbose, log_file)


def add_logging_options(app: typer.Typer) -> None:
    """Give every command of `app` and of its groups the options, and let it set up the log."""
    for command in app.registered_commands:
        if command.callback is not None:
            command.callback = _logged(command.callback)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            add_logging_options(group.typer_instance)


def _logged(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return the command with the options; it sets up the log before it runs."""
    kinds = get_type_hints(command, include_extras=True)
    own = [
        one.replace(annotation=kinds[name], kind=inspect.Parameter.KEYWORD_ONLY)
        for name, one in inspect.signature(command).parameters.items()
    ]

    @wraps(command)
    def logged(
        *, log_context: typer.Context, verbose: int, log_file: Path | None, **values: Any
    ) -> Any:
        before_verbose, before_file = log_context.obj or (0, None)
        set_up(before_verbose + verbose, log_file or before_file)
        return command(**values)

    defaults = {"log_context": inspect.Parameter.empty, "verbose": 0, "log_file": None}
    added = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=defaults[name], annotation=kind
        )
        for name, kind in _NAMES.items()
    ]
    parameters = [*own, *added]
    vars(logged)["__signature__"] = inspect.Signature(parameters)
    logged.__annotations__ = {one.name: one.annotation for one in parameters}
    return logged
