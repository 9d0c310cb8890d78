"""A panel along the calendar; from the frames of `exploration/panel.py` and the holdout of a run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator

from regatta.panels.origins import Dates
from regatta.reporting.style import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    VERMILION,
    WHITE,
    chart,
    dated,
    in_figures,
    with_unit,
)

PERIOD, ENTITY = "period", "entity"
NOT_YET, CLOSED, NOTHING, SOLD = range(4)
DAY = timedelta(days=1)
STRIPE = "#DDDDDD"


def along_time(totals: pd.DataFrame, value: str, unit: str | None, closed: Sequence[date] = ()) -> Figure:
    """A value by period, with the closed days as stripes, so that a gap in the line has its reason.

    Args:
        totals: `period` and the value.
        value: the column.
        unit: of it.
        closed: days on which nothing can be observed.
    """
    with chart(height=3.4) as (figure, axes):
        _stripes(axes, closed)
        axes.plot(pd.to_datetime(totals[PERIOD]), totals[value], color=BLUE, linewidth=1)
        axes.set_ylabel(with_unit(value, unit))
        axes.set_ylim(bottom=min(0, totals[value].min()))
        in_figures(axes.yaxis)
        dated(axes.xaxis)
        if closed:
            figure.legend(
                handles=[Patch(color=STRIPE, label="closed")], loc="outside upper right", fontsize=9
            )
    return figure


def presence(values: pd.DataFrame, open_periods: Sequence[date]) -> Figure:
    """Which entity had a line in which period: a row an entity, the busiest on top.

    Args:
        values: grain: an entity and period with lines: `entity` and `period`.
        open_periods: the first days of the open periods; the days between them are closed.
    """
    days = pd.date_range(min(open_periods), max(open_periods))
    is_open = days.isin(pd.to_datetime([*open_periods]))
    sold = (
        values.assign(there=1)
        .pivot_table(index=ENTITY, columns=PERIOD, values="there", aggfunc="max", fill_value=0)
        .reindex(columns=days, fill_value=0)
        .to_numpy()
    )
    begun = np.maximum.accumulate(sold, axis=1) == 1
    state = np.where(sold == 1, SOLD, np.where(~is_open[None, :], CLOSED, np.where(begun, NOTHING, NOT_YET)))
    state = state[np.argsort(-sold.sum(axis=1), kind="stable")]
    colours = {
        NOT_YET: (WHITE, "not sold yet"),
        CLOSED: (STRIPE, "closed"),
        NOTHING: (ORANGE, "open, no sale"),
        SOLD: (BLUE, "sold"),
    }
    with chart(height=4.2) as (figure, axes):
        first, last = _place(days[0]), _place(days[-1]) + 1
        axes.imshow(
            state, cmap=ListedColormap([colour for colour, _ in colours.values()]), vmin=0, vmax=3, aspect="auto",
            interpolation="nearest", extent=(first, last, len(state), 0),
        )  # fmt: skip
        axes.xaxis_date()
        axes.set_ylabel("entities, the busiest on top")
        axes.grid(visible=False)
        dated(axes.xaxis)
        handles = [Patch(facecolor=colour, edgecolor=GREY, label=name) for colour, name in colours.values()]
        figure.legend(handles=handles, loc="outside upper left", ncols=4, fontsize=9)
    return figure


def origins(splits: Sequence[Dates]) -> Figure:
    """What each fold learns from and is judged on, on the time axis; the last line is the holdout.

    Args:
        splits: the folds, the earliest first, and last of all the holdout.
    """
    with chart(height=1.2 + 0.36 * len(splits)) as (figure, axes):
        for place, one in enumerate(splits):
            held_out = place == len(splits) - 1
            for begin, end, colour in (
                (one.train_from, one.train_to, BLUE),
                (one.test_from, one.test_to, VERMILION if held_out else ORANGE),
            ):
                left, right = _place(begin), _place(end + DAY)
                axes.barh(place, right - left, left=left, color=colour, height=0.6)
        axes.set_yticks(
            range(len(splits)),
            [f"fold {n + 1}" if n < len(splits) - 1 else "holdout" for n in range(len(splits))],
        )
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.xaxis_date()
        dated(axes.xaxis)
        named = (
            (BLUE, "learnt from"),
            (ORANGE, "judged on, to choose"),
            (VERMILION, "held out, for the gate alone"),
        )
        handles = [Patch(color=colour, label=name) for colour, name in named]
        figure.legend(handles=handles, loc="outside upper left", ncols=3, fontsize=9)
    return figure


def by_entity(errors: pd.DataFrame, model: str, baseline: str) -> Figure:
    """The error of each entity, by the model and by the best baseline: below the line the model is better.

    Args:
        errors: grain: an entity: `size` (what the dot's area shows), `model` and `baseline` in percent.
        model: its name.
        baseline: its name.
    """
    known = errors.dropna(subset=["model", "baseline"])
    better = known["model"] < known["baseline"]
    with chart(height=4.6) as (figure, axes):
        ends = [
            known[["model", "baseline"]].min().min() * 0.9,
            known[["model", "baseline"]].max().max() * 1.1,
        ]
        axes.plot(ends, ends, color=INK, linewidth=1)
        for part, colour, what in (
            (known[better], BLUE, f"the model is better: {better.sum():,}"),
            (known[~better], VERMILION, f"the baseline is at least as good: {(~better).sum():,}"),
        ):
            area = 300 * part["size"] / max(known["size"].max(), 1e-9)
            axes.scatter(
                part["baseline"], part["model"], s=area.clip(lower=6), color=colour, alpha=0.6, label=what
            )
        axes.set_xscale("log")
        axes.set_yscale("log")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
        axes.set_xlabel(f"wape by {baseline} (%)")
        axes.set_ylabel(f"wape by {model} (%)")
        in_figures(axes.xaxis)
        in_figures(axes.yaxis)
        legend = axes.legend(loc="upper left", fontsize=9)
        for handle in legend.legend_handles:
            handle.set_sizes([40])  # type: ignore[union-attr]
    return figure


def forecast(
    history: pd.DataFrame,
    known: pd.DataFrame,
    ahead: pd.DataFrame,
    value: str,
    unit: str | None,
    closed: Sequence[date] = (),
) -> Figure:
    """What happened, what had been forecast of it, and what is forecast now.

    Args:
        history: `period` and the value.
        known: `period` and `prediction`, of periods that have happened since; not learnt from.
        ahead: `period` and `prediction`, of periods to come.
        value: the column.
        unit: of all three.
        closed: days on which nothing can be observed.
    """
    with chart(height=3.6) as (figure, axes):
        _stripes(axes, [day for day in closed if pd.Timestamp(day) >= pd.to_datetime(history[PERIOD]).min()])
        axes.plot(
            pd.to_datetime(history[PERIOD]), history[value], ".-", color=INK, linewidth=1, label="happened"
        )
        axes.plot(
            pd.to_datetime(known[PERIOD]), known["prediction"], ".--", color=BLUE, linewidth=1,
            label="forecast of what was held out",
        )  # fmt: skip
        axes.plot(
            pd.to_datetime(ahead[PERIOD]), ahead["prediction"], "D", color=VERMILION, markersize=7,
            label="forecast of what comes next",
        )  # fmt: skip
        axes.set_ylabel(with_unit(value, unit))
        axes.set_ylim(bottom=0)
        in_figures(axes.yaxis)
        dated(axes.xaxis)
        figure.legend(loc="outside upper left", ncols=3, fontsize=9)
    return figure


def _stripes(axes: Axes, closed: Sequence[date]) -> None:
    for day in closed:
        middle = _place(day)
        axes.axvspan(middle - 0.5, middle + 0.5, color=STRIPE, linewidth=0)


def _place(day: date) -> float:
    """Where a day lies on a time axis."""
    return float(mdates.date2num(day))  # type: ignore[no-untyped-call]
