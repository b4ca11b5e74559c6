"""The flight log: reading gives the entries that were written; bad files give one clear line."""

import dataclasses
import json
import math
import zlib
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from mcap.reader import make_reader
from mcap.writer import Writer
from mcap_protobuf.decoder import DecoderFactory
from PIL import Image

from followme_uav.errors import LogError
from followme_uav.log import schema
from followme_uav.log.entry import EncodedImage
from followme_uav.log.layout import PROFILE, TOPICS, metadata_record, record_digest
from followme_uav.log.png import decode_png, encode_png
from followme_uav.log.reader import content_digest, read_log
from followme_uav.log.writer import FlightLogWriter
from followme_uav.messages import (
    Candidate,
    Classification,
    Contact,
    GroundCovariance,
    Guidance,
    LineOfSight,
    LoopTerms,
    Manoeuvre,
    Measurement,
    MissionInputs,
    MissionState,
    Outcome,
    TrackEstimate,
    Transition,
)
from tests.conftest import SIZE_PX, detection_at, hero_mask, make_entry, same

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(7)


def noise() -> np.ndarray:
    return RNG.integers(0, 256, (SIZE_PX, SIZE_PX, 3), np.uint8)


MEASUREMENT = Measurement(
    (1.0 / 3.0, -0.0, -0.95), GroundCovariance(0.1, -0.02, 1e-310), 8.0, 1.1, 0.9, True
)
CANDIDATES = (
    Candidate(
        detection_at((7.3, 9.1)), MEASUREMENT, 0.0, Classification.CONFIRMED, Outcome.SELECTED
    ),
    Candidate(
        detection_at((3.0, 5.0)),
        dataclasses.replace(MEASUREMENT, is_truncated=False),
        None,
        Classification.UNCONFIRMED,
        Outcome.LESS_LIKELY,
    ),
    Candidate(detection_at((9.0, 1.0)), None, None, None, Outcome.NOT_ON_GROUND),
)
"""With a track, without one, and above the horizon."""
INPUTS = (
    MissionInputs(0.1, 1.0 / 3.0, True, False, False, 4.5, -0.0, Classification.PROBABLE, True),
    MissionInputs(0.2, 0.1, False, True, True, 0.0, 1e-310, None),
)
GUIDANCE = (
    Guidance(Manoeuvre.VELOCITY, (1.0 / 3.0, -0.0), 4.5, 0.0, LineOfSight(0.1, -0.3), 0.0),
    Guidance(Manoeuvre.VELOCITY, (0.0, 0.0), altitude_m=0.0, descent_mps=1.0),
    Guidance(Manoeuvre.HOVER),
)
"""Zero is a value other than None."""


def full_entry(index: int):
    state = MissionState.FOLLOW
    return make_entry(
        index,
        state,
        time_s=index / 30.0,
        rgb=noise(),
        mask=noise(),
        detection=detection_at((7.3, 9.1)),
        truth_mask=hero_mask((7, 9)),
        hero_position_m=(1.0 / 3.0, -0.0, 1e-310),
        clearance_m=math.inf,
        transition=Transition(MissionState.ACQUIRE, state, "hero confirmed in 5 frames: größer"),
        track=TrackEstimate((1.0 / 7.0, -0.0, 1e-310), (0.1, -0.2, 0.0), 0.3),
        loops=(
            LoopTerms("pan", 0.1, 0.2, 0.0, -0.3, -0.1),
            LoopTerms("yaw", 1.0, 2.0, 0.0, 0.0, 2.0),
        ),
        candidates=CANDIDATES,
        inputs=INPUTS[index % len(INPUTS)],
        guidance=GUIDANCE[index % len(GUIDANCE)],
    )


@pytest.fixture
def write(tmp_path, config):
    def write_log(
        entries, name="flight.mcap", config=config, schema_version=schema.SCHEMA_VERSION, **metadata
    ):
        path = tmp_path / name
        with FlightLogWriter(
            path, config, "ab" * 32, metadata, schema_version=schema_version
        ) as log:
            for entry in entries:
                log.write(entry)
        return path

    return write_log


def test_entries_are_read_to_the_last_bit(write, config):
    """Otherwise a replay would differ from the flight without a change of the pilot."""
    entries = [full_entry(0), make_entry(1), full_entry(2), make_entry(3, mask=noise())]
    log = read_log(write(entries, seed="42"))
    read = list(log.entries())
    assert len(read) == len(entries)
    assert all(same(one, other) for one, other in zip(entries, read, strict=True))
    assert not log.truncated
    assert log.metadata.config == config
    assert log.metadata.weights_sha256 == "ab" * 32
    assert log.metadata.extra == {"seed": "42"}


def test_contact_and_control_loss_are_read_and_take_no_bytes_when_absent(write):
    """Otherwise a replay would take ground contact for a collision, or not hover as the flight."""
    plain = make_entry(0)
    touched = dataclasses.replace(
        plain.frame.vehicle, has_collided=True, contact=Contact("Ground", (0.0, 0.1, -0.9))
    )
    frame = dataclasses.replace(plain.frame, vehicle=touched, control_loss="reset by a client")
    entries = [plain, dataclasses.replace(plain, frame=frame)]
    read = list(read_log(write(entries)).entries())
    assert all(same(one, other) for one, other in zip(entries, read, strict=True))
    before = {field.name for field, _ in schema.to_message(plain.frame).ListFields()}
    assert "control_loss" not in before
    assert not schema.to_message(plain.frame).vehicle.HasField("contact")


def test_only_entries_with_the_given_numbers_are_read(write):
    """Reading twelve images of a long flight is faster than reading all of them."""
    entries = [full_entry(0), make_entry(1), full_entry(2)]
    found = list(read_log(write(entries)).entries(numbers={0, 2}))
    assert [entry.frame.index for entry in found] == [0, 2]
    assert same(found[1], entries[2])


@given(st.floats(allow_nan=False), st.integers(-(2**63), 2**63 - 1), st.text())
def test_every_value_is_read_as_it_was_written(number, integer, text):
    """No number is rounded, clipped or lost."""
    entry = make_entry(integer, time_s=number, hero_position_m=(number, 0.0, -number))
    step = dataclasses.replace(
        entry.step, transition=Transition(MissionState.PATROL, MissionState.SEARCH, text)
    )
    message = schema.to_message(step)
    parsed = type(message).FromString(message.SerializeToString())
    assert same(schema.from_message(parsed, mask=None), step)


def test_schema_has_every_field_of_every_message():
    """A new field of a message must not be missing in logs."""
    for name, kind in schema._DATACLASSES.items():
        logged = {field.name for field in schema.MESSAGES[name].DESCRIPTOR.fields}
        images = {"rgb", "mask", "depth"}
        logged -= set(schema.RETIRED.get(name, ()))
        assert logged == {field.name for field in dataclasses.fields(kind)} - images


@given(
    arrays(
        np.uint8,
        st.tuples(st.integers(1, 20), st.integers(1, 20), st.just(3)),
    )
)
def test_images_are_lossless(image):
    """A replay from images needs the exact pixels of the flight."""
    assert np.array_equal(decode_png(encode_png(image)), image)


def test_log_has_standard_index_schema_and_images(write):
    """Otherwise Foxglove and Rerun would show raw bytes."""
    path = write([full_entry(0), full_entry(1)])
    with path.open("rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()])
        decoded = [
            (channel.topic, message.log_time, proto)
            for _, channel, message, proto in reader.iter_decoded_messages()
        ]
        assert reader.get_summary().statistics.message_count == len(decoded)
    topics = {topic for topic, _, _ in decoded}
    assert {"/camera/image", "/camera/mask", "/truth/mask", "/step", "/transition"} <= topics
    image = next(proto for topic, _, proto in decoded if topic == "/camera/image")
    assert image.format == "png"
    assert {time_ns for _, time_ns, _ in decoded} == {0, round(1e9 / 30)}


def test_digest_ignores_only_wall_clock_times(write):
    """Two lockstep flights with the same seed have the same digest on every machine."""
    entry = full_entry(0)
    slower = dataclasses.replace(
        entry, timings=dataclasses.replace(entry.timings, receive_ms=1e3, total_ms=2e3)
    )
    pixel = entry.frame.rgb.copy()
    pixel[3, 4, 1] ^= 1
    other = dataclasses.replace(
        entry, frame=dataclasses.replace(entry.frame, rgb=pixel), encoded_image=None
    )
    digests = [
        content_digest(write([one], f"{index}.mcap"))
        for index, one in enumerate((entry, slower, other))
    ]
    assert digests[0] == digests[1] != digests[2]


def test_log_without_an_end_mark_gives_all_complete_entries(write, config):
    """The log of a killed flight is readable."""
    entries = [full_entry(index) for index in range(8)]
    each = config.log.model_copy(update={"chunk_s": 0.0})
    path = write(entries, config=config.model_copy(update={"log": each}))
    whole = path.read_bytes()
    counts = []
    for end in range(len(whole) - 1, 8, -193):
        path.write_bytes(whole[:end])
        try:
            log = read_log(path)
        except LogError:
            continue  # cut within the metadata, before the first entry
        read = list(log.entries())
        assert log.truncated
        assert all(same(one, other) for one, other in zip(entries, read, strict=False))
        counts.append(len(read))
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == 8
    assert set(counts) == set(range(9)), "each chunk must end with an entry"


def test_damaged_log_is_rejected_or_gives_entries_that_were_written(write):
    """Damage must not produce entries of a flight that did not happen."""
    entries = [full_entry(index) for index in range(3)]
    path = write(entries)
    whole = path.read_bytes()
    rng = np.random.default_rng(1)
    for _ in range(300):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), rng.integers(1, 9)):
            data[place] ^= 1 << rng.integers(0, 8)
        path.write_bytes(data)
        try:
            log = read_log(path)
            read = list(log.entries())
        except LogError as error:
            assert "\n" not in str(error) and str(path) in str(error)
            continue
        assert log.metadata.extra == {}
        assert log.truncated or len(read) == len(entries)
        assert all(same(one, other) for one, other in zip(entries, read, strict=False))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "cannot read"),
        (b"", "not an MCAP file"),
        (b"\x89PNG\r\n\x1a\n and more", "not an MCAP file"),
        (b"\x89MCAP0\r\n", "no flight log"),
        (b"\x89MCAP0\r\n" + b"\0" * 5000, "no flight log"),
    ],
)
def test_file_that_is_no_flight_log_gives_an_error_of_one_line(tmp_path, content, expected):
    """A wrong file name must not give a traceback."""
    path = tmp_path / "x.mcap"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LogError, match=expected):
        read_log(path)


def test_error_for_a_log_of_a_newer_version_asks_for_an_update(write):
    """An old program would misread a new log."""
    path = write([full_entry(0)], schema_version=99)
    with pytest.raises(LogError, match="update followme-uav"):
        read_log(path)


def test_log_of_version_1_gives_position_settings_and_lossless_images(config, write):
    """Version 1 had no velocity and no uncertainty, other keys, and lossless images only."""
    entry = full_entry(0)
    step = schema.to_message(dataclasses.replace(entry.step, track=None))
    step.hero_position_m.x, step.hero_position_m.z = 12.0, -0.95
    read = schema.from_message(step, mask=None)
    assert read.track == TrackEstimate((12.0, 0.0, -0.95), (0.0, 0.0, 0.0), math.inf)

    settings = config.model_dump(mode="json")
    del settings["depth"], settings["log"]
    settings["tracker"] = {"a_former_key": 0.5, "gate": 9.5}
    del settings["association"]["gate"]
    settings["control"]["wanted_distance_m"] = 8.5
    old = SimpleNamespace(model_dump_json=lambda: json.dumps(settings), log=config.log)
    path = write([entry], config=old, schema_version=1)
    found = read_log(path).metadata.config
    assert found.control.wanted_distance_m == 8.5
    assert found.association.gate == 9.5
    assert found.depth == config.depth
    assert (found.log.image, found.log.round_masks) == ("png", False), "the format of version 1"


@pytest.mark.parametrize(
    "changes",
    [
        {"config": "[]"},
        {"config": "{"},
        {"config": "[" * 100_000},
        {"config": '{"simulator": 3}'},
        {"config": f'{{"a": {"9" * 5000}}}'},
        {"config": None},
        {"extra": "[]"},
        {"extra": '{"pilot": 3}'},
        {"schema_version": "x"},
        {"schema_version": "\u00b2"},
        {"schema_version": "9" * 5000},
        {"schema_version": None},
        {"weights_sha256": None},
    ],
    ids=lambda changes: "-".join(f"{key}={text!s:.12}" for key, text in changes.items()),
)
def test_metadata_with_a_wrong_value_is_one_line(tmp_path, config, changes):
    """Its checksum may be right: any program can compute it."""
    record = {**metadata_record(config, "", {}), **changes}
    record = {key: text for key, text in record.items() if text is not None}
    path = tmp_path / "forged.mcap"
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start(profile=PROFILE)
        writer.add_metadata(PROFILE, {**record, "sha256": record_digest(record)})
        writer.finish()
    with pytest.raises(LogError, match=r"forged\.mcap: ") as found:
        read_log(path)
    assert "\n" not in str(found.value) and len(str(found.value)) < 600


def test_error_for_a_log_without_a_channel_names_it(write, monkeypatch):
    """A filtered log must not look like a flight without images."""
    fewer = {topic: kind for topic, kind in TOPICS.items() if topic != "/camera/image"}
    monkeypatch.setattr("followme_uav.log.mcap_log.TOPICS", fewer)
    path = write([full_entry(0)])
    monkeypatch.undo()
    with pytest.raises(LogError, match="/camera/image is missing"):
        list(read_log(path).entries())


def test_images_and_records_of_excessive_size_are_rejected(write, tmp_path):
    """A small forged file must not exhaust the memory."""
    bomb = bytearray(encode_png(np.zeros((1, 1, 3), np.uint8)))
    bomb[16:24] = (60000).to_bytes(4, "big") * 2
    bomb[29:33] = zlib.crc32(bomb[12:29]).to_bytes(4, "big")
    with pytest.raises(ValueError, match=r"too large|not a readable|exceeds"):
        decode_png(bytes(bomb))
    path = tmp_path / "x.mcap"
    path.write_bytes(b"\x89MCAP0\r\n\x06" + (2**62).to_bytes(8, "little") + b"x" * 50)
    with pytest.raises(LogError):
        read_log(path)


@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_error_for_a_log_with_a_broken_image_names_the_log(write, kind):
    """Decoders raise many kinds of exceptions; a forged log must not give a traceback."""
    for number, data in enumerate((b"", b"no image", encode_png(noise())[:40], b"\xff\xd8\xff")):
        entry = dataclasses.replace(full_entry(0), encoded_image=EncodedImage(data, kind))
        path = write([entry], f"{kind}{number}.mcap")
        with pytest.raises(LogError, match=f"{path.name}.*not a readable image") as caught:
            list(read_log(path).entries())
        assert "\n" not in str(caught.value)


def test_full_disk_gives_an_error_of_one_line(config):
    """A full disk must not give a traceback, and must not be ignored."""
    with pytest.raises(LogError, match=r"cannot write the flight log after 0 entries .*No space"):
        FlightLogWriter("/dev/full", config, "")


def test_log_in_a_folder_that_is_a_file_gives_an_error_of_one_line(tmp_path, config):
    """A wrong path in --log must not give a traceback."""
    (tmp_path / "file").write_text("")
    with pytest.raises(LogError, match="cannot write"):
        FlightLogWriter(tmp_path / "file" / "flight.mcap", config, "")


def test_encoded_image_is_a_png_file_for_pillow(tmp_path):
    path = tmp_path / "x.png"
    path.write_bytes(encode_png(noise()))
    with Image.open(path) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (SIZE_PX, SIZE_PX))
