"""The landing. If these fail, the vehicle comes down on somebody, or on something."""

import math
from dataclasses import replace

import numpy as np
import pytest

from followme_uav.messages import Manoeuvre, MissionState
from followme_uav.pilot.guidance.behaviours import Behaviours
from followme_uav.pilot.guidance.landing import (
    BLOCKED_M,
    LEAST_OFF_PEOPLE_M,
    OFF_PEOPLE_M,
    LandingGuidance,
)
from followme_uav.pilot.guidance.ways import ways_on_street_map
from tests.unit.flight_parts import CONFIG, VEHICLES, Flight

START_M = (30.0, 0.0)
"""On the round of the patrol, between two junctions."""


class People:
    """People at these places, who are always seen."""

    def __init__(self, *places_m):
        self.places_m = list(places_m)

    def update(self, frame, mask):
        pass

    def distances_m(self, places_m):
        if not self.places_m:
            return np.full(len(places_m), np.inf)
        apart_m = places_m[:, None] - np.array(self.places_m)[None]
        return np.hypot(apart_m[..., 0], apart_m[..., 1]).min(axis=1)


class Landing:
    """A flight that lands; the depth image shows `obstacles`, (north, east, height), near below."""

    def __init__(self, people=None, vehicle="simpleflight", obstacles=(), altitude_m=4.5):
        self.people = people or People()
        self.flight = Flight(vehicle, CONFIG)
        self.flight.simulation.place_vehicle((*START_M, -altitude_m), 0.0)
        self.guidance = LandingGuidance(CONFIG, ways_on_street_map(CONFIG), self.people)
        self.obstacles, self.manoeuvres, self.sights = obstacles, [], []

    def fly(self, seconds):
        for _ in range(round(10 * seconds)):
            down_m = self.flight.simulation.vehicle.position_m[2]
            self.flight._obstacles_m = [
                (north, east)
                for north, east, height_m in self.obstacles
                if abs(-height_m - down_m) < CONFIG.depth.band_m
            ]
            self.flight._seen_from_m = 4.0
            guidance, _ = self.guidance.guide(self.flight.inputs())
            self.flight.turn(guidance)
            self.manoeuvres.append(guidance.manoeuvre)
            self.sights.append(guidance.line_of_sight)
        return self

    @property
    def place_m(self):
        return self.flight.places_m[-1]

    @property
    def is_down(self):
        return self.flight.altitudes_m[-1] < CONFIG.mission.landed_altitude_m


@pytest.mark.parametrize("vehicle", VEHICLES)
def test_lands_below_itself_where_nobody_is(vehicle):
    landing = Landing(vehicle=vehicle).fly(20.0)
    assert landing.is_down
    assert math.dist(landing.place_m, START_M) < 3.0


@pytest.mark.parametrize("vehicle", VEHICLES)
def test_lands_off_people(vehicle):
    people = People(START_M, (36.0, 1.0))
    landing = Landing(people, vehicle).fly(25.0)
    assert landing.is_down
    assert min(math.dist(landing.place_m, p) for p in people.places_m) > OFF_PEOPLE_M - 1.5


def test_place_is_given_up_when_somebody_comes():
    landing = Landing().fly(2.0)
    assert 1.5 < landing.flight.altitudes_m[-1] < 3.5
    came_m = landing.place_m
    landing.people.places_m.append(came_m)
    landing.fly(25.0)
    assert landing.is_down
    assert math.dist(landing.place_m, came_m) > OFF_PEOPLE_M / 2
    flown = zip(landing.flight.places_m, landing.flight.altitudes_m, strict=True)
    assert all(altitude_m > 1.5 for place_m, altitude_m in flown if math.dist(place_m, came_m) < 2)


def test_people_far_below_are_no_reason_to_fly_elsewhere():
    """They walk on while the vehicle sinks."""
    landing = Landing(altitude_m=20.0).fly(3.0)
    landing.people.places_m.append(landing.place_m)
    landing.fly(8.0)
    assert math.dist(landing.place_m, landing.people.places_m[0]) < 1.0
    assert landing.flight.altitudes_m[-1] < 12.0
    landing.fly(25.0)
    assert landing.is_down
    assert math.dist(landing.place_m, landing.people.places_m[0]) > OFF_PEOPLE_M / 2


def test_in_a_crowd_the_distance_falls_but_nobody_is_landed_on():
    spaced_m = [(float(n), float(e)) for n in range(-150, 151, 9) for e in range(-150, 151, 9)]
    landing = Landing(People(*spaced_m)).fly(CONFIG.mission.land_timeout_s)
    assert landing.is_down
    nearest_m = min(math.dist(landing.place_m, p) for p in spaced_m)
    assert nearest_m > LEAST_OFF_PEOPLE_M


def box(north_m, east_m, height_m):
    """Points on the top of a box of 2 m."""
    steps = np.arange(-1.0, 1.01, 0.5)
    return [(north_m + n, east_m + e, height_m) for n in steps for e in steps]


@pytest.mark.parametrize("height_m", [0.7, 1.5, 2.0])
def test_does_not_sink_onto_what_stands_there(height_m):
    landing = Landing(obstacles=box(*START_M, height_m)).fly(30.0)
    assert landing.is_down
    assert math.dist(landing.place_m, START_M) > BLOCKED_M - 2.0
    flown = zip(landing.flight.places_m, landing.flight.altitudes_m, strict=True)
    assert all(
        altitude_m > height_m + 0.3
        for place_m, altitude_m in flown
        if math.dist(place_m, START_M) < 2
    )


def test_goes_elsewhere_when_something_holds_it_off_the_place():
    """A tree beside the street, at the vehicle's height: it hung there until the time was up."""
    landing = Landing(obstacles=[(*START_M, 4.5)])
    landing.flight.simulation.place_vehicle((START_M[0], START_M[1] + 3.5, -4.5), 0.0)
    landing.fly(30.0)
    assert landing.is_down
    assert math.dist(landing.place_m, START_M) > BLOCKED_M - 2.0


def test_leaves_what_it_has_touched():
    landing = Landing().fly(3.0)
    assert landing.flight.altitudes_m[-1] > CONFIG.mission.touchdown_altitude_m
    touched_m = landing.place_m
    vehicle = landing.flight.inputs
    landing.flight.inputs = lambda: _touching(vehicle())
    landing.fly(0.1)
    landing.flight.inputs = vehicle
    landing.fly(25.0)
    assert landing.is_down
    assert math.dist(landing.place_m, touched_m) > BLOCKED_M - 2.0


def _touching(inputs):
    vehicle = replace(inputs.frame.vehicle, has_collided=True)
    return replace(inputs, frame=replace(inputs.frame, vehicle=vehicle))


def test_camera_looks_at_the_place_and_never_straight_down():
    landing = Landing(People(START_M)).fly(25.0)
    sights = [sight for sight in landing.sights if sight is not None]
    assert all(-math.radians(70.0) < sight.elevation_rad < 0.0 for sight in sights)
    assert min(sight.elevation_rad for sight in sights) < -math.radians(55.0)


def test_a_vehicle_that_never_rose_lands_at_once():
    behaviours = Behaviours(CONFIG)
    behaviours.enter(MissionState.LAND, 0.0)
    flight = Flight("simpleflight", CONFIG)
    flight.simulation.place_vehicle((0.0, 0.0, -0.5), 0.0)
    assert behaviours.guide(MissionState.LAND, flight.inputs())[0].manoeuvre is Manoeuvre.LAND
