"""Finds a place by the name of a generator, or in a world file."""

from __future__ import annotations

from pathlib import Path

from followme_uav.errors import ConfigError
from followme_uav.sim.city.grid_world import WORLDS
from followme_uav.sim.city.place import Place
from followme_uav.sim.city.styles import style_of
from followme_uav.sim.city.world import make_city

GRID = "grid"
"""The city of all seeds; it needs neither a file nor the libraries for polygons."""


def is_grid(where: str | None) -> bool:
    """Whether that is the city of all seeds."""
    return where is None or where == GRID


def check_place(where: str | None) -> None:
    """Check that there is a generator or a file of that name, without reading it.

    Raises:
        ConfigError: There is none.
    """
    if where is not None and where not in WORLDS and not Path(where).is_file():
        raise ConfigError(
            f"world '{where}': no such file, and no generator; there is {', '.join(WORLDS)}"
        )


def load_place(where: str | None, seed: int, style: str | None = None) -> Place:
    """Make the place of that name.

    Args:
        where: name of a generator, or path of a world file; None: the city of all seeds.
        seed: of the generator, and of everything that is drawn at random in the place.
        style: name of a city style; None: that of the world, else the seed draws one.

    Raises:
        ConfigError: There is no such world or style, or a value in the file is wrong.
    """
    if is_grid(where):
        return make_city(seed, style)
    assert where is not None  # noqa: S101 - see is_grid
    check_place(where)
    style_of(seed, style)
    from followme_uav.sim.city.world_place import WorldPlace
    from followme_uav.worlds.world_file import load_world

    world = WORLDS[where].world(seed) if where in WORLDS else load_world(Path(where))
    return WorldPlace(world, seed, style)
