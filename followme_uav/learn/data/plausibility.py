"""Plausibility of labels: the hero wears red, and most of a frame is background.

Masks with swapped classes are valid otherwise, and a network that is trained on them follows other
people.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from followme_uav.messages import MaskClass, RgbImage

_MIN_PX = 8
"""Fewest pixels of hero and of people, over all frames, for a comparison."""
_MARGIN = 10.0
"""Smallest difference in redness, in grey levels, for a warning that people are redder than the
hero. In each of 16 real recordings the hero is redder, by 19 to 66."""
_STANDARD_ERRORS = 4.0
"""Smallest difference for a warning, in standard errors: few pixels are noisy."""
_BACKGROUND_SHARE = 0.25
"""Smallest plausible share of background pixels; real recordings have 0.96 and more."""


@dataclass
class ClassColours:
    """Sums over the pixels of each class of a recording."""

    count: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    red: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    red_squared: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))

    def add(self, image: RgbImage, label: NDArray[np.uint8]) -> None:
        """Add a frame: image (height, width, 3), label (height, width) class index."""
        planes = image.astype(np.float64)
        redness = (planes[..., 0] - (planes[..., 1] + planes[..., 2]) / 2.0).ravel()
        classes = label.ravel()
        self.count += np.bincount(classes, minlength=3)
        self.red += np.bincount(classes, redness, minlength=3)
        self.red_squared += np.bincount(classes, redness * redness, minlength=3)

    def warnings(self, cameras: Sequence[int]) -> list[str]:
        """List what is implausible, one line each with the remedy.

        Args:
            cameras: Numbers of the cameras that hero, people and background were read from.
        """
        warnings = []
        hero_camera, people_camera, background_camera = cameras
        if self._people_are_redder():
            hero, people = (self._mean(c) for c in (MaskClass.HERO, MaskClass.PEOPLE))
            warnings.append(
                f"other people are redder than the hero (by {people - hero:.0f} grey levels): the "
                "two have probably changed places; look at a mask, and run again with --cameras "
                f"{people_camera},{hero_camera},{background_camera} into another folder"
            )
        total = self.count.sum()
        share = self.count[MaskClass.BACKGROUND] / total if total else 1.0
        if share < _BACKGROUND_SHARE:
            warnings.append(
                f"only {share:.0%} of all pixels are background: look at a mask; --cameras names "
                "the cameras of hero, people and background, --masks how they show them"
            )
        return warnings

    def _people_are_redder(self) -> bool:
        hero, people = MaskClass.HERO, MaskClass.PEOPLE
        if min(self.count[hero], self.count[people]) < _MIN_PX:
            return False
        error = math.sqrt(self._variance(hero) + self._variance(people))
        margin = max(_MARGIN, _STANDARD_ERRORS * error)
        return self._mean(people) - self._mean(hero) > margin

    def _mean(self, kind: int) -> float:
        return float(self.red[kind] / self.count[kind])

    def _variance(self, kind: int) -> float:
        """Variance of the mean of a class."""
        mean = self._mean(kind)
        return max(0.0, float(self.red_squared[kind] / self.count[kind]) - mean * mean) / float(
            self.count[kind]
        )
