"""Search for better values of the configuration by flying scenarios.

Optuna proposes values within `configs/tuning.yaml` and maximises the score of the worst flight.
The best values are compared with the present ones on seeds that the search has not used.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, model_validator

from followme_uav.config import Number, Section, make_config, read_yaml, validated
from followme_uav.config.aliases import renamed_key
from followme_uav.errors import ConfigError
from followme_uav.extras import require
from followme_uav.files import make_folder, sole_folder, write_json, write_text
from followme_uav.program_log import PRINTED
from followme_uav.resources import shipped
from followme_uav.scenario.execution.results import Result
from followme_uav.scenario.execution.runner import run_jobs
from followme_uav.scenario.run import ScenarioRun, jobs_of
from followme_uav.scenario.script.script import Scenario
from followme_uav.terminal import make_console

logger = logging.getLogger(__name__)

SPACE = shipped("tuning.yaml")
TUNED, TRIALS = "tuned.yaml", "trials.json"

BROKEN = -3.0
"""Score of a flight that ended with an error, the lowest possible."""


class Span(Section):
    """Range of values to try for one key; `log` samples it logarithmically."""

    low: Number
    high: Number
    log: bool = False

    @model_validator(mode="after")
    def _possible(self) -> Span:
        if not self.low < self.high or (self.log and self.low <= 0.0):
            raise ValueError("low must be below high, and above 0 with log")
        return self


class _Space(Section):
    spans: dict[str, Span] = Field(min_length=1)


@dataclass(frozen=True)
class Trial:
    """One set of values, and the result of its flights."""

    values: dict[str, float]
    worst: float
    """Score of its worst flight."""
    flight: str
    """Name of that flight."""


@dataclass(frozen=True)
class Tuned:
    """The result of a search."""

    values: dict[str, float]
    """The best values by key; empty when the present values are the best."""
    worst: float
    """Score of the worst flight in the search."""
    confirmed: float
    """Score of the worst flight on the held-out seeds."""
    confirmed_before: float
    """The same with the present values."""

    @property
    def is_better(self) -> bool:
        """Whether the values are better on the held-out seeds, too."""
        return self.confirmed > self.confirmed_before


def score(result: Result) -> float:
    """Return the share of time in which the hero was tracked, less 1 for each failure.

    Failures are a collision, another person followed, and no landing. The share is 0 when the hero
    was not found.
    """
    m = result.metrics
    if not m:
        return BROKEN
    wrong_target_s = m["wrong_target_s"] or 0.0
    failures: list[bool] = [m["collisions"] > 0, wrong_target_s > 0.0, not m["landed"]]
    return float(m["tracked"] or 0.0) - sum(failures)


def read_space(path: Path) -> dict[str, Span]:
    """Read the ranges of values; raises `ConfigError`, which names file and key."""
    spans = validated(_Space, {"spans": read_yaml(path)}, path).spans
    for key, span in spans.items():
        make_config({}, path, [f"{key}={span.low!r}", f"{key}={span.high!r}"])
    return spans


def tune(
    scenarios: Sequence[Scenario],
    trials: int,
    run: ScenarioRun,
    held_out: Sequence[int],
    space: Mapping[str, Span],
    seed: int = 0,
) -> Tuned:
    """Search, confirm, and write `tuned.yaml` and `trials.json`.

    Args:
        scenarios: The scenarios of each trial, with their own seeds.
        trials: Number of trials; the first has the present values.
        run: Settings of the flights; finished flights are not flown again.
        held_out: Seeds to confirm on; the scenarios must not have them.
        space: Range of values by key.
        seed: Seed of the search.

    Raises:
        ConfigError: A scenario has a held-out seed.
        EnvironmentSetupError: Optuna is missing.
        InUseError: Another process writes to the folder.
    """
    require("optuna", "tune", "tune")
    shared = {s for scenario in scenarios for s in scenario.seeds} & set(held_out)
    if shared:
        raise ConfigError(f"--confirm: a scenario has seed {min(shared)}; choose other seeds")
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with sole_folder(run.folder):
        study = optuna.create_study(
            direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed, multivariate=True)
        )
        return _search(study, scenarios, trials, run, held_out, space)


def _search(
    study: Any,
    scenarios: Sequence[Scenario],
    trials: int,
    run: ScenarioRun,
    held_out: Sequence[int],
    space: Mapping[str, Span],
) -> Tuned:
    console = make_console(stderr=True)
    defaults = _present(space, run)
    study.enqueue_trial(
        {key: min(max(v, space[key].low), space[key].high) for key, v in defaults.items()}
    )
    tried: list[Trial] = []
    for number in range(trials):
        trial = study.ask()
        values = {
            key: trial.suggest_float(key, span.low, span.high, log=span.log)
            for key, span in space.items()
        }
        changed = {} if number == 0 else values
        results = _fly(scenarios, None, run, f"trial-{number:03d}", changed)
        worst = min(results, key=score)
        study.tell(trial, score(worst))
        tried.append(Trial(changed, score(worst), worst.key))
        logger.info(
            "Trial %d of %d: worst %.3f (%s) with %s.",
            *(number + 1, trials, score(worst), worst.key, changed or "the present values"),
            extra={"topic": PRINTED},
        )
        console.print(
            f"trial {number + 1} of {trials}: worst {score(worst):.3f} ({worst.key}), "
            f"best so far {study.best_value:.3f}",
            highlight=False,
        )
    best = max(tried, key=lambda trial: trial.worst)  # of equal ones the first
    before = _worst(_fly(scenarios, held_out, run, "confirm-before", {}))
    after = (
        _worst(_fly(scenarios, held_out, run, "confirm-after", best.values))
        if best.values
        else before
    )
    tuned = Tuned(best.values, best.worst, after, before)
    write_json(run.folder / TRIALS, [vars(trial) for trial in tried])
    write_text(run.folder / TUNED, _config_text(tuned))
    return tuned


def _fly(
    scenarios: Sequence[Scenario],
    seeds: Sequence[int] | None,
    run: ScenarioRun,
    name: str,
    values: Mapping[str, float],
) -> list[Result]:
    own = replace(
        run,
        folder=run.folder / name,
        keep_logs=False,
        overrides=(*run.overrides, *(f"{key}={value!r}" for key, value in values.items())),
    )
    make_folder(own.folder)
    return run_jobs(jobs_of(scenarios, seeds, own), run.workers, lambda result, was_there: None)


def _worst(results: Sequence[Result]) -> float:
    return min(score(result) for result in results)


def _present(space: Mapping[str, Span], run: ScenarioRun) -> dict[str, float]:
    changes = {} if run.config is None else read_yaml(run.config)
    data: Any = make_config(changes, run.config or "configuration", run.overrides).model_dump()
    present = {}
    for key in space:
        node = data
        for part in renamed_key(key).split("."):
            node = node[part]
        present[key] = float(node)
    return present


def _config_text(tuned: Tuned) -> str:
    """Return the best values as a file for `--config`, with the scores as a comment."""
    note = "" if tuned.is_better else " Not confirmed: no improvement there."
    if not tuned.values:
        note = " No tried values are better than the present ones."
    head = (
        f"# Found by 'followme-uav tune'. Worst flight {tuned.worst:.3f}; on held-out seeds "
        f"{tuned.confirmed:.3f},\n# with the former values {tuned.confirmed_before:.3f}."
        f"{note}"
    )
    nested: dict[str, Any] = {}
    for key, value in tuned.values.items():
        node = nested
        *sections, name = key.split(".")
        for section in sections:
            node = node.setdefault(section, {})
        node[name] = round(value, 4)
    return f"{head}\n{yaml.safe_dump(nested, sort_keys=False)}"
