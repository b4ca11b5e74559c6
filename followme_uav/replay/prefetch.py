"""Makes the next thing while the last one is worked on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar, cast

Item = TypeVar("Item")


def prefetched(items: Iterator[Item]) -> Iterator[Item]:
    """The items, each of them made in a thread while the one before it is worked on.

    For what a library computes without holding Python up.
    """
    end = object()
    with ThreadPoolExecutor(1) as thread:
        coming: Future[Item | object] = thread.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, items, end)
            yield cast(Item, item)
