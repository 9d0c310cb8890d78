"""Which entities take part, learnt at each origin from what was known then."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from regatta.config.panel import Panel
from regatta.config.table import quoted
from regatta.panels.values import POSITION, SEEN

TAKES_PART = "_takes_part"
"""For each origin in order, whether the row's entity takes part there."""


def participation(values: DataFrame, panel: Panel, known_until: Sequence[int]) -> DataFrame | None:
    """Entities that take part at some origin, or None where all do. Grain: an entity. Adds `_takes_part`.

    The largest are those with the largest sums over all periods up to an origin; of equal ones the first by name.

    Args:
        values: as `Observed.values`.
        panel: how many take part, and by what.
        known_until: the position of the last period that each origin knows.
    """
    if panel.participants.largest is None:
        return None
    entity = [F.col(quoted(name)) for name in panel.entity]
    value = F.col(quoted(panel.participants.by or panel.label))
    known = F.col(SEEN)
    sums = values.groupBy(*entity).agg(
        *(
            F.sum(F.when(known & (F.col(POSITION) <= until), value)).alias(f"_sum {number}")
            for number, until in enumerate(known_until)
        )
    )
    ranks = [
        F.row_number().over(Window.orderBy(F.col(f"`_sum {number}`").desc_nulls_last(), *entity))
        for number in range(len(known_until))
    ]
    chosen = [
        (rank <= panel.participants.largest) & F.col(f"`_sum {number}`").isNotNull()
        for number, rank in enumerate(ranks)
    ]
    return sums.select(*entity, F.array(*chosen).alias(TAKES_PART)).filter(F.array_contains(TAKES_PART, True))


def of_participants(values: DataFrame, taking: DataFrame | None, panel: Panel) -> DataFrame:
    """The values of entities that take part anywhere, before anything costly is made of them."""
    return values if taking is None else values.join(F.broadcast(taking), on=[*panel.entity], how="left_semi")


def with_participation(rows: DataFrame, taking: DataFrame | None, panel: Panel, origins: int) -> DataFrame:
    """Add `_takes_part`, an array of as many booleans as there are origins. Grain unchanged."""
    if taking is None:
        return rows.withColumn(TAKES_PART, F.array(*[F.lit(True)] * origins))
    return rows.join(F.broadcast(taking), on=[*panel.entity], how="inner")
