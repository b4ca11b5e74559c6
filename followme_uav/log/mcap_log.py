"""The MCAP side of writing a flight log: entries in, compressed chunks out."""

from __future__ import annotations

from mcap.writer import CompressionType, Writer
from mcap_protobuf.schema import register_schema

from followme_uav import __version__
from followme_uav.log.entry import FlightEntry
from followme_uav.log.layout import PROFILE, RARE_TOPICS, TOPICS, entry_messages
from followme_uav.log.mcap_file import DirectFile

_CHUNK_BYTES = 1 << 20
"""Upper limit of a chunk's size, whatever its duration."""


class McapLog:
    """Appends entries to an MCAP file; all methods raise `OSError` when that fails.

    Args:
        file: Replaced when the first entry is appended, or at once if it is empty.
        metadata: See `layout.metadata_record`.
        chunk_s: Flight time in one chunk.

    Attributes:
        entries: Number of entries appended.
    """

    def __init__(self, file: DirectFile, metadata: dict[str, str], chunk_s: float) -> None:
        self.entries = 0
        self._file = file
        self._chunk_s = chunk_s
        self._chunk_start_s: float | None = None
        self._writer = Writer(
            file,
            chunk_size=_CHUNK_BYTES,
            compression=CompressionType.ZSTD,
            enable_data_crcs=True,
        )
        self._writer.start(profile=PROFILE, library=f"followme-uav {__version__}")
        self._writer.add_metadata(PROFILE, metadata)
        if not file.is_untouched:
            file.begin()
        self._channels: dict[str, int] = {}
        for topic in TOPICS:
            if topic not in RARE_TOPICS:
                self._channel(topic)

    def append(self, entry: FlightEntry) -> None:
        """Append one entry, and end the chunk if it is full."""
        self._file.begin()
        time_s = entry.frame.time_s
        time_ns = max(0, round(time_s * 1e9))
        parts = entry_messages(entry, time_ns)
        for topic in TOPICS:
            if topic in parts:
                self._writer.add_message(
                    self._channel(topic),
                    time_ns,
                    parts[topic].SerializeToString(deterministic=True),
                    time_ns,
                    self.entries,
                )
        self.entries += 1
        if self._chunk_start_s is None:
            self._chunk_start_s = time_s
        if time_s >= self._chunk_start_s + self._chunk_s:
            self.end_chunk()

    def _channel(self, topic: str) -> int:
        """The number of the topic's channel, which is declared at its first use."""
        if topic not in self._channels:
            schema = register_schema(self._writer, TOPICS[topic])
            self._channels[topic] = self._writer.register_channel(topic, "protobuf", schema)
        return self._channels[topic]

    def end_chunk(self) -> None:
        """Write the present chunk as it is."""
        self._chunk_start_s = None
        self._writer.flush()

    def finish(self) -> None:
        """Write the last chunk, the index and the end mark, if anything was written."""
        if not self._file.is_untouched:
            self._writer.finish()
