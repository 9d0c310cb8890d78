"""Ingest against a bare typed copy of the same files, and the proof that exactly the sown dirt is rejected.

    make bench-ingest                                 5 million houses in ten files
    make ingest-2gb                                   as many houses as fill 2 GB, in one

A bare copy is what Spark does by itself with a schema: it neither counts nor checks, takes `many` for null, and
keeps a house of two marbles.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from pyspark.sql import SparkSession

from dirt import dirty_chunks, sown, write
from regatta import config
from regatta.config import UseCase
from regatta.config.table import quoted, spark_type
from regatta.contract import preflight, verdicts
from regatta.lake import Ingested, Lake, layout
from regatta.lake.landing import land
from regatta.runtime.identities import Identity
from regatta.runtime.local import embedded
from regatta.runtime.memory import driver_memory
from regatta.runtime.progress import result, say
from regatta.runtime.submit import NO_PACKAGES, job_environment, project_root

USE_CASE = project_root() / "conf" / "half_million_houses.yaml"
WHOLE = "bare typed copy that allows line breaks in quotes"  # as ingest does: a file is read by one core
CUT = "bare typed copy that cuts the files for all cores"
BYTES_A_ROW = 39.6  # of the made houses, on average


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Time ingest, and hold what it rejects against what was sown."
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--rows", type=int, default=5_000_000, help="houses (default 5000000)")
    size.add_argument("--gigabytes", type=float, help="as many houses as fill so much")
    parser.add_argument("--files", type=int, default=10, help="over which they are spread (default 10)")
    flags = parser.parse_args()
    asked = int(flags.gigabytes * 2**30 / BYTES_A_ROW) if flags.gigabytes else flags.rows
    of_each = {f"houses-{number:02}.csv": asked // flags.files for number in range(flags.files)}
    rows = sum(of_each.values())

    os.environ.update(embedded.up(mlflow=False, say=say))
    os.environ.update(job_environment(Identity.ADMIN))
    settings = project_root() / "conf" / "spark-defaults.conf"  # as jobs have them
    memory = f"--driver-memory {driver_memory()}"
    os.environ["PYSPARK_SUBMIT_ARGS"] = (
        f"--properties-file {settings} --conf {NO_PACKAGES} {memory} pyspark-shell"
    )
    use_case = config.load(USE_CASE).model_copy(update={"use_case": f"ingest_{rows}_{int(time.time())}"})
    lake, seconds = Lake.of(use_case), dict[str, float]()
    spark = SparkSession.builder.appName("ingest benchmark").master("local[2]").getOrCreate()

    with TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in of_each]
        say(f"making {rows:,} houses")
        for seed, file in enumerate(files):
            write(file, dirty_chunks(of_each[file.name], seed))
        size = sum(file.stat().st_size for file in files)
        with timed(seconds, "land: count the rows, hash, upload"):
            delivery = lake.use_case.use_case.replace("_", "-")
            landed, _ = land(lake.store, use_case, files, delivery=delivery)
    uri = lake.store.uri(layout.raw(landed.source, delivery) + "houses-*.csv")

    with timed(seconds, "bare typed copy, first"):
        bare(spark, use_case, uri, lake.uri("bare/1"), whole=True)
    with timed(seconds, WHOLE):
        bare(spark, use_case, uri, lake.uri("bare/2"), whole=True)
    with timed(seconds, CUT):
        bare(spark, use_case, uri, lake.uri("bare/3"), whole=False)
    with timed(seconds, "ingest: look at the first bytes"):
        sound = preflight.inspect(lake, landed)
    assert isinstance(sound, preflight.Sound), sound
    attempt = lake.attempt()
    with timed(seconds, "ingest: judge, write accepted and rejected, count"):
        judged = verdicts.judge(spark, lake, attempt, [sound])
    with timed(seconds, "ingest: publish"):
        (record,) = verdicts.publish(lake, attempt, judged)

    prove(spark, lake, record, of_each)
    ingest = sum(taken for step, taken in seconds.items() if step.startswith("ingest"))
    result(
        f"{rows:,} rows in {len(files)} files, {size / 2**20:,.0f} MB: {record.accepted:,} accepted,"
        f" {record.rejected:,} rejected, as sown"
    )
    for step, taken in seconds.items():
        result(f"  {step:<52} {taken:8.1f} s")
    for copy in (WHOLE, CUT):
        result(f"  ingest takes {ingest / seconds[copy]:.2f} times as long as the {copy}")


@contextmanager
def timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    seconds[step] = time.monotonic() - started


def bare(spark: SparkSession, use_case: UseCase, uri: str, into: str, *, whole: bool) -> None:
    schema = ", ".join(f"{quoted(name)} {spark_type(column)}" for name, column in use_case.columns.items())
    spark.read.csv(uri, schema=schema, header=True, multiLine=whole).write.parquet(into)


def prove(spark: SparkSession, lake: Lake, record: Ingested, of_each: Mapping[str, int]) -> None:
    """Exactly the dirty rows of each file are rejected, each for the reason that it was given."""
    paths = lake.ingested.paths(record, layout.rejected(record.contract, record.delivery))
    found = {
        (row["file"], row["row"]): ": ".join(filter(None, [reason["column"], reason["rule"]]))
        for row in spark.read.parquet(*paths).select("file", "row", "reasons").collect()
        for reason in row["reasons"]
    }
    due = {(file, row): reason for file, rows in of_each.items() for row, reason in sown(rows).items()}
    if found != due or record.accepted + record.rejected != sum(of_each.values()):
        sys.exit(f"what was rejected is not what was sown: {len(found):,} and {len(due):,} rows")


if __name__ == "__main__":
    main()
