"""Assembles the messages of a log into entries.

A flight writes the messages of an entry one after the other. Other programs that copy a log may
change their order, declare a channel at its first message, leave out channels without a message,
and put the metadata of the flight last.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from mcap.records import Channel, Message, Metadata

from followme_uav.errors import LogError
from followme_uav.log.layout import PROFILE, RARE_TOPICS, TOPICS
from followme_uav.log.mcap_records import Records
from followme_uav.log.schema import MESSAGES

_PENDING_BYTES = 512 << 20
"""Limit for messages that wait for the rest of their entry, or for an earlier entry."""


def entries_of(path: Path, records: Records) -> Iterator[tuple[int, dict[str, Message]]]:
    """(sequence, messages by topic) of each complete entry, in the order of flight.

    An incomplete entry is allowed at the end of a truncated log only.

    Raises `LogError`, after the last complete entry, when the log is damaged, when an entry is
    missing or incomplete, and when the log holds several flights.
    """
    entries = _EntryAssembler(path, records)
    for record in records:
        if isinstance(record, Message):
            entries.add(record)
            while (parts := entries.next()) is not None:
                yield parts
        elif isinstance(record, Channel):
            entries.topics[record.id] = record.topic
        elif isinstance(record, Metadata) and record.name == PROFILE:
            entries.check_flight(record)
    entries.check_end()


class _EntryAssembler:
    """Keeps messages until their entry is complete and all earlier entries are returned."""

    def __init__(self, path: Path, records: Records) -> None:
        self.topics: dict[int, str] = {}
        """By channel id."""
        self._path = path
        self._records = records
        self._flight: Metadata | None = None
        self._pending: dict[int, dict[str, Message]] = {}
        """By sequence and topic."""
        self._expected: dict[int, int] = {}
        """Number of messages of an entry, by sequence."""
        self._pending_bytes = 0
        self._sequence = 0
        """Of the next entry to return."""

    def add(self, message: Message) -> None:
        """Keep a message that belongs to an entry; ignore others."""
        if message.channel_id not in self.topics:
            self._read_summary_channels(message.channel_id)
        topic = self.topics[message.channel_id]
        if topic not in TOPICS:
            return
        sequence = message.sequence
        parts = self._pending.setdefault(sequence, {})
        if sequence < self._sequence or topic in parts:
            raise self._damaged(f"entry {sequence} has two {topic} messages")
        parts[topic] = message
        if topic == "/entry":
            self._expected[sequence] = self._expected_parts(message)
        self._pending_bytes += len(message.data)
        if self._pending_bytes > _PENDING_BYTES:
            raise self._incomplete()

    def next(self) -> tuple[int, dict[str, Message]] | None:
        """Return the next entry of the flight if it is complete."""
        sequence = self._sequence
        if not self._is_complete(sequence):
            return None
        self._sequence += 1
        parts = self._pending.pop(sequence)
        del self._expected[sequence]
        self._pending_bytes -= sum(len(message.data) for message in parts.values())
        return sequence, parts

    def check_flight(self, record: Metadata) -> None:
        """Accept repeated metadata of one flight; reject metadata of a second flight."""
        if self._flight is not None and record.metadata != self._flight.metadata:
            raise LogError(f"{self._path}: holds several flights; pass a log with one")
        self._flight = record

    def check_end(self) -> None:
        """Raise `LogError` for messages that are left at the end of the file without a reason."""
        if not self._pending:
            return
        if self._records.truncated:
            is_tail = not any(map(self._is_complete, self._pending))
            if is_tail and (len(self._pending) == 1 or not self._undeclared_topics()):
                return
        raise self._incomplete()

    def _is_complete(self, sequence: int) -> bool:
        return len(self._pending.get(sequence, ())) == self._expected.get(sequence)

    def _undeclared_topics(self) -> list[str]:
        """Topics for which the file has no channel, though every log declares one."""
        return sorted(TOPICS.keys() - RARE_TOPICS - set(self.topics.values()))

    def _incomplete(self) -> LogError:
        """The reason why the next entry is not complete."""
        parts = self._pending.get(self._sequence)
        if parts is None:
            return self._damaged(f"entry {self._sequence} is missing")
        undeclared = self._undeclared_topics()
        if "/entry" in parts and undeclared:
            return LogError(
                f"{self._path}: channel {undeclared[0]} is missing; the log was filtered or cut"
            )
        names = ", ".join(sorted(TOPICS.keys() - RARE_TOPICS - parts.keys()))
        return self._damaged(f"entry {self._sequence} is not complete; it lacks one of {names}")

    def _read_summary_channels(self, channel_id: int) -> None:
        """Read the channels at the end of the file; some writers declare them only there."""
        for channel in self._records.summary_channels():
            self.topics.setdefault(channel.id, channel.topic)
        self.topics.setdefault(channel_id, "")

    def _expected_parts(self, message: Message) -> int:
        """Number of messages of an entry, this one included."""
        try:
            entry: Any = MESSAGES["Entry"].FromString(message.data)
            return 1 + int(entry.parts)
        except DecodeError as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, detail: str) -> LogError:
        return LogError(f"{self._path}: the flight log is damaged: {detail}")
