"""Solids around a flight as text in the log's metadata, for maps in viewers."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterable, Mapping

from followme_uav.geometry import vec3
from followme_uav.messages import Solid

logger = logging.getLogger(__name__)


def text_of(solids: Iterable[Solid]) -> str:
    """JSON: `[name, centre, half size, is round]` of each, in metres rounded to centimetres."""
    rows = [
        [s.name, *([round(x, 2) for x in v] for v in (s.centre_m, s.half_size_m)), s.is_round]
        for s in solids
    ]
    return json.dumps(rows, separators=(",", ":"))


def solids_of(extra: Mapping[str, str]) -> tuple[Solid, ...]:
    """The solids in a log's metadata; empty where there are none or the text is invalid."""
    try:
        solids = tuple(
            Solid(str(name), vec3(centre), vec3(half), bool(is_round))
            for name, centre, half, is_round in json.loads(extra.get("solids", "[]"))
        )
    except (ValueError, TypeError) as error:
        logger.info("The solids in the log are invalid (%s): maps show none.", error)
        return ()
    finite = all(math.isfinite(x) for s in solids for x in (*s.centre_m, *s.half_size_m))
    return solids if finite else ()
