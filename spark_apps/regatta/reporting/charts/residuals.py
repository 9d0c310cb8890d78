"""Where single predictions are off, on rows that no model has learnt from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from regatta.evaluation.figures import number
from regatta.reporting.style import BLUE, INK, VERMILION, chart, in_figures, with_unit

MOST_GROUPS = 12
QUANTILES = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
FEWEST_IN_A_BIN = 10
MANY = 2_000  # points, from which on their density is drawn and not each of them


def against_actual(rows: pd.DataFrame, label: str, unit: str | None, logarithmic: bool) -> Figure:
    """Every held-out row; on the line across, the prediction is right. Many rows are drawn as their density.

    Args:
        rows: a row a held-out row, with the label and `prediction`.
        label: the label's column.
        unit: of both.
        logarithmic: both axes are, where all values are above 0.
    """
    known = rows[[label, "prediction"]].dropna()
    logarithmic &= bool((known > 0).all(axis=None))
    with chart(height=5.2) as (figure, axes):
        scale: Any = "log" if logarithmic else "linear"
        if len(known) > MANY:
            cells = axes.hexbin(
                known[label], known["prediction"], gridsize=60, mincnt=1, bins="log", cmap="Blues",
                xscale=scale, yscale=scale, linewidths=0.1,
            )  # fmt: skip
            in_figures(figure.colorbar(cells, ax=axes, label="rows", shrink=0.7).ax.yaxis)
        else:
            axes.plot(known[label], known["prediction"], ".", color=BLUE, alpha=0.4)
            axes.set_xscale(scale)
            axes.set_yscale(scale)
        ends = [known.to_numpy().min(), known.to_numpy().max()]
        axes.plot(ends, ends, color=INK, linewidth=1)
        axes.set_xlabel(with_unit(label, unit))
        axes.set_ylabel(with_unit("prediction", unit))
        in_figures(axes.xaxis)
        in_figures(axes.yaxis)
    return figure


def histogram(rows: pd.DataFrame, label: str, unit: str | None) -> Figure:
    """How far predictions are off: a histogram of the middle 98 % of prediction - label; the rest is said."""
    off = (rows["prediction"] - rows[label]).dropna()
    low, high = off.quantile([0.01, 0.99])
    with chart() as (figure, axes):
        axes.hist(off[(off >= low) & (off <= high)], bins=60, color=BLUE)
        axes.axvline(0, color=INK, linewidth=1)
        axes.axvline(
            float(off.median()),
            color=VERMILION,
            linestyle="--",
            label=f"median {number(float(off.median()), 3)}",
        )
        axes.set_xlabel(with_unit("prediction - actual", unit))
        axes.set_ylabel("rows")
        in_figures(axes.xaxis)
        in_figures(axes.yaxis)
        axes.legend(
            title=f"1 % lies below {number(float(low), 3)}, 1 % above {number(float(high), 3)}", fontsize=9
        )
    return figure


def by_prediction(rows: pd.DataFrame, label: str, unit: str | None) -> Figure:
    """Whether the error depends on the size of the prediction: its median and quantiles over twenty equal parts."""
    known = rows[[label, "prediction"]].dropna()
    off = known["prediction"] - known[label]
    parts = max(min(20, len(known) // FEWEST_IN_A_BIN), 1)
    part = pd.qcut(known["prediction"].rank(method="first"), parts, labels=False)
    middle = known["prediction"].groupby(part).median()
    bands = off.groupby(part).quantile(QUANTILES).unstack()
    with chart() as (figure, axes):
        axes.fill_between(
            middle, bands[0.05], bands[0.95], color=BLUE, alpha=0.15, label="90 % of the rows", linewidth=0
        )
        axes.fill_between(
            middle, bands[0.25], bands[0.75], color=BLUE, alpha=0.35, label="half of the rows", linewidth=0
        )
        axes.plot(middle, bands[0.5], color=BLUE, marker="o", markersize=3, label="median")
        axes.axhline(0, color=INK, linewidth=1)
        axes.set_xlabel(with_unit("prediction", unit))
        axes.set_ylabel(with_unit("prediction - actual", unit))
        in_figures(axes.xaxis)
        in_figures(axes.yaxis)
        axes.legend(fontsize=9)
    return figure


def by_group(rows: pd.DataFrame, label: str, unit: str | None, group: str) -> Figure:
    """The same by a category: the largest groups, the one that is most underestimated first.

    Groups of an ordered categorical keep their order.
    """
    known = rows[[label, "prediction", group]].dropna(subset=[label, "prediction"])
    names = known[group].astype("string").fillna("(none)")
    largest = names.value_counts().head(MOST_GROUPS)
    off = known["prediction"] - known[label]
    kept = names.isin(largest.index)
    bands = off[kept].groupby(names[kept]).quantile(QUANTILES).unstack()
    order = known[group].dtype
    if isinstance(order, pd.CategoricalDtype) and order.ordered:
        bands = bands.reindex([str(name) for name in order.categories if str(name) in bands.index])
    else:
        bands = bands.loc[bands[0.5].sort_values().index]
    with chart(height=0.9 + 0.3 * len(bands)) as (figure, axes):
        places = np.arange(len(bands))
        axes.hlines(places, bands[0.05], bands[0.95], color=BLUE, alpha=0.4)
        axes.hlines(places, bands[0.25], bands[0.75], color=BLUE, linewidth=6, alpha=0.5)
        axes.plot(bands[0.5], places, "o", color=BLUE)
        axes.axvline(0, color=INK, linewidth=1)
        axes.set_yticks(places, [f"{name}  ({largest[name]:,} rows)" for name in bands.index])
        axes.invert_yaxis()
        axes.set_ylabel(group)
        axes.set_xlabel(with_unit("prediction - actual: median, half and 90 % of the rows", unit))
        in_figures(axes.xaxis)
    return figure
