"""What the contract asks of a row, as one list of checks: each names a column, a rule in words, and who fails it.

The checks read the columns that `rows.read` makes: typed values under their own names, and the delivered texts.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial, reduce
from operator import or_

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import Column as Expression
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from regatta.config import UseCase
from regatta.config.expressions import columns_of
from regatta.config.table import Column, Rule, quoted
from regatta.contract.values import in_words, spark_type
from regatta.errors import Fault, FaultyInput

FAULT = "_fault"
"""What is wrong with a row as a whole, such as too few values; its values are then not judged."""
LABELLED = "_labelled"
"""Whether the row comes from a source that is due to have the label."""
SHOWN = 100  # characters of a value that a reason repeats; the original row has them all
_VARYING = "_varying"
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
    rule: Expression
    fails: Expression

    def reason(self) -> Expression:
        """The reason on rows that fail, null on others."""
        value = F.substring(text_of(self.column), 1, SHOWN) if self.column else F.lit(None)
        entry = F.struct(F.lit(self.column), self.rule, value).cast(REASON)
        return F.when(self.fails, entry)


def text_of(column: str) -> Expression:
    """The column's text as delivered, null where there is no value."""
    return F.col(quoted(text_name(column)))


def text_name(column: str) -> str:
    """Where `rows.read` keeps a column's text."""
    return f"_text of {column}"


def checks(use_case: UseCase) -> list[Check]:
    """All that may reject a row as it stands; duplicates are a matter of several rows."""
    of_values = [
        check
        for name, column in use_case.columns.items()
        for check in _of_a_column(name, column, use_case.withheld)
    ]
    of_rows = [
        Check(None, F.lit(rule.name), broken(rule)) for rule in use_case.rules if rule.level == "reject"
    ]
    return [*of_values, *_of_zones(use_case), *of_rows]


def sound(use_case: UseCase) -> Expression:
    """True for rows that are whole and meet every check, else false."""
    fails = reduce(or_, (check.fails for check in checks(use_case)), F.lit(False))
    return F.col(FAULT).isNull() & ~F.coalesce(fails, F.lit(False))


def reasons(use_case: UseCase) -> Expression:
    """Every reason that applies, as an array; of a row that is not whole, that alone."""
    of_the_row = F.array(Check(None, F.col(FAULT), F.lit(True)).reason())
    of_values = F.array(*(check.reason() for check in checks(use_case)))
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


def check_contract(spark: SparkSession, use_case: UseCase) -> None:
    """Let Spark try every rule, pattern and format before it meets data.

    Raises:
        FaultyInput: with all that Spark refuses.
    """
    logging.getLogger("SQLQueryContextLogger").disabled = True  # it would print a stack trace of its own
    nulls = [F.lit(None).cast(spark_type(column)).alias(name) for name, column in use_case.columns.items()]
    one = spark.range(1).select(F.col("id").alias(_VARYING), *nulls)
    expressions = _expressions(use_case)
    refused = {}
    if _refusal(lambda: one.select(*expressions.values()).collect()):  # all at once, and singly to find which
        for subject, expression in expressions.items():
            refused[subject] = _refusal(lambda: one.select(expression).collect())  # noqa: B023
    for name, column in use_case.columns.items():
        if column.pattern is not None:
            compiling = partial(spark._jvm.java.util.regex.Pattern.compile, column.pattern)
            refused[f"columns.{name}.pattern"] = _refusal(compiling)
    place = f"use case {use_case.use_case}"
    if faults := [
        Fault(place, subject, f"Spark refuses it: {said}") for subject, said in refused.items() if said
    ]:
        raise FaultyInput("Spark cannot check rows against this contract:", faults)


def _expressions(use_case: UseCase) -> dict[str, Expression]:
    """By its place in the use case: each rule and format, in an expression that Spark cannot but compute."""
    expressions = {f"rules.{rule.name}": F.expr(f"if({rule.sql}, 1, 0)") for rule in use_case.rules}
    text = F.concat(F.lit("x"), F.col(_VARYING))
    for name, column in use_case.columns.items():
        if column.format is not None:
            expressions[f"columns.{name}.format"] = F.try_to_timestamp(text, F.lit(column.format))
    return expressions


def _refusal(trial: Callable[[], object]) -> str:
    """What Spark says of a trial, in one line; empty where it goes well."""
    try:
        trial()
    except PySparkException as error:
        lines = re.sub(r"^\[\S+\] ", "", str(error).strip()).splitlines()
        return lines[1].partition(". ")[0] if lines[0].endswith(":") else lines[0]
    except Py4JJavaError as error:
        return str(error.java_exception.getMessage()).splitlines()[0]
    return ""


def _of_a_column(name: str, column: Column, withheld: Collection[str]) -> Iterator[Check]:
    value, text = F.col(quoted(name)), text_of(name)

    def check(rule: str, fails: Expression) -> Check:
        return Check(name, F.lit(rule), fails)

    if column.must_be_there:
        due = F.col(LABELLED) if name in withheld else F.lit(True)
        yield check("is required", text.isNull() & due)
    if column.type != "string":
        yield check(in_words(column), text.isNotNull() & value.isNull())
    if column.type == "number":
        yield check("is too large for a number", F.abs(value) == float("inf"))
    if column.min is not None:
        yield check(f"must be at least {_figure(column.min)}", value < column.min)
    if column.max is not None:
        yield check(f"must be at most {_figure(column.max)}", value > column.max)
    if column.above is not None:
        yield check(f"must be above {_figure(column.above)}", value <= column.above)
    if column.below is not None:
        yield check(f"must be below {_figure(column.below)}", value >= column.below)
    if column.allowed is not None:
        yield check(f"must be one of {', '.join(map(_figure, column.allowed))}", ~_among(value, column))
    if column.pattern is not None:
        yield check(f"must match {column.pattern}", ~value.rlike(_whole(column.pattern)))
    if column.max_length is not None:
        characters = "character" if column.max_length == 1 else "characters"
        yield check(
            f"must have at most {column.max_length} {characters}", F.char_length(value) > column.max_length
        )


def _of_zones(use_case: UseCase) -> Iterator[Check]:
    """Times with and without an offset from UTC do not compare, so one kind is taken and the other is not."""
    time = use_case.time
    if use_case.zoned is None or time is None or use_case.columns[time].type != "timestamp":
        return
    written = use_case.columns[time].format
    if written is not None:
        return  # the format itself says whether there is an offset
    has_offset = text_of(time).rlike(r"(Z|[+-]\d{2}:\d{2})$")
    if use_case.zoned:
        yield Check(time, F.lit("has no offset from UTC, and panel.time_zone is set"), ~has_offset)
    else:
        yield Check(time, F.lit("has an offset from UTC, and panel.time_zone is not set"), has_offset)


def _among(value: Expression, column: Column) -> Expression:
    allowed = column.allowed or ()
    if column.type in ("integer", "number"):
        return value.isin([float(one) for one in allowed])
    if column.type == "boolean":
        return value.isin([bool(one) for one in allowed])
    return value.cast("string").isin([str(one) for one in allowed])


def _whole(pattern: str) -> str:
    return rf"\A(?:{pattern})\z"


def _figure(value: str | bool | int | float) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
