"""A stock model from what was grown here, by way of files that Spark writes and reads."""

from __future__ import annotations

from typing import Any

from pyspark.sql import SparkSession

from regatta.selection.native.parameters import TreeFit
from regatta.selection.native.places import Place
from regatta.selection.native.rows import Rows
from regatta.selection.native.search import Split, units
from regatta.selection.native.writing import Ensemble, load, write


def fitted(estimator: Any, rows: Rows, uri: str, place: Place) -> Any:
    """What the estimator's own `fit` would return, but for its parent.

    Args:
        estimator: an MLlib RandomForestRegressor or GBTRegressor, or a subclass.
        rows: to learn from.
        uri: a folder that is not there yet, which Spark can write and all executors can read; it is gone afterwards.
        place: where its trees are grown.

    Raises:
        Unsupported: the rows, their bins or their number are beyond this engine, or there is no memory for them.
    """
    rows.check()
    (unit,) = units(Split(rows, rows.values[:0]), [TreeFit.of(estimator)])
    place.check([unit])
    ((_, ensemble),) = place.ensembles(unit)
    return model_of(estimator, ensemble, uri)


def model_of(estimator: Any, ensemble: Ensemble, uri: str) -> Any:
    """The stock model of an ensemble; `uri` as above."""
    session = SparkSession.active()
    try:
        write(session, uri, estimator, ensemble)
        return load(uri, estimator)  # all of it: nothing is read later
    finally:
        _delete(session, uri)


def _delete(session: SparkSession, uri: str) -> None:
    context = session.sparkContext
    path = context._jvm.org.apache.hadoop.fs.Path(uri)
    path.getFileSystem(context._jsc.hadoopConfiguration()).delete(path, True)
