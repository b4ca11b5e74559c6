"""Ground that is not level: altitudes, the place of the hero, and a vehicle that follows slopes."""

import math
from dataclasses import replace

import numpy as np
import pytest

from followme_uav.config import GroundGrid, load_config, make_config
from followme_uav.errors import ConfigError
from followme_uav.geometry import pixel_of_point, quaternion_from_euler
from followme_uav.ground import LEVEL, Altimeter, Ground
from followme_uav.messages import CameraPose, Contact, Detection, MissionState, VehicleState
from followme_uav.pilot.contact import ContactJudge
from followme_uav.pilot.control import Control
from followme_uav.pilot.tracking.measurement import measure
from followme_uav.sim.places import map_of
from followme_uav.worlds.terrain import ground_height_m
from followme_uav.worlds.world import Terrain
from followme_uav.worlds.world_file import save_world
from tests.unit.test_control import CRUISE, DT_S, inputs
from tests.unit.world_parts import crossing

CONFIG = load_config()
WAVES = GroundGrid(
    south_m=-100.0,
    west_m=-100.0,
    spacing_m=5.0,
    heights_m=tuple(
        tuple(20.0 + 3.0 * math.sin(n / 30.0) + 0.02 * e for e in range(-100, 101, 5))
        for n in range(-100, 101, 5)
    ),
)
"""Slopes up to a tenth, far above z = 0."""


def on_waves():
    simulator = CONFIG.simulator.model_copy(update={"ground": WAVES, "flyable_m": ()})
    return CONFIG.model_copy(update={"simulator": simulator})


def test_heights_are_those_of_the_world_inside_the_grid_and_beyond_it():
    terrain = Terrain(WAVES.south_m, WAVES.west_m, WAVES.spacing_m, WAVES.heights_m)
    rng = np.random.default_rng(1)
    for north, east in rng.uniform(-130.0, 130.0, (60, 2)).tolist():
        expected_m = ground_height_m(terrain, north, east)
        assert Ground(WAVES).height_m(north, east) == pytest.approx(expected_m, abs=1e-9)


def test_altitude_on_a_slope_is_that_above_the_ground_and_on_level_ground_above_the_start():
    ground = Ground(WAVES)
    slope, level = Altimeter(ground), Altimeter()
    for north, east in ((0.0, 0.0), (40.0, 10.0), (-60.0, 80.0)):
        down_m = -ground.height_m(north, east) - 0.2
        assert slope.altitude_m((north, east, down_m)) == pytest.approx(0.0)
        assert slope.altitude_m((north, east, down_m - 3.0)) == pytest.approx(3.0)
    assert level.altitude_m((0.0, 0.0, -0.3)) == 0.0
    assert level.altitude_m((9.0, 9.0, -4.1)) == 4.1 - 0.3


@pytest.mark.parametrize("azimuth_deg", range(0, 360, 45))
def test_hero_on_a_slope_is_measured_at_their_place(azimuth_deg):
    ground, azimuth_rad = Ground(WAVES), math.radians(azimuth_deg)
    here = (0.0, 0.0, -ground.height_m(0.0, 0.0) - 4.5)
    camera = CameraPose(here, quaternion_from_euler(0.0, -0.35, azimuth_rad), math.radians(60))
    north, east = 12.0 * math.cos(azimuth_rad), 12.0 * math.sin(azimuth_rad)
    centroid_m = (north, east, -ground.height_m(north, east) - CONFIG.hero.centroid_height_m)
    u, v, _ = pixel_of_point(camera, centroid_m)
    found = Detection(u, v, 240, 8, 30, 1.0)
    shape = (160, 160, 3)
    there = measure(camera, found, shape, CONFIG.hero, CONFIG.measurement, ground)
    assert math.dist(there.position_m, centroid_m) < 0.3
    level = measure(camera, found, shape, CONFIG.hero, CONFIG.measurement, LEVEL)
    assert level is None or math.dist(level.position_m, centroid_m) > 10.0  # 20 m lower


def test_vehicle_keeps_its_altitude_above_slopes():
    config, ground = on_waves(), Ground(WAVES)
    control, down_m, north_m = Control(config), -ground.height_m(-90.0, 0.0) - 5.0, -90.0
    guidance = replace(CRUISE, velocity_mps=(4.0, 0.0))
    altitudes, velocity = [], (0.0, 0.0, 0.0)
    for i in range(400):
        altitude_m = -down_m - ground.height_m(north_m, 0.0)
        given = inputs(-down_m, (north_m, 0.0), time_s=DT_S * i, velocity_mps=velocity)
        command, _ = control.command(guidance, replace(given, altitude_m=altitude_m))
        velocity = command.velocity_mps
        north_m, down_m = north_m + DT_S * velocity[0], down_m + DT_S * velocity[2]
        altitudes.append(altitude_m)
    assert north_m > 50.0
    assert min(altitudes) > 4.5
    assert max(altitudes) < 6.2


def test_touch_of_a_higher_slope_while_landing_is_no_collision():
    def touches(ground):
        judge = ContactJudge(CONFIG.mission, ground)
        states = []
        for north_m, contact in ((-40.0, None), (40.0, Contact("Ground", (0.0, 0.0, -1.0)))):
            place = (north_m, 0.0, -Ground(WAVES).height_m(north_m, 0.0) - 0.1)
            states.append(
                VehicleState(
                    0.0, place, (0.0,) * 3, (1.0, 0.0, 0.0, 0.0), (0.0,) * 3,
                    contact is not None, contact,
                )
            )  # fmt: skip
        return [judge.is_collision(state, MissionState.LAND) for state in states]

    assert touches(Ground(WAVES)) == [False, False]
    assert touches(LEVEL) == [False, True]


def test_map_of_a_slope_has_its_heights_and_that_of_level_ground_has_none(tmp_path):
    file = tmp_path / "slope.yaml"
    slope = Terrain(-60.0, -60.0, 60.0, ((0.0,) * 3, (3.0,) * 3, (6.0,) * 3))
    save_world(crossing(terrain=slope), file)
    profile = CONFIG.simulator.model_dump(mode="json")
    config = make_config({"simulator": {**profile, **map_of(str(file), 1)}}, "test")
    ground = Ground(config.simulator.ground)
    assert ground.height_m(33.0, 7.0) == pytest.approx(ground_height_m(slope, 33.0, 7.0), abs=0.02)
    save_world(crossing(), file)
    assert "ground" not in map_of(str(file), 1)


def test_incomplete_grid_is_refused():
    grid = {"south_m": 0, "west_m": 0, "spacing_m": 5, "heights_m": [[0, 1], [0, 1, 2]]}
    with pytest.raises(ConfigError, match="rows have 2 to 3 values"):
        make_config({"simulator": {**CONFIG.simulator.model_dump(), "ground": grid}}, "test")
