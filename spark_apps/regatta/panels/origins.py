"""Rolling origins: what each fold learns from and is judged on, along the calendar. No Spark is needed here.

R. J. Hyndman and G. Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., 5.10.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from regatta.errors import InputError
from regatta.panels.calendar import Calendar


@dataclass(frozen=True)
class Origin:
    """One split of a panel, in positions of the calendar; see `dates` for what they mean.

    A model learns from rows whose period lies from `train_from` to `train_to`, the origin. It is judged on rows that
    know the periods up to `test_from - 1` or later and are about a period from `test_from` to `test_to`.
    """

    name: str
    train_from: int
    train_to: int
    test_from: int
    test_to: int

    @property
    def gap(self) -> int:
        """Open periods between what is learnt and what is judged."""
        return self.test_from - self.train_to - 1


@dataclass(frozen=True)
class Dates:
    """An origin as people read it: the first days of its periods."""

    name: str
    train_from: date
    train_to: date
    gap: int
    test_from: date
    test_to: date


def origins(calendar: Calendar, folds: int, use_case: str) -> list[Origin]:
    """The folds' origins, the earliest first, and last of all the holdout's.

    Windows lie side by side, and the holdout is the last of them.

    Raises:
        InputError: there are fewer periods than that takes; with how many there are and how many it takes.
    """
    panel = calendar.panel
    needed = (folds + 1) * panel.window + panel.gap + panel.horizon + 1
    there = calendar.last + 1
    if there < needed:
        raise InputError(
            f"{folds} folds and a holdout of {panel.window} open {panel.frequency}s each take {needed:,} of them"
            f"{f' with a gap of {panel.gap}' if panel.gap else ''}, and there are {there:,} from "
            f"{calendar.start(0)} to {calendar.start(calendar.last)}",
            place=use_case,
            way_out="land a longer history, or lower split.folds or panel.window",
        )
    found = []
    for number in range(folds + 1):
        test_to = calendar.last - panel.window * (folds - number)
        train_to = test_to - panel.window - panel.gap
        train_from = 1 if panel.training is None else max(1, train_to - panel.training + 1)
        name = f"{calendar.start(train_to)}"
        found.append(Origin(name, train_from, train_to, train_to + panel.gap + 1, test_to))
    return found


def dates(found: Sequence[Origin], calendar: Calendar) -> list[Dates]:
    """The origins as a table of days."""
    return [
        Dates(
            one.name,
            calendar.start(one.train_from),
            calendar.start(one.train_to),
            one.gap,
            calendar.start(one.test_from),
            calendar.start(one.test_to),
        )
        for one in found
    ]
