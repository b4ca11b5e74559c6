"""How a person who watches lets the time of the simulator pass."""

from __future__ import annotations

from dataclasses import dataclass

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""To choose from."""


@dataclass(frozen=True)
class Pace:
    """What she wants of the time."""

    held: bool = False
    """It stands still, whatever a client asks for."""
    speed: float = 1.0
    """At most so many simulated seconds per second."""
    quit: bool = False
    """She has seen enough."""


REAL_TIME = Pace()
