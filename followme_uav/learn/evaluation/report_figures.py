"""Pictures of an evaluation: curves drawn with Matplotlib, and single frames in false colours.

The colours of Okabe and Ito can be told apart with colour blindness.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from followme_uav.labelled_frames import DETECTION_PX
from followme_uav.learn.evaluation import curves
from followme_uav.learn.evaluation.scores import FrameScores
from followme_uav.messages import MaskClass
from followme_uav.view.colours import BLUE, GREEN, INK, PALE, SKY, VERMILION, YELLOW, rgb
from followme_uav.view.figures import styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CLASS_COLOURS = {"background": PALE, "people": BLUE, "hero": VERMILION}
"""Colours of mask pictures, in the order of `MaskClass`; pixels without a class are white."""
OUTLINE_COLOURS = {"truth": SKY, "prediction": YELLOW}
"""Colours of the outlines in the close-up."""

_SIZE_IN = 10.1, 3.5
_SMALLEST_ERROR_PX = 0.05
"""Smaller centroid errors are drawn at this value, because the axis is logarithmic."""
_CLOSE_UP_MIN_PX = 32
_CLOSE_UP_SIDE_PX = 320


def threshold_figure(frames: FrameScores) -> Figure:
    """Plot precision against recall, and both against the threshold, of frames and of pixels.

    At least one frame must have the hero.
    """
    detection, pixels = curves.detection_curve(frames), curves.pixel_curve(frames)
    with styled(_SIZE_IN) as figure:
        left, right = figure.subplots(1, 2)
        for curve, colour, marker, label, offset in (
            (detection, VERMILION, "o", f"detection (> {DETECTION_PX} px)", (-22, -10)),
            (pixels, BLUE, "s", "pixels", (7, 5)),
        ):
            left.plot(curve.recall, curve.precision, color=colour, label=label)
            for threshold, fill in ((0.1, "white"), (0.5, colour), (0.9, "white")):
                precision, recall = curve.at(threshold)
                left.plot(recall, precision, marker, color=colour, markerfacecolor=fill)
                left.annotate(
                    f"{threshold:g}",
                    (recall, precision),
                    xytext=offset,
                    textcoords="offset points",
                    color=colour,
                )
        left.set_title("Precision and recall over the hero threshold")
        left.set(xlabel="recall", ylabel="precision")
        left.set_xlim(right=1.02)
        left.set_ylim(top=1.02)
        left.legend(loc="lower left")
        right.plot(detection.threshold, detection.precision, color=VERMILION, label="precision")
        right.plot(detection.threshold, detection.recall, "--", color=VERMILION, label="recall")
        right.axvline(0.5, color="#888888", linewidth=1, linestyle=":")
        right.set_title("Detection against the threshold")
        right.set(xlabel="hero threshold", xlim=(0, 1), ylim=(0, 1.02))
        right.legend(loc="lower left")
    return figure


def size_figure(frames: FrameScores) -> Figure:
    """Plot detection rate, IoU and centroid error against the hero's size.

    At least one frame must have the hero.
    """
    there = frames.there
    both = there & frames.detected
    size = frames.truth_px[:, MaskClass.HERO]
    iou = frames.iou[:, MaskClass.HERO]
    classes = curves.by_size(frames)
    middles = [c.from_px * math.sqrt(2) for c in classes]
    dots: dict[str, Any] = {"s": 9, "alpha": 0.35, "linewidths": 0}
    with styled(_SIZE_IN) as figure:
        left, middle, right = figure.subplots(1, 3, sharex=True)
        left.plot(middles, [c.detected for c in classes], "o-", color=VERMILION)
        for x, c in zip(middles, classes, strict=True):
            left.annotate(
                str(c.frames),
                (x, 0),
                xytext=(0, 4),
                textcoords="offset points",
                ha="center",
                fontsize=8.5,
                color="#666666",
            )
        left.set_title("Share detected (below: frames)")
        left.set_ylim(0, 1.03)
        middle.scatter(size[there], iou[there], color=BLUE, **dots)
        middle.plot(middles, [c.hero_iou for c in classes], "o-", color=INK, label="mean")
        middle.set_title("Hero IoU")
        middle.set_ylim(-0.02, 1.03)
        middle.legend(loc="upper left")
        errors = np.maximum(frames.centroid_error_px[both], _SMALLEST_ERROR_PX)
        right.scatter(size[both], errors, color=GREEN, **dots)
        medians = [
            np.nan if (m := c.centroid_error_median_px) is None else max(m, _SMALLEST_ERROR_PX)
            for c in classes
        ]
        right.plot(middles, medians, "o-", color=INK, label="median")
        right.set_title("Centroid error, px (when detected)")
        right.set_ylim(_SMALLEST_ERROR_PX / 1.5, 230)  # the diagonal of the image
        right.set_yscale("log")
        right.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        right.legend(loc="upper right")
        for axes in (left, middle, right):
            axes.set_xscale("log", base=2)
            axes.xaxis.set_major_locator(_powers_of_4())
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
            axes.set_xlabel("true hero pixels at 160 px")
    return figure


@dataclass(frozen=True)
class Panels:
    """Pictures of one frame."""

    image: Image.Image
    truth: Image.Image
    prediction: Image.Image
    close_up: Image.Image
    """The image around the hero, true or predicted, with the outlines of both."""


def panels(
    image: NDArray[np.uint8], truth: NDArray[np.bool_], predicted: NDArray[np.bool_]
) -> Panels:
    """Draw one frame.

    Args:
        image: (height, width, 3) RGB.
        truth: (height, width, 3), one plane per class.
        predicted: Same shape.
    """
    return Panels(
        Image.fromarray(image),
        Image.fromarray(_false_colours(truth)),
        Image.fromarray(_false_colours(predicted)),
        _close_up(image, truth[..., MaskClass.HERO], predicted[..., MaskClass.HERO]),
    )


def _powers_of_4() -> Any:
    from matplotlib.ticker import LogLocator

    return LogLocator(base=4)


def _false_colours(planes: NDArray[np.bool_]) -> NDArray[np.uint8]:
    picture = np.full((*planes.shape[:2], 3), 255, np.uint8)
    for index, colour in enumerate(CLASS_COLOURS.values()):
        picture[planes[..., index]] = rgb(colour)
    return picture


def _close_up(
    image: NDArray[np.uint8], truth: NDArray[np.bool_], predicted: NDArray[np.bool_]
) -> Image.Image:
    """A square around all hero pixels, truth outlined inside its edge, prediction outside."""
    rows, columns = np.nonzero(truth | predicted)
    height, width = truth.shape
    if len(rows):
        extent = max(np.ptp(rows), np.ptp(columns)) + 1
        side = int(min(max(_CLOSE_UP_MIN_PX, 1.5 * extent), height, width))
        top = int(np.clip((rows.min() + rows.max() + 1 - side) // 2, 0, height - side))
        left = int(np.clip((columns.min() + columns.max() + 1 - side) // 2, 0, width - side))
    else:
        side, top, left = min(height, width), 0, 0
    window = np.s_[top : top + side, left : left + side]
    factor = max(1, round(_CLOSE_UP_SIDE_PX / side))
    shape = (side * factor, side * factor)
    picture = np.array(Image.fromarray(image[window]).resize(shape, Image.Resampling.BICUBIC))
    thick = 2
    inner, outer = _enlarged(truth[window], factor), _enlarged(predicted[window], factor)
    inner_line = inner & ~ndimage.binary_erosion(inner, iterations=thick)
    outer_line = ndimage.binary_dilation(outer, iterations=thick) & ~outer
    picture[inner_line] = rgb(OUTLINE_COLOURS["truth"])
    picture[outer_line] = rgb(OUTLINE_COLOURS["prediction"])
    return Image.fromarray(picture)


def _enlarged(plane: NDArray[np.bool_], factor: int) -> NDArray[np.bool_]:
    return plane.repeat(factor, axis=0).repeat(factor, axis=1)
