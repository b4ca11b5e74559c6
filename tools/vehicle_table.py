"""Compares the motion of a simulator's vehicle with that of AirSim's, row by row.

    python tools/vehicle_table.py                           # the default vehicle, embedded
    python tools/vehicle_table.py --vehicle simpleflight
    python tools/vehicle_table.py --sim localhost:41451     # a running simulator, e.g. Unreal
    python tools/vehicle_table.py --only takeoff --only land --json

It flies the measurements of `vehicle_rows.py` in lockstep and prints them beside the values in
`vehicle_table.yaml`. The simulator needs structs as maps (AirSim, Colosseum before 2.3, Cosys) and
free air of 60 m around and above the start; at real time the whole table takes about 15 minutes. No
image is asked for. In the embedded simulator the numbers are the same each time.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table
from vehicle_rows import MEASUREMENTS, Flyer, Values

from followme_uav.errors import ConfigError, FollowMeError
from followme_uav.flight.embedded import EmbeddedSimulator
from followme_uav.rpc.session import RpcSession

DATA = Path(__file__).with_suffix(".yaml")
SHARE = 0.15
LEAST = 0.1
"""A row agrees within this share of the real value, or within this much of its unit."""


def agrees(real: float | str, ours: float | str) -> bool:
    if isinstance(real, str) or isinstance(ours, str):
        return real == ours
    return abs(ours - real) <= max(SHARE * abs(real), LEAST)  # false for NaN


def rows_of(values: Values) -> list[dict]:
    """The rows of the table that have been measured."""
    rows = []
    for key, (text, real, unit) in yaml.safe_load(DATA.read_text())["rows"].items():
        if key not in values:
            continue
        ours = values[key]
        known = isinstance(ours, str) or math.isfinite(ours)
        ratio = ours / real if known and not isinstance(ours, str) else None
        rows.append(
            {
                "key": key,
                "row": text,
                "unit": unit,
                "real": real,
                "ours": ours if known else None,
                "ratio": ratio,
                "agrees": agrees(real, ours),
            }
        )
    return rows


def measured(flyer: Flyer, names: Sequence[str], console: Console) -> Values:
    values: Values = {}
    for number, name in enumerate(names, 1):
        console.print(f"{number}/{len(names)} {name}", highlight=False)
        values |= MEASUREMENTS[name](flyer)
    return values


def show(rows: list[dict], source: str) -> None:
    table = Table("", "real", "here", "ratio", "", box=None)
    for row in rows:
        ours = "none" if row["ours"] is None else _text(row["ours"])
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
        mark = "" if row["agrees"] else "differs"
        table.add_row(row["row"], f"{_text(row['real'])} {row['unit']}", ours, ratio, mark)
    console = Console()
    console.print(table)
    count = sum(row["agrees"] for row in rows)
    console.print(
        f"{count} of {len(rows)} rows agree within {SHARE:.0%} or {LEAST} of the unit.\n"
        f"Real values: {source}.",
        highlight=False,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sim", metavar="HOST:PORT", help="a running simulator")
    parser.add_argument("--name", default="", help="name of the vehicle; default: the first one")
    parser.add_argument("--vehicle", help="vehicle of the embedded simulator: a name or a file")
    parser.add_argument("--only", action="append", choices=list(MEASUREMENTS), metavar="NAME")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(arguments)
    try:
        with ExitStack() as stack:
            host, port = _simulator(options, stack)
            session = stack.enter_context(RpcSession(host, port, deadline_s=30.0))
            flyer = Flyer(session, options.name)
            names = options.only or list(MEASUREMENTS)
            values = measured(flyer, names, Console(stderr=True))
    except FollowMeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    rows = rows_of(values)
    if options.json:
        print(json.dumps(rows, indent=2))
    else:
        show(rows, yaml.safe_load(DATA.read_text())["source"])
    return 0


def _simulator(options: argparse.Namespace, stack: ExitStack) -> tuple[str, int]:
    """Address of the simulator; starts the embedded one unless another is named."""
    if options.sim is None:
        vehicle = ["--vehicle", options.vehicle] if options.vehicle else []
        simulator = EmbeddedSimulator(0, "--paused", "--people", "0", *vehicle)
        stack.enter_context(simulator)
        return simulator.host, simulator.port
    if options.vehicle is not None:
        raise ConfigError("--vehicle is of the embedded simulator; leave it out with --sim")
    host, _, port = options.sim.rpartition(":")
    if not host or not port.isdecimal():
        raise ConfigError(f"--sim {options.sim}: write HOST:PORT")
    return host, int(port)


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.2f}"


if __name__ == "__main__":
    sys.exit(main())
