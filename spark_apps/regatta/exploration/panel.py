"""A panel as it was observed: which entity had a line when, which periods are closed, where its origins lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from regatta.config.panel import PERIOD, Panel
from regatta.config.table import quoted
from regatta.contract.accepted import accepted, known_in_advance, observations
from regatta.errors import InputError
from regatta.lake import Lake
from regatta.panels.calendar import Calendar, first_day
from regatta.panels.origins import Dates, dates, origins
from regatta.panels.participants import of_participants, participation
from regatta.panels.values import POSITION, SEEN, observed

ENTITY = "entity"


@dataclass(frozen=True)
class Seen:
    """What was observed of the entities that take part now.

    Attributes:
        values: grain: an entity and open period in which it had lines: `entity` (its keys, joined by a blank),
            `period` (its first day) and every value of the panel.
        totals: grain: an open period: `period`, `entities` (how many had lines) and the sums of all values.
        calendar: open and closed periods.
        panel: as the use case says.
        splits: the folds of the rolling validation and, last of all, the holdout.
    """

    values: pd.DataFrame
    totals: pd.DataFrame
    calendar: Calendar
    panel: Panel
    splits: Sequence[Dates]

    @property
    def open(self) -> list[date]:
        """The first days of the open periods that are known."""
        return [self.calendar.start(position) for position in range(self.calendar.last + 1)]

    @property
    def closed(self) -> list[date]:
        """The days on which nothing can be observed, from the first period to the last that is forecast."""
        if self.panel.frequency != "day":
            return []
        first, last = self.calendar.open[0], self.calendar.open[-1]
        shut = sorted({*range(first, last)} - {*self.calendar.open})
        return [first_day(one, "day") for one in shut]


def seen(spark: SparkSession, lake: Lake) -> Seen:
    """Observe a use case's panel, up to the newest delivery.

    Raises:
        InputError: nothing is ingested, or the use case has no panel.
    """
    use_case, panel = lake.use_case, lake.use_case.panel
    if panel is None:
        raise InputError("has no panel", place=use_case.use_case, way_out="name one that has: retail_sales")
    given = observations(accepted(spark, lake, "train"), known_in_advance(spark, lake))
    found = observed(given, use_case, panel)
    lines = found.values.filter(SEEN)
    taking = participation(lines, panel, [found.calendar.last])
    entity = F.concat_ws(" ", *map(quoted, panel.entity)).alias(ENTITY)
    names = [*panel.values]
    values = (
        of_participants(lines, taking, panel)
        .select(entity, POSITION, *map(quoted, names))
        .toArrow()
        .to_pandas()
    )
    starts = {position: found.calendar.start(position) for position in range(found.calendar.last + 1)}
    values.insert(1, PERIOD, pd.to_datetime(values.pop(POSITION).map(starts)))
    by_period = values.groupby(PERIOD)
    totals = by_period[names].sum().assign(entities=by_period.size()).reset_index()
    splits = dates(origins(found.calendar, use_case.split.folds, use_case.use_case), found.calendar)
    return Seen(
        values.sort_values([ENTITY, PERIOD], ignore_index=True), totals, found.calendar, panel, splits
    )
