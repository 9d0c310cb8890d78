"""Who grows the trees is decided aloud, and the answer is the same."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pyspark.ml.regression import GBTRegressor, LinearRegression, RandomForestRegressor
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from regatta.config import UseCase, parse
from regatta.errors import InputError
from regatta.selection.engine import Engine
from regatta.selection.leaderboard import Judged, Standing
from regatta.selection.native import canary, memory, parameters, proof
from regatta.selection.native.parameters import TreeFit, TreeParameters
from regatta.selection.native.places import Here
from regatta.selection.native.rows import Rows
from regatta.selection.native.search import Split, units
from regatta.selection.native.unsupported import Unsupported
from regatta.selection.race import race
from regatta.selection.training import parts

USE_CASE = """\
use_case: houses
sources:
  sales: {role: train}
columns:
  id: {type: string, role: key}
  area: {type: number, role: feature}
  rooms: {type: integer, role: feature}
  town: {type: string, role: category}
  price: {type: number, unit: GBP, role: label, above: 0}
label_transform: log
split: {folds: 2}
candidates:
  random_forest: {numTrees: [2, 6], maxDepth: [2, 5]}
  gbt: {maxIter: [1, 3], maxDepth: [2, 3]}
"""


class Nobody:
    def judged(self, candidate: str, fold: int, judged: Judged) -> None:
        pass


@pytest.fixture(scope="module")
def sales(spark: SparkSession) -> DataFrame:
    """400 sales in 40 towns, more than MLlib's 32 bins."""
    numbers = spark.range(400).withColumn("area", 50 + (F.col("id") * 37) % 101)
    return numbers.select(
        F.lit("d").alias("delivery"),
        F.lit("f").alias("file"),
        F.col("id").alias("row"),
        F.concat(F.lit("h"), F.col("id")).alias("id"),
        F.col("area").cast("double"),
        (F.col("id") % 5).alias("rooms"),
        F.concat(F.lit("town "), F.col("id") % 40).alias("town"),
        (1000.0 * F.col("area") + 700.0 * (F.col("id") % 40) + F.col("id") % 7).alias("price"),
    ).localCheckpoint()


def raced(sales: DataFrame, use_case: UseCase) -> tuple[dict[str, Standing], Engine]:
    engine = Engine(use_case)
    standings = race(parts(sales, use_case).folds, use_case, Nobody(), engine)
    return {standing.candidate: standing for standing in standings}, engine


def with_engine(engine: str, changed: Callable[[str], str] = str) -> UseCase:
    return parse(changed(f"{USE_CASE}engine: {engine}\n"), "houses.yaml")


@pytest.fixture(scope="module")
def by_mllib(sales: DataFrame) -> dict[str, Standing]:
    return raced(sales, with_engine("mllib"))[0]


def test_both_engines_find_the_same_leaderboard(sales: DataFrame, by_mllib: dict[str, Standing]):
    found, engine = raced(sales, with_engine("native"))

    assert {choice.engine for choice in engine.choices.values()} == {"native"}
    assert set(engine.choices) == {"random_forest", "gbt"}
    assert found.keys() == by_mllib.keys()
    for name, standing in found.items():
        for own, other in zip(standing.folds, by_mllib[name].folds, strict=True):
            assert own.metrics == pytest.approx(other.metrics, rel=1e-12)


def test_what_it_cannot_do_is_left_to_mllib_aloud(
    sales: DataFrame, by_mllib: dict[str, Standing], capsys: pytest.CaptureFixture[str]
):
    absolute = with_engine("auto", lambda text: text.replace("gbt: {", "gbt: {lossType: absolute, "))

    found, engine = raced(sales, absolute)

    assert "gbt: MLlib grows the trees itself, because lossType is absolute" in capsys.readouterr().err
    assert engine.choices["gbt"].engine == "mllib"
    assert engine.choices["gbt"].reason == "lossType is absolute"
    assert engine.choices["random_forest"].engine == "native"
    assert engine.choices["random_forest"].canary_seconds is not None
    forest = "random_forest numTrees=6 maxDepth=5"
    assert found[forest].mean("rmse") == pytest.approx(by_mllib[forest].mean("rmse"), rel=1e-12)


def test_native_asked_for_and_not_possible_is_a_sentence(sales: DataFrame):
    absolute = with_engine("native", lambda text: text.replace("gbt: {", "gbt: {lossType: absolute, "))

    with pytest.raises(InputError) as raised:
        raced(sales, absolute)

    assert str(raised.value) == (
        "houses: engine: gbt cannot be grown natively: lossType is absolute\n"
        "  use engine: auto, which leaves such a family to MLlib"
    )


def test_a_canary_that_differs_leaves_the_race_to_mllib(
    sales: DataFrame, by_mllib: dict[str, Standing], monkeypatch: pytest.MonkeyPatch
):
    of_jvm = canary._jvm_nodes

    def other_gain(model: Any) -> Any:
        return (
            node if number else (*node[:4], node[4] + 1e-16, *node[5:])
            for number, node in enumerate(of_jvm(model))
        )

    monkeypatch.setattr(canary, "_jvm_nodes", other_gain)

    found, engine = raced(sales, with_engine("auto"))

    for choice in engine.choices.values():
        assert choice.engine == "mllib"
        assert choice.reason.startswith("node 0 of a small fit is (0, ")
    assert {n: s.mean("rmse") for n, s in found.items()} == {n: s.mean("rmse") for n, s in by_mllib.items()}


def test_the_canary_may_take_its_time_to_read_what_mllib_has_grown(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
):
    """Py4J lets go of a model within a second of Python's last reference to it, not at once."""
    of_jvm = canary._jvm_nodes

    def late(model: Any) -> Any:
        time.sleep(2)
        return of_jvm(model)

    monkeypatch.setattr(canary, "_jvm_nodes", late)

    canary.sing(spark, rows_of(200), RandomForestRegressor(numTrees=2, maxDepth=2, seed=1))


def test_too_little_memory_leaves_the_race_to_mllib(spark: SparkSession, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 1_000_000)
    forest = RandomForestRegressor(numTrees=50, maxDepth=12, seed=1)
    rows = rows_of(20_000)

    with pytest.raises(Unsupported, match=r"growing needs 0\.\d GB of memory, and 0\.0 GB can be had"):
        proof.prove(forest, units(Split(rows, np.empty((0, 3))), [TreeFit.of(forest)]), rows, Here())


@pytest.mark.parametrize(
    ("estimator", "reason"),
    [
        (lambda: RandomForestRegressor(seed=1), ""),
        (lambda: GBTRegressor(seed=1), ""),
        (lambda: RandomForestRegressor(weightCol="w"), "weightCol is set"),
        (lambda: RandomForestRegressor(minWeightFractionPerNode=0.1), "minWeightFractionPerNode is set"),
        (lambda: GBTRegressor(lossType="absolute"), "lossType is absolute"),
        (lambda: GBTRegressor(validationIndicatorCol="check"), "validationIndicatorCol is set"),
        (lambda: GBTRegressor(maxDepth=0), "maxDepth is 0"),
        (lambda: RandomForestRegressor(maxBins=300), "maxBins is 300, more than 255"),
        (lambda: LinearRegression(), "LinearRegression grows no trees"),
    ],
)
def test_what_is_beyond_the_engine_has_a_reason(
    spark: SparkSession, estimator: Callable[[], Any], reason: str
):
    assert parameters.obstacle(estimator()) == reason


def test_a_pyspark_it_was_not_proven_on_is_an_obstacle(monkeypatch: pytest.MonkeyPatch):
    assert parameters.obstacle_here() == ""
    monkeypatch.setattr(parameters, "PROVEN_ON", ("9.9.9",))
    assert parameters.obstacle_here() == "pyspark 4.1.2 is not one of those it was proven on (9.9.9)"


def test_a_missing_numba_is_an_obstacle(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(parameters, "find_spec", lambda name: None)
    assert parameters.obstacle_here() == "numba is not installed"


def rows_of(count: int, **changed: Any) -> Rows:
    chance = np.random.default_rng(0)
    values = chance.normal(size=(count, 3))
    values[:, 2] = chance.integers(0, 4, count)
    return Rows(
        changed.get("values", values),
        changed.get("labels", chance.normal(size=count)),
        np.zeros(count, np.int32),
        np.array([0, 0, 4], np.int32),
    )


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"values": np.array([[1.0, np.nan, 0.0]])}, "a feature is NaN or infinite"),
        ({"values": np.array([[1.0, -np.inf, 0.0]])}, "a feature is NaN or infinite"),
        (
            {"values": np.array([[1.0, 1.0, 4.0]])},
            "feature 2 has a category that its column's metadata does not know",
        ),
        (
            {"values": np.array([[1.0, 1.0, 0.5]])},
            "feature 2 has a category that its column's metadata does not know",
        ),
        ({"labels": np.array([np.nan])}, "a label is missing, NaN or infinite"),
        ({"labels": np.array([1e160])}, "the squares of the labels have no finite sum"),
    ],
)
def test_values_that_it_cannot_take_have_a_reason(changed: dict[str, Any], reason: str):
    with pytest.raises(Unsupported, match=reason):
        rows_of(1, **changed).check()


@pytest.mark.parametrize("boosted", [False, True])
def test_no_more_memory_is_used_than_was_asked_for(boosted: bool):
    rows = rows_of(20_000)
    own = TreeParameters(1, 32, "auto", 1.0, not boosted, 1, 0.0, 256, 0.1)
    work = units(Split(rows, rows.values[:100]), [TreeFit(own, 8, 12, boosted)])

    def grow() -> None:
        for unit in work:
            for _ in unit.predictions():
                pass

    grow()  # what compiling takes is not counted
    tracemalloc.start()
    grow()
    _, used = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert used < memory.needed(work, at_once=1)
