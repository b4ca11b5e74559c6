"""The generators by their names."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from followme_uav.errors import ConfigError
from followme_uav.worlds.world import World

DEFAULT_SIZE_M = 300.0
MIN_SIZE_M, MAX_SIZE_M = 200.0, 1000.0


@dataclass(frozen=True)
class Generator:
    """A function from seed and size to a world."""

    function: str
    """`module:name`; its libraries are imported when it is called."""
    summary: str
    """One line for lists."""
    has_fixed_size: bool = False

    def world(self, seed: int, size_m: float | None = None) -> World:
        """Make a world.

        Args:
            seed: equal seeds give equal worlds.
            size_m: side of the square; None: the usual size.

        Raises:
            ConfigError: The size is not possible.
        """
        module, _, name = self.function.partition(":")
        make = getattr(importlib.import_module(module), name)
        made: World
        if self.has_fixed_size:
            if size_m is not None:
                raise ConfigError(f"--size-m {size_m:g}: this world has one size; leave it out")
            made = make(seed)
            return made
        size_m = DEFAULT_SIZE_M if size_m is None else size_m
        if not MIN_SIZE_M <= size_m <= MAX_SIZE_M:
            raise ConfigError(
                f"--size-m {size_m:g}: a world has {MIN_SIZE_M:g} to {MAX_SIZE_M:g} m"
            )
        made = make(seed, size_m)
        return made


_HERE = "followme_uav.worlds.generators"
GENERATORS: Mapping[str, Generator] = MappingProxyType(
    {
        "old-town": Generator(
            f"{_HERE}.old_town:old_town",
            "winding streets of 6 to 9 m, closed rows of houses, small squares, passages, a wall",
        ),
        "suburb": Generator(
            f"{_HERE}.suburb:suburb",
            "curved roads, detached houses in gardens, hedges, many trees",
        ),
        "park": Generator(
            f"{_HERE}.park:park", "paths between trees, lawns, a pond with a bridge, kiosks"
        ),
        "campus": Generator(
            f"{_HERE}.campus:campus",
            "large halls, yards, containers, bridges between buildings",
        ),
        "hills": Generator(
            f"{_HERE}.hills:hills",
            "slopes up to 10 %, roads that climb, steps, a road above the valley",
        ),
    }
)
"""Those that need no simulator; `sim.city.grid_world` adds `grid`."""
