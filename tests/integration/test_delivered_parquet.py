"""Parquet is judged by the same contract as CSV, value by value; and the doctor looks at what was landed."""

from __future__ import annotations

from argparse import Namespace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

import doctor
import ingest
from regatta.config import parse
from regatta.contract.accepted import accepted
from regatta.errors import InputError
from regatta.lake import Lake, layout
from regatta.lake.landing import land
from regatta.runtime.job import Job

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

CONTRACT = """
use_case: parquets
sources:
  parquet_sales: {role: train, format: parquet, csv: {header: {Sold: sold}, ignore: [tags]}}
columns:
  id:    {type: string, role: key}
  sold:  {type: date, format: dd/MM/yyyy}
  seen:  {type: timestamp}
  price: {type: number, role: label, above: 0}
  rooms: {type: integer, role: feature}
  cost:  {type: number}
  new:   {type: boolean, role: feature}
  town:  {type: string, role: category}
candidates: {linear_regression: {regParam: 0.1}}
"""
NOON = datetime(2015, 2, 28, 12, 30, 15, 123456)


def table(**columns: pa.Array) -> pa.Table:
    given = {
        "id": pa.array([1, 2, 3]),
        "Sold": pa.array([datetime(2015, 2, 28), None, datetime(2015, 3, 1)], pa.timestamp("ns")),
        "seen": pa.array([NOON, NOON, None], pa.timestamp("us", "UTC")),
        "price": pa.array([2e7, 0.1, float("nan")], pa.float64()),
        "rooms": pa.array([12345678.0, None, 3.0], pa.float64()),
        "cost": pa.array([Decimal("1.50"), Decimal("0.00"), None], pa.decimal128(10, 2)),
        "new": pa.array([True, False, None]),
        "town": pa.array(["Alki", None, "São João"]).dictionary_encode(),
        "tags": pa.array([["a"], [], None]),
    }
    return pa.table({**given, **columns})


def test_parquet_of_many_types_is_accepted_or_rejected_row_by_row(
    in_the_lake: None,
    lake_spark: SparkSession,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lake = Lake.of(parse(CONTRACT, "parquets.yaml"))

    def landed(delivery: str, content: pa.Table | bytes) -> None:
        file = tmp_path / f"{delivery}.parquet"
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            pq.write_table(content, file)
        land(lake.store, lake.use_case, [file], delivery=delivery)

    landed("nested", table(town=pa.array([["a"], [], None])))
    landed("capitals", table(TOWN=pa.array(["a", "b", "c"])))
    landed("csv", b"id,Sold\n1,2\n")
    pq.write_table(table(), tmp_path / "whole.parquet")
    landed("damaged", (tmp_path / "whole.parquet").read_bytes()[:-20])
    landed("good", table())
    ingest.main(Job("ingest", lake.use_case, Namespace(as_of=None)))

    found = {one.delivery: one for one in lake.ingested.all(layout.accepted(lake.use_case.contract)).values()}
    assert found["nested"].refused == (
        "nested.parquet: column town holds list<element: string>, and only plain values can be read"
    )
    assert found["capitals"].refused == (
        "capitals.parquet: columns town and TOWN differ in capitals alone, which Spark does not tell apart,"
        " column TOWN is not in the contract (name it under csv.ignore)"
    )
    for name in ("csv", "damaged"):
        assert str(found[name].refused).startswith(f"{name}.parquet: is not parquet that can be read (")
    good = found["good"]
    assert (good.rows, good.accepted, good.reasons) == (3, 2, {"price: is not a number": 1})
    rows = accepted(lake_spark, lake, "train").rows.orderBy("row").collect()
    assert [tuple(row)[1:] for row in rows] == [
        ("good.parquet", 1, "1", date(2015, 2, 28), NOON, 2e7, 12345678, 1.5, True, "Alki"),
        ("good.parquet", 2, "2", None, NOON, 0.1, None, 0.0, False, None),
    ]

    capsys.readouterr()
    with pytest.raises(InputError, match="2 things will go wrong"):
        doctor.main(Job("doctor", lake.use_case, Namespace(as_of=None)))
    said = capsys.readouterr().out
    assert said.startswith("parquets, delivery good: looked at 3 of 3 rows\nWRONG ")
    assert "price: is not a number, as 'NaN': 1 of 3 rows is rejected for it" in said
