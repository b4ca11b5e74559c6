"""Encodes a flight as a video file, H.264 in MP4, with PyAV."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from followme_uav.errors import ConfigError
from followme_uav.files import written_whole
from followme_uav.log.entry import FlightEntry
from followme_uav.view.video_painter import SIZE_PX, VideoPainter

TICKS_PER_S = 1000
"""Resolution of the time stamps: a frame is shown at the millisecond at which it was taken."""
QUALITY = "23"
"""Constant rate factor of H.264, 0 to 51, lower is better; 23 gives about 6 MB a minute."""
_BT709 = 1
_MP4_NAMES = (".mp4", ".m4v", ".mov")
"""Names of files whose index can move to their beginning, so that they play while they load."""
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def write_video(
    entries: Iterable[FlightEntry], painter: VideoPainter, path: Path, rate_hz: float
) -> None:
    """Draw and encode a flight.

    Args:
        entries: In order.
        painter: Draws the frames of the video.
        path: Of the file; the name must end as that of a container for H.264, such as .mp4.
        rate_hz: Nominal frame rate.

    Raises:
        ConfigError: The name is not that of a video file.
        OutputError: The file cannot be written.
    """
    with written_whole(path) as part:
        try:
            _encode(entries, painter, part, rate_hz)
        except (av.error.FFmpegError, ValueError) as error:
            if getattr(error, "errno", None) in _DISK_ERRORS:
                raise OSError(*error.args[:2]) from error
            reason = getattr(error, "strerror", None) or error
            raise ConfigError(
                f"{path}: cannot write the video ({reason}); use a name that ends in .mp4"
            ) from error


def _encode(
    entries: Iterable[FlightEntry], painter: VideoPainter, path: Path, rate_hz: float
) -> None:
    width, height = SIZE_PX
    options = {"movflags": "+faststart"} if path.suffix.lower() in _MP4_NAMES else {}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("libx264", Fraction(rate_hz).limit_denominator(1000))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": QUALITY, "preset": "veryfast"}
        stream.time_base = stream.codec_context.time_base = Fraction(1, TICKS_PER_S)
        # Without these properties, players assume another colour matrix and show wrong colours.
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = ColorRange.MPEG
        start_s, last_tick = None, -1
        for entry in entries:
            if start_s is None:
                start_s = entry.frame.time_s
            picture = av.VideoFrame.from_ndarray(np.asarray(painter.paint(entry)), format="rgb24")
            frame = picture.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709)
            last_tick = max(round((entry.frame.time_s - start_s) * TICKS_PER_S), last_tick + 1)
            frame.pts, frame.time_base = last_tick, Fraction(1, TICKS_PER_S)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
