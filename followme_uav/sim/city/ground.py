"""The ground of a city: carriageways, pavements and lawns."""

from __future__ import annotations

from followme_uav.sim.city.layout import (
    CARRIAGEWAY_HALF_WIDTH_M,
    PAVEMENT_OUTER_M,
    PLAZA,
    STREET_CENTRES_M,
    STREET_END_M,
    Area,
)

_RIM_M = PAVEMENT_OUTER_M - CARRIAGEWAY_HALF_WIDTH_M
"""Width of a pavement."""


def make_ground() -> tuple[tuple[Area, ...], tuple[Area, ...], tuple[Area, ...]]:
    """Make the carriageways, pavements and lawns, which do not overlap."""
    half, end = CARRIAGEWAY_HALF_WIDTH_M, STREET_END_M
    spans = [(c - half, c + half) for c in STREET_CENTRES_M]
    bounds = [-end, *(v for span in spans for v in span), end]
    blocks = list(zip(bounds[0::2], bounds[1::2], strict=True))
    carriageways = [Area("carriageway", -end, low, end, high) for low, high in spans]
    for n_low, n_high in spans:
        carriageways += [Area("carriageway", n_low, low, n_high, high) for low, high in blocks]
    pavements: list[Area] = []
    lawns: list[Area] = []
    for north in blocks:
        for east in blocks:
            around, inside = _block(north, east)
            pavements += around
            lawns += inside
    around, outside = _edge()
    return tuple(carriageways), tuple(pavements + around), tuple(lawns + outside)


def _block(north: tuple[float, float], east: tuple[float, float]) -> tuple[list[Area], list[Area]]:
    """Make the pavements and the lawn of one block; the block of the plaza has no lawn."""
    (n_low, n_high), (e_low, e_high) = north, east
    n0 = n_low + (_RIM_M if n_low > -STREET_END_M else 0.0)
    n1 = n_high - (_RIM_M if n_high < STREET_END_M else 0.0)
    e0 = e_low + (_RIM_M if e_low > -STREET_END_M else 0.0)
    e1 = e_high - (_RIM_M if e_high < STREET_END_M else 0.0)
    strips = (
        (n_low, e_low, n0, e_high),
        (n1, e_low, n_high, e_high),
        (n0, e_low, n1, e0),
        (n0, e1, n1, e_high),
    )
    pavements = [Area("pavement", *s) for s in strips if s[2] > s[0] and s[3] > s[1]]
    inner = (n0, e0, n1, e1)
    return pavements, [] if inner == PLAZA else [Area("lawn", *inner)]


def _edge() -> tuple[list[Area], list[Area]]:
    """Make the pavements around the ends of the streets and the lawns beyond them."""
    end, wide, far = STREET_END_M, STREET_END_M + _RIM_M, 600.0
    pavements = [
        Area("pavement", end, -wide, wide, wide),
        Area("pavement", -wide, -wide, -end, wide),
        Area("pavement", -end, end, end, wide),
        Area("pavement", -end, -wide, end, -end),
    ]
    lawns = [
        Area("lawn", wide, -far, far, far),
        Area("lawn", -far, -far, -wide, far),
        Area("lawn", -wide, wide, wide, far),
        Area("lawn", -wide, -far, wide, -wide),
    ]
    return pavements, lawns
