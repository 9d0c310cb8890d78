"""Units as tasks of a Spark cluster: each is grown by one task, from a broadcast of the binned rows.

Rows are binned on the driver, in the order of their partitions, so the trees do not depend on how many executors there
are or which of them grows what. (Stock MLlib adds up what executors send in the order of its arrival, and does not
reproduce its own trees on three of them or more.) A task takes all cores of an executor and shares them among threads.

This file is imported by executors, and says there what is missing: nothing in it needs numba before a task runs.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterator, Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any

from py4j.protocol import Py4JJavaError
from pyspark import Broadcast, TaskContext
from pyspark.resource import ResourceProfile, ResourceProfileBuilder, TaskResourceRequests
from pyspark.sql import SparkSession

from regatta.selection.native.unsupported import Unsupported

if TYPE_CHECKING:
    from regatta.selection.native.search import Unit
    from regatta.selection.native.table import Binned, Floats
    from regatta.selection.native.writing import Ensemble

GROWING = "growing trees"
"""What Spark's page calls these tasks."""


class Executors:
    """A session's executors, by the cores that each of them has."""

    def __init__(self, session: SparkSession, cores: Sequence[int]) -> None:
        self._context = session.sparkContext
        self._cores = min(cores)
        self.at_once = sum(own // self._cores for own in cores)
        self.name = f"by {len(cores)} executor{'s' * (len(cores) > 1)}"
        self._sent: weakref.WeakKeyDictionary[Binned, Broadcast[Binned]] = weakref.WeakKeyDictionary()
        self._sending = Lock()

    def check(self, units: Sequence[Unit]) -> None:
        """See that the driver has memory for the bins; each task looks at its own machine."""
        from regatta.selection.native import memory

        memory.check(units, 0)

    def predictions(self, unit: Unit) -> Iterator[tuple[Sequence[int], Floats]]:
        """As the unit's own, all at once. Raises Unsupported, for what stands in the way on an executor too."""
        yield from self._done(unit, "predictions")

    def ensembles(self, unit: Unit) -> Iterator[tuple[Sequence[int], Ensemble]]:
        """As `predictions`."""
        yield from self._done(unit, "ensembles")

    def _done(self, unit: Unit, asked: str) -> list[tuple[Sequence[int], Any]]:
        rows = self._broadcast(unit.split.tables(unit.parameters))
        # The unit itself would be one of a class that an executor without numba cannot import.
        kind, told = type(unit).__name__, {name: told for name, told in vars(unit).items() if name != "split"}
        task = self._context.parallelize([told], 1)
        if self._cores > 1:
            task = task.withResources(_all_cores(self._cores))
        self._context.setJobDescription(GROWING)
        try:
            ((reason, found),) = task.map(lambda each: grow(kind, each, rows, asked)).collect()
        except Py4JJavaError as error:
            missing = re.search(r"No module named '(\w+)", str(error))
            if not missing:
                raise
            reason = f"{missing[1]} cannot be imported"  # a session to which nobody gave the package
        finally:
            self._context.setLocalProperty("spark.job.description", None)
        if reason:
            raise Unsupported(f"on an executor {reason}")
        return found

    def _broadcast(self, binned: Binned) -> Broadcast[Binned]:
        with self._sending:
            if binned not in self._sent:
                sent = self._context.broadcast(binned)
                self._sent[binned] = sent
                weakref.finalize(binned, sent.destroy).atexit = False
            return self._sent[binned]


def grow(kind: str, told: Mapping[str, Any], rows: Broadcast[Binned], asked: str) -> tuple[str, Any]:
    """What a task does.

    Args:
        kind: of the unit, by its class's name.
        told: all that the unit is made of but its rows.
        rows: these.
        asked: the name of the unit's method.

    Returns:
        Why it cannot be done, as the end of a sentence, or nothing; and what was asked for.
    """
    try:
        from regatta.selection.native import memory, search
        from regatta.selection.native.learning import sharing

        unit = getattr(search, kind)(split=rows.value, **told)
    except ImportError as error:
        return f"{error.name} cannot be imported", None
    context = TaskContext.get()
    assert context is not None
    try:
        memory.check([unit], 1)
        with sharing(context.cpus()) as workers:
            return "", list(getattr(unit, asked)(workers))
    except Unsupported as reason:
        return str(reason), None


def executor_cores(session: SparkSession) -> list[int]:
    """How many cores each executor has that a session has by now; none where it is its own executor."""
    executors = session.sparkContext._jsc.sc().statusStore().executorList(True)
    known = [executors.apply(place) for place in range(executors.size())]
    return [executor.totalCores() for executor in known if executor.id() != "driver"]


def _all_cores(cores: int) -> ResourceProfile:
    return ResourceProfileBuilder().require(TaskResourceRequests().cpus(cores)).build
