"""A panel as a use-case file describes it: entities observed over calendar time, out of delivered lines."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from regatta.config.strict import ColumnName, Strict
from regatta.config.table import Column

Frequency = Literal["day", "week", "month"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
CalendarPart = Literal[
    "weekday", "day_of_month", "week", "month", "quarter", "year", "holiday", "to_holiday", "from_holiday"
]

SEASON: Mapping[Frequency, int] = {"day": 7, "week": 52, "month": 12}
"""How many periods a season has, where a file does not say."""
A_YEAR: Mapping[Frequency, int] = {"day": 364, "week": 52, "month": 12}
"""The same period last year, by so many periods back: for days the same weekday, 52 weeks ago."""
OF_DAYS_ALONE = ("weekday", "day_of_month", "to_holiday", "from_holiday")

PERIOD, STEP, AS_OF = "period", "step", "as_of"
"""Columns of a panel's rows: the period that is forecast, how many open periods lie from `as_of` to it, and the
last period that the row knows of."""

_FUTURE = "reads the future: a row may read its own period and those before it"

Count = Annotated[int, Field(ge=1)]


class PanelValue(Strict):
    """One value of an entity in a period: an SQL aggregate over its lines."""

    sql: str
    unit: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _an_expression_alone(cls, given: Any) -> Any:
        return {"sql": given} if isinstance(given, str) else given


class PanelFeature(Strict):
    """One model input computed from an entity's history, the target's calendar, or what is known in advance.

    Distances are periods of the frequency, closed ones included, and never rows.
    """

    lag: Annotated[int | None, Field(ge=0)] = None
    mean: Count | None = None
    median: Count | None = None
    deviation: Annotated[int | None, Field(ge=2)] = None
    minimum: Count | None = None
    maximum: Count | None = None
    trend: Count | None = None
    seasonal: Count | None = None
    seasonal_mean: Count | None = None
    season: Count | None = None
    since: ColumnName | None = None
    calendar: CalendarPart | None = None
    known: ColumnName | None = None
    of: ColumnName | None = None
    type: Literal["number", "category"] = "number"
    unit: str | None = None
    fill: float | None = Field(default=None, strict=False)

    @model_validator(mode="before")
    @classmethod
    def _nothing_of_the_future(cls, given: Any) -> Any:
        if isinstance(given, dict):
            if "lead" in given:
                raise ValueError(f"lead {_FUTURE}; what is known in advance stands under panel.known")
            for kind in (*KINDS, "season"):
                value = given.get(kind)
                if isinstance(value, int) and not isinstance(value, bool) and value < 0:
                    raise ValueError(f"{kind}: {value} {_FUTURE}")
        return given

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            said = f"has {' and '.join(given)}" if given else "says not what it is"
            raise ValueError(f"{said}: give exactly one of {', '.join(KINDS)}")
        if self.season is not None and given[0] not in ("seasonal", "seasonal_mean"):
            raise ValueError(f"season belongs to seasonal and seasonal_mean, not to {given[0]}")
        if self.of is not None and given[0] in ("since", "calendar", "known"):
            raise ValueError(f"of has no meaning beside {given[0]}")
        return self

    @property
    def kind(self) -> str:
        """Which of `KINDS` it is."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def periods(self) -> int:
        """How many periods it looks at, or back; for the kinds that have a number."""
        value = getattr(self, self.kind)
        return value if isinstance(value, int) else 0


KINDS = (
    *("lag", "mean", "median", "deviation", "minimum", "maximum", "trend", "seasonal", "seasonal_mean"),
    *("since", "calendar", "known"),
)


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
    subdivision: str | None = None


class Closed(Strict):
    """Days on which nothing can be observed; steps do not count them."""

    weekdays: Annotated[tuple[Weekday, ...], Field(strict=False)] = ()
    holidays: bool = False
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
    same_season: bool = True
    moving_average: Count | None = 30
    moving_median: Count | None = None
    last_year: bool = True


class Panel(Strict):
    """Entities observed over calendar time, and how their next periods are forecast."""

    entity: Annotated[tuple[ColumnName, ...], Field(strict=False, min_length=1)]
    frequency: Frequency = "day"
    time_zone: str | None = None
    where: str | None = None
    values: Annotated[Mapping[ColumnName, PanelValue], Field(strict=False, min_length=1)]
    label: ColumnName
    known: Annotated[Mapping[ColumnName, PanelValue], Field(strict=False)] = {}
    empty: Literal["zero", "null", "absent"] = "zero"
    holidays: Holidays | None = None
    closed: Closed = Closed()
    participants: Participants = Participants()
    features: Annotated[Mapping[ColumnName, PanelFeature], Field(strict=False)] = {}
    categories: Annotated[tuple[ColumnName, ...], Field(strict=False)] = ()
    horizon: Annotated[int, Field(ge=1, le=366)] = 1
    window: Count = 10
    training: Count | None = None
    gap: Annotated[int, Field(ge=0)] = 0
    live: Count | None = None
    new_entities: Literal["list", "baseline"] = "list"
    baselines: PanelBaselines = PanelBaselines()

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
