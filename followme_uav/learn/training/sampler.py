"""Training crops: cut from the frames, resized and augmented.

Frames stay at their recorded size. A crop is cut and resized to the network's resolution in one
step, with the filter that evaluation uses, so that training and evaluation see the same kind of
pixels. Each batch has its own random generator, seeded by epoch and step: batches can be prefetched
in any order, and a resumed training gets the same batches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from followme_uav.errors import ConfigError, DataError
from followme_uav.learn.data.dataset import LabelledFrames
from followme_uav.learn.training import colours, composition, recolouring
from followme_uav.learn.training.config import AugmentConfig, SamplingConfig
from followme_uav.learn.training.hard_examples import HardExample
from followme_uav.messages import MaskClass
from followme_uav.perception.models import INPUT_SIZE_PX
from followme_uav.resizing import resized_image

_EDGE = 0.03
"""Part of a crop's side that is its edge."""


@dataclass(frozen=True)
class Batch:
    """Crops of one training step."""

    images: NDArray[np.uint8]
    """(batch, crop, crop, 3) RGB."""
    labels: NDArray[np.uint8]
    """(batch, crop, crop) class index."""


class CropSampler:
    """Draw batches of crops from several sets of frames.

    Args:
        sets: Labelled frames; sets of one source divide the share of that source.
        sampling: Size, scale and places of the crops.
        augment: Random changes of their pixels.
        batch_size: Crops in a batch.
        seed: Seed of all batches, with epoch and step.
        side_px: Side of a whole frame at the network's resolution.

    Raises:
        DataError: No frames.
        ConfigError: `source_share` leaves nothing for any source.
    """

    def __init__(
        self,
        sets: Sequence[LabelledFrames],
        sampling: SamplingConfig,
        augment: AugmentConfig,
        batch_size: int,
        seed: int,
        side_px: int = INPUT_SIZE_PX,
    ) -> None:
        if not sum(len(s) for s in sets):
            raise DataError("no training frames; pass --data a folder with labelled frames")
        self.sets = list(sets)
        self._sampling = sampling
        self._augment = augment
        self._batch_size = batch_size
        self._seed = seed
        self._side_px = side_px
        self._shares = _source_shares(self.sets, sampling.source_share)
        self._everywhere = self._frames_where(lambda labels: True)
        self._with_hero = self._frames_where(lambda x: bool((x == MaskClass.HERO).any()))
        self._with_people = self._frames_where(lambda x: bool((x == MaskClass.PEOPLE).any()))

    def batch(self, epoch: int, step: int, hard_examples: Sequence[HardExample]) -> Batch:
        """Make the batch of a step; the same arguments always give the same bytes."""
        rng = np.random.default_rng((self._seed, 1, epoch, step))
        sources = sorted(self._shares)
        shares = [self._shares[s] for s in sources]
        by_source = {
            s: [h for h in hard_examples if self.sets[h.set_index].source == s] for s in sources
        }
        chosen = [sources[rng.choice(len(sources), p=shares)] for _ in range(self._batch_size)]
        crops = [self._crop(rng, source, by_source[source]) for source in chosen]
        images = np.stack([image for image, _ in crops])
        labels = np.stack([label for _, label in crops])
        # A change that is off draws no random numbers: earlier trainings stay repeatable.
        if self._augment.recolour:
            images, labels = recolouring.recoloured(
                images, labels, chosen, self._augment.recolour, rng
            )
        if self._augment.paste:
            images, labels = composition.pasted(images, labels, chosen, self._augment.paste, rng)
        if self._augment.hide:
            images, labels = composition.hidden(images, labels, self._augment.hide, rng)
        images = augmented(images, self._augment, rng)
        flip = rng.random(self._batch_size) < self._augment.flip
        images[flip] = images[flip, :, ::-1]
        labels[flip] = labels[flip, :, ::-1]
        return Batch(images, labels)

    def frames_to_mine(self, epoch: int) -> list[tuple[int, int]]:
        """Choose frames (set, frame) to search for hard examples, by the shares of the sources."""
        rng = np.random.default_rng((self._seed, 2, epoch))
        chosen: list[tuple[int, int]] = []
        for source in sorted(self._shares):
            frames = self._everywhere[source]
            part = min(len(frames), round(self._sampling.mined_frames * self._shares[source]))
            chosen += [frames[i] for i in sorted(rng.choice(len(frames), part, replace=False))]
        return chosen

    def _crop(
        self, rng: np.random.Generator, source: str, hard_examples: Sequence[HardExample]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """A crop of a source and its labels, around a place drawn by the configured shares."""
        wanted = self._sampling
        options: list[tuple[str, float]] = [("anywhere", wanted.anywhere)]
        if self._with_hero[source]:
            options.append(("hero", wanted.hero))
        if self._with_people[source]:
            options.append(("people", wanted.people))
        if hard_examples:
            options.append(("hard example", wanted.mistakes))
        weights = np.array([weight for _, weight in options])
        if not weights.sum():
            options, weights = [("anywhere", 1.0)], np.ones(1)
        place = options[rng.choice(len(options), p=weights / weights.sum())][0]

        if place == "hard example":
            example = hard_examples[int(rng.integers(len(hard_examples)))]
            return self._cut(rng, example.set_index, example.frame, (example.row, example.column))
        if place == "anywhere":
            index, frame = _pick(rng, self._everywhere[source])
            return self._cut(rng, index, frame, (rng.random(), rng.random()))
        hero = place == "hero"
        index, frame = _pick(rng, (self._with_hero if hero else self._with_people)[source])
        label = self.sets[index].labels[frame]
        pixels = np.flatnonzero(label == (MaskClass.HERO if hero else MaskClass.PEOPLE))
        row, column = divmod(int(pixels[rng.integers(len(pixels))]), label.shape[1])
        around = row / label.shape[0], column / label.shape[1]
        cut = wanted.cut > 0 and rng.random() < wanted.cut
        return self._cut(rng, index, frame, around, cut=cut)

    def _cut(
        self,
        rng: np.random.Generator,
        index: int,
        frame: int,
        around: tuple[float, float],
        *,
        cut: bool = False,
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """A crop with the point `around` (row, column, 0..1) at a random place inside, and labels.

        The point lies within the middle 80 % of both sides, unless the frame's edge is near. With
        `cut` it lies at one edge of the crop, as if the frame ended there.
        """
        image, label = self.sets[index].images[frame], self.sets[index].labels[frame]
        size, crop = label.shape[0], self._sampling.crop_px
        scale = np.exp(
            rng.uniform(np.log(self._sampling.scale_min), np.log(self._sampling.scale_max))
        )
        side = min(crop * size / self._side_px / scale, size)
        place = rng.uniform(0.1, 0.9, size=2)
        if cut:
            place[rng.integers(2)] = abs(rng.integers(2) - rng.uniform(0, _EDGE))
        top, left = np.clip(np.array(around) * size - place * side, 0, size - side)
        box = (left, top, left + side, top + side)

        def resized(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
            return np.asarray(
                Image.fromarray(plane).resize((crop, crop), Image.Resampling.BILINEAR, box=box)
            )

        target = np.zeros((crop, crop), np.uint8)
        for c in (MaskClass.PEOPLE, MaskClass.HERO):
            target[resized((label == c).astype(np.uint8)) > 0] = c
        return resized(image), target

    def _frames_where(
        self, wanted: Callable[[NDArray[np.uint8]], bool]
    ) -> dict[str, list[tuple[int, int]]]:
        found: dict[str, list[tuple[int, int]]] = {s.source: [] for s in self.sets}
        for index, frames in enumerate(self.sets):
            found[frames.source] += [
                (index, i) for i, label in enumerate(frames.labels) if wanted(label)
            ]
        return found


def augmented(
    images: NDArray[np.uint8], config: AugmentConfig, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Change fineness, blur, colours, noise and compression of each image at random.

    Args:
        images: (batch, height, width, 3) RGB.
        config: Largest size of each change.
        rng: Source of the random numbers.

    Returns:
        Changed images of the same shape.
    """
    if config.coarse:
        images = _coarse(images, config, rng)
    if config.blur:
        images = _blurred(images, config, rng)
    changes = ("brightness", "contrast", "tint", "saturation", "hue_deg", "noise")
    if any(getattr(config, change) for change in changes):
        images = _coloured(images, config, rng)
    return _compressed(images, config, rng) if config.jpeg else images


def _coloured(
    images: NDArray[np.uint8], config: AugmentConfig, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """The images with other brightness, contrast, colour and noise."""
    n = len(images)

    def uniform(limit: float, *shape: int) -> NDArray[np.float32]:
        return rng.uniform(-limit, limit, size=(n, *shape)).astype(np.float32)

    mix = np.matmul(
        colours.hue_matrices(np.radians(uniform(config.hue_deg))),
        colours.saturation_matrices(1 + uniform(config.saturation)),
    ) * (1 + uniform(config.tint, 3, 1))
    contrast = 1 + uniform(config.contrast, 1)
    mean = np.einsum("nij,nj->ni", mix, images.mean(axis=(1, 2), dtype=np.float32))
    offset = (1 - contrast) * mean + uniform(config.brightness, 1)
    mix = mix * contrast[:, :, None]
    x = np.matmul(images.astype(np.float32), mix.transpose(0, 2, 1)[:, None])
    x += offset[:, None, None]
    sigma = rng.uniform(0, config.noise, size=(n, 1, 1, 1)).astype(np.float32)
    x += sigma * rng.standard_normal(images.shape, dtype=np.float32)
    changed: NDArray[np.uint8] = np.clip(np.rint(x), 0, 255).astype(np.uint8)
    return changed


def _coarse(
    images: NDArray[np.uint8], config: AugmentConfig, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """The images, a share of them as a camera with fewer pixels gives them, enlarged."""
    coarse: NDArray[np.uint8] = images.copy()
    for i in np.flatnonzero(rng.random(len(images)) < config.coarse):
        side_px = images.shape[1]
        small_px = round(side_px * rng.uniform(config.coarse_min, 1.0))
        small = resized_image(images[i], (small_px, small_px))
        coarse[i] = resized_image(small, (side_px, side_px))
    return coarse


def _blurred(
    images: NDArray[np.uint8], config: AugmentConfig, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """The images, a share of them blurred by Gaussian filters of random width."""
    chosen = rng.random(len(images)) < config.blur
    sigmas_px = rng.uniform(0, config.blur_px, len(images))
    blurred: NDArray[np.uint8] = images.copy()
    for i in np.flatnonzero(chosen):
        blur = ImageFilter.GaussianBlur(float(sigmas_px[i]))
        blurred[i] = np.asarray(Image.fromarray(images[i]).filter(blur))
    return blurred


def _compressed(
    images: NDArray[np.uint8], config: AugmentConfig, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """The images, a share of them as JPEG leaves them."""
    compressed: NDArray[np.uint8] = images.copy()
    for i in np.flatnonzero(rng.random(len(images)) < config.jpeg):
        file = BytesIO()
        # Flight logs keep the resolution of colours, too.
        Image.fromarray(images[i]).save(file, "JPEG", quality=config.jpeg_quality, subsampling=0)
        compressed[i] = np.asarray(Image.open(file))
    return compressed


def _source_shares(sets: Sequence[LabelledFrames], wanted: dict[str, float]) -> dict[str, float]:
    """Share of the crops for each source, with a sum of 1.

    Sources without a wanted share divide what the others leave; that of a missing source, too.
    """
    sources = sorted({s.source for s in sets})
    wanted = {s: share for s, share in wanted.items() if s in sources}
    rest = [s for s in sources if s not in wanted]
    left = max(0.0, 1.0 - sum(wanted.values())) / len(rest) if rest else 0.0
    shares = {s: wanted.get(s, left) for s in sources}
    total = sum(shares.values())
    if total <= 0:
        raise ConfigError("sampling.source_share leaves no crops for any data folder")
    return {s: share / total for s, share in shares.items()}


def _pick(rng: np.random.Generator, frames: Sequence[tuple[int, int]]) -> tuple[int, int]:
    return frames[int(rng.integers(len(frames)))]
