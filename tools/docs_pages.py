"""Pages of the documentation site that are made from the program: commands, keys, public names."""

from __future__ import annotations

import inspect
import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any

import typer

import followme_uav
from followme_uav.cli import app
from followme_uav.commands import config

PROGRAM = "followme-uav"


def generated() -> dict[str, str]:
    """Return the Markdown of each generated page under its path on the site."""
    return {
        "reference/commands.md": command_page(),
        "reference/configuration.md": configuration_page(),
        "reference/api.md": api_page(),
    }


def configuration_page() -> str:
    """Return the page of all configuration keys, which a command prints."""
    with redirect_stdout(io.StringIO()) as page:
        config.reference(as_markdown=True)
    return page.getvalue()


def command_page() -> str:
    """Return the page of all commands with their arguments and options."""
    sections = [_command(name, command) for name, command in _commands(_root(), PROGRAM)]
    head = (
        "# Command line\n\nThis page lists all commands with their arguments and options, as"
        f" `{PROGRAM} COMMAND --help` prints them.\n\n"
    )
    return head + "\n".join(sections)


def _root() -> Any:
    return typer.main.get_command(app)


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield all commands with their full names; of groups only those with options of their own."""
    children = getattr(command, "commands", {})
    if command.params or not children:
        yield name, command
    for word, child in children.items():
        if not child.hidden:
            yield from _commands(child, f"{name} {word}")


def _command(name: str, command: Any) -> str:
    context = typer.Context(command, info_name=name)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    records = [p.get_help_record(context) for p in command.get_params(context)]
    rows = [f"| {_code(names)} | {_cell(text)} |" for names, text in filter(None, records)]
    table = "\n".join(["| argument or option | meaning |", "|---|---|", *rows])
    text = inspect.cleandoc(command.help or "")
    return f"## {name}\n\n{text}\n\n```text\n{usage}\n```\n\n{table}\n"


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def api_page() -> str:
    """Return the page of the public names, each with its docstring."""
    names = [f"::: {_definition(name)}\n" for name in followme_uav.__all__]
    head = (
        "# Python API\n\nThis page describes the public names of the package: `from followme_uav"
        " import NAME`.\n\n"
    )
    return head + "\n".join(names)


def _definition(name: str) -> str:
    """Return the full name under which a public name is defined."""
    value = getattr(followme_uav, name)
    module, qualified = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if isinstance(module, str) and isinstance(qualified, str) and module.startswith("followme_uav"):
        return f"{module}.{qualified}"
    return f"followme_uav.{name}"
