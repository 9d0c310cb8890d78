"""A panel as a use-case file describes it: entities observed over calendar time, out of delivered lines."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from regatta.config.panel_feature import Count, PanelFeature
from regatta.config.strict import ColumnName, Strict
from regatta.config.table import Column

Frequency = Literal["day", "week", "month"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

SEASON: Mapping[Frequency, int] = {"day": 7, "week": 52, "month": 12}
"""How many periods a season has, where a file does not say."""
A_YEAR: Mapping[Frequency, int] = {"day": 364, "week": 52, "month": 12}
"""The same period last year, by so many periods back: for days the same weekday, 52 weeks ago."""

PERIOD, STEP, AS_OF = "period", "step", "as_of"
"""Columns of a panel's rows: the period that is forecast, how many open periods lie from `as_of` to it, and the
last period that the row knows of."""

SERIES, ALL = "series", "all"
"""The entity of a table that is one series, and its only value."""


class PanelValue(Strict):
    """One value of an entity in a period: an SQL aggregate over its lines."""

    sql: str
    """An SQL aggregate over the lines of a period."""
    unit: str | None = None
    """For people."""

    @model_validator(mode="before")
    @classmethod
    def _an_expression_alone(cls, given: Any) -> Any:
        return {"sql": given} if isinstance(given, str) else given


class Participants(Strict):
    """Which entities take part."""

    largest: Count | None = None
    """The so many with the largest sum of `by` in what is known at an origin."""
    by: ColumnName | None = None
    """A value of the panel; by default the label."""
    history: Count = 1
    """Rows of an entity begin at its so manieth open period."""


class Holidays(Strict):
    """Public holidays of a country, by the `holidays` package."""

    country: str
    """Two letters, such as GB."""
    subdivision: str | None = None
    """A part of the country, such as ENG."""


class Closed(Strict):
    """Days on which nothing can be observed; steps do not count them."""

    weekdays: Annotated[tuple[Weekday, ...], Field(strict=False)] = ()
    """Closed every week."""
    holidays: bool = False
    """Whether every holiday is closed."""
    dates: Annotated[tuple[Annotated[str, BeforeValidator(str)], ...], Field(strict=False)] = ()
    """Days, or spans `2010-12-24/2011-01-03` of which both ends are closed."""

    @model_validator(mode="after")
    def _dates_are_dates(self) -> Self:
        for text in self.dates:
            try:
                first, last = span(text)
            except ValueError:
                raise ValueError(
                    f"{text!r} is no day like 2010-12-25 nor a span like 2010-12-24/2011-01-03"
                ) from None
            if first > last:
                raise ValueError(f"{text} ends before it begins")
        return self


class PanelBaselines(Strict):
    """The simplest forecasts, in every race beside the mean. `false` or null leaves one out."""

    last_value: bool = True
    """The value of `as_of`."""
    same_season: bool = True
    """The same weekday last week; for weeks and months the same period last year."""
    moving_average: Count | None = 30
    """The mean of so many periods."""
    moving_median: Count | None = None
    """The median of so many periods."""
    last_year: bool = True
    """The same period last year, for days 52 weeks ago."""


class Panel(Strict):
    """Entities observed over calendar time, and how their next periods are forecast."""

    entity: Annotated[tuple[ColumnName, ...], Field(strict=False, min_length=1)] = (SERIES,)
    """What is observed: one column or several. By default the table is one series, and `series` is "all"."""
    frequency: Frequency = "day"
    """What a period is."""
    time_zone: str | None = None
    """Where days begin; then every time carries its offset from UTC."""
    where: str | None = None
    """Which lines count, as an expression."""
    values: Annotated[Mapping[ColumnName, PanelValue], Field(strict=False, min_length=1)]
    """What an entity is worth in a period, as aggregates over its lines."""
    label: ColumnName
    """The value that is forecast."""
    known: Annotated[Mapping[ColumnName, PanelValue], Field(strict=False)] = {}
    """Values known in advance, which the source with the role score delivers for periods to come."""
    empty: Literal["zero", "null", "absent"] = "zero"
    """What a period without lines means, from an entity's first line on."""
    holidays: Holidays | None = None
    """Public holidays, for features and for `closed`."""
    closed: Closed = Closed()
    """Days on which nothing is observed, in the past and to come."""
    participants: Participants = Participants()
    """Which entities take part; by default all."""
    features: Annotated[Mapping[ColumnName, PanelFeature], Field(strict=False)] = {}
    """Model inputs, each of exactly one kind."""
    categories: Annotated[tuple[ColumnName, ...], Field(strict=False)] = ()
    """Columns of the entity that models read as names."""
    horizon: Annotated[int, Field(ge=1, le=366)] = 1
    """Steps 1 to this many are forecast, in open periods."""
    window: Count = 10
    """How many open periods each origin is judged on; the holdout is the last window."""
    training: Count | None = None
    """Sliding: so many open periods before an origin are learnt from. By default all."""
    gap: Annotated[int, Field(ge=0)] = 0
    """Open periods between what is learnt and what is judged."""
    live: Count | None = None
    """Entities have rows, and are forecast, while they had a line within so many open periods."""
    new_entities: Literal["list", "baseline"] = "list"
    """What a live entity with too little history gets: a reason, or the forecast of the best baseline."""
    baselines: PanelBaselines = PanelBaselines()
    """The simplest forecasts, in the race."""

    @model_validator(mode="before")
    @classmethod
    def _as_people_write_it(cls, given: Any) -> Any:
        """One column needs no list, and YAML reads null and 0 as what they are."""
        if not isinstance(given, dict):
            return given
        if isinstance(given.get("entity"), str):
            given = {**given, "entity": (given["entity"],)}
        if "empty" in given and (given["empty"] is None or given["empty"] == 0):
            given = {**given, "empty": "null" if given["empty"] is None else "zero"}
        return given

    @property
    def all_features(self) -> Mapping[str, PanelFeature]:
        """The features of the file, and after them what baselines predict, by the names that rows have."""
        return {**self.features, **self.forecasts}

    @property
    def forecasts(self) -> Mapping[str, PanelFeature]:
        """What each baseline predicts, as a feature, by the baseline's name."""
        asked, found = self.baselines, {}
        if asked.last_value:
            found["last value"] = PanelFeature(lag=0)
        if asked.same_season:
            name = "same weekday last week" if self.frequency == "day" else "same period last year"
            found[name] = PanelFeature(seasonal=1)
        if asked.moving_average:
            found[f"moving average {asked.moving_average}"] = PanelFeature(mean=asked.moving_average)
        if asked.moving_median:
            found[f"moving median {asked.moving_median}"] = PanelFeature(median=asked.moving_median)
        if asked.last_year:
            found["same period last year"] = PanelFeature(seasonal=1, season=A_YEAR[self.frequency])
        return found

    def is_one_series(self, delivered: Mapping[str, Column]) -> bool:
        """Whether all lines are of one entity, which no column names."""
        return self.entity == (SERIES,) and SERIES not in delivered

    def columns(self, delivered: Mapping[str, Column]) -> dict[str, Column]:
        """The columns of the panel's rows, as a table describes them.

        Grain: an entity, a period and a step. Key are these three; what is forecast is the label.
        """
        found = {
            name: Column(
                type=delivered[name].type,
                role=("key", "category") if name in self.categories else ("key",),
                required=True,
            )
            for name in self.entity
            if name in delivered
        }
        if self.is_one_series(delivered):
            found[SERIES] = Column(type="string", role=("key",), required=True)
        found[PERIOD] = Column(type="date", role=("key", "time"))
        found[STEP] = Column(type="integer", role=("key", "feature") if self.horizon > 1 else ("key",))
        found[AS_OF] = Column(type="date")
        for name, feature in self.features.items():
            filled = feature.fill is not None and feature.type == "number"
            found[name] = Column(
                role=("feature",) if feature.type == "number" else ("category",),
                type="number" if feature.type == "number" else "string",
                unit=feature.unit,
                nulls="constant" if filled else None,
                fill=feature.fill if filled else None,
            )
        for name in self.forecasts:
            found[name] = Column()
        if self.label in self.values:
            found[self.label] = Column(role=("label",), unit=self.values[self.label].unit)
        return found


def span(text: str) -> tuple[date, date]:
    """The first and the last day of `2010-12-24/2011-01-03`, or of a day alone.

    Raises:
        ValueError: it is neither.
    """
    first, _, last = text.partition("/")
    return date.fromisoformat(first), date.fromisoformat(last or first)
