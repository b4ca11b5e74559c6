"""One flight of a scenario, from its job to its result.

A flight ends in one of three ways. It *passed* or *failed* where the pilot flew it to its end, or
ended it by an error of its own. It *crashed* where the machine failed: no simulator although no
fault was injected, no disk, no memory, no time. Crashed flights say nothing about the pilot.
"""

from __future__ import annotations

import faulthandler
import hashlib
import logging
import os
import platform
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml

from followme_uav import __version__
from followme_uav.config import FlightConfig
from followme_uav.errors import FollowMeError, PilotError
from followme_uav.scenario.execution.fault_injector import FaultInjector, fault_injector_for
from followme_uav.scenario.execution.jobs import Job
from followme_uav.scenario.execution.results import AS_EXPECTED, Result
from followme_uav.scenario.execution.simulators import maker_in_process
from followme_uav.scenario.script.checks import complaints
from followme_uav.scenario.script.random_draws import draws_of
from followme_uav.scenario.script.script import Scenario
from followme_uav.sim.places import with_map_of

logger = logging.getLogger(__name__)

Logs = Literal["all", "failures", "none"]
LIMIT_S, LIMIT_PER_S = 120.0, 10.0
"""Wall-clock limit of a flight: start and end, and per second of flight time."""
_OF_THE_MACHINE = (FollowMeError, OSError, MemoryError)
"""Errors that end a flight without a fault of the pilot, except `PilotError`."""


@dataclass(frozen=True)
class FlightSettings:
    """Conditions of all flights of a run that do not change their results."""

    folder: Path | None
    """Folder of the run; None: the worker cannot write there, and returns the log."""
    logs: Logs = "all"
    threads: int = 1
    """Processors for each flight: threads of the network, unless the configuration sets them; with
    one, the simulator runs in the worker's process."""
    limit_s: float | None = None
    """Wall-clock limit of one flight; None: by its flight time."""

    def limit_of(self, job: Job) -> float:
        """Return the wall-clock limit of a flight in seconds."""
        return self.limit_s or LIMIT_S + LIMIT_PER_S * job.config.duration_s

    def keeps(self, *, success: bool) -> bool:
        """Whether to keep the log of a flight."""
        return self.logs == "all" or (self.logs == "failures" and not success)


@dataclass(frozen=True)
class Flown:
    """The end of a flight, as a worker returns it."""

    result: Result
    log: bytes | None = None
    """The log to be written by the process that distributes the flights."""


def fly_job(job: Job, settings: FlightSettings) -> Flown:
    """Fly a job; an error becomes a result with the cause, so that other flights go on.

    The process ends after `settings.limit_of(job)`, also where the flight hangs.
    """
    with watchdog(settings.limit_of(job)):
        try:
            with tempfile.TemporaryDirectory(prefix="followme-") as scratch:
                return _fly(job, settings, Path(scratch))
        except OSError as error:  # of the folder, or of the log in it
            logger.debug("The flight %s broke by its files.", job.key, exc_info=True)
            return Flown(result_of(job, reason=f"broke: {error}", crashed=True))


@contextmanager
def watchdog(limit_s: float) -> Iterator[None]:
    """End the process unless the block ends in time; works while the interpreter is locked, too."""
    with open(os.devnull, "w") as nowhere:
        faulthandler.dump_traceback_later(limit_s, exit=True, file=nowhere)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


def _fly(job: Job, settings: FlightSettings, scratch: Path) -> Flown:
    from followme_uav.flight.fly import FlightPlan, fly  # slow to import

    logger.info("The flight %s begins.", job.key)
    start_s = time.monotonic()
    metrics: Mapping[str, Any] = {}
    draws: Mapping[str, Any] = {}
    injectors: list[FaultInjector] = []
    crashed = False
    log = None if settings.logs == "none" else (settings.folder or scratch) / log_name(job)
    try:
        scenario = job.scenario()
        config = _with_threads(job.flight_config(), settings.threads)
        config = with_map_of(config, scenario.world.place, job.seed)
        draws = draws_of(scenario, job.seed, config)
        world = _world_file(scenario, job.seed, scratch)
        summary = fly(
            FlightPlan(
                config=config,
                weights=job.variant.weights,
                seed=job.seed,
                log=log,
                embedded=True,
                lockstep=True,
                world=world,
                make_simulator=maker_in_process(
                    config, world, job.seed, job.variant.pilot, settings.threads
                ),
                wrap_simulator=fault_injector_for(scenario.events, job.seed, injectors.append),
                pilot=job.variant.pilot,
                end_after_following_s=scenario.follow_s,
                metadata={"scenario": scenario.name},
            )
        )
    except PilotError as error:
        logger.debug("The flight %s broke by its pilot.", job.key, exc_info=True)
        reason = f"broke: {error}"
    except _OF_THE_MACHINE as error:
        logger.debug("The flight %s broke.", job.key, exc_info=True)
        reason, crashed = f"broke: {error}", not any(i.is_stalled for i in injectors)
    except Exception as error:  # an error in one flight must not end the others
        logger.debug("The flight %s broke by an error of the program.", job.key, exc_info=True)
        reason = f"broke: {type(error).__name__}: {error}"
    else:
        metrics = summary.metrics.to_dict()
        reason = "; ".join(complaints(scenario.expect, summary.metrics))
    keep = log is not None and log.exists() and settings.keeps(success=not reason)
    if log is not None and not keep:
        log.unlink(missing_ok=True)
    result = result_of(
        job,
        reason=reason,
        crashed=crashed,
        metrics=metrics,
        draws=draws,
        log=log_name(job) if keep else None,
        wall_s=time.monotonic() - start_s,
    )
    return Flown(result, log.read_bytes() if keep and log and settings.folder is None else None)


def result_of(
    job: Job,
    *,
    reason: str = "",
    crashed: bool = False,
    metrics: Mapping[str, Any] | None = None,
    draws: Mapping[str, Any] | None = None,
    log: str | None = None,
    wall_s: float = 0.0,
) -> Result:
    """Return the result of a job; an empty `reason` is a success."""
    return Result(
        name=job.name,
        seed=job.seed,
        success=not reason,
        # The error of a user's pilot may have half of a character, which no file can hold.
        reason=reason.encode(errors="backslashreplace").decode() or AS_EXPECTED,
        metrics=dict(metrics or {}),
        log=log,
        wall_s=round(wall_s, 2),
        pilot=job.variant.pilot,
        id=job.id,
        variant=job.variant.label,
        crashed=crashed,
        axes=dict(job.variant.axes),
        draws=dict(draws or {}),
        versions={
            "program": __version__,
            "code": code_digest()[:16],
            "python": platform.python_version(),
            "numpy": np.__version__,
            "weights_sha256": job.weights_sha256,
            "config_sha256": job.config_sha256,
        },
    )


def log_name(job: Job) -> str:
    """Return the path of a flight's log in the folder of the run."""
    return f"logs/{job.key}.mcap"


@lru_cache(maxsize=1)
def code_digest() -> str:
    """Return the digest of this program's source."""
    package = Path(__file__).resolve().parents[2]
    digest = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        digest.update(str(file.relative_to(package)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _with_threads(config: FlightConfig, threads: int) -> FlightConfig:
    if config.perception.threads:
        return config
    perception = config.perception.model_copy(update={"threads": threads})
    return config.model_copy(update={"perception": perception})


def _world_file(scenario: Scenario, seed: int, scratch: Path) -> Path:
    world = scratch / "world.yaml"
    world.write_text(yaml.safe_dump(scenario.world_of(seed)), encoding="utf-8")
    return world
