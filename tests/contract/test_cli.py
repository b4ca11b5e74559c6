"""If these fail, a wrong argument is not answered with one helpful line and exit code 2.

Most commands run in this process, through the entry point of the console script; tests of the
simulator and of imports start a process.
"""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from followme_uav.perception import DEFAULT_WEIGHTS
from followme_uav.perception.weights import FORMAT, FORMAT_VERSION
from tests.unit.labelled_frames import write_frames

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ("fly", "sim", "doctor", "collect", "train", "evaluate", "export", "world")
DEADLINE_S = 120
CLASSES = "background,people,hero"

REFERENCE_FLIGHT = Path(__file__).parents[1] / "reference_flights" / "follow_and_land.mcap"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Run in an empty folder: commands must not depend on the checkout, nor write to it."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def refused(followme):
    """Run a command that must fail with one line, and return the line."""

    def run(*arguments):
        code, out, err = followme(*arguments)
        assert code == 2
        assert out == ""
        assert err.startswith("followme-uav: ")
        assert err.endswith("\n")
        assert err.count("\n") == 1
        return err

    return run


def in_a_process(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "followme_uav.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def write_hdf5(path, attributes, variables=()):
    with h5py.File(path, "w") as file:
        file.attrs.update(attributes)
        for name in variables:
            file[name] = [1.0, 2.0]
    return path


# Weights


def test_missing_weights_are_refused(refused):
    assert "gone.h5: no such weights file" in refused("fly", "--weights", "gone.h5")
    assert "gone.h5: no such weights file" in refused("evaluate", ".", "--weights", "gone.h5")


def test_weights_that_are_not_hdf5_are_refused(refused):
    Path("notes.h5").write_text("hello")
    assert "notes.h5: not an HDF5 file" in refused("fly", "--weights", "notes.h5")


@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
def test_truncated_weights_are_refused(refused, share):
    whole = DEFAULT_WEIGHTS.read_bytes()
    Path("half.h5").write_bytes(whole[: int(share * len(whole))])
    assert "half.h5: damaged or truncated" in refused("fly", "--weights", "half.h5")


def test_weights_of_another_program_are_refused(refused):
    write_hdf5("keras.h5", {"keras_version": "2.4.0"}, ["dense/kernel"])
    assert "not weights of followme-uav" in refused("fly", "--weights", "keras.h5")


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["model2", "model99"])
def test_weights_of_another_network_are_refused(refused, architecture):
    """Otherwise the network would return arbitrary masks."""
    attributes = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "architecture": architecture,
        "classes": CLASSES,
    }
    write_hdf5("other.h5", attributes, ["some/variable"])
    write_frames(Path("data"), count=1)
    line = refused("evaluate", "data", "--weights", "other.h5")
    assert "other.h5: " in line
    assert architecture in line


def test_default_weights_are_found_from_any_folder(followme):
    assert DEFAULT_WEIGHTS.parent == ROOT / "weights"
    assert DEFAULT_WEIGHTS.is_file()
    for command in ("fly", "evaluate"):
        assert f"weights/{DEFAULT_WEIGHTS.name}" in followme(command, "--help")[1]
        assert str(ROOT) not in followme(command, "--help")[1]


# Pilots and networks of users


@pytest.mark.parametrize(
    "command",
    [
        ("fly",),
        ("scenario", "run", "crowd", "--out", "run"),
        ("scenario", "random", "--seeds", "1:2", "--out", "run"),
        ("tune", "crowd", "--out", "run"),
        ("replay", str(ROOT / "tests" / "reference_flights" / "follow_and_land.mcap")),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_pilot_that_does_not_exist_is_refused(refused, command):
    """Before the first flight, in each command that takes a pilot."""
    assert "--pilot gone:P: there is no module 'gone'" in refused(*command, "--pilot", "gone:P")
    line = refused(*command, "--pilot", "gone")
    assert "--pilot gone: unknown; choose from network, oracle, original, proportional" in line
    Path("mine.py").write_text("class P:\n    def __init__(self, config, masks): pass\n")
    assert "has no 'Q'; it has P" in refused(*command, "--pilot", "mine.py:Q")


@pytest.mark.parametrize(
    "command", [("fly",), ("scenario", "run", "crowd", "--out", "run"), ("evaluate", "data")]
)
def test_onnx_network_that_cannot_be_used_is_refused(refused, command):
    Path("net.onnx").write_bytes(b"no network")
    assert "net.onnx: damaged, or not an ONNX network" in refused(*command, "--weights", "net.onnx")


# Configuration


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("patrol: {sped_mps: 3}", "patrol.sped_mps: unknown key"),
        ("camera: {rate_hz: fast}", "camera.rate_hz: "),
        ("mission: {altitude_m: -3}", "mission.altitude_m: "),
        ("patrol: [1, 2", "not valid YAML"),
        ("just words", "expected 'key: value' lines"),
        ("simulator: mars", "'mars' is unknown"),
    ],
)
def test_wrong_configuration_file_is_refused(refused, text, complaint):
    Path("flight.yaml").write_text(text)
    assert complaint in refused("fly", "--config", "flight.yaml")


def test_unreadable_configuration_file_is_refused(refused):
    assert "gone.yaml: No such file" in refused("fly", "--config", "gone.yaml")
    assert "Is a directory" in refused("fly", "--config", ".")
    Path("binary.yaml").write_bytes(b"\xff\xfe\x00")
    assert "binary.yaml: not valid YAML" in refused("fly", "--config", "binary.yaml")


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("patrol.sped_mps=3", "patrol.sped_mps: unknown key"),
        ("patrol.speed_mps=quick", "patrol.speed_mps: "),
        ("patrol.speed_mps=.nan", "patrol.speed_mps: "),
        ("nowhere.speed_mps=3", "no section 'nowhere'"),
        ("patrol.speed_mps", "write it as section.key=value"),
        ("patrol.speed_mps=[1", "not valid YAML"),
    ],
)
def test_wrong_override_is_refused(refused, override, complaint):
    assert complaint in refused("fly", "--set", override)


def test_unknown_simulator_profile_is_refused(refused):
    assert "choose from airsim-unity" in refused("fly", "--profile", "mars")


@pytest.mark.parametrize("duration", ["0", "-5", "nan"])
def test_flight_without_duration_is_refused(refused, duration):
    assert "duration_s" in refused("fly", "--duration", duration)


# Simulator


@pytest.mark.parametrize("command", [("fly", "--oracle"), ("fly",), ("collect", "--out", "new")])
def test_address_without_a_simulator_is_reported(refused, command):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        line = refused(*command, "--sim", f"127.0.0.1:{port}")
    assert f"no server listens on 127.0.0.1:{port}" in line


@pytest.mark.parametrize("address", ["mars", "mars:", ":41451", "mars:x", "mars:0", "mars:70000"])
def test_invalid_address_is_refused(refused, address):
    assert "write 'embedded' or HOST:PORT" in refused("fly", "--sim", address)
    assert "write 'embedded' or HOST:PORT" in refused("collect", "--out", "new", "--sim", address)


def test_server_that_is_no_simulator_is_reported(refused):
    """A web server, for example, must not hang the client."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        line = refused(
            *("fly", "--oracle", "--sim", f"127.0.0.1:{port}"),
            *("--set", "rpc.deadline_s=0.5", "--set", "rpc.connect_deadline_s=0.5"),
        )
    assert f"ping at 127.0.0.1:{port}: no answer within 0.5 s" in line


def test_window_option_is_refused_with_an_external_simulator(refused):
    assert "--window" in refused("fly", "--window", "--sim", "127.0.0.1:41451")


@pytest.mark.parametrize("size", ["big", "160", "160x", "0x0", "8x8", "9999x9999", "-160x160"])
def test_invalid_image_size_is_refused(refused, size):
    assert f"'{size}'" in refused("sim", "--port", "0", "--image-size", size)


def test_unknown_dialect_is_refused(refused):
    assert "choose from airsim, unity" in refused("sim", "--port", "0", "--dialect", "klingon")


def test_invalid_seed_or_style_of_the_city_is_refused(refused):
    assert "seed: Input should be greater than or equal" in refused(
        "sim", "--port", "0", "--seed", "-1"
    )
    assert "city style 'gothic': there is plaza" in refused("sim", "--style", "gothic")
    assert "seed: Input should be greater than or equal" in refused(
        "fly", "--oracle", "--seed", "-1"
    )


def test_port_in_use_is_reported():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = in_a_process("sim", "--port", port)
    assert done.returncode == 2
    assert done.stdout == ""
    assert str(port) in done.stderr
    assert done.stderr.startswith("followme-uav: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("host", ["", " ", "0", "0x0", "000.000.000.000", "127.0.0.1 ", "a..b"])
def test_only_an_explicit_address_opens_the_simulator_to_the_network(refused, host):
    assert "0.0.0.0" in refused("sim", "--port", "0", "--host", host)


@pytest.mark.parametrize("port", ["-1", "65536", "99999999999999999999"])
def test_invalid_port_is_refused(refused, port):
    assert port in refused("sim", "--port", port)


@pytest.mark.parametrize("command", [("fly",), ("collect", "--out", "new")])
@pytest.mark.parametrize("address", [" :41451", "[]:41451", "127.0.0.1:\u00b2"])
def test_address_without_host_or_port_is_refused(refused, command, address):
    assert "write 'embedded' or HOST:PORT" in refused(*command, "--sim", address)


def test_invalid_host_name_is_reported(refused):
    assert "a..b:41451" in refused("fly", "--oracle", "--sim", "a..b:41451")


def test_override_is_checked_even_if_another_option_replaces_it(refused):
    assert "duration_s" in refused("fly", "--set", "duration_s=nan", "--duration", "10")
    assert "simulator.port" in refused(
        "fly", "--set", "simulator.port=0", "--sim", "127.0.0.1:41451"
    )


# Files to write


@pytest.mark.parametrize("option", ["--log", "--summary"])
def test_output_that_cannot_be_written_is_refused_before_the_flight(refused, option):
    """Reported after the flight, the error would lose the flight."""
    Path("file").write_text("")
    assert "file is no folder" in refused("fly", option, "file/flight.out")
    Path("folder").mkdir()
    assert "Is a directory" in refused("fly", option, "folder")


def test_flight_that_cannot_start_leaves_the_former_log_unchanged(refused):
    Path("flight.mcap").write_text("the last flight")
    refused("fly", "--weights", "gone.h5", "--log", "flight.mcap")
    assert Path("flight.mcap").read_text() == "the last flight"


def test_flight_that_cannot_start_leaves_no_empty_log(refused):
    refused("fly", "--weights", "gone.h5", "--log", "new/flight.mcap")
    assert not Path("new/flight.mcap").exists()


def test_flight_does_not_write_its_summary_over_its_log_or_configuration(refused):
    assert "written twice" in refused("fly", "--log", "flight.mcap", "--summary", "flight.mcap")
    Path("own.yaml").write_text("duration_s: 5\n")
    assert "would overwrite own.yaml" in refused(
        "fly", "--config", "own.yaml", "--log", "flight.mcap", "--summary", "own.yaml"
    )
    assert Path("own.yaml").read_text() == "duration_s: 5\n"


@pytest.mark.parametrize(
    "command",
    [
        ("replay", "flight.mcap", "--rrd", "flight.mcap"),
        ("replay", "flight.mcap", "--video", "link.mcap"),
        ("log", "export", "flight.mcap", "--csv", "flight.mcap"),
        ("log", "cut", "flight.mcap", "link.mcap"),
        ("log", "recover", "flight.mcap", "flight.mcap"),
    ],
    ids=" ".join,
)
def test_log_that_is_read_is_not_overwritten(refused, command):
    content = REFERENCE_FLIGHT.read_bytes()
    Path("flight.mcap").write_bytes(content)
    Path("link.mcap").hardlink_to("flight.mcap")
    assert "would overwrite flight.mcap" in refused(*command)
    assert Path("flight.mcap").read_bytes() == content


def test_two_outputs_in_one_file_are_refused(refused):
    Path("flight.mcap").write_bytes(REFERENCE_FLIGHT.read_bytes())
    both = ("--rrd", "shown", "--video", "shown")
    assert "written twice" in refused("replay", "flight.mcap", *both)


def test_cut_without_an_end_in_time_is_refused(refused):
    Path("flight.mcap").write_bytes(REFERENCE_FLIGHT.read_bytes())
    assert "--to nan" in refused("log", "cut", "flight.mcap", "part.mcap", "--to", "nan")


@pytest.mark.parametrize(
    "command", [("log", "cut", "round", "part.mcap"), ("world", "show", "round", "--out", "m.png")]
)
def test_circular_link_is_refused(refused, command):
    Path("round").symlink_to("back")
    Path("back").symlink_to("round")
    assert "round" in refused(*command)


@pytest.mark.parametrize(
    "command", [("log", "cut", "a.mcap", "b.mcap"), ("evaluate", "data", "--json", "scores.json")]
)
def test_folder_that_was_removed_is_reported(refused, tmp_path, monkeypatch, command):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    refused(*command)


# Labelled frames


@pytest.mark.parametrize(
    "command",
    [
        ("collect", "--out", "new", "--seeds", f"0:{2**63 + 1}"),
        ("prepare", "raw", "new", "--cameras", f"{'1' * 5000},2,3"),
    ],
)
def test_number_beyond_all_bounds_is_refused(refused, command):
    assert command[-2] in refused(*command)


def test_collecting_into_a_folder_with_frames_is_refused(refused):
    """Frames of two collections in one folder cannot be separated later."""
    Path("data/following_images").mkdir(parents=True)
    assert "holds frames already" in refused("collect", "--out", "data")


@pytest.mark.parametrize("seeds", ["5", "5:", "a:b", "7:7", "9:3", "-1:3"])
def test_invalid_range_of_seeds_is_refused(refused, seeds):
    assert "A:B" in refused("collect", "--out", "new", "--seeds", seeds)


@pytest.mark.parametrize("hours", ["3", "18:15", "a:b", "5:25", "-1:3", "15:16:17", "nan:4"])
def test_invalid_range_of_hours_is_refused(refused, hours):
    assert "0 <= A < B <= 24" in refused("collect", "--out", "new", "--hours", hours)


def test_hours_need_the_embedded_simulator(refused):
    """Another simulator keeps its own time of day."""
    assert "--hours" in refused("collect", "--out", "new", "--hours", "8:9", "--sim", "host:4")


@pytest.mark.slow
def test_evaluating_a_folder_without_frames_is_refused(refused):
    assert "gone: no such data folder" in refused("evaluate", "gone")
    Path("empty").mkdir()
    assert "empty: holds neither" in refused("evaluate", "empty")


@pytest.mark.slow
def test_evaluating_images_without_masks_is_refused(refused):
    folder = write_frames(Path("data"), count=2)
    next((folder / "masks").iterdir()).unlink()
    assert "data" in refused("evaluate", "data")


def test_report_without_its_extra_is_refused_before_the_evaluation(refused, monkeypatch):
    """Reported after the evaluation, the error would lose the work."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    line = refused("evaluate", "data", "--weights", "gone.h5", "--report", "report")
    assert "pip install 'followme-uav[report]'" in line


def test_training_with_a_wrong_configuration_or_output_is_refused(refused):
    write_frames(Path("data"), count=1)
    Path("training.yaml").write_text(
        (ROOT / "configs/training/base.yaml").read_text()
        + "\narchitecture: model2\nmomentum: 0.9\n"
    )
    data = ("--data", "data", "--validation", "data")
    line = refused("train", "--config", "training.yaml", *data, "--out", "new.h5")
    assert line.startswith("followme-uav: training.yaml: momentum: ")
    line = refused("train", "--config", "gone.yaml", *data, "--out", "new.h5")
    assert "gone.yaml: No such file" in line
    line = refused("train", "--config", "training.yaml", *data, "--out", "training.yaml/new.h5")
    assert "training.yaml is no folder" in line


# The command line itself


@pytest.mark.parametrize(
    "arguments",
    [
        ("campaign", "run", "LONG"),
        ("campaign", "query", "LONG", "select 1"),
        ("campaign", "merge", "LONG", "."),
        ("scenario", "compare", "LONG", "."),
        ("scenario", "show", "LONG"),
        ("replay", "--check", "LONG"),
        ("log", "export", "x.mcap", "--frames", "LONG"),
    ],
)
def test_name_that_no_file_can_have_is_refused(refused, arguments):
    """`Path.exists` raises for it."""
    long = "x" * 300
    Path("plan.yaml").write_text("random: [1]")
    refused(*(long if one == "LONG" else one for one in arguments))


def test_error_is_one_line_in_a_process_of_its_own():
    done = in_a_process("fly", "--weights", "gone.h5")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "gone.h5" in done.stderr


@pytest.mark.parametrize("arguments", [["fly", "--sped", "3"], ["sim", "--port", "x"], ["flie"]])
def test_error_for_an_unknown_option_mentions_the_help(followme, arguments):
    code, out, err = followme(*arguments)
    assert code == 2
    assert out == ""
    assert "--help" in err
    assert "Traceback" not in err


def test_help_is_printed_without_slow_imports():
    """TensorFlow and the graphics libraries take seconds to import."""
    script = f"""
import json, sys
from followme_uav import cli
for command in {COMMANDS}:
    sys.argv = ["followme-uav", command, "--help"]
    try:
        cli.main()
    except SystemExit as end:
        assert end.code == 0, command
print(json.dumps(sorted(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        timeout=DEADLINE_S,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    *help_lines, modules = done.stdout.splitlines()
    assert sum("Usage: followme-uav" in line for line in help_lines) == len(COMMANDS)
    slow = {"tensorflow", "keras", "panda3d", "mujoco", "numpy", "shapely", "networkx", "osmium"}
    assert not slow & set(json.loads(modules))
