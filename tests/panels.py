"""Small panels, and every feature of them by a second way: from its definition, in plain Python and pandas."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from statistics import fmean, median, stdev
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from regatta.config import UseCase, parse
from regatta.panels.values import Lines

YAML = """\
use_case: tea
sources: {sources}
columns:
  shop: {{type: string, role: info, required: true}}
  tea: {{type: string, role: info, required: true}}
  at: {{type: {time}, role: time}}
  cups: {{type: number, role: info}}
  {columns}
panel:
  entity: [shop, tea]
  frequency: {frequency}
  values: {{sold: {{sql: sum(cups), unit: cups}}, visits: count(cups)}}
  label: sold
  {panel}
  features: {features}
candidates:
  linear_regression: {{regParam: 0.1}}
{rest}
"""
EVERY_KIND = {
    "today": "{lag: 0}",
    "lag_1": "{lag: 1}",
    "lag_7": "{lag: 7}",
    "visits_2": "{lag: 2, of: visits}",
    "mean_4": "{mean: 4}",
    "median_5": "{median: 5}",
    "deviation_5": "{deviation: 5}",
    "lowest_3": "{minimum: 3}",
    "highest_9": "{maximum: 9}",
    "trend_6": "{trend: 6}",
    "season_1": "{seasonal: 1, season: 5}",
    "season_2": "{seasonal: 2}",
    "seasons_3": "{seasonal_mean: 3, season: 3}",
    "since": "{since: sold}",
    "month": "{calendar: month}",
    "year": "{calendar: year}",
    "quarter": "{calendar: quarter}",
    "holiday": "{calendar: holiday}",
}
OF_DAYS = {
    "weekday": "{calendar: weekday, type: category}",
    "day": "{calendar: day_of_month}",
    "week": "{calendar: week}",
    "to_holiday": "{calendar: to_holiday}",
    "from_holiday": "{calendar: from_holiday}",
}
Line = tuple[str, str, date, float | None]


def use_case(
    features: Mapping[str, str],
    *,
    frequency: str = "day",
    time: str = "date",
    sources: str = "{till: {role: train}}",
    columns: str = "",
    rest: str = "",
    **panel: Any,
) -> UseCase:
    keys = "\n  ".join(f"{key}: {value}" for key, value in panel.items()) or "horizon: 1"
    written = "{" + ", ".join(f"{name}: {feature}" for name, feature in features.items()) + "}"
    return parse(
        YAML.format(
            frequency=frequency,
            time=time,
            sources=sources,
            columns=columns,
            panel=keys,
            features=written,
            rest=rest,
        ),
        "tea.yaml",
    )


def lines_of(
    spark: SparkSession,
    lines: Sequence[tuple[Any, ...]],
    *,
    as_of: date,
    time: str = "date",
    partitions: int = 2,
) -> Lines:
    """Lines of (shop, tea, day or time, cups), as one delivery on the evening of `as_of`."""
    rows = [(f"{number % 3}", *line) for number, line in enumerate(lines)]
    frame = spark.createDataFrame(rows, f"delivery string, shop string, tea string, at {time}, cups double")
    delivered = datetime(as_of.year, as_of.month, as_of.day, 20, tzinfo=UTC)
    return Lines(frame.repartition(partitions), None, {str(n): delivered for n in range(3)}, delivered)


def odd_lines(days: Sequence[date], seed: int = 7) -> list[Line]:
    """Several entities with the same days: one dense, one with gaps, one of one line, one late, one that ends.

    There are lines of equal keys, of negative values, without a value, and that cancel each other out.
    """
    chance = Random(seed)
    lines: list[Line] = [("north", "single", days[len(days) // 3], 3.0)]
    for number, day in enumerate(days):
        lines.append(("north", "dense", day, round(chance.uniform(-5, 20), 2)))
        if chance.random() < 0.3:
            lines.append(("south", "dense", day, float(chance.randint(1, 9))))
        if number > len(days) // 2:
            lines.append(("north", "late", day, float(chance.randint(0, 3))))
        if number < len(days) // 3:
            lines += [("south", "ends", day, 70_000.0), ("south", "ends", day, -70_000.0 + number)]
        if chance.random() < 0.1:
            lines.append(("north", "dense", day, None))
    return lines


@dataclass
class Oracle:
    """A panel's rows from the definitions of its features, one entity and period at a time."""

    use_case: UseCase
    lines: Sequence[Line]
    last: date
    is_open: Callable[[date], bool] = lambda day: True
    holidays: frozenset[date] = frozenset()
    periods: list[pd.Period] = field(init=False)

    def __post_init__(self) -> None:
        panel = self.use_case.panel
        assert panel is not None
        self.panel = panel
        self.unit = {"day": "D", "week": "W-SUN", "month": "M"}[panel.frequency]
        first = pd.Period(min(line[2] for line in self.lines), self.unit)
        end = pd.Period(self.last, self.unit)
        self.known = [p for p in pd.period_range(first, end) if self.open(p)]
        more = pd.period_range(end + 1, periods=60, freq=self.unit)
        self.periods = self.known + [p for p in more if self.open(p)]

    def open(self, period: pd.Period) -> bool:
        return self.panel.frequency != "day" or self.is_open(period.start_time.date())

    def rows(self) -> dict[tuple[str, str, date, int], dict[str, Any]]:
        found = {}
        for entity in sorted({line[:2] for line in self.lines}):
            series = self.series(entity)
            for value, at in [("sold", period) for period in series["sold"]]:
                for step in range(1, self.panel.horizon + 1):
                    target = self.periods[self.periods.index(at) + step]
                    row = {
                        name: self.feature(feature, series, at, target)
                        for name, feature in self.panel.features.items()
                    }
                    row["label"] = series[value].get(target)
                    row["as_of"] = at.start_time.date()
                    found[(*entity, target.start_time.date(), step)] = row
        return found

    def series(self, entity: tuple[str, str]) -> dict[str, dict[pd.Period, float | None]]:
        own: dict[pd.Period, list[float | None]] = {}
        for line in self.lines:
            if line[:2] == entity:
                own.setdefault(pd.Period(line[2], self.unit), []).append(line[3])
        begin = min(own)
        sold: dict[pd.Period, float | None] = {}
        visits: dict[pd.Period, float | None] = {}
        for period in self.known:
            if period < begin:
                continue
            if period in own:
                cups = sorted(cup for cup in own[period] if cup is not None)
                sold[period], visits[period] = (sum(cups) if cups else None), float(len(cups))
            elif self.panel.empty != "absent":
                sold[period] = visits[period] = 0.0 if self.panel.empty == "zero" else None
        return {"sold": sold, "visits": visits}

    def back(self, period: pd.Period, count: int) -> pd.Period:
        """So many periods earlier, and from a closed one on to the last open one before."""
        period = period - count
        while not self.open(period):
            period = period - 1
        return period

    def season(self, at: pd.Period, target: pd.Period, length: int, count: int) -> pd.Period:
        start = target
        while start > at:
            start = start - length
        return self.back(start, length * (count - 1))

    def feature(self, feature: Any, series: dict[str, Any], at: pd.Period, target: pd.Period) -> Any:
        values = series[feature.of or "sold"]
        span = [
            values[period]
            for period in values
            if at - feature.periods < period <= at and values[period] is not None
        ]
        length = feature.season or {"day": 7, "week": 52, "month": 12}[self.panel.frequency]
        days = pd.date_range(target.start_time, target.end_time).date
        match feature.kind:
            case "lag":
                return values.get(self.back(at, feature.periods))
            case "mean":
                return fmean(span) if span else None
            case "median":
                return median(span) if span else None
            case "deviation":
                return stdev(span) if len(span) > 1 else None
            case "minimum":
                return min(span, default=None)
            case "maximum":
                return max(span, default=None)
            case "trend":
                return values[at] - fmean(span) if span and values[at] is not None else None
            case "seasonal":
                return values.get(self.season(at, target, length, feature.periods))
            case "seasonal_mean":
                found = [values.get(self.season(at, target, length, n + 1)) for n in range(feature.periods)]
                return (
                    fmean(one for one in found if one is not None)
                    if any(o is not None for o in found)
                    else None
                )
            case "since":
                sold = [period for period in values if period <= at and values[period]]
                return float((at - max(sold)).n) if sold else None
        match feature.calendar:
            case "weekday":
                return str(days[0].isoweekday())
            case "day_of_month":
                return float(days[0].day)
            case "week":
                return float(days[0].isocalendar().week)
            case "month":
                return float(days[len(days) // 2 if self.unit == "W-SUN" else 0].month)
            case "quarter":
                return float((days[len(days) // 2 if self.unit == "W-SUN" else 0].month + 2) // 3)
            case "year":
                return float(days[0].isocalendar().year if self.unit == "W-SUN" else days[0].year)
            case "holiday":
                return float(sum(day in self.holidays for day in days))
            case "to_holiday" | "from_holiday":
                sign = 1 if feature.calendar == "to_holiday" else -1
                near = (n for n in range(30) if days[0] + timedelta(days=sign * n) in self.holidays)
                return float(next(near, 30))
        raise ValueError(feature)


def rows_of(frame: DataFrame, use_case: UseCase) -> dict[tuple[str, str, date, int], dict[str, Any]]:
    """What Spark made, in the form of the oracle."""
    panel = use_case.panel
    assert panel is not None
    found = {}
    for row in frame.orderBy(F.col("shop"), F.col("tea"), "period", "step").collect():
        key = (row["shop"], row["tea"], row["period"], row["step"])
        assert key not in found
        found[key] = {name: row[name] for name in panel.features}
        found[key] |= {"label": row["sold"], "as_of": row["as_of"]}
    return found
