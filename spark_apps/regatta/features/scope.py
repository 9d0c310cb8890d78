"""Which rows a model is about: those that meet every filter of the use case."""

from __future__ import annotations

from functools import reduce
from operator import and_

from pyspark.sql import Column
from pyspark.sql import functions as F

from regatta.config import UseCase
from regatta.config.expressions import columns_of


def in_scope(use_case: UseCase, *, to_score: bool = False) -> Column:
    """Whether a row meets every filter; where one cannot be told for want of a value, it does not.

    Args:
        use_case: has the filters.
        to_score: the row has no label yet, so that a filter that reads it says nothing.
    """
    held = [sql for sql in use_case.filters if not (to_score and use_case.label in columns_of(sql))]
    return reduce(and_, (F.coalesce(F.expr(sql).cast("boolean"), F.lit(False)) for sql in held), F.lit(True))
