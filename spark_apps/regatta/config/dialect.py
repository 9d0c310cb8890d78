"""How the files of a source are written."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from regatta.config.strict import Character, ColumnName, Strict

Encoding = Literal[
    "utf-8", "latin-1", "windows-1252", "iso-8859-2", "iso-8859-15", "windows-1250", "windows-1251"
]
"""In each of them a line feed is one byte that is part of no other character, which is what cuts lines."""

_BY_CODEC = {
    "utf-8": "utf-8",
    "utf-8-sig": "utf-8",  # the mark is taken off whether or not it is stated
    "ascii": "utf-8",
    "iso8859-1": "latin-1",
    "cp1252": "windows-1252",
    "iso8859-2": "iso-8859-2",
    "iso8859-15": "iso-8859-15",
    "cp1250": "windows-1250",
    "cp1251": "windows-1251",
}


def known_encoding(given: str) -> str:
    """The name that is used here for an encoding, however it was spelt; unknown ones as they were given."""
    try:
        return _BY_CODEC.get(codecs.lookup(given).name, given)
    except LookupError:
        return given


class Csv(Strict):
    """The dialect of a source's files. Of a parquet file only `header`, `ignore` and `missing` matter."""

    separator: Character = ","
    """The character between values."""
    quote: Character | None = '"'
    """The character around values that hold a separator; null where quotes mean nothing."""
    encoding: Encoding = "utf-8"
    """How characters are written as bytes."""
    comment: Character | None = None
    """Lines that begin with it are no rows."""
    missing: Annotated[tuple[str, ...], Field(strict=False)] = ("",)
    """Texts that mean that there is no value."""
    decimal: Literal[".", ","] = "."
    """The character before the fraction of a number."""
    thousands: Character | None = None
    """The character between groups of three digits."""
    names: Annotated[tuple[str, ...] | None, Field(strict=False, min_length=1)] = None
    """The columns in their order, for files without a header."""
    header: Annotated[Mapping[str, ColumnName], Field(strict=False)] = {}
    """Names in the file's header -> names used here, where they differ."""
    ignore: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """Columns of the file that are not read."""

    @field_validator("encoding", mode="before")
    @classmethod
    def _spelt_in_any_way(cls, given: Any) -> Any:
        return known_encoding(given) if isinstance(given, str) else given

    def number(self, *, whole: bool) -> str:
        """A regular expression for all of a decimal number's text, as Python and Java both read it.

        Spark's own cast would also take 1d, NaN and Infinity. Whole numbers may have a fraction of zeros ("3.0", as
        pandas writes them).
        """
        point = re.escape(self.decimal)
        digits = "[0-9]+"
        if self.thousands:
            digits = f"(?:[0-9]+|[0-9]{{1,3}}(?:{re.escape(self.thousands)}[0-9]{{3}})+)"
        if whole:
            return f"[+-]?{digits}(?:{point}0*)?"
        return f"[+-]?(?:{digits}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?"
