"""If these fail, the program shows another configuration than it flies with."""

import json

import pytest
import yaml

from followme_uav import __version__
from followme_uav.config import FlightConfig, descriptions, load_config
from followme_uav.config.reference import reference
from followme_uav.resources import VARIABLE


def values_of(mapping, start=""):
    for name, value in mapping.items():
        if isinstance(value, dict):
            yield from values_of(value, f"{start}{name}.")
        else:
            yield f"{start}{name}", value


def test_shown_configuration_is_a_file_for_the_same_flight(followme, tmp_path):
    changes = ("--set", "patrol.speed_mps=2.5", "--profile", "embedded-unity")
    code, out, err = followme("config", "show", *changes)
    assert (code, err) == (0, "")
    file = tmp_path / "shown.yaml"
    file.write_text(out)
    assert load_config(file) == load_config(None, ["patrol.speed_mps=2.5"], "embedded-unity")
    assert followme("config", "show", "--config", file)[0] == 0


def test_every_shown_value_has_its_origin_behind_it(followme):
    out = followme("config", "show", "--set", "patrol.speed_mps=2.5")[1]
    values = [line for line in out.splitlines() if not line.lstrip().startswith("- ")]
    sections = [line for line in values if line.endswith(":")]
    origins = {line.partition("  # ")[2] for line in values if line not in sections}
    derived = {origin for origin in origins if origin.startswith("derived from ")}
    assert derived
    files = {"shipped default.yaml", "shipped simulators/embedded.yaml"}
    assert origins - derived == {*files, "--set", "built-in default"}
    assert "  speed_mps: 2.5" in out


def test_derived_value_names_the_keys_that_it_follows_from_unless_it_is_given(followme):
    line = "  centroid_height_m: "
    derived = followme("config", "show", "--set", "hero.height_m=1.6")[1]
    assert any(
        shown.startswith(f"{line}0.9 ") and shown.endswith("# derived from hero.height_m")
        for shown in derived.splitlines()
    )
    given = followme("config", "show", "--set", "hero.centroid_height_m=0.8")[1]
    assert any(
        shown.startswith(f"{line}0.8 ") and shown.endswith("# --set")
        for shown in given.splitlines()
    )


def test_reference_has_value_and_reason_of_a_derived_key():
    (found,) = [key for key in reference() if key.key == "hero.centroid_height_m"]
    assert found.default == load_config().hero.centroid_height_m
    assert "Derived from `hero.height_m`: 56 % of the height" in found.description


def test_json_has_the_origin_of_every_value(followme, tmp_path, monkeypatch):
    own = tmp_path / "default.yaml"
    own.write_text("patrol: {speed_mps: 2.5}\n")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    shown = json.loads(followme("config", "show", "--json", "--set", "camera.rate_hz=5")[1])
    assert set(shown["origins"]) == {key for key, _ in values_of(shown["configuration"])}
    assert shown["origins"]["patrol.speed_mps"] == {"kind": "user", "source": str(own)}
    assert shown["origins"]["camera.rate_hz"]["kind"] == "set"
    assert shown["configuration"]["patrol"]["speed_mps"] == 2.5


def test_wrong_values_are_refused_as_for_a_flight(followme):
    code, out, err = followme("config", "show", "--set", "patrol.sped_mps=1")
    assert (code, out) == (2, "")
    assert "patrol.sped_mps: unknown key" in err


# The reference


def test_reference_describes_every_key_with_its_shipped_default():
    keys = reference()
    assert {key.key for key in keys} == set(descriptions(FlightConfig))
    shown = {key.key: key.default for key in keys if not key.is_section}
    assert shown == dict(values_of(load_config().model_dump(mode="json")))
    assert not [key.key for key in keys if not key.description]


@pytest.mark.parametrize(
    ("key", "kind", "permitted"),
    [
        ("camera.width_px", "integer", "from 32 to 640, a multiple of 8"),
        ("duration_s", "number", "from 0.1 to 86400"),
        ("log.image", "choice", "`jpeg`, `png`"),
        ("log.round_masks", "true or false", ""),
        ("simulator.camera_mount_m", "list of 3: each a number", "each from -100 to 100"),
        ("simulator.camera_fov_deg", "number", "from 10 to 150, > 10, < 150"),
    ],
)
def test_reference_states_type_and_permitted_values(key, kind, permitted):
    (found,) = [entry for entry in reference() if entry.key == key]
    assert (found.type, found.permitted) == (kind, permitted)


def test_markdown_has_a_heading_for_each_section_and_a_row_for_each_key(followme):
    lines = followme("config", "reference", "--markdown")[1].splitlines()
    assert lines[0] == "# Configuration reference"
    headings = [line.lstrip("# ") for line in lines if line.startswith("##")]
    assert headings[1:] == [key.key for key in reference() if key.is_section]
    rows = [line.split("`")[1] for line in lines if line.startswith("| `")]
    assert rows == [key.key for key in reference() if not key.is_section]
    widths = {line.replace(r"\|", "").count("|") for line in lines if line.startswith("|")}
    assert widths == {6}


def test_reference_is_there_as_json_and_as_a_table(followme):
    found = json.loads(followme("config", "reference", "--json")[1])
    assert {"key", "type", "permitted", "default", "description"} == set(found[0])
    table = followme("config", "reference")[1]
    assert all(entry["key"] in table for entry in found)
    assert followme("config", "reference", "--json", "--markdown")[0] == 2


def test_files_in_use_are_listed(followme, tmp_path, monkeypatch):
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "crowd.yaml").write_text("")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    found = json.loads(followme("config", "files", "--json")[1])
    files = {file["name"]: file for file in found["files"]}
    assert len(files) == len(found["files"])
    assert found["folder"] == str(tmp_path)
    assert files["scenarios/crowd.yaml"]["shipped"] is False
    assert files["weights/model1.h5"]["shipped"] is True
    assert "scenarios/crowd.yaml" in followme("config", "files")[1]


def test_file_in_use_is_listed_with_the_brackets_of_its_path(followme, tmp_path, monkeypatch):
    """Rich reads brackets as a style: [red] would vanish, and [/] would end the command."""
    file = tmp_path / "[/]" / "scenarios" / "x[red].yaml"
    file.parent.mkdir(parents=True)
    file.write_text("")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "[/]"))
    code, out, _ = followme("config", "files")
    assert code == 0
    unwrapped = "".join(out.split())
    assert str(file) in unwrapped and unwrapped.count("x[red].yaml") == 2  # name and path


# The command line itself


def test_version_is_printed(followme):
    assert followme("--version") == (0, f"followme-uav {__version__}\n", "")


def test_yaml_of_a_value_is_one_line(followme):
    out = followme("config", "show", "--set", "simulator.name='a: b'")[1]
    assert yaml.safe_load(out)["simulator"]["name"] == "a: b"
