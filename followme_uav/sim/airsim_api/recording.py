"""startRecording: images and poses written to a folder in AirSim's format.

A recording is a folder with `airsim_rec.txt`, columns separated by tabs, and `images/`. The
simulator's command line names the parent folder, never a client, and the size is limited.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path

from followme_uav.errors import OutputError
from followme_uav.files import append_line, write_whole
from followme_uav.rpc.server import HandlerError
from followme_uav.sim.airsim_api.dialects import ServerDialect
from followme_uav.sim.airsim_api.images import SCENE, png
from followme_uav.sim.airsim_api.service import Handlers, Service
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.simulation_runner import SimulationRunner

logger = logging.getLogger(__name__)

MAX_RECORDINGS = 1000
MAX_IMAGES = 20_000
"""Images of one recording: about a quarter of an hour of simulated time at 20 a second."""
MAX_BYTES = 2**30

_COLUMNS = "VehicleName TimeStamp POS_X POS_Y POS_Z Q_W Q_X Q_Y Q_Z ImageFile"


class Recorder:
    """One recording. It ends at its limits, or when the disk is full.

    Args:
        folder: a new folder; must not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._images, self._bytes = 0, 0
        (folder / "images").mkdir(parents=True)
        self._write("\t".join(_COLUMNS.split()))

    def __call__(self, simulation: Simulation) -> None:
        """Write the present image and pose."""
        try:
            self._record(simulation)
        except (OSError, OutputError) as error:
            simulation.recorder = None
            logger.warning("%s: recording ends: %s", self.folder, error)
        if self._images >= MAX_IMAGES or self._bytes >= MAX_BYTES:
            simulation.recorder = None
            logger.warning("%s: recording ends: it is full", self.folder)

    def _record(self, simulation: Simulation) -> None:
        shot, vehicle_name = simulation.shot(), simulation.equipment.vehicle_name
        name = f"img_{vehicle_name}_0_{SCENE}_{shot.time_ns}.png"
        data = png(shot.images.rgb)
        write_whole(self.folder / "images" / name, data, sync=False)
        vehicle = simulation.vehicle
        numbers = (*vehicle.position_m, *vehicle.orientation)
        stamp_ms = shot.time_ns // 1_000_000
        self._write("\t".join((vehicle_name, str(stamp_ms), *(f"{n:g}" for n in numbers), name)))
        self._images += 1
        self._bytes += len(data)

    def _write(self, line: str) -> None:
        append_line(self.folder / "airsim_rec.txt", line)


class RecordingMethods(Service):
    """startRecording, stopRecording and isRecording.

    Args:
        simulator: the simulator that serves them.
        dialect: the AirSim build to imitate.
        root: parent folder of all recordings; None to refuse recordings.
    """

    def __init__(
        self, simulator: SimulationRunner, dialect: ServerDialect, root: Path | None
    ) -> None:
        super().__init__(simulator, dialect)
        self._root = root

    def handlers(self) -> Handlers:
        """Method name to function."""
        return {
            "startRecording": self._start,
            "stopRecording": self._stop,
            "isRecording": self._is_recording,
        }

    def _start(self) -> Future[None]:
        self.check_world_tools()
        root = self._root
        if root is None:
            raise HandlerError("no folder for recordings; start the simulator with --recordings")

        def job(simulation: Simulation) -> None:
            if simulation.recorder is None:
                try:
                    simulation.recorder = _new_recorder(root)
                except (OSError, OutputError) as error:
                    raise HandlerError(f"cannot record: {error}") from None

        return self.call(job)

    def _stop(self) -> Future[None]:
        self.check_world_tools()

        def job(simulation: Simulation) -> None:
            simulation.recorder = None

        return self.call(job)

    def _is_recording(self) -> Future[bool]:
        self.check_world_tools()
        return self.call(lambda simulation: simulation.recorder is not None)


def _new_recorder(root: Path) -> Recorder:
    """A recorder in the first free folder; another simulator may record to `root` meanwhile."""
    for number in range(1, MAX_RECORDINGS + 1):
        folder = root / f"recording-{number:04d}"
        if not folder.exists():
            with suppress(FileExistsError):  # another simulator has made it since the check
                recorder = Recorder(folder)
                logger.info("%s: a recording begins.", folder)
                return recorder
    raise HandlerError(f"{MAX_RECORDINGS} recordings are there already; remove some")
