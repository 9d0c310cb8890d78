"""Accepted rows, as later steps read them: by the records, so that only what was published whole is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from regatta.config import UseCase
from regatta.config.table import Role, quoted, spark_type
from regatta.errors import InputError
from regatta.lake import Ingested, Lake, layout
from regatta.lake.deliveries import deliveries
from regatta.panels.values import Lines


@dataclass(frozen=True)
class Accepted:
    """Rows of several deliveries as one table.

    Attributes:
        rows: `delivery`, `file`, `row` and the contract's columns. Grain: one row a key, or without a key one row
            a line of a file.
        read: accepted rows of all the deliveries, superseded ones included.
        superseded: rows left out because a later delivery has their key.
        deliveries: their verdicts, in their order; those refused whole are not among them.
    """

    rows: DataFrame
    read: int
    superseded: int
    deliveries: tuple[Ingested, ...]


def accepted(
    spark: SparkSession, lake: Lake, role: Role, as_of: datetime | None = None, delivery: str | None = None
) -> Accepted:
    """The accepted rows of a source's deliveries under the present contract.

    A key that is in several deliveries has its row from the latest one by (`delivered_at`, `delivery`). Counting
    the rows that this leaves out is a Spark job over the keys; with one delivery, or without a key, there is none.

    Args:
        spark: any session.
        lake: of the use case.
        role: which source.
        as_of: as if nothing had been delivered later.
        delivery: this one alone.

    Raises:
        InputError: nothing is ingested, or not the delivery that was asked for, or it was refused.
    """
    records = ingested(lake, role, as_of)
    if delivery is not None:
        records = [record for record in records if record.delivery == delivery]
    taken = [record for record in records if record.refused is None]
    if not taken:
        raise _nothing(lake.use_case, role, delivery, records)
    contract = lake.use_case.contract
    paths = [
        path
        for record in taken
        for path in lake.ingested.paths(record, layout.accepted(contract, record.delivery))
    ]
    rows = typed_rows(spark, lake.use_case, paths)
    read = sum(record.accepted for record in taken)
    superseded = 0
    if lake.use_case.key and len(taken) > 1:
        rows = _newest(rows, lake.use_case.key, [record.delivery for record in taken])
        superseded = read - rows.count()
    return Accepted(rows, read, superseded, tuple(taken))


def known_in_advance(spark: SparkSession, lake: Lake, as_of: datetime | None = None) -> Accepted | None:
    """Accepted rows about periods to come, where a panel knows something of them; else None."""
    if lake.use_case.panel is None or not lake.use_case.panel.known:
        return None
    taken = [record for record in ingested(lake, "score", as_of) if record.refused is None]
    return accepted(spark, lake, "score", as_of) if taken else None


def delivered(read: Accepted, known: Accepted | None) -> tuple[Ingested, ...]:
    """The verdicts on all that observations are made of."""
    return (*read.deliveries, *(known.deliveries if known else ()))


def observations(read: Accepted, known: Accepted | None) -> Lines:
    """What a panel is made of: rows of the training source, and what is known in advance."""
    times = {delivery.delivery: delivery.delivered_at for delivery in read.deliveries}
    return Lines(read.rows, known.rows if known else None, times, max(times.values()))


def ingested(lake: Lake, role: Role, as_of: datetime | None = None) -> list[Ingested]:
    """Verdicts under the present contract on the deliveries of a source, in their order, without replaced ones."""
    source = lake.use_case.source(role)
    if source is None:
        return []
    known = lake.ingested.all(layout.accepted(lake.use_case.contract))
    found = (known.get(f"delivery={one.delivery}") for one in deliveries(lake.store, source, as_of))
    return [record for record in found if record is not None and record.source == source]


def observed_deliveries(lake: Lake, as_of: datetime | None = None) -> list[Ingested]:
    """Verdicts on all deliveries that a training reads, and a panel's forecast; on none that was refused whole."""
    found = (record for role in lake.use_case.observed_from for record in ingested(lake, role, as_of))
    return [record for record in found if record.refused is None]


def typed_rows(spark: SparkSession, use_case: UseCase, paths: Sequence[str]) -> DataFrame:
    """Parquet files of accepted rows, with their delivery from their path; no rows where there are no files."""
    columns = [f"{quoted(name)} {spark_type(column)}" for name, column in use_case.columns.items()]
    schema = ", ".join(["file string", "row bigint", *columns])
    if not paths:
        return spark.createDataFrame([], f"delivery string, {schema}")
    return spark.read.schema(schema).parquet(*paths).select(delivery_of(), "*")


def delivery_of() -> Expression:
    """The delivery of a row that was read from a file under `delivery=<id>/`."""
    behind = F.substring_index("_metadata.file_path", "/delivery=", -1)
    return F.substring_index(behind, "/", 1).alias("delivery")


def _newest(rows: DataFrame, key: Sequence[str], in_order: Sequence[str]) -> DataFrame:
    """Of rows that share their key, those of the latest delivery; rows without a whole key are left alone."""
    spark = rows.sparkSession
    # By Arrow: rows of a list would start a Python worker on every core.
    ranks = spark.createDataFrame(pa.table({"_rank": range(len(in_order)), "delivery": in_order}))
    newest = F.max("_rank").over(Window.partitionBy(*map(quoted, key)))
    ranked = rows.join(F.broadcast(ranks), on="delivery", how="inner").withColumn("_newest", newest)
    no_key = F.greatest(*(F.col(quoted(name)).isNull() for name in key), F.lit(False))
    return ranked.where((F.col("_rank") == F.col("_newest")) | no_key).drop("_rank", "_newest")


def _nothing(use_case: UseCase, role: Role, delivery: str | None, records: Sequence[Ingested]) -> InputError:
    name = use_case.use_case
    if records:
        return InputError(
            f"every delivery to {role} with was refused"
            if delivery is None
            else f"was refused: {records[0].refused}",
            place=delivery or name,
            way_out="land a corrected one with --replaces, and ingest it",
        )
    what = f"delivery {delivery} is not ingested" if delivery else f"nothing is ingested to {role} with"
    return InputError(what, place=name, way_out=f"run `regatta ingest {name}`")
