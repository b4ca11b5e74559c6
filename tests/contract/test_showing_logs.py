"""`replay` shows a log in each of its ways, and names the package or screen that is missing."""

import os
import subprocess
import sys

import pytest
from PIL import Image

from tests import mapless_flight
from tests.made_flight import FRAMES, write_log

DEADLINE_S = 120


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return write_log(tmp_path_factory.mktemp("log") / "flight.mcap")


MISSING = [
    ("--view", "rerun", "view"),
    ("--web", "rerun", "view"),
    ("--rrd=f.rrd", "rerun", "view"),
    ("--video=f.mp4", "av", "video"),
    ("--plots=f", "matplotlib", "report"),
]


@pytest.mark.parametrize(("option", "package", "extra"), MISSING)
def test_error_names_the_extra_that_is_missing(followme, monkeypatch, log, option, package, extra):
    monkeypatch.setitem(sys.modules, package, None)
    code, out, err = followme("replay", log, option)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"pip install 'followme-uav[{extra}]'" in err
    assert option.partition("=")[0] in err


@pytest.mark.parametrize("option", ["--view", "--web"])
def test_flight_does_not_start_when_its_viewer_is_missing(followme, monkeypatch, option):
    monkeypatch.setitem(sys.modules, "rerun", None)
    code, _, err = followme("fly", option)
    assert (code, err.count("\n")) == (2, 1)
    assert "followme-uav[view]" in err


def test_error_without_a_screen_names_the_other_options(followme, monkeypatch, log):
    pytest.importorskip("rerun", reason="the viewer is Rerun, extra [view]")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    code, _, err = followme("replay", log, "--view")
    assert (code, err.count("\n")) == (2, 1)
    assert "screen" in err
    assert "--web" in err
    assert "--video" in err


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sets DISPLAY")
def test_wrong_screen_is_an_error_that_names_the_other_options(followme, monkeypatch, log):
    pytest.importorskip("rerun", reason="the viewer is Rerun, extra [view]")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", ":9999")
    code, _, err = followme("replay", log, "--view")
    assert code == 2
    assert err.splitlines()[-1].startswith("followme-uav: the viewer did not start: ")
    assert "--web" in err


def test_plots_are_png_files_with_content(followme, log, tmp_path):
    pytest.importorskip("matplotlib", reason="plots are drawn with Matplotlib, extra [report]")
    code, out, err = followme("replay", log, "--plots", "plots")
    assert code == 0
    names = {path.name for path in (tmp_path / "plots").iterdir()}
    assert names == {
        *("flight.png", "pid_loops.png", "loop_times.png", "map.png", "film_strip.png")
    }
    assert all(name in out for name in names)
    assert err == ""  # without a terminal no progress bar, not even an empty line
    for name in names:
        with Image.open(tmp_path / "plots" / name) as picture:
            assert min(picture.size) > 200
            assert len(picture.convert("RGB").getcolors(1 << 24)) > 50


def test_truncated_log_is_shown_up_to_its_last_entry(followme, log, tmp_path):
    pytest.importorskip("matplotlib", reason="plots are drawn with Matplotlib, extra [report]")
    cut = tmp_path / "cut.mcap"
    data = log.read_bytes()
    cut.write_bytes(data[: int(len(data) * 0.6)])
    code, _, err = followme("replay", cut, "--plots", "plots")
    assert code == 0
    assert "no end" in err
    assert (tmp_path / "plots" / "map.png").stat().st_size > 1000


def test_file_that_is_no_log_gives_an_error_of_one_line(followme, tmp_path):
    foreign = tmp_path / "foreign.mcap"
    foreign.write_bytes(b"RIFF not a log")
    code, out, err = followme("replay", foreign, "--plots", "plots")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "foreign.mcap" in err


def test_one_command_writes_a_video_and_a_recording(followme, log, tmp_path):
    pytest.importorskip("av", reason="videos are encoded by PyAV, extra [video]")
    pytest.importorskip("rerun", reason="the viewer is Rerun, extra [view]")
    code, _, err = followme("replay", log, "--video", "f.mp4", "--rrd", "f.rrd")
    assert code == 0, err
    entities = _rerun("rrd", "print", tmp_path / "f.rrd")
    for path in ("world/camera/image", "world/camera/mask", "world/path/hero", "plots/distance"):
        assert f"/{path}" in entities
    assert "own_map" not in entities and "coverage" not in entities


def test_flight_without_a_map_is_shown_with_the_map_that_it_makes(followme, tmp_path):
    pytest.importorskip("matplotlib", reason="plots are drawn with Matplotlib, extra [report]")
    pytest.importorskip("rerun", reason="the viewer is Rerun, extra [view]")
    path = mapless_flight.write_log(tmp_path / "no_map.mcap")
    code, out, err = followme("replay", path, "--plots", "plots", "--rrd", "f.rrd")
    assert code == 0, err
    assert "own_maps.png" in out and (tmp_path / "plots" / "own_maps.png").exists()
    entities = _rerun("rrd", "print", tmp_path / "f.rrd")
    for entity in ("world/own_map", "world/way", "plots/coverage", "legend"):
        assert f"/{entity}" in entities


def _rerun(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "rerun_cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        env={**os.environ, "CI": "true"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_rerun_opens_the_log_without_this_program(log, tmp_path):
    """Rerun's MCAP reader finds the images and recognises them as images."""
    pytest.importorskip("rerun", reason="the viewer is Rerun, extra [view]")
    _rerun("mcap", "convert", log, "-o", tmp_path / "log.rrd")
    _rerun("rrd", "verify", tmp_path / "log.rrd")
    chunks = _rerun("rrd", "print", "-vv", tmp_path / "log.rrd")
    for topic in ("/camera/image", "/camera/mask", "/vehicle", "/step", "/timing"):
        assert topic in chunks
    assert "EncodedImage:blob" in chunks
    assert "EncodedImage:media_type" in chunks or "image/png" in chunks


def test_log_has_the_schemas_that_foxglove_shows(log):
    """Foxglove shows `foxglove.CompressedImage` as images and plots any Protocol Buffers field."""
    from google.protobuf.descriptor_pb2 import FileDescriptorSet
    from mcap.reader import make_reader
    from mcap_protobuf.decoder import DecoderFactory

    images = 0
    with log.open("rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()])
        for schema, channel, _, message in reader.iter_decoded_messages():
            assert (channel.message_encoding, schema.encoding) == ("protobuf", "protobuf")
            assert FileDescriptorSet.FromString(schema.data).file
            if channel.topic == "/camera/image":
                assert schema.name == "foxglove.CompressedImage"
                assert message.format in ("png", "jpeg")
                images += 1
            if channel.topic == "/step":
                assert message.state in ("patrol", "follow")
    assert images == FRAMES - 1
