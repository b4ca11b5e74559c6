"""The messages of a log, put together to entries.

A flight writes the messages of an entry one after the other. Other programs that copy a log may
order them otherwise, name a channel when it is first used, leave out channels without a message,
and put the description of a flight last.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from mcap.records import Channel, Message, Metadata

from followme_uav.errors import LogError
from followme_uav.log.mcap_records import Records
from followme_uav.log.schema import MESSAGES
from followme_uav.log.writer import PROFILE, TOPICS

_WAITING_BYTES = 512 << 20
"""Of messages that wait for the rest of their entry, or for an earlier one."""


def entries_of(path: Path, records: Records) -> Iterator[tuple[int, dict[str, Message]]]:
    """(sequence, messages by topic) of each complete entry, in the order of flight.

    Only the last entry of a truncated log can be incomplete, where it was cut off.

    Raises `LogError`, after the last entry that can be given, when the log is damaged, when one
    before the last is missing or incomplete, and when the log holds several flights.
    """
    entries = _Entries(path, records)
    for record in records:
        if isinstance(record, Message):
            entries.add(record)
            while (parts := entries.next()) is not None:
                yield parts
        elif isinstance(record, Channel):
            entries.topics[record.id] = record.topic
        elif isinstance(record, Metadata) and record.name == PROFILE:
            entries.check_flight(record)
    entries.check_rest()


class _Entries:
    """Messages that wait until their entry is complete and its turn has come."""

    def __init__(self, path: Path, records: Records) -> None:
        self.topics: dict[int, str] = {}
        """By channel."""
        self._path = path
        self._records = records
        self._flight: Metadata | None = None
        self._waiting: dict[int, dict[str, Message]] = {}
        """By sequence and topic."""
        self._expected: dict[int, int] = {}
        """Messages of an entry, by its sequence."""
        self._bytes = 0
        self._sequence = 0

    def add(self, message: Message) -> None:
        """Keep a message, if it is one of an entry."""
        if message.channel_id not in self.topics:
            self._look_into_summary(message.channel_id)
        topic = self.topics[message.channel_id]
        if topic not in TOPICS:
            return
        sequence = message.sequence
        parts = self._waiting.setdefault(sequence, {})
        if sequence < self._sequence or topic in parts:
            raise self._damaged(f"entry {sequence} has two {topic} messages")
        parts[topic] = message
        if topic == "/entry":
            self._expected[sequence] = self._expected_parts(message)
        self._bytes += len(message.data)
        if self._bytes > _WAITING_BYTES:
            raise self._missing()

    def next(self) -> tuple[int, dict[str, Message]] | None:
        """The next entry of the flight, if it is complete."""
        sequence = self._sequence
        if not self._is_complete(sequence):
            return None
        self._sequence += 1
        parts = self._waiting.pop(sequence)
        del self._expected[sequence]
        self._bytes -= sum(len(message.data) for message in parts.values())
        return sequence, parts

    def check_flight(self, record: Metadata) -> None:
        """What describes the flight may come twice, but only the same."""
        if self._flight is not None and record.metadata != self._flight.metadata:
            raise LogError(f"{self._path}: holds several flights; pass a log with one")
        self._flight = record

    def check_rest(self) -> None:
        """At the end of the file: is something missing that should be there?"""
        if not self._waiting:
            return
        if self._records.truncated:
            is_tail = not any(map(self._is_complete, self._waiting))
            if is_tail and (len(self._waiting) == 1 or not self._unknown_topics()):
                return
        raise self._missing()

    def _is_complete(self, sequence: int) -> bool:
        return len(self._waiting.get(sequence, ())) == self._expected.get(sequence)

    def _unknown_topics(self) -> list[str]:
        """Topics for which the file has no channel."""
        return sorted(TOPICS.keys() - set(self.topics.values()))

    def _missing(self) -> LogError:
        """Why the next entry is not complete."""
        parts = self._waiting.get(self._sequence)
        if parts is None:
            return self._damaged(f"entry {self._sequence} is missing")
        unknown = self._unknown_topics()
        if "/entry" in parts and unknown:
            return LogError(
                f"{self._path}: channel {unknown[0]} is missing; the log was filtered or cut"
            )
        names = ", ".join(sorted(TOPICS.keys() - parts.keys()))
        return self._damaged(f"entry {self._sequence} is not complete; it lacks one of {names}")

    def _look_into_summary(self, channel_id: int) -> None:
        """Some files name their channels at the end only."""
        for channel in self._records.summary_channels():
            self.topics.setdefault(channel.id, channel.topic)
        self.topics.setdefault(channel_id, "")

    def _expected_parts(self, message: Message) -> int:
        """Messages of an entry, itself included."""
        try:
            entry: Any = MESSAGES["Entry"].FromString(message.data)  # type: ignore[attr-defined]
            return 1 + int(entry.parts)
        except DecodeError as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, detail: str) -> LogError:
        return LogError(f"{self._path}: the flight log is damaged: {detail}")
