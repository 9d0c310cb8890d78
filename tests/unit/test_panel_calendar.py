"""The calendar of a panel and its rolling origins, without Spark."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest

from panels import use_case
from regatta.config.panel import Panel
from regatta.errors import InputError
from regatta.panels.calendar import Calendar, first_day, last_day, ordinal
from regatta.panels.origins import Dates, dates, origins

LAG = {"today": "{lag: 0}"}


def panel(frequency: str = "day", **keys: object) -> Panel:
    found = use_case(LAG, frequency=frequency, **keys).panel
    assert found is not None
    return found


def calendar(first: date, last: date, **keys: object) -> Calendar:
    return Calendar.of(panel(**keys), first, last)  # type: ignore[arg-type]


@pytest.mark.parametrize("frequency", ["day", "week", "month"])
def test_every_day_lies_in_one_period_and_periods_follow_each_other(frequency: str):
    day = date(2008, 12, 25)
    while day < date(2016, 3, 5):
        period = ordinal(day, frequency)
        assert first_day(period, frequency) <= day <= last_day(period, frequency)
        assert last_day(period, frequency) + timedelta(days=1) == first_day(period + 1, frequency)
        day += timedelta(days=1)


def test_weeks_begin_on_monday_also_over_new_year():
    assert ordinal(date(2009, 12, 28), "week") == ordinal(date(2010, 1, 3), "week")
    assert ordinal(date(2010, 1, 4), "week") == ordinal(date(2010, 1, 3), "week") + 1


def test_the_calendar_knows_which_days_to_come_are_open():
    shop = calendar(
        date(2011, 4, 19), date(2011, 4, 21), horizon=3,
        holidays="{country: GB, subdivision: ENG}",
        closed="{weekdays: [saturday], holidays: true, dates: [2011-04-24]}",
    )  # fmt: skip

    assert [shop.start(n) for n in range(6)] == [
        date(2011, 4, 19), date(2011, 4, 20), date(2011, 4, 21),
        date(2011, 4, 26), date(2011, 4, 27), date(2011, 4, 28),
    ]  # fmt: skip
    assert shop.last == 2


def test_a_lag_that_lands_on_a_closed_day_takes_the_last_open_one_before():
    shop = calendar(date(2011, 1, 2), date(2011, 1, 14), closed="{weekdays: [saturday]}")
    sunday = shop.position(ordinal(date(2011, 1, 9), "day"))

    assert shop.start(sunday) == date(2011, 1, 9)
    assert [shop.start(shop.before(sunday, lag) or 0) for lag in (1, 7)] == [
        date(2011, 1, 7),
        date(2011, 1, 2),
    ]
    assert shop.before(sunday, 8) is None


def test_a_season_back_is_never_later_than_what_is_known():
    shop = calendar(date(2011, 1, 3), date(2011, 1, 30), horizon=10)
    for position in range(shop.last + 1):
        for step in range(1, 11):
            for seasons in (1, 2):
                found = shop.seasons_before(position, step, 7, seasons)
                assert found is None or found <= position
                assert found is None or (shop.open[position + step] - shop.open[found]) % 7 == 0


def test_a_shop_that_never_opens_again_has_no_horizon():
    with pytest.raises(InputError, match="no day is open for 400 days after 2011-01-04"):
        calendar(date(2011, 1, 3), date(2011, 1, 4), closed='{dates: ["2011-01-05/2013-01-01"]}')


@pytest.mark.parametrize(
    ("frequency", "last", "expected"),
    [
        ("day", date(2011, 1, 12), [
            Dates("2011-01-05", date(2011, 1, 2), date(2011, 1, 5), 1, date(2011, 1, 7), date(2011, 1, 8)),
            Dates("2011-01-07", date(2011, 1, 2), date(2011, 1, 7), 1, date(2011, 1, 9), date(2011, 1, 10)),
            Dates("2011-01-09", date(2011, 1, 2), date(2011, 1, 9), 1, date(2011, 1, 11), date(2011, 1, 12)),
        ]),
        ("week", date(2011, 3, 27), [
            Dates("2011-01-31", date(2011, 1, 3), date(2011, 1, 31), 1, date(2011, 2, 14), date(2011, 2, 21)),
            Dates("2011-02-14", date(2011, 1, 3), date(2011, 2, 14), 1, date(2011, 2, 28), date(2011, 3, 7)),
            Dates("2011-02-28", date(2011, 1, 3), date(2011, 2, 28), 1, date(2011, 3, 14), date(2011, 3, 21)),
        ]),
        ("month", date(2011, 10, 31), [
            Dates("2011-03-01", date(2011, 2, 1), date(2011, 3, 1), 1, date(2011, 5, 1), date(2011, 6, 1)),
            Dates("2011-05-01", date(2011, 2, 1), date(2011, 5, 1), 1, date(2011, 7, 1), date(2011, 8, 1)),
            Dates("2011-07-01", date(2011, 2, 1), date(2011, 7, 1), 1, date(2011, 9, 1), date(2011, 10, 1)),
        ]),
    ],
)  # fmt: skip
def test_the_folds_as_a_table(frequency: str, last: date, expected: list[Dates]):
    shop = calendar(date(2011, 1, 1), last, frequency=frequency, window=2, gap=1)

    assert dates(origins(shop, 2, "tea"), shop) == expected


@pytest.mark.parametrize("frequency", ["day", "week", "month"])
@pytest.mark.parametrize(("horizon", "gap", "training"), [(1, 0, None), (3, 2, None), (2, 1, 9)])
def test_no_fold_is_judged_on_what_it_learnt_from(
    frequency: str, horizon: int, gap: int, training: int | None
):
    shop = calendar(
        date(2005, 1, 1), date(2011, 12, 31), frequency=frequency,
        window=4, horizon=horizon, gap=gap, training=training or "null",
    )  # fmt: skip
    found = origins(shop, 5, "tea")

    for one, following in pairwise(found):
        assert one.test_to + 1 == following.test_from
    assert found[-1].test_to == shop.last
    for one in found:
        assert one.train_to + gap + 1 == one.test_from
        assert one.test_to - one.test_from + 1 == 4
        assert training is None or one.train_to - one.train_from + 1 == training


def test_fewer_periods_than_the_folds_take_is_a_sentence():
    shop = calendar(date(2011, 1, 1), date(2011, 1, 9), window=2, horizon=2)

    with pytest.raises(InputError) as raised:
        origins(shop, 3, "tea")

    assert str(raised.value) == (
        "tea: 3 folds and a holdout of 2 open days each take 11 of them, and there are 9 from 2011-01-01 to "
        "2011-01-09\n  land a longer history, or lower split.folds or panel.window"
    )
