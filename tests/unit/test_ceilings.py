"""Decks above the streets. If these fail, the vehicle rises into one."""

import math

import pytest

from followme_uav.config import Ceiling
from followme_uav.pilot.safety.ceilings import BESIDE_M, CLEARANCE_M, Ceilings
from tests.unit.flight_parts import ANYWHERE, VEHICLES, Flight

SEARCH_M = ANYWHERE.mission.altitude_m + ANYWHERE.search.rise_m


def deck(south_m, north_m, underside_m):
    corners = (south_m, -20.0), (south_m, 20.0), (north_m, 20.0), (north_m, -20.0)
    return Ceiling(outline_m=corners, underside_m=underside_m)


def with_decks(*decks):
    simulator = ANYWHERE.simulator.model_copy(update={"ceilings": decks})
    return ANYWHERE.model_copy(update={"simulator": simulator})


def test_without_a_deck_the_vehicle_may_be_anywhere():
    assert Ceilings(()).highest_m((0.0, 0.0)) == math.inf
    assert Ceilings(()).limits((0.0, 0.0), (8.0, 0.0), 9.0, 1.5) == (math.inf, 1.0)
    far = Ceilings((deck(20.0, 28.0, 6.0),))
    assert far.highest_m((20.0 - 1.01 * BESIDE_M, 0.0)) == math.inf


def test_lowest_deck_that_is_near_or_ahead_counts():
    decks = Ceilings((deck(20.0, 28.0, 6.0), deck(29.0, 35.0, 5.8)))
    assert decks.highest_m((24.0, 0.0)) == pytest.approx(6.0 - CLEARANCE_M)
    assert decks.highest_m((28.5, 3.0)) == pytest.approx(5.8 - CLEARANCE_M)
    assert decks.limits((14.0, 0.0), (4.0, 0.0), 4.0, 1.5) == (pytest.approx(4.8), 1.0)


def test_what_the_depth_image_shows_of_a_deck_is_no_obstacle():
    """From far away the house above a passage is at the vehicle's height, and blocked the way."""
    passage = Ceilings((deck(20.0, 28.0, 5.2),))
    house, wall, person = (20.1, 0.0, -5.3), (20.1, 21.0, -5.3), (24.0, 0.0, -4.0)
    assert passage.below([house, wall, person]) == (wall, person)
    assert Ceilings(()).below([house]) == (house,)
    assert passage.below([]) == ()


@pytest.mark.parametrize("vehicle", VEHICLES)
@pytest.mark.parametrize("speed_mps", [2.0, 5.5, 8.0])
def test_vehicle_that_searches_from_higher_up_passes_below_a_deck_and_rises_again(
    vehicle, speed_mps
):
    flight = Flight(vehicle, with_decks(deck(40.0, 48.0, 6.0)))
    flight.fly(3.0, altitude_m=SEARCH_M)
    flight.fly(100.0 / speed_mps + 2.0, north_mps=speed_mps, altitude_m=SEARCH_M)
    flown = list(zip(flight.places_m, flight.altitudes_m, strict=True))
    below_m = [up for (north, _), up in flown if 39.0 <= north <= 49.0]
    assert below_m
    assert max(below_m) < 6.0 - 0.8 * CLEARANCE_M
    assert min(below_m) > 3.0
    assert flight.places_m[-1][0] > 80.0
    assert flight.altitudes_m[-1] == pytest.approx(SEARCH_M, abs=0.4)


def test_vehicle_far_above_a_deck_slows_down_until_it_has_sunk():
    high_m = ANYWHERE.limits.max_altitude_m
    flight = Flight("simpleflight", with_decks(deck(40.0, 48.0, 5.8)))
    flight.fly(6.0, altitude_m=high_m)
    assert flight.altitudes_m[-1] > high_m - 0.5
    flight.fly(25.0, north_mps=8.0, altitude_m=high_m)
    flown = zip(flight.places_m, flight.altitudes_m, strict=True)
    assert all(up < 5.8 - 0.5 for (north, _), up in flown if 39.0 <= north <= 49.0)
    assert flight.places_m[-1][0] > 60.0
