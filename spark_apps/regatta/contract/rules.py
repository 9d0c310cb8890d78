"""What the contract asks of a row, as one list of checks: each names a column, a rule in words, and who fails it.

The checks read the columns that `rows.read` makes: typed values under their own names, and the delivered texts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column as Expression
from pyspark.sql import functions as F

from regatta.config import UseCase
from regatta.config.expressions import columns_of
from regatta.config.table import Column, Level, Rule, quoted
from regatta.contract.values import in_words, whole_text

FAULT = "_fault"
"""What is wrong with a row as a whole, such as too few values; its values are then not judged."""
LABELLED = "_labelled"
"""Whether the row comes from a source that is due to have the label."""
SHOWN = 100  # characters of a value that a reason repeats; the original row has them all
FIRST_YEAR = 1583
"""The first whole year of the present calendar: a date before it is far likelier a misspelt one."""
REASON = "struct<column: string, rule: string, value: string>"


@dataclass(frozen=True)
class Check:
    """One thing that the contract asks.

    Attributes:
        column: the column that it is about; None for a row as a whole.
        rule: in words, as the reason shows it.
        fails: true for rows that do not meet it; null counts as false.
    """

    column: str | None
    rule: str | Expression
    fails: Expression

    @property
    def label(self) -> str:
        """What the rows that break it are counted under."""
        return f"{self.column}: {self.rule}" if self.column else str(self.rule)

    def reason(self) -> Expression:
        """The reason on rows that fail, null on others."""
        value = F.substring(text_of(self.column), 1, SHOWN) if self.column else F.lit(None)
        rule = F.lit(self.rule) if isinstance(self.rule, str) else self.rule
        entry = F.struct(F.lit(self.column), rule, value).cast(REASON)
        return F.when(self.fails, entry)


def text_of(column: str) -> Expression:
    """The column's text as delivered, null where there is no value."""
    return F.col(quoted(text_name(column)))


def text_name(column: str) -> str:
    """Where `rows.read` keeps a column's text."""
    return f"_text of {column}"


def checks(use_case: UseCase) -> list[Check]:
    """All that may reject a row as it stands; duplicates are a matter of several rows."""
    of_types = [
        check
        for name, column in use_case.columns.items()
        for check in _of_type(name, column, use_case.withheld)
    ]
    return [*of_types, *_of_zones(use_case), *_at_level("reject", use_case)]


def warnings(use_case: UseCase) -> list[Check]:
    """All that is only counted. They read typed values alone."""
    return _at_level("warn", use_case)


def _at_level(level: Level, use_case: UseCase) -> list[Check]:
    of_values = [
        check
        for name, column in use_case.columns.items()
        if column.level == level
        for check in _of_values(name, column)
    ]
    of_rows = [Check(None, rule.name, broken(rule)) for rule in use_case.rules if rule.level == level]
    return of_values + of_rows


def sound(held: Iterable[Check]) -> Expression:
    """True for rows that are whole and meet every check, else false."""
    never = F.lit(False)
    # Not a chain of `or`: Spark goes into it by recursion, and some hundred checks would end in a stack overflow.
    fails = F.greatest(never, never, *(check.fails for check in held))
    return F.col(FAULT).isNull() & ~fails


def reasons(held: Iterable[Check]) -> Expression:
    """Every reason that applies, as an array; of a row that is not whole, that alone."""
    of_the_row = F.array(Check(None, F.col(FAULT), F.lit(True)).reason())
    of_values = F.array(*(check.reason() for check in held))
    return F.when(F.col(FAULT).isNotNull(), of_the_row).otherwise(F.array_compact(of_values))


def broken(rule: Rule) -> Expression:
    """True where the rule's expression is false, or cannot be computed although all that it reads has a value.

    So a missing value passes, as in an SQL CHECK, and a division by zero does not. It takes a session in which
    such a division gives null (`rows.text_session`); with spark.sql.ansi.enabled it would end the job.
    """
    holds = F.expr(rule.sql)
    complete = [F.col(quoted(name)).isNotNull() for name in sorted(columns_of(rule.sql))]
    all_there = reduce(lambda left, right: left & right, complete, F.lit(True))
    return ~F.coalesce(holds, ~all_there)


def _of_type(name: str, column: Column, withheld: Collection[str]) -> Iterator[Check]:
    value, text = F.col(quoted(name)), text_of(name)
    if column.must_be_there:
        due = F.col(LABELLED) if name in withheld else F.lit(True)
        yield Check(name, "is required", text.isNull() & due)
    if column.type != "string" or column.sql is not None:
        yield Check(name, in_words(column), text.isNotNull() & value.isNull())
    if column.type == "number":
        yield Check(name, "is too large for a number", F.abs(value) == float("inf"))
    if column.is_moment and column.min is None and column.above is None:
        yield Check(
            name, f"is before the year {FIRST_YEAR} (set min to accept it)", F.year(value) < FIRST_YEAR
        )


def _of_zones(use_case: UseCase) -> Iterator[Check]:
    """Times with and without an offset from UTC do not compare, so one kind is taken and the other is not."""
    time = use_case.time
    if use_case.zoned is None or time is None or use_case.columns[time].type != "timestamp":
        return
    if use_case.columns[time].format:
        return  # the format itself says whether there is an offset
    has_offset = text_of(time).rlike(r"(Z|[+-]\d{2}:\d{2})$")
    if use_case.zoned:
        yield Check(time, "has no offset from UTC, and panel.time_zone is set", ~has_offset)
    else:
        yield Check(time, "has an offset from UTC, and panel.time_zone is not set", has_offset)


def _of_values(name: str, column: Column) -> Iterator[Check]:
    value = F.col(quoted(name))

    def bound(given: float | str) -> Expression:
        return F.lit(given).cast(column.type) if column.is_moment else F.lit(given)

    if column.min is not None:
        yield Check(name, f"must be at least {_figure(column.min)}", value < bound(column.min))
    if column.max is not None:
        yield Check(name, f"must be at most {_figure(column.max)}", value > bound(column.max))
    if column.above is not None:
        yield Check(name, f"must be above {_figure(column.above)}", value <= bound(column.above))
    if column.below is not None:
        yield Check(name, f"must be below {_figure(column.below)}", value >= bound(column.below))
    if column.allowed is not None:
        yield Check(name, f"must be one of {', '.join(map(_figure, column.allowed))}", ~_among(value, column))
    if column.pattern is not None:
        yield Check(name, f"must match {column.pattern}", ~value.rlike(whole_text(column.pattern)))
    if column.max_length is not None:
        characters = "character" if column.max_length == 1 else "characters"
        yield Check(
            name,
            f"must have at most {column.max_length} {characters}",
            F.char_length(value) > column.max_length,
        )


def _among(value: Expression, column: Column) -> Expression:
    allowed = column.allowed or ()
    if column.type in ("integer", "number"):
        return value.isin([float(one) for one in allowed])
    if column.type == "boolean":
        return value.isin([bool(one) for one in allowed])
    return value.cast("string").isin([str(one) for one in allowed])


def _figure(value: str | bool | int | float) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
