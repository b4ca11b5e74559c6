"""From an image to what the vehicle needs to know about the hero."""

from pathlib import Path

DEFAULT_WEIGHTS = Path(__file__).resolve().parents[2] / "weights" / "model1.h5"
"""Of the network that flies unless another is asked for."""
