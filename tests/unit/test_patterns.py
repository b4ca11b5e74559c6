"""Regular expressions of clients: none may hold up the simulator, which has one thread."""

import pytest

from followme_uav.rpc.server import HandlerError
from followme_uav.sim.city.patterns import matching

NAMES = ["building_0012", "car_3", "person_01", "tree_7"]


@pytest.mark.parametrize(
    "pattern",
    [".?" * 48 + "@", "(|.)" * 22 + "@", "(.|.)" * 18 + "@", "(?x)(.|.|.|.|.)#\n*@"],
    ids=["options", "empty alternatives", "alternatives", "hidden repeat"],
)
def test_expression_whose_matches_multiply_is_refused(pattern):
    """A match would take hours, and no other client would be answered; tried without names."""
    with pytest.raises(HandlerError, match="regular expression"):
        matching((), pattern, "mesh_name")


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("building.*|car.*|person.*|tree.*", NAMES),
        ("(car|tree)_[0-9]+", ["car_3", "tree_7"]),
        (".*_0?1.*", ["person_01"]),
        ("(?i)CAR_.+?", ["car_3"]),
    ],
)
def test_usual_expression_is_accepted(pattern, found):
    assert matching(NAMES, pattern, "mesh_name", exact_case=True) == found
