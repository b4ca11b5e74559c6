"""If these fail, a vehicle hits the wall of a narrow street, or hardly moves in it."""

import math

import numpy as np
import pytest
import shapely

from followme_uav.messages import MissionState
from followme_uav.pilot.guidance.behaviours import Behaviours
from followme_uav.sim.city.world_place import WorldPlace
from tests.unit.flight_parts import CONFIG, VEHICLES, Flight
from tests.unit.world_parts import crossing

WIDTH_M, CLEARANCE_M = 7.0, 1.2
LEG_M = 70.0
EMPTY = WorldPlace(crossing(buildings=()), 1)
TURNS_DEG = [30.0, 60.0, 90.0, 120.0]


def lane(turn_deg):
    """The middle of two lanes that meet at this angle, and the ground between their walls."""
    turn_rad = math.radians(turn_deg)
    end_m = (LEG_M * (1.0 + math.cos(turn_rad)), LEG_M * math.sin(turn_rad))
    middle = shapely.LineString([(-5.0, 0.0), (LEG_M, 0.0), end_m])
    return middle, middle.buffer(WIDTH_M / 2.0, cap_style="flat", join_style="mitre")


def patrol(vehicle, turn_deg, *, sees_walls, delay_frames=0, seconds=40.0):
    """Fly to the end of the second lane; return the places flown through and the speeds."""
    middle, between_walls = lane(turn_deg)
    flyable = between_walls.buffer(-CLEARANCE_M)
    outline = [(n, e) for n, e in flyable.exterior.coords[:-1]]
    simulator = CONFIG.simulator.model_copy(
        update={
            "flyable_m": (),
            "flyable_polygons_m": ((tuple(outline),),),
            "patrol_waypoints_m": (middle.coords[-1],),
        }
    )
    config = CONFIG.model_copy(update={"simulator": simulator})
    walls = between_walls.exterior.segmentize(0.5).coords if sees_walls else ()
    flight = Flight(
        vehicle, config, delay_frames=delay_frames, obstacles_m=list(walls), place=EMPTY
    )
    behaviours = Behaviours(config)
    behaviours.enter(MissionState.PATROL, 0.0)
    for _ in range(round(10 * seconds)):
        flight.turn(behaviours.guide(MissionState.PATROL, flight.inputs())[0])
        if math.dist(flight.places_m[-1], middle.coords[-1]) < 8.0:
            break
    gaps_m = shapely.distance(shapely.points(flight.places_m), between_walls.exterior)
    return flight, np.asarray(gaps_m)


@pytest.mark.slow
@pytest.mark.parametrize("sees_walls", [True, False])
@pytest.mark.parametrize("delay_frames", [0, 3])
@pytest.mark.parametrize("turn_deg", TURNS_DEG)
@pytest.mark.parametrize("vehicle", VEHICLES)
def test_vehicle_turns_from_lane_to_lane_off_the_walls(vehicle, turn_deg, delay_frames, sees_walls):
    """The camera may look elsewhere, so that only the map shows the wall ahead.

    A vehicle that turned from 7 m/s slid on for 6 m, into a house.
    """
    flight, gaps_m = patrol(vehicle, turn_deg, sees_walls=sees_walls, delay_frames=delay_frames)
    assert gaps_m.min() > 0.8
    assert len(flight.places_m) < 350, "it came to the end"


@pytest.mark.parametrize("vehicle", VEHICLES)
def test_vehicle_flies_through_a_lane_with_speed(vehicle):
    flight, _ = patrol(vehicle, 30.0, sees_walls=True)
    assert np.mean(flight.speeds_mps) > 4.5
