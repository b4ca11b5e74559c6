"""HTML report of an evaluation: score tables, curves, and the best and the worst frames.

The page is plain HTML with pictures beside it, without scripts and without links to the network. A
folder with a report can be moved, mailed or kept with the weights.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from followme_uav.files import make_folder, write_figure, write_image, write_text
from followme_uav.html import render
from followme_uav.labelled_frames import DETECTION_PX
from followme_uav.learn.evaluation import report_figures, score_tables, scores
from followme_uav.learn.evaluation.scores import FrameScores
from followme_uav.messages import MaskClass

if TYPE_CHECKING:
    from followme_uav.learn.evaluation.evaluate import Scores
    from followme_uav.learn.evaluation.prepared import PreparedSet

_TEMPLATE = Path(__file__).with_name("report.html.jinja")
_PER_GROUP = 4
_PICTURES = "pictures"
_OWN_PICTURE = re.compile(
    r"(threshold|size|(best|median|worst|worst-false-positives)-\d+-"
    r"(image|truth|prediction|close_up))\.png"
)
"""Names of pictures that an earlier report may have left; others belong to the user."""


@dataclass(frozen=True)
class GalleryGroup:
    """Frames of the gallery that belong together."""

    title: str
    note: str
    frames: tuple[int, ...]
    """Indices over the frames of all sets, in the order of the sets."""


def write(
    folder: Path,
    result: Scores,
    prepared: Sequence[PreparedSet],
    measured: Sequence[FrameScores],
    infer: Callable[[NDArray[np.uint8]], Any],
) -> Path:
    """Write the page and its pictures.

    Args:
        folder: Folder to write; made if missing, an earlier report in it is replaced.
        result: Scores of all sets.
        prepared: The sets.
        measured: Measures of the frames of each set, in the same order.
        infer: The network, (batch, 160, 160, 3) RGB bytes -> probabilities in 1/255.

    Returns:
        The page, `index.html`.

    Raises:
        OutputError: The folder cannot be written.
    """
    frames = FrameScores.join(measured)
    page = folder / "index.html"
    pictures = folder / _PICTURES
    make_folder(folder)  # first, so that an error names it and not the folder inside
    make_folder(pictures)
    old = [file for file in pictures.glob("*.png") if _OWN_PICTURE.fullmatch(file.name)]
    if result.total.hero_frames:
        write_figure(pictures / "threshold.png", report_figures.threshold_figure(frames))
        write_figure(pictures / "size.png", report_figures.size_figure(frames))
    galleries = [_gallery(pictures, g, prepared, frames, infer) for g in choose(frames)]
    write_text(page, _page(result, galleries))
    shown = page.read_text(encoding="utf-8")
    for picture in old:
        if f"{_PICTURES}/{picture.name}" not in shown:
            picture.unlink(missing_ok=True)
    return page


def choose(frames: FrameScores) -> list[GalleryGroup]:
    """Choose the frames of the gallery; groups without frames are left out."""
    iou = frames.iou[:, MaskClass.HERO]
    truth_px = frames.truth_px[:, MaskClass.HERO]
    predicted_px = frames.predicted_px[:, MaskClass.HERO]
    there = np.flatnonzero(frames.there)
    # Of the frames without any overlap, the one with the largest hero is the worst.
    ranked = there[np.lexsort((-truth_px[there], iou[there]))]
    count = max(1, min(_PER_GROUP, len(ranked) // 3))
    first = (len(ranked) - count + 1) // 2
    alarms = np.flatnonzero(~frames.there & frames.detected)
    alarms = alarms[np.argsort(-predicted_px[alarms], kind="stable")][:_PER_GROUP]
    groups = [
        GalleryGroup(
            "Best", "Frames with the hero, highest hero IoU.", _plain(ranked[-count:][::-1])
        ),
        GalleryGroup(
            "Median",
            "As many frames with the hero are better as are worse.",
            _plain(ranked[first : first + count][::-1]),
        ),
        GalleryGroup(
            "Worst",
            "Frames with the hero, lowest hero IoU; of those with none, the largest hero first.",
            _plain(ranked[:count]),
        ),
        GalleryGroup(
            "Worst false positives",
            f"Frames without the hero, most pixels predicted as the hero (of those with more "
            f"than {DETECTION_PX}).",
            _plain(alarms),
        ),
    ]
    return [g for g in groups if g.frames]


def _plain(indices: NDArray[np.int64]) -> tuple[int, ...]:
    return tuple(int(i) for i in indices)


@dataclass(frozen=True)
class _Panel:
    """One picture of a frame."""

    file: str
    """Base name."""
    label: str
    is_mask: bool


@dataclass(frozen=True)
class _ShownFrame:
    """One frame of the gallery, with its pictures written."""

    set_name: str
    """Empty when the report has one set only."""
    name: str
    facts: str
    panels: tuple[_Panel, ...]


@dataclass(frozen=True)
class _Gallery:
    """A group of the gallery, with its pictures written."""

    title: str
    note: str
    frames: tuple[_ShownFrame, ...]


def _gallery(
    pictures: Path,
    group: GalleryGroup,
    prepared: Sequence[PreparedSet],
    frames: FrameScores,
    infer: Callable[[NDArray[np.uint8]], Any],
) -> _Gallery:
    """Draw the frames of a group into the folder `pictures`."""
    positions = [(s, i) for s in prepared for i in range(len(s))]
    shown = []
    for rank, frame in enumerate(group.frames, start=1):
        own_set, i = positions[frame]
        probabilities = own_set.probabilities(infer, slice(i, i + 1))[0]
        panels = report_figures.panels(
            own_set.images[i], own_set.truth[i], scores.predicted_classes(probabilities)
        )
        prefix = f"{group.title.lower().replace(' ', '-')}-{rank}"
        name = own_set.frame_names[i]
        shown.append(
            _ShownFrame(
                set_name=own_set.name.rpartition("/")[2] if len(prepared) > 1 else "",
                name=name,
                facts=_facts(frames, frame),
                panels=_write_panels(pictures, prefix, name, panels),
            )
        )
    return _Gallery(group.title, group.note, tuple(shown))


def _write_panels(
    pictures: Path, prefix: str, frame_name: str, panels: report_figures.Panels
) -> tuple[_Panel, ...]:
    written = []
    for kind in ("image", "truth", "prediction", "close_up"):
        file = f"{prefix}-{kind}.png"
        write_image(pictures / file, getattr(panels, kind))
        label = f"{kind.replace('_', '-')} of {frame_name}"
        written.append(_Panel(file, label, is_mask=kind in ("truth", "prediction")))
    return tuple(written)


def _facts(frames: FrameScores, frame: int) -> str:
    truth_px = int(frames.truth_px[frame, MaskClass.HERO])
    predicted_px = int(frames.predicted_px[frame, MaskClass.HERO])
    facts = [f"hero {truth_px} px", f"predicted {predicted_px} px"]
    if frames.there[frame]:
        facts.append(f"IoU {frames.iou[frame, MaskClass.HERO]:.3f}")
        error_px = frames.centroid_error_px[frame]
        if np.isfinite(error_px):
            facts.append(f"centroid error {error_px:.1f} px")
    return " · ".join(facts)


def _page(result: Scores, galleries: Sequence[_Gallery]) -> str:
    return render(
        _TEMPLATE,
        title=f"{result.weights} on {result.data}",
        total=result.total,
        weights_sha256=result.weights_sha256,
        final_scores=score_tables.final_scores(result),
        tables=score_tables.tables(result),
        detection_px=DETECTION_PX,
        pictures=_PICTURES,
        class_colours={**report_figures.CLASS_COLOURS, "no class": "#ffffff"},
        outline_colours=report_figures.OUTLINE_COLOURS,
        galleries=galleries,
    )
