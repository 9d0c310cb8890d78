"""Small frames of rows, as Spark counts them."""

from __future__ import annotations

from random import Random

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from regatta.config import UseCase, parse
from regatta.exploration.inputs import correlations, fences, histograms, told_alone

ROWS = 600
YAML = """\
use_case: tea
sources: {sales: {role: train}}
columns:
  id:    {type: string, role: [key, category]}
  area:  {type: number, role: feature}
  tax:   {type: number, role: feature}
  noise: {type: number, role: feature}
  shore: {type: integer, role: feature}
  none:  {type: number, role: feature}
  town:  {type: string, role: category}
  price: {type: number, role: label}
outliers: {method: iqr, factor: 1.5, columns: [area]}
candidates: {linear_regression: {regParam: 0.1}}
"""


@pytest.fixture(scope="module")
def tea() -> UseCase:
    return parse(YAML, "tea.yaml")


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    """The tax is a tenth of the price; area, town and shore tell a part of it; noise, id and what is empty nothing."""
    chance = Random(3)
    told = []
    for number in range(ROWS):
        area, town, shore = chance.uniform(10, 20), chance.choice("AB"), int(number % 20 == 0)
        price = 10 * area + 60 * (town == "B") + 150 * shore + chance.gauss(0, 20)
        told.append((f"{number}", area, price / 10, chance.random(), shore, None, town, price))
    columns = (
        "id string, area double, tax double, noise double, shore int, none double, town string, price double"
    )
    return spark.createDataFrame(told, columns)


def test_what_gives_the_label_away_tells_almost_all_and_what_is_chance_tells_nothing(
    rows: DataFrame, tea: UseCase
) -> None:
    told = told_alone(rows, tea, "price").set_index("input")["r2"]
    assert told.index[0] == "tax"
    assert told["tax"] > 0.98
    assert 0.2 < told["area"] < 0.9
    assert 0.2 < told["town"] < 0.9
    assert told["shore"] > 0.1  # one row in twenty, and no quantile between its two values
    assert abs(told["noise"]) < 0.2
    assert told["none"] == pytest.approx(0, abs=0.01)
    assert told["id"] == 0


def test_r2_of_a_category_is_that_of_the_mean_of_its_other_rows(rows: DataFrame, tea: UseCase) -> None:
    frame = rows.toArrow().to_pandas()
    group = frame.groupby("town")["price"]
    others = (group.transform("sum") - frame["price"]) / (group.transform("size") - 1)
    spread = ((frame["price"] - frame["price"].mean()) ** 2).sum()
    expected = 1 - ((frame["price"] - others) ** 2).sum() / spread
    told = told_alone(rows, tea, "price").set_index("input")["r2"]
    assert told["town"] == pytest.approx(expected, rel=1e-9)


def test_whole_numbers_have_a_bin_each_and_others_bins_of_equal_width(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(1, 0.0), (3, 5.0), (3, 10.0), (None, None)], "beds int, size double")
    found = histograms(rows, ["beds", "size"], bins=4)
    pd.testing.assert_frame_equal(
        found,
        pd.DataFrame(
            [("beds", 0.5, 1.5, 1), ("beds", 2.5, 3.5, 2), ("size", 0.0, 2.5, 1), ("size", 5.0, 7.5, 1),
             ("size", 7.5, 10.0, 1)],
            columns=["column", "low", "high", "rows"],
        ),
    )  # fmt: skip


def test_a_column_of_one_value_or_of_none_has_one_bin_or_none(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(0.5, None), (0.5, None)], "size double, nothing double")
    assert histograms(rows, ["size", "nothing"])[["column", "rows"]].to_numpy().tolist() == [["size", 2]]


def test_the_fences_are_those_that_training_learns(spark: SparkSession, tea: UseCase) -> None:
    rows = spark.createDataFrame([(float(n),) for n in (1, 2, 3, 4, 100)], "area double")
    (fence,) = fences(rows, tea).itertuples()
    assert (fence.column, fence.low, fence.high, fence.outside) == ("area", -1.0, 7.0, 1)
    assert fences(rows, tea.model_copy(update={"outliers": None})).empty


def test_correlations_are_pearsons_over_whole_rows(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(1.0, 2.0), (2.0, 1.0), (4.0, 3.0), (9.0, None)], "a double, b double")
    whole = rows.toArrow().to_pandas().dropna()
    expected = whole["a"].corr(whole["b"])
    assert correlations(rows, ["a", "b"]).loc["a", "b"] == pytest.approx(expected)
