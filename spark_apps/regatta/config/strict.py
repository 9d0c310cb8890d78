"""What every model of a use-case file is made of: names that Spark can quote, and no key that is not known."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


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

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)
