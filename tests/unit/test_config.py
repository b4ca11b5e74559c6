"""If these fail, an error in a configuration changes a flight silently or ends in a traceback."""

import itertools

import pytest
import yaml
from pydantic import BaseModel

from followme_uav.config import (
    CONFIG_DIR,
    DEFAULT_CONFIG,
    Allowed,
    FlightConfig,
    changed,
    descriptions,
    load_config,
    read_yaml,
)
from followme_uav.config.derived import FORMULAS
from followme_uav.errors import ConfigError
from followme_uav.scenario.tune import SPACE, read_space

LOOPS = ("pan", "tilt", "yaw", "forward", "altitude")
PROFILES = sorted(path.stem for path in (CONFIG_DIR / "simulators").glob("*.yaml"))


@pytest.mark.parametrize("profile", PROFILES)
def test_every_simulator_profile_loads(profile):
    assert load_config(simulator=profile).simulator.name == profile


def test_override_changes_its_key_only():
    plain, changed = load_config(), load_config(overrides=["control.yaw.kp=0.8"])
    assert changed.control.yaw.kp == 0.8
    assert changed.control.yaw.limit == plain.control.yaw.limit


def test_keys_that_a_file_lacks_have_their_defaults(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("patrol:\n  speed_mps: 2.5\n")
    config = load_config(path)
    assert config.patrol.speed_mps == 2.5
    assert config.mission == load_config().mission


def test_configuration_read_from_its_own_dump_is_the_same(tmp_path):
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
        ("simulator.patrol_waypoints_m=[]", ["flyable_m needs patrol_waypoints_m"]),
        ("camera.rate_hz=1e-9", ["camera.rate_hz", "must be from 2 to 50"]),
        ("camera.rate_hz=1e309", ["camera.rate_hz", "finite"]),
        ("rpc.deadline_s=1e300", ["rpc.deadline_s", "must be from 0.05 to 600"]),
        ("observe.hero_threshold=.nan", ["observe.hero_threshold", "from 0 to 1"]),
        ("control.yaw.kp=-.inf", ["control.yaw.kp", "from -1000 to 1000"]),
        ("simulator.host=' '", ["simulator.host", "must not be empty"]),
        ("simulator.camera_mount_m=[0, 1e9, 0]", ["camera_mount_m.1", "from -100 to 100"]),
    ],
)
def test_wrong_override_is_an_error_of_one_line_that_names_the_key(override, words):
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
def test_wrong_file_is_an_error_of_one_line_that_names_the_file(tmp_path, text, words):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    assert all(word in message for word in words)


def test_error_names_a_missing_file_and_an_unknown_profile(tmp_path):
    with pytest.raises(ConfigError, match=r"absent\.yaml"):
        load_config(tmp_path / "absent.yaml")
    with pytest.raises(ConfigError, match="'unreel' is unknown; choose from"):
        load_config(simulator="unreel")


def numbers_of(section, start=()):
    """Yield the keys of all numbers in a section, with their allowed ranges."""
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from numbers_of(value, (*start, name))
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            rules = [rule for rule in field.metadata if isinstance(rule, Allowed)]
            yield ".".join((*start, name)), rules


NUMBERS = dict(numbers_of(load_config()))


def test_every_number_has_an_allowed_range():
    assert len(NUMBERS) > 100
    assert not [key for key, rules in NUMBERS.items() if len(rules) != 1]


@pytest.mark.parametrize("value", [".nan", ".inf", "-.inf", "1e300", "-1e300"])
def test_extreme_value_of_any_number_is_refused_with_the_allowed_range(value):
    for key, (rule,) in NUMBERS.items():
        with pytest.raises(ConfigError) as caught:
            load_config(overrides=[f"{key}={value}"])
        message = str(caught.value)
        assert message.startswith(f"--set {key}={value}: {key}: "), message
        assert str(rule) in message


def test_ends_of_each_allowed_range_are_allowed():
    for key, (rule,) in NUMBERS.items():
        for value in (rule.low, rule.high):
            if key not in ("simulator.camera_fov_deg",):  # its type excludes them
                load_config(overrides=[f"{key}={value!r}"])


@pytest.mark.parametrize(
    "overrides",
    [
        ["camera.rate_hz=.nan", "camera.rate_hz=10"],
        ["duration_s=-1", "duration_s=20"],
        ["simulator.port=0", "simulator.port=41451"],
        ["patrol.sped_mps=1", "patrol.speed_mps=1"],
    ],
)
def test_override_is_checked_even_if_a_later_one_replaces_it(overrides):
    with pytest.raises(ConfigError, match=overrides[0].partition("=")[0]):
        load_config(overrides=overrides)


def test_value_in_a_file_is_checked_even_if_an_override_replaces_it(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("camera: {rate_hz: 1.0e-9}\n")
    with pytest.raises(ConfigError, match=r"mine\.yaml: camera\.rate_hz: must be from 2 to 50"):
        load_config(path, ["camera.rate_hz=10"])
    with pytest.raises(ConfigError, match=r"mine\.yaml: camera\.rate_hz: must be from 2 to 50"):
        changed(load_config(), path, ["camera.rate_hz=10"])


def test_profile_in_a_file_is_checked_even_if_the_command_line_replaces_it(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("simulator: marz\n")
    with pytest.raises(ConfigError, match="'marz' is unknown"):
        load_config(path, simulator="embedded")


def test_keys_that_depend_on_each_other_may_be_set_in_any_order():
    together = ["simulator.patrol_waypoints_m=[[500, 0]]", "simulator.flyable_m=[]"]
    for overrides in (together, together[::-1]):
        assert load_config(overrides=overrides).simulator.patrol_waypoints_m == ((500.0, 0.0),)


def test_old_log_may_have_a_value_that_is_not_allowed_today():
    data = load_config().model_dump(mode="json")
    data["camera"]["rate_hz"] = 0.5
    old = FlightConfig.model_validate(data)
    assert changed(old, overrides=["control.yaw.kp=0.8"]).camera.rate_hz == 0.5
    with pytest.raises(ConfigError, match="must be from 2 to 50"):
        changed(old, overrides=["camera.rate_hz=0.5"])


def test_all_values_of_the_tuning_space_are_allowed():
    assert read_space(SPACE)


def test_tuning_space_beyond_the_allowed_range_is_refused(tmp_path):
    path = tmp_path / "space.yaml"
    path.write_text("control.feed_forward: {low: 0.5, high: 1.1}\n")
    with pytest.raises(ConfigError, match=r"control\.feed_forward.*from 0 to 1"):
        read_space(path)


# The descriptions


def keys_of(mapping, start=""):
    """Dotted keys of a mapping and of those inside."""
    for name, value in mapping.items():
        yield f"{start}{name}"
        if isinstance(value, dict):
            yield from keys_of(value, f"{start}{name}.")


def test_every_key_of_the_configuration_has_a_description():
    described = descriptions(FlightConfig)
    assert set(keys_of(load_config().model_dump(mode="json"))) == set(described)
    assert not [key for key, text in described.items() if not text.endswith(".")]


def test_default_file_has_every_key_but_derived_ones_and_gains_of_zero():
    in_file = set(keys_of(read_yaml(DEFAULT_CONFIG)))
    described = set(descriptions(FlightConfig))
    zero_gains = {f"control.{loop}.{gain}" for loop in LOOPS for gain in ("ki", "kd")}
    left_out = {key for key in described - in_file if not key.startswith("simulator.")}
    assert in_file <= described
    assert left_out == set(FORMULAS) | zero_gains


def test_aliases_that_stand_for_endless_or_countless_values_are_one_line(tmp_path):
    """Nine lines can stand for a billion values, whose text would fill the memory."""
    lines = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    for former, name in itertools.pairwise("abcdefghi"):
        lines.append(f"{name}: &{name} [{', '.join([f'*{former}'] * 10)}]")
    for text in ("\n".join(lines), "camera: &camera {rate_hz: *camera}", "a: &a [*a]"):
        path = tmp_path / "many.yaml"
        path.write_text(text)
        with pytest.raises(ConfigError, match=r"many\.yaml: not valid YAML: .*too many values"):
            load_config(path)


def test_aliases_are_values(tmp_path):
    path = tmp_path / "few.yaml"
    path.write_text("camera: {rate_hz: &rate 20}\ndepth: {rate_hz: *rate}")
    assert read_yaml(path) == {"camera": {"rate_hz": 20}, "depth": {"rate_hz": 20}}


def test_deeply_nested_values_are_one_line(tmp_path):
    deep = "[" * 1500 + "]" * 1500
    path = tmp_path / "deep.yaml"
    path.write_text(f"patrol: {deep}\n")
    with pytest.raises(ConfigError, match=r"deep\.yaml: nested too deeply"):
        load_config(path)
    with pytest.raises(ConfigError, match="not valid YAML"):
        load_config(overrides=[f"patrol={deep}"])


def test_number_of_very_many_digits_is_one_line(tmp_path):
    """Python reads it from hexadecimal digits, but does not write it."""
    path = tmp_path / "long.yaml"
    path.write_text(f"camera: {{rate_hz: 0x{'f' * 5000}}}\n")
    with pytest.raises(ConfigError, match=r"long\.yaml: camera\.rate_hz: .* very many digits"):
        load_config(path)


def test_profile_without_streets_and_waypoints_is_flown_without_a_map():
    overrides = ["simulator.patrol_waypoints_m=[]", "simulator.flyable_m=[]"]
    for order in (overrides, overrides[::-1]):
        assert not load_config(overrides=order).simulator.has_map
    assert not load_config(simulator="embedded-no-map").simulator.has_map
    assert load_config().simulator.has_map


def test_flight_without_a_map_needs_metric_depth():
    with pytest.raises(ConfigError, match="without metric_depth the patrol needs"):
        load_config(simulator="embedded-no-map", overrides=["simulator.metric_depth=false"])


@pytest.mark.parametrize(
    "value",
    ["2024-13-45", "9" * 5000, "0b_", "!!int x", "!!float ''", "!!bool x", "!!timestamp now"],
)
def test_value_that_has_not_the_form_of_its_type_is_one_line(tmp_path, value):
    """PyYAML raises errors of other kinds than its own for these."""
    path = tmp_path / "mine.yaml"
    path.write_text(f"duration_s: {value}\n")
    with pytest.raises(ConfigError, match=r"mine\.yaml: not valid YAML") as found:
        read_yaml(path)
    assert "\n" not in str(found.value)
    with pytest.raises(ConfigError, match=r"--set duration_s=.*not valid YAML"):
        load_config(overrides=[f"duration_s={value}"])
