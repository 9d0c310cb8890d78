"""The race under both engines against MLlib's stock CrossValidator: the same metrics, in what share of the time?

All see the same rows, folds (through `foldCol`), seeds and stages in one Spark session, without outlier removal.
Stock fits the whole `Pipeline` once a candidate; ours fits features once a fold and encoding, and grows trees by
the native engine or shares MLlib's fits. scikit-learn's GridSearchCV runs the forest grid for comparison.

    python benchmarks/selection.py [--rows 21613 100000] [--families random_forest gbt linear_regression]
                                   [--entrants native mllib stock sklearn]

21,613 rows are King County itself; any other number is drawn from it with replacement, with noise on the areas
so that no two rows are equal. Writes benchmarks/selection.md.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from pyspark.ml import Pipeline
from pyspark.ml.evaluation import RegressionEvaluator
from pyspark.ml.feature import SQLTransformer
from pyspark.ml.functions import vector_to_array
from pyspark.ml.regression import GBTRegressor, LinearRegression, RandomForestRegressor
from pyspark.ml.tuning import CrossValidator
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.ensemble import RandomForestRegressor as SklearnForest
from sklearn.model_selection import GridSearchCV, PredefinedSplit

from regatta import config
from regatta.config import UseCase
from regatta.config.race import Family
from regatta.evaluation.metrics import Metrics
from regatta.features.pipeline import FEATURES, LABEL, PREDICTION, feature_pipeline, in_label_unit
from regatta.runtime.concurrency import AT_ONCE
from regatta.selection.candidates import candidates, param_map
from regatta.selection.engine import Engine
from regatta.selection.leaderboard import Judged
from regatta.selection.parts import Fold
from regatta.selection.prepared import prepared_for
from regatta.selection.race import race
from regatta.selection.splits import FOLD
from regatta.selection.training import parts

ROOT = Path(__file__).resolve().parents[1]
STOCK = {
    "random_forest": RandomForestRegressor,
    "gbt": GBTRegressor,
    "linear_regression": LinearRegression,
}
ENTRANTS = {
    "native": "ours, trees grown natively",
    "mllib": "ours, MLlib's fits shared",
    "stock": f"CrossValidator on a Pipeline, parallelism {AT_ONCE}",
    "sklearn": f"scikit-learn GridSearchCV, forests alone, n_jobs={AT_ONCE}",
}
Figures = dict[str, list[Metrics]]
"""By candidate, fold by fold."""
METRICS = ("rmse", "mse", "mae", "r2")
KING_COUNTY = 21_613


def main() -> None:
    """Measure, compare, write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[KING_COUNTY, 100_000])
    parser.add_argument("--families", nargs="+", default=list(STOCK), choices=list(STOCK))
    parser.add_argument("--entrants", nargs="+", default=list(ENTRANTS), choices=list(ENTRANTS))
    options = parser.parse_args()

    spark = local_session()
    whole = config.load(ROOT / "conf" / "house_prices.yaml")
    use_case = whole.model_copy(
        update={
            "outliers": None,
            "candidates": {family: whole.candidates[family] for family in options.families},
        }
    )
    lines = []
    for rows in options.rows:
        for line in compared(spark, use_case, rows, options.entrants):
            print(line, flush=True)
            lines.append(line)
    heading = "| rows | what | seconds | largest relative difference of a metric | best by rmse |"
    text = "\n".join([heading, "|---|---|---|---|---|", *lines, ""])
    (ROOT / "benchmarks" / "selection.md").write_text(text)


def local_session() -> SparkSession:
    """Two cores, and what conf/spark-defaults.conf asks of a job's JVM."""
    return (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.memory", "8g")
        .config("spark.driver.extraJavaOptions", "-XX:+UseParallelGC")
        .config("spark.serializer", "org.apache.spark.serializer.KryoSerializer")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.log.level", "ERROR")
        .getOrCreate()
    )


def compared(spark: SparkSession, use_case: UseCase, rows: int, entrants: Sequence[str]) -> Iterator[str]:
    """One line of the table an entrant; differences are from stock, or else from MLlib's shared fits."""
    split = parts(king_county(spark, use_case, rows), use_case)
    frame = split.training.persist()
    frame.count()
    timed: dict[str, float] = {}
    found: dict[str, Figures] = {}
    for entrant in entrants:
        if entrant == "stock":
            found[entrant], timed[entrant] = stock_race(frame, use_case)
        elif entrant != "sklearn":
            found[entrant], timed[entrant] = our_race(split.folds, use_case, entrant)
    truth = found.get("stock") or found.get("mllib")
    for entrant, figures in found.items():
        worst = f"{largest_difference(figures, truth):.1e}" if truth and truth is not figures else ""
        yield f"| {rows:,} | {ENTRANTS[entrant]} | {timed[entrant]:.1f} | {worst} | {best(figures)} |"
    if "sklearn" in entrants and "random_forest" in use_case.candidates:
        forests = {"candidates": {"random_forest": use_case.candidates["random_forest"]}}
        only = use_case.model_copy(update=forests)
        for entrant in ("native", "mllib"):
            if entrant in entrants:
                _, seconds = our_race(split.folds, only, entrant)
                yield f"| {rows:,} | {ENTRANTS[entrant]}, forests alone | {seconds:.1f} | | |"
        yield f"| {rows:,} | {ENTRANTS['sklearn']} | {sklearn_race(frame, only):.1f} | another algorithm | |"
    frame.unpersist()


def our_race(folds: Sequence[Fold], use_case: UseCase, engine: str) -> tuple[Figures, float]:
    """The race under an engine, and its seconds."""
    asked = use_case.model_copy(update={"engine": engine})
    started = time.monotonic()
    standings = race(folds, asked, Silent(), Engine(asked))
    seconds = time.monotonic() - started
    return {one.candidate: [fold.metrics for fold in one.folds] for one in standings}, seconds


def best(figures: Figures) -> str:
    """The candidate (or baseline) with the lowest mean RMSE."""
    return min(figures, key=lambda name: fmean(fold["rmse"] or math.inf for fold in figures[name]))


def king_county(spark: SparkSession, use_case: UseCase, rows: int) -> DataFrame:
    """Accepted rows of King County in the contract's types, as many as asked for."""
    files = sorted(map(str, (ROOT / "data" / "house_prices" / "train").glob("*.csv")))
    raw = spark.read.csv(files, header=True)
    types = {"integer": "bigint", "number": "double", "string": "string"}
    columns = [
        F.to_date(F.col(name), *(column.format or ())[:1]).alias(name)
        if column.type == "date"
        else F.col(name).cast(types[column.type]).alias(name)
        for name, column in use_case.columns.items()
    ]
    read = raw.select(*columns).persist()
    copies = -(-rows // read.count())
    grown = read.withColumn("copy", F.explode(F.sequence(F.lit(1), F.lit(copies))))
    first = F.col("copy") == 1
    moved = F.when(first, F.lit(1.0)).otherwise(0.9 + 0.2 * F.rand(seed=7))
    return (
        grown.withColumn("id", F.when(first, F.col("id")).otherwise(F.concat_ws("-", "id", "copy")))
        .withColumns({area: F.col(area) * moved for area in ("sqft_living", "sqft_lot", "sqft_above")})
        .orderBy("copy", "id", "date")
        .limit(rows)
        .withColumns({"delivery": F.lit("d"), "file": F.lit("f"), "row": F.lit(1)})
        .drop("copy")
    )


class Silent:
    """Watches nothing."""

    def judged(self, candidate: str, fold: int, judged: Judged) -> None:
        """Say nothing."""


def stock_race(frame: DataFrame, use_case: UseCase) -> tuple[Figures, float]:
    """CrossValidator on a Pipeline of the same stages, a family at a time; see `cross_validated`."""
    found: Figures = {}
    seconds = 0.0
    for family in use_case.candidates:
        encoding = use_case.encoding(family)
        largest = prepared_for([encoding], frame, frame, use_case)[encoding].slots.largest
        features = feature_pipeline(use_case, encoding).getStages()
        figures, took = cross_validated(frame, use_case, family, features, largest)
        found |= figures
        seconds += took
    return found, seconds


def cross_validated(
    frame: DataFrame, use_case: UseCase, family: Family, features: Sequence[Any], largest: int
) -> tuple[Figures, float]:
    """A family's grid in MLlib's CrossValidator.

    Args:
        frame: with `_fold` and `_label`, and what the first stage reads.
        use_case: names the candidates.
        family: one of them.
        features: stages before the estimator; none where `_features` are there already.
        largest: categories in one slot of the vectors.

    Returns:
        Metrics in the label's unit by candidate and fold, and the seconds that `fit` took. CrossValidator judges
        by one metric, which is timed; the others are read from its sub-models afterwards, which is not.
    """
    field = [candidate for candidate in candidates(use_case) if candidate.family == family]
    seeded = {} if family == "linear_regression" else {"seed": use_case.seed}
    estimator = STOCK[family](featuresCol=FEATURES, labelCol=LABEL, predictionCol=PREDICTION, **seeded)
    undo = SQLTransformer(statement=f"SELECT *, {in_label_unit(use_case)} AS prediction FROM __THIS__")
    validator = CrossValidator(
        estimator=Pipeline(stages=[*features, estimator, undo]),
        estimatorParamMaps=[param_map(estimator, candidate, largest) for candidate in field],
        evaluator=RegressionEvaluator(labelCol=use_case.label, predictionCol="prediction"),
        numFolds=use_case.split.folds,
        foldCol=FOLD,
        parallelism=AT_ONCE,
        collectSubModels=True,
    )
    started = time.monotonic()
    fitted = validator.fit(frame)
    seconds = time.monotonic() - started
    found = {
        candidate.name: [
            judged_by_mllib(models[index].transform(frame.filter(F.col(FOLD) == fold)), use_case.label)
            for fold, models in enumerate(fitted.subModels)
        ]
        for index, candidate in enumerate(field)
    }
    return found, seconds


def judged_by_mllib(predictions: DataFrame, label: str) -> Metrics:
    """MLlib's own figures."""
    kept = predictions.select(F.col(label).cast("double").alias(label), "prediction").persist()
    evaluator = RegressionEvaluator(labelCol=label, predictionCol="prediction")
    figures = {metric: evaluator.evaluate(kept, {evaluator.metricName: metric}) for metric in METRICS}
    kept.unpersist()
    return figures


def largest_difference(ours: Figures, truth: Figures) -> float:
    """Relative, over all candidates, folds and metrics that both know."""
    return max(
        abs((judged[metric] or 0.0) - (figures[metric] or 0.0)) / abs(figures[metric] or 1.0)
        for name, folds in truth.items()
        for judged, figures in zip(ours[name], folds, strict=True)
        for metric in METRICS
    )


def sklearn_race(frame: DataFrame, use_case: UseCase) -> float:
    """GridSearchCV over the same grid of forests, on the same features as numbers; its wall seconds."""
    data = prepared_for(["index"], frame, frame, use_case)["index"]
    vectors = data.features.transform(frame).select(vector_to_array(FEATURES), LABEL, FOLD).toPandas()
    matrix, label, fold = np.vstack(vectors.iloc[:, 0]), vectors[LABEL].to_numpy(), vectors[FOLD].to_numpy()
    grid = use_case.candidates["random_forest"].grid
    search = GridSearchCV(
        SklearnForest(max_features=1 / 3, random_state=use_case.seed),  # MLlib: a third, by default
        {"n_estimators": list(grid["numTrees"]), "max_depth": list(grid["maxDepth"])},
        cv=PredefinedSplit(fold),
        scoring="neg_root_mean_squared_error",
        n_jobs=AT_ONCE,
        refit=False,
    )
    started = time.monotonic()
    search.fit(matrix, label)
    return time.monotonic() - started


if __name__ == "__main__":
    main()
