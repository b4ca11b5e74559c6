"""City styles: consecutive seeds use all of them, and their cities differ."""

import pytest

from followme_uav.errors import ConfigError
from followme_uav.sim.city.styles import STYLES, style_of
from followme_uav.sim.city.world import make_city


@pytest.mark.parametrize("first", [0, 5, 1000])
def test_five_consecutive_seeds_use_every_style(first: int):
    """Collected frames must show all styles."""
    assert {style_of(seed).name for seed in range(first, first + 5)} == set(STYLES)


def test_seed_1_has_the_plaza_style():
    """Seed 1 is the default, and this style is the most similar to the recordings."""
    assert style_of(1).name == "plaza"


def test_a_named_style_replaces_the_drawn_one():
    """A user must not search for a seed with the wanted style."""
    city = make_city(1, "old_town")
    assert city.style == "old_town"
    assert city != make_city(1)
    with pytest.raises(ConfigError, match="old_town"):
        make_city(1, "atlantis")


def test_shares_of_plants_add_up_to_1():
    """`Generator.choice` refuses other shares."""
    for style in STYLES.values():
        assert sum(share for _, share in style.foliage) == pytest.approx(1.0)
        assert sum(share for _, share in style.tree_kinds) == pytest.approx(1.0)
