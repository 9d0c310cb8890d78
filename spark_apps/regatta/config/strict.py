"""What every model of a use-case file is made of: names that Spark can quote, and no key that is not known."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Unfit(ValueError):
    """A value that will not do, and what would."""

    def __init__(self, fact: str, hint: str) -> None:
        super().__init__(fact)
        self.hint = hint


def _spark_can_quote(name: str) -> str:
    if not name.strip() or any(character in name for character in ".`\n\r\t"):
        raise Unfit(
            "a column name may not be blank nor hold a dot, a backtick, a tab or a line break",
            "choose another, and map the file's name to it under csv.header",
        )
    if name.startswith("_"):
        raise Unfit(
            "names that begin with an underscore are kept for regatta's own columns",
            "choose another, and map the file's name to it under csv.header",
        )
    return name


def _one_character(text: str) -> str:
    if len(text) != 1:
        raise Unfit(f"must be exactly one character, and not {text!r}", 'a tab is "\\t"')
    return text


def _stands_in_a_key(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", name) or ".." in name:
        raise Unfit(
            f"{name!r} cannot name a source",
            "it is a folder under raw/: use letters, digits, dots, dashes and underscores",
        )
    return name


def _is_no_folder_of_the_lake(name: str) -> str:
    if name in ("raw", "mlflow"):
        raise Unfit(f"{name} is a folder of the lake itself", "choose another name")
    return name


SourceName = Annotated[str, AfterValidator(_stands_in_a_key)]
Identifier = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64), AfterValidator(_is_no_folder_of_the_lake)
]
ColumnName = Annotated[str, AfterValidator(_spark_can_quote)]
Character = Annotated[str, AfterValidator(_one_character)]


class Strict(BaseModel):
    """Frozen, and no key that is not named here."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)
