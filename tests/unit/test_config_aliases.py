"""If these fail, former names of configuration keys no longer work in files, overrides, logs."""

import json
from types import SimpleNamespace

import pytest
import yaml

from followme_uav.config import (
    DEFAULT_CONFIG,
    FlightConfig,
    Section,
    changed,
    load_config,
    of_older_version,
)
from followme_uav.config.aliases import ALIASES, renamed, renamed_key
from followme_uav.errors import ConfigError
from followme_uav.log.reader import read_log
from followme_uav.log.writer import FlightLogWriter
from followme_uav.scenario import tune
from followme_uav.scenario.script.plan import Campaign, Variant
from followme_uav.scenario.script.script import Scenario
from tests.conftest import make_entry

DEFAULT = load_config()
PAIRS = sorted(ALIASES.items())


def value_of(config, key):
    section, name = key.split(".")
    return getattr(getattr(config, section), name)


def other_value(key):
    """Return a valid value other than the default."""
    default = value_of(DEFAULT, key)
    return default + 1 if isinstance(default, int) else round(0.96 * default, 6)


LATER = ("association.first_look_s",)
"""Keys that no program with the former names had, in sections that it did not have either."""


def with_former_names(config):
    """Return the settings of a flight under the former names."""
    settings = config.model_dump(mode="json")
    for key in LATER:
        section, name = key.split(".")
        del settings[section][name]
    for former, key in ALIASES.items():
        (section, name), (former_section, former_name) = key.split("."), former.split(".")
        value = settings[section].pop(name)
        settings.setdefault(former_section, {})[former_name] = value
    return {name: section for name, section in settings.items() if section != {}}


def nested(values):
    """Turn {"section.key": value} into the nested form of a file."""
    settings = {}
    for dotted, value in values.items():
        section, name = dotted.split(".")
        settings.setdefault(section, {})[name] = value
    return settings


ALL_FORMER = {former: other_value(key) for former, key in PAIRS}
ALL_OTHER = changed(DEFAULT, None, [f"{key}={other_value(key)}" for key in ALIASES.values()])


@pytest.mark.parametrize(("former", "key"), PAIRS)
def test_former_name_works_in_a_file_and_in_an_override(tmp_path, former, key):
    value = other_value(key)
    path = tmp_path / "old.yaml"
    path.write_text(yaml.safe_dump(nested({former: value})))
    expected = changed(DEFAULT, None, [f"{key}={value}"])
    assert value_of(expected, key) == value != value_of(DEFAULT, key)
    assert changed(DEFAULT, path) == expected
    assert changed(DEFAULT, None, [f"{former}={value}"]) == expected


def test_all_former_names_work_in_one_file_and_in_overrides_of_a_new_flight(tmp_path):
    path = tmp_path / "old.yaml"
    path.write_text(yaml.safe_dump(nested(ALL_FORMER)))
    assert load_config(path) == ALL_OTHER
    assert load_config(overrides=[f"{k}={v}" for k, v in ALL_FORMER.items()]) == ALL_OTHER
    assert all(value_of(ALL_OTHER, key) != value_of(DEFAULT, key) for key in ALIASES.values())


def test_former_names_work_in_the_configuration_of_an_old_log():
    settings = with_former_names(ALL_OTHER)
    assert FlightConfig.model_validate(of_older_version(settings)) == ALL_OTHER


def test_log_with_all_former_names_has_its_own_settings(tmp_path):
    """Otherwise the log would be replayed with the present defaults."""
    settings = with_former_names(ALL_OTHER)
    assert {"observe", "tracker"} <= settings.keys()
    assert not {"detection", "measurement", "association", "classification"} & settings.keys()
    older_config = SimpleNamespace(model_dump_json=lambda: json.dumps(settings), log=DEFAULT.log)
    with FlightLogWriter(tmp_path / "old.mcap", older_config, "") as writer:
        writer.write(make_entry(0))
    assert read_log(tmp_path / "old.mcap").metadata.config == ALL_OTHER != DEFAULT


def assert_names_both(caught, former, key):
    message = str(caught.value)
    assert "\n" not in message
    assert former in message and key in message
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(("former", "key"), PAIRS)
def test_both_names_at_once_are_an_error_of_one_line(former, key):
    with pytest.raises(ConfigError) as caught:
        renamed(nested({former: other_value(key), key: other_value(key)}))
    assert_names_both(caught, former, key)


def test_both_names_in_one_file_are_an_error_of_one_line(tmp_path):
    path = tmp_path / "both.yaml"
    path.write_text("tracker: {gate: 9.5}\nassociation: {gate: 9.5}\n")
    for read in (load_config, lambda file: changed(DEFAULT, file)):
        with pytest.raises(ConfigError) as caught:
            read(path)
        assert_names_both(caught, "tracker.gate", "association.gate")


@pytest.mark.parametrize(
    "names", [("tracker.gate", "association.gate"), ("search.stare_s", "search.dwell_s")]
)
def test_last_of_two_overrides_of_a_key_counts_under_either_name(names):
    _, key = names
    for first, last in (names, names[::-1]):
        config = changed(DEFAULT, None, [f"{first}=3.5", f"{last}=4.5"])
        assert value_of(config, key) == 4.5


def test_override_takes_precedence_over_a_file_under_either_name(tmp_path):
    path = tmp_path / "old.yaml"
    path.write_text("tracker: {gate: 9.5}\n")
    assert load_config(path, ["association.gate=8.5"]).association.gate == 8.5
    path.write_text("association: {gate: 9.5}\n")
    assert load_config(path, ["tracker.gate=8.5"]).association.gate == 8.5


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("tracker.gate=-1", ["--set tracker.gate=-1", "association.gate", "greater than 0"]),
        ("observe.hero_threshold=2", ["--set observe.hero_threshold=2", "detection"]),
        ("tracker.gates=1", ["tracker.gates=1", "no section 'tracker'"]),
        ("search.stares_s=1", ["search.stares_s", "unknown key"]),
    ],
)
def test_wrong_override_with_a_former_name_is_an_error_that_names_it(override, words):
    with pytest.raises(ConfigError) as caught:
        load_config(overrides=[override])
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words)


def test_unknown_key_in_a_former_section_is_refused(tmp_path):
    path = tmp_path / "old.yaml"
    path.write_text("tracker: {gate: 9.5, gates: 9.5}\n")
    with pytest.raises(ConfigError, match=r"tracker: unknown key"):
        load_config(path)


def test_former_section_may_be_empty(tmp_path):
    path = tmp_path / "old.yaml"
    path.write_text("tracker: {}\nobserve: {}\n")
    assert load_config(path) == DEFAULT


# The table itself


def keys_of(kind, prefix=""):
    """Yield the dotted keys of a section."""
    for name, field in kind.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Section):
            yield from keys_of(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def test_every_alias_leads_to_a_key_and_no_two_to_the_same():
    keys = set(keys_of(FlightConfig))
    assert set(ALIASES.values()) <= keys
    assert len(set(ALIASES.values())) == len(ALIASES)


def test_no_former_name_is_a_present_name():
    assert not set(ALIASES) & set(keys_of(FlightConfig))
    assert not set(ALIASES) & set(ALIASES.values())


def test_default_file_has_present_names_only():
    settings = yaml.safe_load(DEFAULT_CONFIG.read_text(encoding="utf-8"))
    assert renamed(settings) == settings


def test_present_name_is_unchanged():
    assert renamed_key("association.gate") == "association.gate"
    assert renamed({"association": {"gate": 9.5}}) == {"association": {"gate": 9.5}}


def test_renaming_leaves_its_argument_unchanged():
    settings = {"tracker": {"gate": 9.5}, "association": {"reject_share": 0.2}}
    assert renamed(settings) == {"association": {"gate": 9.5, "reject_share": 0.2}}
    assert settings == {"tracker": {"gate": 9.5}, "association": {"reject_share": 0.2}}


def test_former_key_in_a_script_overrides_the_present_key_of_a_file():
    """Merged before renaming, both names would be in the result."""
    script = Scenario(
        name="one",
        why="test",
        duration_s=20,
        flight={"observe": {"height_max": 3}},
        expect={"collisions": 0},
    )
    config = script.config({"association": {"height_max": 2.5}})
    assert config.association.height_max == 3.0


def test_tuning_space_may_use_former_keys(tmp_path):
    path = tmp_path / "space.yaml"
    path.write_text("tracker.gate: {low: 8, high: 12}\n")
    campaign = Campaign(scenarios=(), variants=(Variant(),))
    assert tune.present_values(campaign, tune.read_space(path)) == {"tracker.gate": 11.0}
