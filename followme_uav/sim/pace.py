"""The pace of the simulated time that a viewer window asks for."""

from __future__ import annotations

from dataclasses import dataclass

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""The speeds that a user can choose."""


@dataclass(frozen=True)
class Pace:
    """Speed and state that a user has chosen."""

    held: bool = False
    """The time stands still, even if a client asks for steps."""
    speed: float = 1.0
    """Most simulated seconds per second of real time."""
    quit: bool = False
    """The user has closed the window."""


REAL_TIME = Pace()
