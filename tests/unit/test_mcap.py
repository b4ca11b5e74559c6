"""Logs in every form that MCAP allows, whole and cut, read as the flight that they hold."""

import itertools
import random

import pytest
from mcap.opcode import Opcode
from mcap.records import Metadata
from mcap.writer import CompressionType, IndexType

from followme_uav.errors import LogError
from followme_uav.log.info import log_info, missing_end
from followme_uav.log.mcap_chunk import MAX_BYTES
from followme_uav.log.reader import content_digest, read_log
from followme_uav.log.writer import FlightLogWriter
from followme_uav.replay.setup import ReplaySetup, compare_log
from tests import rewritten_log as rewritten
from tests.conftest import same
from tests.unit.test_log import full_entry

pytestmark = pytest.mark.slow

FRAMES = 20
PNG = b"\x89PNG"

LIBRARY = {
    f"{compression.name}-{'chunks' if chunked else 'plain'}-{size}-{index.name}": {
        "compression": compression,
        "use_chunking": chunked,
        "chunk_size": size,
        "index_types": index,
        "use_statistics": index is not IndexType.NONE,
        "use_summary_offsets": index is not IndexType.CHUNK,
        "repeat_channels": index is not IndexType.METADATA,
        "repeat_schemas": index is not IndexType.METADATA,
        "enable_crcs": index is not IndexType.MESSAGE,
        "enable_data_crcs": size == 3000,
    }
    for compression, (chunked, size), index in itertools.product(
        CompressionType,
        [(False, 3000), (True, 3000), (True, 1 << 30)],
        [IndexType.ALL, IndexType.NONE, IndexType.CHUNK, IndexType.MESSAGE, IndexType.METADATA],
    )
}
ORDERS = {
    f"{metadata}-{'lazily' if lazily else 'at-once'}-{'chunks' if chunked else 'plain'}": {
        "metadata": metadata,
        "lazily": lazily,
        "use_chunking": chunked,
        "attachment": bytes(5000),
    }
    for metadata, lazily, chunked in itertools.product(
        ["first", "last", "twice"], [False, True], [False, True]
    )
}
BY_HAND = {
    "no chunks": {"compress": None},
    "no chunks, channels in the summary": {"compress": None, "channels": "summary", "chunks": 1},
    "no chunks, channels repeated": {"compress": None, "chunks": 5},
    "empty compression": {"compress": rewritten.plain},
    "empty compression, checksums": {"compress": rewritten.plain, "crc": True},
    "zstd without size": {"compress": rewritten.zstd_without_size},
    "zstd without size, checksums": {"compress": rewritten.zstd_without_size, "crc": True},
    "zstd in frames": {"compress": rewritten.zstd_in_frames},
    "lz4 with size": {"compress": rewritten.lz4_with_size, "crc": True},
    "lz4 in frames": {"compress": rewritten.lz4_in_frames},
    "channels in the summary": {"compress": rewritten.lz4_with_size, "channels": "summary"},
    "sorted by topic": {"compress": rewritten.zstd_without_size, "by_topic": True},
    "sorted by topic, no chunks": {"compress": None, "by_topic": True},
    "foreign records": {"compress": rewritten.plain, "foreign": True},
    "foreign records, no chunks": {"compress": None, "foreign": True},
    "one chunk": {"compress": rewritten.plain, "chunks": 1},
}


@pytest.fixture(scope="module")
def original(tmp_path_factory, config):
    """A log with every topic and with images of noise, which cannot be compressed."""
    path = tmp_path_factory.mktemp("original") / "flight.mcap"
    with FlightLogWriter(path, config, "ab" * 32, {"seed": "3"}) as log:
        for index in range(FRAMES):
            log.write(full_entry(index))
    return path


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    from followme_uav.log.edit import cut

    out = tmp_path_factory.mktemp("reference") / "flight.mcap"
    log = read_log("tests/reference_flights/network.mcap")
    cut(log, out, 0.0, 6.0, masks_only=True)
    return out


def write(original, out, name):
    """Write the log in the form of that name."""
    content = rewritten.content_of(original)
    if name in BY_HAND:
        return rewritten.by_hand(content, out, **BY_HAND[name])
    return rewritten.with_library(content, out, **{**LIBRARY, **ORDERS}[name])


@pytest.mark.parametrize("name", [*LIBRARY, *ORDERS, *BY_HAND])
def test_every_form_of_a_log_reads_as_the_same_flight(original, tmp_path, name):
    """Otherwise a log that another program copied would be empty, damaged, or no log."""
    path = write(original, tmp_path / "copy.mcap", name)
    expected, log = read_log(original), read_log(path)
    assert not log.truncated
    assert log.metadata == expected.metadata
    entries = list(log.entries())
    assert len(entries) == FRAMES
    assert all(map(same, entries, expected.entries()))
    assert content_digest(path) == content_digest(original)
    assert missing_end(log) is None


@pytest.mark.parametrize(
    "name",
    [
        "LZ4-chunks-3000-ALL",
        "NONE-plain-3000-NONE",
        "last-lazily-plain",
        "zstd without size",
        "sorted by topic",
        "channels in the summary",
    ],
)
def test_every_form_of_a_log_replays_identically(reference, tmp_path, name):
    """Otherwise the replay of a copied log would report a change of the pilot."""
    path = write(reference, tmp_path / "copy.mcap", name)
    log = read_log(path)
    found = compare_log(log, ReplaySetup(log.metadata.config))
    assert found.is_identical
    assert found.frames == log_info(log).frames == log_info(read_log(reference)).frames > 0


@pytest.mark.parametrize(
    "name", [*(name for name in LIBRARY if name.endswith("ALL")), *ORDERS, *BY_HAND]
)
def test_cut_log_of_every_form_gives_its_rest_and_is_reported_as_cut(original, tmp_path, name):
    """Otherwise a log cut by a full disk would be lost, or be taken for a shorter flight."""
    path = write(original, tmp_path / "copy.mcap", name)
    whole, expected = path.read_bytes(), list(read_log(original).entries())
    rng = random.Random(name)
    ends = {len(whole) - n for n in (1, 8, 9, 30)}
    ends |= {rng.randrange(9, len(whole)) for _ in range(8)}
    counts = []
    for end in sorted(ends):
        path.write_bytes(whole[:end])
        try:
            log = read_log(path)
            read = list(log.entries())
            gap = missing_end(log)
        except LogError as error:
            assert "\n" not in str(error) and str(path) in str(error)
            if not counts or "last" in name or "topic" in name:  # the metadata is lost
                continue
            raise
        assert log.truncated and gap is not None and gap.startswith("cut off")
        assert all(map(same, read, expected))
        counts.append(len(read))
    assert counts == sorted(counts)
    if "summary" not in name:
        assert counts[-1] == FRAMES


@pytest.mark.parametrize("name", ["one chunk", "NONE-chunks-1073741824-ALL"])
def test_records_before_the_cut_of_a_chunk_are_read(original, tmp_path, name):
    """Otherwise a log in one chunk would be lost with its last byte."""
    path = write(original, tmp_path / "copy.mcap", name)
    whole = path.read_bytes()
    first, last = whole.index(PNG), whole.rindex(PNG)  # of the images, between the metadata
    for share in (0.3, 0.6):
        path.write_bytes(whole[: int(first + share * (last - first))])
        found = len(list(read_log(path).entries()))
        assert share * FRAMES - 3 <= found <= share * FRAMES + 1


@pytest.mark.parametrize("compress", [rewritten.zstd_without_size, rewritten.lz4_with_size])
def test_blocks_before_the_cut_of_a_compressed_chunk_are_read(original, tmp_path, compress):
    """Zstandard and LZ4 compress in blocks, and the blocks before the cut can be decompressed."""
    content = rewritten.content_of(original)
    path = rewritten.by_hand(content, tmp_path / "copy.mcap", compress, chunks=1)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(0.97 * len(whole))])
    assert FRAMES / 3 <= len(list(read_log(path).entries())) < FRAMES


def test_file_cut_within_its_index_has_all_frames(original, tmp_path):
    """Otherwise a whole flight would be taken for a broken one."""
    path = tmp_path / "copy.mcap"
    path.write_bytes(original.read_bytes()[:-20])
    log = read_log(path)
    assert len(list(log.entries())) == FRAMES
    assert missing_end(log).endswith("all frames are there")


@pytest.mark.parametrize("chunked", [True, False])
def test_entry_without_one_of_its_messages_is_an_error(original, tmp_path, chunked):
    """Otherwise a filtered log would look like a complete flight."""
    content = rewritten.content_of(original)
    for lost in (0, len(content.messages) // 2, len(content.messages) - 1):
        part = rewritten.Content(content.schemas, content.channels, content.metadata)
        part.messages = [m for i, m in enumerate(content.messages) if i != lost]
        path = rewritten.with_library(part, tmp_path / "copy.mcap", use_chunking=chunked)
        with pytest.raises(LogError, match=r"entry .* is (not complete|missing)"):
            list(read_log(path).entries())


def test_two_flights_in_one_file_are_rejected(original, tmp_path):
    """Otherwise the frames of one would be read with the settings of the other."""
    content = rewritten.content_of(original)
    record = content.metadata[0]
    content.metadata.append(Metadata(record.name, {**record.metadata, "extra": "{}"}))
    path = rewritten.with_library(content, tmp_path / "copy.mcap")
    with pytest.raises(LogError, match="several flights"):
        list(read_log(path).entries())
    content.metadata.pop()
    content.messages *= 2
    path = rewritten.with_library(content, tmp_path / "copy.mcap")
    with pytest.raises(LogError, match="entry 0 has two"):
        list(read_log(path).entries())


@pytest.mark.parametrize("declared", [MAX_BYTES + 1, 2**63, 10])
@pytest.mark.parametrize("compress", ["zstd", "lz4", ""])
def test_chunk_of_a_size_other_than_declared_is_rejected(
    original, tmp_path, monkeypatch, compress, declared
):
    """Otherwise a small file could exhaust the memory."""
    how = {
        "zstd": rewritten.zstd_without_size,
        "lz4": rewritten.lz4_with_size,
        "": rewritten.plain,
    }[compress]
    make = rewritten._chunk

    def with_wrong_size(*args):
        chunk = make(*args)
        chunk.uncompressed_size = declared
        return chunk

    monkeypatch.setattr(rewritten, "_chunk", with_wrong_size)
    path = rewritten.by_hand(rewritten.content_of(original), tmp_path / "x.mcap", how)
    with pytest.raises(LogError, match="chunk"):
        list(read_log(path).entries())


def test_error_for_an_unknown_compression_names_it(original, tmp_path):
    """Otherwise the log would be called damaged, without a hint of the cause."""
    path = rewritten.by_hand(
        rewritten.content_of(original), tmp_path / "x.mcap", lambda data: ("brotli", data)
    )
    with pytest.raises(LogError, match="compression 'brotli' is not supported"):
        list(read_log(path).entries())


def test_written_forms_have_the_records_of_their_names(original, tmp_path):
    """Otherwise the tests above would read the same form several times."""
    kinds = {}
    for name in ("NONE-plain-3000-NONE", "LZ4-chunks-3000-ALL", "one chunk", "last-lazily-plain"):
        kinds[name] = list(rewritten.opcodes(write(original, tmp_path / "copy.mcap", name)))
    assert Opcode.CHUNK not in kinds["NONE-plain-3000-NONE"]
    assert kinds["LZ4-chunks-3000-ALL"].count(Opcode.CHUNK) > 10
    assert kinds["one chunk"].count(Opcode.CHUNK) == 1
    last = kinds["last-lazily-plain"]
    assert last.index(Opcode.METADATA) > last.index(Opcode.MESSAGE)
