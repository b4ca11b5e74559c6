"""Search for better values of the configuration by flying scenarios.

Optuna proposes values within `configs/tuning.yaml` and maximises the score of the worst flight.
The best values are compared with the present ones on seeds that the search has not used.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pydantic import Field, model_validator

from followme_uav.config import FlightConfig, Number, Section, make_config, read_yaml, validated
from followme_uav.config.aliases import renamed_key
from followme_uav.errors import ConfigError, DataError, SimulatorError
from followme_uav.extras import require
from followme_uav.files import sole_folder, write_json, write_text
from followme_uav.program_log import PRINTED
from followme_uav.resources import shipped
from followme_uav.scenario.execution.fleet import Fleet
from followme_uav.scenario.execution.flight import code_digest
from followme_uav.scenario.execution.jobs import jobs_of
from followme_uav.scenario.execution.results import Result
from followme_uav.scenario.execution.runner import fly_jobs
from followme_uav.scenario.run import CampaignRun, open_fleet, settings_of
from followme_uav.scenario.script.plan import Campaign
from followme_uav.terminal import make_console

logger = logging.getLogger(__name__)

SPACE = shipped("tuning.yaml")
TUNED, TRIALS, STUDY = "tuned.yaml", "trials.json", "study.journal"

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
    pruned: bool = False
    """Given up, because it was already worse than the best one."""


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
        config = make_config({}, path, [f"{key}={span.low!r}", f"{key}={span.high!r}"])
        if isinstance(_value_in(config, key), bool):
            raise ConfigError(f"{path}: {key}: is true or false; give keys that are numbers")
    return spans


def tune(
    campaign: Campaign,
    trials: int,
    run: CampaignRun,
    held_out: Sequence[int],
    space: Mapping[str, Span],
    seed: int = 0,
) -> Tuned:
    """Search, confirm, and write `tuned.yaml` and `trials.json`.

    The study is kept in the folder: a search that was interrupted goes on with the next trial.

    Args:
        campaign: The scenarios of each trial, with their own seeds, and one variant.
        trials: Number of trials; the first has the present values.
        run: Settings of the flights; finished flights are not flown again.
        held_out: Seeds to confirm on; the scenarios must not have them.
        space: Range of values by key.
        seed: Seed of the search.

    Raises:
        ConfigError: A scenario has a held-out seed.
        DataError: The study in the folder is damaged.
        EnvironmentSetupError: Optuna is missing.
        InUseError: Another process writes to the folder.
        SimulatorError: A flight crashed again and again.
    """
    require("optuna", "tune", "tune")
    own_seeds = {s for scenario in campaign.scenarios for s in campaign.seeds or scenario.seeds}
    shared = own_seeds & set(held_out)
    if shared:
        raise ConfigError(f"--confirm: a scenario has seed {min(shared)}; choose other seeds")
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with sole_folder(run.folder):
        study = _study_in(run.folder / STUDY, _study_name(campaign, run, space, seed))
        # With the same seed as before, a search that goes on would repeat its first trials.
        own_seed = np.random.SeedSequence([seed, len(study.trials)]).generate_state(1)
        study.sampler = optuna.samplers.TPESampler(seed=int(own_seed[0]), multivariate=True)
        with open_fleet(run) as fleet:
            return _Search(study, campaign, run, space, fleet).run(trials, held_out)


def _study_in(file: Path, name: str) -> Any:
    """Return the study of that name in a file, which is created; raises `DataError`."""
    import optuna
    from optuna.storages.journal import JournalFileBackend

    try:
        storage = optuna.storages.JournalStorage(JournalFileBackend(str(file)))
        return optuna.create_study(
            study_name=name, storage=storage, load_if_exists=True, direction="maximize"
        )
    except (AttributeError, LookupError, OSError, TypeError, ValueError) as error:
        detail = " ".join(f"{type(error).__name__}: {error}".split())
        raise DataError(
            f"{file}: the study cannot be read ({detail:.200}); remove it and search anew"
        ) from error


def _study_name(campaign: Campaign, run: CampaignRun, space: Mapping[str, Span], seed: int) -> str:
    """Return a name that is another one after any change of flights, space or program."""
    content = [
        [job.id for job in jobs_of(campaign)],
        {key: span.model_dump() for key, span in space.items()},
        seed,
    ]
    text = json.dumps([*content, code_digest()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class _Search:
    """The trials of a search.

    A trial is given up as soon as one of its flights is worse than the worst flight of the best
    trial: the worst flight counts, so it cannot win any more.
    """

    def __init__(
        self,
        study: Any,
        campaign: Campaign,
        run: CampaignRun,
        space: Mapping[str, Span],
        fleet: Fleet,
    ) -> None:
        self._study, self._campaign = study, campaign
        self._run, self._space, self._fleet = run, space, fleet
        self._present = present_values(campaign, space)
        self._tried: list[Trial] = []

    def run(self, trials: int, held_out: Sequence[int]) -> Tuned:
        self._take_finished()
        if not self._tried and not self._has_next():
            self._study.enqueue_trial(self._present)
        for number in range(len(self._tried), trials):
            self._try(number, trials)
        best = max((t for t in self._tried if not t.pruned), key=lambda trial: trial.worst)
        confirmed = replace(self._campaign, seeds=tuple(held_out))
        before = _worst(self._fly(confirmed, "confirm-before", {}, -math.inf))
        after = before
        if best.values:
            after = _worst(self._fly(confirmed, "confirm-after", best.values, -math.inf))
        tuned = Tuned(best.values, best.worst, after, before)
        write_json(self._run.folder / TRIALS, [vars(trial) for trial in self._tried])
        write_text(self._run.folder / TUNED, _config_text(tuned))
        return tuned

    def _take_finished(self) -> None:
        """Take the trials of an interrupted search; one that was under way is flown again."""
        import optuna

        for trial in self._study.get_trials(deepcopy=False):
            if trial.state == optuna.trial.TrialState.RUNNING:
                self._study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
            elif "values" in trial.user_attrs:
                attrs = trial.user_attrs
                pruned = trial.state == optuna.trial.TrialState.PRUNED
                self._tried.append(Trial(attrs["values"], attrs["worst"], attrs["flight"], pruned))

    def _has_next(self) -> bool:
        """Whether the values of the next trial are in the study already."""
        import optuna

        return bool(self._study.get_trials(states=(optuna.trial.TrialState.WAITING,)))

    def _try(self, number: int, trials: int) -> None:
        import optuna

        trial = self._study.ask()
        values = {key: self._suggested(trial, key) for key in self._space}
        changed = {} if number == 0 else values
        best = max((t.worst for t in self._tried if not t.pruned), default=-math.inf)
        results = self._fly(self._campaign, f"trial-{number:03d}", changed, best)
        worst = min(results, key=score)
        pruned = score(worst) < best
        for name, value in {"values": changed, "worst": score(worst), "flight": worst.key}.items():
            trial.set_user_attr(name, value)
        if pruned:
            trial.report(score(worst), 0)
            self._study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            self._study.tell(trial, score(worst))
        self._tried.append(Trial(changed, score(worst), worst.key, pruned))
        end = "given up" if pruned else "worst"
        logger.info(
            "Trial %d of %d: %s %.3f (%s) with %s.",
            *(number + 1, trials, end, score(worst), worst.key, changed or "the present values"),
            extra={"topic": PRINTED},
        )
        make_console(stderr=True).print(
            f"trial {number + 1} of {trials}: {end} {score(worst):.3f} ({worst.key}), "
            f"best so far {max(best, score(worst)):.3f}",
            highlight=False,
        )

    def _suggested(self, trial: Any, key: str) -> float:
        """Return the value of a key in a trial: a whole number for a key that takes no other."""
        span = self._space[key]
        value: float
        if isinstance(self._present[key], int):
            value = trial.suggest_int(key, int(span.low), int(span.high), log=span.log)
        else:
            value = trial.suggest_float(key, span.low, span.high, log=span.log)
        return value

    def _fly(
        self, campaign: Campaign, name: str, values: Mapping[str, float], least: float
    ) -> list[Result]:
        """Fly a campaign with these values until a flight has a score below `least`."""
        (variant,) = campaign.variants
        overrides = (*variant.overrides, *(f"{key}={value!r}" for key, value in values.items()))
        jobs = jobs_of(
            replace(campaign, variants=(variant.model_copy(update={"overrides": overrides}),))
        )
        settings = settings_of(replace(self._run, folder=self._run.folder / name))
        results: list[Result] = []
        while len(results) < len(jobs) and all(score(r) >= least for r in results):
            part = jobs[
                len(results) : len(results) + max(self._run.workers, self._fleet.capacity())
            ]
            results += fly_jobs(part, self._fleet, settings, lambda result, was_there: None)
            crashed = next((result for result in results if result.crashed), None)
            if crashed is not None:
                raise SimulatorError(
                    f"{crashed.key}: {crashed.reason}; run the same command again to go on"
                )
        return results


def present_values(campaign: Campaign, space: Mapping[str, Span]) -> dict[str, float]:
    """Return the present value of each key, within its range; an `int` for an integer key."""
    (variant,) = campaign.variants
    config = make_config(campaign.config, "configuration", variant.overrides)
    present = {}
    for key, span in space.items():
        value = _value_in(config, key)
        present[key] = type(value)(min(max(value, span.low), span.high))
    return present


def _value_in(config: FlightConfig, key: str) -> Any:
    """Return the value of a dotted key, which may have a former name."""
    node: Any = config
    for part in renamed_key(key).split("."):
        node = getattr(node, part)
    return node


def _worst(results: Sequence[Result]) -> float:
    return min(score(result) for result in results)


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
        node[name] = value
    return f"{head}\n{yaml.safe_dump(nested, sort_keys=False)}"
