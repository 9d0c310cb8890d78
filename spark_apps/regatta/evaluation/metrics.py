"""How good predictions are, in the label's own unit, from one pass over the rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from regatta.config.race import LARGER_IS_BETTER, Metric

Floats = NDArray[np.float64]
Metrics = Mapping[str, float | None]
METRICS: tuple[Metric, ...] = ("rmse", "mse", "mae", "mape", "r2", "wape", "smape")
_SUMS = 5  # a column


def metrics(
    predictions: DataFrame,
    label: str,
    columns: Sequence[str] = ("prediction",),
    *,
    scale: float | None = None,
) -> list[Metrics]:
    """Judge prediction columns against the label; one Spark job for all of them.

    Args:
        predictions: one row a prediction; label and predictions in the label's unit.
        label: the column with the truth; rows without it are left out.
        columns: the prediction columns.
        scale: the mean absolute error that mase is a share of, in the label's unit.

    Returns:
        For each column rmse, mse, mae (the label's unit, its square, its unit), mape (a share: 0.1 is 10 %),
        r2 = 1 - SSE / SST (MLlib's RegressionEvaluator, throughOrigin=false), wape (sum of absolute errors / sum of
        absolute labels), smape (mean of 2 |error| / (|label| + |prediction|), 0 where both are 0), bias (mean of
        prediction - label), with a scale mase (R. J. Hyndman and A. B. Koehler, Another look at measures of forecast
        accuracy, 2006, of all series together), rows, and rows_mape: mape leaves out the rows whose label is 0.
        None where a figure is undefined or not finite, and all where a row has no prediction.
    """
    truth = F.col(f"`{label}`").cast("double")
    figures = [
        *(F.count(F.lit(1)), F.count_if(truth != 0), F.var_pop(truth) * F.count(F.lit(1))),
        F.sum(F.abs(truth)),
    ]
    for column in columns:
        predicted = F.col(f"`{column}`")
        error = truth - predicted
        relative = F.when(truth != 0, F.abs(error / truth))
        halved = F.when((truth != 0) | (predicted != 0), 2 * F.abs(error) / (F.abs(truth) + F.abs(predicted)))
        figures += [
            *(F.sum(error * error), F.sum(F.abs(error)), F.avg(relative)),
            F.avg(F.when(predicted.isNotNull(), F.coalesce(halved, F.lit(0.0)))),
            F.when(F.count_if(predicted.isNull()) == 0, -F.sum(error)),
        ]
    row = list(predictions.filter(truth.isNotNull()).agg(*figures).first() or ())
    rows, rows_mape, sst, size = row[:4]
    found: list[Metrics] = []
    for start in range(4, len(row), _SUMS):
        sse, absolute, mape, smape, surplus = row[start : start + _SUMS]
        if surplus is None:  # some row has no prediction
            sse = absolute = mape = smape = None
        found.append(_Sums(rows, rows_mape, sst, size, sse, absolute, mape, smape, surplus).figures(scale))
    return found


def metrics_of(truth: Floats, predictions: Floats, scale: float | None = None) -> Metrics:
    """The same figures of rows that are here already: (rows,) each, in the label's unit, no truth missing."""
    error, known = truth - predictions, truth != 0
    with np.errstate(over="ignore"):
        both = np.abs(truth) + np.abs(predictions)
        halved = np.divide(2 * np.abs(error), both, out=np.zeros(len(truth)), where=both != 0)
        return _Sums(
            rows=len(truth),
            rows_mape=int(known.sum()),
            sst=float(np.sum((truth - truth.mean()) ** 2)) if len(truth) else None,
            size=float(np.sum(np.abs(truth))),
            sse=float(np.sum(error * error)),
            absolute=float(np.sum(np.abs(error))),
            mape=float(np.mean(np.abs(error[known] / truth[known]))) if known.any() else None,
            smape=float(np.mean(halved)) if len(truth) else None,
            surplus=-float(np.sum(error)),
        ).figures(scale)


@dataclass(frozen=True)
class _Sums:
    """Of a column of predictions: sums over the rows, and the means mape and smape."""

    rows: int
    rows_mape: int
    sst: float | None
    size: float | None
    sse: float | None
    absolute: float | None
    mape: float | None
    smape: float | None
    surplus: float | None

    def figures(self, scale: float | None) -> Metrics:
        mse, mae = _ratio(self.sse, self.rows), _ratio(self.absolute, self.rows)
        unexplained = _ratio(self.sse, self.sst)
        own: dict[str, float | None] = {
            "rmse": math.sqrt(mse) if mse is not None else None,
            "mse": mse,
            "mae": mae,
            "mape": _ratio(self.mape, 1),
            "r2": 1 - unexplained if unexplained is not None else None,
            "wape": _ratio(self.absolute, self.size),
            "smape": _ratio(self.smape, 1),
            "bias": _ratio(self.surplus, self.rows),
            "rows": float(self.rows),
            "rows_mape": float(self.rows_mape),
        }
        return own if scale is None else {**own, "mase": _ratio(mae, scale)}


def metrics_by(predictions: DataFrame, label: str, by: Sequence[str]) -> DataFrame:
    """Figures of the column `prediction`, in the label's unit. Grain: one row a group of equal values in `by`.

    Columns: `by`, rows, rmse, mae, wape and bias; wape is null where all labels are 0.
    """
    truth = F.col(f"`{label}`").cast("double")
    error = truth - F.col("prediction")
    return (
        predictions.filter(truth.isNotNull())
        .groupBy(*(f"`{name}`" for name in by))
        .agg(
            F.count(F.lit(1)).alias("rows"),
            F.sqrt(F.avg(error * error)).alias("rmse"),
            F.avg(F.abs(error)).alias("mae"),
            F.try_divide(F.sum(F.abs(error)), F.sum(F.abs(truth))).alias("wape"),
            (-F.avg(error)).alias("bias"),
        )
    )


def better(metric: Metric, one: float | None, other: float | None) -> bool:
    """Whether one figure beats another; an undefined one beats nothing."""
    if one is None or other is None:
        return one is not None
    return one > other if metric in LARGER_IS_BETTER else one < other


def gain(own: float, other: float, metric: Metric) -> float:
    """By which share of another's error one's own is smaller; negative where it is larger.

    For r2 the error is what it leaves unexplained, 1 - r2 = SSE / SST. On the same rows SST is the same, so a
    gate on r2 asks exactly what the same gate on mse does, and asks it near 1 as well as near 0, where a share
    of r2 itself would mean nothing.
    """
    if metric in LARGER_IS_BETTER:
        own, other = 1 - own, 1 - other
    if other == 0:
        return 0.0 if own == 0 else -math.inf  # nothing is smaller than no error at all
    return (other - own) / other


def _ratio(numerator: float | None, denominator: float | None) -> float | None:
    if numerator is None or not denominator:
        return None
    ratio = numerator / denominator
    return ratio if math.isfinite(ratio) else None
