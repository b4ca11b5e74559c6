"""If these fail, a user's own files are ignored, or a flight uses another file than it says."""

from pathlib import Path

import pytest

from followme_uav.commands.options import weights_named
from followme_uav.config import load_config, load_merged_config, make_config, of_older_version
from followme_uav.errors import ConfigError
from followme_uav.learn.training.config import load_training_config
from followme_uav.resources import (
    VARIABLE,
    all_in,
    find,
    found_in,
    is_shipped,
    name_of,
    named,
    shipped,
    user_folder,
)
from followme_uav.scenario.script.script import read_scenarios


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Write a file of the user's."""
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv(VARIABLE, str(folder))

    def write(name, text):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return write


def origin(key, *arguments):
    found = load_merged_config(*arguments)
    return str(found.origins.of(tuple(key.split("."))))


# The user's folder


def test_user_folder_is_in_the_folder_of_xdg_or_else_below_home(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert user_folder() is None
    (tmp_path / ".config/followme-uav").mkdir(parents=True)
    assert user_folder() == tmp_path / ".config/followme-uav"
    monkeypatch.setenv("XDG_CONFIG_HOME", "not/absolute")
    assert user_folder() == tmp_path / ".config/followme-uav"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    assert user_folder() is None
    (tmp_path / "xdg/followme-uav").mkdir(parents=True)
    assert user_folder() == tmp_path / "xdg/followme-uav"
    monkeypatch.setenv(VARIABLE, "")
    assert user_folder() is None


def test_variable_that_names_no_folder_is_an_error_of_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "gone"))
    with pytest.raises(ConfigError, match=rf"{VARIABLE}=.*gone: no such folder; create it"):
        load_config()


def test_file_of_the_user_wins_over_the_shipped_one_of_that_name(own):
    assert is_shipped(find("weights/model1.h5"))
    path = own("weights/model1.h5", "")
    assert find("weights/model1.h5") == path
    assert not is_shipped(path)
    assert name_of(path) == name_of(shipped("weights/model1.h5")) == "weights/model1.h5"
    every = all_in("weights", ".h5")
    assert {shipped("weights/model1.h5"), path} <= set(every), "replays look for both"


def test_names_stand_for_files_of_the_user_and_shipped_ones(own, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = own("training/mine.yaml", "")
    assert named("mine", "training", "training configuration") == path
    assert named("model2", "training", "t") == shipped("training/model2.yaml")
    assert str(named("model2.yaml", "training", "t")) == "model2.yaml"
    with pytest.raises(ConfigError, match=r"t 'model9' is unknown; give a file, or one of base, m"):
        named("model9", "training", "t")
    assert found_in("training")["mine"] == path


def test_network_is_chosen_by_name_in_any_folder(own, tmp_path, monkeypatch):
    """An installed program is not beside the repository's folder `weights`."""
    monkeypatch.chdir(tmp_path)
    mine = own("weights/mine.h5", "")
    assert weights_named(Path("model2")) == shipped("weights/model2.h5")
    assert weights_named(Path("mine")) == mine
    assert weights_named(Path("weights/model2.h5")) == Path("weights/model2.h5")
    assert weights_named(None) is None
    with pytest.raises(ConfigError, match="network 'model9' is unknown; give a file, or one of"):
        weights_named(Path("model9"))


# Layers of the configuration


def test_keys_of_the_user_are_merged_over_the_shipped_defaults(own):
    plain = load_config()
    own("default.yaml", "patrol: {speed_mps: 2.5}\n")
    config = load_config()
    assert config.patrol == plain.patrol.model_copy(update={"speed_mps": 2.5})
    assert config.mission == plain.mission


def test_file_and_override_win_over_the_keys_of_the_user(own, tmp_path):
    own("default.yaml", "patrol: {speed_mps: 2.5, tilt_deg: -20}\n")
    file = tmp_path / "mine.yaml"
    file.write_text("patrol: {speed_mps: 3}\n")
    assert load_config(file).patrol.speed_mps == 3.0
    assert load_config(file).patrol.tilt_deg == -20.0
    assert load_config(file, ["patrol.speed_mps=4"]).patrol.speed_mps == 4.0
    assert make_config({"patrol": {"speed_mps": 1}}, "script").patrol.speed_mps == 1.0


def test_wrong_key_of_the_user_is_reported_even_if_a_later_layer_replaces_it(own, tmp_path):
    path = own("default.yaml", "patrol: {speed_mps: -1}\n")
    file = tmp_path / "mine.yaml"
    file.write_text("patrol: {speed_mps: 3}\n")
    for arguments in ((), (file,), (None, ["patrol.speed_mps=4"])):
        with pytest.raises(ConfigError, match=r"patrol\.speed_mps") as caught:
            load_config(*arguments)
        assert str(caught.value).startswith(f"{path}: ")


def test_old_log_takes_missing_keys_from_the_shipped_defaults(own):
    plain = of_older_version({})
    own("default.yaml", "patrol: {speed_mps: 2.5}\n")
    assert of_older_version({}) == plain


def test_profile_of_the_user_may_extend_the_shipped_one_of_its_name(own):
    own("simulators/embedded.yaml", "extends: embedded\nport: 5000\n")
    config = load_config()
    assert (config.simulator.port, config.simulator.name) == (5000, "embedded")
    assert origin("simulator.port") == "user's simulators/embedded.yaml"
    assert origin("simulator.name") == "shipped simulators/embedded.yaml"


def test_profile_of_the_user_may_extend_one_that_extends_another(own):
    own("simulators/mine.yaml", "extends: embedded-unity\nname: mine\n")
    config = load_config(simulator="mine")
    assert (config.simulator.name, config.simulator.channel_order) == ("mine", "rgb")
    assert origin("simulator.host", None, (), "mine") == "shipped simulators/embedded.yaml"


@pytest.mark.parametrize("base", ["b", "../b", "[1]"])
def test_file_that_extends_itself_or_no_name_is_refused(own, base):
    own("simulators/a.yaml", f"extends: {base}\n")
    own("simulators/b.yaml", "extends: a\n")
    with pytest.raises(ConfigError, match=r"[ab]\.yaml: extends: "):
        load_config(simulator="a")


def test_training_of_the_user_may_extend_a_shipped_one(own, tmp_path):
    file = tmp_path / "quick.yaml"
    file.write_text("extends: model2\nepochs: 1\n")
    config = load_training_config(file)
    assert (config.epochs, config.architecture) == (1, "model2")
    assert config.batch_size == load_training_config(shipped("training/model2.yaml")).batch_size


def test_scenario_of_the_user_replaces_the_shipped_one_of_its_name(own):
    text = shipped("scenarios/crowd.yaml").read_text()
    path = own("scenarios/crowd.yaml", text.replace("duration_s: 60", "duration_s: 30"))
    own("scenarios/mine.yaml", text)
    (crowd,) = read_scenarios([path.with_name("crowd").relative_to(path.parent)])
    assert crowd.duration_s == 30.0
    every = {scenario.name: scenario.duration_s for scenario in read_scenarios([])}
    assert (every["crowd"], every["mine"]) == (30.0, 60.0)
    assert "zigzag" in every


# Origins


def test_origin_of_a_value_is_the_last_layer_that_has_it(own, tmp_path):
    own("default.yaml", "patrol: {speed_mps: 2.5, tilt_deg: -20}\ncamera: {rate_hz: 5}\n")
    file = tmp_path / "mine.yaml"
    file.write_text("patrol: {speed_mps: 3}\nsimulator: embedded-unity\n")
    arguments = (file, ["mission.altitude_m=6"])
    expected = {
        "duration_s": "shipped default.yaml",
        "camera.rate_hz": "user's default.yaml",
        "patrol.tilt_deg": "user's default.yaml",
        "patrol.speed_mps": f"--config {file}",
        "mission.altitude_m": "--set",
        "simulator.channel_order": "shipped simulators/embedded-unity.yaml",
        "simulator.host": "shipped simulators/embedded.yaml",
    }
    assert {key: origin(key, *arguments) for key in expected} == expected


def test_override_of_a_section_leaves_its_other_keys_to_the_program():
    overrides = ["control.pan={kp: 1, limit: 2}"]
    assert origin("control.pan.kp", None, overrides) == "--set"
    assert origin("control.pan.ki", None, overrides) == "built-in default"
    assert origin("control.tilt.limit", None, overrides) == "shipped default.yaml"


def test_former_name_of_a_key_has_the_origin_of_its_present_name():
    assert origin("track.max_speed_mps", None, ["tracker.max_speed_mps=5"]) == "--set"


def test_contradiction_is_reported_for_the_file_that_brought_it(own):
    path = own("simulators/embedded.yaml", "extends: embedded\npatrol_waypoints_m: [[500, 0]]\n")
    with pytest.raises(ConfigError, match="lies outside flyable_m") as caught:
        load_config()
    assert str(caught.value).startswith(f"{path}: ")
