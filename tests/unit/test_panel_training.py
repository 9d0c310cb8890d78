"""A panel's way to the race: origins, the leak check, baselines, and what is refused before anything is learnt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from math import sin
from pathlib import Path
from typing import Literal

import pytest
from pyspark.ml import PipelineModel
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from panels import Line, lines_of, use_case
from regatta.config import UseCase, parse
from regatta.config.panel import Panel
from regatta.config.race import Candidates, Family
from regatta.errors import InputError
from regatta.evaluation.metrics import metrics
from regatta.panels import history, leak
from regatta.panels import rows as rows_module
from regatta.panels.leak import Leak
from regatta.panels.origins import origins
from regatta.panels.rows import rows
from regatta.panels.values import Lines, observed
from regatta.selection.engine import Engine
from regatta.selection.finalists import finals, on_holdout, with_holdout
from regatta.selection.leaderboard import Judged, Leaderboard, ranked
from regatta.selection.parts import Parts
from regatta.selection.race import race
from regatta.selection.training import split, windows

FIRST = date(2012, 1, 2)
FEATURES = {
    "today": "{lag: 0}",
    "mean_7": "{mean: 7}",
    "trend_4": "{trend: 4}",
    "week_ago": "{seasonal: 1}",
    "weekday": "{calendar: weekday, type: category}",
}
REST = """\
label_minus: mean_7
label_transform: signed_sqrt
split: {folds: 2}
metric: wape
"""


def tea(**panel: object) -> UseCase:
    settings = {"window": 7, "closed": "{weekdays: [sunday]}", **panel}
    return use_case(FEATURES, rest=REST, **settings)


def sales(days: int = 60) -> list[Line]:
    """Three teas with a weekly rhythm; one of them is sold every other day, and another begins late."""
    lines: list[Line] = []
    for n in range(days):
        day = FIRST + timedelta(days=n)
        if day.weekday() == 6:
            continue
        lines.append(("north", "green", day, round(20 + 8 * day.weekday() + 3 * sin(n), 2)))
        if n % 2:
            lines.append(("north", "black", day, round(9 + 4 * sin(n / 2), 2)))
        if n > 25:
            lines.append(("south", "green", day, round(40 - 5 * day.weekday() + 2 * sin(n), 2)))
    return lines


def landed(spark: SparkSession, lines: list[Line] | None = None, partitions: int = 2) -> Lines:
    given = sales() if lines is None else lines
    return lines_of(spark, given, as_of=max(line[2] for line in given), partitions=partitions)


class Quiet:
    def judged(self, candidate: str, fold: int, judged: Judged) -> None:
        """Nobody watches."""


@pytest.fixture(scope="module")
def parts(spark: SparkSession) -> Parts:
    return split(landed(spark, partitions=1), tea())


@pytest.fixture(scope="module")
def board(parts: Parts) -> Leaderboard:
    return board_of(parts, tea())


def board_of(parts: Parts, use_case: UseCase) -> Leaderboard:
    standings = race(parts.folds, use_case.modelled, Quiet(), Engine(use_case.modelled))
    return Leaderboard(
        use_case="tea",
        run_id="r",
        metric=use_case.metric,
        label="sold",
        unit="cups",
        folds=tuple(fold.name for fold in parts.folds),
        standings=ranked(standings, use_case.metric),
    )


def test_what_is_learnt_lies_before_the_origin_and_what_is_judged_after_it(parts: Parts):
    assert [line.partition(":")[0] for line in windows(parts.splits)] == ["fold 1", "fold 2", "holdout"]
    for fold, one in zip(parts.folds, parts.splits, strict=False):
        learnt = fold.training.agg(F.min("period"), F.max("period")).first()
        judged = fold.judging.agg(F.min("period"), F.max("period"), F.min("as_of")).first()
        assert tuple(learnt) == (one.train_from, one.train_to)
        assert tuple(judged) == (one.test_from, one.test_to, one.train_to)
    assert parts.holdout.agg(F.min("period")).first()[0] == parts.splits[-1].test_from
    assert parts.trained_until == parts.splits[-1].train_to


def test_a_sound_panel_passes_the_leak_check_gaps_included(spark: SparkSession, parts: Parts):
    shop = tea()
    assert shop.panel is not None
    seen = observed(landed(spark), shop, shop.panel)
    used = rows(seen.values, seen.calendar, shop.panel.features).localCheckpoint()
    found = origins(seen.calendar, 2, "tea")
    at = leak.cuts(found, seed=42)

    checked = leak.check(used, seen, shop.panel.features, found, seed=42)

    gaps = used.filter(F.col("_position").isin(at) & (F.col("today") == 0)).count()
    assert gaps > 0
    assert checked.rows == used.filter(F.col("_position").isin(at)).count()
    assert checked.dates == len(at) >= leak.DATES


def test_rows_that_training_leaves_out_are_no_leak(spark: SparkSession):
    rest = f"""{REST}filters: ["shop <> 'south'"]\n"""
    shop = use_case(FEATURES, rest=rest, window=7, horizon=3, empty="absent", closed="{weekdays: [sunday]}")

    parts = split(landed(spark), shop)

    assert parts.counts["trained_on"] > 0
    assert parts.holdout.filter("shop = 'south'").count() == 0


def test_rows_that_are_there_because_of_what_came_later_are_a_leak(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
):
    every = history.filled

    def survivors(values: DataFrame, panel: Panel, keys: Sequence[str], last: Column) -> DataFrame:
        days = F.count_if(F.col("_seen")).over(Window.partitionBy(*keys))
        return every(values, panel, keys, last).withColumn("_days", days).filter("_days > 20").drop("_days")

    monkeypatch.setattr(rows_module, "filled", survivors)

    with pytest.raises(Leak, match="which rows there are: .* is there only with what came later"):
        split(landed(spark), tea())


def test_planted_leaks_end_the_training_and_are_named(spark: SparkSession, monkeypatch: pytest.MonkeyPatch):
    whole = (Window.unboundedPreceding, Window.unboundedFollowing)
    reads_tomorrow = lambda value, frame: F.avg(value).over(frame.rangeBetween(-6, 1))  # noqa: E731
    reads_the_series = lambda value, frame: value - F.avg(value).over(frame.rangeBetween(*whole))  # noqa: E731
    monkeypatch.setitem(history.ROLLING, "mean", reads_tomorrow)
    monkeypatch.setitem(history.ROLLING, "trend", reads_the_series)

    with pytest.raises(Leak) as raised:
        split(landed(spark), tea())

    told = str(raised.value).splitlines()
    assert told[0] == "as_of: a feature reads what was not known yet, so nothing is trained:"
    named = [line.strip().partition(":")[0] for line in told[1:]]
    assert named == ["mean_7", "trend_4", "moving average 30"]


@pytest.mark.parametrize("told", [False, True])
def test_what_is_known_where_there_were_lines_alone_tells_of_the_others(spark: SparkSession, told: bool):
    shop = use_case(
        {"offered": "{known: offer, fill: 0}"},
        sources="{till: {role: train}, plan: {role: score}}",
        columns="offered: {type: number, role: info}",
        known="{offer: max(offered)}",
        window=7,
    )
    days = [FIRST + timedelta(days=n) for n in range(60)]
    till = [("north", "green", day, 5.0) for n, day in enumerate(days) if n % 3]
    given = landed(spark, till)
    lines = given.lines.withColumn("offered", F.lit(1.0))
    plan = lines_of(spark, [("north", "green", day, None) for day in days], as_of=days[-1]).lines
    known = plan.withColumn("offered", F.lit(1.0)) if told else None
    seen = observed(replace(given, lines=lines, known=known), shop, shop.panel)

    if told:
        leak.check_known(seen, "tea")
        return
    with pytest.raises(InputError) as raised:
        leak.check_known(seen, "tea")
    assert raised.value.fact == (
        "offer is known in 100% of the periods with lines and in 0% of those without: it would tell models that "
        "sold is 0"
    )


def test_the_baselines_are_in_the_race_and_the_board_says_who_beats_the_best_of_them(board: Leaderboard):
    baselines = [line.candidate for line in board.standings if line.is_baseline]
    assert sorted(baselines) == [
        "last value", "mean", "moving average 30", "same period last year", "same weekday last week",
    ]  # fmt: skip
    assert board.best_baseline is not None
    assert board.best_baseline.candidate == "same weekday last week"
    assert board.reduction(board.best_baseline) == 0
    lastyear = next(line for line in board.standings if line.candidate == "same period last year")
    assert lastyear.mean("wape") is None  # there is no year of history
    assert all(line.mean("mase") is not None for line in board.standings if line is not lastyear)


def test_a_run_with_other_partitions_gives_the_same_board(spark: SparkSession, board: Leaderboard):
    again = board_of(split(landed(spark, sales()[::-1], partitions=7), tea()), tea())

    assert [line.candidate for line in again.standings] == [line.candidate for line in board.standings]
    for one, other in zip(board.standings, again.standings, strict=True):
        for first, second in zip(one.folds, other.folds, strict=True):
            assert defined(second) == pytest.approx(defined(first), rel=1e-9)


def test_both_engines_give_back_what_was_taken_from_the_label(parts: Parts):
    trees: dict[Family, Candidates] = {
        "random_forest": Candidates(grid={"numTrees": (3,), "maxDepth": (3,)}),
        "gbt": Candidates(grid={"maxIter": (2,), "maxDepth": (2,)}),
    }

    def raced(engine: Literal["native", "mllib"]) -> dict[str, dict[str, float]]:
        shop = tea().model_copy(update={"candidates": trees, "engine": engine}).modelled
        standings = race(parts.folds[:1], shop, Quiet(), Engine(shop))
        return {line.candidate: defined(line.folds[0]) for line in standings if not line.is_baseline}

    native, by_mllib = raced("native"), raced("mllib")

    assert [*native] == ["random_forest numTrees=3 maxDepth=3", "gbt maxIter=2 maxDepth=2"]
    for candidate, figures in native.items():
        assert figures == pytest.approx(by_mllib[candidate], rel=1e-9)


def defined(judged: Judged) -> dict[str, float]:
    return {name: value for name, value in judged.metrics.items() if value is not None}


def test_finalists_and_baselines_predict_the_last_window_in_the_labels_unit(
    parts: Parts, board: Leaderboard, tmp_path: Path
):
    shop = tea().modelled
    scratch = f"file://{tmp_path}/scratch/"
    best = finals(parts.training, parts.holdout, board, shop, Engine(shop), scratch)

    judged = with_holdout(board, on_holdout(best, parts.holdout), shop, parts.scale)

    (own,) = metrics(best.winner.model.transform(parts.holdout), "sold", scale=parts.scale)
    assert judged.winner.holdout == own
    baseline = PipelineModel(stages=[best.baselines["same weekday last week"]])
    baseline.write().save(str(tmp_path / "model"))
    loaded = PipelineModel.load(str(tmp_path / "model")).transform(parts.holdout)
    assert loaded.filter(~F.col("prediction").eqNullSafe(F.col("same weekday last week"))).count() == 0


def test_the_largest_are_those_that_were_known_at_each_origin(spark: SparkSession):
    shop = tea(participants="{largest: 1}")
    late = [
        ("south", "giant", FIRST + timedelta(days=n), 900.0)
        for n in range(46, 60)
        if (FIRST + timedelta(days=n)).weekday() != 6
    ]

    parts = split(landed(spark, sales() + late), shop)

    def teas(fold: int) -> set[str]:
        return {row["tea"] for row in parts.folds[fold].judging.select("tea").distinct().collect()}

    assert teas(0) == {"green"}
    assert {row["tea"] for row in parts.holdout.select("tea").distinct().collect()} == {"giant"}


def test_a_late_delivery_counts_as_if_it_had_come_in_time(spark: SparkSession):
    shop = tea()
    assert shop.panel is not None
    lines = sales()
    in_time = landed(spark, lines)
    late = replace(
        in_time,
        lines=in_time.lines.filter("delivery != '1'").unionAll(in_time.lines.filter("delivery = '1'")),
    )

    def made(given: Lines) -> list[object]:
        seen = observed(given, shop, shop.panel)
        return (
            rows(seen.values, seen.calendar, shop.panel.features).orderBy("shop", "tea", "period").collect()
        )

    assert made(late) == made(in_time)


@pytest.fixture
def refused(spark: SparkSession) -> Iterator[object]:
    def refusal(lines: list[Line], shop: UseCase, as_of: date | None = None) -> str:
        given = lines_of(spark, lines, as_of=as_of or max(line[2] for line in lines))
        with pytest.raises(InputError) as raised:
            split(given, shop)
        return str(raised.value)

    return refusal


def test_a_line_from_the_future_is_refused(refused):
    told = refused([*sales(), ("north", "green", date(2012, 6, 1), 1.0)], tea(), as_of=date(2012, 3, 1))

    assert told.startswith(
        "tea: 1 lines are dated after they were delivered, such as 2012-06-01 in delivery "
    )
    assert "--replaces" in told


def test_a_line_on_a_closed_day_is_refused(refused):
    assert refused([*sales(), ("north", "green", date(2012, 1, 8), 1.0)], tea()) == (
        "tea: 1 lines are of days that are closed, the first of Sunday, 2012-01-08\n"
        "  take the days out of panel.closed, or the lines by panel.where"
    )


def test_a_frequency_that_is_finer_than_the_data_is_refused(refused):
    monthly = [("north", "green", date(2010 + n // 12, n % 12 + 1, 1), 1.0) for n in range(24)]

    assert refused(monthly, tea(closed="{}")) == (
        "tea: panel.frequency is day, and of 700 open days from 2010-01-01 to 2011-12-01 only 24 have any line\n"
        "  use frequency: week or month, or name the days without lines under panel.closed"
    )


def test_fewer_periods_than_the_folds_take_are_refused_before_training(refused):
    assert refused(sales(20), tea()).startswith(
        "tea: 2 folds and a holdout of 7 open days each take 23 of them"
    )


def test_a_feature_that_looks_further_back_than_the_first_origin_is_refused(refused):
    shop = use_case({**FEATURES, "far": "{lag: 50}"}, rest=REST, window=7, closed="{weekdays: [sunday]}")

    told = refused(sales(), shop)

    assert told.startswith("tea: panel.features.far: far looks 50 days back, and the first origin, ")
    assert told.endswith("land a longer history, or give the feature a fill")


def test_a_gap_longer_than_the_longest_lag_leaves_no_value_behind(spark: SparkSession):
    shop = use_case({"lag_3": "{lag: 3}", "mean_3": "{mean: 3}"}, empty="absent")
    assert shop.panel is not None
    lines = [("a", "b", date(2012, 1, n), 5.0) for n in (1, 2, 20)] + [
        ("a", "c", date(2012, 1, n), 1.0) for n in range(1, 21)
    ]

    seen = observed(landed(spark, lines), shop, shop.panel)
    (last,) = (
        rows(seen.values, seen.calendar, shop.panel.features)
        .filter("tea = 'b' and as_of = '2012-01-20'")
        .collect()
    )

    assert (last["lag_3"], last["mean_3"]) == (None, 5.0)


def test_a_week_counts_once_a_delivery_reaches_its_last_day(spark: SparkSession):
    shop = use_case({"today": "{lag: 0}"}, frequency="week")
    assert shop.panel is not None
    lines = [("a", "b", date(2012, 1, 2) + timedelta(days=n), 1.0) for n in range(17)]  # until a Wednesday

    def last_week(as_of: date) -> date:
        given = lines_of(spark, lines, as_of=as_of)
        calendar = observed(given, shop, shop.panel).calendar
        return calendar.start(calendar.last)

    assert last_week(date(2012, 1, 18)) == date(2012, 1, 9)
    assert last_week(date(2012, 1, 22)) == date(2012, 1, 16)


def test_nothing_after_the_instant_is_read(spark: SparkSession):
    shop = use_case({"today": "{lag: 0}"})
    assert shop.panel is not None
    lines = [("a", "b", date(2012, 1, 1) + timedelta(days=n), float(n)) for n in range(9)]
    given = replace(
        lines_of(spark, lines, as_of=date(2012, 1, 9)), as_of=datetime(2012, 1, 5, 12, tzinfo=UTC)
    )

    seen = observed(given, shop, shop.panel)

    assert seen.calendar.start(seen.calendar.last) == date(2012, 1, 5)
    assert seen.values.agg(F.max("sold")).first()[0] == 4.0


def test_a_table_without_an_entity_is_one_series(spark: SparkSession):
    shop = parse(
        """\
use_case: flights
sources: {airline: {role: train}}
columns:
  month: {type: date, role: [key, time]}
  passengers: {type: integer, role: info, required: true}
panel:
  frequency: month
  values: {passengers_of: sum(passengers)}
  label: passengers_of
  features: {today: {lag: 0}, year_ago: {seasonal: 1}}
  window: 6
split: {folds: 2, partitions: 1}
candidates: {linear_regression: {regParam: 0.1}}
metric: mape
""",
        "flights.yaml",
    )
    months = [date(2015 + n // 12, n % 12 + 1, 1) for n in range(60)]
    lines = spark.createDataFrame(
        [("d", month, 100 + 2 * n + 30 * (month.month % 4)) for n, month in enumerate(months)],
        "delivery string, month date, passengers bigint",
    )
    delivered = datetime(2020, 1, 1, tzinfo=UTC)

    parts = split(Lines(lines, None, {"d": delivered}, delivered), shop)
    board = board_of(parts, shop)

    assert [tuple(row) for row in parts.holdout.select("series", "period").sort("period").head(1)] == [
        ("all", date(2019, 7, 1))
    ]
    assert board.winner.candidate == "linear_regression regParam=0.1"
