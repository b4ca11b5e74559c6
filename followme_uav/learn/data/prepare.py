"""Raw recordings of the Unity simulator into labelled frames: the `prepare` command.

The simulator's recorder writes four PNG files per frame, `cam1_00012.png` to `cam4_00012.png`:
camera 1 is what the pilot sees, the others show where other people, the hero and the background
are. Here they become one set of frames as `dataset` reads it: the image as it was, and one mask
whose pixels are red (background), green (people) or blue (hero).

The recorder has two ways of showing a class; `MaskEncoding` says how each gives a pixel its class.
"""

from __future__ import annotations

import io
import re
import sys
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

IMAGE_CAMERA = 1
CAMERAS = (3, 2, 4)
"""Cameras of hero, people and background, as the Unity simulator records them."""

_NAME = re.compile(r"(?P<head>.*?)_?cam(?P<camera>\d+)_(?P<tail>.+)", re.IGNORECASE)
_BRIGHT = 127
_FAR = 255
_BACKGROUND_BIAS = 1
"""Grey levels by which a depth counts as nearer where it is the background's."""
_FRAMES_TO_DETECT = 16


class MaskEncoding(Enum):
    """How the class cameras show their class."""

    BRIGHT = "bright"
    """Bright where the class is. A pixel belongs to the brightest of its three masks; of equals, to
    the hero before people before background; to the background where none exceeds 127."""
    DEPTH = "depth"
    """Depth, white where the class is not. A pixel belongs to the nearest (darkest) of its three
    masks, where the background counts as one grey level nearer than it is; of equals, to the
    background before people before the hero. So were the masks of the Udacity follow-me project
    made (`preprocess_ims.py` there), and this gives the same."""


@dataclass(frozen=True)
class RawFrame:
    """The four files of one frame."""

    name: str
    """Of its image and its mask in the set, without suffix."""
    image: Path
    hero: Path
    people: Path
    background: Path


@dataclass(frozen=True)
class Recording:
    """What a recording's folder holds."""

    frames: list[RawFrame]
    """Complete, in the order of their names."""
    left_out: int
    """Frames of which a file is missing."""

    def __iter__(self) -> Iterator[RawFrame]:
        return iter(self.frames)


@dataclass(frozen=True)
class Summary:
    """What became of a recording."""

    frames: int
    """In the set now."""
    written: int
    """By this call; less than `frames` after a resume."""
    hero_frames: int
    """Frames of `written` with the hero there (more than 3 px)."""
    people_frames: int
    """The same for other people."""
    encoding: MaskEncoding
    pixels: int
    """In the masks of `written`."""
    several: int
    """Pixels of these that more than one mask claimed."""
    unclaimed: int
    """Pixels of these that no mask claimed."""
    left_out: int
    """Frames of the recording of which a file is missing."""


def prepare(
    raw: Path,
    out: Path,
    kind: str | None = None,
    encoding: MaskEncoding | None = None,
    cameras: Sequence[int] = CAMERAS,
    resume: bool = False,
    skip_incomplete: bool = False,
) -> Summary:
    """Turns a recording into a set of labelled frames, and says what it did.

    Each file is written whole or not at all, the image of a frame last; a frame is complete when
    its image is there.

    Args:
        raw: Folder with the recording, or with folders of several recordings.
        out: Folder of the set; with `kind` the set goes into its subfolder of that name.
        kind: One of `labelled_frames.KINDS`.
        encoding: How masks are read; None finds out from some of the frames.
        cameras: Numbers of the hero's, the people's and the background's camera.
        resume: Go on where an interrupted call stopped; without it the set must not exist.
        skip_incomplete: Leave frames out of which a file is missing.

    Raises:
        ConfigError: Unknown kind, or three different cameras were not given.
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
    frames = found.frames
    target = out / kind if kind else out
    if not resume and target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise DataError(
            f"{target}: exists and is not empty; choose another folder, or pass --resume to go on "
            "with it"
        )
    encoding = encoding or detect_encoding(frames)
    for part in ("images", "masks"):
        make_folder(target / part)

    written = hero = people = several = unclaimed = pixels = 0
    colours = ClassColours()
    console = make_console()
    with _progress(console) as progress:
        for frame in progress.track(frames, description="preparing"):
            image_file = target / "images" / (frame.name + frame.image.suffix)
            if resume and image_file.exists():
                continue
            raw_image = read_bytes(frame.image)
            image = _square(frame.image, raw_image)
            hero_mask, people_mask, background_mask = _masks(frame, image.shape[:2])
            label, twice, never = decide(hero_mask, people_mask, background_mask, encoding)
            mask_file = target / "masks" / (frame.name + ".png")
            write_whole(mask_file, _png(label), sync=False)
            write_whole(image_file, raw_image, sync=False)
            colours.add(image, label)
            written += 1
            pixels += label.size
            several += twice
            unclaimed += never
            hero += int((label == MaskClass.HERO).sum() > DETECTION_PX)
            people += int((label == MaskClass.PEOPLE).sum() > DETECTION_PX)
    summary = Summary(
        len(frames),
        written,
        hero,
        people,
        encoding,
        pixels,
        several,
        unclaimed,
        found.left_out,
    )
    _say(console, target, summary)
    for doubt in colours.doubts(cameras):
        print(f"followme-uav: warning: {target}: {doubt}", file=sys.stderr)
    return summary


def find_frames(
    raw: Path, cameras: Sequence[int] = CAMERAS, skip_incomplete: bool = False
) -> Recording:
    """The frames of a recording, in the order of their names.

    Args:
        raw: Folder with the recording, or with folders of several.
        cameras: Numbers of the hero's, the people's and the background's camera.
        skip_incomplete: Leave frames out of which a file is missing.

    Raises:
        DataError: No folder, no frames, a frame without one of its four files, or with one twice.
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
    """Files by the frame's name and the camera's number."""
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
        name = "_".join(part for part in parts if part).lstrip(".")  # else the set would be hidden
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
    """Hidden, or what macOS puts beside the files of an archive."""
    return folder.startswith(".") or folder == "__MACOSX"


def detect_encoding(frames: Sequence[RawFrame]) -> MaskEncoding:
    """How the masks of a recording are to be read, from frames spread over it.

    Hero and people together never cover a pixel twice. So where bright shows a class, their masks
    are both dark at some pixels and never both bright; where white shows that the class is not
    there, it is the other way round.
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
    """Each pixel's class, as `MaskEncoding` says.

    Args:
        hero: (height, width), mask of the hero.
        people: The same for other people.
        background: The same for everything else.
        encoding: How the masks show their class.

    Returns:
        (height, width) class index; how many pixels more than one mask claimed; how many none did.
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
        label = masks.argmin(axis=-1)  # of equals the first
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


def _say(console: Console, target: Path, summary: Summary) -> None:
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
