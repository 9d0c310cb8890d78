"""The calendar of a panel: which periods are open, in the past and to come. No Spark is needed here.

A period has an ordinal, counted by the calendar with no gap (days since 1970, weeks from Monday, months), and if it
is open a position, counted from the panel's first open period. Lags count ordinals, steps count positions.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import holidays

from regatta.config.panel import Frequency, Panel, span
from regatta.errors import InputError

EPOCH = date(1970, 1, 1)
SHUT_AT_MOST = 400  # days in a row, after which a calendar counts as closed for good
NEAR = 30  # days, at most, to and from a holiday
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def ordinal(day: date, frequency: Frequency) -> int:
    """The ordinal of the period that a day lies in."""
    days = (day - EPOCH).days
    match frequency:
        case "day":
            return days
        case "week":
            return (days + 3) // 7  # 1970 began on a Thursday
        case "month":
            return (day.year - EPOCH.year) * 12 + day.month - 1


def first_day(period: int, frequency: Frequency) -> date:
    """The day that a period begins on."""
    match frequency:
        case "day":
            return EPOCH + timedelta(days=period)
        case "week":
            return EPOCH + timedelta(days=7 * period - 3)
        case "month":
            return date(EPOCH.year + period // 12, period % 12 + 1, 1)


def last_day(period: int, frequency: Frequency) -> date:
    """The day that a period ends on."""
    return first_day(period + 1, frequency) - timedelta(days=1)


@dataclass(frozen=True)
class Calendar:
    """Open periods from the panel's first one to as many after its last as are forecast.

    Attributes:
        panel: what says which periods are open.
        open: ordinals of the open periods, ascending; the index of one is its position.
        last: the position of the last period that is known.
    """

    panel: Panel
    open: tuple[int, ...]
    last: int

    @classmethod
    def of(cls, panel: Panel, first: date, last: date) -> Calendar:
        """The calendar of a panel that is known from one day to another.

        Raises:
            InputError: if so few periods are open that the horizon has no end.
        """
        from_, known = ordinal(first, panel.frequency), ordinal(last, panel.frequency)
        found = [period for period in range(from_, known + 1) if is_open(panel, period)]
        if not found:
            raise InputError(
                f"no period from {first} to {last} is open", place="panel.closed", way_out="open some"
            )
        until, period, shut = len(found) + panel.horizon, known, 0
        while len(found) < until and shut < SHUT_AT_MOST:
            period += 1
            shut = 0 if is_open(panel, period) else shut + 1
            found += [period] if not shut else []
        if len(found) < until:
            raise InputError(
                f"no day is open for {SHUT_AT_MOST} days after {first_day(period - shut, panel.frequency)}",
                place="panel.closed",
                way_out="open some, or make the horizon shorter",
            )
        return cls(panel, tuple(found), until - panel.horizon - 1)

    def position(self, period: int) -> int:
        """The position of the period, or of the last open one before it; -1 before the first."""
        return bisect_right(self.open, period) - 1

    def start(self, position: int) -> date:
        """The day that the open period at a position begins on."""
        return first_day(self.open[position], self.panel.frequency)

    def before(self, position: int, periods: int) -> int | None:
        """The position of the period so many before another, or of the last open one before that."""
        found = self.position(self.open[position] - periods)
        return found if found >= 0 else None

    def seasons_before(self, position: int, step: int, season: int, seasons: int) -> int | None:
        """The position of the period some seasons before the one that is `step` open periods after another.

        The first season back is the first that ends at `position` or before it, so that nothing later is read.
        """
        target = self.open[position + step]
        whole = -(-(target - self.open[position]) // season)  # seasons from the target back to what is known
        found = self.position(target - season * (whole + seasons - 1))
        return found if found >= 0 else None

    def part(self, position: int, part: str) -> int | None:
        """A part of the calendar in the open period at a position, as a number."""
        frequency, period = self.panel.frequency, self.open[position]
        day = first_day(period, frequency)
        match part:
            case "weekday":
                return day.isoweekday()
            case "day_of_month":
                return day.day
            case "week":
                return day.isocalendar().week
            case "month":
                return (day + timedelta(days=3)).month if frequency == "week" else day.month
            case "quarter":
                return ((self.part(position, "month") or 0) + 2) // 3
            case "year":
                return day.isocalendar().year if frequency == "week" else day.year
            case "holiday":
                days = (last_day(period, frequency) - day).days + 1
                return sum(day + timedelta(days=n) in self.holidays for n in range(days))
            case "to_holiday":
                return self._nearest(day, 1)
            case "from_holiday":
                return self._nearest(day, -1)
        raise ValueError(part)

    def _nearest(self, day: date, direction: int) -> int:
        near = (n for n in range(NEAR) if day + timedelta(days=direction * n) in self.holidays)
        return next(near, NEAR)

    @cached_property
    def holidays(self) -> Mapping[date, str]:
        """The holidays of the panel's country, from a month before its first period to a month after its last."""
        return holidays_of(self.panel)


def is_open(panel: Panel, period: int) -> bool:
    """Whether something can be observed in a period; weeks and months are always open."""
    if panel.frequency != "day":
        return True
    day, closed = first_day(period, panel.frequency), panel.closed
    if WEEKDAYS[day.weekday()] in closed.weekdays or (closed.holidays and day in holidays_of(panel)):
        return False
    return not any(first <= day <= last for first, last in map(span, closed.dates))


_HOLIDAYS: dict[tuple[str, str | None], Mapping[date, str]] = {}  # a look-up adds the years that it needs


def holidays_of(panel: Panel) -> Mapping[date, str]:
    """The holidays of the panel's country by day, of whichever year is asked for; none without a country."""
    if panel.holidays is None:
        return {}
    key = (panel.holidays.country, panel.holidays.subdivision)
    if key not in _HOLIDAYS:
        _HOLIDAYS[key] = holidays.country_holidays(key[0], subdiv=key[1])
    return _HOLIDAYS[key]
