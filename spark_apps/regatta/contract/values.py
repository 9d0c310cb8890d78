"""From the text of a value to the value: exactly what the contract's type allows, or null.

Nothing is guessed: a text that is not wholly a value of its type is none. Texts that mean "no value" are told from
texts that are wrong by `present`.
"""

from __future__ import annotations

import re
from functools import reduce
from operator import or_

from pyspark.sql import Column as Expression
from pyspark.sql import functions as F

from regatta.config.dialect import Csv
from regatta.config.table import Column, spark_type

_ISO_DATE = r"\d{4}-\d{2}-\d{2}"
_ISO_TIMESTAMP = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?)?"
_YES, _NO = ("true", "yes", "1"), ("false", "no", "0")


BLANKS = " \t\u00a0"
"""What may stand around a value: space, tab and no-break space."""


def blank_free(text: Expression) -> Expression:
    """The text without the blanks around it.

    Spark trims a set of characters far slower than spaces alone, and the others are rare.
    """
    has_others = reduce(or_, (text.contains(blank) for blank in BLANKS if blank != " "))
    return F.when(has_others, F.btrim(text, F.lit(BLANKS))).otherwise(F.trim(text))


def present(text: Expression, settings: Csv, column: Column) -> Expression:
    """The text without the blanks around it; null where there is no value.

    An empty text never is a value, whether or not `missing` of the source or of the column lists it.
    """
    trimmed = blank_free(text)
    there = F.when(~trimmed.isin(sorted(_missing(settings, column))), trimmed)
    plain = _plain(text, settings, column)
    return there if plain is None else F.when(plain.isNotNull(), text).otherwise(there)


def _missing(settings: Csv, column: Column) -> set[str]:
    return {"", *(token.strip(BLANKS) for token in (*settings.missing, *column.missing))}


def _plain(text: Expression, settings: Csv, column: Column) -> Expression | None:
    """The whole number that is spelt in the shortest way, null for any other text; None where that settles nothing.

    Most texts of most files are such numbers, and what can be written back as the same text has nothing to trim and
    nothing to match: no pattern is tried on it, no blank looked for. The cast is the lenient one, which is cheaper
    where it fails.
    """
    numbers_are_values = not any(re.fullmatch("-?[0-9]+", token) for token in _missing(settings, column))
    if column.type not in ("integer", "number") or not numbers_are_values:
        return None
    number = text.cast("bigint")
    return F.when(number.cast("string") == text, number)


def typed(text: Expression, clean: Expression, column: Column, settings: Csv) -> Expression:
    """The value of a text; null where there is none, or none of the type.

    Strings stay as delivered, blanks around them included. Whole numbers may have a fraction of zeros ("3.0", as
    pandas writes them) and become bigint; numbers become double, and infinite where a double cannot hold them.

    Args:
        text: as delivered.
        clean: what `present` made of it.
        column: what the contract says of it.
        settings: of the source.
    """
    match column.type:
        case "string":
            return F.when(clean.isNotNull(), text)
        case "integer" | "number":
            whole = column.type == "integer"
            is_one = clean.rlike(whole_text(settings.number(whole=whole)))
            number = F.when(is_one, _in_sql(clean, settings, whole=whole))
            plain = _plain(text, settings, column)
            return number if plain is None else F.coalesce(plain.cast(spark_type(column)), number)
        case "boolean":
            lower = F.lower(clean)
            return F.when(lower.isin(*_YES), True).when(lower.isin(*_NO), False)
        case "date" | "timestamp":
            return _moment(clean, column)


def in_words(column: Column) -> str:
    """What is said of a text that is no value of the column's type."""
    match column.type:
        case "integer":
            return "is not a whole number"
        case "boolean":
            return "is not true or false"
        case "date":
            return f"is not a date like {' or '.join(column.format or ['2015-01-31'])}"
        case "timestamp":
            return f"is not a timestamp like {' or '.join(column.format or ['2015-01-31T12:30:00'])}"
        case kind:
            return f"is not a {kind}"


def _in_sql(clean: Expression, settings: Csv, *, whole: bool) -> Expression:
    if settings.thousands:
        clean = F.replace(clean, F.lit(settings.thousands), F.lit(""))
    if settings.decimal != ".":
        clean = F.replace(clean, F.lit(settings.decimal), F.lit("."))
    return F.substring_index(clean, ".", 1).try_cast("bigint") if whole else clean.try_cast("double")


def _moment(clean: Expression, column: Column) -> Expression:
    if column.format:
        moment = F.coalesce(*(F.try_to_timestamp(clean, F.lit(pattern)) for pattern in column.format))
        return moment.cast("date") if column.type == "date" else moment
    # Spark's cast would also take 2015, 2015-2-3 and 2015-02-03Tanything.
    pattern = _ISO_DATE if column.type == "date" else _ISO_TIMESTAMP
    return F.when(clean.rlike(whole_text(pattern)), clean.try_cast(column.type))


def whole_text(pattern: str) -> str:
    """A Java regular expression that matches all of a text: `$` would let a line break stand behind it."""
    return rf"\A(?:{pattern})\z"
