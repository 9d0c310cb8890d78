"""The first rows of a delivery, judged by the contract, with all that a model would read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from regatta.config import UseCase
from regatta.config.table import quoted
from regatta.contract import reading, rows
from regatta.contract.preflight import Sound
from regatta.contract.rules import checks, reasons, sound
from regatta.features.scope import in_scope
from regatta.lake import Store

LOOKED_AT = 1_000


@dataclass(frozen=True)
class Looked:
    """A few rows of one delivery.

    Attributes:
        count: how many were looked at.
        of: how many there are.
        reasons: (column or None, rule, an example) -> rows that are rejected for it.
        values: of the rows that are sound, a list a column and feature, in the order of the rows.
        in_scope: of the same rows, whether they meet the filters.
    """

    count: int
    of: int
    reasons: Mapping[tuple[str | None, str], tuple[int, str]]
    values: Mapping[str, Sequence[Any]]
    in_scope: Sequence[bool]

    @property
    def sound(self) -> int:
        """How many rows have no fault of their own."""
        return len(self.in_scope)


def look(spark: SparkSession, store: Store, use_case: UseCase, delivery: Sound) -> Looked:
    """Read the first rows of a delivery's files; what cannot be computed is null."""
    session, use_case = reading.text_session(spark), use_case.of_lines
    delivered = rows.delivered(session, use_case, reading.parts(store, [delivery])).limit(LOOKED_AT)
    features = {name: F.expr(feature.sql).alias(name) for name, feature in use_case.features.items()}
    held = checks(use_case)
    found = delivered.select(
        sound(held).alias("_sound"),
        reasons(held).alias("_reasons"),
        in_scope(use_case).alias("_in_scope"),
        *map(quoted, use_case.columns),
        *features.values(),
    ).collect()
    broken: dict[tuple[str | None, str], tuple[int, str]] = {}
    for row in found:
        for column, rule, value in row["_reasons"] if not row["_sound"] else ():
            count, example = broken.get((column, rule), (0, value or ""))
            broken[column, rule] = (count + 1, example)
    kept = [row for row in found if row["_sound"]]
    names = [*use_case.columns, *features]
    return Looked(
        count=len(found),
        of=delivery.rows,
        reasons=broken,
        values={name: [row[name] for row in kept] for name in names},
        in_scope=[row["_in_scope"] for row in kept],
    )
