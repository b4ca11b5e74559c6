"""`followme-uav config ...`: show the configuration, its origins, its keys and its files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from followme_uav.commands.options import Json, Overrides, Profile
from followme_uav.errors import ConfigError
from followme_uav.terminal import make_console, print_table

if TYPE_CHECKING:
    from followme_uav.config.reference import KeyReference

app = typer.Typer(
    help="Show the configuration, where its values come from, and all keys.", no_args_is_help=True
)


@app.command()
def show(
    config: Annotated[
        Path | None, typer.Option(help="YAML file with keys to change, as for 'fly'.")
    ] = None,
    overrides: Overrides = [],  # noqa: B006 - typer copies it
    profile: Profile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of YAML.")] = False,
) -> None:
    """Print the merged configuration of a flight, and where each value comes from."""
    from followme_uav.config import keys_of, load_merged_config
    from followme_uav.config.yaml_text import yaml_text

    found = load_merged_config(config, overrides, profile)
    values = found.config.model_dump(mode="json")
    if not as_json:
        print(yaml_text(values, lambda key: str(found.origins.of(key))), end="")
        return
    origins = {}
    for key in keys_of(values):
        origin = found.origins.of(key)
        origins[".".join(map(str, key))] = {"kind": origin.kind, "source": origin.source}
    print(json.dumps({"configuration": values, "origins": origins}, indent=2))


@app.command()
def reference(
    as_json: Json = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print a page of Markdown instead of a table.")
    ] = False,
) -> None:
    """Describe every key: type, permitted values, default, unit and effect."""
    from followme_uav.config.reference import reference as all_keys

    if as_json and as_markdown:
        raise ConfigError("config reference: pass --json or --markdown, not both")
    keys = all_keys()
    if as_json:
        print(json.dumps([_as_dict(key) for key in keys if not key.is_section], indent=2))
    elif as_markdown:
        print(_markdown(keys), end="")
    else:
        _print_keys(keys)


@app.command()
def files(as_json: Json = False) -> None:
    """List the configuration files in use: the user's, and shipped ones."""
    from rich.markup import escape
    from rich.table import Table

    from followme_uav.resources import all_in, find, is_shipped, name_of, user_folder

    folder = user_folder()
    folders = {name: ".yaml" for name in ("simulators", "scenarios", "training", "experiments")}
    paths = [find("default.yaml"), find("tuning.yaml")]
    paths += [
        file for name, end in (folders | {"weights": ".h5"}).items() for file in all_in(name, end)
    ]
    rows = {name_of(path): path for path in paths}  # the user's replace shipped ones
    if as_json:
        found = [
            {"name": name, "path": str(path), "shipped": is_shipped(path)}
            for name, path in rows.items()
        ]
        print(json.dumps({"folder": folder and str(folder), "files": found}, indent=2))
        return
    table = Table("name", "from", "file")
    for name, path in rows.items():
        table.add_row(escape(name), "shipped" if is_shipped(path) else "user", escape(str(path)))
    print_table(table, make_console())
    print(f"the user's folder: {folder or 'none'}")


def _as_dict(key: KeyReference) -> dict[str, Any]:
    return {
        "key": key.key,
        "type": key.type,
        "permitted": key.permitted.replace("`", ""),
        "default": key.default,
        "description": key.description,
    }


def _print_keys(keys: list[KeyReference]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table("key", "type", "permitted", "default", "description")
    for key in keys:
        if not key.is_section:
            cells = (key.key, key.type, key.permitted.replace("`", ""), _default(key))
            table.add_row(*map(escape, (*cells, key.description)))
    print_table(table, make_console())


def _markdown(keys: list[KeyReference]) -> str:
    """Return a page with a heading and a table for each section."""
    lines = [
        "# Configuration reference",
        "",
        "This page describes every configuration key: its type, the values permitted, the shipped "
        "default, its unit and its effect.",
    ]
    head = ["", "| key | type | permitted | default | description |", "|---|---|---|---|---|"]
    lines += ["", "## Top level", *head]
    for key in keys:
        if key.is_section:
            lines += ["", f"{'#' * (2 + key.key.count('.'))} {key.key}", "", key.description, *head]
        else:
            cells = (f"`{key.key}`", key.type, key.permitted, f"`{_default(key)}`", key.description)
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _default(key: KeyReference) -> str:
    """Return the default as YAML; a long list by its length."""
    from followme_uav.config.yaml_text import value_text

    text = value_text(key.default)
    return text if len(text) <= 40 else f"{len(key.default)} items"
