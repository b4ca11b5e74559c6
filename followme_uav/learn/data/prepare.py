"""Conversion of raw recordings of the Unity simulator to labelled frames: the `prepare` command.

The recorder of the simulator writes four PNG files per frame, `cam1_00012.png` to `cam4_00012.png`.
Camera 1 is the camera of the pilot; the others show the masks of other people, of the hero and of
the background. `prepare` writes a set of frames as `dataset` reads it: the unchanged image, and one
mask whose pixels are red (background), green (people) or blue (hero).

The recorder has two ways of showing a class; `MaskEncoding` says how each gives a pixel its class.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from followme_uav.errors import ConfigError, DataError
from followme_uav.files import make_folder, write_whole
from followme_uav.labelled_frames import DETECTION_PX, KINDS
from followme_uav.learn.data.dataset import read_bytes, read_pixels
from followme_uav.learn.data.pairing import SKIP_INCOMPLETE, is_image_file, listed
from followme_uav.learn.data.plausibility import ClassColours
from followme_uav.messages import MaskClass, RgbImage
from followme_uav.terminal import make_console

logger = logging.getLogger(__name__)

IMAGE_CAMERA = 1
CAMERAS = (3, 2, 4)
"""Cameras of hero, people and background, as the Unity simulator records them."""

_NAME = re.compile(r"(?P<head>.*?)_?cam(?P<camera>\d+)_(?P<tail>.+)", re.IGNORECASE)
_BRIGHT = 127
_FAR = 255
_BACKGROUND_BIAS = 1
"""Grey levels that are subtracted from the depth of the background."""
_FRAMES_TO_DETECT = 16


class MaskEncoding(Enum):
    """Encoding of the classes by the class cameras."""

    BRIGHT = "bright"
    """The pixels of the class are bright. A pixel belongs to the brightest of its three masks; of
    equals, to the hero before people before background; to the background if none exceeds 127."""
    DEPTH = "depth"
    """Masks show depth, and white outside their class. A pixel belongs to the nearest (darkest) of
    its three masks, after one grey level is subtracted from the background; of equals, to the
    background before people before the hero. This gives the same masks as `preprocess_ims.py` of
    the Udacity follow-me project."""


@dataclass(frozen=True)
class RawFrame:
    """The four files of one frame."""

    name: str
    """Name of its image and its mask in the set, without suffix."""
    image: Path
    hero: Path
    people: Path
    background: Path


@dataclass(frozen=True)
class Recording:
    """Frames of a recording's folder."""

    frames: list[RawFrame]
    """Complete frames, in the order of their names."""
    left_out: int
    """Frames with a missing file."""

    def __iter__(self) -> Iterator[RawFrame]:
        return iter(self.frames)


@dataclass(frozen=True)
class Summary:
    """Result of a conversion."""

    frames: int
    """Frames in the set."""
    written: int
    """Frames written by this call; less than `frames` after a resume."""
    hero_frames: int
    """Frames of `written` with the hero there (more than 3 px)."""
    people_frames: int
    """The same for other people."""
    encoding: MaskEncoding
    pixels: int
    """Pixels in the masks of `written`."""
    several: int
    """Pixels of these in more than one mask."""
    unclaimed: int
    """Pixels of these in no mask."""
    left_out: int
    """Frames of the recording with a missing file."""


def prepare(
    raw: Path,
    out: Path,
    kind: str | None = None,
    encoding: MaskEncoding | None = None,
    cameras: Sequence[int] = CAMERAS,
    resume: bool = False,
    skip_incomplete: bool = False,
) -> Summary:
    """Convert a recording to a set of labelled frames, and print a summary.

    Files are written atomically. The image of a frame is written last, so a frame is complete when
    its image is there.

    Args:
        raw: Folder with the recording, or with folders of several recordings.
        out: Folder of the set; with `kind` the set goes into its subfolder of that name.
        kind: One of `labelled_frames.KINDS`.
        encoding: Encoding of the masks; None detects it from some of the frames.
        cameras: Numbers of the cameras of hero, people and background.
        resume: Continue an interrupted call; otherwise the set must not exist.
        skip_incomplete: Leave out frames with a missing file.

    Raises:
        ConfigError: The kind is unknown, or the three camera numbers are not different.
        DataError: A file is missing, unreadable or of the wrong size, or the set exists already.
    """
    if kind is not None and kind not in KINDS:
        raise ConfigError(f"--kind {kind}: unknown; choose from {', '.join(KINDS)}")
    if len(set(cameras)) != 3 or IMAGE_CAMERA in cameras:
        raise ConfigError(
            f"--cameras {','.join(map(str, cameras))}: name the cameras of hero, people and "
            "background, three different ones besides camera 1"
        )
    found = find_frames(raw, cameras, skip_incomplete)
    target = out / kind if kind else out
    if not resume and target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise DataError(
            f"{target}: exists and is not empty; choose another folder, or pass --resume to go on "
            "with it"
        )
    encoding = encoding or detect_encoding(found.frames)
    for part in ("images", "masks"):
        make_folder(target / part)

    written: list[_WrittenFrame] = []
    colours = ClassColours()
    console = make_console(markup=False)
    with _progress(console) as progress:
        for frame in progress.track(found.frames, description="preparing"):
            image_file = target / "images" / (frame.name + frame.image.suffix)
            if resume and image_file.exists():
                continue
            mask_file = target / "masks" / (frame.name + ".png")
            written.append(_write_frame(frame, encoding, image_file, mask_file, colours))
    summary = Summary(
        frames=len(found.frames),
        written=len(written),
        hero_frames=sum(frame.has_hero for frame in written),
        people_frames=sum(frame.has_people for frame in written),
        encoding=encoding,
        pixels=sum(frame.pixels for frame in written),
        several=sum(frame.several for frame in written),
        unclaimed=sum(frame.unclaimed for frame in written),
        left_out=found.left_out,
    )
    _print(console, target, summary)
    for warning in colours.warnings(cameras):
        logger.warning("%s: %s", target, warning)
    return summary


@dataclass(frozen=True)
class _WrittenFrame:
    """Figures of one frame for the summary."""

    has_hero: bool
    has_people: bool
    pixels: int
    several: int
    """Pixels in more than one mask."""
    unclaimed: int
    """Pixels in no mask."""


def _write_frame(
    frame: RawFrame,
    encoding: MaskEncoding,
    image_file: Path,
    mask_file: Path,
    colours: ClassColours,
) -> _WrittenFrame:
    """Write image and mask of a frame, and add its pixels to `colours`."""
    raw_image = read_bytes(frame.image)
    image = _square(frame.image, raw_image)
    hero, people, background = _masks(frame, image.shape[:2])
    label, several, unclaimed = decide(hero, people, background, encoding)
    write_whole(mask_file, _png(label), sync=False)
    write_whole(image_file, raw_image, sync=False)
    colours.add(image, label)
    return _WrittenFrame(
        has_hero=bool((label == MaskClass.HERO).sum() > DETECTION_PX),
        has_people=bool((label == MaskClass.PEOPLE).sum() > DETECTION_PX),
        pixels=label.size,
        several=several,
        unclaimed=unclaimed,
    )


def find_frames(
    raw: Path, cameras: Sequence[int] = CAMERAS, skip_incomplete: bool = False
) -> Recording:
    """Find the frames of a recording, in the order of their names.

    Args:
        raw: Folder with the recording, or with folders of several.
        cameras: Numbers of the cameras of hero, people and background.
        skip_incomplete: Leave out frames with a missing file.

    Raises:
        DataError: The folder is missing or has no frames, or a frame lacks one of its four files or
            has one twice.
    """
    found = _files_by_frame(raw)
    wanted = (IMAGE_CAMERA, *cameras)
    missing = {
        name: [camera for camera in wanted if camera not in files]
        for name, files in found.items()
        if not files.keys() >= set(wanted)
    }
    frames = [
        RawFrame(name, files[IMAGE_CAMERA], *(files[camera] for camera in cameras))
        for name, files in sorted(found.items())
        if name not in missing
    ]
    if missing and not (skip_incomplete and frames):
        texts = [
            f"{min(found[name].items())[1].relative_to(raw)} (camera "
            f"{' and '.join(map(str, numbers))})"
            for name, numbers in sorted(missing.items())
        ]
        advice = f"or leave them out with {SKIP_INCOMPLETE}" if frames else "or pass --cameras"
        raise DataError(
            f"{raw}: partners are missing of {len(missing)} of {len(found)} frames: "
            f"{listed(texts)}; copy the recording once more, {advice}"
        )
    return Recording(frames, len(missing))


def _files_by_frame(raw: Path) -> dict[str, dict[int, Path]]:
    """Files by frame name and camera number."""
    if not raw.is_dir():
        raise DataError(f"{raw}: no such folder; pass the folder of a recording")
    found: dict[str, dict[int, Path]] = {}
    for path in sorted(raw.rglob("*")):
        folders = path.relative_to(raw).parent.parts
        if not is_image_file(path) or any(_is_hidden(folder) for folder in folders):
            continue
        match = _NAME.fullmatch(path.stem)
        if match is None:
            continue
        parts = (*(folders or (raw.absolute().name,)), match["head"], match["tail"])
        name = "_".join(part for part in parts if part).lstrip(".")  # a dot would hide the file
        files = found.setdefault(name, {})
        camera = int(match["camera"])
        if camera in files:
            raise DataError(f"{path}: is there twice, as {files[camera].name} too; remove one")
        files[camera] = path
    if not found:
        raise DataError(
            f"{raw}: no files named like cam1_00012.png; pass the folder of a recording"
        )
    return found


def _is_hidden(folder: str) -> bool:
    """Whether a folder is hidden, or one that macOS adds to an archive."""
    return folder.startswith(".") or folder == "__MACOSX"


def detect_encoding(frames: Sequence[RawFrame]) -> MaskEncoding:
    """Detect the encoding of a recording's masks, from frames spread over it.

    No pixel is both hero and people. With `BRIGHT`, the two masks are therefore both dark at some
    pixels and never both bright; with `DEPTH`, the other way round.
    """
    both_bright = both_dark = 0
    for frame in frames[:: max(1, len(frames) // _FRAMES_TO_DETECT)]:
        image = _square(frame.image, read_bytes(frame.image))
        hero, people, _ = _masks(frame, image.shape[:2])
        both_bright += int(((hero > _BRIGHT) & (people > _BRIGHT)).sum())
        both_dark += int(((hero <= _BRIGHT) & (people <= _BRIGHT)).sum())
    return MaskEncoding.BRIGHT if both_bright <= both_dark else MaskEncoding.DEPTH


def decide(
    hero: NDArray[np.uint8],
    people: NDArray[np.uint8],
    background: NDArray[np.uint8],
    encoding: MaskEncoding,
) -> tuple[NDArray[np.uint8], int, int]:
    """Decide the class of each pixel by the rule of the encoding.

    Args:
        hero: (height, width), mask of the hero.
        people: The same for other people.
        background: The same for everything else.
        encoding: Encoding of the masks.

    Returns:
        (height, width) class index; number of pixels in more than one mask; number in no mask.
    """
    masks = np.stack([background, people, hero], axis=-1).astype(np.int16)
    if encoding is MaskEncoding.BRIGHT:
        claims = (masks > _BRIGHT).sum(axis=-1)
        rank = np.array([0, 1, 2])
        label = (masks * 3 + rank).argmax(axis=-1)
        label[claims == 0] = MaskClass.BACKGROUND
    else:
        is_claimed = masks.min(axis=-1) < _FAR
        masks[..., MaskClass.BACKGROUND] -= _BACKGROUND_BIAS
        nearest = masks.min(axis=-1, keepdims=True)
        claims = np.where(is_claimed, (masks == nearest).sum(axis=-1), 0)
        label = masks.argmin(axis=-1)  # of equals, the first
    return label.astype(np.uint8), int((claims > 1).sum()), int((claims == 0).sum())


def _square(path: Path, raw: bytes) -> RgbImage:
    """The image of a frame, (size, size, 3)."""
    image = read_pixels(path, raw)
    height, width = image.shape[:2]
    if height != width:
        raise DataError(f"{path}: {width}x{height} px, must be square")
    return image


def _masks(frame: RawFrame, size: tuple[int, ...]) -> list[NDArray[np.uint8]]:
    """Masks of hero, people and background, (height, width) each."""
    masks = []
    for path in (frame.hero, frame.people, frame.background):
        mask = read_pixels(path, read_bytes(path)).max(axis=-1)
        if mask.shape != size:
            raise DataError(
                f"{path}: {mask.shape[1]}x{mask.shape[0]} px, its image {frame.image.name} has "
                f"{size[1]}x{size[0]}"
            )
        masks.append(mask)
    return masks


def _png(label: NDArray[np.uint8]) -> bytes:
    one_hot = np.eye(3, dtype=np.uint8)[label] * np.uint8(255)
    stream = io.BytesIO()
    Image.fromarray(one_hot).save(stream, "PNG")
    return stream.getvalue()


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )


def _print(console: Console, target: Path, summary: Summary) -> None:
    console.print(
        f"{target}: {summary.frames} frames ({summary.written} written now: hero in "
        f"{summary.hero_frames}, other people in {summary.people_frames}), masks read as "
        f"{summary.encoding.value}",
        soft_wrap=True,
    )
    if summary.left_out:
        console.print(f"{summary.left_out} frames left out: files are missing", soft_wrap=True)
    if summary.several or summary.unclaimed:
        console.print(
            f"pixels claimed by more than one mask: {summary.several} "
            f"({summary.several / summary.pixels:.3%}), by none: {summary.unclaimed} "
            f"({summary.unclaimed / summary.pixels:.3%})",
            soft_wrap=True,
        )
