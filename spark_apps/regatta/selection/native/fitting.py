"""A stock model from rows, grown here and written and loaded by Spark."""

from __future__ import annotations

from typing import Any

from pyspark.sql import SparkSession

from regatta.selection.native.learning import sharing
from regatta.selection.native.rows import Rows
from regatta.selection.native.search import Split, units
from regatta.selection.native.writing import load, write


def fitted(estimator: Any, rows: Rows, uri: str, at_once: int) -> Any:
    """What the estimator's own `fit` would return, but for its parent.

    Args:
        estimator: an MLlib RandomForestRegressor or GBTRegressor, or a subclass.
        rows: to learn from.
        uri: a folder that is not there yet, which Spark can write and all executors can read.
        at_once: how many such fits share this machine's cores.

    Raises:
        Unsupported: the rows, their bins or their number are beyond this engine.
    """
    rows.check()
    (unit,) = units(Split(rows, rows.values[:0]), [estimator])
    with sharing(at_once) as workers:
        ((_, ensemble),) = unit.ensembles(workers)
    write(SparkSession.active(), uri, estimator, ensemble)
    return load(uri, estimator)
