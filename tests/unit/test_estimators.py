from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
import pyspark
import pytest
from pyspark.errors import IllegalArgumentException
from pyspark.ml import Pipeline
from pyspark.ml.evaluation import RegressionEvaluator
from pyspark.ml.feature import OneHotEncoder, StringIndexer, VectorAssembler
from pyspark.ml.linalg import Vectors
from pyspark.ml.regression import GBTRegressor, LinearRegression, RandomForestRegressor
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from regatta.selection.estimators import (
    GramianLinearRegression,
    NativeForestRegressor,
    NativeGBTRegressor,
    PrefixGBTRegressor,
    SharedForestRegressor,
)
from regatta.selection.shared_fits import SharedFits, grouped

# pyspark leaves the sockets of `collect` and the threads of `CrossValidator` to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed (<socket|running):ResourceWarning")

WEIGHT, FOLD = "weight", "fold"


@pytest.fixture(scope="module")
def houses(spark: SparkSession) -> DataFrame:
    """400 rows: ties, a category by index and one-hot, wide scales, latitudes, a + b, two constants."""
    rows = (
        spark.range(0, 400, 1, 2)
        .withColumn("rooms", F.col("id") % 5)
        .withColumn("area", F.col("id") * 37 % 101 * 1e5 + 0.7)
        .withColumn("thin", F.col("id") * 53 % 89 * 1e-4)
        .withColumn("lat", 47.5 + F.col("id") * 29 % 97 * 1e-3)
        .withColumn("both", F.col("rooms") + F.col("thin"))
        .withColumn("never", F.lit(0.0))
        .withColumn("always", F.lit(7.0))
        .withColumn("zip", F.concat(F.lit("981"), F.col("id") * 7 % 6))
        .withColumn(
            "label",
            11 + F.col("rooms") * 0.3 + F.sin("area") + F.col("lat") % 0.01 * 50 + F.col("id") * 7 % 6,
        )
        .withColumn(WEIGHT, 1.0 + F.col("id") % 3)
        .withColumn("check", F.col("id") % 4 == 0)
        .withColumn(FOLD, (F.col("id") % 2).cast("int"))
    )
    numbers = ["rooms", "area", "thin", "lat", "never", "always"]
    stages = [
        StringIndexer(inputCol="zip", outputCol="zip_index"),
        OneHotEncoder(inputCol="zip_index", outputCol="zip_onehot"),
        VectorAssembler(inputCols=[*numbers, "zip_index"], outputCol="indexed"),
        VectorAssembler(inputCols=[*numbers, "zip_onehot"], outputCol="onehot"),
        VectorAssembler(inputCols=[*numbers, "both", "zip_onehot"], outputCol="collinear"),
        VectorAssembler(inputCols=["rooms", "area", "thin", "lat"], outputCol="dense"),
    ]
    return (
        Pipeline(stages=stages).fit(rows).transform(rows).localCheckpoint()
    )  # its plan would slow every job down


def predictions(model, frame: DataFrame) -> np.ndarray:
    return np.array([row[0] for row in model.transform(frame).select("prediction").collect()])


def jobs_of(spark: SparkSession, work: Callable[[], object], numbers=count()) -> int:  # noqa: B008
    group = f"counted-{next(numbers)}"
    spark.sparkContext.setJobGroup(group, "counted")
    try:
        work()
    finally:
        spark.sparkContext.setLocalProperty("spark.jobGroup.id", None)
    return len(spark.sparkContext.statusTracker().getJobIdsForGroup(group))


def assert_same_line(ours, stock, frame: DataFrame) -> None:
    np.testing.assert_allclose(
        ours.coefficients.toArray(), stock.coefficients.toArray(), rtol=1e-9, atol=1e-13
    )
    np.testing.assert_allclose(ours.intercept, stock.intercept, rtol=1e-9)
    np.testing.assert_allclose(predictions(ours, frame), predictions(stock, frame), rtol=1e-9)


def test_maps_are_grouped_when_they_differ_in_nothing_but_one_param() -> None:
    gbt = PrefixGBTRegressor
    maps = [{gbt.maxIter: 1}, {gbt.maxIter: 1, gbt.maxDepth: 3}, {gbt.maxIter: 9}, {gbt.maxDepth: 3}]
    assert grouped(maps, except_for=gbt.maxIter) == [[0, 2], [1, 3]]


def test_two_threads_fit_different_groups_at_once_and_each_group_once() -> None:
    both_fitting = threading.Barrier(2, timeout=20)
    fits, models = [], []

    def share(group):
        fits.append(group)
        both_fitting.wait()  # passes only if both groups are being fitted at the same time
        return lambda member: f"model of {member}"

    shared = SharedFits("abcd", [[0, 1], [2, 3]], share)
    threads = [threading.Thread(target=lambda: models.extend(shared)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(fits) == [["a", "b"], ["c", "d"]]
    assert sorted(models) == [(0, "model of a"), (1, "model of b"), (2, "model of c"), (3, "model of d")]


def test_a_forest_that_caches_node_ids_grows_stock_trees(houses) -> None:
    params = {"featuresCol": "indexed", "numTrees": 4, "maxDepth": 9, "seed": 11}
    ours = SharedForestRegressor(**params).fit(houses)
    stock = RandomForestRegressor(**params).fit(houses)

    assert ours.getCacheNodeIds()
    assert not stock.getCacheNodeIds()
    assert ours.toDebugString.splitlines()[1:] == stock.toDebugString.splitlines()[1:]
    assert not SharedForestRegressor(cacheNodeIds=False).getCacheNodeIds()


@pytest.mark.parametrize("features", ["indexed", "onehot"])
def test_boosted_trees_from_one_fit_are_those_of_a_fit_each(houses, features) -> None:
    gbt = PrefixGBTRegressor(featuresCol=features, subsamplingRate=0.7, seed=11)
    maps = ParamGridBuilder().addGrid(gbt.maxIter, [3, 1]).addGrid(gbt.maxDepth, [2, 4]).build()

    for position, ours in gbt.fitMultiple(houses, maps):
        stock = gbt.fit(houses, maps[position])
        assert type(ours) is type(stock)
        assert ours.toDebugString == stock.toDebugString  # with uid and number of trees
        assert ours.treeWeights == stock.treeWeights
        assert ours.featureImportances == stock.featureImportances
        assert ours.extractParamMap() == stock.extractParamMap()
        assert ours._java_obj.extractParamMap().toString() == stock._java_obj.extractParamMap().toString()
        assert ours._java_obj.parent().uid() == gbt.uid
        np.testing.assert_array_equal(predictions(ours, houses), predictions(stock, houses))


@pytest.mark.parametrize(
    ("native", "stock", "features", "grid"),
    [
        (NativeForestRegressor, RandomForestRegressor, "indexed", {"numTrees": [5, 2], "maxDepth": [2, 6]}),
        (NativeGBTRegressor, GBTRegressor, "onehot", {"maxIter": [3, 1], "maxDepth": [2, 4]}),
    ],
)
def test_trees_grown_here_come_as_stock_models(houses, native, stock, features, grid) -> None:
    ours = native(featuresCol=features, subsamplingRate=0.7, seed=11)
    ours.engine = "native"
    maps = ParamGridBuilder()
    for name, values in grid.items():
        maps.addGrid(ours.getParam(name), values)
    for position, model in ours.fitMultiple(houses, maps.build()):
        chosen = {param.name: value for param, value in maps.build()[position].items()}
        theirs = stock(featuresCol=features, subsamplingRate=0.7, seed=11, **chosen).fit(houses)
        assert type(model) is type(theirs)
        assert (
            model.toDebugString.splitlines()[1:] == theirs.toDebugString.splitlines()[1:]
        )  # but for the uid
        assert model.uid == ours.uid
        assert model.treeWeights == theirs.treeWeights
        assert model.featureImportances == theirs.featureImportances
        assert {p.name: v for p, v in model.extractParamMap().items()} == {
            p.name: v for p, v in theirs.extractParamMap().items()
        }
        np.testing.assert_array_equal(predictions(model, houses), predictions(theirs, houses))


def test_local_rows_lie_here_on_the_partitions_that_mllib_sees(spark) -> None:
    """MLlib takes an RDD of a frame, and Spark cuts local rows into partitions only for that."""
    rows = [(float(n % 7), Vectors.dense(float(n), float(n * 37 % 11))) for n in range(40)]
    frame = spark.createDataFrame(rows, ["label", "features"])
    ours = NativeForestRegressor(numTrees=3, seed=5)
    ours.engine = "native"

    model, theirs = ours.fit(frame), RandomForestRegressor(numTrees=3, seed=5).fit(frame)

    assert model.toDebugString.splitlines()[1:] == theirs.toDebugString.splitlines()[1:]


def test_a_fit_beyond_the_engine_is_mllib_s_aloud(houses, capsys) -> None:
    forest = NativeForestRegressor(featuresCol="indexed", weightCol=WEIGHT, numTrees=2, maxDepth=3, seed=11)
    stock = RandomForestRegressor(featuresCol="indexed", weightCol=WEIGHT, numTrees=2, maxDepth=3, seed=11)

    (model,) = forest.fit(houses, [{}])

    said = capsys.readouterr().err
    assert "NativeForestRegressor: MLlib grows the trees itself, because weightCol is set" in said
    assert model.toDebugString.splitlines()[1:] == stock.fit(houses).toDebugString.splitlines()[1:]
    forest.engine = "native"
    with pytest.raises(
        IllegalArgumentException, match="NativeForestRegressor cannot fit natively: weightCol is set"
    ):
        forest.fit(houses)


def test_a_grid_of_max_iter_trains_once(spark, houses) -> None:
    gbt = PrefixGBTRegressor(featuresCol="indexed", maxDepth=2, seed=11)

    grid = jobs_of(spark, lambda: gbt.fit(houses, [{gbt.maxIter: n} for n in (2, 4, 6)]))

    assert grid == jobs_of(spark, lambda: gbt.fit(houses, {gbt.maxIter: 6})) > 0


def test_boosting_that_may_stop_early_is_fitted_one_by_one(houses) -> None:
    gbt = PrefixGBTRegressor(
        featuresCol="indexed", validationIndicatorCol="check", validationTol=0.5, maxDepth=2, seed=11
    )
    maps = [{gbt.maxIter: n} for n in (3, 6)]
    for ours, stock in zip(gbt.fit(houses, maps), map(gbt.fit, [houses] * 2, maps), strict=True):
        assert ours.toDebugString == stock.toDebugString


@pytest.mark.parametrize(
    "params",
    [
        {"featuresCol": "indexed"},
        {"featuresCol": "onehot"},
        {"featuresCol": "collinear"},
        {"featuresCol": "dense"},
        {"featuresCol": "dense", "standardization": False},
        {"featuresCol": "dense", "fitIntercept": False},
    ],
    ids=lambda params: " ".join(map(str, params.values())),
)
def test_one_pass_gives_the_line_of_a_fit_each(houses, params) -> None:
    linear = GramianLinearRegression(**params)
    maps = [{linear.regParam: value} for value in (0.01, 0.1, 1.0)]

    for position, ours in linear.fitMultiple(houses, maps):
        stock = linear.fit(houses, maps[position])
        assert type(ours) is type(stock)
        assert_same_line(ours, stock, houses)
        assert ours.extractParamMap() == stock.extractParamMap()
        assert ours._java_obj.extractParamMap().toString() == stock._java_obj.extractParamMap().toString()
        assert not ours.hasSummary  # it did come from the shared pass


def test_columns_that_do_not_vary_have_no_say(houses) -> None:
    linear = GramianLinearRegression(featuresCol="onehot")
    first, _ = linear.fit(houses, [{linear.regParam: value} for value in (0.01, 1.0)])
    assert list(first.coefficients[4:6]) == [0.0, 0.0]


def test_the_number_of_passes_does_not_grow_with_the_grid(spark, houses) -> None:
    linear = GramianLinearRegression(featuresCol="onehot")

    def jobs(*values: float) -> int:
        return jobs_of(spark, lambda: linear.fit(houses, [{linear.regParam: value} for value in values]))

    assert jobs(0.01, 0.1) == jobs(0.01, 0.1, 1.0, 10.0, 100.0) > 0


@pytest.mark.parametrize(
    "params",
    [
        {"elasticNetParam": 0.5},
        {"weightCol": WEIGHT},
        {"solver": "l-bfgs"},
        {"maxIter": 5, "loss": "huber"},
        {"labelCol": "always"},
        {"featuresCol": "collinear", "regParam": 0.0},
    ],
    ids=lambda params: next(reversed(params)),
)
def test_what_one_pass_cannot_serve_is_fitted_as_stock(houses, params) -> None:
    linear = GramianLinearRegression(**{"featuresCol": "onehot", **params})
    values = [0.0, 1e-300] if params.get("regParam") == 0.0 else [0.01, 0.1]
    maps = [{linear.regParam: value} for value in values]

    for position, ours in linear.fitMultiple(houses, maps):
        assert_same_line(ours, linear.fit(houses, maps[position]), houses)
        assert ours.hasSummary  # only stock has one


def test_a_missing_label_is_reported_by_stock(spark, houses) -> None:
    linear = GramianLinearRegression(featuresCol="dense")
    broken = houses.withColumn("label", F.when(F.col("id") != 399, F.col("label")).otherwise(float("nan")))
    with pytest.raises(Exception, match="NaN"):
        linear.fit(broken, [{linear.regParam: value} for value in (0.01, 0.1)])


@pytest.mark.parametrize(
    ("stock", "ours", "grid"),
    [
        (
            RandomForestRegressor,
            (SharedForestRegressor, NativeForestRegressor),
            {"numTrees": [2, 3], "maxDepth": [3]},
        ),
        (GBTRegressor, (PrefixGBTRegressor, NativeGBTRegressor), {"maxIter": [2, 3], "maxDepth": [2]}),
        (LinearRegression, (GramianLinearRegression,), {"regParam": [0.01, 0.1, 1.0]}),
    ],
)
def test_cross_validation_on_two_threads_gives_stock_metrics(houses, stock, ours, grid) -> None:
    def metrics(estimator) -> list[float]:
        maps = ParamGridBuilder()
        for name, values in grid.items():
            maps.addGrid(estimator.getParam(name), values)
        if estimator.hasParam("seed"):
            estimator.setSeed(11)
        return (
            CrossValidator(
                estimator=estimator.setFeaturesCol("onehot"),
                estimatorParamMaps=maps.build(),
                evaluator=RegressionEvaluator(),
                foldCol=FOLD,
                numFolds=2,
                parallelism=2,
            )
            .fit(houses)
            .avgMetrics
        )

    tolerance = 1e-9 if stock is LinearRegression else 1e-12
    expected = metrics(stock())
    for one in ours:
        np.testing.assert_allclose(metrics(one()), expected, rtol=tolerance)


def test_a_copy_is_of_the_same_kind_and_keeps_its_params() -> None:
    gbt = PrefixGBTRegressor(maxDepth=3, seed=11)
    copied = gbt.copy({gbt.maxIter: 7})
    assert type(copied) is PrefixGBTRegressor
    assert (copied.uid, copied.getMaxDepth(), copied.getMaxIter(), gbt.getMaxIter()) == (gbt.uid, 3, 7, 20)


def test_a_pipeline_around_them_fits_a_grid(houses) -> None:
    linear = GramianLinearRegression(featuresCol="onehot")
    maps = [{linear.regParam: value} for value in (0.01, 0.1)]
    models = Pipeline(stages=[linear]).fit(houses, maps)
    assert [model.stages[0].getRegParam() for model in models] == [0.01, 0.1]


LOADS_WITHOUT_US = """
import sys
from pyspark.sql import SparkSession
from pyspark.ml.regression import GBTRegressionModel, LinearRegressionModel
try:
    import regatta
except ImportError:
    pass
else:
    sys.exit("regatta can be imported, so this proves nothing")
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config(
    "spark.driver.bindAddress", "127.0.0.1").config("spark.driver.memory", "512m").getOrCreate()
frame = spark.read.parquet(sys.argv[1] + "/frame")
for kind, name in ((GBTRegressionModel, "gbt"), (LinearRegressionModel, "linear")):
    rows = kind.load(sys.argv[1] + "/" + name).transform(frame).orderBy("id").select("prediction").collect()
    print(name, *(repr(row[0]) for row in rows))
"""


def test_saved_models_predict_the_same_where_this_package_is_missing(houses, tmp_path: Path) -> None:
    frame = houses.select("id", "onehot", "label").orderBy("id").limit(20)
    frame.write.parquet(f"{tmp_path}/frame")
    gbt = PrefixGBTRegressor(featuresCol="onehot", maxDepth=2, seed=11)
    linear = GramianLinearRegression(featuresCol="onehot")
    models = {
        "gbt": gbt.fit(houses, [{gbt.maxIter: n} for n in (2, 3)])[0],
        "linear": linear.fit(houses, [{linear.regParam: value} for value in (0.01, 0.1)])[0],
    }
    for name, model in models.items():
        model.save(f"{tmp_path}/{name}")

    # Without `site` no .pth file is read, and so no editable install is found.
    elsewhere = subprocess.run(
        [sys.executable, "-S", "-c", LOADS_WITHOUT_US, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(Path(pyspark.__file__).parents[1])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert elsewhere.returncode == 0, elsewhere.stderr
    printed = dict(line.split(" ", 1) for line in elsewhere.stdout.splitlines())
    for name, model in models.items():
        assert printed[name] == " ".join(map(repr, predictions(model, frame).tolist()))
