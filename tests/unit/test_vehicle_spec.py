"""Vehicle files: the shipped ones, their schema, and errors in one line."""

import math

import pytest
import yaml

from followme_uav.errors import ConfigError
from followme_uav.resources import found_in
from followme_uav.sim.build import make_simulation
from followme_uav.sim.vehicle.autopilot import Autopilot
from followme_uav.sim.vehicle.simple_flight import SimpleFlight
from followme_uav.sim.vehicle.vehicle_spec import (
    DEFAULT_VEHICLE,
    GRAVITY_MPS2,
    content_of,
    load_vehicle,
)
from followme_uav.sim.world_plan import plan_world


def complaint(content):
    with pytest.raises(ConfigError) as error:
        load_vehicle(content)
    text = str(error.value)
    assert "\n" not in text
    return text


def changed(**airframe):
    return {"extends": "simpleflight", "airframe": airframe}


@pytest.mark.parametrize("name", sorted(found_in("vehicles")))
def test_each_shipped_vehicle_is_valid(name):
    assert load_vehicle(name).airframe.mass_kg > 0.0


def test_default_vehicle_is_used_where_none_is_named():
    assert load_vehicle() == load_vehicle(DEFAULT_VEHICLE)


def test_simpleflight_has_the_mass_inertia_and_thrust_that_airlib_computes():
    frame = load_vehicle("simpleflight").airframe
    box_kg, motor_kg, arm_m, up_m = 0.78, 0.055, 0.2275, 0.025
    x, y, z = 0.18, 0.11, 0.04
    side_m = arm_m / math.sqrt(2.0)
    lying = 4.0 * motor_kg * (side_m**2 + up_m**2)
    assert frame.inertia_kgm2 == pytest.approx(
        (
            box_kg / 12.0 * (y * y + z * z) + lying,
            box_kg / 12.0 * (x * x + z * z) + lying,
            box_kg / 12.0 * (x * x + y * y) + 4.0 * motor_kg * arm_m**2,
        ),
        rel=1e-3,
    )
    assert (frame.rotor_x_m, frame.rotor_y_m) == pytest.approx((side_m, side_m), rel=1e-3)
    diameter_m, height_m, density, ratio = 0.2286, 0.01, 1.2107, 0.98833
    thrust_n = 0.109919 * 1.225 * (6396.667 / 60.0) ** 2 * diameter_m**4
    assert frame.throttle_thrust_n == pytest.approx(thrust_n * ratio, rel=1e-3)
    edge, disc = math.pi * diameter_m * height_m, math.pi * diameter_m**2
    areas = (y * z + 4.0 * edge, x * z + 4.0 * edge, x * y + 4.0 * disc)
    drag = tuple(0.5 * 1.3 / 4.0 * density * area for area in areas)
    assert frame.quadratic_drag_ns2_per_m2 == pytest.approx(drag, rel=1e-3)


def test_throttle_of_hovering_is_that_of_airsim_on_both_vehicles():
    for name in ("nimble", "simpleflight"):
        frame = load_vehicle(name).airframe
        assert frame.weight_n / (4.0 * frame.throttle_thrust_n) == pytest.approx(0.594, abs=1e-3)


def test_file_that_extends_another_one_changes_only_its_keys(tmp_path):
    path = tmp_path / "heavy.yaml"
    path.write_text(yaml.safe_dump(changed(mass_kg=1.25)))
    heavy, light = load_vehicle(path), load_vehicle("simpleflight")
    assert heavy.airframe.mass_kg == 1.25
    assert heavy.airframe.model_copy(update={"mass_kg": 1.0}) == light.airframe
    assert heavy.controller == light.controller


def test_content_of_a_vehicle_is_a_vehicle_of_its_own():
    assert load_vehicle(content_of("simpleflight")) == load_vehicle("simpleflight")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (changed(mass_kg=-1.0), "airframe.mass_kg"),
        (changed(rotor_lag_s=3.0), "from 0.001 to 0.3"),
        (changed(mass_kg=2.0), "do not lift 2 kg"),
        (changed(masskg=1.0), "airframe.masskg: unknown key"),
        (changed(hover_throttle=0.5), "either hover_throttle or full_throttle_n"),
        (changed(inertia_kgm2=[0.01, 0.01]), "inertia_kgm2"),
        (changed(mass_kg=math.nan), "airframe.mass_kg"),
        ({"extends": "simpleflight", "controller": {"kind": "magic"}}, "controller"),
        ({"extends": "simpleflight", "tasks": {"rules": "none"}}, "tasks.rules"),
        ({"extends": "unheard_of"}, "vehicle 'unheard_of' is unknown"),
        ({"extends": 3}, "write the name of a vehicle"),
        ({"airframe": {"mass_kg": 1.0}}, "missing"),
        ("unheard_of", "give a file, or one of nimble, simpleflight"),
        ("no/such/file.yaml", "No such file"),
    ],
)
def test_wrong_vehicle_is_refused_in_one_line_that_names_the_key(content, words):
    assert words in complaint(content)


def test_world_names_the_vehicle_and_the_simulation_flies_it():
    plan = plan_world(vehicle="nimble", people=0, cars=0)
    assert isinstance(make_simulation(plan, None, (32, 32)).autopilot, Autopilot)
    plan = plan_world(vehicle=changed(mass_kg=1.25), people=0, cars=0)
    heavy = make_simulation(plan, None, (32, 32))
    assert heavy.vehicle.airframe.weight_n == pytest.approx(1.25 * GRAVITY_MPS2)
    default = make_simulation(plan_world(people=0, cars=0), None, (32, 32))
    assert isinstance(default.autopilot, SimpleFlight)


def test_world_with_an_unknown_vehicle_is_refused_by_file_and_key():
    with pytest.raises(ConfigError, match=r"world: .*vehicle 'unheard_of' is unknown"):
        plan_world(vehicle="unheard_of")
