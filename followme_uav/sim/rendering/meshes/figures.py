"""Figures: one mesh for each person.

A figure stands at the origin, x forward, y right, z down, and is about `MODEL_HEIGHT_M` tall; the
scene scales it. Each vertex names its limb, which the vertex shader turns about the joints of
`gait`.
"""

from __future__ import annotations

from followme_uav.sim.agents.gait import ARM, ELBOW_M, FOREARM, KNEE_M, LEG, RIGHT, SHIN
from followme_uav.sim.city.colours import Colour
from followme_uav.sim.rendering.meshes.mesh import LIMB_VERTEX, Mesh
from followme_uav.sim.rendering.meshes.tubes import Ring
from followme_uav.sim.rendering.meshes.wardrobe import HERO, Appearance
from followme_uav.sim.rendering.textures.layers import TextureLayer

MODEL_HEIGHT_M = 1.75


def make_figure(look: Appearance, number: int, *, coarse: bool = False) -> Mesh:
    """Make the mesh of one person, of `LIMB_VERTEX`.

    Args:
        look: Clothes and build.
        number: Object number of all vertices.
        coarse: Use a fifth of the triangles, for a person who is a few pixels tall.
    """
    mesh = Mesh(dtype=LIMB_VERTEX, coarse=coarse)
    _add_torso(mesh, look, number)
    _add_head(mesh, look, number)
    for side in (-1.0, 1.0):
        _add_arm(mesh, look, number, side)
        _add_leg(mesh, look, number, side)
    return mesh


def _fabric(colour: Colour, skin: Colour, *, covered: bool) -> tuple[TextureLayer, Colour]:
    """Texture and tint of a limb under cloth, or bare."""
    return (TextureLayer.CLOTH, colour) if covered else (TextureLayer.PLAIN, skin)


def _add_torso(mesh: Mesh, look: Appearance, number: int) -> None:
    w = look.width
    waist_m = 1.16 if look.top_style == "crop" else 0.94
    cloth, plain = TextureLayer.CLOTH, TextureLayer.PLAIN
    if look.top_style == "crop":
        belly = [(0.0, 0.0, 0.95, 0.10 * w, 0.145 * w), (0.0, 0.0, 1.18, 0.095 * w, 0.125 * w)]
        mesh.loft(belly, plain, look.skin, number)
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
        rings = hem + [
            (n, e, h, half_n + 0.010, half_e + 0.008) for n, e, h, half_n, half_e in rings[1:]
        ]
    mesh.loft(rings, cloth, look.top, number, sides=10, uv_scale=(1.0, 0.9))
    low_m, spread = (0.56, 1.25) if look.bottom_style == "skirt" else (0.86, 1.0)
    hips = [
        (0.0, 0.0, low_m, 0.105 * w * spread, 0.155 * w * spread),
        (0.0, 0.0, 0.90, 0.125 * w, 0.170 * w),
        (0.0, 0.0, 1.02, 0.105 * w, 0.145 * w),
    ]
    mesh.loft(hips, cloth, look.bottom, number, uv_shift=(0.3, 0.2))
    neck = [(0.0, 0.0, 1.46, 0.052, 0.055), (0.015, 0.0, 1.56, 0.048, 0.048)]
    mesh.loft(neck, plain, look.skin, number, sides=6, caps=False)


def _add_head(mesh: Mesh, look: Appearance, number: int) -> None:
    head = [
        (0.03, 0.0, 1.515, 0.030, 0.030),
        (0.035, 0.0, 1.545, 0.070, 0.055),
        (0.025, 0.0, 1.60, 0.092, 0.072),
        (0.02, 0.0, 1.66, 0.095, 0.076),
        (0.015, 0.0, 1.715, 0.072, 0.060),
        (0.01, 0.0, 1.745, 0.0, 0.0),
    ]
    mesh.loft(head, TextureLayer.PLAIN, look.skin, number, sides=8)
    if look.hair_style == "bald":
        return
    layer = TextureLayer.CLOTH if look.hair_style == "hood" else TextureLayer.HAIR
    mesh.loft(_hair_rings(look), layer, look.hair, number, sides=10, uv_scale=(2.0, 1.2))
    if look.hair_style == "ponytail":
        tail = [
            (-0.15, 0.0, 1.38, 0.015, 0.02),
            (-0.15, 0.0, 1.50, 0.035, 0.045),
            (-0.12, 0.0, 1.63, 0.03, 0.035),
        ]
        mesh.loft(tail, layer, look.hair, number, sides=6)


def _hair_rings(look: Appearance) -> list[Ring]:
    """Rings of the hair or the hood."""
    if look.hair_style == "long":
        return [
            (-0.085, 0.0, 1.315, 0.030, 0.070),
            (-0.085, 0.0, 1.38, 0.072, 0.115),
            (-0.075, 0.0, 1.46, 0.098, 0.132),
            (-0.066, 0.0, 1.55, 0.112, 0.132),
            (-0.050, 0.0, 1.64, 0.128, 0.128),
            (-0.020, 0.0, 1.72, 0.124, 0.114),
            (-0.010, 0.0, 1.765, 0.085, 0.080),
            (0.0, 0.0, 1.785, 0.0, 0.0),
        ]
    cap = [
        (-0.025, 0.0, 1.555, 0.070, 0.080),
        (-0.030, 0.0, 1.60, 0.090, 0.092),
        (-0.012, 0.0, 1.67, 0.112, 0.096),
        (0.0, 0.0, 1.725, 0.098, 0.082),
        (0.0, 0.0, 1.765, 0.052, 0.045),
        (0.0, 0.0, 1.775, 0.0, 0.0),
    ]
    if look.hair_style == "hood":
        return [(-0.04, 0.0, 1.44, 0.10, 0.12), (-0.04, 0.0, 1.53, 0.095, 0.10), *cap[1:]]
    return cap


def _add_arm(mesh: Mesh, look: Appearance, number: int, side: float) -> None:
    """The right arm for `side` 1, the left one for -1."""
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
    fabric = _fabric(look.top, look.skin, covered=look.sleeves != "none")
    mesh.loft(upper, *fabric, number, sides=6, limb=ARM + right)
    out = east + side * 0.030
    lower = [
        (0.0, out + side * 0.008, 0.88, 0.027 * thick, 0.027 * thick),
        (0.0, out, 1.04, 0.039 * thick, 0.037 * thick),
        (0.0, out, ELBOW_M + 0.02, 0.041 * thick, 0.040 * thick),
    ]
    fabric = _fabric(look.top, look.skin, covered=look.sleeves == "long")
    mesh.loft(lower, *fabric, number, sides=6, limb=FOREARM + right)
    hand = [
        (0.01, out + side * 0.008, 0.74, 0.020, 0.012),
        (0.01, out + side * 0.008, 0.81, 0.040, 0.022),
        (0.0, out + side * 0.008, 0.89, 0.026, 0.022),
    ]
    mesh.loft(hand, TextureLayer.PLAIN, look.skin, number, sides=6, limb=FOREARM + right)


def _add_leg(mesh: Mesh, look: Appearance, number: int, side: float) -> None:
    """The right leg for `side` 1, the left one for -1."""
    w = look.width
    right = RIGHT if side > 0 else 0
    east = side * 0.088 * w
    loose = 1.0 if look.bottom_style != "trousers" or look is HERO else 1.14
    thigh = [
        (0.0, east, KNEE_M - 0.02, 0.056 * loose, 0.054 * loose),
        (0.0, east, 0.68, 0.076 * w * loose, 0.072 * w * loose),
        (0.0, east, 0.92, 0.095 * w, 0.088 * w),
    ]
    fabric = _fabric(look.bottom, look.skin, covered=look.bottom_style in ("trousers", "shorts"))
    shift = (0.5 + 0.2 * side, 0.1)
    mesh.loft(thigh, *fabric, number, sides=7, limb=LEG + right, uv_shift=shift)
    shin = [
        (-0.005, east, 0.07, 0.040 * loose, 0.036 * loose),
        (-0.015, east, 0.32, 0.056 * loose, 0.052 * loose),
        (0.0, east, KNEE_M + 0.02, 0.056 * loose, 0.054 * loose),
    ]
    fabric = _fabric(look.bottom, look.skin, covered=look.bottom_style == "trousers")
    shift = (0.5 - 0.2 * side, 0.6)
    mesh.loft(shin, *fabric, number, sides=7, limb=SHIN + right, uv_shift=shift)
    shoe = [
        (0.055, east, 0.0, 0.125, 0.046),
        (0.055, east, 0.04, 0.125, 0.046),
        (0.01, east, 0.10, 0.060, 0.042),
    ]
    mesh.loft(shoe, TextureLayer.PLAIN, look.shoes, number, sides=7, limb=SHIN + right)
