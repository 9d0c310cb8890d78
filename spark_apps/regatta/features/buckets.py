"""Numbers as categories, by quantiles that are learnt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyspark.ml.feature import QuantileDiscretizer, SQLTransformer

from regatta.config.table import quoted
from regatta.features.sql import replacing

MISSING = "(missing)"


def bucketed(buckets: Mapping[str, int]) -> list[Any]:
    """Stages that put into the place of each number the name of its bucket: 0, 1, ... from the lowest.

    The bounds are quantiles of the rows that the pipeline is fitted on, so that a fold never sees those of its judging
    part. A number beyond them falls into the outermost bucket; no value, and NaN, become "(missing)". Where many rows
    share a value there are fewer buckets.

    Args:
        buckets: how many, by the column that holds the number.
    """
    if not buckets:
        return []
    found = {name: f"_bucket {name}" for name in buckets}
    numbers = {name: f"nullif(CAST({quoted(name)} AS DOUBLE), DOUBLE('NaN'))" for name in buckets}
    known = {
        name: f"coalesce(CAST(CAST(CASE WHEN {quoted(name)} IS NOT NULL THEN {quoted(bucket)} END AS INT) AS STRING),"
        f" '{MISSING}')"
        for name, bucket in found.items()
    }
    return [
        SQLTransformer(statement=replacing(numbers)),
        QuantileDiscretizer(
            inputCols=[*found],
            outputCols=[*found.values()],
            numBucketsArray=[*buckets.values()],
            handleInvalid="keep",
        ),
        SQLTransformer(statement=replacing(known)),
    ]
