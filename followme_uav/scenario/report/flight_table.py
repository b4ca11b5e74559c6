"""The results of a run as a table: Parquet, one row for each flight, and SQL queries on it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields
from itertools import chain, count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, get_type_hints

from followme_uav.errors import DataError
from followme_uav.extras import require
from followme_uav.files import write_whole
from followme_uav.flight.metrics import FlightMetrics
from followme_uav.scenario.execution.results import Result
from followme_uav.scenario.script.random_draws import DRAWS

if TYPE_CHECKING:
    import pyarrow as pa

TABLE = "flights.parquet"
_TEXTS = ("style", "hero", "weather", "fault", "vehicle")
_COUNTS = ("people", "cars", "decoys", "gusts")
_QUERY_MEMORY = "2GB"
_QUERY_DISK = "16GB"
"""For what does not fit into the memory; of a temporary folder."""


@dataclass(frozen=True)
class Column:
    """A column of the table."""

    name: str
    kind: str
    """Type in Arrow."""
    meaning: str


def columns() -> list[Column]:
    """Return all columns in their order."""
    kinds = get_type_hints(FlightMetrics)
    return [
        Column("id", "string", "Digest of everything that determines the flight but the program"),
        Column("scenario", "string", "Name of the scenario; `random`"),
        Column("seed", "int64", "Seed of city, people and faults"),
        Column("variant", "string", "Label of the plan's variant"),
        Column("pilot", "string", "Pilot"),
        Column("weights", "string", "Label of the weights"),
        Column("overrides", "string", "Label of the overrides"),
        Column("vehicle", "string", "Label of the vehicle in the plan"),
        Column("camera", "string", "Label of the camera in the plan"),
        Column("world", "string", "Label of the world"),
        Column("outcome", "string", "`passed`, `failed` or `crashed`"),
        Column("success", "bool", "Whether it passed; null where it crashed"),
        Column("reason", "string", "Checks that were not met, or the error"),
        *(
            Column(f.name, _KINDS[str(kinds[f.name])], "See [metrics](metrics.md)")
            for f in fields(FlightMetrics)
        ),
        *(Column(f"draw_{name}", _draw_kind(name), meaning) for name, meaning in DRAWS.items()),
        Column("attempts", "int64", "How often it was begun"),
        Column("wall_s", "double", "Wall-clock time with start and end"),
        Column("log", "string", "Path of the log in the folder of the run"),
        Column("program", "string", "Version of followme-uav"),
        Column("code", "string", "Digest of the program's source"),
        Column("python", "string", "Version of Python"),
        Column("numpy", "string", "Version of NumPy"),
        Column("weights_sha256", "string", "Digest of the weights file"),
        Column("config_sha256", "string", "Digest of the configuration"),
        Column("command", "string", "Command that flies it again"),
    ]


_KINDS = {
    "float | None": "double",
    "<class 'float'>": "double",
    "<class 'int'>": "int64",
    "<class 'bool'>": "bool",
    "str | None": "string",
    "list[float]": "list<double>",
}


def _draw_kind(name: str) -> str:
    return "string" if name in _TEXTS else "int64" if name in _COUNTS else "double"


def row_of(result: Result, folder: Path) -> dict[str, Any]:
    """Return the row of a flight by column; a column without a value is missing."""
    return {
        **result.metrics,
        **{f"draw_{name}": value for name, value in result.draws.items()},
        **{
            name: result.axes.get(name)
            for name in ("weights", "overrides", "vehicle", "camera", "world")
        },
        **result.versions,
        "id": result.id,
        "scenario": result.name,
        "seed": result.seed,
        "variant": result.variant,
        "pilot": result.pilot,
        "outcome": result.outcome,
        "success": None if result.crashed else result.success,
        "reason": result.reason,
        "attempts": result.attempts,
        "wall_s": result.wall_s,
        "log": result.log,
        "command": command_of(result, folder),
    }


def command_of(result: Result, folder: Path) -> str:
    """Return the command that flies a flight of a run again, with a log."""
    import shlex

    named = folder if folder.name else folder.resolve()  # `.` has no name
    out = named.with_name(f"{named.name}-{result.key}") if named.name else Path(result.key)
    parts = ["followme-uav", "campaign", "run", str(folder), "--only", result.id, "--logs", "all"]
    own = ["--pilot", result.pilot] if ":" in result.pilot else []
    return shlex.join([*parts, *own, "--out", str(out)])


def table_of(results: Sequence[Result], folder: Path) -> pa.Table:
    """Return the Arrow table of the results.

    Raises:
        DataError: A value has not the type of its column.
    """
    import pyarrow as pa

    kinds = {
        "string": pa.string(),
        "int64": pa.int64(),
        "double": pa.float64(),
        "bool": pa.bool_(),
        "list<double>": pa.list_(pa.float64()),
    }
    schema = pa.schema(
        [pa.field(c.name, kinds[c.kind], metadata={"meaning": c.meaning}) for c in columns()]
    )
    rows = [row_of(result, folder) for result in results]
    try:
        return pa.Table.from_pylist(rows, schema=schema)
    except pa.ArrowException as error:
        detail = " ".join(str(error).split())
        raise DataError(f"{folder}: results with a value of another type: {detail}") from error


def write_table(folder: Path, results: Sequence[Result]) -> Path:
    """Write `flights.parquet`; raises `OutputError`, or as `table_of`."""
    import pyarrow.parquet as pq

    content = io.BytesIO()
    pq.write_table(table_of(results, folder), content)
    write_whole(folder / TABLE, content.getvalue())
    return folder / TABLE


def require_table_packages(purpose: str) -> None:
    """Check that the packages of the extra [campaign] are there.

    Raises:
        EnvironmentSetupError: One is missing; the message says how to install it.
    """
    for package in ("pyarrow", "duckdb"):
        require(package, "campaign", purpose)


def _distinct(names: Sequence[str]) -> list[str]:
    """Return names with a number after those that came before, as DuckDB's own tables have them.

    A join gives several columns one name, and a row of JSON has each name once.
    """
    found: list[str] = []
    for name in names:
        others = (f"{name}_{number}" for number in count(1))
        found.append(next(n for n in chain((name,), others) if n not in found))
    return found


def query(
    results: Sequence[Result], folder: Path, sql: str
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Run SQL on the table `flights`; the query can reach no file and no network.

    Returns:
        Names of the columns, and the rows.

    Raises:
        DataError: The query or a result is wrong, or the query tries to reach something else.
        EnvironmentSetupError: A package is missing.
    """
    require_table_packages("campaign query")
    import duckdb

    if any(0xD800 <= ord(character) <= 0xDFFF for character in sql):
        raise DataError("campaign query: the query is no UTF-8 text")
    with ExitStack() as stack:
        # By default it is `.tmp` in the current folder, and takes most of the disk.
        scratch = stack.enter_context(TemporaryDirectory(prefix="followme-"))
        config = {
            "memory_limit": _QUERY_MEMORY,
            "temp_directory": scratch,
            "max_temp_directory_size": _QUERY_DISK,
            "python_enable_replacements": "false",
        }
        connection = stack.enter_context(duckdb.connect(":memory:", config=config))
        # A table of its own: a view of Python's data could not be read without external access.
        connection.register("arrived", table_of(results, folder))
        connection.execute("CREATE TABLE flights AS SELECT * FROM arrived")
        connection.unregister("arrived")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        try:
            if not connection.extract_statements(sql):
                raise DataError("campaign query: the query is empty; write one like 'from flights'")
            done = connection.execute(sql)
            names = [column[0] for column in done.description or ()]
            return _distinct(names), done.fetchall()
        except duckdb.Error as error:
            raise DataError(f"campaign query: {str(error).splitlines()[0]}") from error
