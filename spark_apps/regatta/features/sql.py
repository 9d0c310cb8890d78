"""Values and names as they stand in the SQL of a published model."""

from __future__ import annotations

from collections.abc import Iterable

from regatta.config.table import quoted

Value = str | bool | int | float


def literal(value: Value) -> str:
    """A Spark SQL literal that reads back as exactly this value."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value}L"
    if isinstance(value, float):
        return f"{value!r}D"
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def names(columns: Iterable[str]) -> str:
    """Several columns' names, quoted, with commas between."""
    return ", ".join(map(quoted, columns))


def replacing(columns: dict[str, str]) -> str:
    """A statement for SQLTransformer that puts expressions in the place of columns and keeps the others."""
    items = ", ".join(f"{expression} AS {quoted(column)}" for column, expression in columns.items())
    return f"SELECT * EXCEPT ({names(columns)}), {items} FROM __THIS__"


def adding(columns: dict[str, str]) -> str:
    """A statement for SQLTransformer that adds columns."""
    items = ", ".join(f"{expression} AS {quoted(column)}" for column, expression in columns.items())
    return f"SELECT *, {items} FROM __THIS__"
