"""The stand-in for QuadSim flies by the server's reports. If this fails, QuadSim loses the hero."""

import pytest

from tests.quadsim_loop import fly_stand_in

WORLD = {
    "vehicle": "nimble",  # QuadSim's is not AirSim's
    "people": 8,
    "hero": {"waypoints_m": [[14, 7.2], [95, 7.2]], "speeds_mps": [[10, 1.4]]},
    "walkers": [{"outfit": "decoy", "route": {"waypoints_m": [[30, -7.2], [95, -7.2]]}}],
}


@pytest.mark.slow
def test_hero_stays_in_view_and_nobody_else_is_followed(tmp_path):
    found = fly_stand_in(9923, 18.0, tmp_path, world=WORLD)
    assert found.acquire_s is not None
    assert found.judged_frames >= 20
    assert found.in_view_frames >= 0.95 * found.judged_frames
    assert found.wrong_frames == found.losses == 0
    assert found.error_p90_m < 0.5
