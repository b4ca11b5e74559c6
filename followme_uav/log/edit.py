"""Makes logs from logs: recovers a broken one, cuts a part out of a long one."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from followme_uav.errors import LogError
from followme_uav.files import written_whole
from followme_uav.log.entry import FlightEntry
from followme_uav.log.reader import EVERYTHING, MASK, FlightLog
from followme_uav.log.schema import SCHEMA_VERSION
from followme_uav.log.writer import FlightLogWriter
from followme_uav.program_log import PRINTED

logger = logging.getLogger(__name__)

CHUNK_S = 10.0
"""Chunk duration of logs that are not written during a flight: larger chunks compress better."""


@dataclass(frozen=True)
class Saved:
    """Result of `recover`."""

    entries: int
    damage: str | None
    """Why the entries end; None at the end of the file."""


def recover(log: FlightLog, out: Path) -> Saved:
    """Write all readable entries, up to the first damage, as a whole log.

    Raises `LogError` when there are none, and as `write_log`.
    """
    damage: list[str] = []

    def readable() -> Iterator[FlightEntry]:
        try:
            yield from log.entries()
        except LogError as error:
            damage.append(str(error))
            logger.warning("%s", error, extra={"topic": PRINTED})

    metadata = {"recovered_from": log.path.name}
    entries = write_log(log, readable(), out, metadata, schema_version=log.schema_version)
    logger.info("%s: %d entries are saved as %s.", log.path, entries, out, extra={"topic": PRINTED})
    return Saved(entries, damage[0] if damage else None)


def cut(log: FlightLog, out: Path, from_s: float, to_s: float, *, masks_only: bool = False) -> int:
    """Write the frames of a part of the flight; returns their number.

    A pilot has a memory: replayed from the middle of a flight, it decides differently at first.
    The metadata of the new log holds where it begins (`cut_from_s`).

    Args:
        log: Log of the whole flight.
        out: The log to write.
        from_s: Start in seconds since the first frame.
        to_s: End, exclusive, in seconds since the first frame.
        masks_only: Leave out images and ground truth, which a replay from masks does not need.
    """
    metadata = {"cut_from_s": f"{from_s:g}"} if from_s > 0.0 else {}
    entries = _between(log.entries((MASK,) if masks_only else EVERYTHING), from_s, to_s)
    if masks_only:
        metadata["solids"] = ""
        entries = (replace(entry, encoded_image=None) for entry in entries)
    return write_log(log, entries, out, metadata, schema_version=log.schema_version)


def write_log(
    log: FlightLog,
    entries: Iterable[FlightEntry],
    out: Path,
    metadata: dict[str, str],
    *,
    schema_version: int = SCHEMA_VERSION,
) -> int:
    """Write a log with these entries and the properties of the flight; returns their number.

    `out` is written whole or not at all. Raises `OutputError` or `LogError` when that fails, and
    `LogError` when there are no entries.

    Args:
        log: Source of the properties of the flight.
        entries: Of the new log.
        out: The log to write.
        metadata: Changes of the properties; an empty text removes one.
        schema_version: The source's for entries that are copied: these lack the fields of later
            versions, and a replay must not compare them.
    """
    known = log.metadata
    extra = {key: text for key, text in {**known.extra, **metadata}.items() if text}
    count = 0
    with written_whole(out) as part:
        try:
            with FlightLogWriter(
                part,
                known.config,
                known.weights_sha256,
                extra,
                chunk_s=CHUNK_S,
                schema_version=schema_version,
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
                raise cause from None  # `written_whole` names `out` in its error
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
