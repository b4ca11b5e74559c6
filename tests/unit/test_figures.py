"""The wardrobe: one hero, and others who wear red without being her."""

import pytest

from followme_uav.sim.rendering.meshes.figures import make_figure
from followme_uav.sim.rendering.meshes.wardrobe import HERO, make_wardrobe


def _is_reddish(colour: tuple[float, float, float]) -> bool:
    return colour[0] > 1.6 * max(colour[1:])


def _is_scarlet(colour: tuple[float, float, float]) -> bool:
    """As the hero's jacket, hair and shoes are."""
    return colour[0] > 4.5 * max(colour[1:])


@pytest.mark.parametrize("seed", range(8))
def test_others_wear_red_but_nobody_wears_the_heros(seed: int):
    """Without red coats around the network would follow any; with hers on others, the wrong one."""
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


def test_figure_stands_on_the_ground_and_has_all_limbs():
    """Masks and the distance estimate rest on people of human size with feet at their position."""
    vertices = make_figure(HERO, 7).vertices
    heights = -vertices["position"][:, 2]
    assert heights.min() == pytest.approx(0.0, abs=0.01)
    assert heights.max() == pytest.approx(1.77, abs=0.04)
    assert set(vertices["limb"].astype(int)) == set(range(9))
    assert set(vertices["tint"][:, 3]) == {7}
