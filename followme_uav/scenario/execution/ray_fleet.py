"""The processes that fly the jobs of a run: those of a Ray cluster.

Each flight is a Ray task of one processor; Ray distributes them, and reuses its processes, which
keep their imports and their network. Weights are put into Ray's object store once, and written to
a file once on each machine. Workers need the same version of this program. Usage reports are off
(`privacy`), and no dashboard is started; that of the cluster can be used.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from followme_uav.errors import ConfigError, EnvironmentSetupError
from followme_uav.extras import require
from followme_uav.files import make_folder, write_whole
from followme_uav.perception.weights import sha256
from followme_uav.scenario.execution.fleet import Fly, use_threads
from followme_uav.scenario.execution.flight import FlightSettings, Flown, code_digest
from followme_uav.scenario.execution.jobs import Job

_CAPACITY_S = 2.0
"""Age at which the number of processors is asked for again."""


class RayFleet:
    """Processes of a Ray cluster to which this process is connected."""

    def __init__(self) -> None:
        import ray

        self._ray: Any = ray
        self._task: Any = ray.remote(num_cpus=1, max_retries=0)(_fly_on_node)
        self._code = code_digest()
        self._weights: dict[Path, Any] = {}
        self._capacity, self._asked_s = 1, -_CAPACITY_S
        self._tasks: dict[Future[Flown], Any] = {}

    def capacity(self) -> int:
        """Return the number of processors of the cluster."""
        if time.monotonic() - self._asked_s > _CAPACITY_S:
            self._capacity = max(1, int(self._ray.cluster_resources().get("CPU", 1)))
            self._asked_s = time.monotonic()
        return self._capacity

    def submit(self, fly: Fly, job: Job, settings: FlightSettings) -> Future[Flown]:
        """Fly a job on any machine of the cluster; the log comes back with the result."""
        remote = replace(settings, folder=None, threads=1)
        task = self._task.remote(fly, job, remote, self._files(job), self._code)
        future: Future[Flown] = task.future()
        self._tasks[future] = task
        future.add_done_callback(lambda done: self._tasks.pop(done, None))
        return future

    @property
    def stored(self) -> int:
        """Number of weights files in the object store."""
        return len(self._weights)

    def is_loss(self, error: BaseException) -> bool:
        """Whether process or machine are gone: errors of the task itself are `RayTaskError`."""
        exceptions = self._ray.exceptions
        own = isinstance(error, exceptions.RayTaskError)
        return isinstance(error, exceptions.RayError) and not own

    def cancel(self) -> None:
        """End the flights under way."""
        for task in list(self._tasks.values()):
            with suppress(Exception):
                self._ray.cancel(task, force=True)

    def _files(self, job: Job) -> Any:
        """Return the weights, and the JSON beside them, in the object store."""
        path = job.variant.weights
        if not job.weights_sha256:
            return None
        if path not in self._weights:
            beside = (path, path.with_suffix(".json"))
            files = {file.name: file.read_bytes() for file in beside if file.exists()}
            self._weights[path] = self._ray.put(files)
        return self._weights[path]


@contextmanager
def ray_fleet(address: str) -> Iterator[RayFleet]:
    """Connect to a cluster.

    Args:
        address: `auto` for the cluster of this machine, or HOST:PORT.

    Raises:
        EnvironmentSetupError: Ray is missing, or there is no cluster.
    """
    require("ray", "cluster", "--ray")
    import ray

    try:
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level=logging.ERROR,
            include_dashboard=None,
            namespace="followme-uav",
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise EnvironmentSetupError(
            f"--ray {address}: no cluster ({cause}); start one with 'ray start --head'"
        ) from error
    fleet = RayFleet()
    try:
        yield fleet
    except BaseException:
        fleet.cancel()
        raise
    finally:
        ray.shutdown()


def _fly_on_node(
    fly: Fly, job: Job, settings: FlightSettings, files: dict[str, bytes] | None, code: str
) -> Flown:
    """Fly a job with the weights of the object store; runs in a process of the cluster."""
    if code_digest() != code:
        raise ConfigError(
            "a machine of the cluster has another version of followme-uav; install the same one"
        )
    use_threads(settings.threads)
    if files is not None:
        weights = _node_file(files, job)
        job = replace(job, variant=job.variant.model_copy(update={"weights": weights}))
    return fly(job, settings)


def _node_file(files: dict[str, bytes], job: Job) -> Path:
    """Return the path of the weights on this machine; written by its first flight."""
    folder = Path(tempfile.gettempdir()) / f"followme-uav-{os.getuid()}" / job.weights_sha256
    weights = folder / job.variant.weights.name
    # Others can write to the folder of temporary files: the content is checked.
    if not weights.exists() or sha256(weights) != job.weights_sha256:
        make_folder(folder)
        for name in sorted(files, key=lambda name: name == weights.name):  # the weights last
            write_whole(folder / name, files[name])
    return weights
