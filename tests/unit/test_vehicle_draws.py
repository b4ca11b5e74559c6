"""If these fail, drawn vehicles are not reproducible, cannot fly, or failures hide their cause."""

from dataclasses import replace

import pytest

from followme_uav.scenario.execution.jobs import jobs_of
from followme_uav.scenario.report.extremes import DrawsOfRun
from followme_uav.scenario.script.draws import draw_scenario
from followme_uav.scenario.script.plan import Variant, one_variant
from followme_uav.scenario.script.random_draws import DRAWS, draws_of
from followme_uav.scenario.script.vehicle_draws import (
    BASES,
    DRAG,
    DRAWN,
    GAINS,
    MASS,
    ROTOR_LAG,
    draw_vehicle,
    vehicle_draws_of,
)
from followme_uav.sim.vehicle.vehicle_spec import DEFAULT_VEHICLE, load_vehicle
from tests.unit.scenario_parts import result

SEEDS = range(60)


def test_drawn_vehicles_are_valid_cover_their_ranges_and_depend_on_the_seed_only():
    draws = [vehicle_draws_of(draw_vehicle(seed)) for seed in SEEDS]
    assert draws == [vehicle_draws_of(draw_vehicle(seed)) for seed in SEEDS]
    assert {draw["vehicle"] for draw in draws} == set(BASES)
    for name, (low, high) in {
        "mass": MASS, "drag": DRAG, "rotor_lag": ROTOR_LAG, "gains": GAINS
    }.items():  # fmt: skip
        values = [draw[name] for draw in draws]
        assert low <= min(values) < low + 0.2 * (high - low)
        assert high - 0.4 * (high - low) < max(values) <= high


def test_vehicle_of_a_file_is_its_own_measure():
    assert vehicle_draws_of(None)["vehicle"] == DEFAULT_VEHICLE
    assert vehicle_draws_of("simpleflight") == {
        "vehicle": "simpleflight", "mass": 1.0, "drag": 1.0, "rotor_lag": 1.0, "gains": 1.0
    }  # fmt: skip
    heavy = {"extends": "nimble", "airframe": {"mass_kg": 1.5 * 1.325}}
    assert vehicle_draws_of(heavy)["mass"] == 1.5
    whole = load_vehicle("nimble").model_dump(mode="json", exclude_unset=True)
    assert vehicle_draws_of(whole)["vehicle"] == "own"


def test_each_flight_of_a_run_has_a_vehicle_of_its_own():
    variant = Variant(pilot="oracle", world={"vehicle": DRAWN})
    jobs = jobs_of(one_variant([], variant, random_seeds=[9001, 9002]))
    scenarios = [job.scenario() for job in jobs]
    assert [s.world.vehicle for s in scenarios] == [draw_vehicle(9001), draw_vehicle(9002)]
    assert scenarios[0].world.hero == draw_scenario(9001).world.hero
    delays = [event.delay for s in scenarios for event in s.events if event.delay]
    assert len(delays) == 2, "each has a slow link"
    assert all(0 <= delay.frames_ms == delay.commands_ms <= 150 for delay in delays)
    draws = draws_of(scenarios[0], 9001, jobs[0].flight_config())
    assert list(draws) == list(DRAWS)


@pytest.mark.parametrize(("flights", "found"), [(40, {"drag": 5.0}), (10, {})])
def test_extreme_conditions_of_a_failure_are_named_in_a_run_of_enough_flights(flights, found):
    flown = [
        replace(result(), draws={"drag": 1.0 + i % 3, "people": i, "fog": 0.0})
        for i in range(flights)
    ]
    failed = replace(result(), draws={"drag": 5.0, "people": flights // 2, "fog": 0.0})
    assert DrawsOfRun([*flown, failed]).extremes_of(failed) == found
