"""Delivered lines -> the values of each entity in each period, and the calendar that they lie on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from regatta.config import UseCase
from regatta.config.expressions import columns_of
from regatta.config.panel import ALL, SERIES, Panel
from regatta.config.table import quoted
from regatta.errors import InputError
from regatta.panels.calendar import Calendar, is_open, last_day, ordinal

AT, POSITION = "_at", "_position"
"""A period's ordinal and position; see `calendar`."""
SEEN = "_seen"
"""Whether the entity had a line in the period."""
DAY = "_day"
FEWEST = 0.5  # of the open periods between the first and the last line, that have any line at all


@dataclass(frozen=True)
class Observed:
    """A panel before it is filled.

    Attributes:
        values: grain: an entity and an open period in which it has lines, or something known in advance. The entity,
            `_position`, `_seen`, every value as double, and what is known in advance.
        calendar: with the last period that is known at `as_of`.
        as_of: nothing later was read.
    """

    values: DataFrame
    calendar: Calendar
    as_of: datetime


@dataclass(frozen=True)
class Lines:
    """What a panel is made of.

    Attributes:
        lines: accepted rows of the training source; `delivery` and the contract's columns.
        known: those of the source that delivers what is known in advance, or None.
        delivered: when each delivery of `lines` came.
        as_of: nothing later is to be read.
    """

    lines: DataFrame
    known: DataFrame | None
    delivered: Mapping[str, datetime]
    as_of: datetime


def observed(given: Lines, use_case: UseCase, panel: Panel) -> Observed:
    """Aggregate lines to the values of periods.

    Each entity's lines are put in an order of their own first, so that a sum of floats does not depend on files or
    partitions. Reads the lines twice: once for the days that they are of, which the calendar is made of.

    Raises:
        InputError: if there are no lines, some are dated later than they were delivered or on closed days, or the
            frequency is finer than the data.
    """
    today = _today(given.as_of, panel)
    every = _of_days(given.lines, use_case, panel)
    calendar = _calendar(every, given, use_case, panel, today)
    lines = every.filter(F.col(DAY) <= F.lit(today))
    values = _aggregated(lines, panel.values, panel, calendar).withColumn(SEEN, F.lit(True))
    if panel.known:
        known = lines.unionByName(
            _of_days(given.known, use_case, panel) if given.known is not None else lines.limit(0),
            allowMissingColumns=True,
        )
        in_advance = _aggregated(known, panel.known, panel, calendar)
        keys = [*panel.entity, POSITION]
        values = values.join(in_advance, on=keys, how="full_outer").withColumn(
            SEEN, F.coalesce(SEEN, F.lit(False))
        )
    return Observed(values.filter(~F.col(SEEN) | (F.col(POSITION) <= calendar.last)), calendar, given.as_of)


def period_of(day: Column, panel: Panel) -> Column:
    """The ordinal of the period that a day lies in; see `calendar.ordinal`."""
    match panel.frequency:
        case "day":
            return F.unix_date(day)
        case "week":
            return F.floor((F.unix_date(day) + 3) / 7).cast("int")
        case "month":
            return (F.year(day) - 1970) * 12 + F.month(day) - 1


def open_periods(spark: SparkSession, calendar: Calendar) -> DataFrame:
    """The calendar as a table. Grain: an open period; `_position` and `_at`, its ordinal."""
    columns = {POSITION: range(len(calendar.open)), AT: calendar.open}
    return spark.createDataFrame(
        pa.table({name: pa.array(found, pa.int32()) for name, found in columns.items()})
    )


def _of_days(lines: DataFrame, use_case: UseCase, panel: Panel) -> DataFrame:
    """The lines that count, with the day that each is of."""
    time = F.col(quoted(str(use_case.time)))
    if panel.time_zone is not None:
        time = F.from_utc_timestamp(time, panel.time_zone)
    counting = lines if panel.where is None else lines.filter(F.expr(panel.where))
    if panel.is_one_series(use_case.columns):
        counting = counting.withColumn(SERIES, F.lit(ALL))
    return counting.withColumn(DAY, F.to_date(time))


def _aggregated(lines: DataFrame, values: Mapping, panel: Panel, calendar: Calendar) -> DataFrame:  # type: ignore[type-arg]
    """One row an entity and open period; one shuffle, by entity.

    Into how many parts decides on nothing but time: all that is computed of an entity is computed in one of them.
    """
    entity = [F.col(quoted(name)) for name in panel.entity]
    read = sorted({name for value in values.values() for name in columns_of(value.sql)} - {*panel.entity})
    in_order = (
        lines.select(*entity, period_of(F.col(DAY), panel).alias(AT), *map(quoted, read))
        .repartition(2 * lines.sparkSession.sparkContext.defaultParallelism, *entity)
        .sortWithinPartitions(*entity, AT, *map(quoted, read))
    )
    found = in_order.groupBy(*entity, AT).agg(
        *(F.expr(value.sql).cast("double").alias(name) for name, value in values.items())
    )
    return found.join(F.broadcast(open_periods(lines.sparkSession, calendar)), on=AT, how="inner").drop(AT)


def _calendar(lines: DataFrame, given: Lines, use_case: UseCase, panel: Panel, today: date) -> Calendar:
    """From one job over the days that have lines."""
    limits = [(name, moment.date() + timedelta(days=1)) for name, moment in given.delivered.items()]
    limit = lines.sparkSession.createDataFrame(
        pa.table(
            {
                "delivery": pa.array([one[0] for one in limits], pa.string()),
                "_limit": pa.array([one[1] for one in limits], pa.date32()),
            }
        )
    )
    ahead = F.col(DAY) > F.col("_limit")  # a day later is no fault: the clock may be ahead by up to 14 hours
    days = (
        lines.join(F.broadcast(limit), on="delivery", how="left")
        .groupBy(DAY)
        .agg(F.count(F.lit(1)), F.count_if(ahead), F.min(F.when(ahead, F.col("delivery"))))
        .collect()
    )
    _none_from_the_future(sorted(tuple(row) for row in days if row[2]), use_case)
    counts = {row[0]: int(row[1]) for row in days if row[0] <= today}
    if not counts:
        raise InputError(
            "no line counts", place=use_case.use_case, way_out="look at panel.where and the deliveries"
        )
    if panel.frequency == "day":
        _none_on_closed_days(
            {day: count for day, count in counts.items() if not is_open(panel, ordinal(day, "day"))}, use_case
        )
    first = min(counts)
    whole = ordinal(today, panel.frequency)
    if last_day(whole, panel.frequency) > today:
        whole -= 1
    newest = min(ordinal(max(counts), panel.frequency), whole)
    if newest < ordinal(first, panel.frequency):
        raise InputError(
            f"the first {panel.frequency} is not over yet on {today}",
            place=use_case.use_case,
            way_out="land more lines, or later ones",
        )
    calendar = Calendar.of(panel, first, last_day(newest, panel.frequency))
    _frequency_fits({ordinal(day, panel.frequency) for day in counts}, calendar, use_case)
    return calendar


def _today(as_of: datetime, panel: Panel) -> date:
    return as_of.astimezone(ZoneInfo(panel.time_zone or "UTC")).date()


def _none_from_the_future(rows: list[tuple[date, int, int, str]], use_case: UseCase) -> None:
    if rows:
        day, _, _, delivery = rows[0]
        raise InputError(
            f"{sum(row[2] for row in rows):,} lines are dated after they were delivered, such as {day} in "
            f"delivery {delivery}",
            place=use_case.use_case,
            way_out=f"land a corrected delivery with --replaces {delivery}, or with its true --delivered-at",
        )


def _none_on_closed_days(counts: Mapping[date, int], use_case: UseCase) -> None:
    if counts:
        day = min(counts)
        raise InputError(
            f"{sum(counts.values()):,} lines are of days that are closed, the first of {day:%A}, {day}",
            place=use_case.use_case,
            way_out="take the days out of panel.closed, or the lines by panel.where",
        )


def _frequency_fits(seen: set[int], calendar: Calendar, use_case: UseCase) -> None:
    panel = calendar.panel
    known = calendar.open[: calendar.last + 1]
    having = sum(period in seen for period in known)
    if having < FEWEST * len(known):
        coarser = {"day": "week or month", "week": "month"}.get(panel.frequency, "")
        raise InputError(
            f"panel.frequency is {panel.frequency}, and of {len(known):,} open {panel.frequency}s from "
            f"{calendar.start(0)} to {calendar.start(calendar.last)} only {having:,} have any line",
            place=use_case.use_case,
            way_out=f"use frequency: {coarser}, or name the days without lines under panel.closed"
            if coarser
            else "land the missing months",
        )
