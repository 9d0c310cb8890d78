"""Spark work side by side: most of a small job is not arithmetic, and leaves cores idle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from multiprocessing.pool import AsyncResult, ThreadPool
from typing import TypeVar

from pyspark import inheritable_thread_target
from pyspark.sql import SparkSession

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE = 2


def side_by_side(session: SparkSession, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """The results of `work` on each item, in the items' order."""
    with ThreadPool(AT_ONCE) as pool:
        return pool.map(inheritable_thread_target(session)(work), items, chunksize=1)


def as_they_end(
    session: SparkSession, work: Callable[[T], R], items: Iterable[T], at_once: int = AT_ONCE
) -> Iterator[R]:
    """The results of `work` on each item, each as soon as it is there; items are begun in their order."""
    with ThreadPool(at_once) as pool:
        yield from pool.imap_unordered(inheritable_thread_target(session)(work), items)


def one_ahead(session: SparkSession, work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """The results of `work` on each item, in the items' order; the next is made while the caller uses one."""
    ready = inheritable_thread_target(session)(work)
    with ThreadPool(1) as pool:
        waiting: AsyncResult[R] | None = None
        for item in items:
            due, waiting = waiting, pool.apply_async(ready, (item,))
            if due is not None:
                yield due.get()
        if waiting is not None:
            yield waiting.get()
