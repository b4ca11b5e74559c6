"""Perception: networks that segment an image, and detections of the hero in the mask."""

from pathlib import Path

DEFAULT_WEIGHTS = Path(__file__).resolve().parents[2] / "weights" / "model1.h5"
"""Weights of the default network."""
