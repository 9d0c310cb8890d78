"""Real runs and deliveries of a very small use case, for tests of what comes after training."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from pyspark.ml.regression import LinearRegression
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from regatta import config
from regatta.config import UseCase
from regatta.evaluation.metrics import Metrics, metrics
from regatta.features.pipeline import FEATURES, LABEL, PREDICTION, feature_pipeline, published, with_label
from regatta.lake import Ingested, Lake, Run, layout
from regatta.lake.landing import land
from regatta.selection.leaderboard import Judged, Leaderboard, Standing
from regatta.selection.splits import held_out

HOUSES = """
use_case: {name}
sources: {{{name}_sales: {{role: train}}, {name}_listings: {{role: score}}}}
columns:
  id:    {{type: string, role: key}}
  price: {{type: number, unit: USD, role: label, above: 0}}
  size:  {{type: number, unit: sqft, role: feature}}
  grade: {{type: integer, role: feature, nulls: drop}}
  zip:   {{type: string, role: category}}
scaling: none
candidates: {{linear_regression: {{regParam: 0.0}}}}
split: {{holdout: 0.4, folds: 2, salt: {salt}}}
gate: {{floor: {{r2: 0.7}}, min_rows: {min_rows}}}
"""
ACCEPTED = "file string, row long, id string, price double, size double, grade long, zip string"
LISTED = "file string, row long, id string, size double, grade long, zip string"


def yaml(name: str, *, salt: str = "regatta", min_rows: int = 40) -> str:
    return HOUSES.format(name=name, salt=salt, min_rows=min_rows)


def use_case(name: str, *, salt: str = "regatta") -> UseCase:
    return config.parse(yaml(name, salt=salt), "houses.yaml")


def houses(spark: SparkSession, count: int = 200) -> DataFrame:
    """Accepted rows whose price is 100 a square foot, 5,000 a grade, 20,000 for zip B, and some noise."""
    chance = Random(7)
    rows = []
    for number in range(count):
        size, grade, zip_code = chance.uniform(500, 3_000), chance.randint(1, 10), chance.choice("AB")
        price = 100 * size + 5_000 * grade + 20_000 * (zip_code == "B") + chance.gauss(0, 3_000)
        rows.append(("sales.csv", number + 1, f"h{number:04d}", price, size, grade, zip_code))
    return spark.createDataFrame(rows, ACCEPTED).select(F.lit("2015-04").alias("delivery"), "*")


_WRITTEN: dict[tuple[str, float], tuple[str, Metrics]] = {}  # a model is written once, and copied from there


def publish_run(
    spark: SparkSession, lake: Lake, run_id: str, *, overpriced: float = 0.0, day: int = 1
) -> Run:
    """Publish what a training publishes, of a model that learnt prices that are too high by so many USD."""
    name = lake.use_case
    wanted = (name.split.salt, overpriced)
    if wanted not in _WRITTEN:
        _WRITTEN[wanted] = _write_model(spark, lake, overpriced)
    written, figures = _WRITTEN[wanted]
    attempt, folder = lake.attempt(), layout.run(run_id)
    own = attempt.uri(folder).removeprefix(lake.store.uri(""))
    lake.store.copy_all(
        (file.key, own + file.key.removeprefix(written)) for file in lake.store.files(written)
    )

    standing = Standing(
        candidate="linear_regression regParam=0.0",
        family="linear_regression",
        parameters={"regParam": 0.0},
        folds=(Judged(metrics=figures, seconds=0.5),),
        holdout=figures,
    )
    board = Leaderboard(
        use_case=name.use_case, run_id=run_id, metric="rmse", label="price", unit="USD", standings=(standing,)
    )
    attempt.write(f"{folder}leaderboard.json", board.model_dump_json().encode())
    attempt.write(
        f"{folder}weights.json", b'{"linear_regression": [{"feature": "size", "coefficient": 100.0}]}'
    )
    record, _ = lake.runs.publish(
        folder,
        Run(
            attempt=attempt.id,
            published_at=datetime.now(UTC),
            files=attempt.files(),
            run_id=run_id,
            use_case=name.use_case,
            as_of=datetime(2015, 5, day, tzinfo=UTC),
            fingerprint="f" * 64,
            contract=name.contract,
            deliveries=("2015-04",),
            configuration=name.model_dump(mode="json"),
            code="c" * 16,
            versions={},
            rows={"held_out": int(figures["rows"] or 0)},
            winner=standing.candidate,
            winner_family=standing.family,
            metrics=figures,
            baselines={},
            seconds=0.5,
        ),
    )
    return record


def _write_model(spark: SparkSession, lake: Lake, overpriced: float) -> tuple[str, Metrics]:
    """The key of a folder with model/ and holdout/, and the model's figures on its holdout."""
    name, rows = lake.use_case, houses(spark)
    training = rows.filter(~held_out(name)).withColumn("price", F.col("price") + overpriced)
    features = feature_pipeline(name, "one_hot").fit(training)
    estimator = LinearRegression(featuresCol=FEATURES, labelCol=LABEL, predictionCol=PREDICTION)
    model = published(features, estimator.fit(features.transform(with_label(training, name))), name)
    predictions = model.transform(rows.filter(held_out(name)))
    folder = lake.attempt().uri("")
    model.write().save(f"{folder}model")
    predictions.write.parquet(f"{folder}holdout")
    return folder.removeprefix(lake.store.uri("")), metrics(predictions, name.label)[0]


Listing = tuple[str, float | None, int | None, str | None]


def land_listings(
    lake: Lake,
    folder: Path,
    delivery: str,
    listings: Sequence[Listing],
    *,
    day: int,
    replaces: str | None = None,
) -> None:
    """Land (id, size, grade, zip) as a delivery to score."""
    file = folder / f"{delivery}.csv"
    lines = [",".join("" if value is None else str(value) for value in listing) for listing in listings]
    file.write_text("\n".join(["id,size,grade,zip", *lines]) + "\n")
    at = datetime(2015, 5, day, tzinfo=UTC)
    land(
        lake.store,
        lake.use_case,
        [file],
        delivery=delivery,
        role="score",
        delivered_at=at,
        replaces=replaces,
    )


def publish_accepted(
    spark: SparkSession,
    lake: Lake,
    delivery: str,
    listings: Sequence[Listing],
    *,
    day: int,
    refused: str = "",
) -> None:
    """Publish what ingest publishes of landed listings: all accepted, unless refused whole."""
    attempt, folder = lake.attempt(), layout.accepted(lake.use_case.contract, delivery)
    if listings and not refused:
        rows = [(f"{delivery}.csv", number, *listing) for number, listing in enumerate(listings, 1)]
        spark.createDataFrame(rows, LISTED).write.parquet(attempt.uri(folder))
    lake.ingested.publish(
        folder,
        Ingested(
            attempt=attempt.id,
            published_at=datetime.now(UTC),
            files=attempt.files(),
            delivery=delivery,
            source=f"{lake.use_case.use_case}_listings",
            role="score",
            contract=lake.use_case.contract,
            delivered_at=datetime(2015, 5, day, tzinfo=UTC),
            rows=len(listings),
            accepted=0 if refused else len(listings),
            rejected=0,
            reasons={},
            refused=refused or None,
            sha256={f"{delivery}.csv": "0" * 64},
        ),
    )
