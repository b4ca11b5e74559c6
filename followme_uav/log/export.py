"""Exports a log as a table of numbers, or as labelled frames for training."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from glob import escape
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from followme_uav.errors import LogError
from followme_uav.files import sole_folder, write_image, write_text, write_whole
from followme_uav.labelled_frames import KINDS, kind_of
from followme_uav.log.entry import FlightEntry
from followme_uav.log.labels import Labels, network_label, true_label
from followme_uav.log.png import encode_png
from followme_uav.log.reader import IMAGE, MASK, TRUTH, FlightLog

_NOTHING = {
    "truth": "no frame has both an image and ground truth; export a flight in the embedded "
    "simulator, logged with images, or take the network's masks with --labels network",
    "network": "no frame has an image and a mask that the track confirms",
}

_ROUNDING_S = 1e-6


def export_csv(log: FlightLog, out: Path) -> int:
    """Write one row for each frame, one column for each number; returns the number of rows.

    Raises `LogError` when there are none.

    The name of a column is the path of a field of `log.entry.FlightEntry`, with the component of a
    vector or the name of a PID loop.
    """
    rows = [dict(_columns(entry)) for entry in log.entries(())]
    if not rows:
        raise LogError(f"{log.path}: holds no complete frame; nothing was written")
    names: dict[str, None] = {}
    for row in rows:
        names.update(dict.fromkeys(row))
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, list(names), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(out, table.getvalue())
    return len(rows)


def _columns(entry: FlightEntry) -> Iterator[tuple[str, Any]]:
    for name in ("frame", "step", "timings"):
        yield from _flat(name, getattr(entry, name))


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if is_dataclass(value):
        for field in fields(value):
            yield from _flat(f"{path}.{field.name}", getattr(value, field.name))
    elif isinstance(value, tuple):
        if value and all(is_dataclass(item) for item in value):
            for item in value:  # loops, by name
                yield from _flat(f"{path}.{getattr(item, 'name', 'item')}", item)
        elif not any(isinstance(item, tuple) for item in value):
            axes = "wxyz" if len(value) == 4 else "xyz"
            yield from ((f"{path}.{axis}", item) for axis, item in zip(axes, value, strict=False))
    elif isinstance(value, Enum):
        yield path, value.value
    elif value is not None and not isinstance(value, np.ndarray):
        yield path, value


def export_frames(
    log: FlightLog, out: Path, labels: Labels = "truth", every_s: float = 0.0
) -> dict[str, int]:
    """Write images and masks in the layout of labelled data; returns the number of each kind.

    Frames in which the hero is too small to count are left out. The folder may hold frames of other
    flights: the name of a frame begins with that of its flight.

    Args:
        log: The flight.
        out: Folder for the frames.
        labels: Origin of the masks. "truth" needs a log with ground truth. "network" takes the
            masks of the flight, as far as the track confirms them, see `labels`.
        every_s: Least time between two frames: successive ones show nearly the same.

    Raises:
        LogError: No frame can be exported, or frames of a flight of that name are there already.
    """
    with sole_folder(out):
        stem = _stem(log)
        own = f"{escape(stem)}_{'[0-9]' * 5}.*"
        if any(any(out.glob(f"{kind}/images/{own}")) for kind in KINDS):
            raise LogError(
                f"{out}: holds frames of {stem} already; delete them or choose another folder"
            )
        return _export_frames(log, out, labels, every_s)


def _stem(log: FlightLog) -> str:
    """Of the names of frames, without a leading dot: readers of labelled data ignore such files."""
    return log.path.stem.lstrip(".")


def _export_frames(log: FlightLog, out: Path, labels: Labels, every_s: float) -> dict[str, int]:
    counts = dict.fromkeys(KINDS, 0)
    label = true_label if labels == "truth" else network_label
    last_s = -math.inf
    for entry in log.entries((IMAGE, TRUTH if labels == "truth" else MASK)):
        if entry.frame.time_s - last_s < every_s - _ROUNDING_S:
            continue
        labelled = None if entry.encoded_image is None else label(entry)
        if labelled is None:
            continue
        kind = kind_of(labelled.mask, labelled.is_near)
        if kind is None:
            continue
        counts[kind] += 1
        last_s = entry.frame.time_s
        folder, name = out / kind, f"{_stem(log)}_{entry.frame.index:05d}"
        # The image last: readers take a frame as complete when its image exists.
        write_whole(folder / "masks" / f"{name}.png", encode_png(labelled.mask), sync=False)
        _write_image(folder / "images" / f"{name}.jpeg", entry)
    if not sum(counts.values()):
        raise LogError(f"{log.path}: {_NOTHING[labels]}")
    return counts


def _write_image(path: Path, entry: FlightEntry) -> None:
    if entry.encoded_image is not None and entry.encoded_image.format == "jpeg":
        write_whole(path, entry.encoded_image.data, sync=False)
        return
    image = Image.fromarray(np.asarray(entry.frame.rgb))
    write_image(path, image, sync=False, quality=95, subsampling=0)
