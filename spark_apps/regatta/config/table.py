"""The delivered table as a use-case file describes it: its files, how they are read, its columns and rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Role = Literal["train", "score"]
ColumnRole = Literal["key", "time", "label", "feature", "category", "info"]
ColumnType = Literal["string", "integer", "number", "boolean", "date", "timestamp"]


def _spark_can_quote(name: str) -> str:
    if not name.strip() or any(character in name for character in ".`\n\r\t"):
        raise ValueError("a column name may not be blank nor hold a dot, a backtick, a tab or a line break")
    if name.startswith("_"):
        raise ValueError("names that begin with an underscore are kept for regatta's own columns")
    return name


def _one_character(text: str) -> str:
    if len(text) != 1:
        raise ValueError("must be exactly one character")
    return text


ColumnName = Annotated[str, AfterValidator(_spark_can_quote)]
Character = Annotated[str, AfterValidator(_one_character)]


class Strict(BaseModel):
    """Frozen, and no key that is not named here."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Csv(Strict):
    """The dialect of a source's CSV files."""

    separator: Character = ","
    quote: Character = '"'
    encoding: Literal["utf-8", "latin-1", "windows-1252"] = "utf-8"
    missing: Annotated[tuple[str, ...], Field(strict=False)] = ("",)
    """Texts that mean that there is no value."""
    decimal: Literal[".", ","] = "."
    thousands: Character | None = None
    header: Annotated[Mapping[str, ColumnName], Field(strict=False)] = {}
    """Names in the file's header -> names used here, where they differ."""
    ignore: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """Columns of the file that are not read."""


class Source(Strict):
    """A folder under raw/ in the lake, and how its files are to be read."""

    role: Role
    csv: Csv = Csv()


class Column(Strict):
    """One column of the delivered table: its type, what it is for, and what its values must obey."""

    type: ColumnType = "number"
    role: Annotated[tuple[ColumnRole, ...], Field(strict=False)] = ("info",)
    unit: str | None = None
    description: str | None = None
    format: str | None = None
    """Spark's datetime pattern, for dates and timestamps that are not ISO 8601."""
    required: bool | None = None
    """Rows without a value are rejected. By default true for keys and times."""
    min: float | None = None
    max: float | None = None
    above: float | None = None
    below: float | None = None
    allowed: Annotated[tuple[str | bool | int | float, ...] | None, Field(strict=False)] = None
    pattern: str | None = None
    """Java regular expression that the whole text must match."""
    max_length: Annotated[int | None, Field(gt=0)] = None
    nulls: Literal["median", "mean", "most_frequent", "constant", "drop"] | None = None
    """What a model input without a value becomes; by default the median of the training part, or for a
    category the constant "(missing)". `drop`: no training on such rows and no prediction for them."""
    fill: str | int | float | None = None
    """The value of `nulls: constant`."""

    @model_validator(mode="before")
    @classmethod
    def _one_role_needs_no_list(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(given.get("role"), str):
            return {**given, "role": (given["role"],)}
        return given

    @property
    def must_be_there(self) -> bool:
        """Whether a row without this value is rejected."""
        if self.required is not None:
            return self.required
        return "key" in self.role or "time" in self.role


class Rule(Strict):
    """A condition on a row as an SQL expression over the columns; a row that does not meet it is rejected."""

    name: str
    sql: str
    level: Literal["reject", "warn"] = "reject"


def quoted(name: str) -> str:
    """A column's name as it stands in Spark SQL."""
    return f"`{name}`"
