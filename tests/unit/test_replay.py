"""A replay runs the pilot again on the frames of a flight and reports every difference."""

import dataclasses
import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from followme_uav.cli import app
from followme_uav.config import changed
from followme_uav.errors import FollowMeError, LogError
from followme_uav.log.entry import EncodedImage
from followme_uav.log.images import rounded_mask
from followme_uav.log.reader import read_log
from followme_uav.log.writer import FlightLogWriter
from followme_uav.messages import MissionState
from followme_uav.replay.differences import differences
from followme_uav.replay.prefetch import prefetched
from followme_uav.replay.reference import check_folder
from followme_uav.replay.replay import replay_images
from followme_uav.replay.setup import ReplaySetup, compare_log
from tests.conftest import make_entry, same
from tests.toy_flight import fly_toy, masks_of_painted

pytestmark = pytest.mark.slow

REFERENCES = Path(__file__).parents[1] / "reference_flights"


@pytest.fixture(scope="module")
def flight(tmp_path_factory, config):
    return fly_toy(config, tmp_path_factory.mktemp("flight") / "toy.mcap")


@pytest.fixture
def run():
    def command(*arguments):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        return result.exit_code, result.output, result.exception

    return command


def test_toy_flight_has_states_and_faults_to_replay(flight):
    """The other tests need a flight with these events."""
    entries = list(read_log(flight).entries())
    states = {entry.step.state for entry in entries}
    assert {MissionState.PATROL, MissionState.FOLLOW, MissionState.SEARCH} <= states
    assert any(entry.step.mask is None for entry in entries)


def test_replay_from_masks_is_identical(flight, run):
    """So a difference is a change of the pilot, not a fault of the replay."""
    code, output, _ = run("replay", flight)
    assert (code, output.splitlines()) == (0, ["identical: 250 frames, 24.9 s"])


def test_replay_from_images_is_identical(flight):
    """The log holds the pixels that the network saw in flight."""
    log = read_log(flight)
    steps = list(replay_images(log.entries(), log.metadata.config, masks_of_painted))
    assert len(steps) == 250
    assert not any(differences(replayed.logged.step, replayed.step) for replayed in steps)


def with_other_yaw(flight, out, change):
    """Write the same flight with another yaw rate in its 124th step."""
    log = read_log(flight)
    with FlightLogWriter(out, log.metadata.config, "") as writer:
        for index, entry in enumerate(log.entries()):
            if index == 123:
                command = entry.step.command
                yaw = change(command.yaw_rate_radps)
                step = dataclasses.replace(
                    entry.step, command=dataclasses.replace(command, yaw_rate_radps=yaw)
                )
                entry = dataclasses.replace(entry, step=step)
            writer.write(entry)


def test_single_changed_number_is_reported(flight, tmp_path, run):
    """Every change of the pilot must be detected."""
    with_other_yaw(flight, tmp_path / "other.mcap", lambda yaw: yaw + 0.001)
    code, output, _ = run("replay", tmp_path / "other.mcap", "--json")
    found = json.loads(output)
    assert code == 1
    assert not found["identical"] and not found["rounding"]
    assert (found["first"]["index"], found["first"]["field"]) == (123, "command.yaw_rate_radps")
    assert [(drift["field"], drift["steps"]) for drift in found["drift"]] == [
        ("command.yaw_rate_radps", 1)
    ]


def test_single_changed_bit_is_reported_as_rounding(flight, tmp_path, run):
    """Processors differ in the last bits; that is no change of the pilot."""
    with_other_yaw(flight, tmp_path / "other.mcap", lambda yaw: float(np.nextafter(yaw, 9.0)))
    code, output, _ = run("replay", tmp_path / "other.mcap")
    assert code == 0
    assert output.startswith("identical but for rounding")


def test_what_if_shows_other_commands_and_that_the_world_does_not_react(flight, run):
    """A what-if compares commands; it is not another flight."""
    code, output, _ = run("replay", flight, "--set", "control.yaw.kp=0.8")
    assert code == 0
    assert "command.yaw_rate_radps" in output
    assert "world does not react" in " ".join(output.split())
    code, output, error = run("replay", flight, "--set", "control.yaw.kq=0.8")
    assert "control.yaw.kq: unknown key" in str(error)


def test_what_if_file_changes_its_own_keys_only(tmp_path, config):
    """Other settings stay those of the flight, not the present defaults."""
    flown = changed(config, None, ["limits.speed_mps=4.5"])
    path = tmp_path / "c.yaml"
    path.write_text("control: {wanted_distance_m: 9.0}\n")
    asked = changed(flown, path)
    assert (asked.limits.speed_mps, asked.control.wanted_distance_m) == (4.5, 9.0)


def test_log_without_images_replays_from_masks(flight, tmp_path, config, run):
    """Reference flights hold no images, to be small."""
    out = tmp_path / "small.mcap"
    assert run("log", "cut", flight, out, "--masks-only", "--to", "20")[0] == 0
    empty = tmp_path / "empty.mcap"
    with FlightLogWriter(empty, config, "ab" * 32, {}):
        pass
    small, large = (path.stat().st_size - empty.stat().st_size for path in (out, flight))
    assert small < large / 2
    assert run("replay", out)[1].startswith("identical: 200 frames")
    assert "holds no camera images" in str(
        run("replay", out, "--weights", Path(__file__).parents[2] / "weights" / "model2.h5")[2]
    )


def test_reference_flights_are_checked_and_updated_on_request(flight, tmp_path, config):
    """A changed pilot fails the check; its reference flights are renewed on request only."""
    folder = tmp_path / "references"
    folder.mkdir()
    shutil.copy(flight, folder)
    path = folder / flight.name
    assert [result.found.is_identical for result in check_folder(folder)] == [True]
    other = changed(config, None, ["control.yaw.kp=0.8"])
    log = read_log(path)
    with FlightLogWriter(tmp_path / "other.mcap", other, "", log.metadata.extra) as writer:
        for entry in log.entries():
            writer.write(entry)
    (tmp_path / "other.mcap").replace(path)
    assert [result.found.is_identical for result in check_folder(folder)] == [False]
    (result,) = check_folder(folder, update=True)
    assert result.updated
    assert "command.yaw_rate_radps in" in result.line()
    assert [result.found.is_identical for result in check_folder(folder)] == [True]


def test_check_of_a_folder_without_logs_is_an_error(tmp_path):
    """A wrong path must not pass the check."""
    with pytest.raises(LogError, match="holds no flight logs"):
        check_folder(tmp_path)


def test_log_without_an_end_mark_replays_up_to_its_last_entry_with_a_note(flight, tmp_path, run):
    """The log of a killed flight can be replayed."""
    path = tmp_path / "broken.mcap"
    path.write_bytes(flight.read_bytes()[: flight.stat().st_size * 2 // 3])
    code, output, _ = run("replay", path)
    assert code == 0
    assert output.startswith("identical")
    assert "has no end" in output
    saved = tmp_path / "saved.mcap"
    assert "has no end" in run("log", "recover", path, saved)[1]
    code, output, _ = run("replay", saved)
    assert (code, output.count("\n")) == (0, 1)


def test_info_lists_states_and_faults(flight, run):
    """States, transitions and faults are available without a viewer."""
    code, output, _ = run("log", "info", flight, "--json")
    found = json.loads(output)
    assert code == 0
    assert (found["frames"], found["duration_s"], found["missing"]) == (250, 24.9, None)
    assert found["faults"] == ["1 frames without an image"]
    assert found["pictures"] == "jpeg"
    assert found["states_s"]["follow"] > 3.0
    assert found["transitions"][0]["source"] == "takeoff"
    assert run("log", "info", flight)[0] == 0


@pytest.mark.parametrize("text", ["[red]", "[/]"])
def test_info_prints_texts_of_a_log_with_their_brackets(config, tmp_path, run, text):
    """Rich reads brackets as a style: [red] would vanish, and [/] would end the command."""
    path = tmp_path / "flight.mcap"
    with FlightLogWriter(path, config, text, {text: text}) as writer:
        image = EncodedImage(b"", text)
        writer.write(dataclasses.replace(make_entry(), encoded_image=image))
    code, output, _ = run("log", "info", path)
    assert (code, output.count(text)) == (0, 4), output


def test_csv_has_a_row_for_every_frame(flight, tmp_path, run):
    import csv

    out = tmp_path / "flight.csv"
    assert run("log", "export", flight, "--csv", out)[0] == 0
    with out.open() as file:
        rows = list(csv.DictReader(file))
    entries = list(read_log(flight).entries(()))
    assert len(rows) == len(entries)
    assert (
        float(rows[99]["step.command.velocity_mps.x"]) == entries[99].step.command.velocity_mps[0]
    )
    assert rows[99]["step.state"] == entries[99].step.state.value
    assert {"step.loops.yaw.p", "frame.vehicle.orientation.w"} <= rows[99].keys()


def test_exported_frames_are_training_data(flight, tmp_path, run):
    """Networks are trained on frames of flights in which they failed."""
    from followme_uav.learn.data.dataset import find_sets

    out = tmp_path / "frames"
    assert run("log", "export", flight, "--frames", out)[0] == 0
    sets = {one.kind: len(one.images) for one in find_sets(out)}
    assert sets["following_images"] > 50
    assert sets["patrol_non_targ"] > 50
    _, _, error = run("log", "export", flight, "--frames", out)
    assert "holds frames of toy already" in str(error)


def test_frames_of_several_flights_fit_into_one_folder(flight, tmp_path, run):
    """One frame in each two seconds of 20 s is enough: successive ones show nearly the same."""
    from followme_uav.learn.data.dataset import find_sets

    other, out = tmp_path / "toy_2.mcap", tmp_path / "frames"
    shutil.copy(flight, other)
    for path in (other, flight):
        assert run("log", "export", path, "--frames", out, "--every", "2")[0] == 0
    images = [image.stem for one in find_sets(out) for image in one.images]
    times_s = {entry.frame.index: entry.frame.time_s for entry in read_log(flight).entries(())}
    for stem in ("toy", "toy_2"):
        own_s = sorted(times_s[int(name.rpartition("_")[2])] for name in images
                       if name.rpartition("_")[0] == stem)  # fmt: skip
        assert 3 <= len(own_s) <= 1 + max(times_s.values()) / 2.0
        assert min(after - before for before, after in itertools.pairwise(own_s)) >= 2.0 - 1e-6


def test_bad_input_gives_an_error_of_one_line(flight, tmp_path, run):
    for arguments in (
        ("replay",),
        ("replay", flight, "--check", tmp_path),
        ("replay", flight, "--update"),
        ("replay", tmp_path / "none.mcap"),
        ("replay", flight, "--images"),
        ("log", "cut", flight, flight),
        ("log", "cut", flight, tmp_path / "x.mcap", "--to", "nan"),
        ("log", "recover", flight, flight),
        ("log", "cut", flight, tmp_path / "x.mcap", "--from", "5", "--to", "4"),
        ("log", "cut", flight, tmp_path / "x.mcap", "--from", "500"),
        ("log", "export", flight),
        ("log", "export", flight, "--frames", tmp_path / "x", "--every", "inf"),
        ("log", "recover", tmp_path / "none.mcap", tmp_path / "x.mcap"),
    ):
        _, _, error = run(*arguments)
        assert getattr(error, "exit_code", None) == 2, arguments
        assert "\n" not in str(error)
    assert not (tmp_path / "x.mcap").exists()


def test_log_without_entries_is_an_error(tmp_path, config, run):
    """A flight without frames must not count as identical."""
    with FlightLogWriter(tmp_path / "empty.mcap", config, ""):
        pass
    for package in ("av", "rerun"):
        pytest.importorskip(package, reason="extras [video] and [view]")
    for arguments in ((), ("--rrd", tmp_path / "x"), ("--video", tmp_path / "x.mp4")):
        _, _, error = run("replay", tmp_path / "empty.mcap", *arguments)
        assert isinstance(error, LogError), arguments
    _, _, error = run("log", "export", tmp_path / "empty.mcap", "--csv", tmp_path / "x")
    assert isinstance(error, LogError)
    assert not (tmp_path / "x").exists()
    assert not (tmp_path / "x.mp4").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("replay", "flight.mcap", "--rrd", "flight.mcap"),
        ("replay", "flight.mcap", "--rrd", "link.mcap"),
        ("replay", "flight.mcap", "--video", "flight.mcap"),
        ("replay", "flight.mcap", "--rrd", "x.mp4", "--video", "x.mp4"),
        ("replay", "flight.mcap", "--rrd", "x/map.png", "--plots", "x"),
        ("replay", "flight.mcap", "--rrd", "."),
        ("replay", "flight.mcap", "--plots", "taken"),
        ("replay", "flight.mcap", "--rrd", "x.rrd", "--set", "no.such.key=1"),
        ("replay", "flight.mcap", "--rrd", "x.rrd", "--pilot", "nobody"),
        ("log", "export", "flight.mcap", "--csv", "flight.mcap"),
        ("log", "export", "flight.mcap", "--csv", "link.mcap"),
        ("fly", "--oracle", "--log", "x.mcap", "--summary", "x.mcap"),
    ],
)
def test_output_that_cannot_be_meant_is_refused_before_the_work(
    flight, tmp_path, run, monkeypatch, arguments
):
    """A log is not replaced by its own recording, and no output by another one."""
    for package in ("av", "matplotlib", "rerun"):
        pytest.importorskip(package, reason="extras [video], [report] and [view]")
    monkeypatch.chdir(tmp_path)
    log = tmp_path / "flight.mcap"
    log.write_bytes(flight.read_bytes())
    (tmp_path / "link.mcap").symlink_to(log)
    (tmp_path / "taken" / "film_strip.png").mkdir(parents=True)
    _, out, error = run(*arguments)
    assert getattr(error, "exit_code", None) == 2, error
    assert (out, str(error).count("\n")) == ("", 0)
    assert log.read_bytes() == flight.read_bytes()
    assert not list(tmp_path.glob("x*.*"))


def test_json_of_a_replay_that_is_also_shown_is_valid(flight, tmp_path):
    """A program can read the comparison, whatever files are written beside it."""
    pytest.importorskip("rerun", reason="the viewer is Rerun, extra [view]")
    arguments = ["replay", str(flight), "--rrd", str(tmp_path / "f.rrd"), "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.exception
    assert json.loads(result.stdout)["identical"]
    assert (tmp_path / "f.rrd").stat().st_size > 1000


def test_commands_that_read_a_log_without_an_end_mark_say_so(flight, tmp_path, run):
    path = tmp_path / "broken.mcap"
    path.write_bytes(flight.read_bytes()[:-100])
    for arguments in (
        ("log", "cut", path, tmp_path / "x.mcap", "--masks-only"),
        ("log", "export", path, "--csv", tmp_path / "x.csv"),
    ):
        code, out, error = run(*arguments)
        assert code == 0, error
        assert "cut off: " in out, arguments


def test_rounded_mask_keeps_its_hero_pixels():
    """Rounding for the log must not move a detection."""
    hero = np.arange(256, dtype=np.uint8)
    mask = np.stack([255 - hero, np.zeros_like(hero), hero], axis=-1)[None]
    rounded = rounded_mask(mask)
    assert np.array_equal(rounded[..., 2] > 127.5, mask[..., 2] > 127.5)
    assert (np.abs(rounded.astype(int) - mask) <= 8).all()
    assert np.array_equal(rounded_mask(rounded), rounded)


def test_difference_distinguishes_signed_zeros_and_equates_nan():
    one = make_entry(hero_position_m=(0.0, 0.0, 0.0)).step
    command = dataclasses.replace(one.command, yaw_rate_radps=-0.0)
    assert [d.field for d in differences(one, dataclasses.replace(one, command=command))] == [
        "command.yaw_rate_radps"
    ]
    nan = dataclasses.replace(one, time_s=float("nan"))
    assert not differences(nan, dataclasses.replace(nan))


DAMAGES = 300


def damaged(data, random):
    """The data with some bytes changed, removed, doubled or zeroed, or without its end."""
    data = bytearray(data)
    for _ in range(int(random.integers(1, 4))):
        place = int(random.integers(0, len(data)))
        length = int(random.integers(1, 200))
        kind = random.integers(0, 6)
        if kind == 0:
            data[place] ^= 1 << int(random.integers(0, 8))
        elif kind == 1:
            data[place : place + length] = random.bytes(length)
        elif kind == 2:
            del data[place : place + length]
        elif kind == 3:
            data[place:place] = data[place : place + length]
        elif kind == 4:
            data[place : place + length] = bytes(len(data[place : place + length]))
        else:
            del data[max(place, 100) :]
    return bytes(data)


def test_damaged_log_is_rejected_or_replays_entries_of_the_flight(tmp_path, config):
    """None of 300 damaged logs gives a replay of anything but the flight."""
    small = changed(config, None, ["log.chunk_s=0.3"])
    path = fly_toy(small, tmp_path / "toy.mcap", 1.2, blind_at=(0.5,))
    whole, entries = path.read_bytes(), list(read_log(path).entries())
    random = np.random.default_rng(3)
    refused = prefixes = 0
    for _ in range(DAMAGES):
        data = damaged(whole, random)
        path.write_bytes(data)
        try:
            log = read_log(path)
            found = compare_log(log, ReplaySetup(log.metadata.config))
            read = list(log.entries())
        except FollowMeError as error:
            assert "\n" not in str(error)
            refused += 1
            continue
        assert found.is_identical, "every readable entry is one of the flight"
        assert found.frames == len(read)
        assert all(same(one, other) for one, other in zip(entries, read, strict=False))
        if log.truncated:
            prefixes += 1
        else:
            assert len(read) == len(entries)
    assert refused > 30
    assert prefixes > 30


def test_prefetched_iterator_gives_the_same_items_and_errors():
    """A damaged long log must neither replay as a whole one nor block."""

    def numbers():
        yield from range(100)
        raise LogError("damaged at byte 7")

    with pytest.raises(LogError, match="byte 7"):
        list(prefetched(numbers()))
    assert next(prefetched(iter("abc"))) == "a"
    assert list(prefetched(iter(range(100)))) == list(range(100))


@pytest.mark.parametrize("path", sorted(REFERENCES.glob("*.mcap")), ids=lambda path: path.stem)
def test_reference_flight_replays_identically(path, run):
    """A failure means that the pilot decides differently.

    After an intended change, `followme-uav replay --check tests/reference_flights --update` renews
    the logs.
    """
    code, output, _ = run("replay", path)
    assert code == 0, output


def test_reference_flights_exist_and_are_small():
    assert len(list(REFERENCES.glob("*.mcap"))) >= 3
    assert sum(path.stat().st_size for path in REFERENCES.glob("*.mcap")) < 1_200_000


def test_log_of_version_1_is_read_and_replayed(run):
    """Fields that version 1 does not have do not count as differences."""
    path = Path(__file__).parents[1] / "data" / "version_1.mcap"
    log = read_log(path)
    entries = list(log.entries())
    assert (log.schema_version, len(entries)) == (1, 3)
    assert log.metadata.config.control.wanted_distance_m == 8.5
    assert log.metadata.config.log.image == "png"
    assert entries[0].step.track.position_m == (7.0, 0.0, 0.95)
    assert entries[1].step.transition.reason == "hero confirmed"
    assert entries[0].frame.rgb.shape == (32, 32, 3)
    code, output, _ = run("replay", path, "--json")
    found = json.loads(output)
    assert (code, found["frames"]) == (1, 3)
    new = {"track", "loops", "candidates", "inputs", "guidance"}
    assert not [drift for drift in found["drift"] if drift["field"].partition(".")[0] in new]


@pytest.mark.parametrize("processor", ["Prescott", "Haswell"])
def test_replay_is_identical_on_other_processors(processor):
    """Matrix libraries round differently on them, so the pilot uses none."""
    environment = {**os.environ, "OPENBLAS_CORETYPE": processor, "COLUMNS": "200"}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "followme_uav.cli", "replay"),
            str(REFERENCES / "lost_and_found.mcap"),
        ],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.startswith("identical: "), done.stdout + done.stderr
