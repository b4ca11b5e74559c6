"""Path following: distance from the path, speed, heading and arrival."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followme_uav.sim.city.polyline import Path
from followme_uav.sim.vehicle import paths
from followme_uav.sim.vehicle.manoeuvre_sets import OWN
from followme_uav.sim.vehicle.paths import Lookahead
from followme_uav.sim.vehicle.tasks import Heading
from tests.open_air import OpenAir

pytestmark = pytest.mark.slow

STILL = Heading()
SQUARE = [(12.0, 0.0, -10.0), (12.0, 12.0, -12.0), (0.0, 12.0, -12.0), (0.0, 0.0, -10.0)]


def distance_to(polyline, point):
    """Distance of a point to a polyline, by sampling it about every centimetre."""
    path = Path(polyline)
    steps = math.ceil(path.length_m / 0.02)
    return min(math.dist(path.at(path.length_m * i / steps), point) for i in range(steps + 1))


def fly(points, speed_mps=3.0, heading=STILL, lookahead=paths.AUTO, duration_s=60.0, world=None):
    """Whether the vehicle arrived, its positions every 0.1 s, and the world."""
    world = world or OpenAir()
    future = world.start(paths.move_on_path, points, speed_mps, 1e9, heading, lookahead)
    track = []
    for _ in range(round(duration_s / 0.1)):
        world.run(0.1)
        track.append(world.vehicle.position_m)
        if future.done():
            return future.result(0), track, world
    return None, track, world


def test_path_is_followed_through_all_its_points():
    arrived, track, _ = fly(SQUARE)
    assert arrived is True
    assert len(track) < 10 * 49 / 3.0 + 60  # its length at that speed, plus the approach
    assert max(distance_to([(0.0, 0.0, -10.0), *SQUARE], p) for p in track) < 0.9
    for corner in SQUARE:
        assert min(math.dist(corner, p) for p in track) < 1.0


def test_shorter_lookahead_keeps_closer_to_the_path():
    def error(metres):
        _, track, _ = fly(SQUARE, 2.0, lookahead=Lookahead(metres, 0.0))
        return max(distance_to([(0.0, 0.0, -10.0), *SQUARE], p) for p in track)

    assert error(0.8) < 0.5 * error(4.0)


def test_wind_does_not_carry_the_vehicle_off_the_path():
    """A flight straight to the goal would bend in a gust."""
    world = OpenAir()
    world.vehicle.wind_mps = (0.0, 7.0, 0.0)
    arrived, track, _ = fly([(20.0, 0.0, -10.0)], world=world)
    assert arrived is True
    assert max(abs(east) for _, east, _ in track) < 0.7


def test_path_with_a_return_leg_or_repeated_points_ends():
    there_and_back = [(8.0, 0.0, -10.0), (8.0, 0.0, -10.0), (0.0, 0.0, -10.0)]
    arrived, track, world = fly(there_and_back)
    assert arrived is True
    assert max(north for north, _, _ in track) > 6.5
    assert math.dist(world.vehicle.position_m, (0.0, 0.0, -10.0)) < 0.3


def test_closed_path_is_flown_to_its_end():
    arrived, track, _ = fly([*SQUARE[:3], (0.0, 0.0, -10.0)])
    assert arrived is True
    assert max(north for north, _, _ in track) > 11.0


def test_empty_path_and_path_to_the_present_position_end_at_once():
    world = OpenAir()
    for points in ([], [(0.0, 0.0, -10.0)]):
        future = world.start(paths.move_on_path, points, 3.0, 1e9, STILL)
        assert future.result(0) is True


def test_vehicle_stops_at_the_end_of_the_path():
    arrived, _, world = fly([(15.0, 0.0, -10.0)], speed_mps=6.0)
    assert arrived is True
    overshoot = max(world.run(5.0, lambda vehicle: vehicle.position_m[0]))
    assert overshoot < 15.4
    assert math.dist(world.vehicle.position_m, (15.0, 0.0, -10.0)) < 0.3


def test_timeout_ends_a_path_with_false():
    world = OpenAir()
    future = world.start(paths.move_on_path, [(500.0, 0.0, -10.0)], 3.0, 2.0, STILL)
    world.run(1.9)
    assert not future.done()
    world.run(0.2)
    assert future.result(0) is False


def test_forward_only_heads_along_each_leg():
    yaws = []
    world = OpenAir()
    heading = Heading(None, 0.0, forward_only=True)
    world.start(paths.move_on_path, SQUARE[:3], 2.0, 1e9, heading)
    for _ in range(160):
        world.run(0.1)
        (north, east, _), yaw = world.vehicle.position_m, world.vehicle.euler_rad()[2]
        if 4.0 < north < 8.0 and east < 1.0:
            yaws.append(("north", yaw))
        if 4.0 < east < 8.0:
            yaws.append(("east", yaw - math.pi / 2))
    assert {leg for leg, _ in yaws} == {"north", "east"}
    assert max(abs(error) for _, error in yaws) < 0.15


@pytest.mark.parametrize(
    ("heading", "turned"),
    [(Heading(None, 1.0), 1.0), (Heading(0.4), 1.2)],
    ids=["an angle", "a rate"],
)
def test_yaw_mode_holds_on_a_path(heading, turned):
    world = OpenAir()
    world.start(paths.move_on_path, [(40.0, 0.0, -10.0)], 3.0, 1e9, heading)
    world.run(3.0)
    assert world.vehicle.euler_rad()[2] == pytest.approx(turned, abs=0.1)


def test_move_to_z_goes_straight_up():
    world = OpenAir()
    future = world.start(OWN.move_to_z, -14.0, 2.0, 1e9, STILL)
    world.run(8.0)
    assert future.result(0) is True
    assert math.dist(world.vehicle.position_m, (0.0, 0.0, -14.0)) < 0.3


@pytest.mark.parametrize("height_m", [6.0, 0.5])
def test_go_home_returns_above_the_houses_then_sinks(height_m):
    """AirSim's straight line home leads through obstacles."""
    world = OpenAir()
    world.vehicle.place((9.0, -7.0, -height_m), 0.0)
    future = world.start(paths.go_home, 1e9)
    track = world.run(40.0, lambda vehicle: vehicle.position_m)
    assert future.result(0) is True
    north, east, down = world.vehicle.position_m
    assert math.hypot(north, east) < 0.3
    assert down > -0.5
    on_the_way = [d for n, e, d in track if 1.0 < math.hypot(n, e) < 8.0]
    assert max(on_the_way) < -min(height_m, 2.0) + 0.3
    assert min(on_the_way) > -max(height_m, 2.2) - 0.3


def test_short_timeout_ends_go_home_on_any_leg():
    for timeout_s in (0.0, 1.0, 4.0, 8.0):
        world = OpenAir(height_m=6.0)
        world.vehicle.place((9.0, 0.0, -6.0), 0.0)
        future = world.start(paths.go_home, timeout_s)
        world.run(timeout_s + 0.1)
        assert future.result(0) is False


coordinate = st.floats(-50.0, 50.0)
point = st.tuples(coordinate, coordinate, coordinate)


@given(
    st.lists(point, min_size=1, max_size=6),
    st.lists(st.tuples(point, st.floats(0.0, 30.0)), max_size=8),
)
def test_progress_on_a_path_never_decreases_nor_exceeds_its_length(points, visits):
    """A vehicle that wind moves back must not fly its path twice."""
    path = Path(points)
    for position, window_m in visits:
        before_m = path.done_m
        off_m = path.progress(position, window_m)
        assert before_m <= path.done_m <= min(before_m + window_m, path.length_m) + 1e-9
        assert off_m == pytest.approx(math.dist(position, path.at(path.done_m)), abs=1e-6)
        assert off_m <= math.dist(position, path.at(before_m)) + 1e-9
    assert path.at(path.length_m + 1.0) == points[-1]
