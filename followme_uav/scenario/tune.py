"""Better numbers for the configuration, found by flying: the worst flight counts, not the mean.

Optuna proposes values within `configs/tuning.yaml`; what comes out is confirmed on cities that the
search has not seen, beside the numbers as they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, model_validator

from followme_uav.config import CONFIG_DIR, Number, Section, make_config, read_yaml, validated
from followme_uav.config.aliases import renamed_key
from followme_uav.errors import ConfigError
from followme_uav.extras import require
from followme_uav.files import make_folder, sole_folder, write_json, write_text
from followme_uav.scenario.execution.results import Result
from followme_uav.scenario.execution.runner import run_jobs
from followme_uav.scenario.run import Run, jobs_of
from followme_uav.scenario.script.script import Scenario
from followme_uav.terminal import make_console

SPACE = CONFIG_DIR / "tuning.yaml"
TUNED, TRIALS = "tuned.yaml", "trials.json"

BROKEN = -3.0
"""Of a flight that broke, the worst that can be."""


class Span(Section):
    """Values that one number may have."""

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
    """One set of numbers, flown."""

    values: dict[str, float]
    worst: float
    """Score of its worst flight."""
    flight: str
    """Which that was."""


@dataclass(frozen=True)
class Tuned:
    """What the search came to."""

    values: dict[str, float]
    """By key; empty when the numbers as they were are the best."""
    worst: float
    """Score of the worst flight that the search saw."""
    confirmed: float
    """The same on the cities that it did not see."""
    confirmed_before: float
    """... with the numbers as they were."""

    @property
    def is_better(self) -> bool:
        """Also where the search has not looked."""
        return self.confirmed > self.confirmed_before


def score(result: Result) -> float:
    """1 is perfect: the share of time in which she was tracked, less 1 for each grave fault.

    Grave are a collision, somebody else followed, no landing; she was never found counts 0.
    """
    m = result.metrics
    if not m:
        return BROKEN
    faults = (m["collisions"] > 0) + ((m["wrong_target_s"] or 0.0) > 0.0) + (not m["landed"])
    return float(m["tracked"] or 0.0) - faults


def read_space(path: Path) -> dict[str, Span]:
    """What may be changed; raises `ConfigError`, naming file and key."""
    spans = validated(_Space, {"spans": read_yaml(path)}, path).spans
    for key, span in spans.items():
        make_config({}, path, [f"{key}={span.low!r}", f"{key}={span.high!r}"])
    return spans


def tune(
    scenarios: Sequence[Scenario],
    trials: int,
    run: Run,
    held_out: Sequence[int],
    space: Mapping[str, Span],
    seed: int = 0,
) -> Tuned:
    """Search, confirm, and write `tuned.yaml` and `trials.json`.

    Args:
        scenarios: to fly in each trial, each with its own seeds.
        trials: how often to try; the numbers as they are come first.
        run: how to fly; flights that are there already are not flown again.
        held_out: seeds to confirm on; none of the scenarios'.
        space: what may change.
        seed: of the search.

    Raises:
        ConfigError: Seeds to confirm on are not held out.
        EnvironmentSetupError: Optuna is missing.
        InUseError: Another process writes to the folder.
    """
    require("optuna", "tune", "tune")
    seen = {s for scenario in scenarios for s in scenario.seeds} & set(held_out)
    if seen:
        raise ConfigError(f"--confirm: the search flies seed {min(seen)} itself; choose others")
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
    run: Run,
    held_out: Sequence[int],
    space: Mapping[str, Span],
) -> Tuned:
    console = make_console(stderr=True)
    defaults = _present(space, run)
    study.enqueue_trial(
        {key: min(max(v, space[key].low), space[key].high) for key, v in defaults.items()}
    )
    told: list[Trial] = []
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
        told.append(Trial(changed, score(worst), worst.key))
        console.print(
            f"trial {number + 1} of {trials}: worst {score(worst):.3f} ({worst.key}), "
            f"best so far {study.best_value:.3f}",
            highlight=False,
        )
    best = max(told, key=lambda trial: trial.worst)  # of equals the first, which changes nothing
    before = _worst(_fly(scenarios, held_out, run, "confirm-before", {}))
    after = (
        _worst(_fly(scenarios, held_out, run, "confirm-after", best.values))
        if best.values
        else before
    )
    tuned = Tuned(best.values, best.worst, after, before)
    write_json(run.folder / TRIALS, [vars(trial) for trial in told])
    write_text(run.folder / TUNED, _diff(tuned))
    return tuned


def _fly(
    scenarios: Sequence[Scenario],
    seeds: Sequence[int] | None,
    run: Run,
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


def _present(space: Mapping[str, Span], run: Run) -> dict[str, float]:
    changes = {} if run.config is None else read_yaml(run.config)
    data: Any = make_config(changes, run.config or "configuration", run.overrides).model_dump()
    present = {}
    for key in space:
        node = data
        for part in renamed_key(key).split("."):
            node = node[part]
        present[key] = float(node)
    return present


def _diff(tuned: Tuned) -> str:
    """For `--config`: only what changed, with what it was worth."""
    verdict = "" if tuned.is_better else " Not confirmed: no better there."
    if not tuned.values:
        verdict = " Nothing that was tried is better than they are."
    head = (
        f"# Found by 'followme-uav tune'. Worst flight {tuned.worst:.3f}; on held-out cities "
        f"{tuned.confirmed:.3f},\n# with the numbers as they were {tuned.confirmed_before:.3f}."
        f"{verdict}"
    )
    nested: dict[str, Any] = {}
    for key, value in tuned.values.items():
        node = nested
        *sections, name = key.split(".")
        for section in sections:
            node = node.setdefault(section, {})
        node[name] = round(value, 4)
    return f"{head}\n{yaml.safe_dump(nested, sort_keys=False)}"
