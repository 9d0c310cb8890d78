"""Distributions of a table's columns, and how much of the label each tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, nextafter

import pandas as pd
from pyspark.ml.feature import Bucketizer, VectorAssembler
from pyspark.ml.stat import Correlation
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from regatta.config import UseCase
from regatta.config.table import quoted
from regatta.contract.accepted import accepted
from regatta.features.inputs import trained_as
from regatta.features.learnt import Bounds
from regatta.features.pipeline import scorable
from regatta.features.scope import in_scope
from regatta.lake import Lake, Run
from regatta.selection.splits import held_out, laid_out

BUCKETS = 50  # of a number, to see how much of the label it tells; each has two percent of the rows
_NAME, _NUMBER, _BUCKET, _COUNT, _SUM, _SQUARES = "_name", "_number", "_bucket", "_count", "_sum", "_squares"


def learnt_from(spark: SparkSession, lake: Lake, run: Run) -> DataFrame:
    """The rows of a table that a run was free to learn from, outliers included, laid out, with its features.

    Grain: a row as accepted. Nothing that the run held out is among them.
    """
    use_case = trained_as(run)
    label = F.col(quoted(use_case.label))
    rows = accepted(spark, lake, "train", as_of=run.as_of).rows
    kept = rows.filter(label.isNotNull() & in_scope(use_case) & scorable(use_case) & ~held_out(use_case))
    laid = laid_out(kept, use_case)  # in few partitions: each would be a task of every job
    return laid.withColumns({name: F.expr(feature.sql) for name, feature in use_case.features.items()})


def histograms(rows: DataFrame, columns: Sequence[str], bins: int = 40) -> pd.DataFrame:
    """Grain: a column and a bin that has rows. `column`, `low`, `high` (in the column's unit) and `rows`.

    A column of few whole numbers has a bin each; others have `bins` of equal width. Two jobs for all columns.
    """
    numbers = {name: F.col(quoted(name)).cast("double") for name in columns}
    asked = [
        F.struct(F.min(one), F.max(one), F.coalesce(F.bool_and(one == F.floor(one)), F.lit(False)))
        for one in numbers.values()
    ]
    scales = {
        name: _Scale.of(ends[0], ends[1], ends[2], bins)
        for name, ends in zip(columns, rows.agg(*asked).collect()[0], strict=True)
        if ends[0] is not None
    }
    each = [
        F.struct(F.lit(name).alias(_NAME), scale.bin(numbers[name]).alias(_BUCKET))
        for name, scale in scales.items()
    ]
    counts: pd.DataFrame = (
        rows.select(F.explode(F.array(*each)).alias("_input"))
        .select("_input.*")
        .filter(F.col(_BUCKET).isNotNull())
        .groupBy(_NAME, _BUCKET)
        .agg(F.count(F.lit(1)).alias("rows"))
        .toArrow()
        .to_pandas()
    )
    parts = []
    for name, scale in scales.items():
        own = counts[counts[_NAME] == name].sort_values(_BUCKET)
        low = scale.begin + own[_BUCKET] * scale.width
        parts.append(
            pd.DataFrame({"column": name, "low": low, "high": low + scale.width, "rows": own["rows"]})
        )
    return pd.concat(parts, ignore_index=True)


@dataclass(frozen=True)
class _Scale:
    """Bins of equal width: where the first begins, how wide they are, the number of the last."""

    begin: float
    width: float
    last: int

    @classmethod
    def of(cls, least: float, most: float, whole: bool, bins: int) -> _Scale:
        if whole and most - least < bins:
            return cls(least - 0.5, 1.0, int(most - least))
        return cls(least, (most - least) / bins or 1.0, bins - 1)

    def bin(self, number: Column) -> Column:
        place = F.least(F.floor((number - self.begin) / self.width), F.lit(self.last))
        return F.when(number.isNotNull(), place)  # least knows no null


def correlations(rows: DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Pearson's correlation of each pair of columns, over the rows in which all have a value; columns in and across."""
    numbers = rows.select(*(F.col(quoted(name)).cast("double").alias(name) for name in columns))
    vectors = VectorAssembler(inputCols=[*columns], outputCol="_all", handleInvalid="skip").transform(numbers)
    matrix = Correlation.corr(vectors, "_all").collect()[0][0].toArray()
    return pd.DataFrame(matrix, index=[*columns], columns=[*columns])


def told_alone(rows: DataFrame, use_case: UseCase, label: str) -> pd.DataFrame:
    """How much of the label each input tells by itself: R2 of the mean over the other rows of its bucket.

    A category's values are the buckets, a number has `BUCKETS` of equally many rows; each row is predicted without
    itself, so that many small buckets tell nothing by chance: a category with as many values as rows has 0. Grain: an
    input, the most telling first: `input`, `r2`.

    Args:
        rows: with all inputs and features.
        use_case: names the inputs.
        label: the label as an SQL expression, such as `ln(price)`.
    """
    numbers, categories = use_case.numbers, use_case.categories
    cuts = rows.agg(
        *(
            F.percentile_approx(F.col(quoted(name)).cast("double"), [n / BUCKETS for n in range(1, BUCKETS)])
            for name in numbers
        )
    ).collect()[0]
    parts = Bucketizer(
        # A value that is a cut itself, as of a column of few values, lies below it.
        splitsArray=[[-inf, *sorted({nextafter(one, inf) for one in cut or [0.0]}), inf] for cut in cuts],
        inputCols=[f"{_NUMBER}{n}" for n in range(len(numbers))],
        outputCols=[f"{_BUCKET}{n}" for n in range(len(numbers))],
        handleInvalid="keep",  # a number that is missing is a part of its own
    )
    cast = {f"{_NUMBER}{n}": F.col(quoted(name)).cast("double") for n, name in enumerate(numbers)}
    in_parts = parts.transform(rows.withColumns(cast))
    buckets = [
        F.struct(F.lit(name).alias(_NAME), F.col(f"{_BUCKET}{n}").cast("string").alias(_BUCKET))
        for n, name in enumerate(numbers)
    ]
    buckets += [
        F.struct(F.lit(name).alias(_NAME), F.col(quoted(name)).cast("string").alias(_BUCKET))
        for name in categories
    ]
    value = F.expr(label).cast("double")
    each = in_parts.select(value.alias(_SUM), F.explode(F.array(*buckets)).alias("_input")).select(
        _SUM, "_input.*"
    )
    sums = each.groupBy(_NAME, _BUCKET).agg(
        F.count(_SUM).alias(_COUNT), F.sum(F.col(_SUM) * F.col(_SUM)).alias(_SQUARES), F.sum(_SUM).alias(_SUM)
    )
    n, s, q = F.col(_COUNT), F.col(_SUM), F.col(_SQUARES)
    left = n * (n * q - s * s) / ((n - 1) * (n - 1))  # the sum of (y - mean of the others)^2
    found: pd.DataFrame = (
        sums.filter(n > 1)
        .groupBy(F.col(_NAME).alias("input"))
        .agg((1 - F.sum(left) / (F.sum(q) - F.sum(s) * F.sum(s) / F.sum(n))).alias("r2"))
        .toArrow()
        .to_pandas()
    )
    every = found.set_index("input").reindex([*numbers, *categories], fill_value=0.0)
    return every.sort_values("r2", ascending=False, kind="stable").reset_index()


def fences(rows: DataFrame, use_case: UseCase) -> pd.DataFrame:
    """Tukey's fences as training learns them. Grain: a `column`; `low`, `high` and how many rows lie `outside`.

    Args:
        rows: those that a run was free to learn from: its own fences are these.
        use_case: says of which columns, and how far from the quartiles; without `outliers` there are none.
    """
    bounds = Bounds.learn(rows, use_case.outliers).by_column
    if not bounds:
        return pd.DataFrame(columns=["column", "low", "high", "outside"])
    outside = rows.agg(
        *(F.count_if(~F.col(quoted(name)).between(low, high)) for name, (low, high) in bounds.items())
    ).collect()[0]
    return pd.DataFrame(
        [(name, *ends, count) for (name, ends), count in zip(bounds.items(), outside, strict=True)],
        columns=["column", "low", "high", "outside"],
    )
