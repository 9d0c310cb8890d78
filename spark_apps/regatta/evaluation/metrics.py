"""How good predictions are, in the label's own unit, from one pass over the rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from regatta.config.model import LARGER_IS_BETTER, Metric

Floats = NDArray[np.float64]
Metrics = Mapping[str, float | None]
METRICS: tuple[Metric, ...] = ("rmse", "mse", "mae", "mape", "r2")


def metrics(predictions: DataFrame, label: str, columns: Sequence[str] = ("prediction",)) -> list[Metrics]:
    """Judge prediction columns against the label; one Spark job for all of them.

    Args:
        predictions: one row a prediction; label and predictions in the label's unit.
        label: the column with the truth; rows without it are left out.
        columns: the prediction columns.

    Returns:
        For each column rmse, mse, mae (the label's unit, its square, its unit), mape (a share: 0.1 is 10 %),
        r2 = 1 - SSE / SST (MLlib's RegressionEvaluator, throughOrigin=false), rows, and rows_mape: mape leaves
        out the rows whose label is 0. None where a figure is undefined or not finite.
    """
    truth = F.col(f"`{label}`").cast("double")
    figures = [F.count(F.lit(1)), F.count_if(truth != 0), F.var_pop(truth) * F.count(F.lit(1))]
    for column in columns:
        error = truth - F.col(f"`{column}`")
        relative = F.when(truth != 0, F.abs(error / truth))
        figures += [F.sum(error * error), F.sum(F.abs(error)), F.avg(relative)]
    row = list(predictions.filter(truth.isNotNull()).agg(*figures).first() or ())
    rows, rows_mape, sst = row[:3]
    found: list[Metrics] = []
    for start in range(3, len(row), 3):
        sse, absolute, mape = row[start : start + 3]
        found.append(_figures(rows, rows_mape, sst, sse, absolute, mape))
    return found


def metrics_of(truth: Floats, predictions: Floats) -> Metrics:
    """The same figures of rows that are here already: (rows,) each, in the label's unit, no truth missing."""
    error, known = truth - predictions, truth != 0
    with np.errstate(over="ignore"):
        return _figures(
            rows=len(truth),
            rows_mape=int(known.sum()),
            sst=float(np.sum((truth - truth.mean()) ** 2)) if len(truth) else None,
            sse=float(np.sum(error * error)),
            absolute=float(np.sum(np.abs(error))),
            mape=float(np.mean(np.abs(error[known] / truth[known]))) if known.any() else None,
        )


def better(metric: Metric, one: float | None, other: float | None) -> bool:
    """Whether one figure beats another; an undefined one beats nothing."""
    if one is None or other is None:
        return one is not None
    return one > other if metric in LARGER_IS_BETTER else one < other


def _figures(
    rows: int,
    rows_mape: int,
    sst: float | None,
    sse: float | None,
    absolute: float | None,
    mape: float | None,
) -> Metrics:
    """From sums over the rows: squared distances from the mean, squared errors, absolute ones; and mape itself."""
    mse = _ratio(sse, rows)
    unexplained = _ratio(sse, sst)
    return {
        "rmse": math.sqrt(mse) if mse is not None else None,
        "mse": mse,
        "mae": _ratio(absolute, rows),
        "mape": _ratio(mape, 1),
        "r2": 1 - unexplained if unexplained is not None else None,
        "rows": float(rows),
        "rows_mape": float(rows_mape),
    }


def _ratio(numerator: float | None, denominator: float | None) -> float | None:
    if numerator is None or not denominator:
        return None
    ratio = numerator / denominator
    return ratio if math.isfinite(ratio) else None
