"""Logs of versions 1 and 2 stay readable, comparable, and are replayed with their own settings.

`tests/data/version_2.mcap` was written by version 2: a flight in the small world of these tests
(`tests/toy_flight.py`, masks only) in which every key that was renamed later differs from its
default.
"""

import json
import math
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2
from mcap.reader import make_reader
from mcap.records import Metadata

from followme_uav.config import FlightConfig, Section, changed, load_config
from followme_uav.config.aliases import ALIASES, renamed, renamed_key
from followme_uav.log.edit import cut, recover
from followme_uav.log.mcap_records import Records
from followme_uav.log.reader import read_log
from followme_uav.log.schema import MESSAGES, RETIRED, SCHEMA_VERSION
from followme_uav.log.writer import FlightLogWriter
from followme_uav.messages import MissionState
from followme_uav.replay.comparison import NEW_FIELDS, fields_missing_in
from followme_uav.replay.reference import check_folder
from followme_uav.replay.setup import ReplaySetup, compare_log

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[1] / "data"
VERSION_1, VERSION_2 = DATA / "version_1.mcap", DATA / "version_2.mcap"
OLD_LOGS = [VERSION_1, VERSION_2]
RENAMED_MESSAGES = {"Observation": "Detection", "HeroEstimate": "TrackEstimate"}
RENAMED_FIELDS = {"observation": "detection", "hero": "track"}


def name(path):
    return path.stem


def settings_of(path):
    """The configuration in a log, as it was written."""
    return next(
        json.loads(record.metadata["config"])
        for record in Records(path)
        if isinstance(record, Metadata)
    )


def flat(settings, prefix=""):
    """Dotted key -> value."""
    found = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            found.update(flat(value, f"{prefix}{key}."))
        else:
            found[f"{prefix}{key}"] = value
    return found


@pytest.mark.parametrize("path", OLD_LOGS, ids=name)
def test_old_log_has_its_own_settings(path):
    """Every setting that exists today, under the same name or another, has the flight's value."""
    config = flat(json.loads(read_log(path).metadata.config.model_dump_json()))
    written = {renamed_key(key): value for key, value in flat(settings_of(path)).items()}
    kept = written.keys() & config.keys()
    assert {key: config[key] for key in kept} == {key: written[key] for key in kept}
    assert len(kept) >= 90
    renamed_and_written = {renamed_key(key) for key in ALIASES if key in flat(settings_of(path))}
    assert renamed_and_written <= kept
    assert len(renamed_and_written) >= 20


def test_log_of_version_2_differs_from_the_defaults_in_every_renamed_key():
    """Otherwise the other tests here would pass with the present defaults."""
    settings, default = flat(settings_of(VERSION_2)), flat(load_config().model_dump())
    assert all(settings[former] != default[key] for former, key in ALIASES.items())


def test_every_setting_of_version_2_is_known_today():
    """A key that was renamed without an alias would silently have its default."""

    def unknown(kind, settings, prefix=""):
        for key, value in settings.items():
            field = kind.model_fields.get(key)
            if field is None:
                yield f"{prefix}{key}"
            elif isinstance(field.annotation, type) and issubclass(field.annotation, Section):
                yield from unknown(field.annotation, value, f"{prefix}{key}.")

    assert list(unknown(FlightConfig, renamed(settings_of(VERSION_2)))) == []


def test_log_of_version_2_is_read():
    log = read_log(VERSION_2)
    entries = list(log.entries())
    assert (log.schema_version, len(entries), log.truncated) == (2, 200, False)
    states = {entry.step.state for entry in entries}
    assert {MissionState.PATROL, MissionState.FOLLOW, MissionState.SEARCH} <= states
    following = [entry.step for entry in entries if entry.step.state is MissionState.FOLLOW]
    assert sum(step.detection is not None for step in following) > 60
    assert all(math.isfinite(step.track.sigma_m) for step in following)
    assert all({"forward", "yaw"} <= {terms.name for terms in step.loops} for step in following)
    for entry in entries:
        assert (entry.step.candidates, entry.step.inputs, entry.step.guidance) == ((), None, None)


def test_log_of_version_2_gives_the_same_decisions_with_its_own_settings_only():
    """Commands differ: that pilot knew neither the vehicle's response nor the last step but one."""
    log = read_log(VERSION_2)
    found = compare_log(log, ReplaySetup(log.metadata.config))
    assert (found.same_state, found.frames) == (200, 200)
    assert {field.partition(".")[0] for field in found.drift} == {"command", "loops"}
    with_defaults = compare_log(log, ReplaySetup(load_config()))
    assert {"state", "track.position_m", "loops.yaw.output"} <= set(with_defaults.drift)


def test_log_of_version_1_is_compared_by_the_fields_that_it_has():
    log = read_log(VERSION_1)
    steps = []
    found = compare_log(log, ReplaySetup(log.metadata.config), steps)
    assert found.frames == len(steps) == 3
    assert found.drift, "the log was made by hand: its states differ"
    new = set().union(*NEW_FIELDS.values())
    assert not [field for field in found.drift if field in new or field.partition(".")[0] in new]
    assert any(logged.track != replayed.track for logged, replayed in steps)


@pytest.mark.parametrize("path", OLD_LOGS, ids=name)
def test_copy_of_an_old_log_is_compared_by_the_fields_of_its_version(path, tmp_path):
    """The copied entries lack newer fields; compared, each would count as a difference."""
    log = read_log(path)
    cut(log, tmp_path / "cut.mcap", 0.0, math.inf)
    recover(log, tmp_path / "recovered.mcap")
    found = compare_log(log, ReplaySetup(log.metadata.config))
    for name in ("cut.mcap", "recovered.mcap"):
        copy = read_log(tmp_path / name)
        assert copy.schema_version == log.schema_version
        assert compare_log(copy, ReplaySetup(copy.metadata.config)) == found


def test_updated_reference_flight_is_of_the_present_version(tmp_path):
    """Its steps are decided anew and have all fields."""
    path = tmp_path / "version_2.mcap"
    log = read_log(VERSION_2)
    config = changed(log.metadata.config, None, ["control.yaw.kp=0.8"])
    with FlightLogWriter(path, config, "", schema_version=2) as writer:
        for entry in log.entries():
            writer.write(entry)
    (checked,) = check_folder(tmp_path, update=True)
    assert checked.updated
    updated = read_log(path)
    assert updated.schema_version == SCHEMA_VERSION
    assert all(entry.step.inputs is not None for entry in updated.entries())
    assert compare_log(updated, ReplaySetup(config)).is_identical


def test_fields_left_out_of_a_comparison_grow_with_the_age_of_the_log():
    assert fields_missing_in(SCHEMA_VERSION) == frozenset()
    assert fields_missing_in(3) == {"response"}
    newer = {"candidates", "inputs", "guidance", "transition.reason"}
    assert fields_missing_in(2) == fields_missing_in(3) | newer
    assert fields_missing_in(1) == fields_missing_in(2) | {"track", "loops"}


@pytest.mark.parametrize("path", OLD_LOGS, ids=name)
def test_fields_of_an_old_log_keep_their_numbers_and_types(path):
    """Each log carries the schema by which it was written."""
    compared = 0
    with path.open("rb") as log:
        schemas = make_reader(log).get_summary().schemas.values()
    for record in schemas:
        if not record.name.startswith("followme_uav."):
            continue
        for file in descriptor_pb2.FileDescriptorSet.FromString(record.data).file:
            for message in file.message_type if file.package == "followme_uav" else ():
                compared += compare_fields(message)
    assert compared > 50


def compare_fields(old):
    """Compare a message of an old log with the present one; returns the number of fields."""
    today = descriptor_pb2.DescriptorProto()
    MESSAGES[RENAMED_MESSAGES.get(old.name, old.name)].DESCRIPTOR.CopyToProto(today)
    by_number = {field.number: field for field in today.field}
    for field in old.field:
        same = by_number[field.number]
        assert same.name in (field.name, RENAMED_FIELDS.get(field.name)), old.name
        assert (same.type, same.label) == (field.type, field.label), (old.name, field.name)
        if field.type_name:
            kind = field.type_name.rpartition(".")[2]
            assert same.type_name.rpartition(".")[2] == RENAMED_MESSAGES.get(kind, kind)
    return len(old.field)


def test_retired_fields_are_fields_of_their_messages():
    for message, fields in RETIRED.items():
        assert set(fields) <= set(MESSAGES[message].DESCRIPTOR.fields_by_name)
