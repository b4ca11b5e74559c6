"""City styles: seeds meet all of them, and they differ in more than name."""

import pytest

from followme_uav.errors import ConfigError
from followme_uav.sim.city.styles import STYLES, style_of
from followme_uav.sim.city.world import make_city


@pytest.mark.parametrize("first", [0, 5, 1000])
def test_five_seeds_in_a_row_meet_every_style(first: int):
    """Collected frames must not come from one kind of town."""
    assert {style_of(seed).name for seed in range(first, first + 5)} == set(STYLES)


def test_the_first_city_is_the_one_like_the_real_frames():
    """Seed 1 is what people look at first, and what is compared with recordings."""
    assert style_of(1).name == "plaza"


def test_a_style_can_be_chosen():
    """One who wants an old town must not search for a seed that gives one."""
    city = make_city(1, "old_town")
    assert city.style == "old_town"
    assert city != make_city(1)
    with pytest.raises(ConfigError, match="old_town"):
        make_city(1, "atlantis")


def test_shares_of_plants_add_up():
    """Else no city of that style could be made."""
    for style in STYLES.values():
        assert sum(share for _, share in style.foliage) == pytest.approx(1.0)
        assert sum(share for _, share in style.tree_kinds) == pytest.approx(1.0)
