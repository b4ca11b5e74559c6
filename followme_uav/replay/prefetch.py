"""An iterator that computes its next item in a thread."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar, cast

Item = TypeVar("Item")


def prefetched(items: Iterator[Item]) -> Iterator[Item]:
    """The items, each computed in a thread while the caller processes the one before it.

    Saves time if computing an item releases Python's global interpreter lock.
    """
    end = object()
    with ThreadPoolExecutor(1) as thread:
        next_item: Future[Item | object] = thread.submit(next, items, end)
        while (item := next_item.result()) is not end:
            next_item = thread.submit(next, items, end)
            yield cast(Item, item)
