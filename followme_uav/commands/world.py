"""`followme-uav world ...`: list, generate, draw and import worlds."""

from __future__ import annotations

import json
import os.path
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from followme_uav.commands.options import Json
from followme_uav.errors import ConfigError

if TYPE_CHECKING:
    from followme_uav.worlds.world import World

app = typer.Typer(help="Places to fly in: list, generate, draw and import.", no_args_is_help=True)

Seed = Annotated[int, typer.Option(min=0, help="Another plan for each seed.")]
WorldOut = Annotated[Path, typer.Option(help="World file to write (YAML).")]
Size = Annotated[
    float | None,
    typer.Option("--size-m", help="Side of the square world.", show_default="300, grid 248"),
]


@app.command("list")
def list_worlds(as_json: Json = False) -> None:
    """List the generators."""
    from rich.table import Table

    from followme_uav.sim.city.grid_world import WORLDS
    from followme_uav.terminal import print_table

    if as_json:
        print(json.dumps({name: found.summary for name, found in WORLDS.items()}, indent=2))
        return
    table = Table("name", "the place")
    for name, generator in WORLDS.items():
        table.add_row(name, generator.summary)
    print_table(table)


@app.command()
def generate(
    name: Annotated[str, typer.Argument(help="A generator, as 'world list' shows them.")],
    out: WorldOut,
    seed: Seed = 1,
    size_m: Size = None,
) -> None:
    """Write the world of a seed to a file."""
    from followme_uav.files import check_writable
    from followme_uav.worlds.world_file import save_world

    check_writable(out)
    world = _generated(name, seed, size_m)
    save_world(world, out)
    print(f"{out}: {_contents(world)}")


@app.command()
def show(
    world: Annotated[str, typer.Argument(help="A world file, or the name of a generator.")],
    out: Annotated[Path, typer.Option(help="Picture to write (PNG).")],
    seed: Seed = 1,
    size_m: Size = None,
    width_px: Annotated[
        int, typer.Option("--width-px", min=200, max=4000, help="Width of the map.")
    ] = 900,
) -> None:
    """Draw a world from above, with legend and scale."""
    from followme_uav.files import check_writable, write_image
    from followme_uav.worlds.draw import draw_world

    if out.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise ConfigError(f"--out {out}: write a name that ends in .png or .jpg")
    check_writable(out, Path(world))
    found = _named(world, seed, size_m)
    write_image(out, draw_world(found, width_px))
    print(f"{out}: {_contents(found)}")


@app.command("import")
def import_map(
    source: Annotated[Path, typer.Argument(help="OpenStreetMap file, XML (.osm) or PBF.")],
    out: WorldOut,
    centre: Annotated[
        str | None,
        typer.Option(
            metavar="LAT,LON", help="Middle of the world.", show_default="among the buildings"
        ),
    ] = None,
    size_m: Annotated[
        float | None,
        typer.Option("--size-m", help="Side of the square to keep.", show_default="600"),
    ] = None,
) -> None:
    """Make a world of an OpenStreetMap file, without network."""
    from followme_uav.files import check_writable
    from followme_uav.worlds.osm import read_osm
    from followme_uav.worlds.osm_import import import_world
    from followme_uav.worlds.world_file import save_world

    check_writable(out, source)
    middle = None if centre is None else _lat_lon(centre)
    name = source.stem.encode(errors="replace").decode()  # of a file name in another encoding
    world = import_world(read_osm(source), name, middle, size_m)
    save_world(world, out)
    print(f"{out}: {_contents(world)}")
    for note in world.notes:
        print(note)
    print(world.attribution)


def _named(name: str, seed: int, size_m: float | None) -> World:
    """Return the world of a generator or of a file."""
    from followme_uav.sim.city.grid_world import WORLDS
    from followme_uav.worlds.world_file import load_world

    path, is_there = Path(name), os.path.exists(name)
    if name in WORLDS and not is_there:
        return _generated(name, seed, size_m)
    if not path.suffix and not is_there:
        return _generated(name, seed, size_m)  # says which names there are
    if size_m is not None:
        raise ConfigError(f"--size-m {size_m:g}: {path} is a file and has its own size")
    return load_world(path)


def _generated(name: str, seed: int, size_m: float | None) -> World:
    from followme_uav.sim.city.grid_world import WORLDS

    if name not in WORLDS:
        raise ConfigError(f"world '{name}' is unknown; give a file, or one of {', '.join(WORLDS)}")
    return WORLDS[name].world(seed, size_m)


def _lat_lon(text: str) -> tuple[float, float]:
    """Read LAT,LON."""
    from followme_uav.worlds.world import MAX_LATITUDE_DEG

    try:
        latitude, longitude = (float(part) for part in text.split(","))
    except ValueError as error:
        raise ConfigError(f"--centre {text}: write LAT,LON in degrees, as 46.09,7.13") from error
    limit_deg = MAX_LATITUDE_DEG
    if not (abs(latitude) <= limit_deg and abs(longitude) <= 180.0):
        raise ConfigError(
            f"--centre {text}: latitude is -{limit_deg:g} to {limit_deg:g}, longitude -180 to 180"
        )
    return latitude, longitude


def _contents(world: World) -> str:
    parts = (
        ("streets", world.streets),
        ("buildings", world.buildings),
        ("trees", world.trees),
        ("areas", world.areas),
    )
    return ", ".join(f"{len(items)} {name}" for name, items in parts)
