"""Results of a run, one for each flight, and their files.

`flights.jsonl` gets a line when a flight ends, and is what a resumed run reads. `results.json` and
`junit.xml` are written at the end. `results.json` has the totals and `results`: a list of the
fields of `Result`, in the order of the plan.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, get_type_hints
from xml.etree import ElementTree

from pydantic import ConfigDict, TypeAdapter, ValidationError, create_model

from followme_uav.errors import DataError
from followme_uav.files import append_line, write_json, write_whole
from followme_uav.flight.metrics import FlightMetrics
from followme_uav.scenario.script.plan import digest_in
from followme_uav.statistics.intervals import (
    Interval,
    median_interval,
    share_interval,
    wilson,
)
from followme_uav.statistics.stopping import sequence_interval

logger = logging.getLogger(__name__)

FLIGHTS, RESULTS, JUNIT = "flights.jsonl", "results.json", "junit.xml"
AS_EXPECTED = "as expected"
MACHINE_METRICS = frozenset({"loop_p50_ms", "loop_p99_ms", "real_time_factor"})
"""Metrics that depend on the machine, and differ from run to run."""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot hold; the error of a user's pilot may have some."""

_LARGEST = 2**63
"""Larger than the absolute value of any number of a result."""
_OF_A_RUN = frozenset({"log", "wall_s", "attempts", "versions"})
"""Fields of a result that differ from run to run."""


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
    id: str = ""
    """Digest of everything that determines the flight, besides the program."""
    variant: str = ""
    """Label of the plan's variant; empty in a run with one variant."""
    crashed: bool = False
    """The machine failed, not the pilot; `success` is false and says nothing."""
    attempts: int = 1
    """How often the flight was begun: it is repeated after a crash."""
    axes: dict[str, str] = field(default_factory=dict)
    """Label of each axis of the plan."""
    draws: dict[str, Any] = field(default_factory=dict)
    """Conditions of the flight by their names in `random_draws.DRAWS`."""
    versions: dict[str, str] = field(default_factory=dict)
    """Program, libraries, and digests of code, weights and configuration."""

    @property
    def key(self) -> str:
        """Name of the flight, unique in a run; file names begin with it."""
        return f"{self.name}-seed{self.seed}" + (f"-{self.variant}" if self.variant else "")

    @property
    def outcome(self) -> str:
        """`passed`, `failed` or `crashed`."""
        return "crashed" if self.crashed else "passed" if self.success else "failed"

    def repeatable(self) -> dict[str, Any]:
        """Return the fields that are the same in every run of this flight on such a machine."""
        metrics = {k: v for k, v in self.metrics.items() if k not in MACHINE_METRICS}
        row = {k: v for k, v in self.to_dict().items() if k not in _OF_A_RUN}
        return {**row, "metrics": metrics}

    def to_dict(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Totals:
    """The metrics of a run, over all its flights."""

    flights: int
    """Without the crashed ones, which the other figures leave out, too."""
    passed: int
    crashed: int
    success: Interval
    """Share of flights as expected, with its Wilson interval; after a run that stopped early, that
    of the confidence sequence."""
    tracked: Interval | None
    """Share of the time after the hero was found, of all flights together."""
    in_view: Interval | None
    losses: int
    with_loss: Interval
    """Share of flights with a loss, with its Wilson interval."""
    reacquire_visible_s: Interval | None
    """Median over all losses after which the hero was found again."""
    wrong_target_s: float
    with_wrong_target: Interval
    """Share of flights in which another person was followed, with its Wilson interval."""
    collisions: int
    with_collision: Interval
    """Share of flights with a collision, with its Wilson interval."""


def totals(results: Sequence[Result], *, stopped_early: bool = False) -> Totals:
    """Return the metrics of several flights together, with intervals of 95 %.

    Args:
        results: The results; crashed ones are not counted.
        stopped_early: Their number was not fixed before (`--until`).
    """
    counted = [r for r in results if not r.crashed]
    flown = [r.metrics for r in counted if r.metrics]
    passed = sum(r.success for r in counted)

    def share(name: str) -> Interval | None:
        parts_s = [(m[name] or 0.0) * m["judged_s"] for m in flown]
        return share_interval(parts_s, [m["judged_s"] for m in flown])

    def flights_with(name: str) -> Interval:
        return wilson(sum((m[name] or 0) > 0 for m in flown), len(flown))

    return Totals(
        flights=len(counted),
        passed=passed,
        crashed=len(results) - len(counted),
        success=(sequence_interval if stopped_early else wilson)(passed, len(counted)),
        tracked=share("tracked"),
        in_view=share("in_view"),
        losses=sum(m["losses"] for m in flown),
        with_loss=flights_with("losses"),
        reacquire_visible_s=median_interval([m["reacquire_visible_s"] for m in flown]),
        wrong_target_s=sum(m["wrong_target_s"] or 0.0 for m in flown),
        with_wrong_target=flights_with("wrong_target_s"),
        collisions=sum(m["collisions"] for m in flown),
        with_collision=flights_with("collisions"),
    )


def content_hash(results: Sequence[Result]) -> str:
    """Return the digest of all that is repeatable, in the order of the ids."""
    rows = [result.repeatable() for result in sorted(results, key=lambda r: (r.id, r.key))]
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Row:
    """A line of `flights.jsonl`."""

    code: str
    """Digest of the program that flew it."""
    result: Result
    plan: str = ""
    """Digest of the plan for which it was flown; empty: of any."""


class RowFile:
    """The file of rows of a run; a row is on the disk when `append` returns."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FLIGHTS

    def read(self) -> list[Row]:
        """Return the rows in the order of writing; a line that was cut off is left out.

        Raises:
            DataError: The file cannot be read.
        """
        try:
            lines = self._path.read_text(encoding="utf-8", errors="replace").split("\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise DataError(f"{self._path}: {error.strerror}; make it readable") from error
        rows = []
        for number, line in enumerate(lines, 1):
            row = _row_of(line)
            if row is not None:
                rows.append(row)
            elif line:
                logger.warning("%s: line %d is damaged and left out.", self._path, number)
        return rows

    def append(self, *rows: Row) -> None:
        """Add rows; raises `OutputError` when they cannot be written."""
        text = "\n".join(_line_of(row) for row in rows)
        # After a line that was cut off, the row begins on a line of its own.
        append_line(self._path, text if self._ends_whole() else f"\n{text}", sync=True)

    def _ends_whole(self) -> bool:
        try:
            with self._path.open("rb") as file:
                if not file.seek(0, 2):
                    return True
                file.seek(-1, 2)
                return file.read(1) == b"\n"
        except OSError:
            return True


def _line_of(row: Row) -> str:
    content = {"code": row.code, "plan": row.plan, "result": row.result.to_dict()}
    return json.dumps(content, allow_nan=False)


def _row_of(line: str) -> Row | None:
    try:
        content = _parsed(line)
        return Row(content["code"], _result_of(content["result"]), content.get("plan", ""))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _parsed(text: str) -> Any:
    """Parse JSON without numbers and texts that this program writes nowhere.

    Tables have numbers of 64 bits, and files have UTF-8. Raises `ValueError`.
    """
    content = json.loads(text, parse_int=_int, parse_float=_float, parse_constant=_float)
    json.dumps(content, ensure_ascii=False).encode()  # raises for half of a character
    return content


def _int(text: str) -> int:
    number = int(text)
    if not -_LARGEST < number < _LARGEST:
        raise ValueError(f"the number {text:.40} is too large")
    return number


def _float(text: str) -> float:
    number = float(text)
    if not -_LARGEST < number < _LARGEST:  # NaN, too
        raise ValueError(f"the number {text:.40} is too large")
    return number


_TOTALLED = {
    "tracked",
    "in_view",
    "judged_s",
    "losses",
    "reacquire_visible_s",
    "wrong_target_s",
    "collisions",
}
"""The metrics that `totals` needs; other versions of the program may lack others."""
_METRICS: dict[str, Any] = {
    name: (kind, ... if name in _TOTALLED else None)
    for name, kind in get_type_hints(FlightMetrics).items()
}
_FLOWN = create_model("_FLOWN", __config__=ConfigDict(allow_inf_nan=False), **_METRICS)
_RESULT = TypeAdapter(Result)


def _result_of(row: Any) -> Result:
    """Return the result of a flight from JSON; raises `ValueError` of one line."""
    try:
        result = _RESULT.validate_python(row)
        if result.metrics:
            _FLOWN.model_validate(result.metrics)
        if "/" in result.key:
            raise ValueError(f"{result.key:.60}: is no file name")
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    return result


def write_results(
    folder: Path,
    results: Sequence[Result],
    about: Mapping[str, Any],
    *,
    stopped_early: bool = False,
) -> None:
    """Write `results.json` and `junit.xml`.

    Args:
        folder: The folder of the run.
        results: The results in the order of the plan.
        about: Further keys of `results.json`.
        stopped_early: As in `totals`.

    Raises:
        OutputError: They cannot be written.
    """
    content = {
        **about,
        "content_sha256": content_hash(results),
        "stopped_early": stopped_early,
        "totals": asdict(totals(results, stopped_early=stopped_early)),
        "results": [result.to_dict() for result in results],
    }
    write_json(folder / RESULTS, content)
    write_whole(folder / JUNIT, ElementTree.tostring(_junit(results), xml_declaration=True))


def read_results(path: Path) -> list[Result]:
    """Read the results from a file, or from the folder of a run, also of an unfinished one.

    Raises:
        DataError: There are none, or they are damaged.
    """
    file = path / RESULTS if path.is_dir() else path
    if path.is_dir() and not file.exists() and (rows := _rows_of_plan(path)):
        return list({row.result.key: row.result for row in rows}.values())
    try:
        content = _parsed(file.read_text(encoding="utf-8"))
        return [_result_of(row) for row in content["results"]]
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}; give the folder of a 'scenario run'") from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DataError(f"{file}: no results of a 'scenario run' ({error})") from error


def _rows_of_plan(folder: Path) -> list[Row]:
    """Read the rows of the plan in a folder; those of an earlier plan may be there, too."""
    rows, plan = RowFile(folder).read(), digest_in(folder)
    return [row for row in rows if not (plan and row.plan) or row.plan == plan]


def has_stopped_early(path: Path) -> bool:
    """Whether a run was one with `--until`; its file or folder is given as to `read_results`."""
    file = path / RESULTS if path.is_dir() else path
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return bool(content["stopped_early"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return False


def _junit(results: Sequence[Result]) -> ElementTree.Element:
    """Return the suite; a crashed flight is an error, a failed one a failure."""
    outcomes = [result.outcome for result in results]
    suite = ElementTree.Element(
        "testsuite",
        name="scenarios",
        tests=str(len(results)),
        failures=str(outcomes.count("failed")),
        errors=str(outcomes.count("crashed")),
    )
    for result in results:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=result.name,
            name=f"seed {result.seed}" + (f" {result.variant}" if result.variant else ""),
            time=f"{result.wall_s:.2f}",
        )
        if not result.success:
            tag = "error" if result.crashed else "failure"
            message = _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", result.reason)
            ElementTree.SubElement(case, tag, message=message)
    return suite
