"""What is learnt from the training part and has no MLlib stage of its own.

Each is an Estimator whose model is MLlib's own SQLTransformer, so that a published pipeline needs nothing of
ours. (MLlib's Imputer refuses strings and integers that are to stay integers.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.ml import Estimator
from pyspark.ml.feature import SQLTransformer
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from regatta.config.inputs import Outliers
from regatta.config.table import quoted
from regatta.errors import InputError
from regatta.features.sql import Value, literal, replacing

LARGEST = literal(1.7976931348623157e308)


@dataclass(frozen=True)
class Fill:
    """What a column without a value becomes: `how` as in the use-case file, `value` for a constant.

    A `category` becomes text; with `finite`, NaN and infinities count as no value.
    """

    how: str
    value: Value | None = None
    category: bool = False
    finite: bool = False


class FillNulls(Estimator):  # type: ignore[misc]
    """Learns what stands in for missing values. Grain unchanged; the columns keep their names.

    Raises:
        InputError: from `fit`, if a column has no value at all in the training part.
    """

    def __init__(self, fills: Mapping[str, Fill]) -> None:
        super().__init__()
        self.fills = fills

    def _fit(self, dataset: DataFrame) -> SQLTransformer:
        learnt = self._learnt(dataset)
        empty = [column for column, value in learnt.items() if value is None]
        if empty:
            raise InputError(
                f"no row of the training part has a value in {', '.join(empty)}",
                way_out="take the column out of the model inputs, or use nulls: constant with a fill",
            )
        return SQLTransformer(
            statement=replacing(
                {column: self._filled(column, fill, learnt[column]) for column, fill in self.fills.items()}
            )
        )

    def _learnt(self, dataset: DataFrame) -> dict[str, Value | None]:
        """One job for all columns."""
        asked = {
            column: _statistic(_cleaned(column, fill), fill.how)
            for column, fill in self.fills.items()
            if fill.value is None and fill.how != "drop"
        }
        row = (
            dataset.agg(*[value.alias(column) for column, value in asked.items()]).first() if asked else None
        )
        given: dict[str, Value | None] = {column: fill.value for column, fill in self.fills.items()}
        given |= {column: "" for column, fill in self.fills.items() if fill.how == "drop"}
        return given | (row.asDict() if row else {})

    @staticmethod
    def _filled(column: str, fill: Fill, value: Value | None) -> str:
        cleaned = _cleaned_sql(column, fill)
        if fill.how == "drop":
            return cleaned
        assert value is not None
        return f"coalesce({cleaned}, {literal(str(value) if fill.category else value)})"


def _cleaned_sql(column: str, fill: Fill) -> str:
    if fill.category:
        return f"CAST({quoted(column)} AS STRING)"
    if fill.finite:
        number = f"CAST({quoted(column)} AS DOUBLE)"
        return f"CASE WHEN {number} BETWEEN -{LARGEST} AND {LARGEST} THEN {number} END"
    return quoted(column)


def _cleaned(column: str, fill: Fill) -> Column:
    return F.expr(_cleaned_sql(column, fill))


def _statistic(values: Column, how: str) -> Column:
    match how:
        case "median":
            return F.percentile_approx(values, 0.5, 10_000)
        case "mean":
            return F.avg(values)
        case "most_frequent":
            return F.mode(values, deterministic=True)
    raise ValueError(how)


@dataclass(frozen=True)
class Bounds:
    """Inclusive bounds by column; rows outside of any are outliers. Units: the columns' own."""

    by_column: Mapping[str, tuple[float, float]]

    @classmethod
    def learn(cls, training: DataFrame, outliers: Outliers | None) -> Bounds:
        """Tukey's fences on the training part, from exact quartiles (linear interpolation)."""
        if outliers is None:
            return cls({})
        quartiles = [
            F.percentile(F.col(quoted(c)), F.array(F.lit(0.25), F.lit(0.75))) for c in outliers.columns
        ]
        row: Sequence[Sequence[float] | None] = training.agg(*quartiles).first() or []
        fences = {}
        for column, found in zip(outliers.columns, row, strict=True):
            if found is not None:
                low, high = found
                reach = outliers.factor * (high - low)
                fences[column] = (low - reach, high + reach)
        return cls(fences)

    def inside(self, frame: DataFrame) -> DataFrame:
        """The rows that are no outliers; a row without a value is none."""
        for column, (low, high) in self.by_column.items():
            frame = frame.filter(F.col(quoted(column)).between(low, high) | F.col(quoted(column)).isNull())
        return frame
