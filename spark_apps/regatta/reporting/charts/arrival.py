"""What was delivered, and why rows were rejected; from the frames of `exploration/arrivals.py`."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from regatta.reporting.style import BLUE, GREY, ORANGE, VERMILION, chart, dated, in_figures

MOST_NAMES = 24  # deliveries that are named one by one; more are shown along the calendar
MOST_REASONS = 12


def deliveries(arrivals: pd.DataFrame) -> Figure:
    """Rows of each delivery: accepted, rejected, or of a delivery that was refused whole.

    Args:
        arrivals: `delivery`, `delivered_at`, `rows`, `accepted`, `rejected` and `refused`.
    """
    named = len(arrivals) <= MOST_NAMES
    places = (
        np.arange(len(arrivals)) if named else pd.to_datetime(arrivals["delivered_at"]).dt.tz_localize(None)
    )
    refused = arrivals["rows"].where(arrivals["refused"] != "", 0)
    with chart(height=3.4) as (figure, axes):
        beneath = np.zeros(len(arrivals))
        for counts, colour, what in (
            (arrivals["accepted"], BLUE, "accepted"),
            (arrivals["rejected"], VERMILION, "rejected"),
            (refused, GREY, "in a delivery that was refused whole"),
        ):
            if counts.any() or what == "accepted":
                axes.bar(
                    places,
                    counts,
                    bottom=beneath,
                    color=colour,
                    width=0.8 if named else 1.0,
                    label=f"{what}: {counts.sum():,}",
                )
            beneath = beneath + counts.to_numpy()
        if named:
            axes.set_xticks(places, arrivals["delivery"], rotation=45, ha="right")
            axes.set_xlabel("delivery")
        else:
            axes.set_xlabel("day of the delivery")
            dated(axes.xaxis)
        axes.set_ylabel("rows")
        axes.grid(axis="x", visible=False)
        in_figures(axes.yaxis)
        figure.legend(loc="outside upper left", ncols=3, fontsize=9)
    return figure


def reasons(found: pd.DataFrame) -> Figure:
    """Rows by the reason for which they were rejected or warned of, the most frequent first.

    Args:
        found: `reason`, `level` and `rows`.
    """
    shown = found.head(MOST_REASONS)
    with chart(height=1.3 + 0.3 * max(len(shown), 1)) as (figure, axes):
        if not len(shown):
            axes.text(0.5, 0.5, "no row was rejected or warned of", ha="center", transform=axes.transAxes)
            axes.set_xlim(0, 1)
        for level, colour in (("rejected", VERMILION), ("warned of", ORANGE)):
            part = shown[shown["level"] == level]
            if len(part):
                axes.barh(part.index, part["rows"], color=colour, label=level)
        for place, rows in zip(shown.index, shown["rows"], strict=True):
            axes.annotate(
                f"{rows:,}", (rows, place), (4, 0), textcoords="offset points", va="center", fontsize=9
            )
        axes.set_yticks(shown.index, shown["reason"])
        axes.invert_yaxis()
        axes.set_xlabel("rows (one with two reasons counts under both)")
        axes.grid(axis="y", visible=False)
        axes.margins(x=0.12)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        in_figures(axes.xaxis)
        if len(shown):
            figure.legend(loc="outside upper left", ncols=2, fontsize=9)
    return figure
