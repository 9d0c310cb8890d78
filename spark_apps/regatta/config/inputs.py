"""Model inputs that a use-case file computes, the form of its label, and which rows are learnt from or held out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from regatta.config.strict import ColumnName, Strict
from regatta.config.table import as_written

LabelTransform = Literal["none", "log", "signed_sqrt"]

Fraction = Annotated[float, Field(gt=0, lt=1)]


class Feature(Strict):
    """A model input computed from a row's own columns."""

    sql: str
    """An expression over the columns of one row."""
    type: Literal["number", "category"] = "number"
    """What the expression gives."""
    buckets: Annotated[int | None, Field(ge=2, le=100)] = None
    """The number becomes a category: which of so many buckets, equally full in the training part, it is in."""
    unit: str | None = None
    """For people."""

    @model_validator(mode="before")
    @classmethod
    def _an_expression_alone(cls, given: Any) -> Any:
        return {"sql": given} if isinstance(given, str) else given

    @property
    def is_category(self) -> bool:
        """Whether models see it as a name and not as a number."""
        return self.type == "category" or self.buckets is not None


class Outliers(Strict):
    """Rows left out of training (of nothing else): outside quartile -+ `factor` x interquartile range.

    The bounds are learnt on the training part of each split (Tukey, Exploratory Data Analysis, 1977, 2D).
    """

    method: Literal["iqr"] = "iqr"
    """iqr: the distance between the quartiles."""
    factor: Annotated[float, Field(gt=0, strict=False)] = 1.5
    """How many such distances a value may lie outside; larger keeps more rows."""
    columns: Annotated[tuple[ColumnName, ...], Field(strict=False, min_length=1)]
    """Numeric columns."""


class Split(Strict):
    """Which rows are held out for good, which are judged in which fold, and how rows lie on partitions."""

    holdout: Fraction = 0.2
    """The share of groups that is held out."""
    holdout_from: Annotated[int | str | None, BeforeValidator(as_written)] = None
    """Rows whose time is this or later are held out, in place of a share."""
    folds: Annotated[int, Field(ge=2, le=20)] = 3
    """How many times each candidate is trained."""
    group: Annotated[tuple[ColumnName, ...] | None, Field(strict=False, min_length=1)] = None
    """Rows that share these columns stay together. By default the key without its time, or all columns."""
    salt: str = "regatta"
    """Another one draws another holdout and other folds."""
    partitions: Annotated[int, Field(ge=1, le=10_000)] = 2
    """Over how many partitions the training rows lie."""

    @model_validator(mode="before")
    @classmethod
    def _one_column_needs_no_list(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(given.get("group"), str):
            return {**given, "group": (given["group"],)}
        return given
