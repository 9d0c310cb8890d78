"""Scoring against what Spark does by itself, on five million houses of a known law.

    make bench-scoring                                 or benchmarks/scoring_speed.py [--rows 5000000]

A linear champion against a bare copy of the same parquet, and a forest of 30 trees of depth 15 against its own
`PipelineModel.transform`, written out with the same columns. Ours also counts, sorts by identity, and publishes.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

from pyspark.ml import PipelineModel
from pyspark.ml.regression import LinearRegression
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from half_million_houses import BASE_PRICE, LABEL, LAW, MARBLES, RANGES, USE_CASE
from regatta import config
from regatta.contract.accepted import typed_rows
from regatta.features import pipeline
from regatta.lake import ChampionEntry, Ingested, Lake, Run, layout
from regatta.runtime.identities import Identity
from regatta.runtime.local import embedded
from regatta.runtime.memory import driver_memory
from regatta.runtime.progress import result, say
from regatta.runtime.submit import NO_PACKAGES, job_environment, project_root
from regatta.scoring.score import Champion, score
from regatta.selection.estimators import NativeForestRegressor

LEARNT_FROM = 100_000  # rows
FILES = 10
NOW = datetime.now(UTC)
MODELS = {
    "linear": ("one_hot", partial(LinearRegression, regParam=0.01)),
    "forest": ("index", partial(NativeForestRegressor, numTrees=30, maxDepth=15, seed=42)),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=5_000_000)
    rows = parser.parse_args().rows

    os.environ.update(embedded.up(mlflow=False, say=say))
    os.environ.update(job_environment(Identity.ADMIN))
    settings, memory = project_root() / "conf" / "spark-defaults.conf", f"--driver-memory {driver_memory()}"
    os.environ["PYSPARK_SUBMIT_ARGS"] = (
        f"--properties-file {settings} --conf {NO_PACKAGES} {memory} pyspark-shell"
    )
    spark = SparkSession.builder.appName("scoring benchmark").master("local[2]").getOrCreate()
    use_case = config.load(USE_CASE).model_copy(update={"use_case": f"scoring_{int(time.time())}"})
    lake, seconds = Lake.of(use_case), dict[str, float]()
    say(f"making {rows:,} houses")
    delivered = ingested(lake, made(spark, rows), rows)
    paths = lake.ingested.paths(delivered, layout.accepted(use_case.contract, delivered.delivery))
    champions = {name: champion(spark, lake, number, name) for number, name in enumerate(MODELS, start=1)}

    for attempt in ("first", "again"):  # the first of each warms Java up, and counts for nothing
        with timed(seconds, f"{attempt}: bare copy"):
            spark.read.parquet(*paths).write.parquet(lake.uri(f"bare/{attempt}"))
        for name, one in champions.items():
            with timed(seconds, f"{attempt}: {name}, transform and write"):
                predicted = one.model.transform(typed_rows(spark, use_case, paths))
                predicted.select(*use_case.identity, "prediction").write.parquet(
                    lake.uri(f"bare/{attempt}-{name}")
                )
            with timed(seconds, f"{attempt}: {name}, score"):
                batch, _ = score(spark, lake, one, delivered)
            assert batch.scored == rows
            lake.store.delete(
                each.key for each in lake.store.objects(f"{use_case.use_case}/scores/")
            )  # to be published again
    for step, taken in seconds.items():
        result(f"  {step:<40} {taken:8.1f} s")
    linear, forest = seconds["again: linear, score"], seconds["again: forest, score"]
    result(f"scoring by a linear champion takes {linear / seconds['again: bare copy']:.2f} times a bare copy")
    result(
        f"scoring by a forest takes {forest / seconds['again: forest, transform and write']:.2f} times "
        "its PipelineModel.transform written out"
    )
    lake.store.delete(each.key for each in lake.store.objects(f"{use_case.use_case}/"))


@contextmanager
def timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    seconds[step] = time.monotonic() - started


def made(spark: SparkSession, rows: int) -> DataFrame:
    """As ingest leaves accepted rows, prices included, in as many partitions as there are files."""
    marble = F.floor(F.rand(1) * len(MARBLES))
    columns: dict[str, Column] = {}
    for number, name in enumerate(LAW):
        low, high = RANGES.get(name, (0, 1))
        drawn = F.floor(F.rand(2 + number) * (high - low + 1)) + low
        columns[name] = (
            (F.col("marble") == MARBLES.index(name)).cast("long") if name in MARBLES else drawn.cast("long")
        )
    price = BASE_PRICE + sum(F.col(name) * weight for name, weight in LAW.items())
    numbered = spark.range(0, rows, 1, FILES).select((F.col("id") + 1).alias("row"), marble.alias("marble"))
    drawn_all = numbered.select("row", *(column.alias(name) for name, column in columns.items()))
    return drawn_all.select(F.lit("houses.csv").alias("file"), "*", price.cast("long").alias(LABEL))


def ingested(lake: Lake, rows: DataFrame, count: int) -> Ingested:
    attempt, folder = lake.attempt(), layout.accepted(lake.use_case.contract, "listed")
    rows.write.parquet(attempt.uri(folder))
    record = Ingested(
        attempt=attempt.id, published_at=NOW, files=attempt.files(), delivery="listed", source="made_listings",
        role="score", contract=lake.use_case.contract, delivered_at=NOW, rows=count, accepted=count, rejected=0,
        reasons={}, sha256={},
    )  # fmt: skip
    return lake.ingested.publish(folder, record)[0]


def champion(spark: SparkSession, lake: Lake, number: int, name: str) -> Champion:
    """A published pipeline that learnt from some of the houses, as a job has it once it is loaded."""
    use_case, (encoding, make) = lake.use_case, MODELS[name]
    rows = made(spark, LEARNT_FROM).withColumn("delivery", F.lit("made")).persist()
    features = pipeline.feature_pipeline(use_case, encoding).fit(rows)  # type: ignore[arg-type]
    columns = {"labelCol": pipeline.LABEL, "predictionCol": pipeline.PREDICTION}
    estimator = make(featuresCol=pipeline.FEATURES, **columns)
    fitted = estimator.fit(features.transform(pipeline.with_label(rows, use_case)))
    run_id, place = f"one-{name}", f"{lake.uri('made')}/{name}"
    pipeline.published(features, fitted, use_case).write().save(place)

    entry: Any = ChampionEntry.model_construct(number=number, run_id=run_id, model=layout.MODEL)
    run: Any = Run.model_construct(run_id=run_id, winner=name)
    return Champion(entry, run, use_case, PipelineModel.load(place))


if __name__ == "__main__":
    main()
