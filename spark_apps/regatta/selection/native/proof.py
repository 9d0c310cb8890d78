"""What is made sure of in every run before trees are grown here: memory, compiled code, and MLlib itself."""

from __future__ import annotations

import time
from collections.abc import Sequence
from threading import Lock
from typing import Any

from pyspark.sql import SparkSession

from regatta.selection.native import canary
from regatta.selection.native.compiling import make_ready
from regatta.selection.native.places import Place
from regatta.selection.native.rows import Rows
from regatta.selection.native.search import Unit

_compiling = Lock()


def prove(estimator: Any, units: Sequence[Unit], rows: Rows, place: Place) -> float:
    """Make sure that some units can be grown, and that this Spark's MLlib grows a small ensemble of the same nodes.

    Args:
        estimator: one of those whose work the units are.
        units: all of them.
        rows: what they learn from.
        place: where they will be grown.

    Returns:
        The seconds that comparing took.

    Raises:
        Unsupported: there is too little memory, or a node differs.
    """
    place.check(units)
    with _compiling:
        make_ready()
    began = time.monotonic()
    with_own_bins = estimator.copy({estimator.maxBins: units[0].parameters.maxBins})
    canary.sing(SparkSession.active(), rows, with_own_bins)
    return time.monotonic() - began
