"""Dress the hero of training crops in another colour: then it is somebody else.

The networks tell the hero from others by outline and colour. Few people in the frames have the
hero's outline, so a network with a large receptive field may follow that alone and take everybody
in orange or wine for the hero. A hero in another colour, labelled as people, is such a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from followme_uav.learn.training import colours
from followme_uav.messages import MaskClass

_MIN_AREA_PX = 60
"""Of a smaller hero the colour is mixed with the background's, and says little."""
_HUE_DEG = (15.0, 50.0)
"""Smallest and largest rotation around the grey axis, to either side. Nearer reds of other people
differ in saturation and brightness, and are in the frames of the city."""
_SATURATION = (0.6, 1.1)
"""Smallest and largest factor."""
_BRIGHTNESS = (0.5, 1.1)
"""Smallest and largest factor."""


def recoloured(
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    sources: Sequence[str],
    shares: Mapping[str, float],
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The crops, some of them with the hero in another colour and labelled as people.

    Args:
        images: (batch, height, width, 3) RGB.
        labels: (batch, height, width) class index.
        sources: Data folder of each crop.
        shares: Probability for the crops of a folder that the hero gets another colour.
        rng: Source of the random numbers.

    Returns:
        Changed images and labels.
    """
    images, labels = images.copy(), labels.copy()
    probabilities = np.array([shares.get(source, 0.0) for source in sources])
    for i in np.flatnonzero(rng.random(len(images)) < probabilities):
        hero = labels[i] == MaskClass.HERO
        if hero.sum() >= _MIN_AREA_PX:
            images[i][hero] = _in_another_colour(images[i][hero], rng)
            labels[i][hero] = MaskClass.PEOPLE
    return images, labels


def _in_another_colour(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """(pixels, 3) RGB with another hue, saturation and brightness."""
    angle_rad = np.radians(rng.uniform(*_HUE_DEG)) * rng.choice((-1.0, 1.0))
    mix = (
        colours.hue_matrices(np.array([angle_rad], np.float32))[0]
        @ colours.saturation_matrices(np.array([rng.uniform(*_SATURATION)], np.float32))[0]
        * np.float32(rng.uniform(*_BRIGHTNESS))
    )
    changed: NDArray[np.uint8] = np.clip(np.rint(pixels @ mix.T), 0, 255).astype(np.uint8)
    return changed
