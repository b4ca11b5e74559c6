"""One flight of a scenario, from its script to its result."""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from followme_uav.config import FlightConfig
from followme_uav.errors import FollowMeError
from followme_uav.flight.pilots import pilot_kind
from followme_uav.perception.network_files import sha256
from followme_uav.scenario.execution.results import Result
from followme_uav.scenario.script.checks import complaints
from followme_uav.scenario.script.script import Scenario

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """A flight to be flown; it is sent to another process."""

    scenario: Scenario
    seed: int
    config: FlightConfig
    pilot: str
    weights: Path
    folder: Path
    """The folder of the run, for logs and results."""
    keep_log: bool = True

    @property
    def key(self) -> str:
        """Name of the flight, as in `Result.key`."""
        return f"{self.scenario.name}-seed{self.seed}"

    @property
    def log(self) -> Path:
        """Path of its log."""
        return self.folder / "logs" / f"{self.key}.mcap"


def fly_job(job: Job) -> Result:
    """Fly a job; an error becomes a result with the cause, so that other flights go on."""
    from followme_uav.flight.fly import FlightPlan, fly  # slow to import
    from followme_uav.scenario.execution.fault_injector import fault_injector_for

    logger.info("The flight %s begins.", job.key)
    scenario, start_s = job.scenario, time.monotonic()
    metrics: Mapping[str, Any] = {}
    log = job.log if job.keep_log else None
    try:
        with tempfile.TemporaryDirectory(prefix="followme-") as scratch:
            world = Path(scratch) / "world.yaml"
            world.write_text(yaml.safe_dump(scenario.world_of(job.seed)), encoding="utf-8")
            summary = fly(
                FlightPlan(
                    config=job.config,
                    weights=job.weights,
                    seed=job.seed,
                    log=log,
                    embedded=True,
                    lockstep=True,
                    world=world,
                    wrap_simulator=fault_injector_for(scenario.events, job.seed),
                    pilot=job.pilot,
                    end_after_following_s=scenario.follow_s,
                    metadata={"scenario": scenario.name},
                )
            )
    except FollowMeError as error:
        logger.debug("The flight %s broke.", job.key, exc_info=True)
        reason = f"broke: {error}"
    except Exception as error:  # an error in one flight must not end the others
        logger.debug("The flight %s broke by an error of the program.", job.key, exc_info=True)
        reason = f"broke: {type(error).__name__}: {error}"
    else:
        metrics = summary.metrics.to_dict()
        reason = "; ".join(complaints(scenario.expect, summary.metrics))
    return Result(
        name=scenario.name,
        seed=job.seed,
        success=not reason,
        reason=reason or "as expected",
        metrics=dict(metrics),
        log=None if log is None else str(log.relative_to(job.folder)),
        wall_s=round(time.monotonic() - start_s, 2),
        pilot=job.pilot,
    )


def fingerprint(job: Job, code: str) -> str:
    """Return the digest of all inputs of a flight; `code` is the digest of the program."""
    kind = pilot_kind(job.pilot)
    inputs = {
        "scenario": job.scenario.model_dump(mode="json"),
        "seed": job.seed,
        "config": job.config.model_dump(mode="json"),
        "pilot": job.pilot,
        "weights": "" if kind.on_true_masks else sha256(job.weights),
        "log": job.keep_log,
        "code": code,
    }
    if kind.source is not None:
        inputs["pilot_code"] = hashlib.sha256(kind.source.read_bytes()).hexdigest()
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def code_digest() -> str:
    """Return the digest of this program's source."""
    package = Path(__file__).resolve().parents[2]
    digest = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        digest.update(str(file.relative_to(package)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
