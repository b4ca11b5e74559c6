"""Wardrobe and figures: one hero, other people in red of another hue."""

import pytest

from followme_uav.sim.rendering.meshes.figures import make_figure
from followme_uav.sim.rendering.meshes.wardrobe import HERO, make_wardrobe


def _is_reddish(colour: tuple[float, float, float]) -> bool:
    return colour[0] > 1.6 * max(colour[1:])


def _is_scarlet(colour: tuple[float, float, float]) -> bool:
    """Of the hue of the hero's jacket, hair and shoes."""
    return colour[0] > 4.5 * max(colour[1:])


@pytest.mark.parametrize("seed", range(8))
def test_others_wear_red_but_not_the_red_of_the_hero(seed: int):
    """People in other reds teach the network the red of the hero; in that red they mislead it."""
    hero, *others = make_wardrobe(seed, 30)
    assert hero is HERO
    assert _is_scarlet(hero.top)
    assert any(_is_reddish(look.top) for look in others)
    assert any(_is_reddish(look.bottom) for look in others)
    hoods = [look for look in others if look.hair_style == "hood" and _is_reddish(look.top)]
    assert hoods
    assert all(look.hair != look.top for look in hoods)
    for look in others:
        assert not any(_is_scarlet(colour) for colour in (look.top, look.bottom, look.hair))
        assert 1.5 <= look.height_m <= 1.95


def test_figure_has_all_limbs_and_human_height_above_the_ground():
    """Distance estimates assume people of human height with their feet at their position."""
    vertices = make_figure(HERO, 7).vertices
    heights = -vertices["position"][:, 2]
    assert heights.min() == pytest.approx(0.0, abs=0.01)
    assert heights.max() == pytest.approx(1.77, abs=0.04)
    assert set(vertices["limb"].astype(int)) == set(range(9))
    assert set(vertices["tint"][:, 3]) == {7}
