"""One feature of a panel in a use-case file: what a row knows of its entity, or of the period that is forecast."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from regatta.config.strict import ColumnName, Strict

CalendarPart = Literal[
    "weekday", "day_of_month", "week", "month", "quarter", "year", "holiday", "to_holiday", "from_holiday"
]
OF_DAYS_ALONE = ("weekday", "day_of_month", "to_holiday", "from_holiday")

_FUTURE = "reads the future: a row may read its own period and those before it"

Count = Annotated[int, Field(ge=1)]


class PanelFeature(Strict):
    """One model input computed from an entity's history, the target's calendar, or what is known in advance.

    Distances are periods of the frequency, closed ones included, and never rows.
    """

    lag: Annotated[int | None, Field(ge=0)] = None
    """The value so many periods before `as_of`; 0 is `as_of` itself."""
    mean: Count | None = None
    """The mean of the last so many periods, `as_of` included."""
    median: Count | None = None
    """Their median."""
    deviation: Annotated[int | None, Field(ge=2)] = None
    """Their sample standard deviation."""
    minimum: Count | None = None
    """The smallest of their values."""
    maximum: Count | None = None
    """The largest of their values."""
    trend: Count | None = None
    """The value of `as_of` minus their mean."""
    seasonal: Count | None = None
    """The value so many seasons before the period that is forecast, counted from the last one known."""
    seasonal_mean: Count | None = None
    """The mean of the last so many of these."""
    season: Count | None = None
    """How many periods a season of these two has. By default 7 days, 52 weeks or 12 months."""
    since: ColumnName | None = None
    """Periods since this value was last other than 0."""
    calendar: CalendarPart | None = None
    """A part of the calendar of the period that is forecast."""
    known: ColumnName | None = None
    """A value of `panel.known` in the period that is forecast."""
    of: ColumnName | None = None
    """The value that it is computed of. By default the label."""
    type: Literal["number", "category"] = "number"
    """Whether models read it as a number or a name."""
    unit: str | None = None
    """For people."""
    fill: float | None = Field(default=None, strict=False)
    """What no value becomes. By default the median of the training part."""

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
