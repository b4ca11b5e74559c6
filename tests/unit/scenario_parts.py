"""Small scenarios and results for tests."""

from pathlib import Path

import yaml

from followme_uav.flight.metrics import metrics_of
from followme_uav.scenario.execution.results import Result
from followme_uav.scenario.script.script import read_scenario

SCRIPT = {
    "why": "A test.",
    "duration_s": 20,
    "seeds": [1, 2],
    "expect": {"collisions": 0},
}


def write_script(folder: Path, name: str = "one", **changes) -> Path:
    """Write the script with changes to a file; None removes a key."""
    data = {k: v for k, v in {**SCRIPT, **changes}.items() if v is not None}
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    return path


def scenario(folder: Path, **changes):
    return read_scenario(write_script(folder, **changes))


def result(name="one", seed=1, success=True, config=None, log=None, **metrics) -> Result:
    """Return a result; metrics that are not given are those of a flight without frames."""
    from followme_uav.config import load_config

    values = {**metrics_of([], config or load_config()).to_dict(), **metrics}
    reason = "as expected" if success else "tracked 0.5 < 0.9"
    return Result(name, seed, success, reason, values, log, 2.5, "network")
