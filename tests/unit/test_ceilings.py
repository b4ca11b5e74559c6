"""Roofs and decks over the streets. If these fail, the vehicle rises or sinks into one."""

import math

import pytest

from followme_uav.config import Ceiling, Deck, GroundGrid
from followme_uav.pilot.safety.ceilings import (
    BESIDE_M,
    CLEARANCE_M,
    FREE,
    LEAVE_MPS,
    Ceilings,
    Wanted,
)
from tests.unit.flight_parts import ANYWHERE, VEHICLES, Flight

SEARCH_M = ANYWHERE.mission.altitude_m + ANYWHERE.search.rise_m
ALTITUDE_M = ANYWHERE.mission.altitude_m
RAILING_M, THICK_M = 1.0, 0.8


def deck(south_m, north_m, underside_m):
    corners = (south_m, -20.0), (south_m, 20.0), (north_m, 20.0), (north_m, -20.0)
    return Ceiling(outline_m=corners, underside_m=underside_m)


def bridge(north_m, *heights_m, south_m=None, east_m=(-40.0, 40.0), width_m=8.0):
    """From west to east, or from south to north."""
    line_m = tuple((north_m, east) for east in east_m)
    if south_m is not None:
        line_m = ((south_m, 0.0), (north_m, 0.0))
    sizes = {"width_m": width_m, "thickness_m": THICK_M, "railing_m": RAILING_M}
    return Deck(line_m=line_m, heights_m=heights_m, **sizes)


def with_decks(*decks):
    roofs = tuple(d for d in decks if isinstance(d, Ceiling))
    decks = tuple(d for d in decks if isinstance(d, Deck))
    changes = {"ceilings": roofs, "decks": decks}
    simulator = ANYWHERE.simulator.model_copy(update=changes)
    return ANYWHERE.model_copy(update={"simulator": simulator})


STILL, NORTH = (0.0, 0.0), (4.0, 0.0)


def bounds_of(decks, place_m, height_m, wanted_m, flown_mps=STILL, wanted_mps=NORTH):
    config = with_decks(*decks)
    return Ceilings(config).heights(place_m, flown_mps, height_m, Wanted(wanted_m, wanted_mps), 1.5)


def test_without_a_deck_the_vehicle_may_be_anywhere():
    assert bounds_of((), (0.0, 0.0), 9.0, 9.0, (8.0, 0.0)) == FREE
    assert bounds_of((deck(20.0, 28.0, 6.0),), (20.0 - 1.01 * BESIDE_M, 0.0), 9.0, 9.0) == FREE


def test_lowest_roof_that_is_near_or_ahead_counts():
    roofs = deck(20.0, 28.0, 6.0), deck(29.0, 35.0, 5.8)

    def highest_m(place_m, flown_mps=STILL):
        return bounds_of(roofs, place_m, 4.0, 9.0, flown_mps).highest_m

    assert highest_m((24.0, 0.0)) == pytest.approx(6.0 - CLEARANCE_M)
    assert highest_m((28.5, 3.0)) == pytest.approx(5.8 - CLEARANCE_M)
    assert highest_m((14.0, 0.0), NORTH) == pytest.approx(6.0 - CLEARANCE_M)


UNDER_M, OVER_M = 7.0 - THICK_M - CLEARANCE_M, 7.0 + RAILING_M + CLEARANCE_M
BESIDE = (14.5, 0.0)


def test_deck_is_passed_above_only_if_the_vehicle_shall_be_higher_or_is():
    decks = (bridge(20.0, 7.0, 7.0),)
    assert bounds_of(decks, BESIDE, 3.3, 5.3) == (-math.inf, UNDER_M, 1.0, None)
    wants_up = bounds_of(decks, BESIDE, 3.3, 10.5)
    assert wants_up[:2] == (OVER_M, math.inf)
    assert wants_up.speed_share < 0.1, "it climbs before it flies on"
    assert bounds_of(decks, (20.0, 0.0), 9.5, 3.3)[:2] == (OVER_M, math.inf)


def test_deck_along_which_the_vehicle_flies_is_passed_above():
    """Below it, the room becomes less and less, up to the ramp."""
    decks = (bridge(20.0, 7.0, 7.0),)
    along = bounds_of(decks, BESIDE, 3.3, 3.3, wanted_mps=(1.0, 4.0))
    assert along[:2] == (OVER_M, math.inf)
    across = bounds_of(decks, BESIDE, 3.3, 3.3, wanted_mps=(4.0, 4.0))
    assert across[:2] == (-math.inf, UNDER_M)
    stands = bounds_of(decks, BESIDE, 3.3, 3.3, wanted_mps=STILL)
    assert stands[:2] == (-math.inf, UNDER_M)


def test_deck_without_room_below_is_passed_above():
    bounds = bounds_of((bridge(20.0, 4.0, 4.0),), BESIDE, 3.3, 3.3)
    assert bounds[:2] == (4.0 + RAILING_M + CLEARANCE_M, math.inf)


def test_vehicle_below_a_deck_never_rises_and_leaves_to_the_side_where_it_cannot_go_on():
    """It rose into the viaduct: the deck had room here, and none two seconds ahead."""
    ramp = bridge(20.0, 7.0, 0.0)
    on, up, back = (
        bounds_of((ramp,), (18.0, -36.0), 4.0, wanted_m, flown_mps)
        for wanted_m, flown_mps in ((3.3, (0.0, 8.0)), (10.5, STILL), (3.3, (0.0, -2.0)))
    )
    for bounds in (on, up, back):
        assert bounds.highest_m < 7.0 - THICK_M - CLEARANCE_M
    assert on.way_out_mps == pytest.approx((-LEAVE_MPS, 0.0))
    assert up.way_out_mps == pytest.approx((-LEAVE_MPS, 0.0))
    assert back.way_out_mps is None


def test_what_the_depth_image_shows_of_a_deck_is_no_obstacle():
    """From far away the house above a passage is at the vehicle's height, and blocked the way."""
    passage = Ceilings(with_decks(deck(20.0, 28.0, 5.2)))
    house, wall, person = (20.1, 0.0, -5.3), (20.1, 21.0, -5.3), (24.0, 0.0, -4.0)
    assert passage.others([house, wall, person], 3.3) == (wall, person)
    assert Ceilings(with_decks()).others([house], 3.3) == (house,)
    assert passage.others([], 3.3) == ()
    over = Ceilings(with_decks(bridge(24.0, 7.0, 7.0)))
    railing, lamp = (21.0, 0.0, -8.0), (21.0, 0.0, -10.0)
    assert over.others([railing, lamp], 10.3) == (lamp,), "a vehicle above it meets the lamp"
    assert over.others([railing, lamp], 3.3) == ()


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


def _over(deck_m, flight, **where):
    flown = zip(flight.places_m, flight.altitudes_m, strict=True)
    return [up - deck_m for (north, _), up in flown if where["south"] <= north <= where["north"]]


@pytest.mark.parametrize("vehicle", VEHICLES)
@pytest.mark.parametrize("speed_mps", [4.0, 8.0])
def test_vehicle_climbs_before_a_deck_on_which_the_hero_walks_and_sinks_behind_it(
    vehicle, speed_mps
):
    """At 8 m/s it came to rest 0.3 m from the viaduct, and rose into it."""
    flight = Flight(vehicle, with_decks(bridge(60.0, 7.0, 7.0)))
    flight.fly(3.0, altitude_m=ALTITUDE_M)
    flight.fly(4.0, north_mps=speed_mps, altitude_m=ALTITUDE_M)
    for _ in range(200):
        if flight.places_m[-1][0] < 70.0:
            flight.fly(0.1, north_mps=speed_mps, altitude_m=ALTITUDE_M, level_m=7.0)
    flight.fly(10.0, north_mps=2.0, altitude_m=ALTITUDE_M)
    over_m = _over(7.0 + RAILING_M, flight, south=54.5, north=65.5)
    assert over_m
    assert min(over_m) > 0.8 * CLEARANCE_M
    assert flight.places_m[-1][0] > 75.0
    assert flight.altitudes_m[-1] == pytest.approx(ALTITUDE_M, abs=0.4)


@pytest.mark.parametrize("from_m", [40.0, 46.0, 50.0, 54.0])
def test_vehicle_that_shall_climb_too_late_passes_below(from_m):
    """It braked, came to rest 0.3 m from the viaduct, and rose into it."""
    flight = Flight("simpleflight", with_decks(bridge(60.0, 7.0, 7.0)))
    flight.fly(3.0, altitude_m=ALTITUDE_M)
    for _ in range(200):
        if (north := flight.places_m[-1][0]) < 75.0:
            changes = {} if north < from_m else {"level_m": 7.0}
            flight.fly(0.1, north_mps=8.0, altitude_m=ALTITUDE_M, **changes)
    flown = zip(flight.places_m, flight.altitudes_m, strict=True)
    near = [up for (north, _), up in flown if 55.5 <= north <= 64.5]
    assert near
    assert all(up < 7.0 - THICK_M - 0.5 or up > 7.0 + RAILING_M + 0.5 for up in near)
    assert flight.places_m[-1][0] > 70.0


@pytest.mark.parametrize("speed_mps", [3.0, 8.0])
def test_vehicle_flies_over_a_ramp_as_over_ground_that_rises(speed_mps):
    """From its foot to the height of a bridge, along it; early rather than late."""
    flight = Flight("simpleflight", with_decks(bridge(120.0, 0.0, 10.0, south_m=20.0)))
    flight.fly(3.0, altitude_m=ALTITUDE_M)
    seconds = 60.0 / speed_mps
    for _ in range(round(10 * seconds)):
        level_m = max((flight.places_m[-1][0] - 20.0) / 10.0, 0.0)
        flight.fly(0.1, north_mps=speed_mps, altitude_m=ALTITUDE_M, level_m=level_m)
    flown = zip(flight.places_m, flight.altitudes_m, strict=True)
    off_m = [up - (north - 20.0) / 10.0 - ALTITUDE_M for (north, _), up in flown if north > 35.0]
    assert off_m
    assert min(off_m) > -0.5
    assert max(off_m) < 1.2


def test_vehicle_does_not_hit_a_ramp_that_nobody_walks_on():
    """It crosses the ramp where there is no room below: over it, at its usual altitude at most."""
    flight = Flight("simpleflight", with_decks(bridge(40.0, 3.5, 3.5)))
    flight.fly(3.0, altitude_m=ALTITUDE_M)
    flight.fly(20.0, north_mps=8.0, altitude_m=ALTITUDE_M)
    over_m = _over(3.5 + RAILING_M, flight, south=35.5, north=44.5)
    assert over_m
    assert min(over_m) > 0.8 * CLEARANCE_M


@pytest.mark.parametrize("east_mps", [3.0, 8.0])
def test_vehicle_that_is_led_along_below_a_deck_comes_out_and_flies_on_above(east_mps):
    """Its way leads on below the ramp, where there is no room."""
    flight = Flight("simpleflight", with_decks(bridge(0.0, 9.0, 0.0, east_m=(-20.0, 70.0))))
    flight.fly(2.0, altitude_m=ALTITUDE_M)
    flight.fly(3.0, east_mps=east_mps / 2.0, altitude_m=ALTITUDE_M)
    for _ in range(300):
        north_m = flight.places_m[-1][0]
        flight.fly(0.1, north_mps=-0.3 * north_m, east_mps=east_mps, altitude_m=ALTITUDE_M)
    for (north, east), up in zip(flight.places_m, flight.altitudes_m, strict=True):
        deck_m = 9.0 * (70.0 - east) / 90.0
        if abs(north) < 4.0 and east < 70.0:
            assert up < deck_m - THICK_M - 0.3 or up > deck_m + RAILING_M + 0.3
    assert flight.places_m[-1][1] > 50.0


def test_vehicle_on_the_way_to_its_landing_place_climbs_over_a_ramp():
    flight = Flight("simpleflight", with_decks(bridge(40.0, 4.2, 4.2)))
    flight.fly(3.0, altitude_m=ALTITUDE_M)
    flight.fly(25.0, north_mps=4.0, altitude_m=None, descent_mps=0.0)
    over_m = _over(4.2 + RAILING_M, flight, south=35.5, north=44.5)
    assert over_m
    assert min(over_m) > 0.8 * CLEARANCE_M
    assert flight.places_m[-1][0] > 50.0


@pytest.mark.parametrize("roof", [True, False])
def test_below_a_high_deck_or_a_roof_the_vehicle_passes_a_low_footbridge_above(roof):
    """It took the footbridge for one to pass below, and sank among the people."""
    above = deck(-15.0, 26.0, 9.0) if roof else bridge(10.0, 10.0, 10.0, width_m=30.0)
    foot = bridge(30.0, 0.7, 0.7, width_m=3.0)
    flight = Flight("simpleflight", with_decks(above, foot))
    flight.fly(2.0, altitude_m=ALTITUDE_M)
    flight.fly(15.0, north_mps=4.0, altitude_m=ALTITUDE_M)
    assert min(flight.altitudes_m) > ALTITUDE_M - 0.5
    assert max(flight.altitudes_m) < 9.0 - 0.5
    assert flight.places_m[-1][0] > 40.0


def test_ramp_below_a_high_bridge_does_not_send_the_vehicle_over_the_bridge():
    both = bridge(20.0, 2.0, 2.0), bridge(20.0, 20.0, 20.0)
    assert bounds_of(both, BESIDE, 5.5, 6.5).highest_m == pytest.approx(
        20.0 - THICK_M - CLEARANCE_M
    )


@pytest.mark.parametrize("width_m", [4.0, 14.0, 20.0])
def test_along_a_deck_of_any_width_the_vehicle_flies_above(width_m):
    beside = (20.0 - width_m / 2.0 - 1.5, 0.0)
    wide = bridge(20.0, 7.0, 7.0, width_m=width_m, east_m=(-100.0, 100.0))
    far = bridge(900.0, 7.0, 7.0, width_m=30.0)
    for decks in ((wide,), (wide, far)):
        assert bounds_of(decks, beside, 3.3, 3.3, wanted_mps=(1.0, 4.0))[:2] == (OVER_M, math.inf)


def test_room_is_measured_where_the_ground_below_a_deck_is_highest():
    slope = GroundGrid(south_m=-60.0, west_m=-60.0, spacing_m=60.0,
                       heights_m=((0.0,) * 3, (0.0,) * 3, (21.0,) * 3))  # fmt: skip
    config = with_decks(bridge(10.0, 8.7, 8.7, width_m=12.0))
    simulator = config.simulator.model_copy(update={"ground": slope})
    config = config.model_copy(update={"simulator": simulator})
    bounds = Ceilings(config).heights((3.0, 0.0), STILL, 4.0, Wanted(4.5, NORTH), 1.5)
    assert bounds.lowest_m == pytest.approx(8.7 + RAILING_M + CLEARANCE_M)


def test_high_railings_do_not_keep_the_vehicle_below_the_hero():
    high = bridge(20.0, 7.0, 7.0).model_copy(update={"railing_m": 4.0})
    assert bounds_of((high,), BESIDE, 3.3, 11.5).lowest_m == pytest.approx(11.0 + CLEARANCE_M)
