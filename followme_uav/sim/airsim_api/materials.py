"""Materials that simSetObjectMaterial knows, by name."""

from __future__ import annotations

from followme_uav.sim.city.colours import Colour

COLOURS: dict[str, Colour] = {
    "black": (0.05, 0.05, 0.05),
    "blue": (0.10, 0.20, 0.80),
    "brown": (0.40, 0.25, 0.12),
    "cyan": (0.10, 0.75, 0.75),
    "gray": (0.50, 0.50, 0.50),
    "green": (0.10, 0.55, 0.15),
    "grey": (0.50, 0.50, 0.50),
    "magenta": (0.75, 0.10, 0.70),
    "orange": (0.95, 0.50, 0.05),
    "purple": (0.45, 0.15, 0.60),
    "red": (0.80, 0.08, 0.08),
    "white": (0.95, 0.95, 0.95),
    "yellow": (0.95, 0.85, 0.10),
}
"""Red, green, blue, 0..1."""
