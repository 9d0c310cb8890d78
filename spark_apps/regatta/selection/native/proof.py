"""What is made sure of in every run before trees are grown here: memory, compiled code, and MLlib itself."""

from __future__ import annotations

import time
from collections.abc import Sequence
from threading import Lock
from typing import Any

from pyspark.sql import SparkSession

from regatta.runtime.memory import available_memory
from regatta.selection.native import canary, memory
from regatta.selection.native.compiling import make_ready
from regatta.selection.native.search import Unit
from regatta.selection.native.unsupported import Unsupported

SHARE_OF_FREE_MEMORY = 0.8

_compiling = Lock()


def prove(estimator: Any, units: Sequence[Unit], at_once: int) -> float:
    """Make sure that some units can be grown, and that this Spark's MLlib grows a small ensemble of the same nodes.

    Args:
        estimator: one of those whose work the units are.
        units: all of them.
        at_once: how many run at the same time.

    Returns:
        The seconds that comparing took.

    Raises:
        Unsupported: there is too little memory, or a node differs.
    """
    wanted, free = memory.needed(units, at_once), int(available_memory() * SHARE_OF_FREE_MEMORY)
    if wanted > free:
        raise Unsupported(f"growing needs {_gigabytes(wanted)} of memory, and {_gigabytes(free)} can be had")
    with _compiling:
        make_ready()
    began = time.monotonic()
    with_own_bins = estimator.copy({estimator.maxBins: units[0].parameters.maxBins})
    canary.sing(SparkSession.active(), units[0].split.training, with_own_bins)
    return time.monotonic() - began


def _gigabytes(count: int) -> str:
    return f"{count / 2**30:.1f} GB"
