"""If these fail, maps show the city in the wrong place, or a log with odd metadata is not shown."""

import pytest

from followme_uav.log.solids import solids_of, text_of
from followme_uav.messages import Solid

HOUSE = Solid("building_0", (20.0, -20.5, -6.0), (8.0, 6.25, 6.0), False)
TREE = Solid("tree_0_crown", (-20.0, 10.0, -4.0), (3.0, 3.0, 2.0), True)


def test_solids_come_back_as_they_were():
    assert solids_of({"solids": text_of([HOUSE, TREE])}) == (HOUSE, TREE)


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"solids": ""},
        {"solids": "[1, 2]"},
        {"solids": '[["a", [1, 2], [1, 2, 3], true]]'},
        {"solids": '[["a", [1, 2, NaN], [1, 2, 3], true]]'},
        {"solids": '{"a": 1}'},
        {"solids": '[["a", [1, 2, "x"], [1, 2, 3], true]]'},
    ],
)
def test_metadata_without_solids_give_a_map_without_them(extra):
    assert solids_of(extra) == ()
