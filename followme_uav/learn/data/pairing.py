"""Pairing of images and masks by their file names.

Names are compared by several rules, the strictest first. Each rule looks at the files that are
still unpaired. A file that fits two others is an error. No rule uses the order of the files: one
missing file would shift all later pairs, and images would get the masks of their neighbours.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from followme_uav.errors import DataError

IMAGE_SUFFIXES = (".jpeg", ".jpg", ".png")
SKIP_INCOMPLETE = "--skip-incomplete"

_Part = str | int
_Key = tuple[_Part, ...]
_SHOWN = 5
"""Largest number of names that a message lists."""

_CAMERA = re.compile(r"(?<![^\W\d_])cam(?:era)?\d+")
_ROLE = re.compile(
    r"(?<![^\W\d_])(?:images?|img|rgb|photo|masks?|labels?|seg|segmentation|gt|truth)(?![^\W\d_])"
)
"""Words for image or mask, without other letters next to them."""
_PART = re.compile(r"\d+|[^\W\d_]+(?:\d+[^\W\d_]+)*")
"""A number or a word; digits within a word, as in left8bit, are part of the word."""


@dataclass(frozen=True)
class Pairing:
    """Images with their masks, and the files that have no partner."""

    pairs: tuple[tuple[Path, Path], ...]
    """(image, mask), in the order of the images' names."""
    rule: str
    """Text for the user: the rules that paired them."""
    images_alone: tuple[Path, ...]
    masks_alone: tuple[Path, ...]


def image_files(folder: Path) -> list[Path]:
    """List the JPEG and PNG files of a folder, sorted, without hidden files.

    Raises:
        DataError: The folder cannot be read.
    """
    try:
        return sorted(path for path in folder.iterdir() if is_image_file(path))
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror})") from error


def is_image_file(path: Path) -> bool:
    """Whether a path is an image by its name; hidden files are not (macOS writes `._NAME`)."""
    return (
        path.suffix.lower() in IMAGE_SUFFIXES
        and not path.name.startswith(".")
        and not path.is_dir()
    )


def pair(images: Sequence[Path], masks: Sequence[Path]) -> Pairing:
    """Find the mask of each image.

    Raises:
        DataError: An image fits several masks or a mask several images.
    """
    texts = {path: _text(path) for path in (*images, *masks)}
    # Images of one camera may have masks by another; of several, each has its own masks.
    several = len({found for image in images for found in _CAMERA.findall(texts[image])}) > 1
    parts = {path: _parts(text, several) for path, text in texts.items()}
    kept: dict[Path, _Key] = {
        **_without_side_words(images, masks, parts),
        **_without_side_words(masks, images, parts),
    }
    values: dict[Path, _Key] = {
        path: tuple(int(part) if str(part).isdecimal() else part for part in parts)
        for path, parts in kept.items()
    }
    found: dict[Path, Path] = {}
    used: Counter[str] = Counter()

    def apply(rule: str, new: dict[Path, Path]) -> None:
        found.update(new)
        used[rule] += len(new)

    def left(files: Sequence[Path]) -> list[Path]:
        taken = found.keys() | set(found.values())
        return [path for path in files if path not in taken]

    keys: list[tuple[str, dict[Path, _Key]]] = [
        ("the same name", {path: (text,) for path, text in texts.items()}),
        ("the same name but for words that only images or only masks have", kept),
        ("the same words and numbers in the name", values),
    ]
    for rule, key in keys:
        apply(rule, _equal(left(images), left(masks), key))
    apply(
        "the same beginning and end of the name",
        _fitting(left(images), left(masks), values, _wraps),
    )
    if not found:  # a weak rule: use it only if it applies to the whole folder
        apply(
            "the shorter name's words and numbers in the longer name",
            _fitting(left(images), left(masks), values, _contains),
        )
    return Pairing(
        tuple((image, found[image]) for image in images if image in found),
        _said(used),
        tuple(left(images)),
        tuple(left(masks)),
    )


def listed(names: Iterable[object]) -> str:
    """The first five names, and the number of the others."""
    every = [str(name) for name in names]
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more


def _said(used: Counter[str]) -> str:
    counts = {rule: count for rule, count in used.items() if count}
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{rule} ({count})" for rule, count in counts.items())


def _text(path: Path) -> str:
    """File name without suffix, in normal form: systems differ in case and in coded accents."""
    return unicodedata.normalize("NFKC", path.stem).casefold()


def _without_side_words(
    own: Sequence[Path], others: Sequence[Path], parts: dict[Path, tuple[str, ...]]
) -> dict[Path, tuple[str, ...]]:
    """Parts of the names, without words that all names of one side and none of the other have."""
    common = set.intersection(*(set(parts[path]) for path in own)) if own else set()
    shared = {word for path in others for word in parts[path]}
    aside = {word for word in common - shared if not word.isdecimal()}
    return {path: tuple(p for p in parts[path] if p not in aside) for path in own}


def _parts(text: str, with_cameras: bool) -> tuple[str, ...]:
    """Words and numbers of a name, without words for image and mask, and cameras if unwanted."""
    text = _ROLE.sub(" ", text)
    without_camera = _CAMERA.sub(" ", text)
    # In a name like cam00012, without another number, the number is that of the frame.
    has_number = any(character.isdecimal() for character in without_camera)
    is_shorter = has_number and not with_cameras
    return tuple(_PART.findall(without_camera if is_shorter else text))


def _equal(
    images: Sequence[Path], masks: Sequence[Path], key: dict[Path, _Key]
) -> dict[Path, Path]:
    """Images with the mask of the same key; files with an empty key stay unpaired."""
    groups: defaultdict[_Key, tuple[list[Path], list[Path]]] = defaultdict(lambda: ([], []))
    for image in images:
        groups[key[image]][0].append(image)
    for mask in masks:
        groups[key[mask]][1].append(mask)
    groups.pop((), None)
    found = {}
    for own_images, own_masks in groups.values():
        if own_images and own_masks:
            _refuse_several(own_images, own_masks)
            found[own_images[0]] = own_masks[0]
    return found


def _fitting(
    images: Sequence[Path],
    masks: Sequence[Path],
    key: dict[Path, _Key],
    fits: Callable[[_Key, _Key], bool],
) -> dict[Path, Path]:
    """Images with the mask of the same last number for which `fits(shorter key, longer key)`."""
    by_number: defaultdict[int | None, list[Path]] = defaultdict(list)
    for mask in masks:
        by_number[_last_number(key[mask])].append(mask)
    images_of: defaultdict[Path, list[Path]] = defaultdict(list)
    found = {}
    for image in images:
        own_masks = [
            mask
            for mask in by_number[_last_number(key[image])]
            if fits(*sorted((key[image], key[mask]), key=len))
        ]
        if own_masks:
            _refuse_several([image], own_masks)
            images_of[own_masks[0]].append(image)
            found[image] = own_masks[0]
    for mask, own_images in images_of.items():
        _refuse_several(own_images, [mask])
    return found


def _last_number(key: _Key) -> int | None:
    return next((part for part in reversed(key) if isinstance(part, int)), None)


def _wraps(short: _Key, long: _Key) -> bool:
    """Whether the longer key is the shorter key with parts inserted at one place."""
    return any(
        short[:i] == long[:i] and short[i:] == long[i - len(short) :] for i in range(1, len(short))
    )


def _contains(short: _Key, long: _Key) -> bool:
    """Whether the longer key has all parts of the shorter key, in the same order."""
    rest = iter(long)
    return bool(short) and all(part in rest for part in short)


def _refuse_several(images: Sequence[Path], masks: Sequence[Path]) -> None:
    """Raise `DataError` unless it is one image and one mask."""
    if len(images) > 1:
        raise DataError(
            f"{masks[0]}: fits several images, {listed(p.name for p in images)}; rename them so "
            "that each shares its name or number with one mask"
        )
    if len(masks) > 1:
        raise DataError(
            f"{images[0]}: fits several masks, {listed(p.name for p in masks)}; rename them so "
            "that each shares its name or number with one image"
        )
