"""The delivered table as a use-case file describes it: its files, its columns and rules."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from regatta.config.dialect import Csv
from regatta.config.strict import Strict

Role = Literal["train", "score"]
ColumnRole = Literal["key", "time", "label", "feature", "category", "info"]
ColumnType = Literal["string", "integer", "number", "boolean", "date", "timestamp"]
Level = Literal["reject", "warn"]


def as_written(given: Any) -> Any:
    """YAML reads 2015-01-31 as a date; what is kept is its text, so that a record of it reads back."""
    return given.isoformat() if isinstance(given, date | datetime) else given


def moment_of(bound: float | str) -> datetime | None:
    """A bound of a date or timestamp as a moment without a zone; None for what is none."""
    try:
        moment = datetime.fromisoformat(bound) if isinstance(bound, str) else None
    except ValueError:
        return None
    return moment.replace(tzinfo=None) if moment else None


Bound = Annotated[float | str, BeforeValidator(as_written)]


class Source(Strict):
    """A folder under raw/ in the lake, and how its files are to be read."""

    role: Role
    """train: rows with the label. score: rows without it."""
    format: Literal["csv", "parquet"] = "csv"
    """What its files are."""
    csv: Csv = Csv()
    """The dialect, if it is not the usual one."""


class Column(Strict):
    """One column of the delivered table: its type, what it is for, and what its values must obey."""

    type: ColumnType = "number"
    """A value that is none of the type is a reason to reject its row."""
    role: Annotated[tuple[ColumnRole, ...], Field(strict=False)] = ("info",)
    """What the column is for: one role or a list."""
    unit: str | None = None
    """Shown with every figure of the column; it is not converted."""
    description: str | None = None
    """For people."""
    format: Annotated[tuple[str, ...] | None, Field(strict=False, min_length=1)] = None
    """Spark's datetime pattern, or several to try in turn, for dates and timestamps that are not ISO 8601."""
    missing: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """Texts that mean "no value" in this column, besides those of the source."""
    sql: str | None = None
    """An expression over delivered texts, whose result is typed. If it reads the column's own text, it takes its
    place; if it reads others alone, files have no such column."""
    required: bool | None = None
    """Rows without a value are rejected. By default true for keys and times."""
    min: Bound | None = None
    """The smallest number, or the first day, that is accepted."""
    max: Bound | None = None
    """The largest number, or the last day, that is accepted."""
    above: Bound | None = None
    """Values must be greater than this."""
    below: Bound | None = None
    """Values must be less than this."""
    allowed: Annotated[tuple[str | bool | int | float, ...] | None, Field(strict=False, min_length=1)] = None
    """The only values that are accepted."""
    pattern: str | None = None
    """Java regular expression that the whole text must match."""
    max_length: Annotated[int | None, Field(gt=0)] = None
    """How many characters a string may have."""
    unique: bool = False
    """The second row of a delivery with the same value is rejected."""
    level: Level = "reject"
    """What becomes of rows that break the rules above, from `required` to `max_length`: `warn` only counts them."""
    nulls: Literal["median", "mean", "most_frequent", "constant", "drop"] | None = None
    """What a model input without a value becomes; by default the median of the training part, or for a
    category the constant "(missing)". `drop`: no training on such rows and no prediction for them."""
    fill: str | int | float | None = None
    """The value of `nulls: constant`."""

    @model_validator(mode="before")
    @classmethod
    def _one_needs_no_list(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        alone = {name for name in ("role", "format") if isinstance(given.get(name), str)}
        return {name: (value,) if name in alone else value for name, value in given.items()}

    @property
    def must_be_there(self) -> bool:
        """Whether a row without this value is rejected."""
        if self.required is not None:
            return self.required
        return "key" in self.role or "time" in self.role

    @property
    def is_moment(self) -> bool:
        """Whether its values are points in time."""
        return self.type in ("date", "timestamp")


class Rule(Strict):
    """A condition on a row as an SQL expression over the columns; a row that does not meet it is rejected."""

    name: str
    """The reason that a rejected row carries."""
    sql: str
    """What a row must meet."""
    level: Level = "reject"
    """`warn`: such a row is accepted and counted."""


def quoted(name: str) -> str:
    """A column's name as it stands in Spark SQL."""
    return f"`{name}`"


def spark_type(column: Column) -> str:
    """The type of a column's accepted values, in Spark SQL."""
    return {"integer": "bigint", "number": "double"}.get(column.type, column.type)
