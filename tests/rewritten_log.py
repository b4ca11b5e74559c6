"""Writes a flight log again in the forms that MCAP allows: same flight, other file."""

import struct
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import lz4.frame
import zstandard
from mcap.data_stream import RecordBuilder
from mcap.records import Channel, Chunk, DataEnd, Footer, Header, McapRecord, Message, Metadata
from mcap.stream_reader import StreamReader
from mcap.writer import Writer

MAGIC = b"\x89MCAP0\r\n"


@dataclass
class Content:
    """The records of a log, independent of their form in the file."""

    schemas: dict = field(default_factory=dict)
    channels: dict = field(default_factory=dict)
    metadata: list = field(default_factory=list)
    messages: list = field(default_factory=list)


def content_of(path: Path) -> Content:
    """Read a log with the `mcap` library."""
    found = Content()
    with path.open("rb") as file:
        for record in StreamReader(file).records:
            if isinstance(record, Message):
                found.messages.append(record)
            elif isinstance(record, Metadata):
                found.metadata.append(record)
            elif isinstance(record, Channel):
                found.channels.setdefault(record.id, record)
            elif type(record).__name__ == "Schema":
                found.schemas.setdefault(record.id, record)
    return found


def with_library(
    content: Content,
    out: Path,
    *,
    metadata: str = "first",
    lazily: bool = False,
    attachment: bytes = b"",
    **options: object,
) -> Path:
    """Write with the library's writer.

    Args:
        content: Of the log.
        out: File to write.
        metadata: Place of the flight's metadata record: "first", "last" or "twice".
        lazily: Channels are registered at their first message, and not without one.
        attachment: Content of a file that is attached between the messages.
        **options: Of the writer.
    """
    with out.open("wb") as file:
        writer = Writer(file, **options)
        writer.start(profile="", library="a copy")
        if metadata != "last":
            _add_metadata(writer, content)
        numbers: dict[int, int] = {}

        def number_of(channel_id: int) -> int:
            if channel_id not in numbers:
                channel = content.channels[channel_id]
                schema = content.schemas[channel.schema_id]
                schema_id = writer.register_schema(schema.name, schema.encoding, schema.data)
                numbers[channel_id] = writer.register_channel(
                    channel.topic, channel.message_encoding, schema_id
                )
            return numbers[channel_id]

        if not lazily:
            for channel_id in reversed(content.channels):
                number_of(channel_id)
        for index, m in enumerate(content.messages):
            writer.add_message(
                number_of(m.channel_id), m.log_time, m.data, m.publish_time, m.sequence
            )
            if attachment and index == len(content.messages) // 2:
                writer.add_attachment(0, 0, "notes.bin", "application/octet-stream", attachment)
        if metadata != "first":
            _add_metadata(writer, content)
        writer.finish()
    return out


def _add_metadata(writer: Writer, content: Content) -> None:
    for record in content.metadata:
        writer.add_metadata(record.name, record.metadata)


Compress = Callable[[bytes], tuple[str, bytes]]


def plain(data: bytes) -> tuple[str, bytes]:
    return "", data


def zstd_without_size(data: bytes) -> tuple[str, bytes]:
    return "zstd", zstandard.ZstdCompressor(write_content_size=False).compress(data)


def zstd_in_frames(data: bytes) -> tuple[str, bytes]:
    half = len(data) // 2
    return "zstd", zstandard.compress(data[:half]) + zstandard.compress(data[half:])


def lz4_with_size(data: bytes) -> tuple[str, bytes]:
    return "lz4", lz4.frame.compress(data, store_size=True, content_checksum=True)


def lz4_in_frames(data: bytes) -> tuple[str, bytes]:
    half = len(data) // 2
    parts = (data[:half], data[half:])
    return "lz4", b"".join(lz4.frame.compress(part, store_size=False) for part in parts)


def by_hand(
    content: Content,
    out: Path,
    compress: Compress | None = plain,
    *,
    chunks: int = 3,
    crc: bool = False,
    channels: str = "each chunk",
    by_topic: bool = False,
    foreign: bool = False,
) -> Path:
    """Write a form that the library's writer does not make, without an index.

    Args:
        content: Of the log.
        out: File to write.
        compress: Name and content of compressed data; None: no chunks at all.
        chunks: Number of chunks.
        crc: Whether chunks have a checksum.
        channels: Declared in "each chunk", or only in the "summary".
        by_topic: Messages are sorted by topic, not by time.
        foreign: Add records of unknown kinds, and a channel of another program.
    """
    described = [*content.schemas.values(), *content.channels.values()]
    messages = list(content.messages)
    if by_topic:
        messages.sort(key=lambda m: m.channel_id)
    parts = [Header("", "by hand"), *content.metadata]
    body = b"".join(map(record_bytes, parts))
    if foreign:
        body += unknown_record()
    own = [] if channels == "summary" else described
    if foreign:
        other = Channel(id=999, topic="/battery", message_encoding="json", metadata={}, schema_id=0)
        own = [*own, other]
        messages.insert(1, Message(999, 0, b'{"volt": 11.1}', 0, 0))
    size = -(-len(messages) // chunks)
    for start in range(0, len(messages), size):
        data = b"".join(map(record_bytes, [*own, *messages[start : start + size]]))
        if foreign:
            data = unknown_record() + data
        body += data if compress is None else record_bytes(_chunk(data, compress, crc))
    body = MAGIC + body + record_bytes(DataEnd(0))
    summary = b"".join(map(record_bytes, described)) if channels == "summary" else b""
    footer = record_bytes(Footer(len(body) if summary else 0, 0, 0))
    out.write_bytes(body + summary + footer + MAGIC)
    return out


def _chunk(data: bytes, compress: Compress, crc: bool) -> Chunk:
    name, compressed = compress(data)
    return Chunk(
        compression=name,
        data=compressed,
        message_start_time=0,
        message_end_time=0,
        uncompressed_crc=zlib.crc32(data) if crc else 0,
        uncompressed_size=len(data),
    )


def record_bytes(record: McapRecord) -> bytes:
    builder = RecordBuilder()
    record.write(builder)
    return builder.end()


def unknown_record() -> bytes:
    """A record with an opcode that the specification reserves for applications."""
    return struct.pack("<BQ", 0x80, 5) + b"hello"


def opcodes(path: Path) -> Iterable[int]:
    """Opcodes of the records of a file; those within chunks are not read."""
    data, place = path.read_bytes(), len(MAGIC)
    while place < len(data) - len(MAGIC):
        opcode, length = struct.unpack_from("<BQ", data, place)
        yield opcode
        place += 9 + length
