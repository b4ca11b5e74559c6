"""Kinds of labelled frames; the mask decides the kind of a frame, and so its folder."""

from __future__ import annotations

import numpy as np

from followme_uav.messages import Mask, MaskClass

FOLLOWING, WITHOUT_HERO, WITH_HERO = "following_images", "patrol_non_targ", "patrol_with_targ"
KINDS = (FOLLOWING, WITHOUT_HERO, WITH_HERO)
"""Folders of the three kinds: hero near, hero not in the image, hero somewhere in the image."""
DETECTION_PX = 3
"""A class with more pixels than this at 160x160 is in the image, by the score of the real data."""
HERO_MIN_SHARE = (DETECTION_PX + 0.5) / 160**2
"""Smallest share of the image at which a hero counts; frames with a smaller hero are dropped."""


def kind_of(mask: Mask, near_hero: bool) -> str | None:
    """Return the kind of a frame by its exact mask; None if the hero is too small to count."""
    share = np.count_nonzero(mask[..., MaskClass.HERO]) / mask[..., MaskClass.HERO].size
    if share == 0.0:
        return WITHOUT_HERO
    if share < HERO_MIN_SHARE:
        return None
    return FOLLOWING if near_hero else WITH_HERO
