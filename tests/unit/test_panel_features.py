"""Every feature of a panel against its definition, on panels with all that real ones have."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from math import isclose
from zoneinfo import ZoneInfo

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from panels import EVERY_KIND, OF_DAYS, Line, Oracle, lines_of, odd_lines, rows_of, use_case
from regatta.config import UseCase
from regatta.panels.rows import rows
from regatta.panels.values import Lines, observed

ENGLAND = frozenset(
    {
        date(2012, 1, 2),
        date(2012, 4, 6),
        date(2012, 4, 9),
        date(2012, 5, 7),
        date(2011, 12, 26),
        date(2011, 12, 27),
    }
)


def assert_equal_to_the_oracle(given: Lines, use_case: UseCase, oracle: Oracle) -> None:
    assert use_case.panel is not None
    seen = observed(given, use_case, use_case.panel)
    found = rows_of(rows(seen.values, seen.calendar, use_case.panel.features), use_case)
    expected = oracle.rows()
    assert found.keys() == expected.keys()
    wrong = {
        (*key, name): (found[key][name], value)
        for key, row in expected.items()
        for name, value in row.items()
        if not alike(found[key][name], value)
    }
    assert not wrong


def alike(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return one == other


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


@pytest.mark.parametrize("empty", ["zero", "null", "absent"])
def test_days_over_a_leap_day_with_closed_days(spark: SparkSession, empty: str):
    closed = {date(2012, 3, 12), date(2012, 3, 13), date(2012, 3, 14)}

    def is_open(day: date) -> bool:
        return day.weekday() != 5 and day not in closed and day not in ENGLAND

    tea = use_case(
        EVERY_KIND | OF_DAYS,
        empty=empty,
        horizon=3,
        holidays="{country: GB, subdivision: ENG}",
        closed="{weekdays: [saturday], holidays: true, dates: [2012-03-12/2012-03-14]}",
    )
    lines = odd_lines([day for day in days(date(2012, 2, 20), date(2012, 4, 5)) if is_open(day)])

    assert_equal_to_the_oracle(
        lines_of(spark, lines, as_of=date(2012, 4, 5)),
        tea,
        Oracle(tea, lines, date(2012, 4, 5), is_open, ENGLAND),
    )


def test_weeks_over_the_53rd(spark: SparkSession):
    tea = use_case({**EVERY_KIND, "week": "{calendar: week}", "season_2": "{seasonal: 2, season: 6}"}, frequency="week", horizon=2, holidays="{country: GB, subdivision: ENG}")  # fmt: skip
    lines = odd_lines(days(date(2009, 11, 3), date(2010, 3, 7))[::3])
    holidays = {date(2009, 12, 25), date(2009, 12, 26), date(2009, 12, 28), date(2010, 1, 1)}

    assert date(2009, 12, 31).isocalendar().week == 53
    assert_equal_to_the_oracle(
        lines_of(spark, lines, as_of=date(2010, 3, 7)),
        tea,
        Oracle(tea, lines, date(2010, 3, 7), holidays=frozenset(holidays)),
    )


def test_months_over_a_year(spark: SparkSession):
    tea = use_case({**EVERY_KIND, "holiday": "{lag: 3}"}, frequency="month", horizon=2)
    lines = odd_lines(days(date(2010, 11, 20), date(2012, 3, 31))[::17])

    assert_equal_to_the_oracle(
        lines_of(spark, lines, as_of=date(2012, 3, 31)), tea, Oracle(tea, lines, date(2012, 3, 31))
    )


def test_a_day_begins_at_midnight_of_its_zone_also_when_clocks_change(spark: SparkSession):
    tea = use_case({"today": "{lag: 0}", "lag_1": "{lag: 1}"}, time="timestamp", time_zone="Europe/London")
    london = ZoneInfo("Europe/London")
    moments = [
        datetime(2012, 3, 23, 0, 10, tzinfo=UTC) + timedelta(hours=5 * n, minutes=20) for n in range(28)
    ]
    lines: list[Line] = [
        ("a", "b", moment.astimezone(london).date(), float(n)) for n, moment in enumerate(moments)
    ]
    given = lines_of(
        spark,
        [("a", "b", moment, float(n)) for n, moment in enumerate(moments)],
        as_of=date(2012, 3, 28),
        time="timestamp",
    )

    assert any(moment.date() != line[2] for moment, line in zip(moments, lines, strict=True))
    assert_equal_to_the_oracle(given, tea, Oracle(tea, lines, max(line[2] for line in lines)))


def test_what_is_known_in_advance_is_that_of_the_period_that_is_forecast(spark: SparkSession):
    tea = use_case(
        {"offered": "{known: offer}", "today": "{lag: 0}"},
        sources="{till: {role: train}, plan: {role: score}}",
        columns="pieces: {type: number, role: info}",
        known="{offer: max(pieces)}",
        horizon=2,
    )
    assert tea.panel is not None
    sold = [("a", "b", date(2012, 1, 1), 5.0), ("a", "b", date(2012, 1, 3), 7.0)]
    planned = [
        ("a", "b", date(2012, 1, 4), 40.0),
        ("a", "b", date(2012, 1, 2), 20.0),
        ("a", "new", date(2012, 1, 4), 1.0),
    ]
    pieces = F.col("cups")
    given = lines_of(spark, sold, as_of=date(2012, 1, 3))
    plan = lines_of(spark, planned, as_of=date(2012, 1, 3)).lines.withColumn("pieces", pieces)

    seen = observed(
        replace(given, lines=given.lines.withColumn("pieces", pieces), known=plan), tea, tea.panel
    )
    found = rows_of(rows(seen.values, seen.calendar, tea.panel.features), tea)

    assert {(key[2].day, key[3]): (row["offered"], row["today"]) for key, row in found.items()} == {
        (2, 1): (20.0, 5.0), (3, 2): (7.0, 5.0),
        (3, 1): (7.0, 0.0), (4, 2): (40.0, 0.0),
        (4, 1): (40.0, 7.0), (5, 2): (None, 7.0),
    }  # fmt: skip


def test_features_take_one_shuffle_by_entity_and_no_join_of_rows(spark: SparkSession):
    tea = use_case(EVERY_KIND | OF_DAYS, holidays="{country: GB}")
    lines = lines_of(spark, odd_lines(days(date(2012, 2, 20), date(2012, 3, 5))), as_of=date(2012, 3, 5))
    assert tea.panel is not None

    seen = observed(lines, tea, tea.panel)
    made = rows(seen.values, seen.calendar, tea.panel.all_features)
    plan = made._jdf.queryExecution().executedPlan().toString()

    by_entity = [line for line in plan.splitlines() if "Exchange hashpartitioning" in line]
    assert len(by_entity) == 1, plan
    assert "SortMergeJoin" not in plan
    assert "ShuffledHashJoin" not in plan
    assert "Exchange SinglePartition" not in plan


def test_partitions_and_the_order_of_lines_change_no_bit(spark: SparkSession):
    tea = use_case(EVERY_KIND, horizon=2, holidays="{country: GB}")
    assert tea.panel is not None
    lines = odd_lines(days(date(2012, 2, 20), date(2012, 3, 20)))

    def made(partitions: int, given: list[Line]) -> list[object]:
        seen = observed(
            lines_of(spark, given, as_of=date(2012, 3, 20), partitions=partitions), tea, tea.panel
        )
        frame = rows(seen.values, seen.calendar, tea.panel.all_features)
        return frame.orderBy("shop", "tea", "period", "step").collect()

    assert made(1, lines) == made(7, lines[::-1])


def test_rows_begin_with_the_history_that_is_asked_for_and_end_when_the_entity_is_dead(spark: SparkSession):
    tea = use_case({"today": "{lag: 0}"}, participants="{history: 3}", live=4)
    assert tea.panel is not None
    lines = [("a", "long", day, 1.0) for day in days(date(2012, 1, 1), date(2012, 1, 20))]
    lines += [("a", "short", date(2012, 1, 5), 1.0), ("a", "short", date(2012, 1, 6), 1.0)]

    seen = observed(lines_of(spark, lines, as_of=date(2012, 1, 20)), tea, tea.panel)
    found = rows(seen.values, seen.calendar, tea.panel.features).filter(F.col("tea") == "short")

    assert [row["as_of"].day for row in found.orderBy("as_of").collect()] == [7, 8, 9]
