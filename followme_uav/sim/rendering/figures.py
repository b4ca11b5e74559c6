"""What people look like: a wardrobe from a seed, and one mesh per person.

A figure stands at the origin, x forward, y right, z down, and is about `MODEL_HEIGHT_M` tall; the
scene scales it. Every vertex names the limb it belongs to, and the renderer's vertex shader swings
limbs about the joints of `gait`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from followme_uav.sim.agents.gait import ARM, ELBOW_M, FOREARM, KNEE_M, LEG, RIGHT, SHIN
from followme_uav.sim.agents.routes import Outfit
from followme_uav.sim.city.colours import Colour
from followme_uav.sim.rendering.mesh import LIMB_VERTEX, Mesh
from followme_uav.sim.rendering.textures import Layer

MODEL_HEIGHT_M = 1.75


@dataclass(frozen=True)
class Appearance:
    """Clothes and build of one person; colours are RGB, 0..1."""

    height_m: float
    width: float
    """1 is slim."""
    skin: Colour
    hair: Colour
    hair_style: Literal["long", "short", "bald", "ponytail", "hood"]
    top: Colour
    top_style: Literal["jacket", "shirt", "crop"]
    sleeves: Literal["long", "short", "none"]
    bottom: Colour
    bottom_style: Literal["trousers", "shorts", "skirt"]
    shoes: Colour


HERO = Appearance(
    height_m=1.72,
    width=1.12,
    skin=(0.56, 0.45, 0.40),
    hair=(0.72, 0.05, 0.06),
    hair_style="long",
    top=(1.0, 0.18, 0.16),
    top_style="jacket",
    sleeves="none",
    bottom=(0.29, 0.14, 0.13),
    bottom_style="trousers",
    shoes=(0.95, 0.08, 0.09),
)

_SKINS = ((0.86, 0.68, 0.57), (0.74, 0.57, 0.47), (0.50, 0.37, 0.31), (0.34, 0.26, 0.23))
_HAIRS = (
    (0.08, 0.08, 0.09), (0.13, 0.10, 0.09), (0.30, 0.20, 0.13), (0.84, 0.70, 0.44),
    (0.60, 0.36, 0.16), (0.44, 0.56, 0.58), (0.16, 0.34, 0.24), (0.35, 0.33, 0.32),
    (0.42, 0.16, 0.10), (0.36, 0.15, 0.11), (0.70, 0.70, 0.68), (0.20, 0.15, 0.12),
)  # fmt: skip
_TOPS = (
    (0.08, 0.09, 0.12), (0.12, 0.15, 0.24), (0.16, 0.24, 0.52), (0.20, 0.42, 0.54),
    (0.36, 0.52, 0.68), (0.36, 0.52, 0.68), (0.88, 0.90, 0.88), (0.88, 0.90, 0.88),
    (0.55, 0.58, 0.60), (0.80, 0.82, 0.22), (0.66, 0.76, 0.18), (0.95, 0.55, 0.10),
    (0.30, 0.62, 0.56), (0.14, 0.34, 0.26), (0.72, 0.20, 0.42), (0.62, 0.62, 0.60),
    (0.44, 0.30, 0.52), (0.34, 0.24, 0.18), (0.78, 0.62, 0.44), (0.24, 0.30, 0.22),
    (0.86, 0.66, 0.70), (0.10, 0.10, 0.10),
)  # fmt: skip
_BOTTOMS = (
    (0.09, 0.10, 0.11), (0.14, 0.15, 0.19), (0.20, 0.32, 0.48), (0.32, 0.46, 0.62),
    (0.24, 0.26, 0.28), (0.55, 0.52, 0.42), (0.18, 0.44, 0.46), (0.40, 0.34, 0.48),
    (0.48, 0.82, 0.72), (0.40, 0.45, 0.32), (0.24, 0.36, 0.52),
)  # fmt: skip
_SHOES = ((0.08, 0.08, 0.08), (0.75, 0.75, 0.75), (0.30, 0.30, 0.34), (0.25, 0.17, 0.12))
_REDS = (
    (0.74, 0.10, 0.30), (0.80, 0.34, 0.10), (0.40, 0.06, 0.18), (0.58, 0.24, 0.17),
    (0.70, 0.26, 0.24),
)  # fmt: skip
"""Crimson, rust, wine, brick and coral: red enough to mislead, yet none is the hero's
scarlet, which from nearby is all that a network with a small field of view has to go by."""
_HOODS = ((0.34, 0.06, 0.15), (0.52, 0.22, 0.15), (0.20, 0.18, 0.20))
"""Of decoys in a red jacket: darker than the jacket and of another red, where hers is one red."""


_HOODED_TURN = 6  # of fourteen people this one wears a hood over a red jacket


def make_wardrobe(seed: int, people: int, walkers: Sequence[Outfit] = ()) -> tuple[Appearance, ...]:
    """The hero's appearance, those of `people` others, then those of walkers with such outfits.

    One in five of the people wears a red top with blue or grey trousers, red trousers, or a red
    jacket with a hood of another red: red alone must not make a hero.
    """
    rng = np.random.default_rng([seed, 30])
    others = [_dress(rng, i) for i in range(people)]
    rng = np.random.default_rng([seed, 31])
    extra = [_dress_decoy(rng) if outfit == "decoy" else _dress(rng, 0) for outfit in walkers]
    return (HERO, *others, *extra)


def _dress(rng: np.random.Generator, i: int) -> Appearance:
    def pick(colours: tuple[Colour, ...], low: float = 0.9, high: float = 1.2) -> Colour:
        colour = colours[int(rng.integers(len(colours)))]
        r, g, b = (min(1.0, v * float(rng.uniform(low, high))) for v in colour)
        return (r, g, b)

    woman = bool(rng.random() < 0.5)
    top, bottom = pick(_TOPS, 1.05, 1.7), pick(_BOTTOMS, 1.05, 1.8)
    hair_styles: tuple[Literal["long", "short", "bald", "ponytail", "hood"], ...]
    hair_styles = ("long", "long", "ponytail") if woman else ("short", "short", "bald", "hood")
    hair_style = hair_styles[int(rng.integers(len(hair_styles)))]
    hair = pick(_HAIRS)
    if hair_style == "hood":
        hair = top
    if i % 14 == 3:
        top, bottom = pick(_REDS), _BOTTOMS[2 + int(rng.integers(3))]
        # A hood over a red jacket is what the hero is known by: nobody else has both in one red.
        hair_style = "short" if hair_style == "hood" else hair_style
    elif i % 14 == _HOODED_TURN:
        top, hair, hair_style = pick(_REDS), pick(_HOODS), "hood"
    elif i % 14 == 9:
        bottom = pick(_REDS)
    bare = bool(rng.random() < 0.35)
    sleeves: Literal["long", "short", "none"] = "long"
    top_style: Literal["jacket", "shirt", "crop"] = "jacket" if rng.random() < 0.45 else "shirt"
    if top_style == "shirt" and rng.random() < 0.7:
        sleeves = "none" if woman and rng.random() < 0.5 else "short"
        if woman and rng.random() < 0.25:
            top_style = "crop"
    bottom_style: Literal["trousers", "shorts", "skirt"] = "trousers"
    if bare:
        bottom_style = "skirt" if woman and rng.random() < 0.5 else "shorts"
    height_m = float(rng.uniform(1.58, 1.74) if woman else rng.uniform(1.68, 1.88))
    return Appearance(
        height_m,
        # A few are stout.
        float(rng.uniform(0.90, 1.08) if woman else rng.uniform(1.0, 1.22))
        * (1.16 if rng.random() < 0.15 else 1.0),
        pick(_SKINS),
        hair,
        hair_style,
        top,
        top_style,
        sleeves,
        bottom,
        bottom_style,
        pick(_SHOES),
    )


def _dress_decoy(rng: np.random.Generator) -> Appearance:
    """A red jacket with a hood."""
    return replace(
        _dress(rng, _HOODED_TURN), top_style="jacket", sleeves="long", bottom_style="trousers"
    )


def make_figure(look: Appearance, obj: int, *, coarse: bool = False) -> Mesh:
    """The mesh of one person (`LIMB_VERTEX`), every vertex belonging to object `obj`.

    Args:
        look: clothes and build.
        obj: the object number.
        coarse: a fifth of the triangles, for somebody who is a few pixels tall.
    """
    mesh = Mesh(dtype=LIMB_VERTEX, coarse=coarse)
    _torso(mesh, look, obj)
    _head(mesh, look, obj)
    for side in (-1.0, 1.0):
        _arm(mesh, look, obj, side)
        _leg(mesh, look, obj, side)
    return mesh


def _torso(mesh: Mesh, look: Appearance, obj: int) -> None:
    w = look.width
    waist_m = 1.16 if look.top_style == "crop" else 0.94
    if look.top_style == "crop":
        mesh.loft(
            [(0.0, 0.0, 0.95, 0.10 * w, 0.145 * w), (0.0, 0.0, 1.18, 0.095 * w, 0.125 * w)],
            Layer.PLAIN, look.skin, obj,
        )  # fmt: skip
    rings = [
        (0.0, 0.0, waist_m, 0.112 * w, 0.150 * w),
        (0.0, 0.0, max(waist_m, 1.09) + 0.01, 0.102 * w, 0.134 * w),
        (0.01, 0.0, 1.26, 0.122 * w, 0.150 * w),
        (0.0, 0.0, 1.38, 0.112 * w, 0.174 * w),
        (-0.01, 0.0, 1.455, 0.078 * w, 0.140 * w),
        (0.0, 0.0, 1.50, 0.050, 0.060),
    ]
    if look.top_style == "jacket":
        hem = [(0.0, 0.0, 0.79, 0.145 * w, 0.188 * w), (0.0, 0.0, 0.95, 0.132 * w, 0.170 * w)]
        rings = hem + [(n, e, h, hn + 0.010, he + 0.008) for n, e, h, hn, he in rings[1:]]
    mesh.loft(rings, Layer.CLOTH, look.top, obj, sides=10, uv_scale=(1.0, 0.9))
    low_m = 0.86 if look.bottom_style != "skirt" else 0.56
    spread = 1.0 if look.bottom_style != "skirt" else 1.25
    mesh.loft(
        [
            (0.0, 0.0, low_m, 0.105 * w * spread, 0.155 * w * spread),
            (0.0, 0.0, 0.90, 0.125 * w, 0.170 * w),
            (0.0, 0.0, 1.02, 0.105 * w, 0.145 * w),
        ],
        Layer.CLOTH, look.bottom, obj, uv_shift=(0.3, 0.2),
    )  # fmt: skip
    mesh.loft(
        [(0.0, 0.0, 1.46, 0.052, 0.055), (0.015, 0.0, 1.56, 0.048, 0.048)],
        Layer.PLAIN, look.skin, obj, sides=6, caps=False,
    )  # fmt: skip


def _head(mesh: Mesh, look: Appearance, obj: int) -> None:
    head = [
        (0.03, 0.0, 1.515, 0.030, 0.030),
        (0.035, 0.0, 1.545, 0.070, 0.055),
        (0.025, 0.0, 1.60, 0.092, 0.072),
        (0.02, 0.0, 1.66, 0.095, 0.076),
        (0.015, 0.0, 1.715, 0.072, 0.060),
        (0.01, 0.0, 1.745, 0.0, 0.0),
    ]
    mesh.loft(head, Layer.PLAIN, look.skin, obj, sides=8)
    if look.hair_style == "bald":
        return
    layer = Layer.CLOTH if look.hair_style == "hood" else Layer.HAIR
    cap = [
        (-0.025, 0.0, 1.555, 0.070, 0.080),
        (-0.030, 0.0, 1.60, 0.090, 0.092),
        (-0.012, 0.0, 1.67, 0.112, 0.096),
        (0.0, 0.0, 1.725, 0.098, 0.082),
        (0.0, 0.0, 1.765, 0.052, 0.045),
        (0.0, 0.0, 1.775, 0.0, 0.0),
    ]
    if look.hair_style == "long":
        cap = [
            (-0.085, 0.0, 1.315, 0.030, 0.070),
            (-0.085, 0.0, 1.38, 0.072, 0.115),
            (-0.075, 0.0, 1.46, 0.098, 0.132),
            (-0.066, 0.0, 1.55, 0.112, 0.132),
            (-0.050, 0.0, 1.64, 0.128, 0.128),
            (-0.020, 0.0, 1.72, 0.124, 0.114),
            (-0.010, 0.0, 1.765, 0.085, 0.080),
            (0.0, 0.0, 1.785, 0.0, 0.0),
        ]
    elif look.hair_style == "hood":
        cap = [(-0.04, 0.0, 1.44, 0.10, 0.12), (-0.04, 0.0, 1.53, 0.095, 0.10), *cap[1:]]
    mesh.loft(cap, layer, look.hair, obj, sides=10, uv_scale=(2.0, 1.2))
    if look.hair_style == "ponytail":
        mesh.loft(
            [
                (-0.15, 0.0, 1.38, 0.015, 0.02),
                (-0.15, 0.0, 1.50, 0.035, 0.045),
                (-0.12, 0.0, 1.63, 0.03, 0.035),
            ],
            layer, look.hair, obj, sides=6,
        )  # fmt: skip


def _arm(mesh: Mesh, look: Appearance, obj: int, side: float) -> None:
    w = look.width
    right = RIGHT if side > 0 else 0
    east = side * (0.186 * w + (0.008 if look.top_style == "jacket" else 0.0))
    thick = 1.25 if look.sleeves == "long" and look.top_style == "jacket" else 1.0
    upper = [
        (0.0, east + side * 0.030, ELBOW_M - 0.02, 0.042 * thick, 0.042 * thick),
        (0.0, east + side * 0.012, 1.28, 0.049 * thick, 0.049 * thick),
        (0.0, east - side * 0.01, 1.42, 0.056 * thick, 0.054 * thick),
        (0.0, east - side * 0.03, 1.455, 0.030, 0.035),
    ]
    covered = look.sleeves != "none"
    colour, layer = (look.top, Layer.CLOTH) if covered else (look.skin, Layer.PLAIN)
    mesh.loft(upper, layer, colour, obj, sides=6, limb=ARM + right)
    covered = look.sleeves == "long"
    colour, layer = (look.top, Layer.CLOTH) if covered else (look.skin, Layer.PLAIN)
    out = east + side * 0.030
    mesh.loft(
        [
            (0.0, out + side * 0.008, 0.88, 0.027 * thick, 0.027 * thick),
            (0.0, out, 1.04, 0.039 * thick, 0.037 * thick),
            (0.0, out, ELBOW_M + 0.02, 0.041 * thick, 0.040 * thick),
        ],
        layer, colour, obj, sides=6, limb=FOREARM + right,
    )  # fmt: skip
    mesh.loft(
        [
            (0.01, out + side * 0.008, 0.74, 0.020, 0.012),
            (0.01, out + side * 0.008, 0.81, 0.040, 0.022),
            (0.0, out + side * 0.008, 0.89, 0.026, 0.022),
        ],
        Layer.PLAIN, look.skin, obj, sides=6, limb=FOREARM + right,
    )  # fmt: skip


def _leg(mesh: Mesh, look: Appearance, obj: int, side: float) -> None:
    w = look.width
    right = RIGHT if side > 0 else 0
    east = side * 0.088 * w
    loose = 1.0 if look.bottom_style != "trousers" or look is HERO else 1.14
    cloth = look.bottom_style in ("trousers", "shorts")
    thigh = [
        (0.0, east, KNEE_M - 0.02, 0.056 * loose, 0.054 * loose),
        (0.0, east, 0.68, 0.076 * w * loose, 0.072 * w * loose),
        (0.0, east, 0.92, 0.095 * w, 0.088 * w),
    ]
    mesh.loft(
        thigh,
        Layer.CLOTH if cloth else Layer.PLAIN,
        look.bottom if cloth else look.skin,
        obj, sides=7, limb=LEG + right, uv_shift=(0.5 + 0.2 * side, 0.1),
    )  # fmt: skip
    cloth = look.bottom_style == "trousers"
    mesh.loft(
        [
            (-0.005, east, 0.07, 0.040 * loose, 0.036 * loose),
            (-0.015, east, 0.32, 0.056 * loose, 0.052 * loose),
            (0.0, east, KNEE_M + 0.02, 0.056 * loose, 0.054 * loose),
        ],
        Layer.CLOTH if cloth else Layer.PLAIN,
        look.bottom if cloth else look.skin,
        obj, sides=7, limb=SHIN + right, uv_shift=(0.5 - 0.2 * side, 0.6),
    )  # fmt: skip
    mesh.loft(
        [
            (0.055, east, 0.0, 0.125, 0.046),
            (0.055, east, 0.04, 0.125, 0.046),
            (0.01, east, 0.10, 0.060, 0.042),
        ],
        Layer.PLAIN, look.shoes, obj, sides=7, limb=SHIN + right,
    )  # fmt: skip
