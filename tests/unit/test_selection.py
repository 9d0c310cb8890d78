"""Splits that hold for ever, and a race that is the same every time."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.ml.feature import MinMaxScalerModel, SQLTransformer
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from regatta.config import UseCase, parse
from regatta.errors import InputError
from regatta.evaluation.metrics import better, metrics
from regatta.features.scope import in_scope
from regatta.selection.candidates import candidates
from regatta.selection.engine import Engine
from regatta.selection.finalists import finals, on_holdout, with_holdout
from regatta.selection.leaderboard import Judged, Leaderboard, ranked
from regatta.selection.prepared import prepared_for
from regatta.selection.race import race
from regatta.selection.splits import FOLD, fold, held_out, laid_out
from regatta.selection.training import parts

USE_CASE = """\
use_case: houses
sources:
  sales: {role: train}
columns:
  id: {type: string, role: key}
  sold: {type: integer, role: [key, time]}
  area: {type: number, role: feature}
  town: {type: string, role: category}
  price: {type: number, unit: GBP, role: label, above: 0}
label_transform: log
baselines: {median_by: town}
candidates:
  random_forest: {numTrees: [2, 3], maxDepth: 3}
  gbt: {maxIter: [2, 4], maxDepth: 2}
  linear_regression: {regParam: [0.01, 1.0]}
"""


@pytest.fixture(scope="module")
def use_case() -> UseCase:
    return parse(USE_CASE, "houses.yaml")


@pytest.fixture(scope="module")
def sales(spark: SparkSession) -> DataFrame:
    """300 sales of 200 houses: area decides the price, the town's name adds to it."""
    numbers = spark.range(300).withColumn("area", 50 + (F.col("id") * 37) % 100)
    return numbers.select(
        F.lit("d").alias("delivery"),
        F.lit("f").alias("file"),
        F.col("id").alias("row"),
        F.concat(F.lit("h"), F.col("id") % 200).alias("id"),
        F.col("id").alias("sold"),
        F.col("area").cast("double"),
        F.concat(F.lit("town "), F.col("id") % 7).alias("town"),
        (1000.0 * F.col("area") + 5000.0 * (F.col("id") % 7)).alias("price"),
    ).localCheckpoint()


class Seen:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.fits: list[tuple[str, int]] = []

    def judged(self, candidate: str, fold: int, judged: Judged) -> None:
        self.fits.append((candidate, fold))


def board_of(rows: DataFrame, use_case: UseCase, watcher: Seen) -> Leaderboard:
    standings = race(parts(rows, use_case).folds, use_case, watcher, Engine(use_case))
    return Leaderboard(
        use_case="houses",
        run_id="r",
        metric="rmse",
        label="price",
        unit="GBP",
        standings=ranked(standings, "rmse"),
    )


@pytest.fixture(scope="module")
def seen() -> Seen:
    return Seen()


@pytest.fixture(scope="module")
def board(sales: DataFrame, use_case: UseCase, seen: Seen) -> Leaderboard:
    return board_of(sales, use_case, seen)


def test_sales_of_one_house_stay_on_one_side_of_every_split(sales: DataFrame, use_case: UseCase):
    sides = sales.select("id", held_out(use_case).alias("out"), fold(use_case).alias("fold")).distinct()

    assert sides.count() == sales.select("id").distinct().count()


def test_a_row_that_was_held_out_stays_so_when_others_come(sales: DataFrame, use_case: UseCase):
    def held(rows: DataFrame) -> set[str]:
        return {row["id"] for row in rows.filter(held_out(use_case)).collect()}

    assert held(sales.filter("sold < 100")) == held(sales) & {
        row["id"] for row in sales.filter("sold < 100").collect()
    }


def test_another_salt_holds_out_other_rows(sales: DataFrame, use_case: UseCase):
    other = use_case.model_copy(update={"split": use_case.split.model_copy(update={"salt": "x"})})

    assert sales.filter(held_out(use_case) != held_out(other)).count() > 0


def test_the_layout_does_not_depend_on_how_the_rows_came(sales: DataFrame, use_case: UseCase):
    def layout(rows: DataFrame) -> list[list[tuple[object, ...]]]:
        partitions = laid_out(rows, use_case).rdd.glom().collect()
        return [[tuple(row) for row in partition] for partition in partitions]

    shuffled = sales.repartition(7).orderBy(F.rand(seed=1))
    assert layout(shuffled) == layout(sales)
    assert len(layout(sales)) == use_case.split.partitions


def test_parts_count_what_became_of_every_row(sales: DataFrame, use_case: UseCase):
    without = sales.withColumn("price", F.when(F.col("sold") >= 10, F.col("price")))

    counts = parts(without, use_case).counts

    assert counts["read"] == 300
    assert counts["without_label"] == 10
    assert counts["held_out"] + counts["trained_on"] == 290


def test_with_holdout_from_all_rows_before_train_and_all_others_are_held_out(sales: DataFrame):
    by_time = parse(USE_CASE + "split: {holdout_from: 250}\n", "houses.yaml")

    split = parts(sales, by_time)

    assert {row["sold"] for row in split.training.collect()} == {*range(250)}
    assert {row["sold"] for row in split.holdout.collect()} == {*range(250, 300)}
    assert by_time.split_by == ("sold",)


def test_filters_leave_rows_out_of_both_sides_and_are_counted(sales: DataFrame):
    filtered = parse(USE_CASE + "filters: [price > 100000, area < 140]\n", "houses.yaml")
    kept = sales.filter("price > 100000 and area < 140").count()

    split = parts(sales, filtered)

    assert split.counts["filtered_out"] == 300 - kept
    assert split.counts["held_out"] + split.counts["trained_on"] == kept
    assert str(split).endswith(f"; left out: {300 - kept} that the filters exclude")
    assert sales.filter(in_scope(filtered, to_score=True)).count() == sales.filter("area < 140").count()


def test_labels_that_are_all_equal_are_a_sentence(sales: DataFrame, use_case: UseCase):
    with pytest.raises(InputError) as raised:
        parts(sales.withColumn("price", F.lit(5.0)), use_case)

    assert str(raised.value).startswith(
        "houses: price is 5 in every row that could be learnt from: there is nothing to learn"
    )


def test_fewer_rows_than_folds_is_a_sentence(sales: DataFrame, use_case: UseCase):
    with pytest.raises(InputError) as raised:
        parts(sales.limit(2), use_case)

    assert str(raised.value) == (
        "houses: 2 labelled rows are too few for 3 folds and a holdout of 20% by id: every part needs at least one "
        "row\n  land more rows, or lower split.folds (of 2 rows read, 0 have no label)"
    )


def test_a_label_without_a_logarithm_is_a_sentence(sales: DataFrame, use_case: UseCase):
    with pytest.raises(
        InputError, match="price is 0 in a row, and label_transform: log needs labels above 0"
    ):
        parts(sales.withColumn("price", F.lit(0.0)), use_case)


def test_every_candidate_and_baseline_is_judged_on_every_fold_once(
    use_case: UseCase, board: Leaderboard, seen: Seen
):
    names = [candidate.name for candidate in candidates(use_case)] + ["mean", "median by town"]
    assert sorted(seen.fits) == sorted((name, number) for name in names for number in range(3))


def test_the_board_ranks_by_the_mean_over_the_folds(board: Leaderboard):
    means = [standing.mean("rmse") for standing in board.standings]

    assert means == sorted(means)
    assert not board.winner.is_baseline
    assert [standing.candidate for standing in board.standings[-2:]] == ["median by town", "mean"]


def test_the_same_rows_in_another_order_give_the_same_board(
    sales: DataFrame, use_case: UseCase, board: Leaderboard
):
    again = board_of(sales.repartition(7), use_case, Seen())

    assert [standing.candidate for standing in again.standings] == [s.candidate for s in board.standings]
    for one, other in zip(board.standings, again.standings, strict=True):
        assert other.mean("rmse") == pytest.approx(one.mean("rmse"), rel=1e-12)


def test_nothing_of_the_judging_fold_is_learnt(sales: DataFrame, use_case: UseCase):
    """Prices and areas of fold 0 are changed wildly; what was learnt to predict it must stay as it was."""
    training = parts(sales, use_case).training
    own = F.col(FOLD) == 0
    wild = training.withColumns(
        {"area": F.when(own, F.col("area") * 9).otherwise(F.col("area")), "_label": -F.col("_label")}
    )

    for encoding in ("index", "one_hot", "target"):
        learnt = [
            prepared_for([encoding], rows.filter(~own), rows.filter(own), use_case)[encoding].features
            for rows in (training, training.filter(~own).unionByName(wild.filter(own)))
        ]
        statements = [
            [stage.getStatement() for stage in model.stages if isinstance(stage, SQLTransformer)]
            for model in learnt
        ]
        assert statements[0] == statements[1]
        scalers = [
            next(stage for stage in model.stages if isinstance(stage, MinMaxScalerModel)) for model in learnt
        ]
        assert scalers[0].originalMax == scalers[1].originalMax


def test_finalists_predict_the_holdout_in_the_labels_unit(
    sales: DataFrame, use_case: UseCase, board: Leaderboard, tmp_path: Path
):
    split = parts(sales, use_case)
    best = finals(split.training, split.holdout, board, use_case, Engine(use_case), f"file://{tmp_path}/")

    predictions = on_holdout(best, split.holdout)
    judged = with_holdout(board, predictions, use_case)

    assert predictions.count() == split.counts["held_out"]
    assert set(sales.columns) < set(predictions.columns)
    figures = {line.candidate: line.holdout for line in judged.standings if line.holdout}
    assert set(figures) == {f.candidate for f in best.finalists} | {"mean", "median by town"}
    assert all(figure["rows"] == split.counts["held_out"] for figure in figures.values())
    (own,) = metrics(predictions, "price")
    assert judged.winner.holdout == own


def test_metrics_are_those_of_their_definitions(spark: SparkSession):
    frame = spark.createDataFrame(
        [(1.0, 2.0), (2.0, 2.0), (0.0, 1.0), (None, 9.0)], "y double, prediction double"
    )

    (found,) = metrics(frame, "y")

    assert found["mse"] == pytest.approx(2 / 3)
    assert found["mae"] == pytest.approx(2 / 3)
    assert found["mape"] == pytest.approx(0.5)  # the row whose label is 0 is left out
    assert found["r2"] == pytest.approx(1 - 2 / 2)
    assert (found["rows"], found["rows_mape"]) == (3, 2)


def test_metrics_of_forecasts_are_those_of_their_definitions(spark: SparkSession):
    frame = spark.createDataFrame(
        [(10.0, 8.0), (-2.0, 1.0), (0.0, 0.0), (4.0, 4.0)], "y double, prediction double"
    )

    (found,) = metrics(frame, "y", scale=2.5)

    assert found["wape"] == pytest.approx((2 + 3) / (10 + 2 + 0 + 4))
    assert found["smape"] == pytest.approx((2 * 2 / 18 + 2 * 3 / 3 + 0 + 0) / 4)
    assert found["mase"] == pytest.approx((5 / 4) / 2.5)
    assert found["bias"] == pytest.approx((-2 + 3) / 4)


def test_a_row_without_a_prediction_leaves_every_figure_undefined(spark: SparkSession):
    frame = spark.createDataFrame([(1.0, None), (1.0, 1.0)], "y double, prediction double")

    (found,) = metrics(frame, "y", scale=1.0)

    assert {name for name, value in found.items() if value is not None} == {"rows", "rows_mape"}


def test_r2_of_equal_labels_is_undefined(spark: SparkSession):
    (found,) = metrics(spark.createDataFrame([(1.0, 2.0), (1.0, 1.0)], "y double, prediction double"), "y")

    assert found["r2"] is None


def test_an_undefined_figure_beats_nothing():
    assert better("r2", 0.9, None)
    assert not better("rmse", None, 1.0)
    assert better("rmse", 1.0, 2.0)
    assert not better("r2", 0.1, 0.2)
