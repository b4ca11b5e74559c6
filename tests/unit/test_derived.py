"""If these fail, a key that was left out has a wrong value, or a value that was given is lost."""

import json
import math
from types import SimpleNamespace

import pytest
import yaml

from followme_uav.config import (
    CONFIG_DIR,
    DEFAULT_CONFIG,
    Allowed,
    FlightConfig,
    changed,
    load_config,
    make_config,
    of_older_version,
    read_yaml,
)
from followme_uav.config.checking import rule_of
from followme_uav.config.derived import FORMULAS, absent, with_derived, without_derived
from followme_uav.errors import ConfigError
from followme_uav.log.reader import read_log
from followme_uav.log.writer import FlightLogWriter
from followme_uav.scenario.script.plan import Campaign, Variant
from followme_uav.scenario.tune import Span, present_values
from tests.conftest import make_entry

DEFAULT = load_config()
SHIPPED = {
    "camera.width_px": 160,
    "camera.height_px": 160,
    "depth.range_m": 36.0,
    "hero.centroid_height_m": 0.95,
    "hero.area_m2": 0.5,
    "detection.min_confidence": 0.6,
    "measurement.direction_sigma_rad": 0.012,
    "measurement.position_sigma_m": 0.12,
    "measurement.hidden_sigma_m": 0.5,
    "measurement.merged_area_min": 1.3,
    "classification.distance_m": 16.0,
    "classification.confirm_distance_m": 9.0,
    "classification.expected_distance_m": 26.0,
    "classification.area_max": 1.8,
    "explore.view_m": 26.0,
    "association.fallback_gate": 25.0,
    "association.follow_area_min": 0.2,
    "association.approach_distance_m": 40.0,
    "association.reject_radius_m": 5.0,
    "track.speed_sigma_mps": 1.8,
    "mission.takeoff_done_altitude_m": 1.0,
    "association.first_look_s": 6.0,
    "mission.acquire_frames": 8,
    "mission.reject_frames": 16,
    "mission.reacquire_frames": 3,
    "mission.first_misses": 4.0,
    "mission.acquire_misses": 10.0,
    "mission.reject_s": 20.0,
    "mission.image_gap_s": 0.5,
    "mission.failsafe_hover_s": 1.0,
    "mission.hard_touch_mps": 2.0,
    "mission.fall_mps": 3.5,
    "mission.land_timeout_s": 59.0,
    "mission.landing_off_waypoint_m": 16.0,
    "search.dwell_s": 1.5,
    "search.predicted_s": 12.0,
    "control.pan.kp": 0.42,
    "control.tilt.kp": 0.42,
}
"""The values of the flights whose figures the documentation has."""

RESIZED = load_config(overrides=["camera.source_width_px=500", "camera.source_height_px=300"])
OF_SIZES = ("camera.width_px", "camera.height_px")
OF_EXTREMES = (
    "association.approach_distance_m",
    "classification.distance_m",
    "detection.min_confidence",
    "mission.fall_mps",
)
BASE = sorted({key for formula in FORMULAS.values() for key in formula.of} - set(FORMULAS))


def value_of(config, key):
    node = config
    for part in key.split("."):
        node = getattr(node, part)
    return node


def nested(key, value):
    """{"section": {"key": value}}."""
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def half_again(key):
    """An allowed value well away from the default: `section.key=value`."""
    value, rule = value_of(DEFAULT, key), rule_of(FlightConfig, tuple(key.split(".")))
    if not value:  # the size of images that are not resized
        return f"{key}=320"
    other = type(value)(value * 1.5)
    if other > rule.high or other == value:
        other = type(value)(value / 2.0)
    return f"{key}={other}"


def test_each_formula_gives_the_value_that_flights_were_judged_with():
    assert set(SHIPPED) == set(FORMULAS)
    assert {key: value_of(DEFAULT, key) for key in FORMULAS} == SHIPPED


def test_default_file_leaves_all_derived_keys_out():
    assert set(absent(read_yaml(DEFAULT_CONFIG))) == set(FORMULAS)


def test_each_formula_comes_after_those_that_it_depends_on_and_has_a_reason():
    done = []
    for key, formula in FORMULAS.items():
        assert not set(formula.of) & (set(FORMULAS) - set(done)), key
        assert "\n" not in formula.why and formula.why
        done.append(key)


@pytest.mark.parametrize("key", FORMULAS)
def test_derived_key_moves_with_each_number_that_it_follows_from(key):
    of = RESIZED if key in OF_SIZES else DEFAULT
    moving = []
    for base in FORMULAS[key].of:
        derived_too = [name for name in FORMULAS[key].of if name in FORMULAS and name != base]
        fixed = [f"{name}={value_of(of, name)}" for name in derived_too]
        config = changed(of, None, [half_again(base), *fixed])
        moving.append(value_of(config, key) != value_of(of, key))
    assert any(moving)
    # The least, greatest or best of several numbers does not move with the others.
    assert all(moving) or key in OF_EXTREMES + OF_SIZES


@pytest.mark.parametrize("key", FORMULAS)
def test_given_value_counts_whether_in_a_file_or_an_override(tmp_path, key):
    override = half_again(key)
    value = yaml.safe_load(override.partition("=")[2])
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(nested(key, value)))
    for config in (
        load_config(path),
        load_config(overrides=[override]),
        changed(DEFAULT, path),
        changed(DEFAULT, None, [override]),
    ):
        assert value_of(config, key) == value != SHIPPED[key]


def test_given_value_stays_when_the_numbers_of_its_formula_change():
    config = load_config(overrides=["hero.area_m2=0.5", "hero.height_m=1.2"])
    assert (config.hero.area_m2, config.hero.centroid_height_m) == (0.5, 0.67)


def test_numbers_of_one_section_move_those_of_others_through_other_derived_keys():
    config = load_config(overrides=["mission.acquire_frames=12"])
    mission = config.mission
    assert (mission.reject_frames, mission.reacquire_frames, mission.first_misses) == (24, 4, 6.0)
    assert mission.acquire_misses == 14.0


def test_heights_in_pixels_hold_for_every_camera():
    """A wider view and a larger image make the hero smaller and larger in the image."""
    for size_px, fov_deg in ((160, 60), (640, 90), (320, 60), (160, 90)):
        config = load_config(
            overrides=[
                f"camera.width_px={size_px}",
                f"camera.height_px={min(size_px, 480)}",
                f"simulator.camera_fov_deg={fov_deg}",
            ]
        )
        px_per_m = size_px / (2.0 * math.tan(math.radians(fov_deg) / 2.0))

        def height_px(distance_m, px_per_m=px_per_m):
            return 1.7 * px_per_m / distance_m

        classification = config.classification
        assert height_px(classification.distance_m) == pytest.approx(15.0, rel=0.05)
        assert height_px(classification.confirm_distance_m) == pytest.approx(26.2, rel=0.05)
        assert height_px(classification.expected_distance_m) == pytest.approx(9.0, rel=0.05)
        sigma_px = config.measurement.direction_sigma_rad * px_per_m
        assert sigma_px == pytest.approx(1.66, rel=0.05)
        area_px = 0.5 * (px_per_m / config.association.approach_distance_m) ** 2
        farthest_m = config.patrol.speed_mps * config.mission.acquire_timeout_s
        is_in_reach = config.association.approach_distance_m < farthest_m
        assert area_px == pytest.approx(6.0, rel=0.1) if is_in_reach else area_px > 6.0
        assert config.control.pan.kp == pytest.approx(0.8 * math.radians(fov_deg) / 2.0, rel=0.02)


def test_hero_is_classified_from_the_wanted_distance_even_with_few_pixels():
    """Otherwise an approach would end where nothing can be told."""
    few_px = ["camera.width_px=64", "camera.height_px=64"]
    for wanted_m in (3.0, 7.0, 28.0):
        config = load_config(overrides=[*few_px, f"control.wanted_distance_m={wanted_m}"])
        assert config.classification.distance_m > 1.2 * wanted_m


def test_derived_values_stay_in_their_allowed_ranges_at_the_ends_of_all_others():
    for base in BASE:
        rule = rule_of(FlightConfig, tuple(base.split(".")))
        assert isinstance(rule, Allowed)
        for end in (rule.low, rule.high):
            if base != "simulator.camera_fov_deg":  # its type excludes them
                load_config(overrides=[f"{base}={end!r}"])  # or it raises ConfigError


@pytest.mark.parametrize("value", ["tall", "-1", ".nan", "[1, 2]", "1e300"])
def test_error_names_the_wrong_number_and_not_a_key_that_follows_from_it(tmp_path, value):
    path = tmp_path / "mine.yaml"
    path.write_text(f"hero: {{height_m: {value}}}\n")
    for read in (load_config, lambda file: changed(DEFAULT, file)):
        with pytest.raises(ConfigError) as caught:
            read(path)
        assert f"{path}: hero.height_m: " in str(caught.value)
        assert "more problems" not in str(caught.value)
    with pytest.raises(ConfigError, match=r"^--set hero.height_m=.*: hero.height_m: "):
        load_config(overrides=[f"hero.height_m={value}"])


def test_section_that_is_no_mapping_is_an_error_of_one_line():
    for changes in ({"hero": 5}, {"control": {"pan": 0.4}}, {"simulator": {"name": "x"}}):
        with pytest.raises(ConfigError) as caught:
            make_config(changes, "mine.yaml")
        assert str(caught.value).startswith("mine.yaml: ")
        assert "\n" not in str(caught.value)


def test_data_is_left_as_it_was():
    data = without_derived(DEFAULT)
    before = json.dumps(data)
    assert with_derived(data) == DEFAULT.model_dump(mode="json")
    assert json.dumps(data) == before


# Logs, and changes to them


def test_log_has_all_values_and_keeps_its_own(tmp_path):
    """A formula of today must not decide how an old flight is replayed."""
    own = changed(DEFAULT, None, [half_again(key) for key in FORMULAS])
    assert all(value_of(own, key) != SHIPPED[key] for key in FORMULAS)
    path = tmp_path / "old.mcap"
    with FlightLogWriter(path, own, "") as log:
        log.write(make_entry(0))
    assert read_log(path).metadata.config == own
    assert changed(own) == own


def test_key_that_an_old_log_lacks_follows_from_its_other_values(tmp_path):
    settings = DEFAULT.model_dump(mode="json")
    settings["mission"].update(acquire_frames=6, rejected_weight=3)
    del settings["mission"]["reject_frames"]
    path = tmp_path / "old.mcap"
    older = SimpleNamespace(model_dump_json=lambda: json.dumps(settings), log=DEFAULT.log)
    with FlightLogWriter(path, older, "") as log:
        log.write(make_entry(0))
    mission = read_log(path).metadata.config.mission
    assert mission.reject_frames == 18
    assert mission.reacquire_frames == 3, "the log has this one"
    assert FlightConfig.model_validate(of_older_version(settings)).mission == mission


def test_change_of_a_logged_flight_moves_the_keys_that_followed_their_formulas():
    own = changed(DEFAULT, None, ["mission.reject_frames=20"])
    mission = changed(own, None, ["mission.acquire_frames=12"]).mission
    assert (mission.reject_frames, mission.first_misses) == (20, 6.0)


def test_changed_profile_moves_the_keys_that_follow_from_its_camera(tmp_path):
    profile = {**read_yaml(CONFIG_DIR / "simulators" / "embedded.yaml"), "camera_fov_deg": 90.0}
    (tmp_path / "wide.yaml").write_text(yaml.safe_dump(profile))
    path = tmp_path / "mine.yaml"
    path.write_text(f"simulator: {tmp_path / 'wide.yaml'}\n")
    for config in (load_config(path), changed(DEFAULT, path)):
        assert config.control.pan.kp == 0.63
        assert config.classification.distance_m == 9.1


def test_tuning_starts_at_derived_values_and_may_search_them():
    space = {key: Span(low=0.0, high=1e3) for key in ("control.pan.kp", "association.gate")}
    variant = Variant(overrides=("simulator.camera_fov_deg=90",))
    assert present_values(Campaign((), (variant,)), space) == {
        "control.pan.kp": 0.63,
        "association.gate": 11.0,
    }
