"""The processes that fly the jobs of a run: those of a Ray cluster.

Each flight is a Ray task of one processor; Ray distributes them, and reuses its processes, which
keep their imports and their network. Networks, world files, and a pilot given as FILE.py:Class, are
put into Ray's object store once, and written to files once on each machine. Workers need the same
version of this program, and of a pilot given as module:Class. Their program log is Ray's log of the
worker.
Usage reports are off (`privacy`), and no dashboard is started; that of the cluster can be used.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from followme_uav.errors import (
    ConfigError,
    DataError,
    EnvironmentSetupError,
    FollowMeError,
    OutputError,
    PilotError,
    WeightsError,
)
from followme_uav.files import make_folder, write_whole
from followme_uav.flight.pilots import pilot_kind
from followme_uav.perception.network_files import files_of, sha256
from followme_uav.program_log import set_up_child
from followme_uav.scenario.execution.fleet import Fly, prepare_worker, thread_variables
from followme_uav.scenario.execution.flight import FlightSettings, Flown, code_digest, result_of
from followme_uav.scenario.execution.jobs import Job
from followme_uav.scenario.execution.ray_connection import connected
from followme_uav.sim.places import place_file

_THREADS = 1
"""Of a flight, which has one processor."""
_CAPACITY_S = 2.0
"""Age at which the number of processors is asked for again."""
_CANCEL_S = 2.5
"""For flights to end their simulator and remove their files; Ctrl-C allows 8 s for all."""


class RayFleet:
    """Processes of a Ray cluster to which this process is connected."""

    def __init__(self) -> None:
        import ray

        self._ray: Any = ray
        # NumPy's library reads its limit while it is imported, before a task could set it.
        environment = {"env_vars": thread_variables(_THREADS)}
        self._task: Any = ray.remote(num_cpus=1, max_retries=0, runtime_env=environment)(
            _fly_on_node
        )
        self._code = code_digest()
        self._stored: dict[Path, Any] = {}
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
        remote = replace(settings, folder=None, threads=_THREADS)
        task = self._task.remote(
            *(fly, job, remote, self._weights(job), self._pilot(job), self._world(job), self._code)
        )
        answer: Future[Flown] = Future()
        self._tasks[answer] = task
        task.future().add_done_callback(lambda done: self._pass_on(done, answer))
        return answer

    @property
    def stored(self) -> int:
        """Number of networks, pilots and world files in the object store."""
        return len(self._stored)

    def is_loss(self, error: BaseException) -> bool:
        """Whether process or machine are gone: errors of the task itself are `RayTaskError`."""
        exceptions = self._ray.exceptions
        own = isinstance(error, exceptions.RayTaskError)
        return isinstance(error, exceptions.RayError) and not own

    def cancel(self) -> None:
        """End the flights under way: as Ctrl-C does, and those still there by SIGKILL."""
        tasks = list(self._tasks.values())
        for force in (False, True):
            for task in tasks:
                with suppress(Exception):
                    self._ray.cancel(task, force=force)
            with suppress(Exception):
                _, tasks = self._ray.wait(tasks, num_returns=len(tasks), timeout=_CANCEL_S)

    def _pass_on(self, done: Future[Flown], answer: Future[Flown]) -> None:
        """Give the result of a task, or an error that this program knows, to those who wait."""
        self._tasks.pop(answer, None)
        try:
            answer.set_result(done.result())
        except self._ray.exceptions.RayTaskError as error:
            answer.set_exception(_known_error(error))
        except BaseException as error:
            answer.set_exception(error)

    def _weights(self, job: Job) -> Any:
        """Return the network, and the files that describe it, in the object store."""
        if not job.weights_sha256:
            return None
        return self._put(job.variant.weights, job.weights_sha256, sha256, files_of)

    def _pilot(self, job: Job) -> Any:
        """Return the file with the user's pilot in the object store."""
        file = pilot_file(job)
        if file is None:
            return None
        return self._put(file, job.pilot_sha256, _digest, lambda file: (file,))

    def _world(self, job: Job) -> Any:
        """Return the world file in the object store."""
        file = place_file(job.place)
        if file is None:
            return None
        return self._put(file, job.place_sha256, _digest, lambda file: (file,))

    def _put(
        self,
        path: Path,
        digest: str,
        digest_of: Callable[[Path], str],
        files_of: Callable[[Path], tuple[Path, ...]],
    ) -> Any:
        """Put a file, and those that belong to it, into the store once.

        Raises:
            DataError: The file is not that of the plan any more.
        """
        if path not in self._stored:
            if not _has(path, digest, digest_of):
                raise DataError(f"{path}: was changed after the start; run the same command again")
            files = {file.name: file.read_bytes() for file in files_of(path)}
            self._stored[path] = self._ray.put(files)
        return self._stored[path]


@contextmanager
def ray_fleet(address: str) -> Iterator[RayFleet]:
    """Connect to a cluster; address and errors as for `connected`."""
    with connected(address):
        fleet = RayFleet()
        try:
            yield fleet
        except BaseException:
            fleet.cancel()
            raise


def _known_error(error: Any) -> FollowMeError:
    """Return the error of a task; its own text is a traceback."""
    if isinstance(error.cause, FollowMeError):
        return error.cause
    last_line = str(error).strip().splitlines()[-1].strip()
    return EnvironmentSetupError(
        f"a machine of the cluster cannot fly ({last_line}); install the same version of "
        "followme-uav there, with all that the flights need"
    )


def pilot_file(job: Job) -> Path | None:
    """Return the file of a pilot given as FILE.py:Class."""
    file = job.variant.pilot.rpartition(":")[0]
    return Path(file) if file.endswith(".py") else None


def _fly_on_node(
    fly: Fly,
    job: Job,
    settings: FlightSettings,
    weights: dict[str, bytes] | None,
    pilot: dict[str, bytes] | None,
    world: dict[str, bytes] | None,
    code: str,
) -> Flown:
    """Fly a job with the files of the object store; runs in a process of the cluster."""
    if code_digest() != code:
        raise ConfigError(
            "a machine of the cluster has another version of followme-uav; install the same one"
        )
    _prepare_process(settings.threads)
    try:
        job_here = _with_files(job, weights, pilot, world)
    except (OSError, OutputError, MemoryError) as error:
        return Flown(result_of(job, reason=f"broke: {error}", crashed=True))
    _check_pilot(job_here, job.variant.pilot)
    flown = fly(job_here, settings)
    return replace(flown, result=replace(flown.result, pilot=job.variant.pilot))


def _with_files(
    job: Job,
    weights: dict[str, bytes] | None,
    pilot: dict[str, bytes] | None,
    world: dict[str, bytes] | None,
) -> Job:
    """Return the job with the paths of its files on this machine."""
    changes = dict[str, Any]()
    if weights is not None:
        digest, name = job.weights_sha256, job.variant.weights.name
        changes["weights"] = _node_file(weights, name, digest, sha256)
    if pilot is not None:
        (name,) = pilot
        file = _node_file(pilot, name, job.pilot_sha256, _digest)
        changes["pilot"] = f"{file}:{job.variant.pilot.rpartition(':')[2]}"
    if world is not None:
        (name,) = world
        file = _node_file(world, name, job.place_sha256, _digest)
        job = replace(job, world={**job.world, "place": str(file)})
    return replace(job, variant=job.variant.model_copy(update=changes))


def _check_pilot(job: Job, given: str) -> None:
    """Check that the code of a user's pilot is the same here; `given` is its name for messages."""
    if not job.pilot_sha256:
        return
    source = pilot_kind(job.variant.pilot).source
    if source is None or _digest(source) != job.pilot_sha256:
        raise PilotError(
            f"pilot {given}: a machine of the cluster has another version; install the "
            "same one, or give it as FILE.py:Class"
        )


@cache
def _prepare_process(threads: int) -> None:
    """Prepare a process of the cluster; it may have flown before."""
    set_up_child("worker")
    prepare_worker(threads)


def _node_file(
    files: dict[str, bytes], name: str, digest: str, digest_of: Callable[[Path], str]
) -> Path:
    """Return the path of a file on this machine; it is written by the first flight there."""
    folder = _own_folder() / digest
    path = folder / name
    if not _has(path, digest, digest_of):
        make_folder(folder)
        for each in sorted(files, key=lambda each: each == name):  # the named one last
            write_whole(folder / each, files[each])
    return path


@cache
def _own_folder() -> Path:
    """Return a folder for temporary files that only this user can write to: one of them is code."""
    folder = Path(tempfile.gettempdir()) / f"followme-uav-{os.getuid()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022:
        return folder
    return Path(tempfile.mkdtemp(prefix="followme-uav-"))


def _has(path: Path, digest: str, digest_of: Callable[[Path], str]) -> bool:
    try:
        return path.exists() and digest_of(path) == digest
    except (OSError, WeightsError):
        return False


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
