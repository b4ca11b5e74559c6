"""If these fail, a slip in a configuration changes a flight silently or ends in a traceback."""

import pytest
import yaml

from followme_uav.config import CONFIG_DIR, FlightConfig, load_config
from followme_uav.errors import ConfigError

PROFILES = sorted(path.stem for path in (CONFIG_DIR / "simulators").glob("*.yaml"))


@pytest.mark.parametrize("profile", PROFILES)
def test_every_simulator_profile_loads(profile):
    assert load_config(simulator=profile).simulator.name == profile


def test_override_changes_one_key_only():
    plain, changed = load_config(), load_config(overrides=["control.yaw.kp=0.8"])
    assert changed.control.yaw.kp == 0.8
    assert changed.control.yaw.limit == plain.control.yaw.limit


def test_a_file_with_some_keys_is_completed_by_the_defaults(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("patrol:\n  speed_mps: 2.5\n")
    config = load_config(path)
    assert config.patrol.speed_mps == 2.5
    assert config.mission == load_config().mission


def test_a_configuration_survives_its_own_dump(tmp_path):
    config = load_config()
    dumped = yaml.safe_dump(config.model_dump(mode="json"))
    assert FlightConfig.model_validate(yaml.safe_load(dumped)) == config


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("control.yaw.kpp=1", ["--set control.yaw.kpp=1", "unknown key"]),
        ("patrol.speed_mps=fast", ["patrol.speed_mps", "fast"]),
        ("patrol.speed_mps=-1", ["patrol.speed_mps", "greater than 0"]),
        ("patrol.speed_mps=.nan", ["patrol.speed_mps", "finite"]),
        ("camera.width_px=161", ["camera.width_px", "multiple of 8"]),
        ("nowhere.key=1", ["no section 'nowhere'"]),
        ("nonsense", ["section.key=value"]),
        ("simulator.patrol_waypoints_m=[[500, 0]]", ["lies outside flyable_m"]),
    ],
)
def test_a_bad_override_is_one_line_that_names_the_key(override, words):
    with pytest.raises(ConfigError) as caught:
        load_config(overrides=[override])
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("patrool:\n  speed_mps: 1\n", ["patrool", "unknown key"]),
        ("[1, 2]", ["key: value"]),
        ("a: [1, 2", ["not valid YAML"]),
        ("a: !!python/object/apply:os.system ['true']", ["not valid YAML"]),
    ],
)
def test_a_bad_file_is_one_line_that_names_the_file(tmp_path, text, words):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    assert all(word in message for word in words)


def test_missing_file_and_unknown_profile_are_named(tmp_path):
    with pytest.raises(ConfigError, match=r"absent\.yaml"):
        load_config(tmp_path / "absent.yaml")
    with pytest.raises(ConfigError, match="'unreel' is unknown; choose from"):
        load_config(simulator="unreel")
