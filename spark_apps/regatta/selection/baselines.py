"""The simplest answers, in the race so that "better than what?" always has one.

Their model is MLlib's own SQLTransformer, which adds `prediction` in the label's unit.
"""

from __future__ import annotations

from pyspark.ml import Estimator
from pyspark.ml.feature import SQLTransformer
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from regatta.config import UseCase
from regatta.config.table import quoted
from regatta.features.sql import adding, literal


class MeanBaseline(Estimator):  # type: ignore[misc]
    """Predicts the training part's mean."""

    def __init__(self, label: str) -> None:
        super().__init__()
        self.label = label

    def _fit(self, dataset: DataFrame) -> SQLTransformer:
        mean = dataset.agg(F.avg(F.col(quoted(self.label)).cast("double"))).head()[0]
        return SQLTransformer(statement=adding({"prediction": literal(mean)}))


class MedianByCategory(Estimator):  # type: ignore[misc]
    """Predicts the training part's median within the row's category, or over all where that was not seen."""

    def __init__(self, label: str, by: str) -> None:
        super().__init__()
        self.label = label
        self.by = by

    def _fit(self, dataset: DataFrame) -> SQLTransformer:
        median = F.median(F.col(quoted(self.label)).cast("double"))
        overall = dataset.agg(median).head()[0]
        category = F.col(quoted(self.by)).cast("string")
        known = dataset.filter(category.isNotNull()).groupBy(category).agg(median).collect()
        pairs = ", ".join(f"{literal(value)}, {literal(figure)}" for value, figure in sorted(known))
        found = f"try_element_at(map({pairs}), CAST({quoted(self.by)} AS STRING))" if known else "NULL"
        return SQLTransformer(statement=adding({"prediction": f"coalesce({found}, {literal(overall)})"}))


class ColumnBaseline(Estimator):  # type: ignore[misc]
    """Predicts what stands in a column of the row, or the training part's mean where nothing does.

    A column that has no value in the whole training part is taken as it is: no history, no forecast.
    """

    def __init__(self, label: str, column: str) -> None:
        super().__init__()
        self.label = label
        self.column = column

    def _fit(self, dataset: DataFrame) -> SQLTransformer:
        own = F.col(quoted(self.column))
        mean, known = dataset.agg(
            F.avg(F.col(quoted(self.label)).cast("double")), F.count_if(own.isNotNull())
        ).head()
        predicted = f"CAST({quoted(self.column)} AS DOUBLE)"
        prediction = f"coalesce({predicted}, {literal(mean)})" if known else predicted
        return SQLTransformer(statement=adding({"prediction": prediction}))


def baselines(use_case: UseCase) -> dict[str, Estimator]:
    """By the name that the leaderboard shows."""
    found: dict[str, Estimator] = {"mean": MeanBaseline(use_case.label)}
    if by := use_case.baselines.median_by:
        found[f"median by {by}"] = MedianByCategory(use_case.label, by)
    for column in use_case.baselines.columns:
        found[column] = ColumnBaseline(use_case.label, column)
    return found
