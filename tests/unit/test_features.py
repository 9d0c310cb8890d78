"""From accepted rows to vectors, with what is learnt learnt from the training part alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from pyspark.ml.feature import SQLTransformer
from pyspark.ml.regression import LinearRegression
from pyspark.sql import DataFrame, SparkSession

from regatta.config import UseCase, parse
from regatta.config.inputs import Outliers
from regatta.errors import InputError
from regatta.features.learnt import Bounds, Fill, FillNulls
from regatta.features.pipeline import (
    FEATURES,
    LABEL,
    PREDICTION,
    Slots,
    feature_pipeline,
    published,
    scorable,
    with_label,
)
from regatta.features.sql import literal

HOUSES = """\
use_case: houses
sources:
  sales: {role: train}
columns:
  id: {type: string, role: key}
  area: {type: number, role: feature}
  White Marble: {type: integer, role: feature, nulls: constant, fill: 0}
  town: {type: string, role: category}
  price: {type: number, role: label}
features: {log_area: ln(area)}
scaling: none
candidates:
  linear_regression: {regParam: 0.1}
"""
SCHEMA = "delivery string, file string, row bigint, id string, area double, `White Marble` bigint, town string, price double"


def houses(spark: SparkSession, rows: Sequence[tuple[Any, ...]]) -> DataFrame:
    return spark.createDataFrame([("d", "f", i, f"h{i}", *row) for i, row in enumerate(rows)], SCHEMA)


@pytest.fixture(scope="module")
def use_case() -> UseCase:
    return parse(HOUSES, "houses.yaml")


@pytest.fixture(scope="module")
def training(spark: SparkSession) -> DataFrame:
    return houses(
        spark,
        [
            (100.0, 1, "Kent", 10.0),
            (None, 0, "Kent", 20.0),
            (300.0, None, "Leeds", 30.0),
            (200.0, 1, None, 40.0),
        ],
    )


def vectors(frame: DataFrame) -> list[list[float]]:
    return [row[FEATURES].toArray().tolist() for row in frame.orderBy("id").collect()]


def test_a_missing_number_becomes_the_training_median_and_an_unseen_town_no_town(
    spark: SparkSession, use_case: UseCase, training: DataFrame
):
    model = feature_pipeline(use_case, "one_hot").fit(training)
    new = houses(spark, [(None, None, "Paris", None)])

    ((area, marble, log_area, *towns),) = vectors(model.transform(new))

    assert (area, marble) == (200.0, 0.0)
    assert log_area == pytest.approx(5.298317)
    assert towns == [0.0, 0.0, 0.0]


def test_slots_are_named_in_the_order_of_the_vector(use_case: UseCase, training: DataFrame):
    one_hot = Slots.of(feature_pipeline(use_case, "one_hot").fit(training), use_case, "one_hot")
    index = Slots.of(feature_pipeline(use_case, "index").fit(training), use_case, "index")

    assert one_hot.names == ("area", "White Marble", "log_area", "town=Kent", "town=(missing)", "town=Leeds")
    assert index.names == ("area", "White Marble", "log_area", "town")
    assert index.largest == 4  # three towns and the bucket of unseen ones


def test_target_encoding_is_learnt_from_the_rows_it_is_fitted_on(use_case: UseCase, training: DataFrame):
    model = feature_pipeline(use_case, "target").fit(with_label(training, use_case))

    kent = [row[-1] for row in vectors(model.transform(training))][:2]

    assert kent[0] == kent[1] == pytest.approx((2 * 15.0 + 10.0 * 25.0) / (2 + 10.0))


def test_more_categories_than_the_cap_are_refused_with_the_alternatives(
    training: DataFrame, use_case: UseCase
):
    capped = use_case.model_copy(update={"max_categories": 2})

    with pytest.raises(InputError) as raised:
        Slots.of(feature_pipeline(capped, "index").fit(training), capped, "index")

    assert str(raised.value) == (
        "houses: town has 3 categories in the training part, more than max_categories (2)\n"
        "  use encoding: target or one_hot for this family, or raise max_categories"
    )


def test_a_column_without_any_value_is_named(spark: SparkSession, use_case: UseCase):
    empty = houses(spark, [(None, 1, "Kent", 10.0), (None, 1, "Kent", 20.0)])

    with pytest.raises(InputError, match="no row of the training part has a value in area"):
        feature_pipeline(use_case, "index").fit(empty)


def test_a_published_model_gives_back_the_row_as_it_came_and_a_prediction(
    spark: SparkSession, use_case: UseCase, training: DataFrame
):
    logged = use_case.model_copy(update={"label_transform": "log"})
    features = feature_pipeline(logged, "one_hot").fit(training)
    learner = LinearRegression(featuresCol=FEATURES, labelCol=LABEL, predictionCol=PREDICTION, regParam=0.1)
    model = published(features, learner.fit(features.transform(with_label(training, logged))), logged)

    predicted = model.transform(training)

    assert predicted.columns == [*training.columns, "prediction"]
    assert [tuple(row)[:-1] for row in predicted.orderBy("id").collect()] == [
        tuple(row) for row in training.orderBy("id").collect()
    ]
    assert all(1 < row["prediction"] < 100 for row in predicted.collect())  # in the label's unit, not its log


@pytest.mark.parametrize(
    ("how", "value", "expected"),
    [("median", None, 2.0), ("mean", None, 3.0), ("most_frequent", None, 1.0), ("constant", -1.0, -1.0)],
)
def test_fills_are_learnt_from_what_is_there(spark: SparkSession, how: str, value: Any, expected: float):
    frame = spark.createDataFrame([(1.0,), (1.0,), (2.0,), (3.0,), (8.0,), (None,)], "x double")

    model = FillNulls({"x": Fill(how, value)}).fit(frame)

    assert isinstance(model, SQLTransformer)
    assert model.transform(frame.filter("x IS NULL")).first()["x"] == expected


def test_a_computed_number_that_is_not_finite_counts_as_missing(spark: SparkSession):
    frame = spark.createDataFrame([(1.0,), (3.0,), (5.0,), (float("nan"),), (float("inf"),)], "x double")

    filled = FillNulls({"x": Fill("median", finite=True)}).fit(frame).transform(frame)

    assert sorted(row["x"] for row in filled.collect()) == [1.0, 3.0, 3.0, 3.0, 5.0]


def test_an_integer_stays_an_integer(spark: SparkSession):
    frame = spark.createDataFrame([(1,), (5,), (None,)], "x bigint")

    filled = FillNulls({"x": Fill("most_frequent")}).fit(frame).transform(frame)

    assert filled.schema["x"].dataType.simpleString() == "bigint"


def test_outliers_are_outside_of_tukeys_fences_and_a_missing_value_is_none(spark: SparkSession):
    frame = spark.createDataFrame([(float(x),) for x in [1, 2, 3, 4, 5, 99]] + [(None,)], "x double")

    bounds = Bounds.learn(frame, Outliers(factor=1.5, columns=("x",)))

    assert bounds.by_column == {"x": (2.25 - 1.5 * 2.5, 4.75 + 1.5 * 2.5)}
    assert bounds.inside(frame).count() == 6


def test_a_row_without_a_value_that_must_not_be_filled_is_not_scorable(spark: SparkSession):
    dropping = parse(HOUSES.replace("number, role: feature", "number, role: feature, nulls: drop"), "h.yaml")

    kept = houses(spark, [(1.0, 1, "Kent", 1.0), (None, 1, "Kent", 1.0)]).filter(scorable(dropping))

    assert kept.count() == 1


@pytest.mark.parametrize("value", ["it's", "a\\b", "line\nbreak", "ünï", 0.1, 1e-300, 2**40, True])
def test_a_literal_reads_back_as_the_value(spark: SparkSession, value: Any):
    assert spark.sql(f"SELECT {literal(value)} AS x").first()["x"] == value


BANDS = """\
use_case: bands
sources:
  sales: {role: train}
columns:
  area: {type: number}
  price: {type: number, role: label}
features: {band: {sql: area, buckets: 2}}
candidates:
  linear_regression: {regParam: 0.1}
"""


def test_buckets_are_learnt_from_the_training_part_and_take_whatever_comes(spark: SparkSession) -> None:
    use_case = parse(BANDS, "bands.yaml")

    def bands(*areas: float | None) -> DataFrame:
        return spark.createDataFrame([(area, 1.0) for area in areas], "area double, price double")

    fitted = feature_pipeline(use_case, "index").fit(
        with_label(bands(10.0, 20.0, 30.0, 40.0, None), use_case)
    )
    found = fitted.transform(bands(-5.0, 19.0, 31.0, 1000.0, None, float("nan")))
    assert [row["band"] for row in found.select("band").collect()] == [
        "0",
        "0",
        "1",
        "1",
        "(missing)",
        "(missing)",
    ]
    assert use_case.categories == ("band",)
    assert use_case.numbers == ()
