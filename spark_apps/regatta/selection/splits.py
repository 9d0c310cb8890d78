"""Which rows are held out for good, which fold judges which rows, and how rows lie on partitions.

Membership is a hash of the row's group, salted: it needs no memory, holds for every later run, and keeps
rows of one group together.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from regatta.config import UseCase
from regatta.config.table import spark_type

HOLDOUT = "_holdout"
FOLD = "_fold"
STEPS = 1_000_000  # the finest share that a split can have


def held_out(use_case: UseCase) -> Column:
    """Whether a row is in the holdout: the same answer for the same row in every run of this split.

    With `holdout_from` its time says so, else the hash of its group.
    """
    if (start := use_case.split.holdout_from) is not None and use_case.time is not None:
        return F.col(f"`{use_case.time}`") >= F.lit(start).cast(spark_type(use_case.columns[use_case.time]))
    return _hash(use_case, "holdout", STEPS) < round(use_case.split.holdout * STEPS)


def fold(use_case: UseCase) -> Column:
    """The number, from 0, of the fold that judges the row."""
    return _hash(use_case, "fold", use_case.split.folds).cast("int")


def laid_out(frame: DataFrame, use_case: UseCase) -> DataFrame:
    """Put every row where its content, and nothing else, says: the same rows in the same order every time.

    What MLlib learns depends on partitions and on the order within them, down to whole percents of a forest's
    error, so the layout is a part of the input. It comes from the use case, never from the number of cores.
    """
    by_content = [F.col(f"`{name}`") for name in (*use_case.identity, *use_case.columns)]
    return frame.repartition(
        use_case.split.partitions, _hash(use_case, "layout", STEPS)
    ).sortWithinPartitions(*by_content)


def _hash(use_case: UseCase, purpose: str, modulus: int) -> Column:
    columns = [F.col(f"`{name}`") for name in use_case.group]
    salt = F.lit(f"{use_case.split.salt}:{purpose}")
    return F.pmod(F.xxhash64(salt, *columns), F.lit(modulus))
