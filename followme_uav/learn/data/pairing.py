"""Which image belongs to which mask: by what their names share, however people name files.

Names are compared by rules, the strictest first; each rule looks at the files that those before it
left over. A file that fits two others is an error. No rule goes by the order of the files, because
a missing one would shift all that follow it, and every image would get its neighbour's mask.
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
"""So many names of a list are told; more would not be read."""

_CAMERA = re.compile(r"(?<![^\W\d_])cam(?:era)?\d+")
_SAYS_WHICH = re.compile(
    r"(?<![^\W\d_])(?:images?|img|rgb|photo|masks?|labels?|seg|segmentation|gt|truth)(?![^\W\d_])"
)
"""Words that tell images from masks; no other letter may be next to them."""
_PART = re.compile(r"\d+|[^\W\d_]+(?:\d+[^\W\d_]+)*")
"""A number, or a word; digits within a word, as in left8bit, belong to it."""


@dataclass(frozen=True)
class Pairing:
    """Images with their masks, and the files that have no partner."""

    pairs: tuple[tuple[Path, Path], ...]
    """(image, mask), in the order of the images' names."""
    rule: str
    """How they were found, for people."""
    images_alone: tuple[Path, ...]
    masks_alone: tuple[Path, ...]


def image_files(folder: Path) -> list[Path]:
    """JPEG and PNG files of a folder, sorted; hidden ones are no data.

    Raises:
        DataError: The folder cannot be read.
    """
    try:
        return sorted(path for path in folder.iterdir() if is_image_file(path))
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror})") from error


def is_image_file(path: Path) -> bool:
    """Whether a file's name is an image's; macOS leaves a hidden `._NAME` beside every file."""
    return (
        path.suffix.lower() in IMAGE_SUFFIXES
        and not path.name.startswith(".")
        and not path.is_dir()
    )


def pair(images: Sequence[Path], masks: Sequence[Path]) -> Pairing:
    """Find each image's mask.

    Raises:
        DataError: An image fits several masks or a mask several images.
    """
    texts = {path: _text(path) for path in (*images, *masks)}
    kept: dict[Path, _Key] = {
        **_without_own_words({path: texts[path] for path in images}, texts, masks),
        **_without_own_words({path: texts[path] for path in masks}, texts, images),
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
    if not found:  # weak, so only where a whole folder is named like this
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
    """The first few of many, and how many more there are."""
    every = [str(name) for name in names]
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more


def _said(used: Counter[str]) -> str:
    counts = {rule: count for rule, count in used.items() if count}
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{rule} ({count})" for rule, count in counts.items())


def _text(path: Path) -> str:
    """The name without suffix in one form: systems differ in case and in how accents are coded."""
    return unicodedata.normalize("NFKC", path.stem).casefold()


def _without_own_words(
    own: dict[Path, str], texts: dict[Path, str], others: Sequence[Path]
) -> dict[Path, tuple[str, ...]]:
    """Parts of the names but for the words that all of one side have, and none of the other has."""
    parts = {path: _parts(text) for path, text in own.items()}
    common = set.intersection(*(set(p) for p in parts.values())) if parts else set()
    shared = {word for path in others for word in _parts(texts[path])}
    aside = {word for word in common - shared if not word.isdecimal()}
    return {path: tuple(p for p in ps if p not in aside) for path, ps in parts.items()}


def _parts(text: str) -> tuple[str, ...]:
    """Words and numbers of a name, but for what tells images from masks."""
    text = _SAYS_WHICH.sub(" ", text)
    without_camera = _CAMERA.sub(" ", text)
    # The number in cam00012 is the frame's when there is no other.
    is_left = any(character.isdecimal() for character in without_camera)
    return tuple(_PART.findall(without_camera if is_left else text))


def _equal(
    images: Sequence[Path], masks: Sequence[Path], key: dict[Path, _Key]
) -> dict[Path, Path]:
    """Images and masks whose keys are equal; what has nothing in its key has nothing to share."""
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
    """Images and masks of which one's key fits into the other's; their last numbers are equal."""
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
    """Whether the longer key is the shorter one with something in between."""
    return any(
        short[:i] == long[:i] and short[i:] == long[i - len(short) :] for i in range(1, len(short))
    )


def _contains(short: _Key, long: _Key) -> bool:
    """Whether the longer key has all parts of the shorter one, in its order."""
    rest = iter(long)
    return bool(short) and all(part in rest for part in short)


def _refuse_several(images: Sequence[Path], masks: Sequence[Path]) -> None:
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
