"""Results of a run, one for each flight, and their files `results.json` and `junit.xml`.

`results.json` has `pilot`, `weights_sha256` and `results`: a list with `name`, `seed`, `success`,
`reason`, `metrics`, `log` and `wall_s` of each flight, in the order of the scripts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from followme_uav.errors import DataError
from followme_uav.files import write_json, write_whole

RESULTS, JUNIT = "results.json", "junit.xml"


@dataclass(frozen=True)
class Result:
    """The result of one flight of a scenario."""

    name: str
    seed: int
    success: bool
    reason: str
    """`as expected`, or all unmet expectations, or the error that ended the flight."""
    metrics: dict[str, Any]
    """Metrics by their names in docs/metrics.md; empty after an error."""
    log: str | None
    """Path of the log, relative to the folder of the results."""
    wall_s: float
    pilot: str

    @property
    def key(self) -> str:
        """Name of the flight, unique in a run; file names begin with it."""
        return f"{self.name}-seed{self.seed}"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Totals:
    """The metrics of a run, over all its flights."""

    flights: int
    passed: int
    tracked: float | None
    """Share of the time after the hero was found, of all flights together."""
    in_view: float | None
    losses: int
    reacquire_visible_s: float | None
    """Median over all losses after which the hero was found again."""
    wrong_target_s: float
    collisions: int


def totals(results: Sequence[Result]) -> Totals:
    """Return the metrics of several flights together."""
    flown = [r.metrics for r in results if r.metrics]
    judged_s = sum(m["judged_s"] for m in flown)

    def share(name: str) -> float | None:
        if not judged_s:
            return None
        return float(sum((m[name] or 0.0) * m["judged_s"] for m in flown) / judged_s)

    found_again_s = [s for m in flown for s in m["reacquire_visible_s"]]
    return Totals(
        flights=len(results),
        passed=sum(r.success for r in results),
        tracked=share("tracked"),
        in_view=share("in_view"),
        losses=sum(m["losses"] for m in flown),
        reacquire_visible_s=float(np.median(found_again_s)) if found_again_s else None,
        wrong_target_s=sum(m["wrong_target_s"] or 0.0 for m in flown),
        collisions=sum(m["collisions"] for m in flown),
    )


def write_results(folder: Path, results: Sequence[Result], about: Mapping[str, Any]) -> None:
    """Write `results.json` and `junit.xml`.

    Raises:
        OutputError: They cannot be written.
    """
    content = {
        **about,
        "totals": asdict(totals(results)),
        "results": [result.to_dict() for result in results],
    }
    write_json(folder / RESULTS, content)
    write_whole(folder / JUNIT, ElementTree.tostring(_junit(results), xml_declaration=True))


def read_results(path: Path) -> list[Result]:
    """Read the results from a file, or from the folder of a run.

    Raises:
        DataError: There are none, or they are damaged.
    """
    file = path / RESULTS if path.is_dir() else path
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return [Result(**row) for row in content["results"]]
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}; give the folder of a 'scenario run'") from error
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"{file}: no results of a 'scenario run' ({error})") from error


def _junit(results: Sequence[Result]) -> ElementTree.Element:
    failed = sum(not result.success for result in results)
    suite = ElementTree.Element(
        "testsuite", name="scenarios", tests=str(len(results)), failures=str(failed)
    )
    for result in results:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=result.name,
            name=f"seed {result.seed}",
            time=f"{result.wall_s:.2f}",
        )
        if not result.success:
            ElementTree.SubElement(case, "failure", message=result.reason)
    return suite
