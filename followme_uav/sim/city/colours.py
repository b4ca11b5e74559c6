"""The colour type of the simulator."""

from __future__ import annotations

Colour = tuple[float, float, float]
"""Red, green and blue, each 0 to 1; factors of a light may exceed 1."""
