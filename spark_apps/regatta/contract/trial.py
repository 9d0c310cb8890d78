"""What Spark itself refuses in a use case, asked before it meets data."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from functools import partial

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from regatta.config import UseCase
from regatta.config.table import spark_type
from regatta.errors import Fault, FaultyInput

_VARYING = "_varying"


def check_contract(spark: SparkSession, use_case: UseCase) -> None:
    """Let Spark try every rule, pattern, format and expression over a text.

    Raises:
        FaultyInput: with all that Spark refuses.
    """
    logging.getLogger("SQLQueryContextLogger").disabled = True  # it would print a stack trace of its own
    text = F.concat(F.lit("x"), F.col(_VARYING))
    of_rows = {f"rules.{rule.name}": F.expr(f"if({rule.sql}, 1, 0)") for rule in use_case.rules}
    of_texts = {}
    for name, column in use_case.columns.items():
        for pattern in column.format or ():
            of_rows[f"columns.{name}.format"] = F.try_to_timestamp(text, F.lit(pattern))
        if column.sql is not None:
            of_texts[f"columns.{name}.sql"] = F.expr(column.sql)
    refused = _refused(_one_row(spark, use_case), of_rows) | _refused(
        _one_row(spark, use_case, as_texts=True), of_texts
    )
    for name, column in use_case.columns.items():
        if column.pattern is not None:
            compiling = partial(spark._jvm.java.util.regex.Pattern.compile, column.pattern)
            refused[f"columns.{name}.pattern"] = _refusal(compiling)
    _raise(use_case, refused, "Spark cannot check rows against this contract:")


def check_inputs(spark: SparkSession, use_case: UseCase) -> None:
    """Let Spark try every filter and feature, and say what a feature must be.

    Raises:
        FaultyInput: with all that Spark refuses, and every numeric feature that is no number.
    """
    logging.getLogger("SQLQueryContextLogger").disabled = True
    frame = _one_row(spark, use_case)
    conditions = {f"filters[{at}]": F.expr(f"if({sql}, 1, 0)") for at, sql in enumerate(use_case.filters)}
    features = {f"features.{name}": F.expr(feature.sql) for name, feature in use_case.features.items()}
    refused = _refused(frame, conditions | features)
    for name, feature in use_case.features.items():
        subject = f"features.{name}"
        if not refused.get(subject) and feature.type == "number":
            kind = frame.select(features[subject]).schema[0].dataType
            if not isinstance(kind, T.NumericType | T.BooleanType | T.NullType):
                refused[subject] = (
                    f"it gives a {kind.simpleString()}, and a number is due (or type: category)"
                )
    _raise(use_case, refused, "Spark cannot compute the inputs of this use case:")


def _one_row(spark: SparkSession, use_case: UseCase, as_texts: bool = False) -> DataFrame:
    nulls = [
        F.lit(None).cast("string" if as_texts else spark_type(column)).alias(name)
        for name, column in use_case.columns.items()
    ]
    return spark.range(1).select(F.col("id").alias(_VARYING), *nulls)


def _refused(one: DataFrame, expressions: Mapping[str, Expression]) -> dict[str, str]:
    """By its place in the use case, what Spark says of each expression that it refuses."""
    if not expressions or not _refusal(lambda: one.select(*expressions.values()).collect()):
        return {}  # all at once, and singly only to find which
    return {
        subject: _refusal(partial(_computed, one, expression)) for subject, expression in expressions.items()
    }


def _computed(one: DataFrame, expression: Expression) -> None:
    one.select(expression).collect()


def _raise(use_case: UseCase, refused: Mapping[str, str], title: str) -> None:
    place = f"use case {use_case.use_case}"
    if faults := [
        Fault(place, subject, f"Spark refuses it: {said}") for subject, said in refused.items() if said
    ]:
        raise FaultyInput(title, faults)


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
