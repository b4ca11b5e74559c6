"""An evaluation as a page: score tables, curves, and the frames that went best and worst.

The page is plain HTML with pictures beside it: no scripts, no network, so that a folder with a
report can be moved, mailed or kept with the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from followme_uav.files import make_folder, write_figure, write_image, write_text
from followme_uav.labelled_frames import DETECTION_PX
from followme_uav.learn.evaluation import report_figures, score_tables, scores
from followme_uav.learn.evaluation.score_tables import ScoreTable
from followme_uav.learn.evaluation.scores import FrameScores
from followme_uav.messages import MaskClass

if TYPE_CHECKING:
    from followme_uav.learn.evaluation.evaluate import PreparedSet, Scores

_PER_GROUP = 4
_PICTURES = "pictures"


@dataclass(frozen=True)
class Group:
    """Frames of the gallery that belong together."""

    title: str
    note: str
    frames: tuple[int, ...]
    """Counted over all sets, one behind the other."""


def write(
    folder: Path,
    result: Scores,
    prepared: Sequence[PreparedSet],
    measured: Sequence[FrameScores],
    infer: Callable[[NDArray[np.uint8]], Any],
) -> Path:
    """Writes the page and its pictures.

    Args:
        folder: Where to; made if missing, an earlier report in it is replaced.
        result: Scores of all sets.
        prepared: The sets.
        measured: What was measured in each set, in the same order.
        infer: The network, (batch, 160, 160, 3) RGB bytes -> probabilities in 1/255.

    Returns:
        The page, `index.html`.

    Raises:
        OutputError: The folder cannot be written.
    """
    frames = FrameScores.join(measured)
    page = folder / "index.html"
    pictures = folder / _PICTURES
    make_folder(pictures)
    old = set(pictures.glob("*.png"))
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


def choose(frames: FrameScores) -> list[Group]:
    """The frames worth looking at; groups without any are left out."""
    iou = frames.iou[:, MaskClass.HERO]
    truth_px = frames.truth_px[:, MaskClass.HERO]
    predicted_px = frames.predicted_px[:, MaskClass.HERO]
    there = np.flatnonzero(frames.there)
    # Of frames in which she is missed altogether, the one that shows most of her is the worst.
    ranked = there[np.lexsort((-truth_px[there], iou[there]))]
    count = max(1, min(_PER_GROUP, len(ranked) // 3))
    first = (len(ranked) - count + 1) // 2
    alarms = np.flatnonzero(~frames.there & frames.detected)
    alarms = alarms[np.argsort(-predicted_px[alarms], kind="stable")][:_PER_GROUP]
    groups = [
        Group("Best", "Frames with the hero, highest hero IoU.", _plain(ranked[-count:][::-1])),
        Group(
            "Median",
            "As many frames with the hero are better as are worse.",
            _plain(ranked[first : first + count][::-1]),
        ),
        Group(
            "Worst",
            "Frames with the hero, lowest hero IoU; of those with none, the largest hero first.",
            _plain(ranked[:count]),
        ),
        Group(
            "Worst false positives",
            f"Frames without the hero, most pixels called her (of those with more than "
            f"{DETECTION_PX}).",
            _plain(alarms),
        ),
    ]
    return [g for g in groups if g.frames]


def _plain(indices: NDArray[np.int64]) -> tuple[int, ...]:
    return tuple(int(i) for i in indices)


def _gallery(
    pictures: Path,
    group: Group,
    prepared: Sequence[PreparedSet],
    frames: FrameScores,
    infer: Callable[[NDArray[np.uint8]], Any],
) -> str:
    """Writes the pictures of a group and returns its section of the page."""
    where = [(s, i) for s in prepared for i in range(len(s))]
    chosen = [where[i] for i in group.frames]
    probabilities = [s.probabilities(infer, slice(i, i + 1))[0] for s, i in chosen]
    rows = []
    for rank, (frame, (own_set, i), probability) in enumerate(
        zip(group.frames, chosen, probabilities, strict=True), start=1
    ):
        predicted = scores.predicted_classes(probability)
        panels = report_figures.panels(own_set.images[i], own_set.truth[i], predicted)
        cells = []
        for kind in ("image", "truth", "prediction", "close_up"):
            name = f"{group.title.lower().replace(' ', '-')}-{rank}-{kind}.png"
            write_image(pictures / name, getattr(panels, kind))
            label = escape(f"{kind.replace('_', '-')} of {own_set.frame_names[i]}")
            drawn = "" if kind in ("image", "close_up") else ' class="drawn"'
            cells.append(
                f'<img{drawn} src="{_PICTURES}/{name}" alt="{label}" width="270" height="270">'
            )
        caption = f"<b>{escape(own_set.frame_names[i])}</b> · {escape(_facts(frames, frame))}"
        if len(prepared) > 1:
            caption = f"{escape(own_set.name.rpartition('/')[2])} · {caption}"
        rows.append(
            f'<figure class="frame"><div class="panels">{"".join(cells)}</div>'
            f"<figcaption>{caption}</figcaption></figure>"
        )
    return (
        f"<section><h3>{escape(group.title)}</h3><p>{escape(group.note)}</p>{_PANEL_HEADS}"
        f"{''.join(rows)}</section>"
    )


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


def _page(result: Scores, galleries: Sequence[str]) -> str:
    title = f"{result.weights} on {result.data}"
    final = "".join(
        f'<div class="final"><b>{escape(number)}</b><span>{escape(words)}</span></div>'
        for number, words in score_tables.final_scores(result)
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{_CSS}</style>
</head>
<body>
<header>
<h1>{escape(title)}</h1>
<p>{result.total.frames} frames, {result.total.hero_frames} with the hero · compared at 160 x 160,
a class where its probability exceeds 1/2 · weights SHA-256
<code>{result.weights_sha256[:16]}</code></p>
</header>
<main>
{f'<div class="finals">{final}</div>' if final else ""}
<h2>Scores</h2>
{"".join(_table(t) for t in score_tables.tables(result))}
{_CURVES if result.total.hero_frames else ""}
<h2>Frames</h2>
{_LEGEND}
{"".join(galleries)}
</main>
</body>
</html>
"""


def _table(table: ScoreTable) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.header)
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in table.rows
    )
    return (
        f"<section><h3>{escape(table.title)}</h3><table><thead><tr>{head}</tr></thead>"
        f'<tbody>{rows}</tbody></table><p class="note">{escape(table.note)}</p></section>'
    )


def _swatches(colours: dict[str, str], kind: str) -> str:
    return "".join(
        f'<span class="swatch {kind}" style="--colour:{colour}">{name}</span>'
        for name, colour in colours.items()
    )


_CURVES = f"""
<h2>Curves</h2>
<p>Numbers at the marks are thresholds; everything else on this page uses 0.5. The hero counts
as there, or detected, with more than {DETECTION_PX} pixels.</p>
<img class="plot" src="{_PICTURES}/threshold.png"
 alt="precision and recall over the hero threshold">
<img class="plot" src="{_PICTURES}/size.png"
 alt="detection, IoU and centroid error by hero size">
"""
_PANEL_HEADS = (
    '<div class="panels heads"><span>image</span><span>truth</span><span>prediction</span>'
    "<span>close-up of the hero</span></div>"
)
_LEGEND = (
    '<p class="legend">Masks: '
    + _swatches({**report_figures.CLASS_COLOURS, "no class": "#ffffff"}, "area")
    + " Close-up: "
    + _swatches(report_figures.OUTLINE_COLOURS, "line")
    + "</p>"
)
_CSS = """
:root { color-scheme: light; }
body { margin: 0; background: #f6f7f8; color: #222; line-height: 1.45;
  font: 15px/1.45 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
header, main { max-width: 1136px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 28px; }
h1 { font-size: 26px; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 20px; margin: 36px 0 8px; padding-top: 16px; border-top: 1px solid #d5d9dc; }
h3 { font-size: 16px; margin: 20px 0 6px; }
header p, .note, section > p { color: #555; margin: 0 0 8px; }
.note { font-size: 13px; margin-top: 6px; }
.finals { display: flex; gap: 16px; margin-top: 20px; }
.final { background: #fff; border: 1px solid #d5d9dc; border-radius: 6px; padding: 12px 18px; }
.final b { font-size: 30px; display: block; font-variant-numeric: tabular-nums; }
.final span { color: #555; }
table { border-collapse: collapse; background: #fff; border: 1px solid #d5d9dc; }
th, td { padding: 6px 16px; text-align: right; border-bottom: 1px solid #e8eaec;
  font-variant-numeric: tabular-nums; }
th { font-weight: 600; font-size: 13px; color: #444; background: #eef0f2; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; overflow-wrap: anywhere; }
.plot { display: block; width: 100%; background: #fff; border: 1px solid #d5d9dc;
  margin: 12px 0; box-sizing: border-box; }
.frame { margin: 0 0 18px; }
.panels { display: grid; grid-template-columns: repeat(4, 1fr); gap: 8px; }
.panels img { width: 100%; height: auto; display: block; border: 1px solid #d5d9dc;
  box-sizing: border-box; }
.panels .drawn { image-rendering: pixelated; }
.heads { font-size: 13px; color: #555; margin-bottom: 4px; }
figcaption { font-size: 14px; margin-top: 4px; overflow-wrap: anywhere; }
.swatch { margin: 0 14px 0 4px; white-space: nowrap; }
.swatch::before { content: ""; display: inline-block; width: 14px; height: 14px; margin-right: 5px;
  vertical-align: -2px; box-sizing: border-box; border: 1px solid #888; background: var(--colour); }
.swatch.line::before { border: 3px solid var(--colour); background: #555; }
"""
