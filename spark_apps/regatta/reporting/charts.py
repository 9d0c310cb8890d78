"""The charts of a run: one idea each, from frames of a few thousand rows. Each returns a matplotlib `Figure`.

Notebooks and the page of a run (`page.py`) draw the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator

from regatta.evaluation.figures import SHARES, number, unit_of
from regatta.reporting.style import BLUE, GREY, INK, OF_FAMILY, VERMILION, chart, in_figures, with_unit
from regatta.selection.leaderboard import Leaderboard, Standing

MOST_CANDIDATES = 24
MOST_WEIGHTS = 15
MOST_GROUPS = 12
QUANTILES = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
FEWEST_IN_A_BIN = 10
MANY = 2_000  # points, from which on their density is drawn and not each of them


def leaderboard(board: Leaderboard) -> Figure:
    """Each candidate's error: a small dot a fold, a large one the mean; the best first, at most `MOST_CANDIDATES`.

    The best baseline is a line across, since it is what has to be beaten.
    """
    shown = [one for one in board.standings if one.mean(board.metric) is not None][:MOST_CANDIDATES]
    factor = 100 if board.metric in SHARES else 1
    with chart(height=0.9 + 0.24 * len(shown)) as (figure, axes):
        for place, standing in enumerate(shown):
            folds = [factor * float(fold.metrics[board.metric] or 0) for fold in standing.folds]
            colour = _colour(standing)
            axes.plot(folds, [place] * len(folds), "|", color=colour, alpha=0.6, markersize=9)
            axes.plot([factor * float(standing.mean(board.metric) or 0)], [place], "o", color=colour)
        axes.set_yticks(range(len(shown)), [one.candidate for one in shown])
        axes.invert_yaxis()
        axes.set_xlabel(_metric(board))
        in_figures(axes.xaxis)
        if (best := board.best_baseline) is not None:
            axes.axvline(factor * float(best.mean(board.metric) or 0), color=GREY, linestyle="--")
        axes.legend(handles=_families(shown), loc="best", fontsize=9)
    return figure


def cost(board: Leaderboard) -> Figure:
    """What each candidate's error cost in seconds of fitting over all folds."""
    factor = 100 if board.metric in SHARES else 1
    shown = [one for one in board.standings if one.mean(board.metric) is not None and not one.is_baseline]
    with chart() as (figure, axes):
        for standing in shown:
            mean = factor * float(standing.mean(board.metric) or 0)
            axes.plot([max(standing.seconds, 0.01)], [mean], "o", color=_colour(standing), alpha=0.8)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        in_figures(axes.xaxis)
        in_figures(axes.yaxis)
        axes.set_xlabel("seconds of fitting, all folds (candidates that share work share its time)")
        axes.set_ylabel(_metric(board))
        axes.legend(handles=_families(shown), loc="best", fontsize=9)
    return figure


def by_origin(board: Leaderboard) -> Figure:
    """Of a panel: the error at each origin, of each family's best and of the best baseline."""
    factor = 100 if board.metric in SHARES else 1
    lines = [*board.best_of_families().values()]
    if board.best_baseline is not None:
        lines.append(board.best_baseline)
    with chart(height=4.4) as (figure, axes):
        for standing in lines:
            folds = [factor * float(fold.metrics[board.metric] or 0) for fold in standing.folds]
            style = "--" if standing.is_baseline else "-"
            axes.plot(
                list(board.folds), folds, style, marker="o", color=_colour(standing), label=standing.candidate
            )
        axes.set_xlabel("learnt from what was known until")
        axes.set_ylabel(_metric(board, ""))
        in_figures(axes.yaxis)
        figure.legend(loc="outside lower center", fontsize=9)
    return figure


def predicted_against_actual(rows: pd.DataFrame, label: str, unit: str | None, logarithmic: bool) -> Figure:
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


def residuals(rows: pd.DataFrame, label: str, unit: str | None) -> Figure:
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


def residuals_by_prediction(rows: pd.DataFrame, label: str, unit: str | None) -> Figure:
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


def residuals_by_group(rows: pd.DataFrame, label: str, unit: str | None, group: str) -> Figure:
    """The same by a category: the largest groups, the one that is most underestimated first."""
    known = rows[[label, "prediction", group]].dropna(subset=[label, "prediction"])
    names = known[group].astype("string").fillna("(none)")
    largest = names.value_counts().head(MOST_GROUPS)
    off = known["prediction"] - known[label]
    kept = names.isin(largest.index)
    bands = off[kept].groupby(names[kept]).quantile(QUANTILES).unstack()
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


def weights(of_family: Sequence[dict[str, Any]], family: str) -> Figure:
    """What each slot of the vector is worth to a model: importance (share) or coefficient, the largest."""
    kind = "coefficient" if of_family and "coefficient" in of_family[0] else "importance"
    shown = [one for one in of_family if one[kind]][:MOST_WEIGHTS]
    with chart(height=0.9 + 0.26 * max(len(shown), 1)) as (figure, axes):
        axes.barh(
            [one["feature"] for one in shown], [one[kind] for one in shown], color=OF_FAMILY.get(family, BLUE)
        )
        axes.invert_yaxis()
        axes.set_xlabel(
            "share of the error's reduction"
            if kind == "importance"
            else "coefficient, per unit of the scaled feature"
        )
        axes.xaxis.set_major_locator(MaxNLocator(6))
        in_figures(axes.xaxis)
    return figure


def _metric(board: Leaderboard, over: str = " over the folds") -> str:
    unit = "%" if board.metric in SHARES else unit_of(board.metric, board.unit)
    return with_unit(f"{board.metric}{over}", unit)


def _colour(standing: Standing) -> str:
    return GREY if standing.is_baseline else OF_FAMILY.get(standing.family, BLUE)


def _families(shown: Sequence[Standing]) -> list[Line2D]:
    told = {"baseline" if one.is_baseline else one.family: _colour(one) for one in shown}
    return [
        Line2D([], [], marker="o", linestyle="", color=colour, label=name.replace("_", " "))
        for name, colour in told.items()
    ]
