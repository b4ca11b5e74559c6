"""Runs a simulation on the thread that calls it, for lockstep with nobody else."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from followme_uav.rpc.handlers import HandlerError
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.simulation_runner import SimulationRunner

T = TypeVar("T")


class InlineRunner(SimulationRunner):
    """A `SimulationRunner` whose time is always paused: a job is done when its call returns.

    It needs no thread and no hand-over between threads. Time passes in `continue_for` only.

    Args:
        simulation: made on the calling thread.
    """

    def __init__(self, simulation: Simulation) -> None:
        super().__init__(simulation, paused=True)

    def call(self, job: Callable[[Simulation], T | Future[T]]) -> Future[T]:
        """Run `job` now."""
        answer = super().call(job)
        self._jobs.get_nowait()()
        return answer

    def pause(self, paused: bool) -> Future[None]:
        """Refuse to let the time run: nothing would make its steps."""
        if not paused:
            raise HandlerError("this simulator's time advances by simContinueForTime only")
        return super().pause(paused)

    def _continue(self, steps_in: Callable[[Simulation], int], answer_first: bool) -> Future[None]:
        answer = super()._continue(steps_in, answer_first)
        self._jobs.get_nowait()()
        return answer
