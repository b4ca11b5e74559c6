"""Places by name or file: the world plan, the pilot's map, names and positions in the simulator."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from followme_uav.config import load_config, make_config
from followme_uav.errors import ConfigError
from followme_uav.ground import Ground
from followme_uav.pilot.guidance.levels import Levels
from followme_uav.scenario.script.draws import draw_scenario
from followme_uav.sim.agents.routes import Route
from followme_uav.sim.airsim_api.bodies import find_body, names_of
from followme_uav.sim.airsim_api.world_extents import world_extents
from followme_uav.sim.build import make_simulation
from followme_uav.sim.city.layout import City
from followme_uav.sim.city.world_place import WorldPlace
from followme_uav.sim.places import check_place, load_place, map_of, with_map_of
from followme_uav.sim.world_plan import plan_of
from followme_uav.worlds.derived import flyable
from followme_uav.worlds.world import Building, GeoOrigin, Terrain
from followme_uav.worlds.world_file import save_world
from tests.unit.world_parts import crossing, square


@pytest.fixture
def town(tmp_path):
    """A world file with a slope, a position on the Earth, and a start off the origin."""
    slope = Terrain(-60.0, -60.0, 60.0, ((0.0,) * 3, (3.0,) * 3, (6.0,) * 3))
    l_shape = ((10.0, 10.0), (30.0, 10.0), (30.0, 18.0), (18.0, 18.0), (18.0, 30.0), (10.0, 30.0))
    world = crossing(
        terrain=slope,
        geo_origin=GeoOrigin(46.1, 7.1, 700.0),
        start_m=(-30.0, 0.0),
        buildings=(Building(l_shape, 9.0, 3), Building(square(-20.0, -20.0, 8.0), 6.0, 2)),
    )
    path = tmp_path / "town.yaml"
    save_world(world, path)
    return str(path)


def test_grid_is_the_city_of_all_seeds_and_other_names_are_worlds():
    assert isinstance(load_place(None, 1), City)
    assert isinstance(load_place("grid", 1), City)
    assert isinstance(load_place("campus", 1), WorldPlace)


def test_unknown_place_is_refused_with_the_names_of_all():
    with pytest.raises(ConfigError, match="no generator; there is grid, old-town"):
        load_place("atlantis", 1)
    with pytest.raises(ConfigError, match="atlantis"):
        plan_of(None, place="atlantis")
    with pytest.raises(ConfigError, match="there is grid, old-town"):
        plan_of("atlantis")


def test_name_that_no_file_can_have_is_one_line():
    """The system refuses to look for it, which is no different from a file that is not there."""
    with pytest.raises(ConfigError, match="no generator; there is grid"):
        check_place("a" * 300)
    with pytest.raises(ConfigError, match="no generator; there is grid"):
        plan_of("a" * 300)
    with pytest.raises(ConfigError, match="File name too long"):
        plan_of("a" * 300 + ".yaml")


def test_option_takes_a_generator_a_world_file_or_a_plan(town, tmp_path):
    assert plan_of("old-town", seed=3).place == "old-town"
    assert plan_of(town).place == town
    plan = tmp_path / "plan.yaml"
    plan.write_text(f"place: {town}\npeople: 4\n")
    assert plan_of(str(plan)).place == town
    assert plan_of(str(plan)).people == 4
    assert plan_of(None).place is None


def test_simulation_follows_the_world(town):
    simulation = make_simulation(
        plan_of(town, seed=2, people=5, cars=1, vehicle="nimble"), None, (64, 64)
    )
    north, east, down = simulation.vehicle.position_m
    assert (north, east) == pytest.approx((-30.0, 0.0), abs=0.02)  # it has come to rest on a slope
    assert down == pytest.approx(-1.5 - simulation.vehicle.airframe.half_size_m[2], abs=0.02)
    assert simulation.equipment.home.latitude_deg == 46.1
    names = names_of(simulation)
    assert len(names) == len(set(names))
    assert "building_0" in names
    body = find_body(simulation, "Building_0")
    assert body.half_size_m[:2] == pytest.approx((10.0, 10.0))
    low, high = world_extents(simulation)
    assert low[2] == 0.0
    assert high[2] < -9.0
    for _ in range(5):
        simulation.step(20)
    assert not simulation.vehicle.collision
    assert simulation.ray_m((-50.0, 0.0, -10.0), (0.0, 0.0, 1.0)) == pytest.approx(9.5)
    simulation.reset()
    assert simulation.vehicle.position_m == (north, east, down)


def test_vehicle_set_below_a_slope_stands_on_it(town):
    simulation = make_simulation(plan_of(town, seed=2, people=0, cars=0), None, (64, 64))
    simulation.set_motion((30.0, 0.0, 50.0), (1.0, 0.0, 0.0, 0.0))
    half_m = simulation.vehicle.airframe.half_size_m[2]
    assert simulation.vehicle.position_m[2] == pytest.approx(-4.5 - half_m)


def test_map_of_a_world_is_a_valid_configuration(town):
    assert map_of(None, 1) == map_of("grid", 1) == {}
    changes = map_of(town, 1)
    profile = load_config().simulator.model_dump(mode="json")
    config = make_config({"simulator": {**profile, **changes}}, "test")
    assert config.simulator.flyable_m == ()
    assert len(config.simulator.patrol_waypoints_m) >= 5
    assert map_of(town, 1) == changes


def test_map_has_the_decks_and_the_patrol_leads_over_them():
    """From below, nobody who walks on the viaduct is seen."""
    config = with_map_of(load_config(), "hills", 41006)
    (area,) = config.simulator.flyable_polygons_m
    (viaduct,) = config.simulator.decks
    ground = Ground(config.simulator.ground)
    room_m = [
        h - ground.height_m(*p) for p, h in zip(viaduct.line_m, viaduct.heights_m, strict=True)
    ]
    assert min(room_m[0], room_m[-1]) < 0.2, "ramps begin on the ground"
    assert max(room_m) > 5.0
    flyable = shapely.Polygon(area[0], area[1:])
    assert flyable.buffer(1.0).intersection(shapely.LineString(viaduct.line_m)).length > 100.0
    waypoints_m, above = config.simulator.patrol_waypoints_m, config.simulator.patrol_on_decks
    assert len(above) > 3
    levels = Levels(config)
    for number in above:
        level_m = levels.of_patrol(waypoints_m[number], waypoints_m[number])
        assert level_m is not None
        assert level_m - ground.height_m(*waypoints_m[number]) > 1.5


def test_map_with_a_gap_of_millimetres_is_a_polygon_after_rounding(town, monkeypatch):
    """Between the circles of two trees: rounding puts one corner on the other."""
    hole = [(10, -4), (15, -0.004), (20, -4), (20, 4), (15, 0.004), (10, 4)]
    area = shapely.Polygon([(-40, -10), (40, -10), (40, 10), (-40, 10)], [hole])
    assert area.is_valid and not shapely.Polygon(np.round(hole, 2)).is_valid
    monkeypatch.setattr(flyable, "flyable_area", lambda world: area)
    config = with_map_of(load_config(), town, 1)
    (polygon,) = config.simulator.flyable_polygons_m
    kept = shapely.Polygon(polygon[0], polygon[1:])
    assert kept.area == pytest.approx(area.area, abs=0.5)
    assert kept.covers(shapely.Point(-30.0, 0.0))  # the start
    assert all(round(value, 2) == value for ring in polygon for point in ring for value in point)


def test_random_scenario_in_a_world_has_routes_on_its_ways(town):
    scenarios = [draw_scenario(seed, town) for seed in (1, 2, 3, 4)]
    assert all(s.world.place == town for s in scenarios)
    assert scenarios[0] == draw_scenario(1, town)
    assert any(isinstance(s.world.hero, Route) for s in scenarios)
    for seed, scenario in enumerate(scenarios, start=1):
        # The routes are checked when the crowd is made.
        make_simulation(plan_of(None, **scenario.world_of(seed)), None, (64, 64))
