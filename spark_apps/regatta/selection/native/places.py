"""Where units are grown: in this process, or by a cluster's executors. The trees are the same, to the last bit."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Protocol

from pyspark.sql import SparkSession

from regatta.runtime.concurrency import AT_ONCE
from regatta.selection.native import memory
from regatta.selection.native.executors import Executors, executor_cores
from regatta.selection.native.learning import sharing
from regatta.selection.native.search import Unit
from regatta.selection.native.table import Floats
from regatta.selection.native.writing import Ensemble


class Place(Protocol):
    """Grows units, for as many threads that ask."""

    @property
    def name(self) -> str:
        """As it stands in a run's record."""

    @property
    def at_once(self) -> int:
        """How many of them it grows at the same time."""

    def check(self, units: Sequence[Unit]) -> None:
        """See that there is memory for units. Raises Unsupported: there is not."""

    def predictions(self, unit: Unit) -> Iterator[tuple[Sequence[int], Floats]]:
        """As the unit's own."""

    def ensembles(self, unit: Unit) -> Iterator[tuple[Sequence[int], Ensemble]]:
        """As the unit's own."""


class Here:
    """This process, whose cores the units that run at the same time share evenly."""

    name = "on this machine"
    at_once = AT_ONCE

    def check(self, units: Sequence[Unit]) -> None:
        """See that there is memory for units. Raises Unsupported: there is not."""
        memory.check(units, self.at_once)

    def predictions(self, unit: Unit) -> Iterator[tuple[Sequence[int], Floats]]:
        """As the unit's own, each as soon as it is there."""
        with sharing(_cores() // self.at_once) as workers:
            yield from unit.predictions(workers)

    def ensembles(self, unit: Unit) -> Iterator[tuple[Sequence[int], Ensemble]]:
        """As `predictions`."""
        with sharing(_cores() // self.at_once) as workers:
            yield from unit.ensembles(workers)


def place_of(session: SparkSession) -> Place:
    """The executors where the session has any, else this process."""
    cores = executor_cores(session)
    return Executors(session, cores) if cores else Here()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
