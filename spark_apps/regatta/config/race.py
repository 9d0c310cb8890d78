"""The race as a use-case file asks for it: who runs, what is measured, and what a winner must show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from regatta.config.cron import Cron
from regatta.config.strict import ColumnName, Strict

Family = Literal["random_forest", "gbt", "linear_regression"]
Metric = Literal["rmse", "mse", "mae", "mape", "r2", "wape", "smape", "mase"]
Encoding = Literal["index", "one_hot", "target"]

LARGER_IS_BETTER: frozenset[Metric] = frozenset({"r2"})


class Candidates(Strict):
    """One family of estimators in the race: MLlib's own parameter names, each a value or a list to try."""

    encoding: Encoding | None = None
    """How categories become numbers. By default one_hot for the linear model and index for trees."""
    grid: Annotated[Mapping[str, Annotated[tuple[Any, ...], Field(strict=False)]], Field(strict=False)]

    @model_validator(mode="before")
    @classmethod
    def _parameters_stand_beside_the_encoding(cls, given: Any) -> Any:
        if not isinstance(given, dict) or "grid" in given:
            return given
        grid = {
            str(name): tuple(value) if isinstance(value, list) else (value,)
            for name, value in given.items()
            if name != "encoding"
        }
        return {"grid": grid} | ({"encoding": given["encoding"]} if "encoding" in given else {})

    @property
    def size(self) -> int:
        """How many candidates the family sends."""
        size = 1
        for values in self.grid.values():
            size *= len(values)
        return size


class Baselines(Strict):
    """The simplest answers, in the race so that "better than what?" is known: the mean, and these."""

    median_by: ColumnName | None = None
    """The median of the label among training rows with the same value of this column runs too."""
    columns: Annotated[tuple[ColumnName, ...], Field(strict=False)] = ()
    """Columns of the row that are each a prediction already, such as last month's price."""


class Gate(Strict):
    """What a challenger must show on the holdout before it may reign."""

    floor: Annotated[Mapping[Metric, float], Field(strict=False)] = {}
    """The least (for r2) or the most (for errors) that is acceptable; worse means possible drift."""
    improvement: Annotated[float, Field(ge=0, lt=1, strict=False)] = 0.0
    """By which share of the champion's metric the challenger must be better."""
    min_rows: Annotated[int, Field(ge=1)] = 100
    """Rows that both must have been held out from, for the comparison to mean anything."""
    baseline_may_reign: bool = False
    """Where no candidate beats the best baseline, that baseline is the challenger."""


class Schedule(Strict):
    """Cron expressions in UTC."""

    retrain: Cron = "@weekly"
    """When it is trained anew."""
    score: Cron = "@daily"
    """When new deliveries are scored."""
