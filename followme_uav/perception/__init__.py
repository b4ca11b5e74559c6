"""Perception: networks that segment an image, and detections of the hero in the mask."""

from followme_uav.resources import find

DEFAULT_WEIGHTS = find("weights/model1.h5")
"""Weights of the default network: the user's file of that name, or the shipped one."""
