"""Logs out of logs: what can be saved of a broken one, a part of a long one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from followme_uav.errors import LogError
from followme_uav.files import written_whole
from followme_uav.log.entry import FlightEntry
from followme_uav.log.reader import EVERYTHING, MASK, FlightLog
from followme_uav.log.writer import FlightLogWriter

CHUNK_S = 10.0
"""Of logs that nobody writes in flight: larger chunks compress better."""


@dataclass(frozen=True)
class Saved:
    """What `recover` found."""

    entries: int
    damage: str | None
    """Why it ended there; None at the end of the file."""


def recover(log: FlightLog, out: Path) -> Saved:
    """Write all that can be read, up to the first damage, as a whole log.

    Raises `LogError` when there is nothing, and as `write_log`.
    """
    damage: list[str] = []

    def readable() -> Iterator[FlightEntry]:
        try:
            yield from log.entries()
        except LogError as error:
            damage.append(str(error))

    entries = write_log(log, readable(), out, {"recovered_from": log.path.name})
    return Saved(entries, damage[0] if damage else None)


def cut(log: FlightLog, out: Path, from_s: float, to_s: float, *, masks_only: bool = False) -> int:
    """Write the frames of a span of the flight; returns how many.

    A pilot remembers: replayed from the middle of a flight it decides otherwise at first. The
    new log tells where it began (`cut_from_s`).

    Args:
        log: Of the whole flight.
        out: The log to write.
        from_s: Seconds since its first frame.
        to_s: Likewise; frames at this time are not in.
        masks_only: Leave out pictures and ground truth: all that a replay from masks needs.
    """
    metadata = {"cut_from_s": f"{from_s:g}"} if from_s > 0.0 else {}
    entries = _between(log.entries((MASK,) if masks_only else EVERYTHING), from_s, to_s)
    if masks_only:
        metadata["solids"] = ""
        entries = (replace(entry, encoded_image=None) for entry in entries)
    return write_log(log, entries, out, metadata)


def write_log(
    log: FlightLog, entries: Iterable[FlightEntry], out: Path, metadata: dict[str, str]
) -> int:
    """A new log with these entries and what is known of the flight; returns their number.

    `metadata` adds to that, or replaces it; an empty text takes it away.

    `out` is written whole or not at all. Raises `OutputError` or `LogError` when it cannot be, and
    `LogError` when there are none.
    """
    known = log.metadata
    extra = {key: text for key, text in {**known.extra, **metadata}.items() if text}
    count = 0
    with written_whole(out) as part:
        try:
            with FlightLogWriter(
                part, known.config, known.weights_sha256, extra, chunk_s=CHUNK_S
            ) as writer:
                for entry in entries:
                    writer.write(entry)
                    count += 1
                if not count:
                    raise LogError(f"{log.path}: holds no such frames; nothing was written")
                writer.close()
        except LogError as error:
            cause = error.__cause__
            if isinstance(cause, OSError) and str(part) in str(error):
                raise cause from None  # named after `out`
            raise
    return count


def _between(entries: Iterable[FlightEntry], from_s: float, to_s: float) -> Iterator[FlightEntry]:
    first_s: float | None = None
    for entry in entries:
        first_s = entry.frame.time_s if first_s is None else first_s
        at_s = entry.frame.time_s - first_s
        if at_s >= to_s:
            return
        if at_s >= from_s:
            yield entry
