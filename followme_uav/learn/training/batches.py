"""Batches of an epoch, made in a thread while the network learns."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from followme_uav.learn.training.hard_examples import HardExample
from followme_uav.learn.training.sampler import Batch, CropSampler

_PREFETCHED = 4


def prefetched_batches(
    sampler: CropSampler, steps: int, epoch: int, hard_examples: Sequence[HardExample]
) -> Iterator[Batch]:
    """Yield the batches of an epoch, up to four of them prefetched.

    Args:
        sampler: makes the batches.
        steps: batches of the epoch.
        epoch: number of the epoch, from 0.
        hard_examples: places to cut crops around.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        queue: list[Future[Batch]] = []
        try:
            for step in range(steps + _PREFETCHED):
                if step < steps:
                    queue.append(pool.submit(sampler.batch, epoch, step, hard_examples))
                if step >= _PREFETCHED:
                    yield queue.pop(0).result()
        finally:
            for future in queue:
                future.cancel()


class WaitTimer:
    """Measure the share of time that a training waits for batches."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._waited_s = 0.0

    def timed(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """Yield the same batches and add up the time until each is there."""
        while True:
            asked = time.perf_counter()
            batch = next(batches, None)
            self._waited_s += time.perf_counter() - asked
            if batch is None:
                return
            yield batch

    @property
    def share(self) -> float:
        """Waiting time as a share (0..1) of the time since construction."""
        return self._waited_s / (time.perf_counter() - self._start)
